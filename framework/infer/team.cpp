#include "framework/infer/team.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <thread>

namespace bitnet {
namespace {

/// Spins before a thread gives way: some 20 microseconds, longer than any stage is uneven.
constexpr int kSpins = 4000;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

template <class Condition>
void spin_until(const Condition& holds) {
  for (int spins = 0; !holds(); ++spins) {
    if (spins < kSpins) {
      pause();
    } else {
      std::this_thread::yield();
    }
  }
}

}  // namespace

void Team::wait() {
  if (size_ == 1) return;
  ++round_;
  if (meeting_.arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
    meeting_.arrived.store(0, std::memory_order_relaxed);
    meeting_.round.store(round_, std::memory_order_release);
  } else {
    spin_until([&] { return meeting_.round.load(std::memory_order_acquire) == round_; });
  }
}

Team::Share Team::share(int64_t count, int64_t grain) const {
  const int64_t grains = (count + grain - 1) / grain;
  return {std::min(count, grains * rank_ / size_ * grain), std::min(count, grains * (rank_ + 1) / size_ * grain)};
}

void run_team(int64_t threads, const std::function<void(Team&)>& body) {
  Team::Meeting meeting;
  at::parallel_for(0, threads, 1, [&](int64_t begin, int64_t end) noexcept {
    // A pool may give fewer threads than asked for, each with several numbers of the range: who comes is known when the
    // whole range is covered.
    const int64_t rank = meeting.members.fetch_add(1);
    meeting.covered.fetch_add(end - begin);
    spin_until([&] { return meeting.covered.load() == threads; });
    Team member(meeting, rank, meeting.members.load());
    body(member);
  });
}

}  // namespace bitnet
