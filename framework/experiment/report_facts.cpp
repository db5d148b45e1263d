#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "framework/experiment/delta_text.h"
#include "framework/experiment/report_format.h"
#include "framework/experiment/report_parts.h"

namespace bitnet {
namespace {

std::string code(const std::string& text) { return "<code>" + escape_markup(text) + "</code>"; }

double mean_of_seeds(const VariantResult& variant, const std::function<double(const SeedResult&)>& value) {
  double total = 0;
  for (const SeedResult& seed : variant.seeds) total += value(seed);
  return total / static_cast<double>(variant.seeds.size());
}

/// Whether the candidate started from the baseline's weights, for every seed.
std::string same_start(const Results& results, const VariantResult& variant) {
  const auto baseline = std::find_if(results.variants.begin(), results.variants.end(),
                                     [&](const VariantResult& other) { return other.name == results.baseline; });
  if (baseline == results.variants.end() || baseline->seeds.size() != variant.seeds.size()) return "unknown";
  if (&*baseline == &variant) return "baseline";
  for (size_t i = 0; i < variant.seeds.size(); ++i) {
    if (variant.seeds[i].initial_weights_sha256 != baseline->seeds[i].initial_weights_sha256) return "no";
  }
  return "yes";
}

std::string facts_table(const Results& results) {
  HtmlTable table;
  table.caption = "The variants side by side; times are means over the seeds";
  table.headers = {"Fact"};
  for (const VariantResult& variant : results.variants) table.headers.push_back(variant_chip(results, variant.name));
  const auto add = [&](const char* name, const std::function<std::string(const VariantResult&)>& value) {
    std::vector<std::string> row = {name};
    for (const VariantResult& variant : results.variants) row.push_back(value(variant));
    table.rows.push_back(row);
  };
  const auto seeded = [](const std::function<std::string(const VariantResult&)>& value) {
    return [value](const VariantResult& variant) {
      return variant.seeds.empty() ? std::string("\u2013") : value(variant);
    };
  };
  add("Linear layers", [](const VariantResult& variant) { return escape_markup(variant.linear); });
  add("Parameters", [](const VariantResult& variant) { return format_count(variant.parameters); });
  add("Ternary parameters", [](const VariantResult& variant) {
    if (variant.ternary_parameters == 0) return std::string("none");
    const double share = static_cast<double>(variant.ternary_parameters) / static_cast<double>(variant.parameters);
    return format_count(variant.ternary_parameters) + "<span class=\"small\">" + format_fixed(100 * share, 1) +
           "\u00A0% of all</span>";
  });
  add("Weights as served", [](const VariantResult& variant) {
    return format_bytes(static_cast<double>(variant.weight_bytes)) + "<span class=\"small\">" +
           format_count(variant.weight_bytes) + " bytes</span>";
  });
  add("Bits per parameter as served", [](const VariantResult& variant) {
    if (variant.parameters == 0) return std::string("\u2013");
    return format_significant(8 * static_cast<double>(variant.weight_bytes) / static_cast<double>(variant.parameters),
                              3);
  });
  add("Seeds", [](const VariantResult& variant) { return std::to_string(variant.seeds.size()); });
  add("Training steps a seed",
      seeded([](const VariantResult& variant) { return format_count(variant.seeds.front().steps); }));
  add("Tokens seen a seed",
      seeded([](const VariantResult& variant) { return format_count(variant.seeds.front().tokens_seen); }));
  add("Training time a seed", seeded([](const VariantResult& variant) {
        return format_duration(mean_of_seeds(variant, [](const SeedResult& seed) { return seed.train_seconds; }));
      }));
  add("Training speed", [](const VariantResult& variant) {
    const std::optional<double> speed = training_tokens_per_second(variant);
    return speed ? format_metric(*speed, "tokens/s") : std::string("\u2013");
  });
  add("Evaluation time a seed", seeded([](const VariantResult& variant) {
        return format_duration(mean_of_seeds(variant, [](const SeedResult& seed) { return seed.evaluate_seconds; }));
      }));
  add("Starts from the baseline's weights", [&](const VariantResult& variant) { return same_start(results, variant); });
  return html_table(table);
}

/// Every metric of every seed: what the deltas were made from.
std::string metrics_table(const Results& results) {
  HtmlTable table;
  table.caption = "Metrics of every seed";
  table.headers = {"Metric", "Seed"};
  for (const VariantResult& variant : results.variants) table.headers.push_back(variant_chip(results, variant.name));
  if (results.variants.empty()) return "";
  for (size_t s = 0; s < results.variants.front().seeds.size(); ++s) {
    const SeedResult& seed = results.variants.front().seeds[s];
    for (const Evaluation& evaluation : seed.evaluations) {
      for (const Metric& metric : evaluation.metrics) {
        std::vector<std::string> row = {escape_markup(metric_label(metric.name) + " (" + evaluation.evaluator + ")"),
                                        std::to_string(seed.seed)};
        for (const VariantResult& variant : results.variants) {
          std::string value = "\u2013";
          for (const Evaluation& other :
               s < variant.seeds.size() ? variant.seeds[s].evaluations : std::vector<Evaluation>()) {
            for (const Metric& found : other.metrics) {
              if (other.evaluator == evaluation.evaluator && found.name == metric.name) {
                value = escape_markup(format_metric(found.value, found.unit));
              }
            }
          }
          row.push_back(value);
        }
        table.rows.push_back(row);
      }
    }
  }
  return table.rows.empty() ? "<p>Nothing was evaluated.</p>" : html_table(table);
}

using Json = nlohmann::ordered_json;

void flatten(const Json& value, const std::string& path, std::vector<std::vector<std::string>>& rows) {
  if (value.is_object()) {
    for (const auto& [key, element] : value.items()) flatten(element, path.empty() ? key : path + "." + key, rows);
    return;
  }
  std::string text;
  if (value.is_array()) {
    for (const auto& element : value) {
      text += (text.empty() ? "" : ", ") + (element.is_string() ? element.get<std::string>() : element.dump());
    }
  } else if (value.is_boolean()) {
    text = value.get<bool>() ? "yes" : "no";
  } else {
    text = value.is_string() ? value.get<std::string>() : value.dump();
  }
  rows.push_back({code(path), escape_markup(text)});
}

std::string environment_table(const Results& results) {
  HtmlTable table;
  table.caption = "Environment";
  table.headers = {"Entry", "Value"};
  table.numeric = false;
  const Json json = Json::parse(results.environment_json, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return "<pre>" + escape_markup(results.environment_json) + "</pre>";
  flatten(json, "", table.rows);
  return html_table(table);
}

std::string digest_table(const Results& results) {
  HtmlTable table;
  table.caption = "Fingerprints (SHA-256)";
  table.headers = {"Of", "Digest"};
  table.numeric = false;
  for (const auto& [name, digest] : results.data_sha256) table.rows.push_back({escape_markup(name), code(digest)});
  for (const VariantResult& variant : results.variants) {
    for (const SeedResult& seed : variant.seeds) {
      const std::string of = escape_markup(variant.name) + ", seed " + std::to_string(seed.seed) + ": ";
      table.rows.push_back({of + "initial weights", code(seed.initial_weights_sha256)});
      table.rows.push_back({of + "final weights", code(seed.final_weights_sha256)});
    }
  }
  return html_table(table);
}

/// The dotted path of each line of a block-style YAML text; empty where a line has no key of its own.
std::vector<std::string> yaml_paths(const std::vector<std::string>& lines) {
  std::vector<std::string> paths;
  std::vector<std::pair<size_t, std::string>> open;  // indentation and path of the mappings around the line
  for (const std::string& line : lines) {
    const size_t indent = line.find_first_not_of(' ');
    const size_t colon = line.find(':', indent == std::string::npos ? 0 : indent);
    if (indent == std::string::npos || line[indent] == '#' || line[indent] == '-' || colon == std::string::npos) {
      paths.emplace_back();
      continue;
    }
    while (!open.empty() && open.back().first >= indent) open.pop_back();
    const std::string key = line.substr(indent, colon - indent);
    paths.push_back(open.empty() ? key : open.back().second + "." + key);
    open.emplace_back(indent, paths.back());
  }
  return paths;
}

std::string config_text(const Results& results) {
  std::vector<std::string> lines;
  size_t begin = 0;
  while (begin < results.config_text.size()) {
    const size_t end = std::min(results.config_text.find('\n', begin), results.config_text.size());
    lines.push_back(results.config_text.substr(begin, end - begin));
    begin = end + 1;
  }
  const std::vector<std::string> paths = yaml_paths(lines);
  const std::set<std::string> overridden(results.overridden.begin(), results.overridden.end());
  std::string html;
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool over = !paths[i].empty() && overridden.contains(paths[i]);
    const std::string line = escape_markup(lines[i]);
    html += (over ? "<span class=\"over\">" + line + "</span>" : line) + "\n";
  }
  return "<pre tabindex=\"0\" role=\"region\" aria-label=\"Resolved configuration\"><code>" + html + "</code></pre>";
}

std::string overridden_text(const Results& results) {
  if (results.overridden.empty()) return "<p>No path is overridden: every value comes from a block or a default.</p>";
  std::string html = "<p>Overridden, against the composed blocks: ";
  for (size_t i = 0; i < results.overridden.size(); ++i) {
    html += (i > 0 ? ", " : "") + code(results.overridden[i]);
  }
  return html + ".</p>";
}

/// The value of the first entry with this key, at any depth.
const Json* find_key(const Json& value, const std::string& key) {
  if (!value.is_structured()) return nullptr;
  if (value.is_object() && value.contains(key)) return &value.at(key);
  for (const auto& element : value) {
    if (const Json* found = find_key(element, key)) return found;
  }
  return nullptr;
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
    limits.push_back("The run was made in parts by " + std::to_string(earlier->size() + 1) +
                     " builds or machines; those before the last are under 'earlier' in the environment.");
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
        " seeds only, the part of the intervals that stands for training is itself uncertain and tends to be too "
        "narrow.");
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

std::string facts_part(const ReportView& view) {
  return "<section aria-labelledby=\"facts\"><h2 id=\"facts\">Run facts</h2>" + facts_table(view.results) +
         "<h3>Metrics by seed</h3>" + metrics_table(view.results) + "</section>";
}

std::string provenance_part(const ReportView& view) {
  return "<section aria-labelledby=\"provenance\"><h2 id=\"provenance\">Provenance</h2>" +
         environment_table(view.results) + digest_table(view.results) + "<h3>Resolved configuration</h3>" +
         overridden_text(view.results) + "<details><summary>Show the complete configuration</summary>" +
         config_text(view.results) + "</details></section>";
}

std::string limits_part(const ReportView& view) {
  std::string html = "<section class=\"limits\" aria-labelledby=\"limits\"><h2 id=\"limits\">Known limits</h2><ul>";
  for (const std::string& limit : known_limits(view)) html += "<li>" + escape_markup(limit) + "</li>";
  return html + "</ul></section>";
}

}  // namespace bitnet
