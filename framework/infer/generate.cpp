#include "framework/infer/generate.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "framework/core/error.h"
#include "framework/core/random.h"
#include "framework/infer/session.h"

namespace bitnet {
namespace {

/// The purpose number of sampling in random_stream.
constexpr uint64_t kSamplePurpose = 3;

void check(const GenerateRequest& request, const ServedModel& model) {
  const GenerateOptions& options = request.options;
  const auto fail = [](const std::string& name, const std::string& expected, const auto& found) {
    throw ConfigError(
        fmt::format("generate: --{} must be {}, but is {}. See `bitnet generate --help`.", name, expected, found));
  };
  if (options.max_new_tokens < 1) fail("max-new-tokens", "at least 1", options.max_new_tokens);
  if (!(options.temperature >= 0)) fail("temperature", "0 or more", options.temperature);
  if (options.top_k < 0) fail("top-k", "0 or more", options.top_k);
  if (!(options.top_p > 0 && options.top_p <= 1)) fail("top-p", "above 0 and at most 1", options.top_p);
  if (request.tokens.empty()) {
    throw DataError("generate: a request must hold at least one token, but is empty. Start it with BOS.");
  }
  for (const int32_t id : request.tokens) {
    if (id < 0 || id >= model.vocab_size) {
      throw DataError(
          fmt::format("generate: token ids must be 0 to {}, but one is {}. Use the tokenizer that the model was "
                      "trained with.",
                      model.vocab_size - 1, id));
    }
  }
}

/// Bytes at the end of `text` that start a UTF-8 sequence without finishing it.
size_t unfinished_bytes(std::string_view text) {
  for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

}  // namespace

int64_t choose_token(const at::Tensor& logits, const GenerateOptions& options, double uniform) {
  const at::Tensor values = logits.contiguous();
  const float* data = values.data_ptr<float>();
  const int64_t vocabulary = values.numel();
  if (options.temperature == 0) return std::max_element(data, data + vocabulary) - data;

  std::vector<int64_t> order(static_cast<size_t>(vocabulary));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return data[a] > data[b]; });
  if (options.top_k > 0) order.resize(static_cast<size_t>(std::min(options.top_k, vocabulary)));
  std::vector<double> weights;
  double total = 0;
  for (const int64_t id : order) {
    weights.push_back(std::exp((data[id] - data[order[0]]) / options.temperature));
    total += weights.back();
  }
  double kept = 0;
  size_t count = 0;
  while (count < weights.size() && kept < options.top_p * total) kept += weights[count++];
  double left = uniform * kept;
  for (size_t i = 0; i < count; ++i) {
    left -= weights[i];
    if (left < 0) return order[i];
  }
  return order[count - 1];
}

std::vector<int32_t> continue_tokens(Session& session, const ServedModel& model, const GenerateRequest& request) {
  check(request, model);
  std::vector<int32_t> ids = request.tokens;
  const auto generated = [&] { return std::span(ids).subspan(request.tokens.size()); };
  Random random = random_stream(static_cast<uint64_t>(request.options.seed), kSamplePurpose);
  const auto context = static_cast<size_t>(model.config.context);
  session.rewind(0);
  size_t read = 0;  // tokens of `ids` that the session has read, none of them dropped
  while (static_cast<int64_t>(generated().size()) < request.options.max_new_tokens) {
    if (ids.size() > context) {
      session.rewind(0);
      read = ids.size() - context;
    }
    const at::Tensor logits = session.next_logits(std::span(ids).subspan(read));
    read = ids.size();
    const int64_t next = choose_token(logits, request.options, random.uniform());
    if (next == request.end_token) break;
    ids.push_back(static_cast<int32_t>(next));
    if (request.finished && request.finished(generated())) break;
  }
  return {generated().begin(), generated().end()};
}

std::string generate(const ServedModel& model, const Tokenizer& tokenizer, std::string_view prompt,
                     const GenerateOptions& options, const std::function<void(std::string_view)>& on_text) {
  GenerateRequest request;
  request.tokens = {tokenizer.bos_id()};
  const std::vector<int32_t> prompt_ids = tokenizer.encode(prompt);
  request.tokens.insert(request.tokens.end(), prompt_ids.begin(), prompt_ids.end());
  request.options = options;
  request.end_token = tokenizer.eos_id();
  // Prompt and continuation are decoded together and cut: SentencePiece drops a leading blank from a continuation
  // alone.
  std::vector<int32_t> ids = request.tokens;
  const std::string prompt_text = tokenizer.decode(ids);
  std::string text = prompt_text;
  size_t shown = text.size();
  request.finished = [&](std::span<const int32_t> generated) {
    if (generated.back() == tokenizer.bos_id()) return true;
    ids.push_back(generated.back());
    text = tokenizer.decode(ids);
    const size_t whole = text.size() - unfinished_bytes(text);
    if (whole > shown) {
      on_text(std::string_view(text).substr(shown, whole - shown));
      shown = whole;
    }
    return false;
  };
  Session session(model, model.config.context);
  continue_tokens(session, model, request);
  if (text.size() > shown) on_text(std::string_view(text).substr(shown));
  return text.substr(prompt_text.size());
}

}  // namespace bitnet
