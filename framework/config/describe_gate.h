#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "framework/config/enum_names.h"
#include "framework/config/field.h"
#include "framework/config/gate_policy.h"

// What every field of a gate's policy is, as describe.h says it of experiments.

namespace bitnet {

template <>
struct EnumNames<GateUnit> {
  static constexpr std::array kNames = {std::pair(std::string_view("percent"), GateUnit::kPercent),
                                        std::pair(std::string_view("points"), GateUnit::kPoints),
                                        std::pair(std::string_view("ln_ratio"), GateUnit::kLnRatio),
                                        std::pair(std::string_view("times"), GateUnit::kTimes)};
};

template <>
struct EnumNames<WhenInconclusive> {
  static constexpr std::array kNames = {std::pair(std::string_view("fail"), WhenInconclusive::kFail),
                                        std::pair(std::string_view("inconclusive"), WhenInconclusive::kInconclusive),
                                        std::pair(std::string_view("pass"), WhenInconclusive::kPass)};
};

template <>
struct EnumNames<OtherMachine> {
  static constexpr std::array kNames = {std::pair(std::string_view("compare"), OtherMachine::kCompare),
                                        std::pair(std::string_view("skip"), OtherMachine::kSkip)};
};

template <>
struct EnumNames<GateBound> {
  static constexpr std::array kNames = {std::pair(std::string_view("at_least"), GateBound::kAtLeast),
                                        std::pair(std::string_view("at_most"), GateBound::kAtMost)};
};

/// The fields that say which figures a rule is about.
template <typename Visit>
void selection_fields(Visit&& visit) {
  visit(field("variant", &GateRule::variant, "Which variants; `*` stands for any text, `?` for any character."));
  visit(field("evaluator", &GateRule::evaluator,
              "Which evaluators, in the same way; what no evaluator measures has an empty name."));
  visit(field("metric", &GateRule::metric, "Which metrics, in the same way.").mandatory());
}

/// The fields that say what becomes of a rule.
template <typename Visit>
void outcome_fields(Visit&& visit) {
  visit(field("inconclusive", &GateRule::inconclusive, "What it counts as where the interval holds the bound."));
  visit(field("required", &GateRule::required, "Whether results in which no figure is selected are refused."));
}

template <>
struct Description<MarginRule> {
  static constexpr std::string_view kTitle =
      "How much worse than in the baseline run a figure may be; the first rule that selects a figure is its rule. "
      "Quality is compared for each variant, speed and memory as ratio to the run's own baseline variant.";
  template <typename Visit>
  static void fields(Visit&& visit) {
    selection_fields(visit);
    visit(field("margin", &MarginRule::margin, "Largest loss that is allowed.").in(0, 1000).mandatory());
    visit(field("unit", &MarginRule::unit,
                "Of the margin: percent of the baseline's figure; percentage points, of accuracies; ln of the ratio, "
                "of perplexities; `times` is for targets."));
    visit(field("other_machine", &MarginRule::other_machine,
                "Of speed and memory, where the baseline run was measured on another machine or with other threads: "
                "compare the ratios all the same, or leave them out."));
    outcome_fields(visit);
  }
};

template <>
struct Description<TargetRule> {
  static constexpr std::string_view kTitle =
      "What a run must reach by itself, in the comparison of a variant with the run's own baseline variant.";
  template <typename Visit>
  static void fields(Visit&& visit) {
    selection_fields(visit);
    visit(field("bound", &TargetRule::bound, "On which side of `value` the figure must lie.").mandatory());
    visit(field("value", &TargetRule::value, "The bound.").in(-1e6, 1e6).mandatory());
    visit(field("unit", &TargetRule::unit,
                "Of the bound: the delta in percent, + is better; percentage points, of accuracies, + is better; ln of "
                "the ratio, of perplexities, + is worse; how many times as fast or as small.")
              .mandatory());
    outcome_fields(visit);
  }
};

/// The plain fields; `margins` and `targets` are maps by name.
template <>
struct Description<GatePolicy> {
  static constexpr std::string_view kTitle =
      "What `bitnet gate` asks of a run: a file of `configs/gate`, or any other. docs/conventions.md says how it "
      "decides.";
  template <typename Visit>
  static void fields(Visit&& visit) {
    visit(field("confidence", &GatePolicy::confidence,
                "Of the intervals. The chance that a run without any loss beyond its margins fails is at most half of "
                "what is missing to 1, over all metrics together.")
              .between(0.5, 1));
  }
};

}  // namespace bitnet
