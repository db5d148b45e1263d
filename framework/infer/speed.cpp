#include "framework/infer/speed.h"

#include <ATen/ATen.h>

#include <chrono>

#include "framework/core/random.h"

namespace bitnet {
namespace {

/// The purpose number of ids for measuring in random_stream.
constexpr uint64_t kIdsPurpose = 5;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

std::vector<int32_t> random_ids(int64_t count, int64_t vocab_size, int64_t seed) {
  Random random = random_stream(static_cast<uint64_t>(seed), kIdsPurpose);
  std::vector<int32_t> ids(static_cast<size_t>(count));
  for (int32_t& id : ids) id = static_cast<int32_t>(random.below(static_cast<uint64_t>(vocab_size)));
  return ids;
}

double prompt_seconds(Session& session, std::span<const int32_t> ids) {
  session.rewind(0);
  const Clock::time_point start = Clock::now();
  session.next_logits(ids);
  return seconds_since(start);
}

double generation_seconds(Session& session, std::span<const int32_t> ids) {
  session.rewind(0);
  const Clock::time_point start = Clock::now();
  for (size_t i = 0; i < ids.size(); ++i) session.next_logits(ids.subspan(i, 1));
  return seconds_since(start);
}

}  // namespace bitnet
