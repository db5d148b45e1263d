#include "framework/infer/machine_limits.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>

#include "framework/infer/team.h"
#include "framework/infer/weight_arena.h"
#include "ops/kernels/decoder_math.h"
#include "ops/kernels/ternary_gemm.h"

namespace bitnet {
namespace {

using Clock = std::chrono::steady_clock;

/// Far larger than any last-level cache of today, the largest of which hold 384 MiB for one processor.
constexpr int64_t kReadBytes = int64_t{512} << 20;
constexpr int64_t kPieceBytes = int64_t{16} << 20;
/// The fastest pass counts: the others were disturbed.
constexpr int kPasses = 12;
constexpr double kRegisterSeconds = 0.02;
constexpr int64_t kFirstRounds = 1 << 14;

/// Results go here, so that no loop can be left out.
std::atomic<uint64_t> discarded{0};

#if defined(__GNUC__) && !defined(__clang__)
#define BITNET_VECTORIZED __attribute__((optimize("O3")))
#else
#define BITNET_VECTORIZED
#endif

/// Many independent sums, so that the additions wait for the memory and not for each other.
BITNET_VECTORIZED uint64_t sum_words(const uint64_t* words, int64_t count) {
  constexpr int64_t kLanes = 32;
  uint64_t sums[kLanes] = {};
  for (int64_t i = 0; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += words[i + lane];
  }
  uint64_t total = 0;
  for (const uint64_t sum : sums) total += sum;
  return total;
}

/// Seconds in which all of the team do `work`, from the moment at which all are there.
double team_seconds(int64_t threads, const std::function<void(const Team&)>& work) {
  double seconds = 0;
  run_team(threads, [&](Team& team) {
    team.wait();
    const Clock::time_point start = Clock::now();
    work(team);
    team.wait();
    if (team.rank() == 0) seconds = std::chrono::duration<double>(Clock::now() - start).count();
  });
  return seconds;
}

double read_bandwidth(int64_t threads) {
  WeightArena arena(kReadBytes);
  // Filled piece by piece, so that no other large memory is needed; the pieces lie one after the other.
  const at::Tensor piece = at::ones({kPieceBytes / 8}, at::kLong);
  const at::Tensor first = arena.place(piece);
  for (int64_t bytes = kPieceBytes; bytes < kReadBytes; bytes += kPieceBytes) arena.place(piece);
  const auto* words = reinterpret_cast<const uint64_t*>(first.data_ptr<int64_t>());
  double best = 0;
  for (int pass = 0; pass < kPasses; ++pass) {
    const double seconds = team_seconds(threads, [&](const Team& team) {
      const Team::Share share = team.share(kReadBytes / 8, 512);
      discarded += sum_words(words + share.begin, share.end - share.begin);
    });
    best = std::max(best, static_cast<double>(kReadBytes) / seconds);
  }
  return best;
}

/// Products a second of a loop on registers, which takes a number of rounds and returns the products of one thread.
double register_rate(int64_t threads, int64_t (*loop)(int64_t rounds) noexcept) {
  std::atomic<int64_t> products{0};
  const auto seconds_of = [&](int64_t rounds) {
    products = 0;
    return team_seconds(threads, [&](const Team&) { products += loop(rounds); });
  };
  int64_t rounds = kFirstRounds;
  double seconds = seconds_of(rounds);
  while (seconds < kRegisterSeconds) {
    rounds = std::max(2 * rounds, static_cast<int64_t>(static_cast<double>(rounds) * kRegisterSeconds / seconds));
    seconds = seconds_of(rounds);
  }
  double best = static_cast<double>(products) / seconds;
  for (int pass = 1; pass < kPasses; ++pass) {
    seconds = seconds_of(rounds);
    best = std::max(best, static_cast<double>(products) / seconds);
  }
  return best;
}

}  // namespace

MachineLimits measure_limits(int64_t threads) {
  return {.read_bytes_per_second = read_bandwidth(threads),
          .int8_macs_per_second = register_rate(threads, kernels::active_kernel().int8_peak),
          .float32_macs_per_second = register_rate(threads, kernels::float_peak)};
}

}  // namespace bitnet
