#include "framework/infer/model_scorer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <string>

#include "framework/core/error.h"

namespace bitnet {
namespace {

/// Rows of logits that a thread holds at once: 256 x 32,000 x 4 bytes = 33 MB at the vocabulary of Llama 2.
constexpr int64_t kLogitRows = 256;

/// Sum of exp(shifted) in double, in an order of its own that compilers may vectorize: eight interleaved partial sums.
double sum_of(const float* exponentials, int64_t count) {
  std::array<double, 8> partial{};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (size_t lane = 0; lane < 8; ++lane) partial[lane] += exponentials[i + static_cast<int64_t>(lane)];
  }
  for (size_t lane = 0; i < count; ++i, ++lane) partial[lane] += exponentials[i];
  double sum = 0;
  for (const double part : partial) sum += part;
  return sum;
}

/// Adds the rows of `logits` [n, V], which are overwritten, with the chosen ids [n] to `result`.
void add_rows(at::Tensor& logits, const int32_t* chosen, ScoreResult& result) {
  logits.sub_(logits.amax(-1, /*keepdim=*/true));
  float* row = logits.data_ptr<float>();
  const int64_t rows = logits.size(0);
  const int64_t vocab = logits.size(1);
  std::vector<double> shifted(static_cast<size_t>(rows));
  for (int64_t i = 0; i < rows; ++i) {
    const float* begin = row + i * vocab;
    const float value = begin[chosen[i]];
    shifted[static_cast<size_t>(i)] = value;
    // The largest logit is 0 now; of equal ones the first is the argmax.
    if (value != 0.0f || std::find(begin, begin + chosen[i], 0.0f) != begin + chosen[i]) result.greedy = false;
  }
  logits.exp_();
  for (int64_t i = 0; i < rows; ++i) {
    result.nats += std::log(sum_of(row + i * vocab, vocab)) - shifted[static_cast<size_t>(i)];
  }
  result.tokens += rows;
}

}  // namespace

std::vector<ScoreResult> ModelScorer::score(std::span<const ScoreRequest> requests) {
  for (const ScoreRequest& request : requests) check(request);
  std::vector<ScoreResult> results(requests.size());
  std::atomic<size_t> next{0};
  // As many tasks as threads, also for fewer requests: inside the parallel region every operator stays on its own
  // thread, so that one request alone is computed as one of many. With one thread there is no region and no other
  // thread to use.
  at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) {
    Session session(model_, context());
    for (size_t index = next++; index < requests.size(); index = next++) {
      results[index] = score_one(requests[index], session);
    }
  });
  return results;
}

void ModelScorer::check(const ScoreRequest& request) const {
  const auto count = static_cast<int64_t>(request.tokens.size());
  if (count < 2 || count > context() + 1) {
    throw DataError("ModelScorer: a request must be 2 to " + std::to_string(context() + 1) +
                    " tokens long (the model's context and one), but is " + std::to_string(count) +
                    ". Cut the text into shorter windows.");
  }
  if (request.scored_from < 1 || request.scored_from >= count) {
    throw DataError("ModelScorer: scored_from must be 1 to " + std::to_string(count - 1) + ", but is " +
                    std::to_string(request.scored_from) + ". Score at least the last token, and not the first.");
  }
  for (const int32_t id : request.tokens) {
    if (id < 0 || id >= model_.vocab_size) {
      throw DataError("ModelScorer: token ids must be 0 to " + std::to_string(model_.vocab_size - 1) + ", but one is " +
                      std::to_string(id) + ". Use the tokenizer that the model was trained with.");
    }
  }
}

ScoreResult ModelScorer::score_one(const ScoreRequest& request, Session& session) const {
  const auto inputs = static_cast<int64_t>(request.tokens.size()) - 1;
  const int64_t scored = inputs - (request.scored_from - 1);
  session.rewind(0);
  const at::Tensor hidden_MD = session.read(std::span(request.tokens).first(static_cast<size_t>(inputs)), scored);
  ScoreResult result;
  result.greedy = true;
  // Position t predicts token t + 1.
  for (int64_t begin = 0; begin < scored; begin += kLogitRows) {
    const int64_t rows = std::min(kLogitRows, scored - begin);
    at::Tensor logits = session.logits(hidden_MD.narrow(0, begin, rows));
    add_rows(logits, request.tokens.data() + request.scored_from + begin, result);
  }
  return result;
}

}  // namespace bitnet
