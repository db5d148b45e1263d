#include "framework/data/code_problems.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/data/tinyworld.h"
#include "tests/framework/core/temporary_folder.h"

namespace bitnet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kLine =
    R"({"task_id": "t/0", "prompt": "def f():\n", "canonical_solution": "  return 1", "test": "def check(c):\n  pass", "entry_point": "f", "more": [1]})";

std::string replaced(std::string text, const std::string& old_part, const std::string& new_part) {
  return text.replace(text.find(old_part), old_part.size(), new_part);
}

std::string error_of(const std::string& text) {
  try {
    read_code_problems(text, "p.jsonl");
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

TEST(CodeProblems, AreReadVerbatimAndBlankLinesSkipped) {
  const auto problems = read_code_problems("\n" + kLine + "\r\n \t\n" + replaced(kLine, "t/0", "t/1"), "p.jsonl");
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0].id, "t/0");
  EXPECT_EQ(problems[0].prompt, "def f():\n");
  EXPECT_EQ(problems[0].solution, "  return 1");
  EXPECT_EQ(problems[0].test, "def check(c):\n  pass");
  EXPECT_EQ(problems[0].entry_point, "f");
  EXPECT_EQ(problems[1].id, "t/1");
}

TEST(CodeProblems, AreTheSameWrittenAndRead) {
  const auto problems = read_code_problems(kLine, "p.jsonl");
  const auto again = read_code_problems(code_problems_text(problems), "again");
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(code_problems_text(again), code_problems_text(problems));
}

TEST(CodeProblems, EveryKeyMustBeThereOnceAndBeAText) {
  for (const std::string key : {"task_id", "prompt", "canonical_solution", "test", "entry_point"}) {
    const std::string quoted = "\"" + key + "\"";
    EXPECT_EQ(error_of("\n" + replaced(kLine, quoted, "\"other\"")),
              "p.jsonl:2: " + quoted + " must be there, but is missing. Correct the line, or fetch the file again.");
    EXPECT_THAT(error_of(replaced(kLine, quoted + ": ", quoted + ": 3, \"x\": ")),
                StartsWith("p.jsonl:1: " + quoted + " must be a text, but is a JSON number."));
    EXPECT_THAT(error_of(replaced(kLine, quoted + ": ", quoted + ": \"a\", " + quoted + ": ")), HasSubstr("twice"));
  }
  for (const std::string part : {"t/0", "def f():\\n", "def check(c):\\n  pass", "\"f\""}) {
    const std::string empty = part == "\"f\"" ? "\"\"" : "";
    EXPECT_THAT(error_of(replaced(kLine, part, empty)), HasSubstr("at least one character, but is empty")) << part;
  }
  EXPECT_EQ(error_of(replaced(kLine, "  return 1", "")), "no error");
}

TEST(CodeProblems, TheEntryPointCanOnlyBeAName) {
  for (const std::string name : {"f)", "f\\n", "1f", "f.g", "f(", "f\\u00e9"}) {
    EXPECT_THAT(error_of(replaced(kLine, "\"f\"", "\"" + name + "\"")),
                HasSubstr("\"entry_point\" must be a name of letters, digits and underscores"))
        << name;
  }
  EXPECT_EQ(error_of(replaced(kLine, "\"f\"", "\"_f1\"")), "no error");
}

TEST(CodeProblems, WhatIsNoJsonObjectIsRefusedWithItsLine) {
  EXPECT_THAT(error_of(kLine + "\n" + kLine), StartsWith("p.jsonl:2: \"task_id\" must be unlike the others"));
  EXPECT_THAT(error_of(kLine + "\n{"), StartsWith("p.jsonl:2: the line must be JSON"));
  EXPECT_THAT(error_of("[1]"), StartsWith("p.jsonl:1: the line must be a JSON object, but is a JSON array"));
  EXPECT_THAT(error_of(replaced(kLine, "t/0", "t\xff")), StartsWith("p.jsonl:1: the line must be UTF-8"));
  EXPECT_THAT(error_of(replaced(kLine, "[1]", std::string(100, '[') + std::string(100, ']'))),
              HasSubstr("levels deep, but is deeper"));
  EXPECT_THAT(error_of(std::string(100'000, '[')), HasSubstr("levels deep, but is deeper"));
  EXPECT_THAT(error_of(kLine + std::string(1, '\0')), StartsWith("p.jsonl:1: the line must be JSON"));
  EXPECT_THAT(error_of(""), HasSubstr("at least one line, but is empty"));
  EXPECT_THAT(error_of("\n \n"), HasSubstr("at least one line, but is empty"));
}

TEST(CodeSamples, AreReadWrittenAndChecked) {
  const std::string text = "{\"task_id\": \"t/0\", \"completion\": \"  return \\u00e9\", \"sample\": 3}\n";
  const auto samples = read_code_samples(text, "s.jsonl");
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_EQ(samples[0].completion, "  return \xc3\xa9");
  EXPECT_EQ(code_samples_text(samples), "{\"task_id\":\"t/0\",\"completion\":\"  return \xc3\xa9\"}\n");
  EXPECT_THROW(read_code_samples("{\"task_id\": \"t/0\"}", "s.jsonl"), DataError);
  EXPECT_THROW(read_code_samples("{\"task_id\": 0, \"completion\": \"\"}", "s.jsonl"), DataError);
  EXPECT_EQ(code_samples_text({{"t/0", "\xff"}}), "{\"task_id\":\"t/0\",\"completion\":\"\xef\xbf\xbd\"}\n");
}

TEST(CodeProblems, AreReadFromPlainAndPackedFiles) {
  const testing::TemporaryFolder folder;
  write_file_atomic(folder / "plain.jsonl", kLine);
  EXPECT_EQ(read_jsonl_file(folder / "plain.jsonl"), kLine);
  // `printf hello | gzip -n`, cut in half
  const std::string packed("\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0", 25);
  write_file_atomic(folder / "packed.jsonl.gz", packed);
  EXPECT_EQ(read_jsonl_file(folder / "packed.jsonl.gz"), "hello");
  write_file_atomic(folder / "half.jsonl.gz", std::string_view(packed).substr(0, 12));
  EXPECT_THROW(read_jsonl_file(folder / "half.jsonl.gz"), DataError);
}

TEST(TinyworldCode, EveryFunctionIsAProblemWithAllItsExamples) {
  const std::vector<CodeProblem> problems = tinyworld_code_problems();
  const std::vector<CodeFunction> functions = code_functions();
  ASSERT_EQ(problems.size(), functions.size());
  // 9 + 9 + 8 + 8 + 6 functions of one parameter and 4 of two, each with three pairs of letters and two docstrings.
  EXPECT_EQ(problems.size(), 44u * 3 * 2);
  std::set<std::string> ids;
  for (size_t i = 0; i < problems.size(); ++i) {
    EXPECT_TRUE(ids.insert(problems[i].id).second);
    EXPECT_EQ(problems[i].prompt + problems[i].solution, functions[i].prompt + functions[i].body);
  }
  EXPECT_EQ(problems[0].id, "tinyworld-code/0");
  EXPECT_EQ(problems[0].entry_point, "add_1");
  EXPECT_THAT(problems[0].test, StartsWith("def check(candidate):\n    assert candidate(0) == 1\n"));
  EXPECT_THAT(problems[0].test, HasSubstr("    assert candidate(9) == 10\n"));
  // The reader takes what the writer writes.
  EXPECT_EQ(read_code_problems(code_problems_text(problems), "tinyworld").size(), problems.size());
}

}  // namespace
}  // namespace bitnet
