#include "framework/config/gate_policy.h"

#include <fnmatch.h>

#include <utility>

#include "framework/config/blocks.h"
#include "framework/config/describe_gate.h"
#include "framework/config/document.h"
#include "framework/config/read.h"

namespace bitnet {
namespace {

/// Reads the rules below `key`, in the order of the file. `check` adds what it finds wrong.
template <typename Rule, typename Check>
std::vector<Rule> read_rules(const Node& root, std::string_view key, Problems* problems, const Check& check) {
  std::vector<Rule> rules;
  const Entry* const entries = root.find(key);
  if (entries == nullptr || entries->value.unknown) return rules;
  if (entries->value.kind != Node::Kind::kMap) {
    problems->add(entries->value.place,
                  entries->path + " must be a map of rules by name, but is " + entries->value.shown() + ".");
    return rules;
  }
  for (const Entry& entry : entries->value.entries) {
    if (!is_name(entry.key)) {
      problems->add(entry.place, entry.path + " must be a name of lowercase letters, digits and hyphens, but is '" +
                                     entry.key + "'.");
    }
    Rule& rule = rules.emplace_back();
    rule.name = entry.key;
    const UnknownKeys unknown = read_section(entry.value, entry.path, &rule, problems);
    for (const auto& [key_of_pattern, pattern] :
         {std::pair("variant", &rule.variant), std::pair("evaluator", &rule.evaluator),
          std::pair("metric", &rule.metric)}) {
      if (pattern->find('[') == std::string::npos) continue;
      problems->add(
          entry.value.place_of(key_of_pattern),
          entry.path + "." + key_of_pattern + " must have no wildcards but * and ?, but is '" + *pattern + "'.");
    }
    if (!unknown.has("unit")) check(rule, entry);
  }
  return rules;
}

}  // namespace

GatePolicy parse_gate_policy(std::string_view text, const std::string& where) {
  Problems problems;
  const Node root = parse_document(text, where, "", /*layer=*/0, &problems);
  if (root.kind == Node::Kind::kNull) problems.throw_if_any();
  GatePolicy policy;
  read_section(root, "", &policy, &problems, {"margins", "targets"});
  policy.margins = read_rules<MarginRule>(root, "margins", &problems, [&](const MarginRule& rule, const Entry& entry) {
    if (rule.unit != GateUnit::kTimes) return;
    problems.add(entry.value.place_of("unit"),
                 entry.path + ".unit must be percent, points or ln_ratio, but is 'times'.");
  });
  policy.targets = read_rules<TargetRule>(root, "targets", &problems, [&](const TargetRule& rule, const Entry& entry) {
    const Entry* const value = entry.value.find("value");
    if (rule.unit != GateUnit::kTimes || rule.value > 0 || value == nullptr) return;
    problems.add(
        entry.value.place_of("value"),
        entry.path + ".value must be more than 0, because it is in times, but is " + value->value.shown() + ".");
  });
  if (problems.empty() && policy.margins.empty() && policy.targets.empty()) {
    problems.add(root.place, "margins or targets must hold at least one rule, but both are missing or empty.");
  }
  problems.throw_if_any();
  return policy;
}

GatePolicy read_gate_policy(const std::filesystem::path& file) {
  return parse_gate_policy(read_config_file(file, "policy"), file.string());
}

bool matches(const std::string& pattern, const std::string& text) {
  return fnmatch(pattern.c_str(), text.c_str(), FNM_NOESCAPE) == 0;
}

}  // namespace bitnet
