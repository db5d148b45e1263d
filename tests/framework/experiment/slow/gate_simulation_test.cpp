#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "framework/core/random.h"
#include "framework/experiment/gate.h"
#include "tests/framework/experiment/sample_results.h"

// How often the gate errs, over all figures together, on pairs of runs whose true difference is known.

namespace bitnet {
namespace {

constexpr uint64_t kPairs = 2000;
constexpr uint64_t kFewerPairs = 400;  // where one kind of check is looked at
constexpr const char* kPolicy =
    "margins:\n"
    "  losses: {metric: '*per*', evaluator: 'perplexity*', margin: MARGIN}\n"
    "  answers: {metric: acc, margin: 0, unit: points}\n"
    "  speed: {metric: '*_tokens_per_second', evaluator: '?*', margin: 0}\n";

/// One training's figures: the items' truth is shared by all runs, the noise is each run's own. `worse` is added to the
/// losses of the BitNet, relative to them.
Evaluation losses(const char* name, uint64_t variant, uint64_t run, uint64_t world, double worse) {
  Evaluation out;
  out.evaluator = name;
  out.version = 1;
  out.convention = "windows";
  out.data_sha256 = std::string(64, 'd');
  out.split = "test";
  Random shared = random_stream(world, 1 + static_cast<uint64_t>(name[11]));
  Random own = random_stream(world, 100 + 10 * static_cast<uint64_t>(name[11]) + variant, run);
  double nats = 0, bytes = 0;
  for (int i = 0; i < 60; ++i) {
    EvaluationItem item;
    item.id = std::to_string(i);
    item.tokens = item.bytes = 60 + static_cast<int64_t>(shared.below(90));
    item.nats =
        static_cast<double>(item.bytes) * ((1 + 0.1 * sample::normal(shared)) + 0.05 * sample::normal(own) + worse);
    nats += item.nats, bytes += static_cast<double>(item.bytes);
    out.items.push_back(item);
  }
  out.metrics = {{"bits_per_byte", nats / bytes / std::log(2.0), "bits/byte", true},
                 {"perplexity", std::exp(nats / bytes), "perplexity", true}};
  return out;
}

Evaluation answers(uint64_t variant, uint64_t run, uint64_t world) {
  Evaluation out = losses("perplexity-answers", variant, run, world, 0);
  out.evaluator = "questions";
  out.metrics.clear();
  out.items.clear();
  double right = 0;
  for (uint64_t i = 0; i < 200; ++i) {
    Random shared = random_stream(world, 7, i);
    Random own = random_stream(world, 8 + 100 * i + variant, run);
    EvaluationItem item{std::to_string(i), 1, 1};
    item.outcomes["acc"] = 0.6 * shared.uniform() + 0.4 * own.uniform() < 0.45;
    right += item.outcomes["acc"];
    out.items.push_back(item);
  }
  out.metrics = {{"acc", right / 200, "accuracy", false}};
  return out;
}

Evaluation speeds(uint64_t variant, uint64_t run, uint64_t world) {
  Evaluation out = sample::efficiency(variant == 0);
  Random random = random_stream(world, 9 + variant, run);
  for (EvaluationItem& item : out.items) {
    if (item.seconds > 0) item.seconds *= std::exp(0.03 * sample::normal(random));
  }
  for (Metric& metric : out.metrics) {
    const std::vector<double> samples = efficiency_samples(out, metric.name);
    if (!samples.empty()) metric.value = efficiency_value(metric.name, samples);
  }
  return out;
}

Results simulated_run(uint64_t run, uint64_t world, double worse) {
  Results results = sample_results();
  for (uint64_t variant = 0; variant < 2; ++variant) {
    const double loss = variant == 0 ? worse : 0;
    results.variants[variant].seeds[0].evaluations = {losses("perplexity-windows", variant, run, world, loss),
                                                      losses("perplexity-pages", variant, run, world, loss),
                                                      answers(variant, run, world), speeds(variant, run, world)};
    results.variants[variant].seeds[0].curve.clear();
    results.variants[variant].seeds[0].ternary.clear();
  }
  return results;
}

/// The part of the pairs in which a check of the losses or, with `worse` 0, any check gives `verdict`, in percent.
double part_of_pairs(double worse, const std::string& margin, GateVerdict verdict, bool bitnet_losses_only,
                     uint64_t pairs) {
  std::string text = kPolicy;
  text.replace(text.find("MARGIN"), 6, margin);
  const GatePolicy policy = parse_gate_policy(text, "simulated");
  int count = 0;
  for (uint64_t pair = 0; pair < pairs; ++pair) {
    const Results candidate = simulated_run(2, pair, worse);
    const Results baseline = simulated_run(1, pair, 0);
    const GateOutcome outcome = check_gate(candidate, &baseline, policy);
    bool any = false;
    for (const GateCheck& check : outcome.checks) {
      const bool counted = !bitnet_losses_only || (check.variant == "bitnet" && check.metric == "bits_per_byte");
      any = any || (counted && check.verdict == verdict);
    }
    count += any;
  }
  return 100.0 * count / static_cast<double>(pairs);
}

// The hardest case of no difference: margins of 0, so that the truth lies on every bound. 12 checks.
TEST(GateSimulation, WithoutADifferenceAnyCheckFailsInAtMostFivePercentOfPairs) {
  const double failed = part_of_pairs(0, "0", GateVerdict::kFail, false, kPairs);
  std::cout << "no difference, no margins: some check fails in " << failed << " % of pairs\n";
  EXPECT_LE(failed, 5);
  EXPECT_GT(failed, 0.2);  // the bound is one of error, not a gate that never fails
}

TEST(GateSimulation, WithAMarginAPairWithoutADifferenceDoesNotFailByItsLosses) {
  const double failed = part_of_pairs(0, "3", GateVerdict::kFail, true, kFewerPairs);
  std::cout << "no difference, margin 3 %: losses fail in " << failed << " % of pairs\n";
  EXPECT_EQ(failed, 0);
}

TEST(GateSimulation, ALossOfExactlyTheMarginRarelyPassesAndALargeOneFails) {
  const double passed = part_of_pairs(0.05, "5", GateVerdict::kPass, true, kFewerPairs);
  std::cout << "a loss as large as the margin: one of two losses passes in " << passed << " % of pairs\n";
  EXPECT_LE(passed, 8);  // two evaluators at 2.5 % each, of which the gate needs both
  const double failed = part_of_pairs(0.1, "5", GateVerdict::kFail, true, kFewerPairs);
  std::cout << "a loss twice as large as the margin: losses fail in " << failed << " % of pairs\n";
  EXPECT_GE(failed, 95);
}

}  // namespace
}  // namespace bitnet
