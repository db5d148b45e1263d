#include "framework/experiment/gate.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "framework/core/error.h"
#include "framework/experiment/delta.h"
#include "framework/experiment/efficiency.h"
#include "framework/experiment/environment_difference.h"

namespace bitnet {
namespace {

[[noreturn]] void refuse(const std::string& thing, const std::string& expected, const std::string& found) {
  throw DataError("gate: " + thing + " must be " + expected + ", but is " + found +
                  ". Make the candidate and the baseline run with the same data, evaluators and program.");
}

void require_equal(const std::string& thing, const std::string& baseline, const std::string& candidate) {
  if (baseline != candidate) refuse(thing, "'" + baseline + "', as in the baseline run", "'" + candidate + "'");
}

/// A figure of one variant, and whether it was measured on another machine than the one it is compared with.
struct Figure {
  std::string variant;
  DeltaRow row;
  std::string other_machine = {};  ///< what differs; empty where nothing does
};

/// What a figure differs by, in one of the policy's units.
struct Effect {
  double value = 0;
  Limits limits;
};

/// How many times as fast, or as small, a delta of the row's kind makes; and the delta of so many times.
double times_of(bool lower_is_better, double percent) {
  return lower_is_better ? 1 / (1 - percent / 100) : 1 + percent / 100;
}
double percent_of(bool lower_is_better, double times) { return 100 * (lower_is_better ? 1 - 1 / times : times - 1); }

std::optional<Effect> effect_of(const DeltaRow& row, GateUnit unit) {
  switch (unit) {
    case GateUnit::kPercent:
      return Effect{row.delta_percent, row.percent_limits};
    case GateUnit::kPoints:
      return row.points ? std::optional(Effect{*row.points, row.points_limits}) : std::nullopt;
    case GateUnit::kLnRatio:
      return row.ln_ratio ? std::optional(Effect{*row.ln_ratio, row.ln_ratio_limits}) : std::nullopt;
    case GateUnit::kTimes:
      if (row.category == "Quality") return std::nullopt;
      const auto times = [lower = row.lower_is_better](double percent) { return times_of(lower, percent); };
      return Effect{times(row.delta_percent), mapped_limits(row.percent_limits, times)};
  }
  return std::nullopt;
}

/// The delta that a figure of `row` has where its effect in `unit` is `value`.
double delta_of(const DeltaRow& row, GateUnit unit, double value) {
  switch (unit) {
    case GateUnit::kPercent:
      return value;
    case GateUnit::kPoints:
      return value / row.baseline;  // points are percent of 1
    case GateUnit::kLnRatio:
      return -100 * std::expm1(value);
    case GateUnit::kTimes:
      return percent_of(row.lower_is_better, value);
  }
  return value;
}

// ---- The figures ----

const VariantResult& variant_named(const Results& results, const std::string& name, const std::string& run) {
  for (const VariantResult& variant : results.variants) {
    if (variant.name == name) return variant;
  }
  refuse("the variant '" + name + "' of the " + run, "there", "missing");
}

const Evaluation* evaluation_named(const VariantResult& variant, const std::string& evaluator) {
  if (variant.seeds.empty()) return nullptr;
  for (const Evaluation& evaluation : variant.seeds.front().evaluations) {
    if (evaluation.evaluator == evaluator) return &evaluation;
  }
  return nullptr;
}

/// Every variant's rows against the run's own baseline variant.
std::vector<Figure> twin_figures(const Results& results) {
  std::vector<Figure> figures;
  for (const Comparison& comparison : compare_variants(results)) {
    for (const DeltaRow& row : comparison.rows) figures.push_back({comparison.candidate, row});
  }
  return figures;
}

/// The ratio that `row` is about, over that of the same row of the baseline run.
DeltaRow ratio_row(const DeltaRow& row, const DeltaRow& before) {
  DeltaRow ratio = row;
  ratio.candidate = times_of(row.lower_is_better, row.delta_percent);
  ratio.baseline = times_of(before.lower_is_better, before.delta_percent);
  ratio.unit = "times";
  ratio.lower_is_better = false;
  ratio.exact = row.exact && before.exact;
  ratio.delta_percent = delta_percent(ratio.candidate, ratio.baseline, /*lower_is_better=*/false);
  const auto log_ratio = [lower = row.lower_is_better](double percent) {
    return lower ? -std::log1p(-percent / 100) : std::log1p(percent / 100);
  };
  const Limits difference =
      median_difference_limits(log_ratio(row.delta_percent), mapped_limits(row.percent_limits, log_ratio),
                               log_ratio(before.delta_percent), mapped_limits(before.percent_limits, log_ratio));
  ratio.percent_limits = mapped_limits(difference, [](double log) { return 100 * std::expm1(log); });
  if (!ratio.exact && !row.percent_limits) ratio.method = row.method;
  if (!ratio.exact && row.percent_limits && !before.percent_limits) ratio.method = "baseline run: " + before.method;
  return ratio;
}

/// How the machines differ on which two trainings were timed; nothing for weights, which are counted.
std::string training_machine_difference(const DeltaRow& row, const Results& candidate, const Results& baseline) {
  if (row.category != "Speed") return "";
  std::string text;
  for (const EnvironmentDifference& difference :
       environment_differences(baseline.environment_json, candidate.environment_json)) {
    if (!is_of_machine(difference)) continue;
    text +=
        (text.empty() ? "" : ", ") + difference.key + " " + difference.now + "; the baseline run: " + difference.before;
  }
  return text;
}

/// Checks that two measurements are of the same test and says how their machines differ.
std::string machine_difference(const Figure& figure, const Results& candidate, const Results& baseline) {
  const Evaluation* const now =
      evaluation_named(variant_named(candidate, figure.variant, "candidate run"), figure.row.evaluator);
  const Evaluation* const before =
      evaluation_named(variant_named(baseline, figure.variant, "baseline run"), figure.row.evaluator);
  if (now == nullptr || before == nullptr) return training_machine_difference(figure.row, candidate, baseline);
  const std::string name = "'" + figure.row.evaluator + "' of " + figure.variant;
  require_equal("the version of " + name, std::to_string(before->version), std::to_string(now->version));
  require_equal("the split of " + name, before->split, now->split);
  const auto [test, machine] = split_efficiency_convention(now->convention);
  const auto [test_before, machine_before] = split_efficiency_convention(before->convention);
  require_equal("the convention of " + name, test_before, test);
  return machine == machine_before ? "" : machine + "; the baseline run: " + machine_before;
}

/// What the margins are about.
std::vector<Figure> run_figures(const Results& candidate, const Results& baseline) {
  for (const VariantResult& variant : baseline.variants) variant_named(candidate, variant.name, "candidate run");
  std::vector<Figure> figures;
  for (const VariantResult& variant : candidate.variants) {
    for (DeltaRow& row : compare_runs(variant, variant_named(baseline, variant.name, "baseline run"))) {
      figures.push_back({variant.name, std::move(row)});
    }
  }
  std::vector<Figure> before = twin_figures(baseline);
  for (const Figure& figure : twin_figures(candidate)) {
    if (figure.row.category == "Quality") continue;
    const auto same = std::find_if(before.begin(), before.end(), [&](const Figure& other) {
      return other.variant == figure.variant && other.row.evaluator == figure.row.evaluator &&
             other.row.metric == figure.row.metric;
    });
    const std::string name = "the metric '" + figure.row.metric + "' of " + figure.variant;
    if (same == before.end()) refuse(name + " of the baseline run", "there", "missing");
    figures.push_back(
        {figure.variant, ratio_row(figure.row, same->row), machine_difference(figure, candidate, baseline)});
    before.erase(same);
  }
  for (const Figure& figure : before) {
    if (figure.row.category == "Quality") continue;
    refuse("the metric '" + figure.row.metric + "' of " + figure.variant + " of the candidate run", "there", "missing");
  }
  return figures;
}

/// The same text, vocabulary and baseline variant.
void require_same_data(const Results& candidate, const Results& baseline) {
  require_equal("the data set", baseline.dataset, candidate.dataset);
  require_equal("the tokenizer", baseline.tokenizer, candidate.tokenizer);
  require_equal("the vocabulary's size", std::to_string(baseline.vocab_size), std::to_string(candidate.vocab_size));
  require_equal("the baseline variant", baseline.baseline, candidate.baseline);
  const auto digest = [](const Results& results, const std::string& name) {
    const auto found = results.data_sha256.find(name);
    return found == results.data_sha256.end() ? std::string("missing") : found->second;
  };
  for (const Results* results : {&baseline, &candidate}) {
    for (const auto& [name, ignored] : results->data_sha256) {
      require_equal("the SHA-256 of the data '" + name + "'", digest(baseline, name), digest(candidate, name));
    }
  }
}

// ---- The checks ----

/// A check before it is decided. `oriented` are the limits, and `bound` the limit, turned so that + is better.
struct OpenCheck {
  GateCheck check;
  Limits oriented;
  double bound = 0;
  WhenInconclusive inconclusive = WhenInconclusive::kInconclusive;
};

bool selects(const GateRule& rule, const Figure& figure) {
  return matches(rule.variant, figure.variant) && matches(rule.evaluator, figure.row.evaluator) &&
         matches(rule.metric, figure.row.metric);
}

/// Errors: ConfigError where the rule's unit does not fit the figure; `path` names the rule.
Effect fitting_effect(const GateRule& rule, const std::string& path, const DeltaRow& row) {
  std::optional<Effect> effect = effect_of(row, rule.unit);
  if (effect) return *std::move(effect);
  throw ConfigError(
      "gate policy: " + path + ".unit must fit every metric that it selects, but does not fit '" + row.metric +
      "'. Percent fits all; points are of accuracies, ln_ratio is of perplexities, times are of speed and "
      "memory.");
}

OpenCheck open_check(const GateRule& rule, const std::string& family, const Figure& figure, GateBound bound,
                     double limit) {
  const DeltaRow& row = figure.row;
  const std::string path = family + "." + rule.name;
  const Effect effect = fitting_effect(rule, path, row);
  OpenCheck open;
  open.check.rule = path;
  open.check.variant = figure.variant;
  open.check.evaluator = row.evaluator;
  open.check.metric = row.metric;
  open.check.metric_unit = row.unit;
  open.check.candidate = row.candidate;
  open.check.other = row.baseline;
  open.check.unit = rule.unit;
  open.check.value = effect.value;
  open.check.bound = bound;
  open.check.limit = limit;
  open.check.method = row.method;
  open.check.items = row.items;
  open.check.seeds = row.seeds;
  open.check.exact = row.exact;
  open.inconclusive = rule.inconclusive;
  const double sign = bound == GateBound::kAtLeast ? 1 : -1;
  open.oriented = mapped_limits(effect.limits, [sign](double value) { return sign * value; });
  open.bound = sign * limit;
  return open;
}

void require_selected(const GateRule& rule, const std::string& family, const std::vector<Figure>& figures) {
  const bool found = std::any_of(figures.begin(), figures.end(), [&](const Figure& f) { return selects(rule, f); });
  if (found || !rule.required) return;
  throw DataError("gate: " + family + "." + rule.name + " must select at least one figure of the results (variant '" +
                  rule.variant + "', evaluator '" + rule.evaluator + "', metric '" + rule.metric +
                  "'), but selects none. Evaluate it in the run, or write `required: false` where it may be missing.");
}

void open_margins(const Results& candidate, const Results& baseline, const GatePolicy& policy,
                  std::vector<OpenCheck>& checks, std::vector<std::string>& notes) {
  const std::vector<Figure> figures = run_figures(candidate, baseline);
  for (const MarginRule& rule : policy.margins) require_selected(rule, "margins", figures);
  std::set<std::string> applied;
  for (const Figure& figure : figures) {
    const auto rule = std::find_if(policy.margins.begin(), policy.margins.end(),
                                   [&](const MarginRule& candidate_rule) { return selects(candidate_rule, figure); });
    if (rule == policy.margins.end()) continue;
    applied.insert(rule->name);
    if (!figure.other_machine.empty() && rule->other_machine == OtherMachine::kSkip) {
      notes.push_back(figure.row.label + " of " + display_name(figure.variant) +
                      " is left out, because it was measured on another machine: " + figure.other_machine + ".");
      continue;
    }
    const bool ln = rule->unit == GateUnit::kLnRatio;
    checks.push_back(open_check(*rule, "margins", figure, ln ? GateBound::kAtMost : GateBound::kAtLeast,
                                ln ? rule->margin : 0 - rule->margin));
  }
  for (const MarginRule& rule : policy.margins) {
    if (applied.contains(rule.name)) continue;
    if (rule.required) {
      throw DataError("gate: margins." + rule.name +
                      " must be the first rule of at least one figure, but earlier rules take all that it selects. Put "
                      "the narrower rule before the wider one.");
    }
    notes.push_back("margins." + rule.name + " applies to no figure of these runs.");
  }
}

void open_targets(const Results& candidate, const GatePolicy& policy, std::vector<OpenCheck>& checks,
                  std::vector<std::string>& notes) {
  if (policy.targets.empty()) return;
  const std::vector<Figure> figures = twin_figures(candidate);
  for (const TargetRule& rule : policy.targets) {
    require_selected(rule, "targets", figures);
    const size_t before = checks.size();
    for (const Figure& figure : figures) {
      if (selects(rule, figure)) checks.push_back(open_check(rule, "targets", figure, rule.bound, rule.value));
    }
    if (checks.size() == before) notes.push_back("targets." + rule.name + " applies to no figure of this run.");
  }
}

void note_differences(const Results& candidate, const Results& baseline, std::vector<std::string>& notes) {
  if (candidate.config_hash != baseline.config_hash) {
    notes.push_back("The configurations differ (" + candidate.config_hash.substr(0, 12) + " against " +
                    baseline.config_hash.substr(0, 12) + ").");
  }
  const auto seeds_of = [](const Results& results) {
    std::vector<int64_t> seeds;
    for (const VariantResult& variant : results.variants) {
      for (const SeedResult& seed : variant.seeds) seeds.push_back(seed.seed);
    }
    return seeds;
  };
  if (seeds_of(candidate) != seeds_of(baseline)) {
    notes.push_back("The runs have different seeds, so that what a seed changes is part of every difference.");
  }
  const std::vector<EnvironmentDifference> differences =
      environment_differences(baseline.environment_json, candidate.environment_json);
  for (const EnvironmentDifference& difference : differences) {
    notes.push_back("The baseline run had " + difference.key + " " + difference.before + ", this one has " +
                    difference.now + ".");
  }
}

void decide(const OpenCheck& open, double tail, GateCheck& check) {
  if (check.exact) {
    const double sign = check.bound == GateBound::kAtLeast ? 1 : -1;
    check.verdict = sign * check.value >= open.bound ? GateVerdict::kPass : GateVerdict::kFail;
  } else if (check.p_value) {
    if (*check.p_value <= tail) check.verdict = GateVerdict::kFail;
    if (open.oriented(tail).low >= open.bound) check.verdict = GateVerdict::kPass;
  }
  // A model that diverged has figures that no interval can be made of.
  if (!std::isfinite(check.candidate)) check.verdict = GateVerdict::kFail;
  if (std::isfinite(check.candidate) && !std::isfinite(check.value)) check.verdict = GateVerdict::kInconclusive;
  check.counts_as = check.verdict;
  if (check.verdict != GateVerdict::kInconclusive) return;
  if (open.inconclusive == WhenInconclusive::kFail) check.counts_as = GateVerdict::kFail;
  if (open.inconclusive == WhenInconclusive::kPass) check.counts_as = GateVerdict::kPass;
}

void decide_all(std::vector<OpenCheck>& opens, GateOutcome& outcome) {
  const double tail = (1 - outcome.confidence) / 2;
  std::vector<double> p_values;
  for (const OpenCheck& open : opens) {
    if (open.oriented) p_values.push_back(p_value_below(open.oriented, open.bound));
  }
  const std::vector<double> adjusted = holm_adjusted(p_values);
  outcome.verdict = GateVerdict::kPass;
  size_t next = 0;
  for (const OpenCheck& open : opens) {
    GateCheck& check = outcome.checks.emplace_back(open.check);
    if (open.oriented) {
      check.p_value = adjusted[next++];
      const Interval oriented = open.oriented(tail);
      check.interval = check.bound == GateBound::kAtLeast ? oriented : Interval{-oriented.high, -oriented.low};
    }
    decide(open, tail, check);
    outcome.verdict = std::max(outcome.verdict, check.counts_as);
  }
}

}  // namespace

std::vector<DeltaBound> target_bounds(const GatePolicy& policy, const Results& results) {
  std::vector<DeltaBound> bounds;
  for (const Figure& figure : twin_figures(results)) {
    const DeltaRow& row = figure.row;
    for (const TargetRule& rule : policy.targets) {
      if (!selects(rule, figure)) continue;
      fitting_effect(rule, "targets." + rule.name, row);
      const bool at_least = (rule.bound == GateBound::kAtLeast) != (rule.unit == GateUnit::kLnRatio);
      const double percent = delta_of(row, rule.unit, rule.value);
      if (at_least && std::isfinite(percent)) {
        bounds.push_back({figure.variant, row.evaluator, row.metric, percent});
      }
    }
  }
  return bounds;
}

std::vector<double> holm_adjusted(const std::vector<double>& p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, static_cast<double>(order.size() - rank) * p_values[order[rank]]);
    adjusted[order[rank]] = std::min(largest, 1.0);
  }
  return adjusted;
}

std::string_view verdict_name(GateVerdict verdict) {
  switch (verdict) {
    case GateVerdict::kPass:
      return "PASS";
    case GateVerdict::kInconclusive:
      return "INCONCLUSIVE";
    case GateVerdict::kFail:
      return "FAIL";
  }
  return "";
}

GateOutcome check_gate(const Results& candidate, const Results* baseline, const GatePolicy& policy) {
  if (baseline == nullptr && !policy.margins.empty()) {
    throw ConfigError(
        "gate: --baseline must be given, because the policy has margins, but is missing. Name the results.json of the "
        "run to compare with, or take a policy with targets alone.");
  }
  if (baseline != nullptr && policy.margins.empty()) {
    throw ConfigError(
        "gate: --baseline must be left out, because the policy has no margins, but is given. Leave it out, or take a "
        "policy with margins.");
  }
  GateOutcome outcome;
  outcome.experiment = candidate.experiment;
  outcome.config_hash = candidate.config_hash;
  outcome.confidence = policy.confidence;
  std::vector<OpenCheck> checks;
  if (baseline != nullptr) {
    require_same_data(candidate, *baseline);
    open_margins(candidate, *baseline, policy, checks, outcome.notes);
    note_differences(candidate, *baseline, outcome.notes);
  }
  open_targets(candidate, policy, checks, outcome.notes);
  if (checks.empty()) {
    throw DataError(
        "gate: the policy must apply to at least one figure of the results, but applies to none. Evaluate what it asks "
        "for, or take another policy.");
  }
  decide_all(checks, outcome);
  return outcome;
}

}  // namespace bitnet
