#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace bitnet {

/// One of several threads that run the same code at once, with a barrier between them.
class Team {
 public:
  int64_t rank() const { return rank_; }
  int64_t size() const { return size_; }

  /// Waits until all members have come here. What a member wrote before, all see afterwards. Spins: members are
  /// expected within microseconds; later it gives way to other threads.
  void wait();

  /// This member's part [begin, end) of `count` things, in whole multiples of `grain` but for the last.
  struct Share {
    int64_t begin, end;
  };
  Share share(int64_t count, int64_t grain = 1) const;

 private:
  friend void run_team(int64_t threads, const std::function<void(Team&)>& body);
  struct Meeting {
    std::atomic<int64_t> covered{0}, members{0};
    alignas(64) std::atomic<int64_t> arrived{0};
    alignas(64) std::atomic<uint32_t> round{0};
  };
  Team(Meeting& meeting, int64_t rank, int64_t size) : meeting_(meeting), rank_(rank), size_(size) {}

  Meeting& meeting_;
  int64_t rank_, size_;
  uint32_t round_ = 0;
};

/// Runs `body` on up to `threads` threads of LibTorch's pool at once (on one inside a parallel region). `body` must not
/// throw: the other members would wait forever, so the program ends.
void run_team(int64_t threads, const std::function<void(Team&)>& body);

}  // namespace bitnet
