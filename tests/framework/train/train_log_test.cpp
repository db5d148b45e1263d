#include "framework/train/train_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "tests/framework/core/temporary_folder.h"

namespace bitnet {
namespace {

using ::testing::HasSubstr;
using testing::TemporaryFolder;

// Numbers that have no short decimal form, small and large ones.
const TrainPoint kPoint{12, 1.0 / 3.0, 2.718281828459045, 1.2345678901234567e-7, 4.9e300};
const EpochRecord kEpoch{2, 1.0 / 7.0, 3.3000000000000003};
const TernaryRecord kTernary{2, "layers.0.attention.q", 0.34375, 0.3125, 0.34375, 0.015957691216057308, 1e-9};

TEST(TrainLog, RoundTripGivesTheSameNumbers) {
  const TemporaryFolder folder;
  TrainLog log(folder / "metrics.jsonl", 0);
  log.write(kPoint);
  log.write(kTernary);
  log.write(kEpoch);
  EXPECT_EQ(log.sync(), static_cast<int64_t>(std::filesystem::file_size(folder / "metrics.jsonl")));
  const TrainRecords records = read_train_log(folder / "metrics.jsonl");
  ASSERT_EQ(records.points.size(), 1u);
  EXPECT_EQ(records.points[0].step, kPoint.step);
  EXPECT_EQ(records.points[0].epoch, kPoint.epoch);
  EXPECT_EQ(records.points[0].nats_per_token, kPoint.nats_per_token);
  EXPECT_EQ(records.points[0].learning_rate, kPoint.learning_rate);
  EXPECT_EQ(records.points[0].gradient_norm, kPoint.gradient_norm);
  ASSERT_EQ(records.epochs.size(), 1u);
  EXPECT_EQ(records.epochs[0].epoch, kEpoch.epoch);
  EXPECT_EQ(records.epochs[0].train_nats_per_token, kEpoch.train_nats_per_token);
  EXPECT_EQ(records.epochs[0].validation_nats_per_token, kEpoch.validation_nats_per_token);
  ASSERT_EQ(records.ternary.size(), 1u);
  EXPECT_EQ(records.ternary[0].epoch, kTernary.epoch);
  EXPECT_EQ(records.ternary[0].layer, kTernary.layer);
  EXPECT_EQ(records.ternary[0].minus, kTernary.minus);
  EXPECT_EQ(records.ternary[0].zero, kTernary.zero);
  EXPECT_EQ(records.ternary[0].plus, kTernary.plus);
  EXPECT_EQ(records.ternary[0].gamma, kTernary.gamma);
  EXPECT_EQ(records.ternary[0].flipped, kTernary.flipped);
}

TEST(TrainLog, ReopeningCutsWhatCameAfter) {
  const TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  int64_t kept = 0;
  {
    TrainLog log(path, 0);
    log.write(kPoint);
    kept = log.sync();
    log.write(kEpoch);
    log.write(kEpoch);
  }
  const std::string first = read_file(path).substr(0, static_cast<size_t>(kept));
  {
    TrainLog log(path, kept);
    EXPECT_EQ(read_file(path), first);
    log.write(kTernary);
    EXPECT_GT(log.sync(), kept);
  }
  EXPECT_EQ(read_file(path).substr(0, first.size()), first);
  const TrainRecords records = read_train_log(path);
  EXPECT_EQ(records.points.size(), 1u);
  EXPECT_EQ(records.epochs.size(), 0u);
  EXPECT_EQ(records.ternary.size(), 1u);
}

TEST(TrainLog, FileShorterThanItWasIsADataError) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "metrics.jsonl", "{}\n");
  try {
    TrainLog log(folder / "metrics.jsonl", 4);
    FAIL() << "no error was thrown";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("must have at least the 4 bytes that the checkpoint counted, but has 3"));
  }
  EXPECT_EQ(read_file(folder / "metrics.jsonl"), "{}\n");
}

TEST(TrainLog, FileThatCanNotBeOpenedIsADataError) {
  const TemporaryFolder folder;
  EXPECT_THROW(TrainLog(folder.path(), 0), DataError);
  EXPECT_THROW(TrainLog(folder / "absent" / "metrics.jsonl", 0), DataError);
  EXPECT_THROW(read_train_log(folder / "absent"), DataError);
}

TEST(TrainLog, DamagedLineIsNamedWithItsNumber) {
  const TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  TrainLog(path, 0).write(kEpoch);
  const std::string good = read_file(path);
  const std::string no_layer = R"({"kind":"ternary","epoch":1})";
  const std::string no_number =
      R"({"kind":"epoch","epoch":1,"train_nats_per_token":null,"validation_nats_per_token":2})";
  for (const std::string& bad : {std::string("{\"kind\":\"epo"), std::string("[]"), std::string(),
                                 std::string(R"({"kind":"other"})"), no_layer, no_number}) {
    write_file_atomic(path, good + good + bad + "\n" + good);
    try {
      read_train_log(path);
      ADD_FAILURE() << "no error was thrown: " << bad;
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr(path.string() + ":3: the line must be a training record, but is not"));
    }
  }
}

}  // namespace
}  // namespace bitnet
