#include "framework/core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

namespace bitnet {
namespace {

// Source: the reference implementation of SplitMix64 (prng.di.unimi.it/splitmix64.c) with the state 1234567.
TEST(Random, GivesTheReferenceSequence) {
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317ULL);
  EXPECT_EQ(random.next(), 3203168211198807973ULL);
  EXPECT_EQ(random.next(), 9817491932198370423ULL);
  EXPECT_EQ(random.next(), 4593380528125082431ULL);
  EXPECT_EQ(random.next(), 16408922859458223821ULL);
}

TEST(Random, UniformHasItsMeanAndVariance) {
  Random random(7);
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);            // standard error 0.0009
  EXPECT_NEAR(squares / kDraws, 1.0 / 3.0, 0.005);  // standard error 0.0009
}

TEST(Random, BelowGivesEveryValueEquallyOften) {
  Random random(11);
  std::array<int, 3> counts{};
  constexpr int kDraws = 30000;
  for (int i = 0; i < kDraws; ++i) ++counts.at(random.below(counts.size()));
  for (const int count : counts) EXPECT_NEAR(count, 10000, 400);  // standard error 82
  EXPECT_EQ(random.below(1), 0u);
}

TEST(Random, StreamsDifferBySeedPurposeAndIndex) {
  std::set<uint64_t> firsts;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    for (uint64_t purpose = 0; purpose < 8; ++purpose) {
      for (uint64_t index = 0; index < 8; ++index) firsts.insert(random_stream(seed, purpose, index).next());
    }
  }
  EXPECT_EQ(firsts.size(), 512u);
}

TEST(Random, PermutationHoldsEveryIndexOnceAndFollowsTheSeed) {
  std::vector<int64_t> order = permutation(1000, random_stream(1, 2));
  EXPECT_EQ(order, permutation(1000, random_stream(1, 2)));
  EXPECT_NE(order, permutation(1000, random_stream(2, 2)));
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (int64_t i = 0; i < 1000; ++i) ASSERT_EQ(order[static_cast<size_t>(i)], i);
  EXPECT_TRUE(permutation(0, Random(1)).empty());
}

// Computed by an independent implementation in Python. Resuming an old run needs the same order for ever.
TEST(Random, PermutationIsTheRecordedOne) {
  EXPECT_EQ(permutation(10, Random(42)), (std::vector<int64_t>{0, 9, 5, 8, 6, 4, 7, 2, 1, 3}));
}

}  // namespace
}  // namespace bitnet
