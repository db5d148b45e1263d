#include "framework/experiment/delta.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "framework/core/error.h"
#include "tests/framework/experiment/sample_results.h"

namespace bitnet {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const DeltaRow& row_named(const Comparison& comparison, const std::string& metric, const std::string& evaluator = "") {
  for (const DeltaRow& row : comparison.rows) {
    if (row.metric == metric && (evaluator.empty() || row.evaluator == evaluator)) return row;
  }
  throw std::out_of_range(metric);
}

std::string refusal_of(const Results& results) {
  try {
    compare_variants(results);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Delta, PlusIsBetterInBothDirections) {
  EXPECT_DOUBLE_EQ(delta_percent(9, 10, true), 10);
  EXPECT_DOUBLE_EQ(delta_percent(11, 10, true), -10);
  EXPECT_DOUBLE_EQ(delta_percent(11, 10, false), 10);
  EXPECT_DOUBLE_EQ(delta_percent(-9, -10, false), 10);  // divided by the baseline's size, not by the baseline
  EXPECT_EQ(delta_percent(0, 0, true), 0);
  EXPECT_EQ(delta_percent(1, 0, false), std::numeric_limits<double>::infinity());
}

TEST(Delta, BandsAreThoseOfTheReport) {
  const auto around = [](double low, double high) { return std::optional<Interval>({low, high}); };
  EXPECT_EQ(band_of(-30, around(-61, 1), false), Band::kParity);
  EXPECT_EQ(band_of(0.5, around(0, 1), false), Band::kParity);
  EXPECT_EQ(band_of(4.9, around(4, 6), false), Band::kMinorWin);
  EXPECT_EQ(band_of(5, around(4, 6), false), Band::kClearWin);
  EXPECT_EQ(band_of(20, around(18, 22), false), Band::kMajorWin);
  EXPECT_EQ(band_of(-4.9, around(-6, -4), false), Band::kMinorDeficiency);
  EXPECT_EQ(band_of(-5, around(-6, -4), false), Band::kNeedsImprovement);
  EXPECT_EQ(band_of(-20, around(-22, -18), false), Band::kSignificantDeficiency);
  EXPECT_EQ(band_of(4, std::nullopt, false), Band::kUnresolved);
  EXPECT_EQ(band_of(0, std::nullopt, false), Band::kUnresolved);
  EXPECT_EQ(band_of(-70, std::nullopt, false), Band::kUnresolved);
  EXPECT_EQ(band_of(0.1, std::nullopt, true), Band::kMinorWin);
  EXPECT_EQ(band_of(0, std::nullopt, true), Band::kParity);
  EXPECT_EQ(band_of(std::nan(""), std::nullopt, true), Band::kNotFinite);
  EXPECT_EQ(band_of(-HUGE_VAL, around(-HUGE_VAL, -HUGE_VAL), false), Band::kSignificantDeficiency);
}

TEST(Delta, RowsCarryValuesIntervalsAndWhatTheyAreMadeOf) {
  const std::vector<Comparison> comparisons = compare_variants(sample_results());
  ASSERT_EQ(comparisons.size(), 1u);
  const Comparison& comparison = comparisons[0];
  ASSERT_EQ(comparison.rows.size(), 7u);  // 2 metrics by windows, 3 by words, memory, speed
  const DeltaRow& perplexity = row_named(comparison, "word_perplexity");
  EXPECT_EQ(perplexity.category, "Quality");
  EXPECT_EQ(perplexity.label, "Word perplexity");
  EXPECT_EQ(perplexity.items, 60);
  EXPECT_NEAR(*perplexity.ln_ratio, std::log(perplexity.candidate / perplexity.baseline), 1e-12);
  EXPECT_NEAR(perplexity.delta_percent, -100 * std::expm1(*perplexity.ln_ratio), 1e-9);
  ASSERT_TRUE(perplexity.interval_percent);
  EXPECT_LT(perplexity.interval_percent->low, perplexity.delta_percent);
  EXPECT_GT(perplexity.interval_percent->high, perplexity.delta_percent);
  EXPECT_NEAR(perplexity.interval_percent->low, -100 * std::expm1(perplexity.ln_ratio_interval->high), 1e-9);
  EXPECT_EQ(perplexity.floor, sample_results().variants[1].seeds[0].evaluations[1].floor.at("word_perplexity"));
  const DeltaRow& bits = row_named(comparison, "bits_per_byte", "perplexity-word");
  EXPECT_FALSE(bits.ln_ratio);
  EXPECT_LT(bits.interval_percent->low, bits.delta_percent);
  EXPECT_GT(bits.interval_percent->high, bits.delta_percent);
}

TEST(Delta, MemoryIsExactAndSpeedIsOneMeasurement) {
  const Comparison comparison = compare_variants(sample_results())[0];
  const DeltaRow& memory = row_named(comparison, "weight_bytes");
  EXPECT_NEAR(memory.delta_percent, 100 * (1 - 1332224.0 / 13190144), 1e-9);
  EXPECT_EQ(memory.band, Band::kMajorWin);
  EXPECT_EQ(memory.method, "exact: counted, not measured");
  const DeltaRow& speed = row_named(comparison, "training_tokens_per_second");
  EXPECT_NEAR(speed.candidate, 900.0 * 8 * 128 / 71.25, 1e-9);
  EXPECT_NEAR(speed.delta_percent, 100 * (55.5 / 71.25 - 1), 1e-9);
  EXPECT_FALSE(speed.interval_percent);
  EXPECT_EQ(speed.method, "no interval: one measurement");
}

TEST(Delta, SeveralSeedsAreGeometricMeansOfPerplexitiesWithTheSeedsInTheInterval) {
  const Results results = sample_results({.seeds = {1, 2, 3}});
  const Comparison comparison = compare_variants(results)[0];
  const DeltaRow& row = row_named(comparison, "perplexity");
  double ln_candidate = 0;
  for (const SeedResult& seed : results.variants[0].seeds)
    ln_candidate += std::log(seed.evaluations[0].metrics[0].value) / 3;
  EXPECT_NEAR(std::log(row.candidate), ln_candidate, 1e-12);
  EXPECT_EQ(row.seeds, 3);
  EXPECT_EQ(row.method, "Student's interval of items and seeds");
}

TEST(Delta, FiguresOfAnotherConventionAreRefused) {
  const auto changed = [](const std::function<void(Evaluation&)>& change) {
    Results results = sample_results();
    change(results.variants[0].seeds[0].evaluations[1]);
    return refusal_of(results);
  };
  EXPECT_THAT(changed([](Evaluation& e) { e.version = 2; }), HasSubstr("the version of 'perplexity-word' of bitnet"));
  EXPECT_THAT(changed([](Evaluation& e) { e.convention = "sliding"; }), HasSubstr("the convention of"));
  EXPECT_THAT(changed([](Evaluation& e) { e.data_sha256[0] = 'x'; }), HasSubstr("the data digest of"));
  EXPECT_THAT(changed([](Evaluation& e) { e.split = "validation"; }), HasSubstr("the split of"));
  EXPECT_THAT(changed([](Evaluation& e) { e.evaluator = "other"; }), HasSubstr("the evaluator 'perplexity-word'"));
  EXPECT_THAT(changed([](Evaluation& e) { e.metrics[0].name = "other"; }), HasSubstr("the metric 'word_perplexity'"));
  EXPECT_THAT(changed([](Evaluation& e) { e.metrics[0].lower_is_better = false; }), HasSubstr("the direction of"));
  EXPECT_THAT(changed([](Evaluation& e) { e.metrics[0].unit = "bits"; }), HasSubstr("the unit of"));
  EXPECT_THAT(changed([](Evaluation& e) { e.items.pop_back(); }), HasSubstr("the number of items of"));
  EXPECT_THAT(changed([](Evaluation& e) { e.items[3].id = "?"; }), HasSubstr("the id of item 3 of"));
  EXPECT_THAT(changed([](Evaluation& e) { e.items[3].words += 1; }), HasSubstr("the words of item 3 of"));
  EXPECT_THAT(changed([](Evaluation&) {}), IsEmpty());
}

TEST(Delta, SeedsThatDifferAndAMissingBaselineAreRefused) {
  Results results = sample_results({.seeds = {1, 2}});
  results.variants[0].seeds[1].seed = 3;
  EXPECT_THAT(refusal_of(results), HasSubstr("seed 2 of bitnet must be '2'"));
  results = sample_results({.seeds = {1, 2}});
  results.variants[0].seeds.pop_back();
  EXPECT_THAT(refusal_of(results), HasSubstr("the number of seeds of bitnet"));
  results = sample_results();
  results.baseline = "absent";
  EXPECT_THAT(refusal_of(results), HasSubstr("the baseline 'absent'"));
}

TEST(Delta, AMetricThatTheItemsDoNotGiveHasNoInterval) {
  Results results = sample_results();
  for (VariantResult& variant : results.variants) variant.seeds[0].evaluations[0].metrics[0].value *= 1.01;
  const Comparison comparison = compare_variants(results)[0];
  const DeltaRow& row = row_named(comparison, "perplexity");
  EXPECT_FALSE(row.interval_percent);
  EXPECT_EQ(row.method, "no interval: the metric is not a function of the items kept");
}

TEST(Delta, StrengthsAndDeficienciesArePlainSentences) {
  const Comparison comparison = compare_variants(sample_results())[0];
  ASSERT_EQ(comparison.strengths.size(), 1u);
  EXPECT_EQ(comparison.strengths[0],
            "BitNet's weights as served are 9.90\u00D7 smaller (1.33\u00A0MB against 13.2\u00A0MB): major win.");
  ASSERT_EQ(comparison.deficiencies.size(), 2u);  // one for each evaluator
  EXPECT_THAT(comparison.deficiencies[0], HasSubstr("95 % interval of the delta"));
  EXPECT_THAT(comparison.deficiencies[0], HasSubstr("The same way: bits per byte"));
  EXPECT_THAT(comparison.undecided, HasSubstr("not judged: training speed"));
  EXPECT_THAT(comparison.strengths_note + comparison.deficiencies_note, IsEmpty());
  EXPECT_THAT(comparison.verdict, HasSubstr("BitNet wins on memory: its weights as served are 9.90\u00D7 smaller"));
  EXPECT_THAT(comparison.verdict, HasSubstr("Traditional wins on quality: BitNet's word perplexity is"));
}

TEST(Delta, LossesCountOnceHoweverManyUnitsTheyAreStatedIn) {
  const Comparison comparison = compare_variants(sample_results())[0];
  const Standing quality = standing_of(comparison, "Quality");
  // One measurement of each of the two evaluators, in three units.
  EXPECT_EQ(quality.all, 2);
  EXPECT_EQ(quality.worse, 2);
  EXPECT_EQ(quality.better, 0);
  EXPECT_EQ(quality.best, nullptr);
  ASSERT_NE(quality.worst, nullptr);
  EXPECT_EQ(quality.worst->metric, "word_perplexity");
  EXPECT_EQ(quality.first, quality.worst);
  for (const DeltaRow& row : comparison.rows) {
    EXPECT_EQ(row.restated, row.metric.starts_with("bits_per_") || row.metric.starts_with("nats_per_")) << row.metric;
  }
  EXPECT_EQ(standing_of(comparison, "Memory").best->metric, "weight_bytes");
  EXPECT_FALSE(standing_of(comparison, "Speed").judged);
  EXPECT_EQ(standing_of(comparison, "Taste").first, nullptr);
}

TEST(Delta, AnEmptyListSaysWhy) {
  Results results = sample_results({.candidate_loss = -0.3});
  results.variants[0].seeds[0].train_seconds = results.variants[1].seeds[0].train_seconds * 1.01;
  Comparison comparison = compare_variants(results)[0];
  EXPECT_THAT(comparison.deficiencies, IsEmpty());
  EXPECT_THAT(comparison.deficiencies_note, HasSubstr("in no metric is BitNet worse than Traditional"));
  EXPECT_THAT(comparison.deficiencies_note, HasSubstr("Measured without an interval, so not judged: training speed"));

  results = sample_results();
  results.variants[0] = results.variants[1];
  results.variants[0].name = "twin";
  comparison = compare_variants(results)[0];
  EXPECT_THAT(comparison.strengths, IsEmpty());
  EXPECT_THAT(comparison.deficiencies, IsEmpty());
  EXPECT_THAT(comparison.strengths_note, HasSubstr("At parity: perplexity (perplexity-windows)"));
  EXPECT_THAT(comparison.verdict, HasSubstr("No metric tells twin and Traditional apart."));

  for (VariantResult& variant : results.variants) variant.seeds.clear(), variant.weight_bytes = 0;
  comparison = compare_variants(results)[0];
  EXPECT_EQ(comparison.strengths_note, "None: nothing was measured on both models.");
  EXPECT_EQ(comparison.deficiencies_note, comparison.strengths_note);
}

TEST(Delta, ADivergedModelIsNeitherHiddenNorParity) {
  Results results = sample_results();
  for (EvaluationItem& item : results.variants[0].seeds[0].evaluations[0].items) item.nats = std::nan("");
  for (Metric& metric : results.variants[0].seeds[0].evaluations[0].metrics) metric.value = std::nan("");
  const Comparison comparison = compare_variants(results)[0];
  EXPECT_EQ(row_named(comparison, "perplexity").band, Band::kNotFinite);
  EXPECT_THAT(comparison.undecided, HasSubstr("a training must have diverged: perplexity (perplexity-windows)"));
  EXPECT_THAT(comparison.verdict, ::testing::StartsWith("A training diverged: not a number is perplexity ("));
  const Standing quality = standing_of(comparison, "Quality");
  EXPECT_EQ(quality.not_finite, 1);
  EXPECT_EQ(quality.worse, 1);
  EXPECT_EQ(row_named(comparison, "perplexity").method, "no interval: a value is not finite");
}

TEST(Delta, AnIntervalThatIsNotFiniteJudgesNothing) {
  const double nan = std::nan("");
  EXPECT_EQ(band_of(-17, Interval{nan, nan}, false), Band::kUnresolved);
}

}  // namespace
}  // namespace bitnet
