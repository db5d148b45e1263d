#include "framework/core/text_template.h"

#include <gmock/gmock.h>

#include <array>
#include <string>

namespace bitnet {
namespace {

using ::testing::HasSubstr;

constexpr std::array<std::string_view, 2> kNames = {"question", "choice"};

TEST(TextTemplate, FillsItsPlacesAndKeepsTheRest) {
  EXPECT_EQ(fill_template("Question: {question}\nAnswer:", {{"question", "Why?"}}), "Question: Why?\nAnswer:");
  EXPECT_EQ(fill_template("{choice}{choice}", {{"choice", "a"}}), "aa");
  EXPECT_EQ(fill_template("{{choice}} }}{{", {}), "{choice} }{");
  EXPECT_EQ(fill_template("", {}), "");
}

TEST(TextTemplate, TakesAValueAsItIs) {
  EXPECT_EQ(fill_template("<{question}>", {{"question", "{choice} }} {"}}), "<{choice} }} {>");
}

TEST(TextTemplate, NamesWhatIsWrong) {
  for (const char* fine : {"", "plain", "{question} {choice}", "{{question}}", "{{{choice}}}"}) {
    EXPECT_EQ(template_problem(fine, kNames), "") << fine;
  }
  EXPECT_EQ(template_problem("{answer}", kNames), "has the unknown place {answer}");
  EXPECT_EQ(template_problem("{}", kNames), "has the unknown place {}");
  EXPECT_EQ(template_problem("{ choice}", kNames), "has the unknown place { choice}");
  for (const char* wrong : {"{", "}", "{choice", "choice}", "{choice{question}", "{{choice}", "a } b"}) {
    EXPECT_THAT(template_problem(wrong, kNames), HasSubstr("brace")) << wrong;
  }
}

}  // namespace
}  // namespace bitnet
