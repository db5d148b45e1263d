#include "framework/experiment/delta_efficiency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "framework/core/error.h"
#include "framework/experiment/delta_text.h"
#include "framework/experiment/efficiency.h"
#include "framework/experiment/report.h"
#include "tests/framework/experiment/sample_results.h"

namespace bitnet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Results measured_results() {
  SampleOptions options;
  options.efficiency = true;
  return sample_results(options);
}

Evaluation& efficiency_of(Results& results, size_t variant) {
  return results.variants[variant].seeds.front().evaluations.back();
}

Comparison compare_first(const Results& results) { return compare_variants(results).front(); }

const DeltaRow& efficiency_row(const Comparison& comparison, const std::string& metric) {
  const auto found = std::find_if(comparison.rows.begin(), comparison.rows.end(), [&](const DeltaRow& row) {
    return row.metric == metric && row.evaluator == "efficiency";
  });
  if (found == comparison.rows.end()) throw std::out_of_range(metric);
  return *found;
}

/// The message that refuses to compare `results` after `change` of the candidate's efficiency.
std::string refusal_after(const std::function<void(Evaluation&)>& change) {
  Results results = measured_results();
  change(efficiency_of(results, 0));
  try {
    compare_variants(results);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(DeltaEfficiency, ASpeedIsTheMedianRatioOfTurnsThatStoodBesideEachOther) {
  const Comparison comparison = compare_first(measured_results());
  const DeltaRow& generation = efficiency_row(comparison, kGenerationSpeed);
  EXPECT_EQ(generation.category, "Speed");
  EXPECT_EQ(generation.label, "Generation speed");
  // Three times as fast by the sample's speeds, less 2.87 % that its own noise takes from the median turn.
  EXPECT_NEAR(generation.delta_percent, 191.6, 0.1);
  ASSERT_TRUE(generation.interval_percent);
  EXPECT_LE(generation.interval_percent->low, generation.delta_percent);
  EXPECT_GE(generation.interval_percent->high, generation.delta_percent);
  // The moments of the machine, 40 %, are those of both models and not in the interval.
  EXPECT_LT(generation.interval_percent->high - generation.interval_percent->low, 40);
  EXPECT_EQ(generation.items, 10);
  EXPECT_EQ(generation.seeds, 1);
  EXPECT_EQ(generation.band, Band::kMajorWin);
  EXPECT_EQ(times_as_fast(generation).substr(0, 3), "2.9");
  EXPECT_NEAR(efficiency_row(comparison, kPromptSpeed).delta_percent, 21.5, 0.1);
}

TEST(DeltaEfficiency, SlowerIsWorse) {
  Results results = measured_results();
  std::swap(results.variants[0].name, results.variants[1].name);
  const Comparison comparison = compare_first(results);
  const DeltaRow& row = efficiency_row(comparison, kGenerationSpeed);
  EXPECT_NEAR(row.delta_percent, -66.7, 2);
  EXPECT_LT(row.interval_percent->high, 0);
  EXPECT_EQ(row.band, Band::kSignificantDeficiency);
  EXPECT_THAT(comparison.deficiencies, ::testing::Contains(HasSubstr("BitNet generates text 0.3")));
}

TEST(DeltaEfficiency, FewTurnsGiveNoIntervalAndNoJudgement) {
  Results results = measured_results();
  for (const size_t variant : {0, 1}) {
    Evaluation& evaluation = efficiency_of(results, variant);
    std::erase_if(evaluation.items, [](const EvaluationItem& item) { return item.id == "tg128/10"; });
    Metric& metric = evaluation.metrics.front();
    metric.value = efficiency_value(metric.name, efficiency_samples(evaluation, metric.name));
  }
  const Comparison comparison = compare_first(results);
  const DeltaRow& row = efficiency_row(comparison, kGenerationSpeed);
  EXPECT_FALSE(row.interval_percent);
  EXPECT_EQ(row.band, Band::kUnresolved);
  EXPECT_EQ(row.method, "no interval: 9 turns only, at least 10 are needed");
}

TEST(DeltaEfficiency, MemoryOfProcessesThatAgreeIsJudgedWithoutAnInterval) {
  const Comparison comparison = compare_first(measured_results());
  const DeltaRow& memory = efficiency_row(comparison, kModelMemory);
  EXPECT_EQ(memory.category, "Memory");
  EXPECT_TRUE(memory.exact);
  EXPECT_FALSE(memory.interval_percent);
  EXPECT_EQ(memory.band, Band::kMajorWin);
  EXPECT_EQ(memory.method, "no interval: 2 processes of each model agree to within 0.05\u00A0%");
  EXPECT_EQ(times_smaller(memory), "5.00\u00D7 smaller");
  EXPECT_EQ(efficiency_row(comparison, "weight_bytes").band, Band::kMajorWin);
  const DeltaRow& cache = efficiency_row(comparison, "cache_bytes");
  EXPECT_EQ(cache.band, Band::kParity);
  EXPECT_EQ(cache.method, "exact: counted, not measured");
  EXPECT_EQ(times_smaller(cache), "");
}

TEST(DeltaEfficiency, MemoryOfProcessesThatDifferIsNotJudged) {
  Results results = measured_results();
  Evaluation& evaluation = efficiency_of(results, 1);
  evaluation.items.back().memory_bytes = 102'000'000;
  evaluation.metrics[2].value = 102'000'000;
  const Comparison comparison = compare_first(results);
  const DeltaRow& row = efficiency_row(comparison, kModelMemory);
  EXPECT_FALSE(row.exact);
  EXPECT_EQ(row.band, Band::kUnresolved);
  EXPECT_EQ(row.method, "no interval: 2 processes of each model differ by up to 1.99\u00A0%");
}

TEST(DeltaEfficiency, MemoryWithinTheAgreementOfProcessesIsParity) {
  Results results = measured_results();
  Evaluation& ours = efficiency_of(results, 0);
  ours.items = efficiency_of(results, 1).items;
  ours.items.back().memory_bytes = 99'500'000;
  ours.items[ours.items.size() - 2].memory_bytes = 99'500'000;
  ours.metrics[2].value = 99'500'000;
  EXPECT_EQ(efficiency_row(compare_first(results), kModelMemory).band, Band::kParity);
}

TEST(DeltaEfficiency, AValueThatTheItemsDoNotGiveHasNoInterval) {
  Results results = measured_results();
  efficiency_of(results, 0).metrics[0].value *= 1.01;
  const DeltaRow row = efficiency_row(compare_first(results), kGenerationSpeed);
  EXPECT_FALSE(row.interval_percent);
  EXPECT_EQ(row.band, Band::kUnresolved);
}

TEST(DeltaEfficiency, PeakMemoryWithoutItsMeasurementsIsNoCount) {
  Results results = measured_results();
  for (VariantResult& variant : results.variants) {
    for (EvaluationItem& item : variant.seeds.front().evaluations.back().items) item.memory_bytes = 0;
  }
  const DeltaRow row = efficiency_row(compare_first(results), kModelMemory);
  EXPECT_FALSE(row.exact);
  EXPECT_EQ(row.band, Band::kUnresolved);
}

TEST(DeltaEfficiency, FiguresOfOtherMachinesModelsOrTestsAreRefused) {
  // A turn of the candidate that has no time has no turn of the baseline beside it.
  EXPECT_THAT(refusal_after([](Evaluation& evaluation) {
                std::vector<EvaluationItem>& items = evaluation.items;
                const auto timed = [](const EvaluationItem& item) { return item.seconds > 0; };
                const std::string first = std::find_if(items.begin(), items.end(), timed)->id;
                const std::string test = first.substr(0, first.find('/'));
                size_t left = 0;
                for (EvaluationItem& item : items) {
                  if (item.id.starts_with(test) && timed(item) && ++left > 1) item.seconds = 0;
                }
                for (Metric& metric : evaluation.metrics) {
                  const std::vector<double> samples = efficiency_samples(evaluation, metric.name);
                  if (!samples.empty()) metric.value = efficiency_value(metric.name, samples);
                }
              }),
              HasSubstr("as for the baseline, but are 1"));
  EXPECT_EQ(refusal_after([](Evaluation&) {}), "");
  EXPECT_THAT(refusal_after([](Evaluation& evaluation) { evaluation.convention += ", 1 thread"; }),
              HasSubstr("the convention of 'efficiency' of bitnet must be"));
  EXPECT_THAT(refusal_after([](Evaluation& evaluation) {
                evaluation.convention.replace(evaluation.convention.find("avx2"), 4, "avx3");
              }),
              HasSubstr("the convention of 'efficiency' of bitnet must be"));
  EXPECT_THAT(refusal_after([](Evaluation& evaluation) { evaluation.data_sha256[0] = '0'; }),
              HasSubstr("the data digest of 'efficiency' of bitnet"));
  EXPECT_THAT(refusal_after([](Evaluation& evaluation) { ++evaluation.version; }), HasSubstr("the version of"));
  EXPECT_THAT(refusal_after([](Evaluation& evaluation) { evaluation.items.pop_back(); }),
              HasSubstr("the number of items of"));
  EXPECT_THAT(refusal_after([](Evaluation& evaluation) { evaluation.items[0].tokens = 256; }),
              HasSubstr("the tokens of item 0 of"));
}

TEST(DeltaEfficiency, OnlyTheFirstSeedIsMeasured) {
  SampleOptions options;
  options.efficiency = true;
  options.seeds = {1, 2, 3};
  const Comparison comparison = compare_first(sample_results(options));
  EXPECT_EQ(efficiency_row(comparison, kGenerationSpeed).seeds, 1);
  EXPECT_NEAR(efficiency_row(comparison, kGenerationSpeed).delta_percent, 191.6, 0.1);
  EXPECT_EQ(comparison.rows.front().seeds, 3);
}

TEST(DeltaEfficiency, RowsStandByCategory) {
  std::vector<std::string> categories;
  for (const DeltaRow& row : compare_first(measured_results()).rows) {
    if (categories.empty() || categories.back() != row.category) categories.push_back(row.category);
  }
  EXPECT_THAT(categories, ElementsAre("Quality", "Memory", "Speed"));
}

TEST(DeltaEfficiency, SentencesSayHowManyTimesAsFastAndHowManyTimesSmaller) {
  const Comparison comparison = compare_first(measured_results());
  EXPECT_THAT(comparison.strengths, ::testing::Contains(::testing::ContainsRegex(
                                        "^BitNet generates text [23]\\.[0-9]+\u00D7 as fast \\([0-9]+ against "
                                        "[0-9]+\u00A0tokens/s\\) on random tokens with trained weights "
                                        "\\(efficiency\\): major win, 95 % interval of the delta .* The same way: "
                                        "prompt speed")));
  EXPECT_THAT(
      comparison.strengths,
      ::testing::Contains(HasSubstr("BitNet's model memory is 5.00\u00D7 smaller (20.0\u00A0MB against 100\u00A0MB)")));
  EXPECT_THAT(comparison.verdict, HasSubstr("on speed in 2 of 3 measurements: it generates text "));
}

TEST(DeltaEfficiency, ReportsShowSpeedMemoryAndTheirLimits) {
  const Results results = measured_results();
  for (const std::string& text : {render_report_html(results), render_report_markdown(results)}) {
    for (const char* part : {"Generation speed", "Prompt speed", "Model memory", "as fast", "5.00\u00D7 smaller",
                             "kernel avx2", "random tokens with trained weights"}) {
      EXPECT_THAT(text, HasSubstr(part));
    }
  }
  EXPECT_THAT(render_report_html(results), HasSubstr("are those of one machine"));
  EXPECT_THAT(render_report_html(results), Not(HasSubstr("Speed and peak memory of inference were not measured")));
  EXPECT_THAT(render_junit(results), HasSubstr("name=\"generation_tokens_per_second\""));
}

}  // namespace
}  // namespace bitnet
