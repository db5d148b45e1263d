#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/core/file.h"
#include "tests/end_to_end/lab.h"

// What the real program answers where it trains nothing. Starting it costs half a second: what needs no process of its
// own is tested in tests/framework/app.

namespace bitnet::end_to_end {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kQuickstart = "experiments/quickstart/experiment.yaml";

TEST(CommandLine, ExitCodesReachTheCaller) {
  const Lab lab;
  const ProcessResult help = lab.bitnet({"--help"});
  EXPECT_EQ(help.exit_code, 0) << help.err;
  EXPECT_THAT(help.out, StartsWith("Usage: bitnet COMMAND"));
  EXPECT_EQ(help.err, "");
  expect_one_error(lab.bitnet({"rum"}), 2, "but is 'rum'");
  expect_one_error(lab.bitnet({"report", lab.path("absent").string()}), 4, "No such file");
}

TEST(CommandLine, AFullDiskUnderStandardOutputIsAnError) {
  const Lab lab;
  ProcessOptions options = lab.options();
  options.out_file = "/dev/full";
  expect_one_error(lab.bitnet({"config", kQuickstart}, options), 4, "standard output: ");
}

/// A run that can not start, and why.
struct WrongStart {
  const char* name;
  std::string out;
  std::string experiment;
  std::map<std::string, std::optional<std::string>> environment;
  int exit_code;
  const char* message;
};

TEST(CommandLine, ARunThatCanNotStartSaysWhyAndLeavesNoResults) {
  const Lab lab;
  write_file_atomic(lab.path("a_file"), "");
  std::filesystem::create_directory(lab.path("empty_mirror"));
  const std::string wikitext = "experiments/wikitext2-small/experiment.yaml";
  const std::map<std::string, std::optional<std::string>> unreachable = {
      {"BITNET_DATA_MIRROR", lab.path("empty_mirror").string()},
      {"https_proxy", "http://127.0.0.1:9"},
      {"HTTPS_PROXY", "http://127.0.0.1:9"}};
  const std::vector<WrongStart> starts = {
      {"data that is nowhere", lab.path("runs").string(), wikitext, unreachable, 4, "wikitext-2/train must be in"},
      {"unknown kernel", lab.path("runs").string(), kQuickstart, {{"BITNET_ISA", "sse9"}}, 2, "but is 'sse9'"},
      {"file in the folder's place", lab.path("a_file").string(), kQuickstart, {}, 4, "a_file/quickstart/"},
      {"device in the folder's place", "/dev/full", kQuickstart, {}, 4, "/dev/full/quickstart/"},
      {"place that takes no folder", "/proc/runs", kQuickstart, {}, 4, "/proc/runs/quickstart/"},
  };
  for (const WrongStart& start : starts) {
    SCOPED_TRACE(start.name);
    ProcessOptions options = lab.options();
    for (const auto& [name, value] : start.environment) options.environment[name] = value;
    expect_one_error(lab.bitnet({"run", start.experiment, "--out", start.out}, options), start.exit_code,
                     start.message);
  }
  EXPECT_FALSE(has_file(lab.folder(), "results.json"));
  EXPECT_FALSE(has_file(lab.folder(), "metrics.jsonl"));
}

TEST(CommandLine, DataFetchWithoutANetworkSaysWhatItTriedAndWhereToPutTheFile) {
  const Lab lab;
  ProcessOptions options = lab.options();
  options.environment["https_proxy"] = options.environment["HTTPS_PROXY"] = "http://127.0.0.1:9";
  options.environment["no_proxy"] = options.environment["NO_PROXY"] = std::nullopt;
  const ProcessResult result = lab.bitnet({"data", "fetch", "wikitext-2-raw/test"}, options);
  expect_one_error(result, 4, "wikitext-2-raw/test must be in the cache");
  EXPECT_THAT(result.err, HasSubstr("127.0.0.1"));
  EXPECT_THAT(result.err, HasSubstr(lab.path("cache/data/wikitext-2-raw/test").string()));
}

}  // namespace
}  // namespace bitnet::end_to_end
