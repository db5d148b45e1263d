#include "ops/kernels/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <random>
#include <vector>

#include "ops/kernels/quantize_levels.h"

namespace bitnet::kernels {
namespace {

// The formulas of quantize.h, one element at a time. std::nearbyint rounds half to even.
int8_t reference_code(float x, float inverse, float least, float most) {
  return static_cast<int8_t>(std::clamp(std::nearbyint(x * inverse), least, most));
}

std::vector<float> normal_values(int64_t count, uint32_t seed, float scale = 1.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, scale);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = normal(random);
  return values;
}

struct QuantizedRows {
  std::vector<int8_t> codes;
  std::vector<float> scales;
  std::vector<int32_t> sums;
};

QuantizedRows quantized(const QuantizeFunctions& functions, const std::vector<float>& x, int64_t m, int64_t k,
                        int64_t stride) {
  QuantizedRows rows = {std::vector<int8_t>(static_cast<size_t>(m * stride), 77), std::vector<float>(m),
                        std::vector<int32_t>(m)};
  functions.quantize_rows(x.data(), m, k, stride, kQuantizeEpsilon, rows.codes.data(), rows.scales.data(),
                          rows.sums.data());
  return rows;
}

// Equal bits, so that NaN equals itself and 0 differs from -0.
bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

class QuantizeLevelTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    level_ = quantize_levels().level[GetParam()];
    if (!level_.supported) GTEST_SKIP() << "this CPU does not support " << level_.name;
  }
  QuantizeLevel level_;
};

TEST_P(QuantizeLevelTest, RowsEqualTheFormula) {
  for (int64_t k : {1, 2, 31, 63, 64, 65, 127, 128, 129, 256, 1000}) {
    const int64_t m = 7, stride = (k + 127) / 128 * 128;
    std::vector<float> x = normal_values(m * k, static_cast<uint32_t>(k), 3.0f);
    for (int64_t i = 0; i < k; ++i) x[static_cast<size_t>(k + i)] *= 1e-7f;  // below the epsilon
    for (int64_t i = 0; i < k; ++i) x[static_cast<size_t>(2 * k + i)] = 0.0f;
    for (int64_t i = 0; i < k; ++i) x[static_cast<size_t>(3 * k + i)] *= 1e37f;
    const QuantizedRows rows = quantized(*level_.functions, x, m, k, stride);
    for (int64_t row = 0; row < m; ++row) {
      float absmax = 0;
      for (int64_t i = 0; i < k; ++i) absmax = std::max(absmax, std::fabs(x[static_cast<size_t>(row * k + i)]));
      absmax = std::max(absmax, 1e-5f);
      int32_t sum = 0;
      for (int64_t i = 0; i < stride; ++i) {
        const int8_t right =
            i < k ? reference_code(x[static_cast<size_t>(row * k + i)], 127.0f / absmax, -128, 127) : int8_t{0};
        sum += right;
        ASSERT_EQ(rows.codes[static_cast<size_t>(row * stride + i)], right)
            << "k " << k << ", row " << row << ", " << i;
      }
      EXPECT_EQ(rows.scales[static_cast<size_t>(row)], absmax / 127.0f);
      EXPECT_EQ(rows.sums[static_cast<size_t>(row)], sum);
    }
  }
}

TEST_P(QuantizeLevelTest, RowsRoundHalfToEven) {
  // absmax 127 makes the codes the rounded values themselves.
  const std::vector<float> x = {127.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 125.5f, 126.5f, -126.5f, -127.0f};
  const QuantizedRows rows = quantized(*level_.functions, x, 1, 11, 11);
  EXPECT_EQ(rows.codes, (std::vector<int8_t>{127, 0, 2, 2, 0, -2, -2, 126, 126, -126, -127}));
}

TEST_P(QuantizeLevelTest, ARowThatIsNotFiniteShows) {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN(),
                    std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
    for (size_t at : {0u, 64u, 139u}) {
      std::vector<float> x = normal_values(2 * 140, 4);
      x[at] = bad;
      const QuantizedRows rows = quantized(*level_.functions, x, 2, 140, 140);
      EXPECT_TRUE(std::isnan(rows.scales[0]));
      EXPECT_EQ(rows.sums[0], 0);
      EXPECT_TRUE(std::all_of(rows.codes.begin(), rows.codes.begin() + 140, [](int8_t code) { return code == 0; }));
      EXPECT_TRUE(std::isfinite(rows.scales[1]));
    }
  }
}

TEST_P(QuantizeLevelTest, RowsNeedNoSums) {
  const std::vector<float> x = normal_values(3 * 50, 4);
  const QuantizedRows with_sums = quantized(*level_.functions, x, 3, 50, 50);
  std::vector<int8_t> codes(150);
  std::vector<float> scales(3);
  level_.functions->quantize_rows(x.data(), 3, 50, 50, kQuantizeEpsilon, codes.data(), scales.data(), nullptr);
  EXPECT_EQ(codes, with_sums.codes);
}

TEST_P(QuantizeLevelTest, TernaryCodesEqualTheFormula) {
  for (int64_t count : {1, 63, 64, 65, 1000}) {
    std::vector<float> w = normal_values(count, 9, 0.02f);
    const float gamma = 0.0625f / 4;  // a power of two, so that the ties below are exact
    const float edges[] = {0.5f, -0.5f, std::nextafter(0.5f, 1.0f), -std::nextafter(0.5f, 1.0f), 1.5f, -1e30f, -0.0f};
    for (size_t i = 0; i < std::min(w.size(), std::size(edges)); ++i) w[w.size() - 1 - i] = edges[i] * gamma;
    std::vector<int8_t> codes(static_cast<size_t>(count), 77);
    level_.functions->quantize_ternary(w.data(), count, gamma, codes.data());
    for (int64_t i = 0; i < count; ++i) {
      EXPECT_EQ(codes[static_cast<size_t>(i)], reference_code(w[static_cast<size_t>(i)], 1.0f / gamma, -1, 1)) << i;
    }
  }
}

TEST_P(QuantizeLevelTest, TernaryCodesStayLegalWithoutFiniteWeights) {
  std::vector<float> w(130, std::numeric_limits<float>::quiet_NaN());
  w[0] = std::numeric_limits<float>::infinity();
  const int32_t payload = 0x7fc00005;  // a NaN with other low bits, which must not become a code
  std::memcpy(&w[129], &payload, sizeof payload);
  std::memcpy(&w[1], &payload, sizeof payload);
  for (float gamma : {1.0f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<int8_t> codes(130, 77);
    level_.functions->quantize_ternary(w.data(), 130, gamma, codes.data());
    for (int8_t code : codes) EXPECT_LE(std::abs(code), 1);
  }
}

TEST_P(QuantizeLevelTest, GivesTheBitsOfThePortableOne) {
  const QuantizeFunctions& portable = kQuantizePortable;
  for (int64_t k : {5, 64, 130, 513}) {
    const int64_t m = 33;
    const std::vector<float> x = normal_values(m * k, static_cast<uint32_t>(100 + k));
    const QuantizedRows expected = quantized(portable, x, m, k, k + 3),
                        found = quantized(*level_.functions, x, m, k, k + 3);
    EXPECT_EQ(found.codes, expected.codes);
    EXPECT_EQ(found.sums, expected.sums);
    EXPECT_TRUE(same_bits(found.scales, expected.scales));
    EXPECT_EQ(level_.functions->sum_of_magnitudes(x.data(), m * k), portable.sum_of_magnitudes(x.data(), m * k));
    std::vector<int32_t> sums(static_cast<size_t>(m * k));
    std::mt19937 random(2);
    for (int32_t& sum : sums) sum = static_cast<int32_t>(random()) / 64;
    std::vector<float> y(sums.size()), y_portable(sums.size());
    level_.functions->dequantize_rows(sums.data(), m, k, 0.37f, expected.scales.data(), y.data(), k);
    portable.dequantize_rows(sums.data(), m, k, 0.37f, expected.scales.data(), y_portable.data(), k);
    EXPECT_TRUE(same_bits(y, y_portable));
    level_.functions->dequantize_add_rows(sums.data(), m, k, 1.7f, expected.scales.data(), y.data(), k);
    portable.dequantize_add_rows(sums.data(), m, k, 1.7f, expected.scales.data(), y_portable.data(), k);
    EXPECT_TRUE(same_bits(y, y_portable));
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, QuantizeLevelTest, testing::Range(0, quantize_levels().count),
                         [](const auto& info) { return quantize_levels().level[info.param].name; });

TEST(Absmean, IsTheMeanOfTheMagnitudes) {
  const std::vector<float> w = {-1.0f, 2.0f, -3.0f, 4.0f};
  EXPECT_EQ(absmean(w.data(), 4), 2.5f);
  const std::vector<float> many = normal_values(100001, 3, 0.02f);
  double sum = 0;
  for (float value : many) sum += std::fabs(static_cast<double>(value));
  EXPECT_NEAR(absmean(many.data(), 100001), sum / 100001, 1e-9);
}

TEST(Absmean, IsAtLeastTheEpsilonAndShowsWhatIsNotFinite) {
  std::vector<float> w(200, 0.0f);
  EXPECT_EQ(absmean(w.data(), 200), kQuantizeEpsilon);
  w[150] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(absmean(w.data(), 200)));
  w[150] = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(std::isinf(absmean(w.data(), 200)));
}

TEST(DequantizeRows, MultipliesTheScalesFirst) {
  const std::vector<int32_t> sums = {3, -16777217, 1000003, 7};
  const std::vector<float> scales = {0.1f, 3.3e-5f};
  std::vector<float> y(4);
  dequantize_rows(sums.data(), 2, 2, 0.7f, scales.data(), y.data(), 2);
  for (size_t i = 0; i < 4; ++i) {
    const float scale = 0.7f * scales[i / 2];
    EXPECT_EQ(y[i], static_cast<float>(sums[i]) * scale);
  }
}

TEST(DequantizeAddRows, AddsTheRoundedProductToWhatIsThere) {
  const std::vector<int32_t> sums = {3, -16777217, 1000003, 7};
  const std::vector<float> scales = {0.1f, 3.3e-5f};
  const std::vector<float> before = {1.5f, -2.25f, 1e6f, 0.0f};
  std::vector<float> y = before;
  dequantize_add_rows(sums.data(), 2, 2, 0.7f, scales.data(), y.data(), 2);
  for (size_t i = 0; i < 4; ++i) {
    const float product = static_cast<float>(sums[i]) * (0.7f * scales[i / 2]);
    EXPECT_EQ(y[i], before[i] + product);
  }
}

}  // namespace
}  // namespace bitnet::kernels
