#include "framework/train/schedule.h"

#include <gtest/gtest.h>

namespace bitnet {
namespace {

OptimizerConfig schedule_config(ScheduleKind kind, double warmup_fraction) {
  OptimizerConfig config;
  config.learning_rate = 2.0;
  config.weight_decay = 0.1;
  config.schedule.kind = kind;
  config.schedule.warmup_fraction = warmup_fraction;
  config.schedule.final_fraction = 0.1;
  config.schedule.stage_two_at = 0.5;
  config.schedule.stage_two_learning_rate = 0.6667;
  config.schedule.stage_two_weight_decay = 0.01;
  return config;
}

struct SchedulePoint {
  int64_t step;
  double fraction;  ///< of the peak
  double weight_decay = 0.1;
};

void expect_points(const OptimizerConfig& config, int64_t total_steps, const std::vector<SchedulePoint>& points) {
  for (const SchedulePoint& point : points) {
    const StepHyper hyper = hyper_at(config, point.step, total_steps);
    EXPECT_NEAR(hyper.learning_rate, config.learning_rate * point.fraction, 1e-12) << "step " << point.step;
    EXPECT_EQ(hyper.weight_decay, point.weight_decay) << "step " << point.step;
  }
}

// In all of these: 111 steps, of which ceil(0.09 * 111) = 10 warm up, so that 100 steps lead from step 10 to step 110.
constexpr int64_t kSteps = 111;
constexpr double kWarmup = 0.09;

TEST(Schedule, Constant) {
  expect_points(schedule_config(ScheduleKind::kConstant, kWarmup), kSteps,
                {{0, 0.1}, {4, 0.5}, {9, 1.0}, {10, 1.0}, {60, 1.0}, {110, 1.0}});
}

TEST(Schedule, Linear) {
  expect_points(
      schedule_config(ScheduleKind::kLinear, kWarmup), kSteps,
      {{0, 0.1}, {8, 0.9}, {9, 1.0}, {10, 1.0}, {11, 0.991}, {35, 0.775}, {60, 0.55}, {109, 0.109}, {110, 0.1}});
}

TEST(Schedule, Cosine) {
  // A quarter of the way: 0.1 + 0.45 * (1 + sqrt(1/2)).
  expect_points(
      schedule_config(ScheduleKind::kCosine, kWarmup), kSteps,
      {{0, 0.1}, {9, 1.0}, {10, 1.0}, {35, 0.868198051533946}, {60, 0.55}, {85, 0.231801948466054}, {110, 0.1}});
}

TEST(Schedule, TwoStage) {
  // The second stage starts at the first step that is at least 0.5 * 111.
  expect_points(schedule_config(ScheduleKind::kTwoStage, kWarmup), kSteps,
                {{0, 0.1},
                 {10, 1.0},
                 {55, 0.595},
                 {56, 0.586 * 0.6667, 0.01},
                 {60, 0.55 * 0.6667, 0.01},
                 {110, 0.1 * 0.6667, 0.01}});
}

TEST(Schedule, TwoStageMayStartInItsSecondStage) {
  OptimizerConfig config = schedule_config(ScheduleKind::kTwoStage, 0.0);
  config.schedule.stage_two_at = 0.0;
  expect_points(config, 11, {{0, 0.6667, 0.01}, {10, 0.06667, 0.01}});
}

TEST(Schedule, WithoutWarmupTheFirstStepHasThePeak) {
  for (const ScheduleKind kind : {ScheduleKind::kConstant, ScheduleKind::kLinear, ScheduleKind::kCosine}) {
    expect_points(schedule_config(kind, 0.0), 10, {{0, 1.0}});
  }
}

TEST(Schedule, WarmupRoundsUpToWholeSteps) {
  // ceil(0.02 * 70) = 2.
  expect_points(schedule_config(ScheduleKind::kConstant, 0.02), 70, {{0, 0.5}, {1, 1.0}, {2, 1.0}});
}

TEST(Schedule, ARunOfFewSteps) {
  // One step is the last step, or all of the warm-up where there is one.
  expect_points(schedule_config(ScheduleKind::kLinear, 0.0), 1, {{0, 0.1}});
  expect_points(schedule_config(ScheduleKind::kLinear, 0.02), 1, {{0, 1.0}});
  expect_points(schedule_config(ScheduleKind::kCosine, 0.02), 2, {{0, 1.0}, {1, 0.1}});
  expect_points(schedule_config(ScheduleKind::kLinear, 0.02), 3, {{0, 1.0}, {1, 1.0}, {2, 0.1}});
}

TEST(Schedule, WarmupMayTakeTheWholeRun) {
  expect_points(schedule_config(ScheduleKind::kLinear, 0.95), 10, {{0, 0.1}, {4, 0.5}, {8, 0.9}, {9, 1.0}});
}

}  // namespace
}  // namespace bitnet
