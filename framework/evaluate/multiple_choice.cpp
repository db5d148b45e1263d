#include "framework/evaluate/multiple_choice.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"
#include "framework/core/text_template.h"
#include "framework/core/utf8.h"
#include "framework/data/catalog.h"
#include "framework/data/documents.h"
#include "framework/evaluate/detail_keys.h"
#include "framework/evaluate/score_all.h"

namespace bitnet {
namespace {

namespace keys = detail_keys;

/// Bytes of `text` without the white space at its end, as Python's rstrip leaves it.
size_t stripped_size(std::string_view text) {
  size_t size = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t space = white_space_length(text, at);
    at += space > 0 ? space : 1;
    if (space == 0) size = at;
  }
  return size;
}

/// For the convention's name: newlines and quotes as one writes them in YAML.
std::string json_text(std::string_view text) { return nlohmann::json(text).dump(); }

/// The index of the largest value, the first of equal ones.
size_t argmax(const std::vector<double>& values) {
  return static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

/// What became of one question.
struct Answers {
  std::vector<ScoreResult> results;
  std::vector<double> sums;        ///< log-likelihoods
  std::vector<double> normalized;  ///< by code points
  std::vector<int64_t> lengths;
};

EvaluationItem item_of(const ChoiceQuestion& question, const Answers& answers, int64_t truncated) {
  const size_t chosen = argmax(answers.sums);
  const size_t chosen_normalized = argmax(answers.normalized);
  EvaluationItem item;
  item.id = question.id;
  item.nats = answers.results[question.gold].nats;
  item.tokens = answers.results[question.gold].tokens;
  item.outcomes = {{"acc", chosen == question.gold ? 1.0 : 0.0},
                   {"acc_norm", chosen_normalized == question.gold ? 1.0 : 0.0}};
  nlohmann::ordered_json choices = nlohmann::ordered_json::array();
  for (size_t i = 0; i < answers.results.size(); ++i) {
    choices.push_back({{keys::kText, question.choices[i]},
                       {keys::kNats, answers.results[i].nats},
                       {"tokens", answers.results[i].tokens},
                       {keys::kCodePoints, answers.lengths[i]},
                       {"greedy", answers.results[i].greedy}});
  }
  nlohmann::ordered_json details = {{keys::kQuestion, question.question},
                                    {keys::kGold, question.gold},
                                    {keys::kChosen, chosen},
                                    {keys::kChosenNorm, chosen_normalized},
                                    {"truncated_choices", truncated}};
  details[keys::kChoices] = std::move(choices);
  item.details = details.dump();
  return item;
}

/// The mean of every outcome over the items.
std::vector<Metric> accuracies(const std::vector<EvaluationItem>& items) {
  std::vector<Metric> metrics;
  for (const char* name : {"acc", "acc_norm"}) {
    double right = 0;
    for (const EvaluationItem& item : items) right += item.outcomes.at(name);
    metrics.push_back({name, right / static_cast<double>(items.size()), "accuracy", /*lower_is_better=*/false});
  }
  return metrics;
}

}  // namespace

ChoiceData open_choice_data(const EvaluatorConfig& config, const Dataset& dataset, const std::string& where,
                            ProgressReporter& progress) {
  ChoiceData data;
  if (config.data.empty()) {
    data.questions = dataset.questions();
    if (data.questions.empty()) {
      throw DataError(where + ": the dataset must ask questions of its own where data is empty, but '" +
                      dataset.name() + "' has none. Name a file or a catalog entry as data.");
    }
    data.name = dataset.name() + "'s own questions";
    data.sha256 = sha256_hex(choice_questions_text(data.questions));
    keep_first(data.questions, config.limit);
    return data;
  }
  const std::string text = read_file(find_data(config.data, where + ": data", progress));
  data.questions = read_choice_questions(text, {config.question_key, config.choices_key, config.gold_key}, config.data);
  data.name = config.data;
  data.sha256 = sha256_hex(text);
  keep_first(data.questions, config.limit);
  return data;
}

EncodedChoice encode_choice(const Tokenizer& tokenizer, std::string_view prompt, std::string_view continuation,
                            bool bos, int64_t context, const std::string& where) {
  const std::string whole = std::string(prompt) + std::string(continuation);
  std::vector<int32_t> ids = tokenizer.encode(std::string_view(whole).substr(0, stripped_size(prompt)));
  const std::vector<int32_t> all = tokenizer.encode(whole);
  const size_t begin = std::min(ids.size(), all.size());
  const auto scored = static_cast<int64_t>(all.size() - begin);
  if (scored < 1 || scored > context) {
    throw DataError(where + ": a choice must be 1 to " + std::to_string(context) +
                    " tokens long, the model's context, but is " + std::to_string(scored) +
                    ". Shorten the choice or the text before it, or use a model of a longer context.");
  }
  if (bos || ids.empty()) ids.insert(ids.begin(), tokenizer.bos_id());
  ids.insert(ids.end(), all.begin() + static_cast<std::ptrdiff_t>(begin), all.end());
  EncodedChoice choice;
  const auto most = static_cast<size_t>(context + 1);
  if (ids.size() > most) {
    choice.truncated = true;
    ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(most));
  }
  choice.request.scored_from = static_cast<int64_t>(ids.size()) - scored;
  choice.request.shared = choice.request.scored_from - 1;  // the prompt, which a question's choices have in common
  choice.request.tokens = std::move(ids);
  return choice;
}

MultipleChoiceEvaluator::MultipleChoiceEvaluator(std::string name, EvaluatorConfig config, ChoiceData data,
                                                 const Tokenizer& tokenizer)
    : name_(std::move(name)), config_(std::move(config)), data_(std::move(data)), tokenizer_(tokenizer) {}

Evaluation MultipleChoiceEvaluator::evaluate(const EvaluatedModel& model, ProgressReporter& progress) {
  const std::string where = "evaluator '" + name_ + "'";
  std::vector<ScoreRequest> requests;
  std::vector<int64_t> truncated;  // choices of each question
  for (const ChoiceQuestion& question : data_.questions) {
    const std::string prompt = fill_template(config_.prompt, {{"question", question.question}});
    truncated.push_back(0);
    for (const std::string& text : question.choices) {
      EncodedChoice choice = encode_choice(tokenizer_, prompt, fill_template(config_.continuation, {{"choice", text}}),
                                           config_.bos, model.scorer.context(), where + ", question " + question.id);
      truncated.back() += choice.truncated ? 1 : 0;
      requests.push_back(std::move(choice.request));
    }
  }

  const std::vector<ScoreResult> results = score_all(*this, model, requests, "choices", progress);
  Evaluation evaluation;
  evaluation.evaluator = name_;
  evaluation.version = version();
  evaluation.convention = "multiple choice (lm-eval), zero-shot, prompt " + json_text(config_.prompt) +
                          ", continuation " + json_text(config_.continuation) + (config_.bos ? ", BOS" : ", no BOS") +
                          ", context " + std::to_string(model.scorer.context()) + limit_phrase(config_.limit);
  evaluation.data_sha256 = data_sha256();
  evaluation.split = data_.name;
  double chance = 0;
  auto next = results.begin();
  for (size_t q = 0; q < data_.questions.size(); ++q) {
    const ChoiceQuestion& question = data_.questions[q];
    Answers answers;
    for (const std::string& text : question.choices) {
      answers.results.push_back(*next++);
      answers.sums.push_back(-answers.results.back().nats);
      answers.lengths.push_back(static_cast<int64_t>(code_points(text)));
      answers.normalized.push_back(answers.sums.back() / static_cast<double>(answers.lengths.back()));
    }
    evaluation.items.push_back(item_of(question, answers, truncated[q]));
    chance += 1 / static_cast<double>(question.choices.size()) / static_cast<double>(data_.questions.size());
  }
  evaluation.metrics = accuracies(evaluation.items);
  for (const Metric& metric : evaluation.metrics) evaluation.chance[metric.name] = chance;
  return evaluation;
}

}  // namespace bitnet
