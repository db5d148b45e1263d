#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "framework/core/error.h"
#include "framework/data/token_windows.h"
#include "tests/framework/data/tokenizer_support.h"

namespace bitnet {
namespace {

constexpr int64_t kWindowLength = 4;

// A token file with `count` ids; id i is i % 256.
class CountingTokens {
 public:
  explicit CountingTokens(int64_t count) {
    std::vector<int32_t> ids(static_cast<size_t>(count));
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i % 256);
    write_token_file(folder_ / "a.tokens", ids, *tokenizer_, sha256_hex(""));
    file_ = std::make_unique<TokenFile>(folder_ / "a.tokens", *tokenizer_, sha256_hex(""));
  }
  const TokenFile& file() const { return *file_; }

 private:
  testing::TemporaryFolder folder_;
  std::unique_ptr<Tokenizer> tokenizer_ = make_byte_tokenizer();
  std::unique_ptr<TokenFile> file_;
};

std::vector<std::vector<int64_t>> next_batches(BatchLoader& loader, int64_t batches, int64_t batch_windows) {
  std::vector<std::vector<int64_t>> result;
  for (int64_t i = 0; i < batches; ++i) {
    result.emplace_back(static_cast<size_t>(batch_windows * (kWindowLength + 1)));
    loader.next(result.back());
  }
  return result;
}

TEST(TokenWindows, CoverAllTokensWithOneIdOfOverlap) {
  for (const auto& [tokens, windows] :
       {std::pair<int64_t, int64_t>{0, 0}, {1, 0}, {4, 0}, {5, 1}, {8, 1}, {9, 2}, {103, 25}}) {
    const CountingTokens counting(tokens);
    const TokenWindows view(counting.file(), kWindowLength);
    ASSERT_EQ(view.count(), windows) << tokens;
    std::vector<int64_t> window(kWindowLength + 1);
    for (int64_t i = 0; i < windows; ++i) {
      view.window(i, window);
      for (int64_t j = 0; j <= kWindowLength; ++j) EXPECT_EQ(window[static_cast<size_t>(j)], i * kWindowLength + j);
    }
  }
}

TEST(BatchLoader, EachEpochVisitsEveryWindowOnceInAnotherOrder) {
  const CountingTokens counting(25 * kWindowLength + 1);
  const TokenWindows windows(counting.file(), kWindowLength);
  BatchLoader loader(windows, 5, 1);
  ASSERT_EQ(loader.batches_per_epoch(), 5);
  std::vector<std::vector<int64_t>> orders;
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::vector<int64_t> order;
    for (const auto& batch : next_batches(loader, 5, 5)) {
      for (size_t i = 0; i < batch.size(); i += kWindowLength + 1) {
        order.push_back(batch[i] / kWindowLength);
        for (size_t j = 1; j <= kWindowLength; ++j) EXPECT_EQ(batch[i + j], batch[i] + static_cast<int64_t>(j));
      }
    }
    std::vector<int64_t> sorted = order, expected(25);
    std::sort(sorted.begin(), sorted.end());
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(sorted, expected);
    EXPECT_NE(order, expected);
    orders.push_back(order);
  }
  EXPECT_NE(orders[0], orders[1]);
  EXPECT_NE(orders[1], orders[2]);
}

TEST(BatchLoader, DropsTheWindowsThatFillNoBatch) {
  const CountingTokens counting(11 * kWindowLength + 1);
  const TokenWindows windows(counting.file(), kWindowLength);
  BatchLoader loader(windows, 4, 1);
  EXPECT_EQ(loader.batches_per_epoch(), 2);
  std::vector<int64_t> starts;
  for (const auto& batch : next_batches(loader, 2, 4)) {
    for (size_t i = 0; i < batch.size(); i += kWindowLength + 1) starts.push_back(batch[i]);
  }
  std::sort(starts.begin(), starts.end());
  EXPECT_EQ(std::unique(starts.begin(), starts.end()), starts.end());
}

TEST(BatchLoader, TheSeedAloneDecidesTheOrder) {
  const CountingTokens counting(25 * kWindowLength + 1);
  const TokenWindows windows(counting.file(), kWindowLength);
  BatchLoader one(windows, 5, 1), same(windows, 5, 1), other(windows, 5, 2);
  const auto batches = next_batches(one, 10, 5);
  EXPECT_EQ(batches, next_batches(same, 10, 5));
  EXPECT_NE(batches, next_batches(other, 10, 5));
}

TEST(BatchLoader, ContinuesFromEveryPosition) {
  const CountingTokens counting(23 * kWindowLength + 1);
  const TokenWindows windows(counting.file(), kWindowLength);
  BatchLoader whole(windows, 4, 9);  // 5 batches an epoch, 3 windows dropped
  const auto expected = next_batches(whole, 15, 4);
  EXPECT_EQ(whole.state(), 15);
  for (int64_t cut = 0; cut <= 12; ++cut) {
    BatchLoader first(windows, 4, 9);
    next_batches(first, cut, 4);
    ASSERT_EQ(first.state(), cut);
    BatchLoader resumed(windows, 4, 9);
    resumed.restore(first.state());
    const auto rest = next_batches(resumed, 3, 4);
    for (int64_t i = 0; i < 3; ++i)
      EXPECT_EQ(rest[static_cast<size_t>(i)], expected[static_cast<size_t>(cut + i)]) << cut;
    first.restore(0);  // and back
    EXPECT_EQ(next_batches(first, 1, 4)[0], expected[0]);
  }
}

TEST(BatchLoader, RefusesWhatItCanNotDo) {
  const CountingTokens counting(3 * kWindowLength + 1);
  const TokenWindows windows(counting.file(), kWindowLength);
  try {
    BatchLoader loader(windows, 4, 1);
    FAIL() << "accepted";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("at least one batch of 4 windows of 4 tokens, but holds 3 windows"));
  }
  EXPECT_THROW(BatchLoader(windows, 0, 1), DataError);
  BatchLoader loader(windows, 3, 1);
  EXPECT_THROW(loader.restore(-1), DataError);
  std::vector<int64_t> small(5);
  EXPECT_THROW(loader.next(small), DataError);
  EXPECT_EQ(loader.state(), 0);
}

}  // namespace
}  // namespace bitnet
