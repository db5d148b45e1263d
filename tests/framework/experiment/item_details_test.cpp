#include "framework/experiment/item_details.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "framework/core/utf8.h"

namespace bitnet {
namespace {

using nlohmann::json;
using ::testing::EndsWith;
using ::testing::HasSubstr;

EvaluationItem question(size_t number, bool right, const std::string& text = "Which?") {
  EvaluationItem item{"question-" + std::to_string(number), 1.5, 2};
  item.outcomes = {{"acc", right ? 1.0 : 0.0}};
  json choice = {{"text", "an answer"}, {"nats", 1.5}, {"tokens", 2}, {"code_points", 9}, {"greedy", false}};
  item.details = json{{"question", text},        {"gold", 0},
                      {"chosen", right ? 0 : 1}, {"chosen_norm", 1},
                      {"truncated_choices", 0},  {"choices", {choice, choice}}}
                     .dump();
  return item;
}

EvaluationItem problem(size_t number, bool solved, size_t completions = 1, const std::string& text = "  return 1") {
  EvaluationItem item{"problem/" + std::to_string(number)};
  item.outcomes = {{"pass@1", solved ? 1.0 : 0.0}};
  json list = json::array();
  for (size_t i = 0; i < completions; ++i) {
    list.push_back(
        {{"completion", text}, {"result", solved ? "passed" : "failed: raised E: " + text}, {"passed", solved}});
  }
  item.details = json{{"prompt", "def f():\n"}, {"completions", list}}.dump();
  return item;
}

/// Items of a candidate and a baseline, as the first evaluator of every seed.
Results results_of(const std::vector<EvaluationItem>& candidate, const std::vector<EvaluationItem>& baseline,
                   size_t seeds = 1) {
  Results results;
  results.baseline = "traditional";
  for (const bool first : {true, false}) {
    VariantResult variant;
    variant.name = first ? "bitnet" : "traditional";
    for (size_t s = 0; s < seeds; ++s) {
      SeedResult seed;
      seed.evaluations.emplace_back().evaluator = "questions";
      seed.evaluations.back().items = first ? candidate : baseline;
      variant.seeds.push_back(seed);
    }
    results.variants.push_back(variant);
  }
  return results;
}

const std::vector<EvaluationItem>& items_of(const Results& results, size_t variant, size_t seed = 0) {
  return results.variants[variant].seeds[seed].evaluations.front().items;
}

size_t detailed(const std::vector<EvaluationItem>& items, size_t begin, size_t end) {
  size_t count = 0;
  for (size_t i = begin; i < end; ++i) count += items[i].details.empty() ? 0 : 1;
  return count;
}

TEST(ItemDetails, OfQuestionsAreReadBack) {
  const auto details = choice_details(question(1, false, "Why <b>?"));
  ASSERT_TRUE(details);
  EXPECT_EQ(details->question, "Why <b>?");
  EXPECT_EQ(details->choices.size(), 2u);
  EXPECT_EQ(details->choices[0].text, "an answer");
  EXPECT_EQ(details->choices[0].nats, 1.5);
  EXPECT_EQ(details->choices[0].code_points, 9);
  EXPECT_EQ(details->gold, 0u);
  EXPECT_EQ(details->chosen, 1u);
  EXPECT_FALSE(code_details(question(1, false)));
}

TEST(ItemDetails, OfProgramsAreReadBack) {
  const auto details = code_details(problem(1, false));
  ASSERT_TRUE(details);
  EXPECT_EQ(details->prompt, "def f():\n");
  ASSERT_EQ(details->completions.size(), 1u);
  EXPECT_EQ(details->completions[0].text, "  return 1");
  EXPECT_EQ(details->completions[0].result, "failed: raised E:   return 1");
  EXPECT_FALSE(details->completions[0].passed);
  EXPECT_FALSE(choice_details(problem(1, false)));
}

TEST(ItemDetails, DamagedOnesAreNone) {
  for (const char* damaged :
       {"", "{", "null", "[]", "7", "\"text\"", "{}", R"({"choices": 3})", R"({"choices": []})",
        R"({"choices": [{"nats": "x", "code_points": 1}], "gold": 0, "chosen": 0, "chosen_norm": 0})",
        R"({"choices": [{"nats": 1, "code_points": 1}], "gold": 1, "chosen": 0, "chosen_norm": 0})",
        R"({"choices": [{"nats": 1, "code_points": 1}], "gold": -1, "chosen": 0, "chosen_norm": 0})",
        R"({"completions": 3})", R"({"completions": [7]})", R"({"completions": [{"result": 1, "passed": true}]})"}) {
    EvaluationItem item{"x"};
    item.details = damaged;
    EXPECT_FALSE(choice_details(item)) << damaged;
    EXPECT_FALSE(code_details(item)) << damaged;
  }
}

TEST(ItemDetails, OfQuestionsThatPartTheModelsStayHalfOfEither) {
  // 50 that only the candidate answers, 50 that only the baseline does, 50 that both do.
  std::vector<EvaluationItem> candidate, baseline;
  for (size_t i = 0; i < 150; ++i) {
    candidate.push_back(question(i, i < 50 || i >= 100));
    baseline.push_back(question(i, i >= 50));
  }
  Results results = results_of(candidate, baseline, 2);
  keep_telling_details(results);
  for (const size_t variant : {0, 1}) {
    const std::vector<EvaluationItem>& items = items_of(results, variant);
    EXPECT_EQ(detailed(items, 0, 50), kMostDetailedItems / 2);
    EXPECT_EQ(detailed(items, 50, 100), kMostDetailedItems / 2);
    EXPECT_EQ(detailed(items, 100, 150), 0u);
    EXPECT_EQ(detailed(items_of(results, variant, 1), 0, 150), 0u) << "another seed's";
    EXPECT_EQ(items[0].outcomes, (variant == 0 ? candidate : baseline)[0].outcomes);
  }
}

TEST(ItemDetails, OneWayMayHaveAllPlaces) {
  for (const bool candidate_wins : {true, false}) {
    std::vector<EvaluationItem> candidate, baseline;
    for (size_t i = 0; i < 60; ++i) {
      candidate.push_back(question(i, (i < 55) == candidate_wins));
      baseline.push_back(question(i, (i < 55) != candidate_wins));
    }
    Results results = results_of(candidate, baseline);
    keep_telling_details(results);
    EXPECT_EQ(detailed(items_of(results, 0), 0, 55), kMostDetailedItems - 5);
    EXPECT_EQ(detailed(items_of(results, 1), 55, 60), 5u);
  }
}

TEST(ItemDetails, OfProgramsKeepTheResultsOfAllAndTheTextsOfFew) {
  std::vector<EvaluationItem> candidate, baseline;
  for (size_t i = 0; i < 100; ++i) {
    candidate.push_back(problem(i, false, 5));
    baseline.push_back(problem(i, i == 99, 5));
  }
  Results results = results_of(candidate, baseline);
  keep_telling_details(results);
  size_t with_text = 0;
  for (const EvaluationItem& item : items_of(results, 0)) {
    const auto details = code_details(item);
    ASSERT_TRUE(details);
    EXPECT_EQ(details->completions.size(), kMostCompletions);
    EXPECT_EQ(details->left_out, 2);
    with_text += details->completions[0].text ? 1 : 0;
    EXPECT_EQ(details->prompt.empty(), !details->completions[0].text);
  }
  EXPECT_EQ(with_text, kMostDetailedItems);
  EXPECT_TRUE(code_details(items_of(results, 0)[99])->completions[0].text) << "the one that parts the models";
}

TEST(ItemDetails, LongTextsAreCutAtACharacterAndSaySo) {
  std::string text = "x";
  for (int i = 0; i < 2000; ++i) text += "\u20AC";  // three bytes each, so that the limit falls inside one
  Results results = results_of({question(0, true, text), problem(1, false, 1, text)},
                               {question(0, false, text), problem(1, true, 1, text)});
  keep_telling_details(results);
  const auto choice = choice_details(items_of(results, 0)[0]);
  ASSERT_TRUE(choice);
  EXPECT_EQ(repaired_utf8(choice->question), choice->question);
  EXPECT_THAT(choice->question, EndsWith("\u20AC \u2026 (4503 more bytes)"));
  EXPECT_LE(choice->question.size(), kMostTextBytes + 40);
  const auto code = code_details(items_of(results, 0)[1]);
  ASSERT_TRUE(code);
  EXPECT_THAT(*code->completions[0].text, HasSubstr(" more bytes)"));
  EXPECT_LE(code->completions[0].result.size(), kMostResultBytes + 40);
}

TEST(ItemDetails, WithoutABaselineNoneStay) {
  Results results = results_of({question(0, true)}, {question(0, false)});
  results.baseline = "absent";
  keep_telling_details(results);
  EXPECT_EQ(items_of(results, 0)[0].details, "");
}

}  // namespace
}  // namespace bitnet
