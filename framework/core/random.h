#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace bitnet {

/// SplitMix64: a small generator with the same sequence on every platform (the standard library's distributions are
/// not). Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, 1) with 53 random bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// Uniform in [0, bound), without modulo bias. bound >= 1.
  uint64_t below(uint64_t bound) {
    const uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t value = next();
    while (value >= limit) value = next();
    return value % bound;
  }

 private:
  uint64_t state_;
};

/// A stream of its own for each (seed, purpose, index), so that the draws of one do not depend on another's.
inline Random random_stream(uint64_t seed, uint64_t purpose, uint64_t index = 0) {
  Random mixer(seed ^ (purpose * 0xd1342543de82ef95ULL));
  const uint64_t mixed = mixer.next() ^ (index * 0x2545f4914f6cdd1dULL);
  return Random(Random(mixed).next());
}

/// A uniform permutation of 0..count-1 (Fisher-Yates), a function of the generator's state alone.
inline std::vector<int64_t> permutation(int64_t count, Random random) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) order[static_cast<size_t>(i)] = i;
  for (int64_t i = count - 1; i > 0; --i) {
    const auto j = static_cast<int64_t>(random.below(static_cast<uint64_t>(i) + 1));
    std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(j)]);
  }
  return order;
}

}  // namespace bitnet
