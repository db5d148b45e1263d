#include "tests/architecture/source_tree.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace bitnet::architecture {
namespace {

namespace fs = std::filesystem;

constexpr std::array kFolders = {".ci",         ".github",   "benchmarks", "cmake",   "configs", "docker", "docs",
                                 "experiments", "framework", "ops",        "reports", "scripts", "tests"};
constexpr std::array kBinaryExtensions = {".png", ".jpg", ".gif", ".webp", ".ico", ".model", ".bin", ".gz", ".zst"};

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(path.string() + ": file must be readable, but is not. Check its permissions.");
  return {std::istreambuf_iterator<char>(in), {}};
}

void add_file(const fs::path& root, const fs::path& path, std::vector<SourceFile>& tree) {
  const bool binary = std::ranges::find(kBinaryExtensions, path.extension()) != kBinaryExtensions.end();
  tree.push_back({path.lexically_relative(root).generic_string(), binary ? "" : read_text(path)});
}

// Where the literal that starts with the quote at `start` ends (one past its closing quote).
size_t literal_end(std::string_view text, size_t start) {
  const char quote = text[start];
  for (size_t i = start + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == quote || text[i] == '\n') {
      return i + 1;
    }
  }
  return text.size();
}

// Where the raw literal R"delimiter(...)delimiter" with its quote at `start` ends.
size_t raw_literal_end(std::string_view text, size_t start) {
  const size_t open = text.find('(', start);
  if (open == std::string_view::npos) return text.size();
  const std::string close = ")" + std::string(text.substr(start + 1, open - start - 1)) + "\"";
  const size_t end = text.find(close, open);
  return end == std::string_view::npos ? text.size() : end + close.size();
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

}  // namespace

std::vector<SourceFile> load_tree(const fs::path& root) {
  std::vector<SourceFile> tree;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.is_regular_file()) add_file(root, entry.path(), tree);
  }
  for (const char* folder : kFolders) {
    if (!fs::is_directory(root / folder)) continue;
    for (auto it = fs::recursive_directory_iterator(root / folder); it != fs::recursive_directory_iterator(); ++it) {
      if (it->path().filename() == "__pycache__") {
        it.disable_recursion_pending();
      } else if (it->is_regular_file() && it->path().extension() != ".swp") {
        add_file(root, it->path(), tree);
      }
    }
  }
  std::ranges::sort(tree, {}, &SourceFile::path);
  return tree;
}

std::set<std::string> paths_of(const std::vector<SourceFile>& tree) {
  std::set<std::string> paths;
  for (const SourceFile& file : tree) {
    for (std::string path = file.path; !path.empty(); path = folder_of(path)) paths.insert(path);
  }
  return paths;
}

std::string_view text_of(const std::vector<SourceFile>& tree, std::string_view path) {
  const auto it = std::ranges::find(tree, path, &SourceFile::path);
  return it == tree.end() ? std::string_view() : std::string_view(it->text);
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string strip_comments(std::string_view text, bool blank_literals) {
  std::string out(text);
  const auto blank = [&](size_t from, size_t to) {
    for (size_t i = from; i < std::min(to, out.size()); ++i) {
      if (out[i] != '\n') out[i] = ' ';
    }
  };
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    if (text.substr(i, 2) == "//") {
      end = std::min(text.find('\n', i), text.size());
      blank(i, end);
    } else if (text.substr(i, 2) == "/*") {
      const size_t close = text.find("*/", i + 2);
      end = close == std::string_view::npos ? text.size() : close + 2;
      blank(i, end);
    } else if (text[i] == '"') {
      const bool raw = i > 0 && text[i - 1] == 'R' && (i < 2 || !is_word(text[i - 2]) || text[i - 2] == '8');
      end = raw ? raw_literal_end(text, i) : literal_end(text, i);
      if (blank_literals) blank(i, end);
    } else if (text[i] == '\'' && (i == 0 || !is_word(text[i - 1]))) {  // 1'000 holds no character literal
      end = literal_end(text, i);
      if (blank_literals) blank(i, end);
    }
    i = end;
  }
  return out;
}

std::vector<Include> includes_of(std::string_view text) {
  static const std::regex pattern(R"re(^\s*#\s*include\s*(["<])([^">]+)[">].*)re");
  std::vector<Include> includes;
  const std::vector<std::string> lines = lines_of(strip_comments(text, /*blank_literals=*/false));
  for (size_t i = 0; i < lines.size(); ++i) {
    std::smatch match;
    if (std::regex_match(lines[i], match, pattern)) {
      includes.push_back({static_cast<int>(i) + 1, match[2].str(), match[1].str() == "\""});
    }
  }
  return includes;
}

std::vector<std::vector<std::string>> cmake_calls(std::string_view text, std::string_view name) {
  std::string code;
  for (const std::string& line : lines_of(text)) code += line.substr(0, line.find('#')) + "\n";
  std::vector<std::vector<std::string>> calls;
  const std::string open = std::string(name) + "(";
  for (size_t at = code.find(open); at != std::string::npos; at = code.find(open, at + 1)) {
    if (at > 0 && is_word(code[at - 1])) continue;
    const size_t start = at + open.size();
    std::istringstream arguments(code.substr(start, code.find(')', start) - start));
    calls.emplace_back(std::istream_iterator<std::string>(arguments), std::istream_iterator<std::string>());
  }
  return calls;
}

bool is_cpp(std::string_view path) { return path.ends_with(".h") || path.ends_with(".cpp"); }

std::string folder_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

}  // namespace bitnet::architecture
