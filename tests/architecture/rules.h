#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/architecture/source_tree.h"

// The rules of the architecture, each a function of text alone, so that each can be seen to fail.

namespace bitnet::architecture {

/// One broken rule, printed as `path:line: rule`.
struct Violation {
  std::string path;
  int line;  ///< 1-based; 0 where the whole file is meant
  std::string rule;
};

using Violations = std::vector<Violation>;

/// The layer of a file: "nn" of framework/nn/..., "ops/torch", "ops/kernels", "" for what is no layer.
std::string layer_of(std::string_view path);

/// The layers whose headers a file of `layer` may include: itself, what it stands on directly, and what those stand on.
/// Errors: std::out_of_range for a name that is no layer.
std::set<std::string> allowed_layers(const std::string& layer);

/// Includes of a file of ops/ or framework/ that break a layer, bring LibTorch into a layer free of it, or bring
/// another library into ops/.
Violations check_layers(const SourceFile& file);

/// Includes of a library's headers in a layer for which framework/CMakeLists.txt (`cmake`) names the library neither
/// itself nor in a layer below.
Violations check_libraries(const SourceFile& file, std::string_view cmake);

/// Links of framework/CMakeLists.txt that the layers do not allow, and sources that are in no library.
Violations check_layer_links(std::string_view cmake, const std::set<std::string>& paths);

/// Quoted includes that are not the path of a file from the project's root.
Violations check_include_paths(const SourceFile& file, const std::set<std::string>& paths);

/// A header without `#pragma once`, or with an include that every user of the header would pay for.
Violations check_header(const SourceFile& file);

/// C++ that the project does not allow anywhere: tabs, using-directives, and in ops/ and framework/ randomness that
/// differs between standard libraries.
Violations check_cpp(const SourceFile& file);

/// Printing, or ending the process, in a library (all of ops/ and framework/ but app/).
Violations check_quiet_library(const SourceFile& file);

/// A file with more lines than kMaxLines.
inline constexpr int kMaxLines = 500;
Violations check_length(const SourceFile& file);

/// Paths that exist on one machine only.
Violations check_machine_paths(const SourceFile& file);

/// Notes of unfinished work in code, scripts and build files.
Violations check_unfinished(const SourceFile& file);

/// Relative links of a Markdown file that lead nowhere.
Violations check_links(const SourceFile& file, const std::set<std::string>& paths);

/// Tests that mirror no source folder, or that no program is built from (`cmake` is tests/CMakeLists.txt), and source
/// folders without a test.
Violations check_test_mirror(const std::set<std::string>& paths, std::string_view cmake);

/// Experiments without a README.md, which says what they ask and found.
Violations check_experiments(const std::set<std::string>& paths);

}  // namespace bitnet::architecture
