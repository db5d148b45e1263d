#include <nlohmann/json.hpp>
#include <set>

#include "framework/core/base64.h"
#include "framework/core/sha256.h"
#include "framework/experiment/report_format.h"
#include "framework/experiment/report_markup.h"
#include "framework/experiment/report_parts.h"

namespace bitnet {
namespace {

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
    if (value.empty()) text = "none";
  } else if (value.is_boolean()) {
    text = value.get<bool>() ? "yes" : "no";
  } else {
    text = value.is_string() ? value.get<std::string>() : value.dump();
  }
  rows.push_back({html_code(path), escape_markup(text)});
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
  for (const auto& [name, digest] : results.data_sha256) table.rows.push_back({escape_markup(name), html_code(digest)});
  for (const VariantResult& variant : results.variants) {
    for (const SeedResult& seed : variant.seeds) {
      const std::string of = escape_markup(variant.name) + ", seed " + std::to_string(seed.seed) + ": ";
      table.rows.push_back({of + "initial weights", html_code(seed.initial_weights_sha256)});
      table.rows.push_back({of + "final weights", html_code(seed.final_weights_sha256)});
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
    html += (i > 0 ? ", " : "") + html_code(results.overridden[i]);
  }
  return html + ".</p>";
}

/// Every training and its evaluations, with the time that they took.
std::string runs_table(const Results& results) {
  HtmlTable table;
  table.caption = "Trainings and their times";
  table.headers = {"Variant and seed", "Steps", "Tokens", "Training", "Evaluation"};
  for (const VariantResult& variant : results.variants) {
    for (const SeedResult& seed : variant.seeds) {
      table.rows.push_back({variant_chip(results, variant.name) + ", seed " + std::to_string(seed.seed),
                            format_count(seed.steps), format_count(seed.tokens_seen),
                            format_duration(seed.train_seconds), format_duration(seed.evaluate_seconds)});
    }
  }
  return html_table(table);
}

/// The file itself: what programs read, and what `bitnet report` makes this page from.
std::string raw_results(const Results& results) {
  const std::string json = results_to_json(results);
  return "<h3 id=\"raw\">Raw results</h3><p><a id=\"results-json\" download=\"results.json\" "
         "href=\"data:application/json;base64," +
         base64_encode(json) + "\">Download results.json</a> (" + format_bytes(static_cast<double>(json.size())) +
         ", SHA-256 " + html_code(sha256_hex(json)) +
         "): every figure, every item and the complete configuration, kept in this page.</p>";
}

}  // namespace

std::string provenance_part(const ReportView& view) {
  return "<section aria-labelledby=\"provenance\"><h2 id=\"provenance\">Provenance</h2>" +
         environment_table(view.results) + runs_table(view.results) + digest_table(view.results) +
         raw_results(view.results) + "<h3>Resolved configuration</h3>" + overridden_text(view.results) +
         html_details("Show the complete configuration", config_text(view.results)) + "</section>";
}

}  // namespace bitnet
