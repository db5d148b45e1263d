#include "tests/architecture/diagrams.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <regex>

namespace bitnet::architecture {
namespace {

enum class DiagramKind { kFlowchart, kSequence, kClass };

// One line of a diagram, and where it stands in the document.
struct DiagramLine {
  int line;
  std::string text;
};

struct Diagram {
  DiagramKind kind;
  std::vector<DiagramLine> lines;
};

DiagramKind kind_of(std::string_view first_line) {
  if (first_line.starts_with("classDiagram")) return DiagramKind::kClass;
  return first_line.starts_with("sequenceDiagram") ? DiagramKind::kSequence : DiagramKind::kFlowchart;
}

std::vector<Diagram> diagrams_of(std::string_view text) {
  std::vector<Diagram> diagrams;
  bool inside = false;
  bool first = false;
  int number = 0;
  for (const std::string& line : lines_of(text)) {
    ++number;
    if (!inside && line.starts_with("```mermaid")) {
      inside = first = true;
      diagrams.push_back({DiagramKind::kFlowchart, {}});
    } else if (inside && line.starts_with("```")) {
      inside = false;
    } else if (inside) {
      if (first) diagrams.back().kind = kind_of(line);
      if (!first) diagrams.back().lines.push_back({number, line});
      first = false;
    }
  }
  return diagrams;
}

// Identifiers of a text.
std::set<std::string> words_of_code(std::string_view text) {
  std::set<std::string> words;
  for (size_t i = 0; i < text.size();) {
    const auto word_char = [&](size_t at) {
      return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '_');
    };
    size_t end = i;
    while (word_char(end)) ++end;
    if (end > i) words.emplace(text.substr(i, end - i));
    i = end + 1;
  }
  return words;
}

void add_types(const std::string& path, const std::string& code, CodeIndex& index) {
  static const std::regex definition(
      R"(\b(?:enum\s+class|enum\s+struct|class|struct)\s+([A-Z]\w*)\s*(?:final\s*)?(?::\s*([^{;]*))?[{;])");
  static const std::regex alias(R"(\busing\s+([A-Z]\w*)\s*=)");
  static const std::regex base(R"((?:\w+::)*([A-Z]\w*))");
  for (auto it = std::sregex_iterator(code.begin(), code.end(), definition); it != std::sregex_iterator(); ++it) {
    CodeIndex::Type& type = index.types[(*it)[1].str()];
    type.files.insert(path);
    const std::string bases = (*it)[2].str();
    for (auto at = std::sregex_iterator(bases.begin(), bases.end(), base); at != std::sregex_iterator(); ++at) {
      type.bases.insert((*at)[1].str());
    }
  }
  for (auto it = std::sregex_iterator(code.begin(), code.end(), alias); it != std::sregex_iterator(); ++it) {
    index.types[(*it)[1].str()].files.insert(path);
  }
}

// True for a name of several words in capitals and small letters, like TokenFile, which only a type has.
bool is_camel_case(std::string_view name) {
  const auto is_upper = [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; };
  const auto is_lower = [](char c) { return std::islower(static_cast<unsigned char>(c)) != 0; };
  return is_upper(name.front()) && std::ranges::count_if(name, is_upper) > 1 && std::ranges::any_of(name, is_lower) &&
         name.find('_') == std::string_view::npos;
}

bool is_file_name(std::string_view token) {
  static const std::regex file(R"([\w./-]*\w\.(?:h|cpp|py|md|yaml|yml|json|jsonl|html|xml|txt|safetensors|bnet))");
  return std::regex_match(token.begin(), token.end(), file);
}

// True if a file of the project has the path or, for a name without a folder, the name, or if the code writes it.
bool file_exists(const std::string& name, const CodeIndex& index) {
  static const std::regex placeholder("[A-Z]{2,}");
  const std::string literal_part = "[^/]+";
  std::string pattern = name.find('/') == std::string::npos ? "(?:.*/)?" : "";
  std::vector<std::string> pieces;
  size_t from = 0;
  const auto add_piece = [&](std::string piece) {
    pieces.push_back(piece);
    for (const char c : piece) pattern += c == '.' ? std::string("\\.") : std::string(1, c);
  };
  for (auto it = std::sregex_iterator(name.begin(), name.end(), placeholder); it != std::sregex_iterator(); ++it) {
    const auto at = static_cast<size_t>(it->position());
    add_piece(name.substr(from, at - from));
    pattern += literal_part;
    from = at + static_cast<size_t>(it->length());
  }
  add_piece(name.substr(from));
  const std::regex path(pattern);
  if (std::ranges::any_of(index.paths, [&](const std::string& p) { return std::regex_match(p, path); })) return true;
  return std::ranges::all_of(pieces,
                             [&](const std::string& piece) { return index.literals.find(piece) != std::string::npos; });
}

// True if a file that declares `type` has `name`.
bool type_has(const std::string& type, const std::string& name, const CodeIndex& index) {
  const auto it = index.types.find(type);
  return it != index.types.end() && std::ranges::any_of(it->second.files, [&](const std::string& file) {
           return index.words.at(file).contains(name);
         });
}

using Report = std::function<void(const std::string&)>;

void expect_type(const std::string& name, const CodeIndex& index, const Report& report) {
  if (!index.types.contains(name)) report("diagram names the class " + name + ", which the code does not declare");
}

// What holds for the text of every diagram.
void check_text(const std::string& line, const CodeIndex& index, const Report& report) {
  static const std::regex mark(R"(<br/>|&\w+;|<<|>>)");
  static const std::regex token(R"([A-Za-z_][\w-]*(?:[./][\w-]+)*(?:::\w+)?\(?)");
  const std::string text = std::regex_replace(line, mark, " ");
  for (auto it = std::sregex_iterator(text.begin(), text.end(), token); it != std::sregex_iterator(); ++it) {
    std::string name = it->str();
    const bool call = name.ends_with('(');
    if (call) name.pop_back();
    if (is_file_name(name)) {
      if (!file_exists(name, index)) {
        report("diagram names the file " + name + ", which neither is in the project nor is written by the code");
      }
      continue;
    }
    if (const size_t colons = name.find("::"); colons != std::string::npos) {
      const std::string type = name.substr(0, colons);
      const std::string member = name.substr(colons + 2);
      if (!type_has(type, member, index))
        report("diagram names " + name + ", which no file that declares " + type + " has");
      continue;
    }
    // The dots of `a.b` are those of configuration keys and of calls; what stands between them are names.
    static const std::regex part(R"(\w+)");
    for (auto at = std::sregex_iterator(name.begin(), name.end(), part); at != std::sregex_iterator(); ++at) {
      const std::string word = at->str();
      if (is_camel_case(word)) {
        expect_type(word, index, report);
      } else if (((call && at->position() + at->length() == static_cast<std::ptrdiff_t>(name.size())) ||
                  word.find('_') != std::string::npos) &&
                 !index.all_words.contains(word)) {
        report("diagram names " + word + ", which the code does not have");
      }
    }
  }
}

void check_class_diagram(const Diagram& diagram, const CodeIndex& index,
                         const std::function<Report(const DiagramLine&)>& at) {
  static const std::regex opening(R"(^\s*class\s+(\w+)\s*(\{)?\s*$)");
  static const std::regex member(R"(^\s*[+#~-](\w+))");
  static const std::regex relation(R"re(^\s*(\w+)\s+(?:"[^"]*"\s+)?([<*o|.>-]+)\s+(?:"[^"]*"\s+)?(\w+)\s*(?::.*)?$)re");
  std::string inside;
  for (const DiagramLine& line : diagram.lines) {
    const Report report = at(line);
    std::smatch match;
    if (!inside.empty()) {
      if (line.text.find('}') != std::string::npos) {
        inside.clear();
      } else if (std::regex_search(line.text, match, member) && !type_has(inside, match[1].str(), index)) {
        report("diagram gives " + inside + " the member " + match[1].str() + ", which no file that declares it has");
      }
    } else if (std::regex_match(line.text, match, opening)) {
      expect_type(match[1].str(), index, report);
      if (match[2].matched) inside = match[1].str();
    } else if (std::regex_match(line.text, match, relation)) {
      const std::string left = match[1].str();
      const std::string right = match[3].str();
      expect_type(left, index, report);
      expect_type(right, index, report);
      const auto derived = index.types.find(right);
      if (match[2].str().starts_with("<|") && derived != index.types.end() && !derived->second.bases.contains(left)) {
        report("diagram says that " + right + " derives from " + left + ", which it does not");
      }
    }
  }
}

void check_participants(const Diagram& diagram, const CodeIndex& index,
                        const std::function<Report(const DiagramLine&)>& at) {
  static const std::regex participant(R"(^\s*participant\s+(\w+)(?:\s+as\s+(.+?))?\s*$)");
  static const std::regex type_name("[A-Z]\\w*");
  for (const DiagramLine& line : diagram.lines) {
    std::smatch match;
    if (!std::regex_match(line.text, match, participant)) continue;
    const std::string shown = match[2].matched ? match[2].str() : match[1].str();
    if (std::regex_match(shown, type_name)) expect_type(shown, index, at(line));
  }
}

}  // namespace

CodeIndex index_code(const std::vector<SourceFile>& tree) {
  CodeIndex index;
  index.paths = paths_of(tree);
  for (const SourceFile& file : tree) {
    if (layer_of(file.path).empty() || !is_cpp(file.path)) continue;
    const std::string code = strip_comments(file.text, /*blank_literals=*/true);
    add_types(file.path, code, index);
    index.words[file.path] = words_of_code(code);
    index.all_words.insert(index.words[file.path].begin(), index.words[file.path].end());
    index.literals += strip_comments(file.text, /*blank_literals=*/false);
  }
  return index;
}

Violations check_diagrams(const SourceFile& document, const CodeIndex& index) {
  Violations violations;
  const auto at = [&](const DiagramLine& line) -> Report {
    return [&violations, &document, number = line.line](const std::string& rule) {
      violations.push_back({document.path, number, rule});
    };
  };
  for (const Diagram& diagram : diagrams_of(document.text)) {
    if (diagram.kind == DiagramKind::kClass) {
      check_class_diagram(diagram, index, at);
      continue;
    }
    if (diagram.kind == DiagramKind::kSequence) check_participants(diagram, index, at);
    for (const DiagramLine& line : diagram.lines) {
      if (line.text.find("participant ") == std::string::npos) check_text(line.text, index, at(line));
    }
  }
  return violations;
}

int count_diagrams(std::string_view text) { return static_cast<int>(diagrams_of(text).size()); }

}  // namespace bitnet::architecture
