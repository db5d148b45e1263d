#include "tests/architecture/rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <regex>

namespace bitnet::architecture {
namespace {

// What each layer stands on directly: docs/architecture.md draws it, framework/CMakeLists.txt links it.
const std::map<std::string, std::vector<std::string>>& layer_table() {
  static const std::map<std::string, std::vector<std::string>> table = {
      {"ops/kernels", {}},
      {"ops/torch", {"ops/kernels"}},
      {"core", {}},
      {"config", {"core"}},
      {"data", {"config"}},
      {"nn", {"ops/torch", "config"}},
      {"train", {"nn", "data"}},
      {"infer", {"nn", "data"}},
      {"evaluate", {"nn", "data"}},
      {"interop", {"nn", "data"}},
      {"experiment", {"train", "evaluate", "infer", "interop"}},
      {"app", {"experiment"}},
  };
  return table;
}

constexpr std::array kTorchFreeLayers = {"ops/kernels", "core", "config", "data"};
constexpr std::array kTorchPrefixes = {"torch/", "ATen/", "c10/"};
constexpr std::array kSystemPrefixes = {"sys/", "asm/", "linux/"};

// A library's headers, and the word by which framework/CMakeLists.txt links it.
struct Library {
  std::string_view header_prefix;
  std::string_view cmake_word;
};
constexpr std::array kLibraries = {
    Library{"yaml-cpp/", "yaml-cpp"},         Library{"nlohmann/", "nlohmann_json::nlohmann_json"},
    Library{"curl/", "CURL::libcurl"},        Library{"zlib.h", "ZLIB::ZLIB"},
    Library{"spdlog/", "spdlog::spdlog"},     Library{"boost/program_options", "Boost::program_options"},
    Library{"openssl/", "OpenSSL::Crypto"},   Library{"pcre2.h", "PCRE2::8BIT"},
    Library{"seccomp.h", "Seccomp::seccomp"},
};

// Headers that the build writes.
constexpr std::array kGeneratedHeaders = {"build_info.h"};

// Files longer than kMaxLines, each with its reason.
const std::map<std::string, std::string>& long_files() {
  static const std::map<std::string, std::string> files = {};
  return files;
}

template <typename Names>
bool starts_with_any(std::string_view text, const Names& prefixes) {
  return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return text.starts_with(prefix); });
}

template <typename Names>
bool contains(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != std::ranges::end(names);
}

bool is_word_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// True if `line` has `word` with no word character beside it, not as a member (x.word, x->word), and, with `call`,
// followed by '('.
bool has_word(std::string_view line, std::string_view word, bool call) {
  for (size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const size_t end = at + word.size();
    const char before = at == 0 ? ' ' : line[at - 1];
    const bool member = before == '.' || (before == '>' && at > 1 && line[at - 2] == '-');
    if (is_word_char(before) || member || (end < line.size() && is_word_char(line[end]))) continue;
    if (!call) return true;
    const size_t next = line.find_first_not_of(' ', end);
    if (next != std::string_view::npos && line[next] == '(') return true;
  }
  return false;
}

// Calls `check(line)` for each line; what it returns, if not empty, is the broken rule.
template <typename Check>
Violations check_lines(const SourceFile& file, std::string_view text, const Check& check) {
  Violations violations;
  const std::vector<std::string> lines = lines_of(text);
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string rule = check(lines[i]);
    if (!rule.empty()) violations.push_back({file.path, static_cast<int>(i) + 1, rule});
  }
  return violations;
}

std::string join(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// The framework folder or operator folder of a CMake library: "nn" of bitnet_nn; "" for no library of this project.
std::string layer_of_library(const std::string& library) {
  if (library == "bitnet_ops" || library == "bitnet_torch") return "ops/torch";
  if (library == "bitnet_kernels") return "ops/kernels";
  return library.starts_with("bitnet_") ? library.substr(7) : std::string();
}

bool is_code(std::string_view path) {
  return is_cpp(path) || path.ends_with(".py") || path.ends_with(".cmake") || path.ends_with("CMakeLists.txt") ||
         path.ends_with(".sh") || path.ends_with(".yaml") || path.ends_with(".yml") || path.starts_with("scripts/") ||
         path.starts_with(".ci/");
}

}  // namespace

std::string layer_of(std::string_view path) {
  for (const auto& [layer, below] : layer_table()) {
    const std::string folder = (layer.starts_with("ops/") ? layer : "framework/" + layer) + "/";
    if (path.starts_with(folder)) return layer;
  }
  return "";
}

std::set<std::string> allowed_layers(const std::string& layer) {
  std::set<std::string> allowed = {layer};
  for (const std::string& below : layer_table().at(layer)) allowed.merge(allowed_layers(below));
  return allowed;
}

Violations check_layers(const SourceFile& file) {
  Violations violations;
  const std::string layer = layer_of(file.path);
  if (layer.empty() || !is_cpp(file.path)) return violations;
  const std::set<std::string> allowed = allowed_layers(layer);
  const bool torch_free = contains(kTorchFreeLayers, layer);
  for (const Include& include : includes_of(file.text)) {
    const bool torch = starts_with_any(include.path, kTorchPrefixes);
    std::string rule;
    if (contains(kGeneratedHeaders, include.path)) continue;
    if (include.quoted && !torch) {
      if (!allowed.contains(layer_of(include.path))) rule = layer + " may include only " + join(allowed);
    } else if (torch && torch_free) {
      rule = layer + " must be free of LibTorch";
    } else if (layer.starts_with("ops/") && !torch && include.path.find('/') != std::string::npos &&
               !starts_with_any(include.path, kSystemPrefixes)) {
      rule = "ops/ must be usable without other libraries";
    }
    if (!rule.empty()) violations.push_back({file.path, include.line, rule + ", but includes " + include.path});
  }
  return violations;
}

Violations check_libraries(const SourceFile& file, std::string_view cmake) {
  Violations violations;
  const std::string layer = layer_of(file.path);
  if (layer.empty() || !is_cpp(file.path)) return violations;
  const std::set<std::string> allowed = allowed_layers(layer);
  std::set<std::string> linked;
  for (const auto& arguments : cmake_calls(cmake, "bitnet_layer")) {
    if (!arguments.empty() && allowed.contains(arguments[0])) linked.insert(arguments.begin() + 1, arguments.end());
  }
  for (const Include& include : includes_of(file.text)) {
    for (const Library& library : kLibraries) {
      if (include.path.starts_with(library.header_prefix) && !linked.contains(std::string(library.cmake_word))) {
        violations.push_back({file.path, include.line,
                              "neither " + layer + " nor a layer below links " + std::string(library.cmake_word) +
                                  " (framework/CMakeLists.txt), but it includes " + include.path});
      }
    }
  }
  return violations;
}

Violations check_layer_links(std::string_view cmake, const std::set<std::string>& paths) {
  const std::string path = "framework/CMakeLists.txt";
  Violations violations;
  std::set<std::string> layers;
  for (const auto& arguments : cmake_calls(cmake, "bitnet_layer")) {
    if (arguments.empty() || arguments[0] == "name") continue;  // the function's own definition
    const std::string& layer = arguments[0];
    layers.insert(layer);
    if (!layer_table().contains(layer)) {
      violations.push_back({path, 0, "bitnet_layer(" + layer + "): is no layer that the architecture knows"});
      continue;
    }
    const std::set<std::string> allowed = allowed_layers(layer);
    for (const std::string& library : arguments) {
      const std::string below = layer_of_library(library);
      if (!below.empty() && !allowed.contains(below)) {
        violations.push_back(
            {path, 0, "bitnet_layer(" + layer + "): may link only " + join(allowed) + ", but links " + library});
      }
    }
  }
  for (const std::string& source : paths) {
    if (!source.starts_with("framework/") || !is_cpp(source)) continue;
    const std::string folder = folder_of(source).substr(std::string_view("framework").size());
    if (folder.empty() || !layers.contains(folder.substr(1))) {
      violations.push_back(
          {source, 0, "source must lie in a folder named by bitnet_layer in " + path + ", not below it"});
    }
  }
  return violations;
}

Violations check_include_paths(const SourceFile& file, const std::set<std::string>& paths) {
  Violations violations;
  if (!is_cpp(file.path)) return violations;
  for (const Include& include : includes_of(file.text)) {
    if (include.quoted && !paths.contains(include.path) && !contains(kGeneratedHeaders, include.path)) {
      violations.push_back({file.path, include.line,
                            "quoted include must be a file's path from the project's root, but is " + include.path});
    }
  }
  return violations;
}

Violations check_header(const SourceFile& file) {
  static constexpr std::array kForbidden = {"torch/torch.h", "torch/all.h",       "torch/script.h",
                                            "yaml-cpp/",     "torch/extension.h", "nlohmann/json.hpp"};
  Violations violations;
  if (!file.path.ends_with(".h")) return violations;
  const std::string code = strip_comments(file.text, /*blank_literals=*/true);
  const size_t first = code.find_first_not_of(" \n");
  if (first == std::string::npos || !std::string_view(code).substr(first).starts_with("#pragma once")) {
    violations.push_back({file.path, 1, "header must begin with #pragma once"});
  }
  for (const Include& include : includes_of(file.text)) {
    if (starts_with_any(include.path, kForbidden)) {
      violations.push_back(
          {file.path, include.line, "no header may include " + include.path + "; include it in the .cpp"});
    }
  }
  return violations;
}

Violations check_cpp(const SourceFile& file) {
  if (!is_cpp(file.path)) return {};
  Violations violations = check_lines(file, file.text, [](const std::string& line) {
    return line.find('\t') == std::string::npos ? "" : "C++ must be indented with spaces, but has a tab";
  });
  static const std::regex directive(R"(\busing\s+namespace\b)");
  static const std::regex randomness(
      R"(\bstd::(random_device|mt19937|shuffle|sample|(normal|uniform_int|uniform_real|bernoulli|discrete)_distribution)\b)");
  const bool library = !layer_of(file.path).empty();
  const Violations code = check_lines(
      file, strip_comments(file.text, /*blank_literals=*/true), [&](const std::string& line) -> std::string {
        if (std::regex_search(line, directive)) return "no using-directive; name what is used";
        if (library && std::regex_search(line, randomness)) {
          return "randomness must be framework/core/random.h's, the same on every machine";
        }
        return "";
      });
  violations.insert(violations.end(), code.begin(), code.end());
  return violations;
}

Violations check_quiet_library(const SourceFile& file) {
  const std::string layer = layer_of(file.path);
  if (layer.empty() || layer == "app" || !is_cpp(file.path)) return {};
  return check_lines(file, strip_comments(file.text, /*blank_literals=*/true),
                     [](const std::string& line) -> std::string {
                       for (const char* stream : {"std::cout", "std::cerr", "std::clog", "stdout", "stderr"}) {
                         if (has_word(line, stream, /*call=*/false))
                           return std::string("a library must not print, but uses ") + stream;
                       }
                       for (const char* call : {"printf", "puts", "putchar", "perror"}) {
                         if (has_word(line, call, /*call=*/true))
                           return std::string("a library must not print, but calls ") + call;
                       }
                       for (const char* call : {"exit", "quick_exit", "abort"}) {
                         if (has_word(line, call, /*call=*/true))
                           return std::string("a library must not end the process, but calls ") + call;
                       }
                       return "";
                     });
}

Violations check_length(const SourceFile& file) {
  if (!is_code(file.path)) return {};
  const size_t lines = lines_of(file.text).size();
  const bool excused = long_files().contains(file.path);
  if (lines > kMaxLines && !excused) {
    return {{file.path, kMaxLines + 1,
             "file must have at most " + std::to_string(kMaxLines) + " lines, but has " + std::to_string(lines) +
                 "; split it, or list it with a reason in tests/architecture/rules.cpp"}};
  }
  if (lines <= kMaxLines && excused) {
    return {{file.path, 0, "file is short again: remove it from the list in tests/architecture/rules.cpp"}};
  }
  return {};
}

Violations check_machine_paths(const SourceFile& file) {
  // Built from parts: this file, too, is checked.
  static const std::array kFolders = {std::string("/ho") + "me/", std::string("/ro") + "ot/",
                                      std::string("/wo") + "rk/", std::string("/Use") + "rs/",
                                      std::string("/mn") + "t/",  std::string("/tm") + "p/"};
  if (file.path.starts_with("docker/")) return {};  // paths inside a container
  const bool makes_temporary_files =
      file.text.find("mktemp") != std::string::npos || file.text.find("mkdtemp") != std::string::npos;
  return check_lines(file, file.text, [&](const std::string& line) -> std::string {
    for (const std::string& folder : kFolders) {
      if (folder == kFolders.back() && makes_temporary_files) continue;
      if (folder == kFolders.front() && file.path.starts_with("tests/")) continue;  // made-up folders of a user
      for (size_t at = line.find(folder); at != std::string::npos; at = line.find(folder, at + 1)) {
        const char before = at == 0 ? ' ' : line[at - 1];
        const bool absolute =
            !is_word_char(before) && std::string_view("./-}*)$~").find(before) == std::string_view::npos;
        if (absolute) return "no path that exists on one machine only, but has " + folder;
      }
    }
    return "";
  });
}

Violations check_unfinished(const SourceFile& file) {
  static constexpr std::array kMarks = {
      "TO"
      "DO",
      "FIX"
      "ME"};
  if (!is_code(file.path)) return {};
  return check_lines(file, file.text, [](const std::string& line) -> std::string {
    for (const char* mark : kMarks) {
      if (has_word(line, mark, /*call=*/false))
        return std::string("work must be finished or filed, but a line says ") + mark;
    }
    return "";
  });
}

Violations check_links(const SourceFile& file, const std::set<std::string>& paths) {
  if (!file.path.ends_with(".md")) return {};
  static const std::regex link(R"(\]\(([^)\s#]+)[^)]*\))");
  static const std::regex code_span("`[^`]*`");
  bool in_code_block = false;
  return check_lines(file, file.text, [&](const std::string& line) -> std::string {
    if (line.find("```") != std::string::npos) in_code_block = !in_code_block;
    if (in_code_block) return "";
    const std::string prose = std::regex_replace(line, code_span, "");
    for (auto it = std::sregex_iterator(prose.begin(), prose.end(), link); it != std::sregex_iterator(); ++it) {
      const std::string target = (*it)[1].str();
      if (target.find(':') != std::string::npos) continue;  // https:, mailto:
      std::filesystem::path resolved = (std::filesystem::path(folder_of(file.path)) / target).lexically_normal();
      if (!resolved.has_filename()) resolved = resolved.parent_path();  // a folder written with '/' at its end
      if (!paths.contains(resolved.generic_string()))
        return "link must lead to a file of the project, but is " + target;
    }
    return "";
  });
}

Violations check_test_mirror(const std::set<std::string>& paths, std::string_view cmake) {
  Violations violations;
  std::set<std::string> built;
  for (const auto& arguments : cmake_calls(cmake, "bitnet_test")) {
    if (!arguments.empty()) built.insert("tests/" + arguments[0]);
  }
  std::set<std::string> tested;
  for (const std::string& path : paths) {
    if (!path.starts_with("tests/") || !path.ends_with(".cpp")) continue;
    const std::string folder = folder_of(path);
    std::string mirrored = folder.substr(std::min(folder.size(), std::string_view("tests/").size()));
    if (mirrored.ends_with("/slow")) mirrored = folder_of(mirrored);  // the slow tests of a source folder
    tested.insert(mirrored);
    if ((mirrored.starts_with("ops/") || mirrored.starts_with("framework/")) && !paths.contains(mirrored)) {
      violations.push_back({path, 0, "test must mirror a source folder, but there is no " + mirrored});
    }
    if (!built.contains(folder) && !paths.contains(folder + "/CMakeLists.txt")) {
      violations.push_back({path, 0, "test must be built by tests/CMakeLists.txt, but no bitnet_test names " + folder});
    }
  }
  for (const std::string& path : paths) {
    const std::string folder = folder_of(path);
    const bool source = path.ends_with(".cpp") && !layer_of(path).empty();
    if (source && tested.insert(folder).second) {
      violations.push_back({path, 0, "source folder must have tests, but tests/" + folder + " has none"});
    }
  }
  return violations;
}

Violations check_experiments(const std::set<std::string>& paths) {
  Violations violations;
  for (const std::string& path : paths) {
    if (path.starts_with("experiments/") && path.ends_with("/experiment.yaml") &&
        !paths.contains(folder_of(path) + "/README.md")) {
      violations.push_back(
          {path, 0, "experiment must have a README.md beside it (question, expectation, result, time)"});
    }
  }
  return violations;
}

}  // namespace bitnet::architecture
