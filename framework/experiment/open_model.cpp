#include "framework/experiment/open_model.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "framework/core/error.h"
#include "framework/experiment/environment.h"
#include "framework/infer/artifact.h"
#include "framework/interop/checkpoint.h"
#include "framework/interop/import.h"
#include "framework/nn/model_file.h"

namespace bitnet {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTokenizerPath = "tokenizer_path";
constexpr const char* kTokenizerFingerprint = "tokenizer_fingerprint";

/// In the place of the text of a model that brings none.
class AbsentDataset final : public Dataset {
 public:
  explicit AbsentDataset(std::string model) : model_(std::move(model)) {}
  std::string_view text(DataSplit) const override { fail(); }
  std::vector<std::string_view> documents(DataSplit) const override { fail(); }
  std::string sha256(DataSplit) const override { fail(); }
  std::optional<EntropyFloor> floor(DataSplit) const override { return std::nullopt; }
  std::string name() const override { return "none"; }

 private:
  [[noreturn]] void fail() const {
    throw ConfigError("command line: --dataset must name a block of configs/dataset/ for " + model_ +
                      ", which brings no text of its own, but is missing. See `bitnet evaluate --help`.");
  }
  std::string model_;
};

const std::string* find_entry(const std::map<std::string, std::string>& metadata, const char* key) {
  const auto entry = metadata.find(key);
  return entry == metadata.end() ? nullptr : &entry->second;
}

/// The file of a tokenizer that no experiment names: the user's, that beside a checkpoint, or the one that the metadata
/// names, at its old place or beside the model.
fs::path tokenizer_file(const fs::path& model, const std::map<std::string, std::string>& metadata,
                        const fs::path& chosen) {
  if (!chosen.empty()) return chosen;
  if (is_checkpoint(model)) return find_tokenizer(model);
  const std::string* const recorded = find_entry(metadata, kTokenizerPath);
  if (recorded == nullptr) {
    throw DataError(model.string() +
                    ": the metadata entry 'experiment' or 'tokenizer_path' must name the tokenizer, but both are "
                    "missing. Name it with --tokenizer.");
  }
  const fs::path beside = model.parent_path() / fs::path(*recorded).filename();
  std::error_code error;
  if (fs::exists(*recorded, error)) return *recorded;
  if (fs::exists(beside, error)) return beside;
  throw DataError(model.string() + ": the tokenizer must be " + *recorded + " or lie beside the model, but does not. " +
                  "Put it there, or name it with --tokenizer.");
}

void check_tokenizer(const std::string& where, const std::map<std::string, std::string>& metadata,
                     const Tokenizer& tokenizer, int64_t vocab_size) {
  const std::string* const fingerprint = find_entry(metadata, kTokenizerFingerprint);
  const bool expected = fingerprint != nullptr || find_entry(metadata, "experiment") != nullptr;
  if (expected && (fingerprint == nullptr || *fingerprint != tokenizer.fingerprint())) {
    throw DataError(fmt::format(
        "{}: the tokenizer must be the model's, {}, but is {}. Restore the data that it was trained on, or name its "
        "tokenizer with --tokenizer.",
        where, fingerprint == nullptr ? "which it does not name" : fingerprint->substr(0, 12),
        tokenizer.fingerprint().substr(0, 12)));
  }
  if (tokenizer.vocab_size() > vocab_size) {
    throw DataError(fmt::format(
        "{}: the tokenizer must have at most the model's {} pieces, but has {}. Name the model's with --tokenizer.",
        where, vocab_size, tokenizer.vocab_size()));
  }
}

/// Opens dataset and tokenizer. Both come from the experiment where there is one and the user names no other.
void open_texts(const fs::path& path, const ModelOptions& options, OpenModel& opened, ProgressReporter& progress) {
  const std::string* const text = find_entry(opened.metadata, "experiment");
  if (text != nullptr) {
    const ResolvedExperiment experiment = resolve_stored(*text, path.string(), "Train the model again.");
    use_threads(experiment.config.trainer.threads);
    opened.dataset = open_dataset(experiment.config.dataset, progress);
    opened.tokenizer = options.tokenizer.empty()
                           ? open_tokenizer(experiment.config.tokenizer, *opened.dataset, progress)
                           : read_tokenizer(options.tokenizer);
  } else {
    opened.dataset = std::make_unique<AbsentDataset>(path.string());
    opened.tokenizer = read_tokenizer(tokenizer_file(path, opened.metadata, options.tokenizer));
  }
  if (options.dataset) opened.dataset = open_dataset(*options.dataset, progress);
  check_tokenizer(path.string(), opened.metadata, *opened.tokenizer, opened.model.vocab_size);
}

}  // namespace

ResolvedExperiment resolve_stored(std::string_view text, const std::string& where, std::string_view what_to_do) {
  try {
    return resolve_text(text, where);
  } catch (const ConfigError& error) {
    throw DataError(where + ": the stored configuration must be one that `bitnet run` wrote, but is not. " +
                    std::string(what_to_do) + "\n" + error.what());
  }
}

ModelSource open_source(const fs::path& path, std::optional<LinearKind> linear) {
  if (is_checkpoint(path)) return import_model(path, linear);
  if (std::error_code error; fs::is_directory(path, error)) {
    throw DataError(path.string() +
                    ": the model must be a model.safetensors, a packed model (.bnet), a folder with a config.json or a "
                    "llama2.c .bin, but is a folder without a config.json. A run keeps its models under "
                    "VARIANT/seed-N/model.safetensors.");
  }
  ModelSource source = open_model_file(path);
  source.config.linear = linear.value_or(source.config.linear);
  return source;
}

ModelSource open_source_to_write(const fs::path& path, const fs::path& tokenizer, std::optional<LinearKind> linear) {
  ModelSource source = open_source(path, linear);
  if (find_entry(source.metadata, "experiment") != nullptr) return source;
  const fs::path file = tokenizer_file(path, source.metadata, tokenizer);
  const std::unique_ptr<Tokenizer> opened = read_tokenizer(file);
  check_tokenizer(path.string(), source.metadata, *opened, source.vocab_size);
  source.metadata[kTokenizerPath] = fs::weakly_canonical(file).string();
  source.metadata[kTokenizerFingerprint] = opened->fingerprint();
  return source;
}

OpenModel open_model(const fs::path& path, const ModelOptions& options, ProgressReporter& progress) {
  use_threads(0);  // until an experiment says otherwise
  OpenModel opened;
  if (is_artifact(path)) {
    LoadedArtifact loaded = read_artifact(path);
    opened.model = std::move(loaded.model);
    opened.metadata = std::move(loaded.metadata);
    opened.weights_sha256 = [sha256 = opened.metadata["weights_sha256"]] { return sha256; };
  } else {
    const ModelSource source = open_source(path);
    opened.model = serve(source);
    opened.metadata = source.metadata;
    opened.weights_sha256 = [source] { return weights_sha256(source); };
  }
  open_texts(path, options, opened, progress);
  return opened;
}

}  // namespace bitnet
