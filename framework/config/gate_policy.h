#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bitnet {

/// How two figures are compared, always so that the policy's numbers do not depend on the machine.
enum class GateUnit {
  kPercent,  ///< the delta, + is better
  kPoints,   ///< the difference of two accuracies in percentage points, + is better
  kLnRatio,  ///< ln(one perplexity / the other), + is worse
  kTimes,    ///< how many times as fast, or as small
};
enum class WhenInconclusive { kFail, kInconclusive, kPass };
enum class OtherMachine { kCompare, kSkip };
enum class GateBound { kAtLeast, kAtMost };

/// Which figures a rule is about, and what becomes of it. `variant`, `evaluator` and `metric` may hold `*` for any text
/// and `?` for any character.
struct GateRule {
  std::string name;
  std::string variant = "*";
  std::string evaluator = "*";  ///< empty: what no evaluator measures
  std::string metric;
  GateUnit unit = GateUnit::kPercent;
  WhenInconclusive inconclusive = WhenInconclusive::kInconclusive;
  bool required = true;
};

/// How much worse than in the baseline run a figure may be.
struct MarginRule : GateRule {
  double margin = 0;
  OtherMachine other_machine = OtherMachine::kCompare;
};

/// What a run must reach by itself, in the comparison of a variant with the run's own baseline variant.
struct TargetRule : GateRule {
  GateBound bound = GateBound::kAtLeast;
  double value = 0;
};

struct GatePolicy {
  double confidence = 0.95;
  std::vector<MarginRule> margins;  ///< the first that selects a figure is its rule
  std::vector<TargetRule> targets;  ///< all that select a figure hold
};

/// Reads a policy. `where` names the text in errors.
/// Errors: ConfigError with all mistakes at once, each as `file:line:column: path must be X, but is Y.`
GatePolicy parse_gate_policy(std::string_view text, const std::string& where);
GatePolicy read_gate_policy(const std::filesystem::path& file);

/// Whether `pattern` with `*` and `?` stands for `text`.
bool matches(const std::string& pattern, const std::string& text);

}  // namespace bitnet
