#include "framework/experiment/delta_outcomes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "framework/core/error.h"
#include "framework/experiment/proportions.h"
#include "tests/framework/experiment/sample_results.h"

namespace bitnet {
namespace {

using ::testing::HasSubstr;

/// An evaluation with these outcomes of the metric "acc".
Evaluation with_outcomes(const std::vector<double>& outcomes) {
  Evaluation evaluation;
  evaluation.evaluator = "choices";
  double sum = 0;
  for (const double outcome : outcomes) {
    evaluation.items.push_back({std::to_string(evaluation.items.size()), 0, 0, 0, 0, {{"acc", outcome}}});
    sum += outcome;
  }
  evaluation.metrics = {{"acc", sum / static_cast<double>(outcomes.size()), "accuracy", false}};
  return evaluation;
}

/// Results of two variants whose seeds have these outcomes.
DeltaRow row_of(const std::vector<std::vector<double>>& candidate, const std::vector<std::vector<double>>& baseline) {
  Results results;
  results.baseline = "traditional";
  results.variants.resize(2);
  results.variants[0].name = "bitnet";
  results.variants[1].name = "traditional";
  for (size_t i = 0; i < candidate.size(); ++i) {
    for (const bool first : {true, false}) {
      SeedResult seed;
      seed.seed = static_cast<int64_t>(i);
      seed.evaluations = {with_outcomes((first ? candidate : baseline)[i])};
      results.variants[first ? 0 : 1].seeds.push_back(seed);
    }
  }
  return compare_variants(results).at(0).rows.at(0);
}

/// Outcomes of two models with so many questions of each kind: both right, candidate only, baseline only, neither.
std::pair<std::vector<double>, std::vector<double>> paired_with(const PairedOutcomes& counts) {
  std::pair<std::vector<double>, std::vector<double>> outcomes;
  const auto add = [&outcomes](int64_t count, double candidate, double baseline) {
    for (int64_t i = 0; i < count; ++i) outcomes.first.push_back(candidate), outcomes.second.push_back(baseline);
  };
  add(counts.both, 1, 1), add(counts.candidate_only, 1, 0), add(counts.baseline_only, 0, 1), add(counts.neither, 0, 0);
  return outcomes;
}

DeltaRow row_of(const PairedOutcomes& counts) {
  const auto [candidate, baseline] = paired_with(counts);
  return row_of({candidate}, {baseline});
}

TEST(DeltaOutcomes, OneSeedHasNewcombesIntervalMcNemarsTestAndWilsonsIntervals) {
  const PairedOutcomes counts{20, 12, 2, 16};
  const DeltaRow row = row_of(counts);
  EXPECT_DOUBLE_EQ(row.candidate, 32 / 50.0);
  EXPECT_DOUBLE_EQ(row.baseline, 22 / 50.0);
  EXPECT_NEAR(*row.points, 20, 1e-12);
  EXPECT_NEAR(row.delta_percent, 100 * 10.0 / 22, 1e-9);
  const Interval difference = paired_difference_interval(counts);
  EXPECT_NEAR(row.points_interval->low, 100 * difference.low, 1e-12);
  EXPECT_NEAR(row.points_interval->high, 100 * difference.high, 1e-12);
  EXPECT_NEAR(row.interval_percent->low, 100 * difference.low / 0.44, 1e-9);
  EXPECT_EQ(*row.p_value, mcnemar_p_value(counts));
  EXPECT_EQ(row.candidate_interval->low, wilson_interval(32, 50).low);
  EXPECT_EQ(row.baseline_interval->high, wilson_interval(22, 50).high);
  EXPECT_EQ(row.items, 50);
  EXPECT_EQ(row.method, "Newcombe's paired score interval");
  EXPECT_EQ(row.band, Band::kMajorWin);
}

TEST(DeltaOutcomes, AWorseCandidateHasAMinusAndAMirroredInterval) {
  const DeltaRow better = row_of(PairedOutcomes{20, 12, 2, 16});
  const DeltaRow worse = row_of(PairedOutcomes{20, 2, 12, 16});
  EXPECT_NEAR(*worse.points, -*better.points, 1e-12);
  EXPECT_NEAR(worse.points_interval->low, -better.points_interval->high, 1e-9);
  EXPECT_EQ(worse.band, Band::kSignificantDeficiency);
}

TEST(DeltaOutcomes, NothingIsDecidedThatTheExactTestDoesNotConfirm) {
  const DeltaRow row = row_of(PairedOutcomes{500, 5, 0, 495});
  EXPECT_GT(row.points_interval->low, 0);
  EXPECT_NEAR(*row.p_value, 0.0625, 1e-12);
  EXPECT_EQ(row.band, Band::kParity);
  EXPECT_EQ(row_of(PairedOutcomes{500, 9, 0, 495}).band, Band::kMinorWin);
  EXPECT_EQ(row_of(PairedOutcomes{54, 0, 0, 0}).band, Band::kParity);
}

TEST(DeltaOutcomes, SeveralSeedsAndPartsOfOneAreResampled) {
  const auto [candidate, baseline] = paired_with({20, 12, 2, 16});
  const DeltaRow seeds = row_of({candidate, candidate}, {baseline, baseline});
  EXPECT_EQ(seeds.method, "Student's interval of items and seeds");
  EXPECT_FALSE(seeds.p_value);
  EXPECT_FALSE(seeds.candidate_interval);
  EXPECT_NEAR(*seeds.points, 20, 1e-12);
  EXPECT_LT(seeds.points_interval->low, 20);
  EXPECT_GT(seeds.points_interval->low, 0);
  EXPECT_GT(seeds.points_interval->high, 20);

  std::vector<double> parts = candidate;
  parts[0] = 0.5;  // pass@1 of several samples
  const DeltaRow row = row_of({parts}, {baseline});
  EXPECT_EQ(row.method, "paired bootstrap-t of items");
  EXPECT_TRUE(row.points_interval);
  EXPECT_FALSE(row.p_value);
}

TEST(DeltaOutcomes, FewItemsHaveNoBootstrapAndTellWhy) {
  const DeltaRow row = row_of({{1, 0.5, 0}}, {{0, 0, 0.5}});
  EXPECT_FALSE(row.points_interval);
  EXPECT_THAT(row.method, HasSubstr("3 items only"));
  EXPECT_EQ(row.band, Band::kUnresolved);
  EXPECT_TRUE(row.points);
}

TEST(DeltaOutcomes, ABaselineOfZeroIsComparedInPoints) {
  const DeltaRow row = row_of(PairedOutcomes{0, 12, 0, 16});
  EXPECT_TRUE(std::isinf(row.delta_percent));
  EXPECT_FALSE(row.interval_percent);
  EXPECT_GT(row.points_interval->low, 0);
  EXPECT_THAT(row.method, HasSubstr("in points only"));
  EXPECT_EQ(row.band, Band::kMajorWin);
}

TEST(DeltaOutcomes, AMetricThatIsNotTheirMeanHasNoInterval) {
  Evaluation evaluation = with_outcomes({1, 0, 0, 1});
  EXPECT_TRUE(outcomes_give_metric(evaluation, evaluation.metrics[0]));
  EXPECT_FALSE(outcomes_give_metric(evaluation, {"acc", 0.51, "accuracy", false}));
  EXPECT_FALSE(outcomes_give_metric(evaluation, {"other", 0.5, "accuracy", false}));
  evaluation.items.clear();
  EXPECT_FALSE(outcomes_give_metric(evaluation, evaluation.metrics[0]));
}

TEST(DeltaOutcomes, SentencesSpeakOfPoints) {
  const Comparison comparison = compare_variants(sample_results({.choices = true}))[0];
  const DeltaRow* row = nullptr;
  for (const DeltaRow& candidate : comparison.rows) {
    if (candidate.metric == "acc") row = &candidate;
  }
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->label, "Accuracy");
  EXPECT_EQ(row->chance, 0.25);
  EXPECT_LT(row->delta_percent, 0);
  std::string all;
  for (const std::string& sentence : comparison.deficiencies) all += sentence;
  EXPECT_THAT(all, HasSubstr("BitNet's accuracy is "));
  EXPECT_THAT(all, HasSubstr("points lower ("));
  EXPECT_THAT(all, HasSubstr(" on tinyworld's own questions (tinyworld-facts)"));
}

}  // namespace
}  // namespace bitnet
