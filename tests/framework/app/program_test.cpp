#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "framework/app/commands.h"
#include "framework/core/file.h"
#include "tests/framework/core/temporary_folder.h"

// The program in this process: what it prints where it trains nothing, and its exit codes.

namespace bitnet {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kQuickstart = "experiments/quickstart/experiment.yaml";

struct Answer {
  int exit_code;
  std::string out;
  std::string err;
};

Answer answer(const std::vector<std::string>& words) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const int exit_code = run_program(words);
  return {exit_code, ::testing::internal::GetCapturedStdout(), ::testing::internal::GetCapturedStderr()};
}

/// Stands in the project's folder, as a user does, with a cache of its own.
class Program : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::current_path(BITNET_SOURCE_DIR);
    setenv("BITNET_CACHE", (folder_ / "cache").c_str(), /*replace=*/1);
    unsetenv("BITNET_DATA_MIRROR");
  }
  testing::TemporaryFolder folder_;
};

TEST_F(Program, HelpListsEveryCommand) {
  for (const char* word : {"--help", "-h", "help"}) {
    const Answer help = answer({word});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_EQ(help.err, "");
    for (const char* command : {"run", "config", "data", "evaluate", "execute", "generate", "bench", "report"}) {
      EXPECT_THAT(help.out, HasSubstr("\n  " + std::string(command) + " "));
    }
  }
}

TEST_F(Program, HelpOfEveryCommandSaysItsUsageAndShowsAnExample) {
  for (const std::string command :
       {"", "run", "config", "data", "evaluate", "execute", "generate", "bench", "report"}) {
    SCOPED_TRACE(command);
    const Answer result =
        answer(command.empty() ? std::vector<std::string>{"--help"} : std::vector<std::string>{command, "--help"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.err, "");
    EXPECT_THAT(result.out, StartsWith("Usage: bitnet " + command));
    EXPECT_THAT(result.out, HasSubstr("\nExample:\n  bitnet " + command));
  }
}

TEST_F(Program, ConfigPrintsATextThatResolvesToItselfAndItsHash) {
  const Answer first = answer({"config", kQuickstart, "--set", "model.width=64", "--set", "seeds=[1,2]"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.out, ContainsRegex("\n# hash: [0-9a-f]{64}\n$"));
  write_file_atomic(folder_ / "resolved.yaml", first.out);
  const Answer again = answer({"config", (folder_ / "resolved.yaml").string()});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.out, first.out);
}

TEST_F(Program, ConfigHashIsThatOfTheNumbersAndNotOfTheThreads) {
  const auto hash = [&](const std::string& setting) {
    const std::string out = answer({"config", kQuickstart, "--set", setting}).out;
    return out.substr(std::min(out.find("# hash: "), out.size()));
  };
  const std::string one_thread = hash("trainer.threads=1");
  EXPECT_EQ(one_thread, hash("trainer.threads=2"));
  EXPECT_NE(one_thread, hash("trainer.epochs=4"));
}

TEST_F(Program, DataListShowsEveryEntryAndWhereItIs) {
  const Answer result = answer({"data", "list"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* name : {"wikitext-2/train", "wikitext-2/validation", "wikitext-2/test", "wikitext-2-raw/test"}) {
    EXPECT_THAT(result.out, ContainsRegex("\n" + std::string(name) + " +[0-9]+  absent "));
  }
  write_file_atomic(folder_ / "cache/data/wikitext-2/test", "not that file");
  EXPECT_THAT(answer({"data", "list"}).out, ContainsRegex("\nwikitext-2/test +[0-9]+  absent "));
}

TEST_F(Program, DataTokenizePrintsTheCountsAndKeepsTheFiles) {
  const std::vector<std::string> words = {
      "data", "tokenize", kQuickstart, "--set", "dataset.train_bytes=5000", "--set", "dataset.validation_bytes=1000"};
  const Answer first = answer(words);
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.out,
              ContainsRegex("^train: 5[0-9]{3} bytes, 5[0-9]{3} tokens of byte, 0\\.9[0-9]+ bytes per token\n"
                            "validation: 1[0-9]{3} bytes, 1[0-9]{3} tokens of byte"));
  EXPECT_THAT(first.err, HasSubstr("tokenize train: "));
  const Answer again = answer(words);
  EXPECT_EQ(again.out, first.out);
  EXPECT_EQ(again.err, "");
}

/// One wrong call: the words, what ends it, and how.
struct WrongCall {
  const char* name;
  std::vector<std::string> words;
  int exit_code;
  const char* message;
};

std::vector<std::string> run_with(const std::vector<std::string>& settings) {
  std::vector<std::string> words = {"run", kQuickstart};
  for (const std::string& setting : settings) {
    words.push_back("--set");
    words.push_back(setting);
  }
  return words;
}

TEST_F(Program, WrongCallsEndWithOneMessageAndTheirExitCode) {
  write_file_atomic(folder_ / "duplicate.yaml", "name: a\nname: b\n");
  write_file_atomic(folder_ / "broken.yaml", "name: [\n");
  write_file_atomic(folder_ / "earlier.json", "{\"schema_version\": 1}");
  write_file_atomic(folder_ / "page.html", "<!doctype html><p>no results</p>");
  write_file_atomic(folder_ / "damaged.json", "{\"schema_version\": 1, \"experiment\"");
  write_file_atomic(folder_ / "other.json", "{}");
  write_file_atomic(folder_ / "no_model.safetensors", "These bytes are no model.");
  const std::string no_model = (folder_ / "no_model.safetensors").string();
  const std::vector<WrongCall> calls = {
      {"no command", {}, 2, "a command must be given"},
      {"unknown command", {"rum"}, 2, "but is 'rum'"},
      {"programs without leave", {"execute", "absent.jsonl"}, 2, "Add --allow-code-execution"},
      {"a k of nothing",
       {"execute", "absent.jsonl", "--allow-code-execution", "--k", "0"},
       2,
       "--k must be at least 1"},
      {"absent samples", {"execute", "absent.jsonl", "--allow-code-execution"}, 4, "absent.jsonl"},
      {"a code evaluator without leave", run_with({"compose.evaluators=[tinyworld-code]"}), 2,
       "Add --allow-code-execution"},
      {"unknown option", {"run", kQuickstart, "--sett", "a=b"}, 2, "--sett"},
      {"abbreviated option", {"run", kQuickstart, "--ou", "x"}, 2, "--ou"},
      {"option without value", {"run", kQuickstart, "--set"}, 2, "--set"},
      {"missing word", {"run"}, 2, "EXPERIMENT.yaml must be given"},
      {"surplus word", {"config", kQuickstart, kQuickstart}, 2, "too many positional options"},
      {"number that is none", {"generate", no_model, "--max-new-tokens", "many"}, 2, "many"},
      {"bench of nothing", {"bench"}, 2, "MODEL must be given"},
      {"unknown form", {"bench", "llama-1m", "--linear", "packed,int4"}, 2, "--linear must be packed, float, bfloat16"},
      {"form named twice", {"bench", "llama-1m", "--linear", "float,float"}, 2, "but is 'float,float'"},
      {"no form", {"bench", "llama-1m", "--linear", ""}, 2, "but is ''"},
      {"unknown head", {"bench", "llama-1m", "--head", "int4"}, 2, "--head must be float32, bfloat16 or int8"},
      {"unknown format", {"bench", "llama-1m", "--format", "xml"}, 2, "--format must be json, markdown or csv"},
      {"no repetitions", {"bench", "llama-1m", "--repetitions", "0"}, 2, "--repetitions must be 1 to"},
      {"negative threads", {"bench", "llama-1m", "--threads=-1"}, 2, "--threads must be 0 to"},
      {"no test", {"bench", "llama-1m", "--prompt", "0", "--generate", "0"}, 2, "both are 0"},
      {"experiment that is absent", {"run", "experiments/absent.yaml"}, 2, "not there"},
      {"experiment that is a folder", {"run", "experiments"}, 2, "a folder"},
      {"experiment that is no YAML", {"run", (folder_ / "broken.yaml").string()}, 2, "broken.yaml:"},
      {"duplicate key", {"run", (folder_ / "duplicate.yaml").string()}, 2, "duplicate.yaml:2:1: name"},
      {"misspelt key", run_with({"trainer.epoch=3"}), 2, "Did you mean 'epochs'?"},
      {"octal number", run_with({"model.width=010"}), 2, "model.width must be an integer"},
      {"wrong type", run_with({"model.width=wide"}), 2, "but is 'wide'"},
      {"out of range", run_with({"model.layers=0"}), 2, "model.layers must be"},
      {"unknown block", run_with({"compose.model=lama-1m"}), 2, "Did you mean 'llama-1m'?"},
      {"unknown data entry",
       {"data", "fetch", "wikitext-3/test"},
       2,
       "is 'wikitext-3/test'. Did you mean 'wikitext-2/test'?"},
      {"unknown data action", {"data", "remove", "x"}, 2, "EXPERIMENT.yaml, but are 'remove x'."},
      {"no data action", {"data"}, 2, "EXPERIMENT.yaml, but are missing."},
      {"no evaluator", {"evaluate", no_model}, 2, "--evaluator must name"},
      {"unknown evaluator", {"evaluate", no_model, "--evaluator", "perplexity-wrd"}, 2, "Did you mean"},
      {"evaluation of no model", {"evaluate", no_model, "--evaluator", "perplexity-word"}, 4, "no_model.safetensors"},
      {"generation by an absent model", {"generate", (folder_ / "absent").string()}, 4, "No such file"},
      {"generation by a folder of something else", {"generate", "configs"}, 4, "but is a folder without a config.json"},
      {"report of a page without results",
       {"report", (folder_ / "page.html").string()},
       4,
       "must hold its results once"},
      {"report of damaged results",
       {"report", (folder_ / "damaged.json").string()},
       4,
       "damaged.json: the file must be"},
      {"gate without a policy", {"gate", (folder_ / "damaged.json").string()}, 2, "--policy must be given"},
      {"gate with an absent policy", {"gate", "x.json", "--policy", "configs/gate/absent.yaml"}, 2, "not there"},
      {"gate of damaged results",
       {"gate", (folder_ / "damaged.json").string(), "--policy", "configs/gate/release.yaml"},
       4,
       "damaged.json: the file must be"},
      {"gate of results without a digest",
       {"gate", (folder_ / "earlier.json").string(), "--policy", "configs/gate/release.yaml"},
       4,
       "earlier.json: $.schema_version must be 3"},
      {"reproduction of an absent file", {"reproduce", (folder_ / "absent").string()}, 4, "No such file"},
      {"reproduction of a negative number of steps",
       {"reproduce", "x.json", "--stop-after-steps=-1"},
       2,
       "--stop-after-steps must be at least 0"},
      {"report of other JSON", {"report", (folder_ / "other.json").string()}, 4, "schema_version"},
  };
  for (const WrongCall& call : calls) {
    SCOPED_TRACE(call.name);
    std::vector<std::string> words = call.words;
    if (!words.empty() && words.front() == "run") {
      words.push_back("--out");
      words.push_back((folder_ / "runs").string());
    }
    const Answer refused = answer(words);
    EXPECT_EQ(refused.exit_code, call.exit_code) << refused.err;
    EXPECT_THAT(refused.err, StartsWith("error: "));
    EXPECT_THAT(refused.err, HasSubstr(call.message));
    EXPECT_EQ(refused.err.find("\nerror: "), std::string::npos) << refused.err;
    EXPECT_EQ(refused.out, "");
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "runs"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "report.html"));
}

TEST_F(Program, SeveralMistakesAreReportedAtOnce) {
  const Answer result = answer(run_with({"model.layers=0", "trainer.epoch=3", "dataset.train_bytes=1e6"}));
  EXPECT_THAT(result.err, HasSubstr("model.layers must be"));
  EXPECT_THAT(result.err, HasSubstr("trainer.epoch must be a known key"));
  EXPECT_THAT(result.err, HasSubstr("dataset.train_bytes must be an integer"));
}

}  // namespace
}  // namespace bitnet
