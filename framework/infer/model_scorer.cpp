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

/// Neighboring requests that start with the same shared tokens; or one that shares none.
struct Group {
  size_t begin = 0;  ///< index of the first
  std::span<const ScoreRequest> requests;
};

std::span<const int32_t> shared_tokens(const ScoreRequest& request) {
  return std::span(request.tokens).first(static_cast<size_t>(request.shared));
}

std::vector<Group> groups_of(std::span<const ScoreRequest> requests) {
  std::vector<Group> groups;
  for (size_t i = 0; i < requests.size(); ++i) {
    if (!groups.empty() && requests[i].shared > 0) {
      Group& group = groups.back();
      const std::span<const int32_t> before = shared_tokens(group.requests.front());
      const std::span<const int32_t> shared = shared_tokens(requests[i]);
      if (std::equal(before.begin(), before.end(), shared.begin(), shared.end())) {
        group.requests = requests.subspan(group.begin, group.requests.size() + 1);
        continue;
      }
    }
    groups.push_back({i, requests.subspan(i, 1)});
  }
  return groups;
}

/// Scores a request whose shared tokens the session has read.
ScoreResult score_rest(const ScoreRequest& request, Session& session) {
  const auto inputs = static_cast<int64_t>(request.tokens.size()) - 1;
  const int64_t scored = inputs - (request.scored_from - 1);
  const auto rest = std::span(request.tokens).subspan(static_cast<size_t>(request.shared));
  const at::Tensor hidden_MD = session.read(rest.first(rest.size() - 1), scored);
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

void score_group(const Group& group, Session& session, std::vector<ScoreResult>& results) {
  const ScoreRequest& first = group.requests.front();
  session.rewind(0);
  if (first.shared > 0) session.read(shared_tokens(first), 1);
  for (size_t i = 0; i < group.requests.size(); ++i) {
    session.rewind(first.shared);
    results[group.begin + i] = score_rest(group.requests[i], session);
  }
}

}  // namespace

std::vector<ScoreResult> ModelScorer::score(std::span<const ScoreRequest> requests) {
  for (const ScoreRequest& request : requests) check(request);
  std::vector<ScoreResult> results(requests.size());
  const std::vector<Group> groups = groups_of(requests);
  std::atomic<size_t> next{0};
  // As many tasks as threads, also for fewer requests: inside the parallel region every operator stays on its own
  // thread, so that one request alone is computed as one of many. With one thread there is no region and no other
  // thread to use.
  at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) {
    Session session(model_, context());
    for (size_t index = next++; index < groups.size(); index = next++) score_group(groups[index], session, results);
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
  if (request.shared < 0 || request.shared >= request.scored_from) {
    throw DataError("ModelScorer: shared must be 0 to " + std::to_string(request.scored_from - 1) + ", but is " +
                    std::to_string(request.shared) + ". Share only tokens before the last one that is not scored.");
  }
  for (const int32_t id : request.tokens) {
    if (id < 0 || id >= model_.vocab_size) {
      throw DataError("ModelScorer: token ids must be 0 to " + std::to_string(model_.vocab_size - 1) + ", but one is " +
                      std::to_string(id) + ". Use the tokenizer that the model was trained with.");
    }
  }
}

}  // namespace bitnet
