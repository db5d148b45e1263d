#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/evaluate/evaluator.h"
#include "framework/train/records.h"

namespace bitnet {

/// Training and evaluation of one variant with one seed.
struct SeedResult {
  int64_t seed = 0;
  int64_t steps = 0;
  int64_t tokens_seen = 0;
  double train_seconds = 0;  ///< time spent in training steps, over all resumed parts
  double evaluate_seconds = 0;
  std::string initial_weights_sha256;
  std::string final_weights_sha256;
  std::vector<TrainPoint> curve;
  std::vector<EpochRecord> epochs;
  std::vector<TernaryRecord> ternary;
  std::vector<Evaluation> evaluations;
};

struct VariantResult {
  std::string name;
  std::string linear;  ///< "bitnet" or "float"
  int64_t parameters = 0;
  int64_t ternary_parameters = 0;
  int64_t weight_bytes = 0;  ///< as served: packed ternary plus float32 for the rest
  std::vector<SeedResult> seeds;
};

/// Everything a report shows: what results.json holds (schema_version first, last the digest of the rest). Of the
/// items' details it has few (item_details.h); the samples files have all.
struct Results {
  static constexpr int64_t kSchemaVersion = 3;
  std::string experiment;
  std::string description;
  std::vector<std::string> notes;  ///< what a reader must know before any figure
  std::string config_hash;
  std::string config_text;  ///< resolved, full
  std::vector<std::string> overridden;
  std::string command;   ///< that reproduces the run
  std::string baseline;  ///< variant name
  std::string dataset;
  std::string tokenizer;
  int64_t vocab_size = 0;
  std::map<std::string, std::string> data_sha256;  ///< "train", "validation", "test", "tokenizer"
  /// True entropy of the validation split in nats per training token, where the generator knows it: the floor under the
  /// loss curves.
  std::optional<double> floor_nats_per_token;
  std::vector<VariantResult> variants;
  std::string environment_json;  ///< environment.json as text
};

/// Whether any variant was trained, and not only evaluated as it started.
bool was_trained(const Results& results);

/// The text of results.json; doubles round-trip exactly; the same results give the same bytes. Numbers that JSON does
/// not have are written as the texts "NaN", "Infinity" and "-Infinity". Errors: DataError where a text is not UTF-8.
std::string results_to_json(const Results& results);
/// Reads such a text back; `where` names it in errors.
/// Errors: DataError for a damaged file, another schema version, a missing, unknown, repeated or wrong field, with its
/// JSON path, and for a digest that is missing or of another content: such a file was edited.
Results results_from_json(std::string_view text, std::string_view where);

/// The same for one evaluation, as a run folder keeps it (evaluation_<name>.json).
std::string evaluation_to_json(const Evaluation& evaluation);
Evaluation evaluation_from_json(std::string_view text, std::string_view where);

}  // namespace bitnet
