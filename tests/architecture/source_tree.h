#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

// The files of this project as text, and the little of C++ that the architecture rules have to understand.

namespace bitnet::architecture {

/// One file of the project.
struct SourceFile {
  std::string path;  ///< relative to the project's root, with '/'
  std::string text;  ///< empty for files that are not text (images)
};

/// One `#include` line.
struct Include {
  int line;          ///< 1-based
  std::string path;  ///< what stands between the quotes or angle brackets
  bool quoted;       ///< "path" rather than <path>
};

/// All files under `root` that belong to the project, sorted by path: the files of the root folder itself and those of
/// the folders of the layout, not build outputs, runs or an editor's folders.
std::vector<SourceFile> load_tree(const std::filesystem::path& root);

/// The paths of `tree` and of all their folders.
std::set<std::string> paths_of(const std::vector<SourceFile>& tree);

/// The text of the file `path`, or "" where the tree has none.
std::string_view text_of(const std::vector<SourceFile>& tree, std::string_view path);

/// The lines of `text`, without their ends.
std::vector<std::string> lines_of(std::string_view text);

/// `text` as C++ with comments blanked, and with `blank_literals` also string and character literals. Lines stay lines.
std::string strip_comments(std::string_view text, bool blank_literals);

/// The includes of a C++ file that are not inside comments.
std::vector<Include> includes_of(std::string_view text);

/// The arguments of each call `name(arguments...)` in a CMake file, split at spaces; comments are skipped.
std::vector<std::vector<std::string>> cmake_calls(std::string_view text, std::string_view name);

/// True for .h and .cpp files.
bool is_cpp(std::string_view path);

/// The folder of `path`: "framework/nn" of "framework/nn/linear.h", "" at the root.
std::string folder_of(std::string_view path);

}  // namespace bitnet::architecture
