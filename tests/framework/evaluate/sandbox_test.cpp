// Verdicts. What hostile programs try is in slow/escape_test.cpp.

#include "framework/evaluate/sandbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "tests/framework/core/temporary_folder.h"
#include "tests/framework/evaluate/sandbox_or_skip.h"

namespace bitnet {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class SandboxOf : public testing::SandboxTest {
 protected:
  static SandboxOutcome run(const std::string& program, double seconds = 3) {
    SandboxLimits limits;
    limits.wall_seconds = seconds;
    limits.output_bytes = 10'000;
    limits.kept_output_bytes = 8;
    return sandbox().run(program, limits);
  }
};

TEST_F(SandboxOf, AProgramThatReachesItsEndPasses) {
  const SandboxOutcome outcome = run("print('hello, world')");
  EXPECT_EQ(outcome.verdict, Verdict::kPassed) << outcome.reason;
  EXPECT_EQ(outcome.output, "hello, w");
  EXPECT_EQ(run("").verdict, Verdict::kPassed);
  EXPECT_THAT(sandbox().python_version(), MatchesRegex("3\\.[0-9]+\\.[0-9]+.*"));
}

TEST_F(SandboxOf, ExceptionsAndEarlyEndsFail) {
  const auto reason_of = [](const std::string& program) {
    const SandboxOutcome outcome = run(program);
    EXPECT_EQ(outcome.verdict, Verdict::kFailed) << program;
    return outcome.reason;
  };
  EXPECT_EQ(reason_of("assert 1 == 2, 'no'"), "raised AssertionError: no");
  EXPECT_THAT(reason_of("def f(:"), HasSubstr("raised SyntaxError"));
  EXPECT_THAT(reason_of(std::string("x = 1\0", 6)), HasSubstr("raised "));
  EXPECT_EQ(reason_of("import sys\nsys.exit(0)"), "raised SystemExit: 0");
  EXPECT_EQ(reason_of("import os\nos._exit(0)"), "left before its end with exit code 0");
  EXPECT_EQ(reason_of("import os\nos._exit(7)"), "left before its end with exit code 7");
  EXPECT_EQ(reason_of("class E(Exception):\n  def __str__(self): raise self\nraise E()"),
            "raised an exception without a text");
  EXPECT_EQ(reason_of("input()"), "raised EOFError: EOF when reading a line");
}

TEST_F(SandboxOf, LimitsHaveVerdictsOfTheirOwn) {
  EXPECT_EQ(run("while True: pass", 0.3).verdict, Verdict::kTimedOut);
  EXPECT_EQ(run("x = bytearray(1 << 40)").verdict, Verdict::kOutOfMemory);
  EXPECT_EQ(run("while True: print('x' * 1000)").verdict, Verdict::kOutputLimit);
  EXPECT_EQ(run("import os\nos.abort()").verdict, Verdict::kKilled);
}

TEST_F(SandboxOf, RunsAProgramAsHumanEvalDoes) {
  // In an empty namespace: no "__main__".
  EXPECT_EQ(run("assert __name__ == 'builtins'").verdict, Verdict::kPassed);
  // The order of a set of texts is the same each time.
  const std::string program = "print([*{'ab', 'cd', 'ef', 'gh', 'ij'}])";
  EXPECT_EQ(run(program).output, run(program).output);
}

std::string error_of(const SandboxTools& tools) {
  try {
    const Sandbox sandbox(tools);
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Sandbox, WhereNoneCanBeMadeIsAnErrorThatSaysWhatToDo) {
  EXPECT_THAT(error_of({"/usr/bin/no-bwrap", "/usr/bin/python3"}), HasSubstr("Install the package bubblewrap"));
  EXPECT_THAT(error_of({"/usr/bin/bwrap", "/usr/bin/no-python"}), HasSubstr("Install the package python3"));
}

TEST(Sandbox, NothingRunsWhereBubblewrapCanMakeNoNamespaces) {
  const testing::TemporaryFolder folder;
  const auto tool = [&](const std::string& body) {
    write_file_atomic(folder / "bwrap", "#!/bin/sh\n" + body);
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
    std::filesystem::permissions(folder / "bwrap", std::filesystem::perms(0755));
    return error_of({(folder / "bwrap").string(), "/usr/bin/python3"});
  };
  EXPECT_THAT(tool("echo 'bwrap: No permissions to create new namespace' >&2; exit 1"),
              HasSubstr("said: bwrap: No permissions to create new namespace. They are never run outside one."));
  EXPECT_THAT(tool("exit 0"), HasSubstr("but said nothing"));
  // One that says it made a sandbox, but runs nothing in it.
  EXPECT_THAT(tool("echo '{\"child-pid\": '$$'}' >&5; sleep 0.1; exit 0"),
              HasSubstr("a program that only prints must pass"));
}

}  // namespace
}  // namespace bitnet
