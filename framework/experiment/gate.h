#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/gate_policy.h"
#include "framework/experiment/report.h"
#include "framework/experiment/results.h"
#include "framework/experiment/statistics.h"

// Whether a run is good enough: against an earlier one (margins) and by itself (targets).

namespace bitnet {

enum class GateVerdict { kPass, kInconclusive, kFail };

/// One figure against the bound that a rule of the policy sets it.
struct GateCheck {
  std::string rule;  ///< "margins.predictions"
  std::string variant;
  std::string evaluator;  ///< empty for what no evaluator measures
  std::string metric;
  std::string metric_unit;  ///< of `candidate` and `other`
  double candidate = 0;     ///< the figure of this run
  double other = 0;         ///< of the baseline run; for a target, of the run's own baseline variant
  GateUnit unit = GateUnit::kPercent;
  double value = 0;                  ///< the figures' difference in `unit`
  std::optional<Interval> interval;  ///< of `value`, at the policy's confidence, for this check alone
  GateBound bound = GateBound::kAtLeast;
  double limit = 0;               ///< that `bound` is about
  std::optional<double> p_value;  ///< that the bound holds, after Holm; nothing without an interval
  bool exact = false;             ///< a count, or alike every time: needs no interval
  std::string method;             ///< of the interval, or why there is none
  int64_t items = 0;
  int64_t seeds = 0;
  GateVerdict verdict = GateVerdict::kInconclusive;
  GateVerdict counts_as = GateVerdict::kInconclusive;  ///< `verdict`, or what the policy makes of an inconclusive one
};

struct GateOutcome {
  std::string experiment;
  std::string config_hash;  ///< of the candidate run
  double confidence = 0.95;
  std::vector<GateCheck> checks;   ///< at least one
  std::vector<std::string> notes;  ///< what a reader must know of the comparison; sentences
  GateVerdict verdict = GateVerdict::kInconclusive;
};

/// Holds `candidate` against the policy. Quality is compared item by item with the same variant of `baseline`; of speed
/// and memory only the ratio to the run's own baseline variant is, because figures of other machines do not compare.
/// A check passes where the interval of its figure lies within its bound, fails where the figure is beyond it by a
/// one-sided test with Holm's correction over all checks, and is inconclusive else. The outcome is the worst of them.
/// Errors: DataError where the runs are not comparable (another data set, tokenizer, evaluator version, convention,
/// split, metric or item, another number of seeds), or a required figure is missing; ConfigError where the policy has
/// margins and `baseline` is null or the other way round, or a rule's unit does not fit a figure that it selects.
/// Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979;
/// that passing needs no correction, as every check must pass: Berger, "Multiparameter hypothesis testing and
/// acceptance sampling", Technometrics 24, 1982.
GateOutcome check_gate(const Results& candidate, const Results* baseline, const GatePolicy& policy);

/// The least deltas that the policy's targets ask for, for the report; targets that ask for no more than so much, and
/// those without a percentage, are left out. Errors: ConfigError where a target's unit
/// does not fit a figure that it selects; DataError where the variants are not comparable.
std::vector<DeltaBound> target_bounds(const GatePolicy& policy, const Results& results);

/// Holm's adjusted p-values, in the order given.
std::vector<double> holm_adjusted(const std::vector<double>& p_values);

/// "PASS", "INCONCLUSIVE", "FAIL".
std::string_view verdict_name(GateVerdict verdict);

/// A table for the terminal, with the verdict as its last line.
std::string render_gate_text(const GateOutcome& outcome);
/// For a pull-request comment.
std::string render_gate_markdown(const GateOutcome& outcome);
/// JUnit XML with one test case a check: a failure where it counts as failed, skipped where it stays inconclusive.
std::string render_gate_junit(const GateOutcome& outcome);

}  // namespace bitnet
