#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "framework/experiment/environment_difference.h"
#include "framework/experiment/report_format.h"
#include "framework/experiment/report_markup.h"
#include "framework/experiment/report_parts.h"

namespace bitnet {
namespace {

using Json = nlohmann::ordered_json;

/// " (not the same: commit, LibTorch)": in what any of the `earlier` environments is not as the last.
std::string differing_facts(const Json& earlier, const std::string& last) {
  std::string text;
  std::set<std::string> seen;
  for (const Json& environment : earlier) {
    for (const EnvironmentDifference& difference : environment_differences(environment.dump(), last)) {
      if (seen.insert(difference.key).second) text += (text.empty() ? " (not the same: " : ", ") + difference.key;
    }
  }
  return text.empty() ? "" : text + ")";
}

/// What the environment says against the numbers: unknown or changed sources, forced libraries, several builds.
void environment_limits(const Results& results, std::vector<std::string>& limits) {
  const Json json = Json::parse(results.environment_json, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return;
  if (json.value("dirty", Json(false)) == Json(true)) {
    limits.push_back(
        "The program was built from sources with uncommitted changes: the commit alone does not reproduce it.");
  }
  if (json.value("commit", Json("unknown")) == Json("unknown")) {
    limits.push_back("The commit that the program was built from is unknown.");
  }
  if (const auto warnings = json.find("warnings"); warnings != json.end() && warnings->is_array()) {
    for (const Json& warning : *warnings) {
      if (warning.is_string()) limits.push_back(warning.get<std::string>());
    }
  }
  if (const auto earlier = json.find("earlier"); earlier != json.end() && earlier->is_array()) {
    limits.push_back("The run was made in parts by " + std::to_string(earlier->size() + 1) + " builds or machines" +
                     differing_facts(*earlier, results.environment_json) +
                     "; those before the last are under 'earlier' in the environment.");
  }
}

void seed_limits(const Results& results, std::vector<std::string>& limits) {
  size_t seeds = 0;
  for (const VariantResult& variant : results.variants) seeds = std::max(seeds, variant.seeds.size());
  if (!was_trained(results)) {
    limits.push_back(
        "Nothing was trained: the variants were evaluated as they started. Ternary weights made of a float checkpoint "
        "without training are a start for training, not what a BitNet reaches.");
  } else if (seeds == 1) {
    limits.push_back(
        "One seed only: the intervals cover the choice of the test items, not the luck of one initialization and one "
        "order of "
        "the data. Another seed may move a delta out of its interval.");
  } else if (seeds > 1 && seeds < 5) {
    limits.push_back(
        "With " + std::to_string(seeds) +
        " seeds only the intervals are wide: so few trainings say little about what a further one would change.");
  }
}

void measurement_limits(const ReportView& view, std::vector<std::string>& limits) {
  bool training_speed = false;
  bool other_speed = false;
  std::set<std::string> without;
  std::set<std::string> quality;
  for (const Comparison& comparison : view.comparisons) {
    for (const DeltaRow& row : comparison.rows) {
      const bool training = row.metric == "training_tokens_per_second";
      training_speed = training_speed || training;
      other_speed = other_speed || (!training && row.unit == "tokens/s");
      if (row.category == "Quality") quality.insert(row.evaluator);
      if (!row.interval_percent && !row.exact && !training)
        without.insert(row.label + " (" + row.evaluator + ": " + row.method + ")");
    }
  }
  std::string names;
  for (const std::string& name : quality) names += (names.empty() ? "" : ", ") + name;
  if (!names.empty()) limits.push_back("Quality is what these evaluators measure, and nothing else: " + names + ".");
  for (const std::string& name : without) limits.push_back("Without an interval: " + name + ".");
  if (training_speed) {
    limits.push_back(
        "Training speed is one measurement a variant, taken one after the other on whatever else the machine was "
        "doing; it is "
        "not a benchmark.");
  }
  if (other_speed) {
    limits.push_back(
        "Speed and memory of inference are those of one machine, one number of threads, a batch of one text and the "
        "first seed's models.");
  } else {
    limits.push_back("Speed and peak memory of inference were not measured; weight bytes are counted.");
  }
}

}  // namespace

std::vector<std::string> known_limits(const ReportView& view) {
  const Results& results = view.results;
  std::vector<std::string> limits;
  seed_limits(results, limits);
  measurement_limits(view, limits);
  int64_t parameters = 0;
  int64_t tokens = 0;
  for (const VariantResult& variant : results.variants) {
    parameters = std::max(parameters, variant.parameters);
    for (const SeedResult& seed : variant.seeds) tokens = std::max(tokens, seed.tokens_seen);
  }
  limits.push_back("Models of at most " + format_count(parameters) + " parameters" +
                   (tokens == 0
                        ? ": the deltas say nothing about other sizes."
                        : " and a budget of " + format_count(tokens) +
                              " training tokens: the deltas say nothing about other sizes or longer training."));
  limits.push_back(
      "Weights as served are compared with a float32 baseline; against one in 16 bits the factor is about half.");
  if (results.floor_nats_per_token) {
    limits.push_back("The text is generated: deltas on it need not carry over to natural language.");
  } else {
    limits.push_back("The true entropy of the text is unknown, so that no floor can be given.");
  }
  for (const VariantResult& variant : results.variants) {
    if (same_start(results, variant) == "no") {
      limits.push_back(display_name(variant.name) + " did not start from the baseline's weights.");
    }
  }
  environment_limits(results, limits);
  return limits;
}

std::string limits_part(const ReportView& view) {
  std::string html = "<section class=\"limits\" aria-labelledby=\"limits\"><h2 id=\"limits\">Known limits</h2><ul>";
  for (const std::string& limit : known_limits(view)) html += "<li>" + escape_markup(limit) + "</li>";
  return html + "</ul></section>";
}

}  // namespace bitnet
