#include "framework/experiment/item_details.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "framework/core/utf8.h"
#include "framework/evaluate/detail_keys.h"

namespace bitnet {
namespace {

using Json = nlohmann::ordered_json;
namespace keys = detail_keys;

constexpr const char* kLeftOut = "completions_left_out";

/// `text` in at most about `most` bytes, whole characters, and how much is missing.
std::string cut(const std::string& text, size_t most) {
  if (text.size() <= most) return text;
  size_t end = 0;
  while (true) {
    const size_t length = std::max<size_t>(utf8_character_length(text, end), 1);
    if (end + length > most) break;
    end += length;
  }
  return text.substr(0, end) + " \u2026 (" + std::to_string(text.size() - end) + " more bytes)";
}

void cut_text(Json& object, const char* key, size_t most) {
  const auto text = object.find(key);
  if (text != object.end() && text->is_string()) *text = cut(text->get<std::string>(), most);
}

/// The details of a question, or of a problem, within the limits; nothing for others.
std::string shortened(const EvaluationItem& item) {
  if (!choice_details(item) && !code_details(item)) return "";
  Json json = Json::parse(item.details);
  cut_text(json, keys::kQuestion, kMostTextBytes);
  cut_text(json, keys::kPrompt, kMostTextBytes);
  if (json.contains(keys::kChoices)) {
    for (Json& choice : json[keys::kChoices]) cut_text(choice, keys::kText, kMostResultBytes);
  }
  if (!json.contains(keys::kCompletions)) return json.dump();
  Json& completions = json[keys::kCompletions];
  const size_t count = completions.size();
  while (completions.size() > kMostCompletions) completions.erase(completions.size() - 1);
  for (Json& completion : completions) {
    cut_text(completion, keys::kCompletion, kMostTextBytes);
    cut_text(completion, keys::kResult, kMostResultBytes);
  }
  if (count > completions.size()) json[kLeftOut] = count - completions.size();
  return json.dump();
}

/// What became of a problem's programs, without any of their text; nothing for other details.
std::string results_alone(const EvaluationItem& item) {
  if (!code_details(item)) return "";
  Json json = Json::parse(shortened(item));
  json.erase(keys::kPrompt);
  for (Json& completion : json[keys::kCompletions]) completion.erase(keys::kCompletion);
  return json.dump();
}

double total(const EvaluationItem& item) {
  double sum = 0;
  for (const auto& [metric, outcome] : item.outcomes) sum += outcome;
  return sum;
}

/// Indices of the items that tell most about the pair, at most kMostDetailedItems of them.
std::set<size_t> telling(const std::vector<EvaluationItem>& candidate, const std::vector<EvaluationItem>& baseline,
                         bool others_too) {
  std::vector<size_t> better, worse, unsolved, solved;
  for (size_t i = 0; i < std::min(candidate.size(), baseline.size()); ++i) {
    if (outcomes_differ(candidate[i], baseline[i])) {
      (total(candidate[i]) > total(baseline[i]) ? better : worse).push_back(i);
    } else if (others_too) {
      (total(candidate[i]) > 0 ? solved : unsolved).push_back(i);
    }
  }
  constexpr size_t kHalf = kMostDetailedItems / 2;
  const size_t of_worse = std::min(worse.size(), kMostDetailedItems - std::min(better.size(), kHalf));
  std::set<size_t> kept(worse.begin(), worse.begin() + static_cast<std::ptrdiff_t>(of_worse));
  for (const std::vector<size_t>* group : {&better, &unsolved, &solved}) {
    for (const size_t i : *group) {
      if (kept.size() < kMostDetailedItems) kept.insert(i);
    }
  }
  return kept;
}

Evaluation* find_evaluation(VariantResult& variant, const std::string& evaluator) {
  if (variant.seeds.empty()) return nullptr;
  for (Evaluation& evaluation : variant.seeds.front().evaluations) {
    if (evaluation.evaluator == evaluator) return &evaluation;
  }
  return nullptr;
}

bool has_programs(const Evaluation& evaluation) {
  return std::any_of(evaluation.items.begin(), evaluation.items.end(),
                     [](const EvaluationItem& item) { return code_details(item).has_value(); });
}

}  // namespace

std::optional<ChoiceDetails> choice_details(const EvaluationItem& item) {
  if (item.details.empty()) return std::nullopt;
  try {
    const Json json = Json::parse(item.details);
    ChoiceDetails details;
    details.question = json.value(keys::kQuestion, "");
    for (const Json& choice : json.at(keys::kChoices)) {
      details.choices.push_back({choice.value(keys::kText, ""), choice.at(keys::kNats).get<double>(),
                                 choice.at(keys::kCodePoints).get<int64_t>()});
    }
    details.gold = json.at(keys::kGold).get<size_t>();
    details.chosen = json.at(keys::kChosen).get<size_t>();
    details.chosen_norm = json.at(keys::kChosenNorm).get<size_t>();
    const size_t count = details.choices.size();
    if (details.gold >= count || details.chosen >= count || details.chosen_norm >= count) return std::nullopt;
    return details;
  } catch (const Json::exception&) {
    return std::nullopt;  // of another kind of item
  }
}

std::optional<CodeDetails> code_details(const EvaluationItem& item) {
  if (item.details.empty()) return std::nullopt;
  try {
    const Json json = Json::parse(item.details);
    CodeDetails details;
    details.prompt = json.value(keys::kPrompt, "");
    details.left_out = json.value(kLeftOut, int64_t{0});
    for (const Json& completion : json.at(keys::kCompletions)) {
      CodeDetails::Completion one;
      if (completion.contains(keys::kCompletion)) one.text = completion.at(keys::kCompletion).get<std::string>();
      one.result = completion.at(keys::kResult).get<std::string>();
      one.passed = completion.at(keys::kPassed).get<bool>();
      details.completions.push_back(std::move(one));
    }
    return details;
  } catch (const Json::exception&) {
    return std::nullopt;  // of another kind of item
  }
}

bool outcomes_differ(const EvaluationItem& candidate, const EvaluationItem& baseline) {
  return candidate.outcomes != baseline.outcomes;
}

void keep_telling_details(Results& results) {
  std::map<Evaluation*, std::set<size_t>> kept;
  const auto baseline = std::find_if(results.variants.begin(), results.variants.end(),
                                     [&](const VariantResult& variant) { return variant.name == results.baseline; });
  for (VariantResult& variant : results.variants) {
    if (baseline == results.variants.end() || variant.name == results.baseline || variant.seeds.empty()) continue;
    for (Evaluation& evaluation : variant.seeds.front().evaluations) {
      Evaluation* const other = find_evaluation(*baseline, evaluation.evaluator);
      if (other == nullptr) continue;
      const std::set<size_t> items = telling(evaluation.items, other->items, has_programs(evaluation));
      kept[&evaluation].insert(items.begin(), items.end());
      kept[other].insert(items.begin(), items.end());
    }
  }
  for (VariantResult& variant : results.variants) {
    for (size_t s = 0; s < variant.seeds.size(); ++s) {
      for (Evaluation& evaluation : variant.seeds[s].evaluations) {
        const std::set<size_t>& of_evaluation = kept[&evaluation];
        for (size_t i = 0; i < evaluation.items.size(); ++i) {
          EvaluationItem& item = evaluation.items[i];
          item.details = s > 0 ? "" : of_evaluation.contains(i) ? shortened(item) : results_alone(item);
        }
      }
    }
  }
}

}  // namespace bitnet
