#include "ops/kernels/int8_format.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace bitnet::kernels {
namespace {

TEST(Int8Format, UnpackingInvertsPacking) {
  std::mt19937 random(1);
  for (const int64_t n : {1, 15, 16, 17, 40}) {
    for (const int64_t k : {1, 3, 4, 5, 150}) {
      const int64_t stride = k + 7;
      std::vector<int8_t> codes(static_cast<size_t>(n * stride), 99);
      for (int8_t& code : codes) code = static_cast<int8_t>(static_cast<int>(random() % 255) - 127);
      std::vector<uint8_t> packed(static_cast<size_t>(n * int8_row_bytes(k)), 0);
      pack_int8(codes.data(), stride, n, k, packed.data());
      for (int64_t row = 0; row < n; ++row) {
        std::vector<int8_t> found(static_cast<size_t>(k));
        unpack_int8_row(packed.data(), n, k, row, found.data());
        EXPECT_TRUE(std::equal(found.begin(), found.end(), codes.begin() + row * stride))
            << n << " " << k << " " << row;
      }
    }
  }
}

// 17 outputs of 5 weights: the strip of 16, step by step, then one of a single output.
TEST(Int8Format, LaysWordsOfSixteenOutputsSideBySide) {
  std::vector<int8_t> codes(17 * 5);
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<int8_t>(i);
  std::vector<uint8_t> packed(17 * 8);
  pack_int8(codes.data(), 5, 17, 5, packed.data());
  EXPECT_EQ(packed[0], 128 + 0);
  EXPECT_EQ(packed[3], 128 + 3);
  EXPECT_EQ(packed[4], 128 + 5);         // output 1, weight 0
  EXPECT_EQ(packed[64], 128 + 4);        // output 0, weight 4
  EXPECT_EQ(packed[65], 128);            // past the end: zero
  EXPECT_EQ(packed[64 + 60], 128 + 79);  // output 15, weight 4
  EXPECT_EQ(packed[128], 128 + 80);      // output 16, weight 0
  EXPECT_EQ(packed[132], 128 + 84);      // output 16, weight 4
}

}  // namespace
}  // namespace bitnet::kernels
