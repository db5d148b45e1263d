#include "framework/experiment/reproduce.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/framework/experiment/sample_results.h"

namespace bitnet {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Reproduction reproduced(const Results& now, bool whole = true, const Results& published = sample_results()) {
  return compare_reproduction(published, now, true, whole);
}

TEST(Reproduce, TheSameRunIsIdenticalWhateverItsTimes) {
  Results now = sample_results({.efficiency = true});
  now.variants[0].seeds[0].train_seconds = 1;
  for (EvaluationItem& item : now.variants[0].seeds[0].evaluations.back().items) item.seconds *= 2;
  for (Metric& metric : now.variants[0].seeds[0].evaluations.back().metrics) metric.value /= 2;
  const Reproduction found = reproduced(now, true, sample_results({.efficiency = true}));
  EXPECT_TRUE(found.identical);
  ASSERT_EQ(found.trainings.size(), 2u);
  EXPECT_EQ(found.trainings[0].points, 90);
  EXPECT_EQ(found.trainings[0].last_step, 900);
  EXPECT_EQ(found.trainings[0].same_end, true);
  const std::string text = render_reproduction(found);
  EXPECT_THAT(text, AllOf(HasSubstr("bitnet, seed 1: the same initial weights; 90 points of the curve to step 900 "
                                    "identical; the same final weights\n"),
                          HasSubstr("Speed and memory, measured anew"), Not(HasSubstr("DIFFER"))));
  EXPECT_TRUE(text.ends_with("IDENTICAL: all that was compared has the same bits.\n"));
}

TEST(Reproduce, TheFirstPointThatDiffersIsNamed) {
  Results now = sample_results();
  std::vector<TrainPoint>& curve = now.variants[0].seeds[0].curve;
  curve[4].nats_per_token = std::nextafter(curve[4].nats_per_token, 9);
  curve[7].nats_per_token += 0.5;
  const Reproduction found = reproduced(now);
  EXPECT_FALSE(found.identical);
  ASSERT_TRUE(found.trainings[0].first_difference);
  EXPECT_EQ(found.trainings[0].first_difference->step, 50);
  EXPECT_NEAR(found.trainings[0].largest_loss_difference, 0.5, 1e-9);
  EXPECT_FALSE(found.trainings[1].first_difference);
  EXPECT_THAT(render_reproduction(found),
              AllOf(HasSubstr("THE CURVES DIFFER from step 50 on"), HasSubstr("\nDIFFERENT")));
}

TEST(Reproduce, WeightsFiguresAndDataCount) {
  Results weights = sample_results();
  weights.variants[1].seeds[0].final_weights_sha256[0] = '0';
  EXPECT_FALSE(reproduced(weights).identical);
  Results start = sample_results();
  start.variants[1].seeds[0].initial_weights_sha256[0] = '0';
  EXPECT_FALSE(reproduced(start).identical);
  Results figure = sample_results();
  figure.variants[1].seeds[0].evaluations[1].metrics[0].value += 1;
  EXPECT_FALSE(reproduced(figure).identical);
  EXPECT_THAT(render_reproduction(reproduced(figure)),
              HasSubstr("FIGURES THAT DIFFER:\n  traditional, seed 1: word_perplexity (perplexity-word): "));
  Results data = sample_results();
  data.data_sha256["train"][0] = '0';
  EXPECT_FALSE(reproduced(data).identical);
  EXPECT_THAT(render_reproduction(reproduced(data)), HasSubstr("the data 'train' has another SHA-256"));
}

TEST(Reproduce, TheFirstStepsAreComparedAsFarAsTheyGo) {
  Results now = sample_results();
  for (VariantResult& variant : now.variants) {
    SeedResult& seed = variant.seeds[0];
    seed.curve.resize(20);
    seed.evaluations.clear();
    seed.epochs.clear();
    seed.final_weights_sha256[0] = '0';
  }
  const Reproduction found = reproduced(now, false);
  EXPECT_TRUE(found.identical);
  EXPECT_EQ(found.trainings[0].points, 20);
  EXPECT_FALSE(found.trainings[0].same_end);
  EXPECT_TRUE(render_reproduction(found).ends_with("IDENTICAL so far: the first steps have the same bits.\n"));
}

TEST(Reproduce, PointsOfOtherStepsAreNotCompared) {
  // Records every 20 steps: no mean loss is over the steps of a published one, but the values at step 20 exist in both.
  Results now = sample_results();
  for (VariantResult& variant : now.variants) {
    std::vector<TrainPoint> kept;
    for (const TrainPoint& point : variant.seeds[0].curve) {
      if (point.step % 20 == 0) kept.push_back(point);
    }
    variant.seeds[0].curve = kept;
    variant.seeds[0].evaluations.clear();
  }
  const Reproduction found = reproduced(now, false);
  EXPECT_EQ(found.trainings[0].points, 0);
  EXPECT_FALSE(found.identical);  // nothing was compared
  EXPECT_THAT(render_reproduction(found), HasSubstr("NOTHING COMPARED: "));
}

TEST(Reproduce, WhatOnlyOneRunHasIsNamed) {
  Results now = sample_results({.seeds = {2}});
  Results old = sample_results();
  old.variants[0].seeds[0].evaluations[0].version = 9;
  EXPECT_THAT(reproduced(now).missing, ::testing::Contains("bitnet, seed 2, is new"));
  EXPECT_FALSE(reproduced(now).identical);
  EXPECT_THAT(render_reproduction(reproduced(now)), HasSubstr("not compared: bitnet, seed 1, was not run again"));
  EXPECT_THAT(render_reproduction(reproduced(sample_results(), true, old)), HasSubstr("is of another version (1, "));
  EXPECT_FALSE(reproduced(sample_results(), true, old).identical);
  EXPECT_TRUE(reproduced(sample_results()).identical);
  now = sample_results();
  now.variants[1].seeds[0].evaluations.pop_back();
  EXPECT_FALSE(reproduced(now).identical);
  now = sample_results();
  now.variants[0].seeds[0].evaluations[0].metrics.pop_back();
  EXPECT_FALSE(reproduced(now).identical);
  EXPECT_THAT(render_reproduction(reproduced(now)), HasSubstr("of bitnet, seed 1, was not measured again"));
}

TEST(Reproduce, SaysHowBuildAndMachineDiffer) {
  Results now = sample_results();
  now.environment_json.replace(now.environment_json.find("1.13.1"), 6, "2.6.00");
  now.variants[0].seeds[0].curve[0].nats_per_token = 1;
  const std::string text = render_reproduction(reproduced(now));
  EXPECT_THAT(text, AllOf(HasSubstr("LibTorch: 1.13.1 published, 2.6.00 now"), HasSubstr("Bits are promised for one")));
}

}  // namespace
}  // namespace bitnet
