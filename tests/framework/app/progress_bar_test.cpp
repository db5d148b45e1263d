#include "framework/app/progress_bar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitnet {
namespace {

using ::testing::ContainsRegex;

TEST(ProgressBar, ShortCountShowsThreeDigitsAndASuffix) {
  EXPECT_EQ(short_count(0), "0");
  EXPECT_EQ(short_count(7.4), "7");
  EXPECT_EQ(short_count(9999), "9999");
  EXPECT_EQ(short_count(10000), "10.0 k");
  EXPECT_EQ(short_count(45678), "45.7 k");
  EXPECT_EQ(short_count(456'000), "456 k");
  EXPECT_EQ(short_count(1'234'000), "1.23 M");
  EXPECT_EQ(short_count(98'700'000), "98.7 M");
  EXPECT_EQ(short_count(1.1e9), "1.10 G");
  EXPECT_EQ(short_count(2.5e12), "2500 G");
}

TEST(ProgressBar, ShortCountRoundsUpIntoTheNextSuffix) {
  EXPECT_EQ(short_count(9999.6), "10.0 k");
  EXPECT_EQ(short_count(99'960), "100 k");
  EXPECT_EQ(short_count(999'499), "999 k");
  EXPECT_EQ(short_count(999'950), "1.00 M");
  EXPECT_EQ(short_count(9'996'000), "10.0 M");
  EXPECT_EQ(short_count(999'600'000), "1.00 G");
}

TEST(ProgressBar, ShortTimeShowsHoursOnlyWhereThereAreSome) {
  EXPECT_EQ(short_time(-3), "0:00");
  EXPECT_EQ(short_time(0.4), "0:00");
  EXPECT_EQ(short_time(59.6), "1:00");
  EXPECT_EQ(short_time(123), "2:03");
  EXPECT_EQ(short_time(3599), "59:59");
  EXPECT_EQ(short_time(3723), "1:02:03");
  EXPECT_EQ(short_time(100 * 3600), "100:00:00");
}

TEST(ProgressBar, WhereThereIsNoTerminalItPrintsOneLineAtTheEnd) {
  ::testing::internal::CaptureStderr();
  {
    ProgressBar bar;
    bar.start("train", 200, "tokens", 100);
    bar.update(150, "loss 3.2");
    bar.update(200, "loss 3.1");
    bar.finish();
    bar.finish();
    bar.update(200, "after the end");
  }
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              ContainsRegex("^train: 100 %  [0-9.]+ ?[kMG]? tokens/s  in 0:00  loss 3\\.1\n$"));
}

TEST(ProgressBar, WorkThatEndsEarlyShowsHowFarItCame) {
  ::testing::internal::CaptureStderr();
  {
    ProgressBar bar;
    bar.start("tokenize", 400, "B");
    bar.update(100);
  }
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), ContainsRegex("^tokenize:  25 %  .* B/s  in 0:00\n$"));
}

}  // namespace
}  // namespace bitnet
