#include "framework/infer/model_generator.h"

#include <ATen/Parallel.h>

#include <atomic>
#include <mutex>

#include "framework/infer/generate.h"
#include "framework/infer/session.h"

namespace bitnet {

std::vector<GenerateResult> ModelGenerator::generate(std::span<const GenerateRequest> requests,
                                                     const OnGenerated& on_generated) {
  std::vector<GenerateResult> results(requests.size());
  std::atomic<size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex reporting;
  // As many tasks as threads, also for fewer requests: see ModelScorer::score.
  at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) {
    try {
      Session session(model_, context());
      for (size_t index = next++; index < requests.size() && !failed; index = next++) {
        results[index].tokens = continue_tokens(session, model_, requests[index]);
        const std::lock_guard lock(reporting);
        if (on_generated) on_generated(index, results[index]);
      }
    } catch (...) {
      failed = true;  // the other threads stop after the request that they are at
      throw;
    }
  });
  return results;
}

}  // namespace bitnet
