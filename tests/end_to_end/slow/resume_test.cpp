#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "framework/core/random.h"
#include "tests/end_to_end/slow/reference_run.h"

// A run that was stopped or killed at any moment ends, after the same command, with the bits of an uninterrupted one.

namespace bitnet::end_to_end {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kAllSteps = 2 * 45;

void sleep_milliseconds(uint64_t milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

/// Runs to the end and fails the test unless everything is as in the reference run.
void expect_reference_at_the_end(const Lab& lab) {
  const ProcessResult result = lab.bitnet(lab.run_words("runs"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(differences(lasting_content(lab.run_folder("runs")), reference_run().content), IsEmpty());
}

/// Kills runs at seeded random moments of the training: a number of recorded steps, and a few milliseconds after it,
/// so that every part of a step, of a checkpoint and of an epoch's end is hit in time.
TEST(Resume, KilledAtRandomMomentsOfTrainingTheBitsAreTheSame) {
  Random random = random_stream(20260131, 1);
  const Lab lab;
  const fs::path folder = future_run_folder(lab, "runs");
  int kills = 0, resumes = 0;
  for (int step = 1 + static_cast<int>(random.below(4)); step < kAllSteps;
       step += 5 + static_cast<int>(random.below(18))) {
    Process process(bitnet_command(lab.run_words("runs")), lab.options());
    ASSERT_TRUE(wait_until([&] { return steps_logged(folder) >= step || !process.running(); }));
    sleep_milliseconds(random.below(30));
    process.send(SIGKILL);
    const ProcessResult result = process.wait();
    kills += result.signal == SIGKILL ? 1 : 0;
    resumes += occurrences(result.err, "resumed at step");
    ASSERT_THAT(result.signal, AnyOf(0, SIGKILL)) << result.err;
  }
  EXPECT_GE(kills, 3);
  EXPECT_GE(resumes, 2);
  expect_reference_at_the_end(lab);
}

/// Moments of the whole program: also while it starts, reads data, evaluates and writes the report.
TEST(Resume, KilledAtRandomTimesTheBitsAreTheSame) {
  Random random = random_stream(20260131, 2);
  const Lab lab;
  int kills = 0;
  for (int round = 0; round < 5; ++round) {
    const double moment = 0.8 * random.uniform() * reference_run().result.cpu_seconds;
    Process process(bitnet_command(lab.run_words("runs")), lab.options());
    ASSERT_TRUE(wait_until([&] { return process.cpu_seconds() >= moment || !process.running(); }));
    process.send(SIGKILL);
    kills += process.wait().signal == SIGKILL ? 1 : 0;
  }
  EXPECT_GE(kills, 1);
  expect_reference_at_the_end(lab);
}

TEST(Resume, KilledBetweenTheTwinsOrBeforeTheReportTheBitsAreTheSame) {
  const Lab lab;
  const fs::path folder = future_run_folder(lab, "runs");
  for (const char* file : {"bitnet/seed-1/model.safetensors", "bitnet/seed-1/evaluation_perplexity-word-stored.json",
                           "traditional/seed-1/evaluation_perplexity-windows-stored.json"}) {
    Process process(bitnet_command(lab.run_words("runs")), lab.options());
    ASSERT_TRUE(wait_until([&] { return fs::exists(folder / file) || !process.running(); }));
    process.send(SIGKILL);
    process.wait();
  }
  expect_reference_at_the_end(lab);
}

class Stopped : public ::testing::TestWithParam<int> {};

TEST_P(Stopped, SavesACheckpointEndsByTheSignalAndResumes) {
  const Lab lab;
  const fs::path folder = future_run_folder(lab, "runs");
  Process process(bitnet_command(lab.run_words("runs")), lab.options());
  ASSERT_TRUE(wait_until([&] { return steps_logged(folder) >= 16 || !process.running(); }));
  process.send(GetParam());
  const ProcessResult stopped = process.wait();
  EXPECT_EQ(stopped.signal, GetParam()) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("a checkpoint was saved and the same command resumes"));
  EXPECT_TRUE(fs::exists(folder / "bitnet" / "seed-1" / "checkpoint.safetensors"));
  EXPECT_FALSE(fs::exists(folder / "results.json"));
  // The checkpoint is that of the last step: nothing of what was trained is lost.
  const int steps = steps_logged(folder);
  const ProcessResult resumed = lab.bitnet(lab.run_words("runs"));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("bitnet, seed 1: resumed at step " + std::to_string(steps) + " of 45"));
  EXPECT_THAT(differences(lasting_content(folder), reference_run().content), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Signals, Stopped, ::testing::Values(SIGINT, SIGTERM));

TEST(Resume, ASecondProcessIsRefusedAndTheFirstIsNotDisturbed) {
  const Lab lab;
  const fs::path folder = future_run_folder(lab, "runs");
  Process first(bitnet_command(lab.run_words("runs")), lab.options());
  ASSERT_TRUE(wait_until([&] { return steps_logged(folder) >= 1 || !first.running(); }));
  // Stopped, it can not end before the second one looks.
  first.send(SIGSTOP);
  expect_one_error(lab.bitnet(lab.run_words("runs")), 4, "held by another process");
  first.send(SIGCONT);
  const ProcessResult result = first.wait();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(differences(lasting_content(folder), reference_run().content), IsEmpty());
}

}  // namespace
}  // namespace bitnet::end_to_end
