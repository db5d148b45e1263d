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
#include "framework/evaluate/score_all.h"

namespace bitnet {
namespace {

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
      evaluate_windows(model, progress, evaluation);
      break;
    case PerplexityConvention::kWord:
      evaluate_words(model, progress, evaluation);
      break;
    case PerplexityConvention::kBitnet:
      evaluate_packed(model, progress, evaluation);
      break;
    case PerplexityConvention::kSliding:
      evaluate_sliding(model, progress, evaluation);
      break;
    case PerplexityConvention::kChunks:
      evaluate_chunks(model, progress, evaluation);
      break;
  }
  evaluation.convention += limit_phrase(config_.limit);
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

PerplexityEvaluator::EncodedText PerplexityEvaluator::encode(const std::string& text) const {
  EncodedText encoded;
  encoded.ids = tokenizer_.encode(text);
  encoded.bytes = token_bytes(tokenizer_, encoded.ids);
  if (config_.bos) {
    encoded.ids.insert(encoded.ids.begin(), tokenizer_.bos_id());
    encoded.bytes.insert(encoded.bytes.begin(), 0);
  }
  return encoded;
}

std::string PerplexityEvaluator::joined_or_stored() const {
  const std::string_view stored = dataset_.text(config_.split);
  return config_.text == PerplexityText::kRowsJoined ? join_rows(stored) : std::string(stored);
}

std::string PerplexityEvaluator::text_phrase() const {
  return std::string(config_.text == PerplexityText::kRowsJoined ? "rows joined by two newlines" : "text as stored") +
         (config_.bos ? "" : ", no BOS");
}

void PerplexityEvaluator::add_windows(const EvaluatedModel& model, ProgressReporter& progress, const EncodedText& text,
                                      const std::vector<ScoreRequest>& windows, int64_t length,
                                      Evaluation& evaluation) const {
  const std::vector<ScoreResult> results = score_all(*this, model, windows, "windows", progress);
  for (size_t i = 0; i < windows.size(); ++i) {
    EvaluationItem item{"window-" + std::to_string(i), results[i].nats, results[i].tokens};
    const auto first = text.bytes.begin() + static_cast<int64_t>(i) * length + windows[i].scored_from;
    item.bytes = std::accumulate(first, first + item.tokens, int64_t{0});
    evaluation.items.push_back(std::move(item));
  }
}

void PerplexityEvaluator::add_floor(const EncodedText& text, Evaluation& evaluation) const {
  // Known for the text as its generator wrote it, and for all of it: the floor takes what is not scored for typical.
  const std::optional<EntropyFloor> floor = dataset_.floor(config_.split);
  if (!floor || config_.limit > 0) return;
  const auto text_tokens = static_cast<int64_t>(text.ids.size()) - (config_.bos ? 1 : 0);
  const Sums sums{floor->nats, text_tokens, 0, static_cast<int64_t>(dataset_.text(config_.split).size())};
  const auto values = by_name(window_metrics(sums, ratio(sums.nats, sums.tokens)));
  for (const Metric& metric : evaluation.metrics) evaluation.floor[metric.name] = values.at(metric.name);
}

void PerplexityEvaluator::require_windows(size_t windows, const std::string& needed, size_t tokens) const {
  if (windows > 0) return;
  throw DataError(where() + ": the " + split_name(config_.split) + " split of '" + dataset_.name() +
                  "' must hold at least " + needed + ", but holds " + std::to_string(tokens) +
                  (config_.bos ? " with BOS" : " tokens") + ". Choose a smaller window or a longer text.");
}

void PerplexityEvaluator::evaluate_windows(const EvaluatedModel& model, ProgressReporter& progress,
                                           Evaluation& evaluation) const {
  const int64_t length = window_length(model.scorer);
  evaluation.convention = "windows (" + text_phrase() + "), " + std::to_string(length) + " tokens";
  const EncodedText text = encode(joined_or_stored());
  std::vector<ScoreRequest> windows = fixed_windows(text.ids, length);
  keep_first(windows, config_.limit);
  require_windows(windows.size(), "one window of " + std::to_string(length) + " tokens", text.ids.size());
  add_windows(model, progress, text, windows, length, evaluation);
  double mean_of_windows = 0;
  for (const EvaluationItem& item : evaluation.items) {
    mean_of_windows += ratio(item.nats, item.tokens) / static_cast<double>(windows.size());
  }
  evaluation.metrics = window_metrics(sum_of(evaluation.items), mean_of_windows);
  if (config_.text == PerplexityText::kStored) add_floor(text, evaluation);
}

void PerplexityEvaluator::evaluate_chunks(const EvaluatedModel& model, ProgressReporter& progress,
                                          Evaluation& evaluation) const {
  const int64_t length = window_length(model.scorer);
  if (length < 3) {
    throw ConfigError(where() + ": window must be at least 3 where the second half of a window is scored, but is " +
                      std::to_string(length) + ". Set evaluators." + name_ + ".window.");
  }
  evaluation.convention = std::string("chunks (llama.cpp, text as stored without its last newline") +
                          (config_.bos ? "" : ", no BOS") + "), " + std::to_string(length) + " tokens, the last " +
                          std::to_string(length - 1 - length / 2) + " scored";
  std::string_view stored = dataset_.text(config_.split);
  if (stored.ends_with('\n')) stored.remove_suffix(1);
  const EncodedText text = encode(std::string(stored));
  const std::optional<int32_t> bos = config_.bos ? std::optional(tokenizer_.bos_id()) : std::nullopt;
  std::vector<ScoreRequest> windows = half_scored_windows(text.ids, bos, length);
  if (windows.size() < 2) windows.clear();  // as llama.cpp, which takes a shorter text for a mistake
  require_windows(windows.size(), "two windows of " + std::to_string(length) + " tokens", text.ids.size());
  keep_first(windows, config_.limit);
  add_windows(model, progress, text, windows, length, evaluation);
  const Sums sums = sum_of(evaluation.items);
  evaluation.metrics = window_metrics(sums, ratio(sums.nats, sums.tokens));
  add_floor(text, evaluation);
}

void PerplexityEvaluator::evaluate_sliding(const EvaluatedModel& model, ProgressReporter& progress,
                                           Evaluation& evaluation) const {
  const int64_t length = window_length(model.scorer);
  if (config_.stride > length) {
    throw ConfigError(where() + ": stride must be at most the window, " + std::to_string(length) + " tokens, but is " +
                      std::to_string(config_.stride) + ". Set evaluators." + name_ + ".stride.");
  }
  evaluation.convention = "sliding (Hugging Face, " + text_phrase() + "), " + std::to_string(length) +
                          " tokens, stride " + std::to_string(config_.stride);
  const EncodedText text = encode(joined_or_stored());
  std::vector<SlidingWindow> windows = sliding_windows(text.ids, length, config_.stride);
  keep_first(windows, config_.limit);
  require_windows(windows.size(), "two tokens", text.ids.size());
  std::vector<ScoreRequest> requests;
  for (const SlidingWindow& window : windows) requests.push_back(window.request);
  const std::vector<ScoreResult> results = score_all(*this, model, requests, "windows", progress);
  for (size_t i = 0; i < windows.size(); ++i) {
    EvaluationItem item{"window-" + std::to_string(i)};
    item.nats = ratio(results[i].nats, results[i].tokens) * static_cast<double>(windows[i].weight);
    item.tokens = windows[i].weight;
    evaluation.items.push_back(std::move(item));
  }
  const Sums sums = sum_of(evaluation.items);
  const double mean = ratio(sums.nats, sums.tokens);
  evaluation.metrics = {{"perplexity", std::exp(mean), "perplexity"}, {"nats_per_token", mean, "nats/token"}};
  if (config_.text == PerplexityText::kStored) add_floor(text, evaluation);
}

void PerplexityEvaluator::evaluate_packed(const EvaluatedModel& model, ProgressReporter& progress,
                                          Evaluation& evaluation) const {
  const int64_t length = window_length(model.scorer);
  evaluation.convention = "bitnet (BitNet b1.58, lines packed), " + std::to_string(length) + " tokens";
  const std::vector<std::string_view> lines = text_lines(dataset_.text(config_.split));
  std::vector<std::vector<int32_t>> ids;
  for (const std::string_view line : lines) {
    ids.push_back(tokenizer_.encode(line));
    ids.back().push_back(tokenizer_.eos_id());
  }
  std::vector<PackedWindow> windows = packed_windows(ids, tokenizer_.bos_id(), length);
  keep_first(windows, config_.limit);
  if (windows.empty()) {
    throw DataError(where() + ": the " + evaluation.split + " split of '" + dataset_.name() +
                    "' must hold at least one line of at most " + std::to_string(length - 1) +
                    " tokens, EOS included, but holds none. Choose a larger window or another text.");
  }
  std::vector<ScoreRequest> requests;
  for (const PackedWindow& window : windows) requests.push_back(window.request);
  const std::vector<ScoreResult> results = score_all(*this, model, requests, "windows", progress);
  for (size_t i = 0; i < windows.size(); ++i) {
    EvaluationItem item{"window-" + std::to_string(i), results[i].nats, results[i].tokens};
    for (const size_t line : windows[i].lines) item.bytes += static_cast<int64_t>(lines[line].size()) + 1;  // newline
    evaluation.items.push_back(std::move(item));
  }
  const Sums sums = sum_of(evaluation.items);
  evaluation.metrics = window_metrics(sums, ratio(sums.nats, sums.tokens));
}

void PerplexityEvaluator::evaluate_words(const EvaluatedModel& model, ProgressReporter& progress,
                                         Evaluation& evaluation) const {
  const int64_t length = window_length(model.scorer);
  evaluation.convention = std::string("word (lm-eval, ") + (config_.detokenize ? "detokenized" : "text as stored") +
                          "), context " + std::to_string(length);

  std::vector<ScoreRequest> requests;
  std::vector<size_t> item_of_request;
  std::vector<std::string_view> pages = pages_of(dataset_, config_.split);
  keep_first(pages, config_.limit);
  for (const std::string_view page : pages) {
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

  const std::vector<ScoreResult> results = score_all(*this, model, requests, "windows", progress);
  for (size_t i = 0; i < results.size(); ++i) {
    EvaluationItem& item = evaluation.items[item_of_request[i]];
    item.nats += results[i].nats;
    item.tokens += results[i].tokens;
  }
  Sums sums = sum_of(evaluation.items);
  evaluation.metrics = word_metrics(sums);
  const std::optional<EntropyFloor> floor = dataset_.floor(config_.split);
  if (floor && !config_.detokenize && config_.limit == 0) {
    sums.nats = floor->nats;
    evaluation.floor = by_name(word_metrics(sums));
  }
}

}  // namespace bitnet
