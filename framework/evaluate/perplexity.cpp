#include "framework/evaluate/perplexity.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "framework/core/error.h"
#include "framework/data/documents.h"
#include "framework/evaluate/conventions.h"

namespace bitnet {
namespace {

/// Requests that one call of the scorer gets: few enough for a moving progress bar, many enough to keep all cores busy.
constexpr size_t kRequestsPerCall = 64;

std::string split_name(DataSplit split) {
  switch (split) {
    case DataSplit::kTrain:
      return "train";
    case DataSplit::kValidation:
      return "validation";
    case DataSplit::kTest:
      return "test";
  }
  return "";
}

/// What the metrics are made of: one model's sums over the items, or the split's own at its true entropy.
struct Sums {
  double nats = 0;
  int64_t tokens = 0;
  int64_t words = 0;
  int64_t bytes = 0;
};

Sums sum_of(const std::vector<EvaluationItem>& items) {
  Sums sums;
  for (const EvaluationItem& item : items) {
    sums.nats += item.nats;
    sums.tokens += item.tokens;
    sums.words += item.words;
    sums.bytes += item.bytes;
  }
  return sums;
}

double ratio(double nats, int64_t count) { return nats / static_cast<double>(count); }

std::vector<Metric> window_metrics(const Sums& sums, double mean_of_windows) {
  return {{"perplexity", std::exp(mean_of_windows), "perplexity"},
          {"bits_per_byte", ratio(sums.nats, sums.bytes) / std::numbers::ln2, "bits/byte"},
          {"nats_per_token", ratio(sums.nats, sums.tokens), "nats/token"}};
}

std::vector<Metric> word_metrics(const Sums& sums) {
  return {{"word_perplexity", std::exp(ratio(sums.nats, sums.words)), "perplexity"},
          {"bits_per_byte", ratio(sums.nats, sums.bytes) / std::numbers::ln2, "bits/byte"},
          {"byte_perplexity", std::exp(ratio(sums.nats, sums.bytes)), "perplexity"},
          {"nats_per_token", ratio(sums.nats, sums.tokens), "nats/token"}};
}

/// What lm-eval calls a page. Documents concatenate to the text; where they are WikiText's pages, lm-eval leaves out
/// the newline between two of them and blank lines before the first.
std::vector<std::string_view> pages_of(const Dataset& dataset, DataSplit split) {
  const std::string_view text = dataset.text(split);
  std::vector<std::string_view> documents = dataset.documents(split);
  return documents == split_documents(text, DocumentSplit::kWikitext) ? wikitext_pages(text) : documents;
}

std::map<std::string, double> by_name(const std::vector<Metric>& metrics) {
  std::map<std::string, double> values;
  for (const Metric& metric : metrics) values[metric.name] = metric.value;
  return values;
}

}  // namespace

PerplexityEvaluator::PerplexityEvaluator(std::string name, EvaluatorConfig config, const Dataset& dataset,
                                         const Tokenizer& tokenizer)
    : name_(std::move(name)), config_(config), dataset_(dataset), tokenizer_(tokenizer) {}

Evaluation PerplexityEvaluator::evaluate(const EvaluatedModel& model, ProgressReporter& progress) {
  Evaluation evaluation;
  evaluation.evaluator = name_;
  evaluation.version = version();
  evaluation.data_sha256 = data_sha256();
  evaluation.split = split_name(config_.split);
  switch (config_.convention) {
    case PerplexityConvention::kWindows:
      evaluate_windows(model.scorer, progress, evaluation);
      break;
    case PerplexityConvention::kWord:
      evaluate_words(model.scorer, progress, evaluation);
      break;
  }
  return evaluation;
}

int64_t PerplexityEvaluator::window_length(const Scorer& scorer) const {
  const int64_t length = config_.window == 0 ? scorer.context() : config_.window;
  if (length < 2 || length > scorer.context()) {
    throw ConfigError(where() + ": window must be 2 to " + std::to_string(scorer.context()) +
                      " tokens, the model's context, but is " + std::to_string(length) + ". Set evaluators." + name_ +
                      ".window, or 0 for the model's context.");
  }
  return length;
}

void PerplexityEvaluator::evaluate_windows(Scorer& scorer, ProgressReporter& progress, Evaluation& evaluation) const {
  const int64_t length = window_length(scorer);
  const bool joined = config_.text == PerplexityText::kRowsJoined;
  evaluation.convention = std::string("windows (") + (joined ? "rows joined by two newlines" : "text as stored") +
                          "), " + std::to_string(length) + " tokens";

  const std::string_view stored = dataset_.text(config_.split);
  std::vector<int32_t> ids = tokenizer_.encode(joined ? join_rows(stored) : std::string(stored));
  const std::vector<int64_t> bytes = token_bytes(tokenizer_, ids);
  const auto text_tokens = static_cast<int64_t>(ids.size());
  ids.insert(ids.begin(), tokenizer_.bos_id());
  const std::vector<ScoreRequest> windows = fixed_windows(ids, length);
  if (windows.empty()) {
    throw DataError(where() + ": the " + evaluation.split + " split of '" + dataset_.name() +
                    "' must hold at least one window of " + std::to_string(length) + " tokens, but holds " +
                    std::to_string(ids.size()) + " with BOS. Choose a smaller window or a longer text.");
  }

  const std::vector<ScoreResult> results = score_all(scorer, windows, progress);
  double mean_of_windows = 0;
  for (size_t i = 0; i < windows.size(); ++i) {
    const ScoreResult& result = results[i];
    EvaluationItem item{"window-" + std::to_string(i), result.nats, result.tokens};
    // The window's token j is the text's i * length + j - 1: BOS is the first of all. Its own first token is not
    // scored.
    const auto first_scored = bytes.begin() + static_cast<int64_t>(i) * length;
    item.bytes = std::accumulate(first_scored, first_scored + result.tokens, int64_t{0});
    evaluation.items.push_back(std::move(item));
    mean_of_windows += ratio(result.nats, result.tokens) / static_cast<double>(windows.size());
  }
  evaluation.metrics = window_metrics(sum_of(evaluation.items), mean_of_windows);
  // Known for the text as its generator wrote it, and for all of it: the floor takes the dropped tail for typical.
  const std::optional<EntropyFloor> floor = dataset_.floor(config_.split);
  if (floor && !joined) {
    const Sums sums{floor->nats, text_tokens, 0, static_cast<int64_t>(stored.size())};
    evaluation.floor = by_name(window_metrics(sums, ratio(sums.nats, sums.tokens)));
  }
}

void PerplexityEvaluator::evaluate_words(Scorer& scorer, ProgressReporter& progress, Evaluation& evaluation) const {
  const int64_t length = window_length(scorer);
  evaluation.convention = std::string("word (lm-eval, ") + (config_.detokenize ? "detokenized" : "text as stored") +
                          "), context " + std::to_string(length);

  std::vector<ScoreRequest> requests;
  std::vector<size_t> item_of_request;
  for (const std::string_view page : pages_of(dataset_, config_.split)) {
    const std::vector<int32_t> ids =
        tokenizer_.encode(config_.detokenize ? wikitext_detokenize(page) : std::string(page));
    for (ScoreRequest& request : rolling_windows(ids, tokenizer_.bos_id(), length)) {
      requests.push_back(std::move(request));
      item_of_request.push_back(evaluation.items.size());
    }
    EvaluationItem item{"page-" + std::to_string(evaluation.items.size())};
    item.words = count_words(page);
    item.bytes = static_cast<int64_t>(page.size());
    evaluation.items.push_back(std::move(item));
  }
  if (requests.empty()) {
    throw DataError(where() + ": the " + evaluation.split + " split of '" + dataset_.name() +
                    "' must hold at least one token, but is empty. Put text into the split.");
  }

  const std::vector<ScoreResult> results = score_all(scorer, requests, progress);
  for (size_t i = 0; i < results.size(); ++i) {
    EvaluationItem& item = evaluation.items[item_of_request[i]];
    item.nats += results[i].nats;
    item.tokens += results[i].tokens;
  }
  Sums sums = sum_of(evaluation.items);
  evaluation.metrics = word_metrics(sums);
  const std::optional<EntropyFloor> floor = dataset_.floor(config_.split);
  if (floor && !config_.detokenize) {
    sums.nats = floor->nats;
    evaluation.floor = by_name(word_metrics(sums));
  }
}

std::vector<ScoreResult> PerplexityEvaluator::score_all(Scorer& scorer, const std::vector<ScoreRequest>& requests,
                                                        ProgressReporter& progress) const {
  std::vector<ScoreResult> results;
  results.reserve(requests.size());
  progress.start("evaluating " + name_, static_cast<int64_t>(requests.size()), "windows");
  while (results.size() < requests.size()) {
    const size_t count = std::min(kRequestsPerCall, requests.size() - results.size());
    for (const ScoreResult& result : scorer.score(std::span(requests).subspan(results.size(), count))) {
      if (!std::isfinite(result.nats)) {
        throw DataError(where() + ": the log-likelihood of every window must be a finite number, but is " +
                        std::to_string(-result.nats) +
                        ". The model's weights have diverged: train it anew with a lower " + "learning rate.");
      }
      results.push_back(result);
    }
    progress.update(static_cast<int64_t>(results.size()));
  }
  progress.finish();
  return results;
}

}  // namespace bitnet
