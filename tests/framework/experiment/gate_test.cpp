#include "framework/experiment/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>

#include "framework/core/error.h"
#include "tests/framework/experiment/sample_results.h"

namespace bitnet {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kMargins =
    "margins:\n"
    "  losses: {metric: bits_per_byte, margin: 5}\n"
    "  answers: {metric: acc, margin: 12, unit: points, required: false}\n"
    "  weights: {metric: weight_bytes, margin: 0}\n"
    "  speed: {metric: '*_tokens_per_second', evaluator: '?*', margin: 30, required: false}\n";

GatePolicy policy(const std::string& text = kMargins) { return parse_gate_policy(text, "policy.yaml"); }

Results run(double candidate_loss = 0.06, bool everything = true) {
  return sample_results({.candidate_loss = candidate_loss, .choices = everything, .efficiency = everything});
}

GateOutcome gate(const Results& candidate, const Results& baseline, const std::string& text = kMargins) {
  return check_gate(candidate, &baseline, policy(text));
}

Evaluation& evaluation(Results& results, const std::string& variant, const std::string& name) {
  for (VariantResult& candidate : results.variants) {
    if (candidate.name != variant) continue;
    for (Evaluation& found : candidate.seeds.front().evaluations) {
      if (found.evaluator == name) return found;
    }
  }
  throw std::runtime_error("no " + name);
}

const GateCheck& check(const GateOutcome& outcome, const std::string& variant, const std::string& evaluator,
                       const std::string& metric) {
  for (const GateCheck& found : outcome.checks) {
    if (found.variant == variant && found.evaluator == evaluator && found.metric == metric) return found;
  }
  throw std::runtime_error("no check of " + metric);
}

std::string data_error(const std::function<void(Results&)>& change, const std::string& text = kMargins) {
  Results candidate = run();
  change(candidate);
  try {
    gate(candidate, run(), text);
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Gate, AnIdenticalRunPasses) {
  const GateOutcome outcome = gate(run(), run());
  EXPECT_EQ(outcome.verdict, GateVerdict::kPass);
  for (const GateCheck& found : outcome.checks) {
    EXPECT_EQ(found.verdict, GateVerdict::kPass) << found.metric << " " << found.evaluator;
    EXPECT_EQ(found.value, 0) << found.metric;
  }
  // Both evaluators of both variants, the questions of both, the weights with and without efficiency, two speeds.
  EXPECT_EQ(outcome.checks.size(), 4u + 2 + 2 + 2);
}

TEST(Gate, AWorseBitnetFailsAndItsTwinDoesNot) {
  const GateOutcome outcome = gate(run(0.2), run());
  EXPECT_EQ(outcome.verdict, GateVerdict::kFail);
  EXPECT_EQ(check(outcome, "bitnet", "perplexity-windows", "bits_per_byte").verdict, GateVerdict::kFail);
  EXPECT_EQ(check(outcome, "traditional", "perplexity-windows", "bits_per_byte").verdict, GateVerdict::kPass);
}

TEST(Gate, ABetterRunPasses) { EXPECT_EQ(gate(run(-0.2), run()).verdict, GateVerdict::kPass); }

TEST(Gate, ALossAboutAsLargeAsTheMarginIsInconclusiveAndThePolicySaysWhatItCountsAs) {
  // 0.05 of about 0.99 nats are 5 %, the margin.
  const std::string rule = "margins: {losses: {metric: bits_per_byte, margin: 5, variant: bitnet";
  const Results candidate = run(0.06 + 0.0495);
  for (const auto& [said, counts_as] :
       {std::pair("}}", GateVerdict::kInconclusive), std::pair(", inconclusive: fail}}", GateVerdict::kFail),
        std::pair(", inconclusive: pass}}", GateVerdict::kPass)}) {
    const GateOutcome outcome = gate(candidate, run(), rule + said);
    const GateCheck& found = check(outcome, "bitnet", "perplexity-windows", "bits_per_byte");
    EXPECT_EQ(found.verdict, GateVerdict::kInconclusive) << found.value;
    EXPECT_EQ(found.counts_as, counts_as);
    EXPECT_EQ(outcome.verdict, counts_as);
    EXPECT_LT(found.interval->low, -5);
    EXPECT_GT(found.interval->high, -5);
  }
}

TEST(Gate, HolmsProceduresByHand) {
  EXPECT_THAT(holm_adjusted({0.01, 0.04, 0.03}),
              ElementsAre(::testing::DoubleEq(0.03), ::testing::DoubleEq(0.06), ::testing::DoubleEq(0.06)));
  EXPECT_THAT(holm_adjusted({0.9, 0.5}), ElementsAre(1, 1));
  EXPECT_THAT(holm_adjusted({0.02}), ElementsAre(0.02));
  EXPECT_TRUE(holm_adjusted({}).empty());
}

TEST(Gate, WhatWouldFailAloneMayNotFailAmongMany) {
  // A loss just beyond the margin for one check, but not for Holm's first step over all.
  const Results candidate = run(0.06 + 0.0575);
  const GateOutcome alone =
      gate(candidate, run(),
           "margins: {losses: {metric: bits_per_byte, margin: 5, variant: bitnet, evaluator: perplexity-windows}}");
  const GateCheck& one = alone.checks.front();
  ASSERT_EQ(alone.checks.size(), 1u);
  ASSERT_EQ(one.verdict, GateVerdict::kFail) << one.value << " " << *one.p_value;
  const GateOutcome among = gate(
      candidate, run(), "margins: {losses: {metric: bits_per_byte, margin: 5}, others: {metric: '*per*', margin: 50}}");
  const GateCheck& same = check(among, "bitnet", "perplexity-windows", "bits_per_byte");
  EXPECT_GT(*same.p_value, *one.p_value);
  EXPECT_EQ(same.interval->high, one.interval->high);  // what is shown is of each figure by itself
}

TEST(Gate, TheFirstRuleThatSelectsAFigureIsItsRule) {
  const GateOutcome outcome = gate(
      run(), run(), "margins: {mine: {metric: '*byte', variant: bitnet, margin: 1}, all: {metric: '*', margin: 9}}");
  EXPECT_EQ(check(outcome, "bitnet", "perplexity-windows", "bits_per_byte").rule, "margins.mine");
  EXPECT_EQ(check(outcome, "traditional", "perplexity-windows", "bits_per_byte").rule, "margins.all");
}

TEST(Gate, ARuleThatEarlierRulesLeaveNothingIsRefused) {
  const std::string shadowed =
      "margins: {all: {metric: bits_per_byte, margin: 50}, strict: {metric: bits_per_byte, margin: 0";
  EXPECT_THAT(data_error([](Results&) {}, shadowed + "}}"),
              HasSubstr("margins.strict must be the first rule of at least one figure"));
  const GateOutcome outcome = gate(run(), run(), shadowed + ", required: false}}");
  EXPECT_THAT(render_gate_text(outcome), HasSubstr("margins.strict applies to no figure of these runs."));
}

TEST(Gate, AMetricThatIsMissingIsRefused) {
  const auto without = [](const std::string& variant) {
    return [variant](Results& results) { evaluation(results, variant, "perplexity-word").metrics.pop_back(); };
  };
  EXPECT_THAT(data_error(without("bitnet")), HasSubstr("number of metrics"));
  EXPECT_THAT(data_error([](Results& results) {
                for (VariantResult& variant : results.variants) variant.seeds.front().evaluations.pop_back();
              }),
              HasSubstr("number of evaluators"));
  EXPECT_THAT(data_error([](Results& results) { results.variants.erase(results.variants.begin()); }),
              HasSubstr("variant 'bitnet' of the candidate run must be there, but is missing"));
  EXPECT_THAT(data_error([](Results&) {}, "margins: {code: {metric: pass@1, margin: 3, unit: points}}"),
              AllOf(HasSubstr("margins.code must select at least one figure"), HasSubstr("required: false")));
  EXPECT_THAT(data_error([](Results&) {}, "margins: {code: {metric: pass@1, margin: 3, required: false}}"),
              HasSubstr("must apply to at least one figure"));
}

TEST(Gate, OtherDataConventionsAndVersionsAreRefused) {
  EXPECT_THAT(data_error([](Results& results) { results.data_sha256["train"][0] = '9'; }),
              HasSubstr("the SHA-256 of the data 'train' must be '1111"));
  EXPECT_THAT(data_error([](Results& results) { results.data_sha256.erase("test"); }), HasSubstr("'missing'"));
  EXPECT_THAT(data_error([](Results& results) { results.dataset = "another"; }), HasSubstr("the data set must be"));
  EXPECT_THAT(data_error([](Results& results) { results.tokenizer = "another"; }), HasSubstr("the tokenizer must be"));
  for (const auto& [change, part] : {std::pair<std::function<void(Evaluation&)>, const char*>(
                                         [](Evaluation& e) { e.convention += "x"; }, "the convention of"),
                                     {[](Evaluation& e) { e.version = 2; }, "the version of"},
                                     {[](Evaluation& e) { e.split = "validation"; }, "the split of"},
                                     {[](Evaluation& e) { e.data_sha256[3] = '0'; }, "the data digest of"},
                                     {[](Evaluation& e) { e.items.pop_back(); }, "the number of items of"},
                                     {[](Evaluation& e) { e.items[3].id = "x"; }, "the id of item 3"}}) {
    EXPECT_THAT(data_error([&, &changed = change](Results& results) {
                  for (const char* variant : {"bitnet", "traditional"}) {
                    changed(evaluation(results, variant, "perplexity-word"));
                  }
                }),
                HasSubstr(part));
  }
}

TEST(Gate, SpeedIsComparedAsRatioOfTheTwins) {
  // Twice as fast a machine: the same ratios.
  Results candidate = run();
  for (const char* variant : {"bitnet", "traditional"}) {
    Evaluation& found = evaluation(candidate, variant, "efficiency");
    for (EvaluationItem& item : found.items) item.seconds /= 2;
    for (Metric& metric : found.metrics) {
      if (metric.unit == "tokens/s") metric.value *= 2;
    }
    found.data_sha256[0] = '0';  // other weights, as any training gives
  }
  const GateOutcome same = gate(candidate, run());
  EXPECT_NEAR(check(same, "bitnet", "efficiency", "generation_tokens_per_second").value, 0, 1e-9);
  EXPECT_EQ(same.verdict, GateVerdict::kPass);
  // The BitNet alone half as fast.
  for (EvaluationItem& item : evaluation(candidate, "bitnet", "efficiency").items) item.seconds *= 2;
  for (Metric& metric : evaluation(candidate, "bitnet", "efficiency").metrics) {
    if (metric.unit == "tokens/s") metric.value /= 2;
  }
  const GateOutcome slower = gate(candidate, run());
  const GateCheck& found = check(slower, "bitnet", "efficiency", "generation_tokens_per_second");
  EXPECT_NEAR(found.value, -50, 1e-9);
  EXPECT_EQ(found.verdict, GateVerdict::kFail);
  EXPECT_EQ(found.metric_unit, "times");
}

TEST(Gate, AnotherMachineIsComparedOrLeftOutAsThePolicySays) {
  const auto with_machine = [](const std::string& machine) {
    Results results = run();
    for (const char* variant : {"bitnet", "traditional"}) {
      evaluation(results, variant, "efficiency").convention = "pp512 and tg128; 2 threads, " + machine;
    }
    return results;
  };
  const std::string rule = "margins: {speed: {metric: '*', evaluator: efficiency, margin: 30";
  EXPECT_EQ(gate(with_machine("A"), with_machine("B"), rule + "}}").checks.size(), 5u);
  const std::string more = ", other_machine: skip}, weights: {metric: weight_bytes, evaluator: '', margin: 0}}";
  const GateOutcome skipped = gate(with_machine("A"), with_machine("B"), rule + more);
  EXPECT_EQ(skipped.checks.size(), 1u);
  EXPECT_THAT(render_gate_text(skipped),
              HasSubstr("left out, because it was measured on another machine: 2 threads, A"));
  EXPECT_EQ(gate(with_machine("A"), with_machine("A"), rule + more).checks.size(), 6u);
  // Trainings are timed on the machine that the environment names.
  const std::string training = "margins: {training: {metric: training_tokens_per_second, margin: 30" + more;
  const auto on = [](const char* cpu) {
    Results results = run();
    results.environment_json = std::string("{\"cpu\": \"") + cpu + "\"}";
    return results;
  };
  EXPECT_EQ(gate(on("A"), on("A"), training).checks.size(), 2u);
  EXPECT_EQ(gate(on("A"), on("B"), training).checks.size(), 1u);
  // Another test is another convention.
  Results other = with_machine("A");
  for (const char* variant : {"bitnet", "traditional"}) {
    evaluation(other, variant, "efficiency").convention = "pp99; 2 threads, A";
  }
  EXPECT_THROW(gate(other, with_machine("A"), rule + "}}"), DataError);
}

TEST(Gate, ExactFiguresNeedNoInterval) {
  Results candidate = run();
  candidate.variants[0].weight_bytes += 1;
  const GateOutcome outcome = gate(candidate, run());
  const GateCheck& found = check(outcome, "bitnet", "", "weight_bytes");
  EXPECT_EQ(found.verdict, GateVerdict::kFail);
  EXPECT_FALSE(found.p_value);
  EXPECT_EQ(outcome.verdict, GateVerdict::kFail);
}

TEST(Gate, AFigureWithoutAnIntervalNeverPassesNorFails) {
  const GateOutcome outcome =
      gate(run(), run(), "margins: {training: {metric: training_tokens_per_second, margin: 900}}");
  EXPECT_EQ(outcome.verdict, GateVerdict::kInconclusive);
  EXPECT_THAT(outcome.checks.front().method, HasSubstr("no interval"));
}

TEST(Gate, ADivergedModelFails) {
  Results candidate = run();
  Evaluation& found = evaluation(candidate, "bitnet", "perplexity-windows");
  for (EvaluationItem& item : found.items) item.nats = std::nan("");
  for (Metric& metric : found.metrics) metric.value = std::nan("");
  const GateOutcome outcome = gate(candidate, run());
  EXPECT_EQ(check(outcome, "bitnet", "perplexity-windows", "bits_per_byte").verdict, GateVerdict::kFail);
}

TEST(Gate, TargetsHoldForARunByItself) {
  const auto verdict = [](const std::string& target) {
    return check_gate(run(), nullptr, policy("targets: {one: {variant: bitnet, " + target + "}}")).verdict;
  };
  const std::string losses =
      "evaluator: perplexity-windows, metric: perplexity, unit: ln_ratio, bound: at_most, value: ";
  EXPECT_EQ(verdict(losses + "0.08"), GateVerdict::kPass);  // the ln ratio is about 0.06
  EXPECT_EQ(verdict(losses + "0.06"), GateVerdict::kInconclusive);
  EXPECT_EQ(verdict(losses + "0.04"), GateVerdict::kFail);
  const std::string speed = "metric: generation_tokens_per_second, unit: times, bound: at_least, value: ";
  EXPECT_EQ(verdict(speed + "2.5"), GateVerdict::kPass);  // three times as fast
  EXPECT_EQ(verdict(speed + "3.5"), GateVerdict::kFail);
  const std::string weights = "evaluator: '', metric: weight_bytes, unit: times, bound: at_least, value: ";
  EXPECT_EQ(verdict(weights + "9.9"), GateVerdict::kPass);  // 13,190,144 / 1,332,224 = 9.9008
  EXPECT_EQ(verdict(weights + "9.91"), GateVerdict::kFail);
}

TEST(Gate, TargetsAreDeltasOfTheReport) {
  const std::string targets =
      "targets:\n"
      "  quality: {metric: word_perplexity, bound: at_most, value: 0.1, unit: ln_ratio}\n"
      "  answers: {metric: acc, bound: at_least, value: -10, unit: points}\n"
      "  weights: {metric: weight_bytes, evaluator: '?*', bound: at_least, value: 4, unit: times}\n"
      "  generation: {metric: generation_tokens_per_second, bound: at_least, value: 4, unit: times}\n";
  std::map<std::string, double> percent;
  for (const DeltaBound& bound : target_bounds(policy(targets), run())) {
    EXPECT_EQ(bound.variant, "bitnet");
    EXPECT_NE(bound.evaluator, "");
    percent[bound.metric] = bound.percent;
  }
  EXPECT_EQ(percent.size(), 4u);
  EXPECT_NEAR(percent.at("word_perplexity"), -10.517, 1e-3);  // e^0.1 = 1.10517 times as much
  EXPECT_NEAR(percent.at("weight_bytes"), 75, 1e-9);          // a quarter is 75 % less
  EXPECT_NEAR(percent.at("generation_tokens_per_second"), 300, 1e-9);
  const Results results = run();
  double accuracy = 0;
  for (const Metric& metric : results.variants[1].seeds[0].evaluations.at(2).metrics) {
    if (metric.name == "acc") accuracy = metric.value;
  }
  ASSERT_GT(accuracy, 0);
  EXPECT_NEAR(percent.at("acc") / 100 * accuracy, -0.1, 1e-9);
  EXPECT_THROW(target_bounds(policy("targets: {a: {metric: acc, bound: at_least, value: 1, unit: times}}\n"), results),
               ConfigError);
  // What asks for no more than so much is no bound on the left.
  EXPECT_TRUE(target_bounds(policy("targets: {a: {metric: acc, bound: at_most, value: 20, unit: percent}}\n"), results)
                  .empty());
}

TEST(Gate, ABaselineGoesWithMarginsAndNothingElse) {
  const Results results = run();
  EXPECT_THROW(check_gate(results, nullptr, policy()), ConfigError);
  const GatePolicy targets =
      policy("targets: {one: {metric: weight_bytes, evaluator: '', unit: times, bound: at_least, value: 2}}");
  EXPECT_THROW(check_gate(results, &results, targets), ConfigError);
  EXPECT_THROW(gate(results, results, "margins: {one: {metric: acc, margin: 1, unit: ln_ratio}}"), ConfigError);
  EXPECT_THROW(gate(results, results, "margins: {one: {metric: bits_per_byte, margin: 1, unit: points}}"), ConfigError);
}

TEST(Gate, NotesSayWhatTheRunsDoNotShare) {
  Results candidate = sample_results({.seeds = {2}});
  candidate.config_hash[0] = '0';
  candidate.environment_json.replace(candidate.environment_json.find("1.13.1"), 6, "2.6.00");
  const GateOutcome outcome =
      gate(candidate, sample_results(), "margins: {losses: {metric: bits_per_byte, margin: 50}}");
  EXPECT_THAT(outcome.notes, ::testing::IsSupersetOf({HasSubstr("The configurations differ"),
                                                      HasSubstr("different seeds"), HasSubstr("LibTorch 1.13.1")}));
  EXPECT_THROW(gate(sample_results({.seeds = {1, 2}}), sample_results()), DataError);
}

TEST(GateText, ShowsEveryCheckAndTheVerdictLast) {
  const GateOutcome outcome = gate(run(0.2), run());
  const std::string text = render_gate_text(outcome);
  EXPECT_THAT(text, AllOf(HasSubstr("FAIL     bitnet: bits_per_byte (perplexity-windows)  "),
                          HasSubstr("\u2265 \u22125.0\u00A0%"), HasSubstr("< 0.0001"), HasSubstr("exact")));
  EXPECT_TRUE(text.ends_with("\nFAIL: of 10 checks 8 passed, 2 failed, 0 are inconclusive.\n")) << text;
  const std::string markdown = render_gate_markdown(outcome);
  EXPECT_THAT(markdown, AllOf(HasSubstr("\u274C **FAIL"), HasSubstr("| Verdict | Figure |"),
                              HasSubstr("Configuration `3f2a9c0d")));
  const std::string junit = render_gate_junit(outcome);
  EXPECT_THAT(junit, AllOf(HasSubstr("tests=\"10\" failures=\"2\""), HasSubstr("<failure message=\"FAIL: \u2212"),
                           HasSubstr("name=\"bits_per_byte (margins.losses)\""), Not(HasSubstr("<skipped"))));
}

TEST(GateText, CountsWhatIsInconclusiveAlsoWhereThePolicyLetsItPass) {
  const std::string rule =
      "margins: {one: {metric: bits_per_byte, margin: 5, variant: bitnet, evaluator: perplexity-windows";
  const Results candidate = run(0.06 + 0.0495);
  EXPECT_THAT(render_gate_text(gate(candidate, run(), rule + ", inconclusive: pass}}")),
              HasSubstr("\nPASS: of 1 check 0 passed, 0 failed, 1 is inconclusive (1 counts as passed).\n"));
  EXPECT_THAT(render_gate_text(gate(candidate, run(), rule + "}}")),
              HasSubstr("\nINCONCLUSIVE: of 1 check 0 passed, 0 failed, 1 is inconclusive.\n"));
}

TEST(GateText, EscapesWhatComesFromTheResults) {
  Results candidate = run();
  candidate.experiment = "<&|>";
  const GateOutcome outcome = gate(candidate, run());
  EXPECT_THAT(render_gate_junit(outcome), AllOf(HasSubstr("&lt;&amp;|&gt;"), Not(HasSubstr("<&"))));
  EXPECT_THAT(render_gate_markdown(outcome), Not(HasSubstr("<&|>")));
}

}  // namespace
}  // namespace bitnet
