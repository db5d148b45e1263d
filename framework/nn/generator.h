#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace bitnet {

/// How tokens are chosen. Greedy by default: the likeliest token, of equal ones the one with the lowest id.
struct GenerateOptions {
  int64_t max_new_tokens = 128;
  double temperature = 0;  ///< 0: greedy
  int64_t top_k = 0;       ///< 0: all tokens
  double top_p = 1.0;      ///< least set of tokens whose probabilities reach top_p
  int64_t seed = 1;        ///< of this continuation's draws alone
};

/// One sequence to continue.
struct GenerateRequest {
  std::vector<int32_t> tokens;  ///< the prompt, BOS included where the model wants one; at least one token
  GenerateOptions options;
  int32_t end_token = -1;  ///< ends the continuation and is not part of it (EOS); -1: none
  /// Called after each new token with all new tokens so far; true ends the continuation, which keeps them. Must depend
  /// on them alone and may be called from another thread. Empty: never.
  std::function<bool(std::span<const int32_t> generated)> finished;
};

struct GenerateResult {
  std::vector<int32_t> tokens;  ///< the new ones
};

/// Called for each request as it is done, in no fixed order, one call at a time, on any thread.
using OnGenerated = std::function<void(size_t request, const GenerateResult& result)>;

/// Continues token sequences with a model. A request's result depends on the request alone: not on its neighbors, their
/// order or their number.
class Generator {
 public:
  virtual ~Generator() = default;
  /// Most tokens that the model reads at once; of a longer sequence it reads the last ones.
  virtual int64_t context() const = 0;
  /// Results in the order of the requests. What `on_generated` throws ends the work and is thrown here.
  virtual std::vector<GenerateResult> generate(std::span<const GenerateRequest> requests,
                                               const OnGenerated& on_generated) = 0;
};

}  // namespace bitnet
