#pragma once

// The keys of an item's details (EvaluationItem::details): what evaluators write, and reports read.

namespace bitnet::detail_keys {

// Of a question of multiple choice:
inline constexpr const char* kQuestion = "question";
inline constexpr const char* kGold = "gold";
inline constexpr const char* kChosen = "chosen";
inline constexpr const char* kChosenNorm = "chosen_norm";
inline constexpr const char* kChoices = "choices";
// ... of one of its choices:
inline constexpr const char* kText = "text";
inline constexpr const char* kNats = "nats";
inline constexpr const char* kCodePoints = "code_points";

// Of a programming problem:
inline constexpr const char* kPrompt = "prompt";
inline constexpr const char* kCompletions = "completions";
// ... of one of its completions:
inline constexpr const char* kCompletion = "completion";
inline constexpr const char* kResult = "result";
inline constexpr const char* kPassed = "passed";

}  // namespace bitnet::detail_keys
