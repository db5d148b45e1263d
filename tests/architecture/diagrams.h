#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/architecture/rules.h"
#include "tests/architecture/source_tree.h"

// Whether the Mermaid diagrams of a document speak of what is there.

namespace bitnet::architecture {

/// The names that the code of ops/ and framework/ has.
struct CodeIndex {
  /// A class, struct, enum or alias.
  struct Type {
    std::set<std::string> files;  ///< where it is declared or defined
    std::set<std::string> bases;  ///< what it derives from, without namespaces
  };

  std::map<std::string, Type> types;
  std::map<std::string, std::set<std::string>> words;  ///< the identifiers of each file, comments and literals left out
  std::set<std::string> all_words;                     ///< of all files
  std::set<std::string> paths;                         ///< of the whole project
  std::string literals;                                ///< the code with its literals, in which names of files stand
};

/// The index of `tree`.
CodeIndex index_code(const std::vector<SourceFile>& tree);

/// Names in the Mermaid blocks of a Markdown file that stand for nothing:
/// - in a class diagram, classes that are not declared, members that no file of the class has, and a class said to
///   derive from one from which it does not;
/// - in a sequence diagram, participants with a class's name that are no class;
/// - in all of them, names in CamelCase that are no type, names with an underscore or before '(' that the code does not
///   have, `Type::name` that no file of the type has, and names of files that are neither files of the project nor
///   written by the code. A word in CAPITALS inside a file's name stands for anything.
Violations check_diagrams(const SourceFile& document, const CodeIndex& index);

/// How many Mermaid blocks `text` has.
int count_diagrams(std::string_view text);

}  // namespace bitnet::architecture
