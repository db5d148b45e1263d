#include "framework/experiment/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "tests/framework/core/temporary_folder.h"

namespace bitnet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Bench, FormsTakeTurnsForwardAndBackward) {
  EXPECT_THAT(turn_order(1, 0), ElementsAre(0));
  EXPECT_THAT(turn_order(1, 1), ElementsAre(0));
  EXPECT_THAT(turn_order(2, 0), ElementsAre(0, 1));
  EXPECT_THAT(turn_order(2, 1), ElementsAre(1, 0));
  EXPECT_THAT(turn_order(2, 2), ElementsAre(0, 1));
  EXPECT_THAT(turn_order(3, 0), ElementsAre(0, 1, 2));
  EXPECT_THAT(turn_order(3, 3), ElementsAre(2, 1, 0));
}

TEST(Bench, MedianIsTheMiddleOrTheMeanOfTheTwoMiddles) {
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({9, 1, 2}), 2);
  EXPECT_EQ(median({9, 1, 2, 4}), 3);
}

TEST(Bench, RatiosAreOfSamplesOfTheSameRepetition) {
  // The ratio of the medians would be 20 / 4.
  EXPECT_EQ(ratios_of({10, 20, 30}, {1, 5, 4}), (std::vector<double>{10, 4, 7.5}));
}

TEST(Bench, ALimitIsThatOfTheFormsOwnArithmeticOrOfTheMemory) {
  const MachineLimits before{1e9, 2e9, 3e9}, after{2e9, 1e9, 3e9};
  for (const LinearForm form : kAllForms) {
    const std::optional<SpeedLimit> limit = limit_of(form, /*generation=*/true, before, after);
    ASSERT_TRUE(limit);
    EXPECT_EQ(limit->kind, "read_bandwidth");
    EXPECT_EQ(limit->value, 2e9);
    EXPECT_EQ(limit->before, 1e9);
    EXPECT_EQ(limit->after, 2e9);
  }
  const std::optional<SpeedLimit> packed = limit_of(LinearForm::kPacked, /*generation=*/false, before, after);
  EXPECT_EQ(packed->kind, "int8_rate");
  EXPECT_EQ(packed->value, 2e9);
  const std::optional<SpeedLimit> floats = limit_of(LinearForm::kFloat32, /*generation=*/false, before, after);
  EXPECT_EQ(floats->kind, "float32_rate");
  EXPECT_EQ(floats->value, 3e9);
  EXPECT_FALSE(limit_of(LinearForm::kBfloat16, /*generation=*/false, before, after));
}

TEST(Bench, OnlyThePackedModelHasAChoiceOfHeads) {
  EXPECT_EQ(head_of(LinearForm::kPacked, HeadFormat::kInt8), HeadFormat::kInt8);
  EXPECT_EQ(head_of(LinearForm::kFloat32, HeadFormat::kInt8), HeadFormat::kFloat32);
  EXPECT_EQ(head_of(LinearForm::kBfloat16, HeadFormat::kInt8), HeadFormat::kBfloat16);
}

/// Benches with shell scripts for workers. `$3` is a worker's form.
class BenchWithScripts : public ::testing::Test {
 protected:
  /// The commands behind the line that says that the model is ready.
  BenchResult run(const std::string& commands) {
    const std::filesystem::path script = folder_ / "worker.sh";
    write_file_atomic(script,
                      "#!/bin/sh\n"
                      "ready='{\"ready\": true, \"head\": \"int8\", \"base_rss_bytes\": 96, \"weight_bytes\": 1000, "
                      "\"cache_bytes\": 10, "
                      "\"bytes_per_token\": 400, "
                      "\"products_per_token\": 50}'\n"
                      "answer='{\"seconds\": 0.5, \"peak_rss_bytes\": 4096}'\n" +
                          commands);
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    BenchMeans means;
    means.program = script.string();
    means.limits = [this](int64_t threads) {
      EXPECT_EQ(threads, 1);
      limits_.read_bytes_per_second *= 2;
      return limits_;
    };
    ProgressReporter silent;
    return run_bench(options_, silent, means);
  }

  /// The Error that ends it.
  Error failure(const std::string& commands) {
    try {
      run(commands);
    } catch (const Error& error) {
      return error;
    }
    return Error(ExitCode::kDone, "no error");
  }

  std::vector<std::string> requests() const {
    std::istringstream log(read_file(folder_ / "log"));
    std::vector<std::string> lines;
    for (std::string line; std::getline(log, line);) lines.push_back(line);
    return lines;
  }

  std::string answering() const {
    return "echo \"$ready\"\nwhile read -r line; do echo \"$3 $line\" >> '" + (folder_ / "log").string() +
           "'; echo \"$answer\"; done\n";
  }

  testing::TemporaryFolder folder_;
  BenchOptions options_{
      .subjects = forms_as_subjects("some-model", {LinearForm::kPacked, LinearForm::kFloat32}, HeadFormat::kInt8),
      .prompt = 8,
      .generate = 4,
      .threads = 1,
      .repetitions = 3};
  MachineLimits limits_{100, 4000, 2000};
};

TEST_F(BenchWithScripts, WarmsUpThenMeasuresEachTestByTurns) {
  const BenchResult result = run(answering());
  const std::string pp = R"( {"test":"pp","tokens":8})", tg = R"( {"test":"tg","tokens":4})";
  std::vector<std::string> expected;
  for (const std::string& test : {pp, tg}) {
    // Equal times are stable at the second round; a prompt is read once more before.
    for (const std::string form : {"packed", "float"}) expected.insert(expected.end(), test == pp ? 3 : 2, form + test);
    for (const std::string form : {"packed", "float", "float", "packed", "packed", "float"}) {
      expected.push_back(form + test);
    }
  }
  EXPECT_EQ(requests(), expected);
  ASSERT_EQ(result.rows.size(), 4U);
  EXPECT_EQ(result.machine.threads, 1);
  const BenchRow& packed_pp = result.rows[0];
  EXPECT_EQ(packed_pp.model, "some-model");
  EXPECT_EQ(packed_pp.test, "pp8");
  EXPECT_THAT(packed_pp.samples, ElementsAre(16, 16, 16));
  EXPECT_EQ(packed_pp.median_tokens_per_second, 16);
  EXPECT_EQ(packed_pp.peak_rss_bytes, 4096);
  EXPECT_EQ(packed_pp.base_rss_bytes, 96);
  EXPECT_EQ(packed_pp.weight_bytes, 1000);
  EXPECT_EQ(packed_pp.cache_bytes, 10);
  EXPECT_EQ(packed_pp.share_of_limit, 16.0 * 50 / 4000);
  EXPECT_EQ(result.rows[1].linear, LinearForm::kFloat32);
  EXPECT_EQ(result.rows[1].share_of_limit, 16.0 * 50 / 2000);
  EXPECT_EQ(result.rows[2].test, "tg4");
  // The second measurement of the limits found the larger bandwidth, 4 x 100.
  EXPECT_EQ(result.rows[2].share_of_limit, 8.0 * 400 / 400);
}

TEST_F(BenchWithScripts, LeavesOutATestOfNoTokens) {
  options_.prompt = 0;
  const BenchResult result = run(answering());
  ASSERT_EQ(result.rows.size(), 2U);
  EXPECT_EQ(result.rows[0].test, "tg4");
}

TEST_F(BenchWithScripts, AKilledWorkerIsAnError) {
  const Error error = failure("echo \"$ready\"\nread -r line\nkill -9 $$\n");
  EXPECT_EQ(error.exit_code(), ExitCode::kInternal);
  EXPECT_THAT(error.what(), HasSubstr("worker 'packed': the process must answer, but was ended by signal 9"));
}

TEST_F(BenchWithScripts, AWorkerThatEndsOrNeverStartsIsAnError) {
  EXPECT_THAT(failure("exit 3\n").what(), HasSubstr("but ended with exit code 3."));
  EXPECT_THAT(failure("exit 127\n").what(), HasSubstr("but could not be started."));
  EXPECT_THAT(failure("exec >&- <&-\nexec sleep 100\n").what(), HasSubstr("but closed its output."));
}

TEST_F(BenchWithScripts, AWorkersOwnErrorIsPassedOn) {
  const Error error = failure("echo '{\"error\": \"x.safetensors: bad\", \"exit_code\": 4}'\nexit 4\n");
  EXPECT_EQ(error.exit_code(), ExitCode::kData);
  EXPECT_STREQ(error.what(), "x.safetensors: bad");
}

TEST_F(BenchWithScripts, AnAnswerOfAnotherFormIsAnError) {
  EXPECT_THAT(failure("echo 'Hello.'\nread -r line\n").what(), HasSubstr("must be a JSON object, but is 'Hello.'"));
  EXPECT_THAT(failure("echo \"$ready\"\nread -r line\necho '{\"seconds\": \"few\"}'\nread -r line\n").what(),
              HasSubstr("must have the number 'peak_rss_bytes'"));
}

}  // namespace
}  // namespace bitnet
