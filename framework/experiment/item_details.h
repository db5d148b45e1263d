#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/experiment/results.h"

// What an item's details say (EvaluationItem::details), and which of them results.json keeps: enough to show where two
// models part, and never more than a few hundred kilobytes.

namespace bitnet {

/// How much of the details stays for each evaluator, of each candidate and its baseline.
inline constexpr size_t kMostDetailedItems = 40;
inline constexpr size_t kMostCompletions = 3;    ///< of one problem
inline constexpr size_t kMostTextBytes = 1500;   ///< of one text
inline constexpr size_t kMostResultBytes = 300;  ///< of what became of a program

/// What a model preferred in a question of multiple choice.
struct ChoiceDetails {
  struct Choice {
    std::string text;
    double nats = 0;
    int64_t code_points = 0;
  };
  std::string question;  ///< empty where it was not kept
  std::vector<Choice> choices;
  size_t gold = 0;         ///< index of the right one
  size_t chosen = 0;       ///< by the sum of log-likelihoods
  size_t chosen_norm = 0;  ///< by the sum for each code point
};

/// What a model wrote for a programming problem, and what became of it.
struct CodeDetails {
  struct Completion {
    std::optional<std::string> text;  ///< nothing where only the result was kept
    std::string result;               ///< "passed", or the verdict and its reason
    bool passed = false;
  };
  std::string prompt;  ///< empty where it was not kept
  std::vector<Completion> completions;
  int64_t left_out = 0;  ///< completions beyond those
};

/// An item's details where they are those of such an item; nothing where there are none, or others.
std::optional<ChoiceDetails> choice_details(const EvaluationItem& item);
std::optional<CodeDetails> code_details(const EvaluationItem& item);

/// Whether two models' outcomes of an item differ in any metric.
bool outcomes_differ(const EvaluationItem& candidate, const EvaluationItem& baseline);

/// Leaves the details of few items in `results`, those of the first seed that say most:
/// - multiple choice: questions whose outcomes differ between a candidate and the baseline;
/// - programs: problems whose outcomes differ, then those that neither solves, then the rest; of the others only what
///   became of their programs.
/// Where the differences go both ways, half of the places are for either. Texts that are longer than the limits are
/// cut, and say by how much.
void keep_telling_details(Results& results);

}  // namespace bitnet
