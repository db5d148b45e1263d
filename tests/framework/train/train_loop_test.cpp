#include "framework/train/train_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/nn/model_file.h"
#include "framework/train/trainer.h"
#include "tests/framework/train/train_support.h"

namespace bitnet {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::text_model;
using testing::TextWindows;

constexpr int64_t kStepsOfAnEpoch = 5;
constexpr int64_t kAllSteps = 10;

/// Two epochs of five steps, a record every second step, a checkpoint every third.
class TrainToEnd : public ::testing::Test {
 protected:
  TrainJob job(const fs::path& folder) const {
    TrainJob job;
    job.folder = folder;
    job.label = "test";
    job.identity = "0123456789abcdef";
    job.model_metadata = {{"variant", "one"}};
    job.optimizer.learning_rate = 1e-2;
    job.trainer.epochs = 2;
    job.trainer.batch_windows = 3;
    job.trainer.log_every_steps = 2;
    job.trainer.checkpoint_every_steps = 3;
    job.seed = 4;
    job.train = &train_.windows();
    job.validation = &validation_.windows();
    return job;
  }

  TrainOutcome train(const TrainJob& job, LinearKind linear = LinearKind::kBitnet) const {
    DecoderLM model = text_model(linear);
    ProgressReporter silent;
    return train_to_end(model, job, silent);
  }

  /// The text of the DataError that `job` gives; fails where it gives none.
  std::string error_of(const TrainJob& job) const {
    try {
      train(job);
    } catch (const DataError& error) {
      return error.what();
    }
    ADD_FAILURE() << "no DataError was thrown";
    return "";
  }

  TemporaryFolder folder_;
  TextWindows train_{testing::repeated_text(16), testing::kTextContext};  // 5 batches of 3, one window left over
  TextWindows validation_{testing::repeated_text(4), testing::kTextContext};
};

/// true at one step, counted from 1 over all calls.
std::function<bool()> stop_at(int64_t step) {
  return [step, calls = int64_t{0}]() mutable { return ++calls == step; };
}

void expect_same_results(const fs::path& folder, const fs::path& expected) {
  EXPECT_EQ(read_file(folder / "metrics.jsonl"), read_file(expected / "metrics.jsonl"));
  EXPECT_EQ(read_file(folder / "model.safetensors"), read_file(expected / "model.safetensors"));
}

TEST_F(TrainToEnd, LeavesTheModelTheRecordsAndTheTime) {
  for (const LinearKind linear : {LinearKind::kFloat, LinearKind::kBitnet}) {
    const fs::path folder = folder_ / (linear == LinearKind::kFloat ? "float" : "bitnet");
    DecoderLM model = text_model(linear);
    const std::string initial = weights_sha256(model);
    ProgressReporter silent;
    const TrainOutcome outcome = train_to_end(model, job(folder), silent);
    EXPECT_EQ(outcome.steps, kAllSteps);
    EXPECT_EQ(outcome.tokens_seen, kAllSteps * 3 * testing::kTextContext);
    EXPECT_GT(outcome.train_seconds, 0.0);
    EXPECT_EQ(outcome.initial_weights_sha256, initial);
    EXPECT_EQ(outcome.final_weights_sha256, weights_sha256(model));
    EXPECT_NE(outcome.final_weights_sha256, initial);

    std::set<std::string> files;
    for (const auto& entry : fs::directory_iterator(folder)) files.insert(entry.path().filename());
    EXPECT_EQ(files, (std::set<std::string>{"metrics.jsonl", "model.safetensors", "timing.json"}));
    const ModelSource loaded = open_model_file(folder / "model.safetensors");
    EXPECT_EQ(weights_sha256(loaded), outcome.final_weights_sha256);
    EXPECT_EQ(loaded.metadata.at("variant"), "one");
    EXPECT_EQ(loaded.metadata.at("identity"), "0123456789abcdef");
  }
}

TEST_F(TrainToEnd, RecordsPointsEpochsAndTernaryStatistics) {
  DecoderLM model = text_model(LinearKind::kBitnet);
  ProgressReporter silent;
  const TrainRecords records = train_to_end(model, job(folder_ / "run"), silent).records;
  std::vector<int64_t> steps;
  for (const TrainPoint& point : records.points) {
    steps.push_back(point.step);
    EXPECT_EQ(point.epoch, static_cast<double>(point.step) / kStepsOfAnEpoch);
    EXPECT_GT(point.gradient_norm, 0.0);
  }
  EXPECT_EQ(steps, (std::vector<int64_t>{2, 4, 6, 8, 10}));
  ASSERT_EQ(records.epochs.size(), 2u);
  EXPECT_EQ(records.epochs[1].epoch, 2);
  EXPECT_EQ(records.epochs[1].validation_nats_per_token, validation_loss(model, validation_.windows(), 3));
  EXPECT_LT(records.epochs[1].train_nats_per_token, records.epochs[0].train_nats_per_token);
  // The epochs' means are those of all steps, and so are those of the points (here of two steps each).
  double of_points = 0;
  for (const TrainPoint& point : records.points) of_points += point.nats_per_token / 5;
  EXPECT_NEAR((records.epochs[0].train_nats_per_token + records.epochs[1].train_nats_per_token) / 2, of_points, 1e-9);
  const size_t layers = model.linears().size();
  ASSERT_EQ(records.ternary.size(), 3 * layers);
  double flipped = 0;
  for (size_t i = 0; i < records.ternary.size(); ++i) {
    EXPECT_EQ(records.ternary[i].epoch, static_cast<int64_t>(i / layers));
    EXPECT_EQ(records.ternary[i].layer, model.linears()[i % layers].name);
    if (i >= layers) flipped += records.ternary[i].flipped;
  }
  EXPECT_GT(flipped, 0.0);
}

TEST_F(TrainToEnd, RecordsAnEpochThatTheStepLimitCuts) {
  TrainJob cut = job(folder_ / "cut");
  cut.trainer.max_steps = 7;
  const TrainOutcome outcome = train(cut);
  EXPECT_EQ(outcome.steps, 7);
  EXPECT_EQ(outcome.records.points.back().step, 7);
  EXPECT_EQ(outcome.records.epochs.size(), 2u);
}

TEST_F(TrainToEnd, StoppedAnywhereAndResumedGivesTheSameBytes) {
  for (const LinearKind linear : {LinearKind::kFloat, LinearKind::kBitnet}) {
    const std::string kind = linear == LinearKind::kFloat ? "float" : "bitnet";
    const TrainOutcome whole = train(job(folder_ / kind), linear);
    // The first step, a checkpoint, beside one, the end of an epoch, right after it, and just before the end.
    for (const int64_t step : {1, 3, 4, 5, 6, 9}) {
      SCOPED_TRACE(kind + " stopped at step " + std::to_string(step));
      const fs::path folder = folder_ / (kind + std::to_string(step));
      TrainJob stopping = job(folder);
      stopping.should_stop = stop_at(step);
      EXPECT_THROW(train(stopping, linear), Interrupted);
      EXPECT_TRUE(fs::exists(folder / "checkpoint.safetensors"));
      EXPECT_FALSE(fs::exists(folder / "model.safetensors"));
      const TrainOutcome resumed = train(job(folder), linear);
      expect_same_results(folder, folder_ / kind);
      EXPECT_EQ(resumed.final_weights_sha256, whole.final_weights_sha256);
      EXPECT_EQ(resumed.initial_weights_sha256, whole.initial_weights_sha256);
      EXPECT_EQ(resumed.steps, whole.steps);
      EXPECT_FALSE(fs::exists(folder / "checkpoint.safetensors"));
    }
  }
}

TEST_F(TrainToEnd, LeftAfterSomeStepsItHasTheFirstPointsOfTheWholeTraining) {
  const TrainOutcome whole = train(job(folder_ / "whole"));
  EXPECT_TRUE(whole.finished);
  TrainJob first = job(folder_ / "first");
  first.stop_after_steps = 7;  // inside the second epoch, between two records
  const TrainOutcome part = train(first);
  EXPECT_FALSE(part.finished);
  EXPECT_EQ(part.steps, 7);
  EXPECT_EQ(part.tokens_seen, whole.tokens_seen / kAllSteps * 7);
  EXPECT_EQ(part.initial_weights_sha256, whole.initial_weights_sha256);
  ASSERT_EQ(part.records.points.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(part.records.points[i].step, whole.records.points[i].step);
    EXPECT_EQ(part.records.points[i].nats_per_token, whole.records.points[i].nats_per_token);
    EXPECT_EQ(part.records.points[i].learning_rate, whole.records.points[i].learning_rate);
  }
  EXPECT_FALSE(fs::exists(folder_ / "first" / "model.safetensors"));
  // What is left goes on to the same end.
  first.stop_after_steps = 0;
  EXPECT_EQ(train(first).final_weights_sha256, whole.final_weights_sha256);
  TrainJob beyond = job(folder_ / "beyond");
  beyond.stop_after_steps = kAllSteps + 5;
  EXPECT_EQ(train(beyond).final_weights_sha256, whole.final_weights_sha256);
  EXPECT_TRUE(fs::exists(folder_ / "beyond" / "model.safetensors"));
}

TEST_F(TrainToEnd, StoppedAfterEveryStepGivesTheSameBytes) {
  train(job(folder_ / "whole"));
  TrainJob stopping = job(folder_ / "steps");
  stopping.should_stop = [] { return true; };
  for (int64_t step = 1; step < kAllSteps; ++step) EXPECT_THROW(train(stopping), Interrupted) << step;
  EXPECT_NO_THROW(train(stopping));  // asked to stop at the last step, it has nothing left to do
  expect_same_results(folder_ / "steps", folder_ / "whole");
}

TEST_F(TrainToEnd, BrokenOffBetweenCheckpointsGivesTheSameBytes) {
  train(job(folder_ / "whole"));
  // As a kill would: steps and records since the last checkpoint, of which there is none at first, are lost.
  for (const int64_t step : {2, 5, 9}) {
    const fs::path folder = folder_ / ("killed" + std::to_string(step));
    TrainJob breaking = job(folder);
    breaking.should_stop = [stop = stop_at(step)]() mutable -> bool {
      if (stop()) throw std::runtime_error("killed");
      return false;
    };
    EXPECT_THROW(train(breaking), std::runtime_error);
    train(job(folder));
    expect_same_results(folder, folder_ / "whole");
  }
}

TEST_F(TrainToEnd, FinishedTrainingIsReadAndNotRunAgain) {
  const TrainOutcome first = train(job(folder_ / "run"));
  const std::string timing = read_file(folder_ / "run" / "timing.json");
  TrainJob again = job(folder_ / "run");
  int64_t steps = 0;
  again.should_stop = [&] { return ++steps < 0; };
  DecoderLM model = text_model(LinearKind::kBitnet);
  ProgressReporter silent;
  const TrainOutcome second = train_to_end(model, again, silent);
  EXPECT_EQ(steps, 0);
  EXPECT_EQ(weights_sha256(model), first.final_weights_sha256);
  EXPECT_EQ(second.final_weights_sha256, first.final_weights_sha256);
  EXPECT_EQ(second.initial_weights_sha256, first.initial_weights_sha256);
  EXPECT_EQ(second.train_seconds, first.train_seconds);
  EXPECT_EQ(second.records.points.size(), first.records.points.size());
  EXPECT_EQ(second.records.ternary.size(), first.records.ternary.size());
  EXPECT_EQ(read_file(folder_ / "run" / "timing.json"), timing);

  write_file_atomic(folder_ / "run" / "timing.json", "{\"train_sec");
  EXPECT_THAT(error_of(job(folder_ / "run")), HasSubstr("timing.json: the file must hold train_seconds, but does not"));
}

TEST_F(TrainToEnd, CheckpointOrModelOfAnotherTrainingIsRefused) {
  TrainJob stopping = job(folder_ / "run");
  stopping.should_stop = stop_at(4);
  EXPECT_THROW(train(stopping), Interrupted);
  const std::string checkpoint = read_file(folder_ / "run" / "checkpoint.safetensors");
  TrainJob other = job(folder_ / "run");
  other.identity = "fedcba9876543210";
  EXPECT_THAT(error_of(other), HasSubstr("checkpoint.safetensors: the training's identity must be fedcba987654, but is "
                                         "0123456789ab: the file belongs to another configuration"));
  EXPECT_EQ(read_file(folder_ / "run" / "checkpoint.safetensors"), checkpoint);

  train(job(folder_ / "run"));
  EXPECT_THAT(error_of(other), HasSubstr("model.safetensors: the training's identity must be fedcba987654"));
}

TEST_F(TrainToEnd, DamagedCheckpointIsRefused) {
  TrainJob stopping = job(folder_ / "run");
  stopping.should_stop = stop_at(4);
  EXPECT_THROW(train(stopping), Interrupted);
  const fs::path path = folder_ / "run" / "checkpoint.safetensors";
  const std::string whole = read_file(path);
  for (const size_t at : {size_t{20}, whole.size() / 2, whole.size() - 1}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    write_file_atomic(path, damaged);
    EXPECT_THAT(error_of(job(folder_ / "run")), HasSubstr(path.string())) << "byte " << at;
  }
  write_file_atomic(path, whole.substr(0, whole.size() / 2));
  EXPECT_THAT(error_of(job(folder_ / "run")), HasSubstr(path.string()));

  write_file_atomic(path, whole);
  write_file_atomic(folder_ / "run" / "metrics.jsonl", "");
  EXPECT_THAT(error_of(job(folder_ / "run")), HasSubstr("the training log must have at least"));
  EXPECT_FALSE(fs::exists(folder_ / "run" / "model.safetensors"));
}

TEST_F(TrainToEnd, TextTooShortIsADataErrorBeforeTraining) {
  const TextWindows two(testing::repeated_text(2), testing::kTextContext);
  TrainJob little = job(folder_ / "run");
  little.train = &two.windows();
  EXPECT_THAT(error_of(little),
              HasSubstr("must hold at least one batch of 3 windows of 16 tokens, but holds 2 windows"));

  const TextWindows none("Too short.", testing::kTextContext);
  TrainJob unchecked = job(folder_ / "run");
  unchecked.validation = &none.windows();
  EXPECT_THAT(error_of(unchecked), HasSubstr("the validation split must fill at least one window of 16 tokens"));
  EXPECT_FALSE(fs::exists(folder_ / "run"));
}

}  // namespace
}  // namespace bitnet
