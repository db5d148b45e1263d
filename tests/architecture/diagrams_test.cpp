// The check of diagrams on made-up code and documents, so that it can be seen to fail.

#include "tests/architecture/diagrams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bitnet::architecture {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::vector<SourceFile>& small_tree() {
  static const std::vector<SourceFile> files = {
      {"configs/model/small.yaml", "width: 8\n"},
      {"framework/data/shelf.h",
       "class Book;  // class Magazine\nclass Shelf {\n public:\n  int count() const;\n  // empty()\n};\n"
       "class TallShelf final : public Shelf {};\nusing ShelfFactory = int;\nenum class ShelfKind { kTall };\n"},
      {"framework/data/shelf.cpp", "int open_shelf(int wanted) { return write(\"shelf_\" + name + \".json\"); }\n"},
      {"tests/framework/data/shelf_test.cpp", "class OnlyInTests {};\n"},
  };
  return files;
}

Violations check_block(const std::string& lines) {
  return check_diagrams({"docs/a.md", "# Title\n\n```mermaid\n" + lines + "```\n\nNoSuchThing, no_such_call(x)\n"},
                        index_code(small_tree()));
}

Violations flowchart(const std::string& label) { return check_block("flowchart TB\n  a[\"" + label + "\"] --> b\n"); }
Violations class_diagram(const std::string& line) { return check_block("classDiagram\n" + line + "\n"); }
Violations sequence(const std::string& line) { return check_block("sequenceDiagram\n" + line + "\n"); }

TEST(Diagrams, KnowTypesAndWordsOfTheCode) {
  const CodeIndex index = index_code(small_tree());
  for (const char* type : {"Book", "Shelf", "TallShelf", "ShelfFactory", "ShelfKind"}) {
    EXPECT_TRUE(index.types.contains(type)) << type;
  }
  for (const char* other : {"Magazine", "OnlyInTests"}) EXPECT_FALSE(index.types.contains(other)) << other;
  EXPECT_TRUE(index.types.at("TallShelf").bases.contains("Shelf"));
  EXPECT_FALSE(index.all_words.contains("empty"));
}

TEST(Diagrams, AreCounted) { EXPECT_EQ(count_diagrams("```mermaid\na\n```\n```sh\nb\n```\n```mermaid\nc\n```\n"), 2); }

TEST(Diagrams, OfFlowNameWhatIsThere) {
  for (const char* label : {"open_shelf<br/>TallShelf", "Shelf::count", "shelf.cpp", "framework/data/shelf.h",
                            "configs/FAMILY/NAME.yaml", "shelf_NAME.json", "count() of a shelf, a plain word"}) {
    EXPECT_THAT(flowchart(label), IsEmpty()) << label;
  }
  for (const char* label : {"close_shelf", "OnlyInTests", "TallShelves", "Shelf::weight", "shelf.py", "rack_NAME.json",
                            "framework/nn/shelf.h", "weigh(books)", "configs/FAMILY/DEEP/NAME.yaml"}) {
    EXPECT_THAT(flowchart(label), SizeIs(1)) << label;
  }
}

TEST(Diagrams, NameFileAndLine) {
  const Violations violations = flowchart("close_shelf");
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_EQ(violations[0].path, "docs/a.md");
  EXPECT_EQ(violations[0].line, 5);
  EXPECT_THAT(violations[0].rule, HasSubstr("close_shelf"));
}

TEST(Diagrams, OfClassesNameDeclaredClassesAndTheirMembers) {
  for (const char* line : {"  class Shelf {\n    <<interface>>\n    +count()\n  }", "  class Book",
                           "  Shelf <|-- TallShelf", "  Shelf *-- Book : holds any number", "  direction LR"}) {
    EXPECT_THAT(class_diagram(line), IsEmpty()) << line;
  }
  for (const char* line : {"  class Magazine", "  class Shelf {\n    +empty()\n  }", "  Shelf *-- Magazine",
                           "  Magazine ..> Shelf : lies on"}) {
    EXPECT_THAT(class_diagram(line), SizeIs(1)) << line;
  }
}

TEST(Diagrams, OfClassesDeriveAsTheCodeDoes) {
  EXPECT_THAT(class_diagram("  Shelf <|.. Book"), SizeIs(1));
  EXPECT_THAT(class_diagram("  TallShelf <|-- Shelf"), SizeIs(1));
}

TEST(Diagrams, OfSequencesNameParticipantsAndCalls) {
  for (const char* line : {"  participant Shelf", "  participant s as TallShelf", "  participant s as the reader",
                           "  a->>b: count()", "  a->>b: Shelf::count", "  Note over a: any words"}) {
    EXPECT_THAT(sequence(line), IsEmpty()) << line;
  }
  for (const char* line : {"  participant Magazine", "  participant Shelf as Magazine", "  a->>b: weigh(books)",
                           "  a->>b: Shelf::weight"}) {
    EXPECT_THAT(sequence(line), SizeIs(1)) << line;
  }
}

}  // namespace
}  // namespace bitnet::architecture
