#include "framework/app/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/program_options.hpp>

#include "framework/core/error.h"

namespace bitnet {
namespace {

namespace po = boost::program_options;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using Words = std::vector<std::string>;

CommandOptions sample_command() {
  CommandOptions command;
  command.usage = "bitnet sample FILE [--count N]";
  command.summary = "Does something with a file.";
  command.example = "bitnet sample a.txt --count 3";
  command.positional = {"FILE"};
  command.options.add_options()("count", po::value<int>()->default_value(1), "how often")(
      "set", po::value<Words>()->composing(), "one key; may be repeated");
  return command;
}

/// The message of the ConfigError that the words give; "" where they are taken.
std::string refusal(const Words& words) {
  CommandOptions command = sample_command();
  po::variables_map values;
  try {
    read_options(command, words, &values);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Options, ReadsWordsAndValues) {
  CommandOptions command = sample_command();
  po::variables_map values;
  ASSERT_TRUE(read_options(command, {"--set", "a=1", "a.txt", "--count=3", "--set", "b=[1,2]"}, &values));
  EXPECT_EQ(values["FILE"].as<std::string>(), "a.txt");
  EXPECT_EQ(values["count"].as<int>(), 3);
  EXPECT_THAT(values["set"].as<Words>(), ElementsAre("a=1", "b=[1,2]"));
}

TEST(Options, WordsAreQuotedForAShellWhereTheyMustBe) {
  EXPECT_EQ(shell_quoted("runs/a-b_1.yaml"), "runs/a-b_1.yaml");
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(set_options({}), "");
  EXPECT_EQ(set_options({"seeds=[1, 2]", "trainer.epochs=1"}), " --set 'seeds=[1, 2]' --set trainer.epochs=1");
}

TEST(Options, LeavesDefaultsInPlace) {
  CommandOptions command = sample_command();
  po::variables_map values;
  ASSERT_TRUE(read_options(command, {"a.txt"}, &values));
  EXPECT_EQ(values["count"].as<int>(), 1);
  EXPECT_EQ(values.count("set"), 0U);
}

TEST(Options, HelpPrintsUsageOptionsAndExampleAndNeedsNoOtherWord) {
  for (const char* word : {"--help", "-h"}) {
    CommandOptions command = sample_command();
    po::variables_map values;
    ::testing::internal::CaptureStdout();
    EXPECT_FALSE(read_options(command, {word}, &values));
    const std::string text = ::testing::internal::GetCapturedStdout();
    EXPECT_THAT(text, StartsWith("Usage: bitnet sample FILE [--count N]\n\nDoes something with a file.\n\nOptions:\n"));
    EXPECT_THAT(text, HasSubstr("--count"));
    EXPECT_THAT(text, HasSubstr("how often"));
    EXPECT_THAT(text, HasSubstr("\nExample:\n  bitnet sample a.txt --count 3\n"));
  }
}

TEST(Options, RefusesWhatItDoesNotKnowAndSaysWhereHelpIs) {
  const std::string hint = " Usage: bitnet sample FILE [--count N]. See `bitnet sample --help`.";
  EXPECT_EQ(refusal({"a.txt", "--count", "3"}), "");
  EXPECT_EQ(refusal({}), "command line: FILE must be given, but is missing." + hint);
  for (const Words& words : {Words{"a.txt", "--colour"}, Words{"a.txt", "--coun", "3"}, Words{"a.txt", "b.txt"},
                             Words{"a.txt", "--count", "many"}, Words{"a.txt", "--count"}, Words{"a.txt", "-x"}}) {
    SCOPED_TRACE(::testing::PrintToString(words));
    EXPECT_THAT(refusal(words), StartsWith("command line: "));
    EXPECT_THAT(refusal(words), HasSubstr(hint));
  }
  EXPECT_THAT(refusal({"a.txt", "--colour"}), HasSubstr("--colour"));
}

}  // namespace
}  // namespace bitnet
