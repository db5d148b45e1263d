#include "tests/architecture/workflows.h"

#include <algorithm>
#include <functional>
#include <regex>

namespace bitnet::architecture {
namespace {

// The first group of every match of `pattern`.
std::vector<std::string> all_matches(const std::string& text, const std::regex& pattern) {
  std::vector<std::string> found;
  for (auto it = std::sregex_iterator(text.begin(), text.end(), pattern); it != std::sregex_iterator(); ++it) {
    found.push_back((*it)[1].str());
  }
  return found;
}

std::set<std::string> as_set(const std::vector<std::string>& names) { return {names.begin(), names.end()}; }

// The values of `key: value`, `key: [a, b]` and `{key: value, ...}` in a line of a workflow, without expressions.
std::vector<std::string> values_of(const std::string& line, const std::string& key) {
  const std::regex entry("(?:^|[ {])" + key + R"(:\s*(\[[^\]]*\]|[\w-]+))");
  static const std::regex word(R"(([\w-]+))");
  std::smatch match;
  if (!std::regex_search(line, match, entry)) return {};
  return all_matches(match[1].str(), word);
}

std::string joined(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

void check_paths(const std::string& line, const ProjectNames& names, const std::function<void(std::string)>& report) {
  // Not behind another folder: site/docs/... is no path of the project.
  static const std::regex path(
      R"((?:^|[^\w./}-])(?:\./)?((?:\.ci|\.github|configs|docker|docs|experiments|framework|ops|reports|scripts|tests)/[\w./-]*)(.?))");
  static const std::regex placeholder(R"((?:^|/)(?:NAME|DATE-COMMIT)\b)");
  for (auto it = std::sregex_iterator(line.begin(), line.end(), path); it != std::sregex_iterator(); ++it) {
    std::string found = (*it)[1].str();
    const std::string next = (*it)[2].str();
    if (next == "*" || next == "$" || next == "{" || std::regex_search(found, placeholder)) continue;
    while (found.ends_with('.') || found.ends_with('/')) found.pop_back();
    if (!names.paths.contains(found)) report("path must be one of the project's, but is " + found);
  }
}

void check_ctest_options(const std::string& line, const ProjectNames& names,
                         const std::function<void(std::string)>& report) {
  static const std::regex label(R"(scripts/test\b.*\s-L\s+([\w-]+))");
  static const std::regex pattern(R"(scripts/test\b.*\s-R\s+'?([^'\s]+)'?)");
  for (const std::string& found : all_matches(line, label)) {
    if (!names.labels.contains(found)) report("label must be one of " + joined(names.labels) + ", but is " + found);
  }
  for (const std::string& found : all_matches(line, pattern)) {
    const std::regex wanted(found);
    if (std::ranges::none_of(names.tests, [&](const std::string& test) { return std::regex_search(test, wanted); })) {
      report("pattern must match a test, but is " + found);
    }
  }
}

void check_action(const std::string& line, const std::function<void(std::string)>& report) {
  static const std::regex use(R"(\buses:\s*(\S+)(.*))");
  static const std::regex commit("[^@]+@[0-9a-f]{40}");
  static const std::regex tag(R"(\s*# v\d+\.\d+\.\d+\s*)");
  std::smatch match;
  if (!std::regex_search(line, match, use) || match[1].str().starts_with("./")) return;
  if (!std::regex_match(match[1].str(), commit) || !std::regex_match(match[2].str(), tag)) {
    report("action must be pinned by its commit with its tag behind it (# v1.2.3), but is " + match[1].str());
  }
}

}  // namespace

ProjectNames project_names(const std::vector<SourceFile>& tree) {
  ProjectNames names;
  names.paths = paths_of(tree);
  static const std::regex preset(R"re("name":\s*"([\w-]+)")re");
  names.presets = as_set(all_matches(std::string(text_of(tree, "CMakePresets.json")), preset));
  for (const SourceFile& file : tree) {
    if (!file.path.starts_with("tests/") || !file.path.ends_with("CMakeLists.txt")) continue;
    for (const auto& call : cmake_calls(file.text, "bitnet_test")) {
      if (call.size() < 2 || call[0] == "folder") continue;  // the function's own definition
      names.tests.insert(call[0]);
      names.labels.insert(call[1]);
    }
    for (const auto& call : cmake_calls(file.text, "add_test")) {
      if (call.size() > 1 && call[0] == "NAME" && call[1].find('$') == std::string::npos) names.tests.insert(call[1]);
    }
    for (const auto& call : cmake_calls(file.text, "bitnet_fuzz")) {
      if (!call.empty()) names.tests.insert("fuzz/" + call[0]);
    }
  }
  static const std::regex known(R"(kNames = \{([^}]*)\})");
  static const std::regex quoted(R"re("([\w-]+)")re");
  for (const std::string& list : all_matches(std::string(text_of(tree, "ops/kernels/ternary_gemm.cpp")), known)) {
    names.isas.merge(as_set(all_matches(list, quoted)));
  }
  return names;
}

Violations check_workflow(const SourceFile& file, const ProjectNames& names) {
  const bool workflow = file.path.starts_with(".github/") || file.path.starts_with("docker/");
  if (!workflow && !file.path.starts_with("scripts/") && !file.path.starts_with(".ci/")) return {};
  if (file.path.ends_with(".md")) return {};  // links are checked as those of any document
  static const std::regex preset_option(R"(--preset[ =]([\w-]+))");
  Violations violations;
  const std::vector<std::string> lines = lines_of(file.text);
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto report = [&](const std::string& rule) {
      violations.push_back({file.path, static_cast<int>(i) + 1, rule});
    };
    std::vector<std::string> presets = all_matches(lines[i], preset_option);
    check_paths(lines[i], names, report);
    check_ctest_options(lines[i], names, report);
    if (workflow) {
      check_action(lines[i], report);
      for (const std::string& preset : values_of(lines[i], "preset")) presets.push_back(preset);
      const std::set<std::string> isas = as_set(values_of(lines[i], "isa"));
      if (!isas.empty() && isas != names.isas) {
        report("isa must be all of " + joined(names.isas) + ", but is " + joined(isas));
      }
    }
    for (const std::string& preset : presets) {
      if (!names.presets.contains(preset)) report("preset must be one of CMakePresets.json, but is " + preset);
    }
  }
  return violations;
}

}  // namespace bitnet::architecture
