#include "ops/kernels/decoder_math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "ops/kernels/decoder_levels.h"
#include "tests/ops/kernels/kernel_checks.h"

namespace bitnet::kernels {
namespace {

std::vector<float> uniform(int64_t count, uint32_t seed, double low = -2.0, double high = 2.0) {
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = static_cast<float>(low + (high - low) * random() / 4294967296.0);
  return values;
}

class DecoderLevelTest : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    level_ = decoder_levels().level[GetParam()];
    if (!level_.supported) GTEST_SKIP() << "this CPU does not support " << level_.name;
  }
  const DecoderFunctions& functions() const { return *level_.functions; }
  DecoderLevel level_;
};

TEST_P(DecoderLevelTest, RmsNormEqualsItsDefinition) {
  for (const int64_t k : {1, 3, 15, 16, 63, 64, 65, 100, 128, 1000}) {
    const std::vector<float> x = uniform(3 * k, 1), weight = uniform(k, 2);
    std::vector<float> y(x.size()), inverse(3);
    functions().rms_norm_rows(x.data(), 3, k, weight.data(), 1e-5f, y.data(), inverse.data());
    for (int64_t row = 0; row < 3; ++row) {
      double squares = 0;
      for (int64_t i = 0; i < k; ++i) squares += std::pow(x[row * k + i], 2.0);
      const double expected = 1.0 / std::sqrt(squares / k + 1e-5);
      EXPECT_NEAR(inverse[row], expected, 1e-6 * expected) << k;
      for (int64_t i = 0; i < k; ++i) EXPECT_NEAR(y[row * k + i], x[row * k + i] * expected * weight[i], 1e-5) << k;
    }
    std::vector<float> in_place = x;
    functions().rms_norm_rows(in_place.data(), 3, k, weight.data(), 1e-5f, in_place.data(), nullptr);
    EXPECT_EQ(in_place, y);
  }
}

TEST_P(DecoderLevelTest, GatesEqualTheirDefinitionsAtAnyLengthAndMagnitude) {
  for (const int64_t count : {1, 2, 7, 15, 16, 17, 33, 300}) {
    std::vector<float> gate = uniform(count, 3, -30, 30);
    const std::vector<float> up = uniform(count, 4);
    gate[0] = count % 2 == 0 ? 0.0f : -0.0f;
    std::vector<float> silu(gate.size()), relu2(gate.size());
    functions().gate_silu(gate.data(), up.data(), count, silu.data());
    functions().gate_relu2(gate.data(), up.data(), count, relu2.data());
    for (int64_t i = 0; i < count; ++i) {
      const double g = gate[i];
      const double expected = g / (1.0 + std::exp(-g)) * up[i];
      EXPECT_NEAR(silu[i], expected, 1e-6 * std::abs(expected) + 1e-12) << g;
      EXPECT_NEAR(relu2[i], std::pow(std::max(g, 0.0), 2.0) * up[i], 1e-3) << g;
    }
  }
  const float inf = std::numeric_limits<float>::infinity();
  const float gate[5] = {1000.0f, -1000.0f, inf, std::nanf(""), -90.0f};
  const float up[5] = {2.0f, 2.0f, 2.0f, 2.0f, 2.0f};
  float out[5];
  functions().gate_silu(gate, up, 5, out);
  EXPECT_EQ(out[0], 2000.0f);
  EXPECT_NEAR(out[1], 0.0f, 1e-30f);
  EXPECT_EQ(out[2], inf);
  EXPECT_TRUE(std::isnan(out[3]));
  EXPECT_NEAR(out[4], 0.0f, 1e-30f);
  functions().gate_relu2(gate, up, 5, out);
  EXPECT_TRUE(std::isnan(out[3]));
  EXPECT_EQ(out[1], 0.0f);
}

TEST_P(DecoderLevelTest, RotationEqualsItsDefinitionAndIsUndone) {
  for (const int64_t half : {1, 3, 4, 8, 16, 20, 32, 33}) {
    const std::vector<float> x = uniform(2 * half, 5), angles = uniform(half, 6, -3, 3);
    std::vector<float> cosines, sines, y(x.size()), back(x.size());
    for (const float angle : angles) {
      cosines.push_back(std::cos(angle));
      sines.push_back(std::sin(angle));
    }
    functions().rotate_head(x.data(), half, cosines.data(), sines.data(), 1.0f, y.data());
    functions().rotate_head(y.data(), half, cosines.data(), sines.data(), -1.0f, back.data());
    for (int64_t i = 0; i < half; ++i) {
      EXPECT_NEAR(y[i], x[i] * cosines[i] - x[half + i] * sines[i], 1e-6);
      EXPECT_NEAR(y[half + i], x[half + i] * cosines[i] + x[i] * sines[i], 1e-6);
      EXPECT_NEAR(back[i], x[i], 1e-6);
      EXPECT_NEAR(back[half + i], x[half + i], 1e-6);
    }
  }
}

// Queries, keys and values of one group of heads; nothing lies behind the buffers that attention reads and writes.
struct AttentionProblem {
  AttentionProblem(int64_t positions, int64_t first, int64_t group, int64_t head_width)
      : positions(positions),
        first(first),
        group(group),
        head_width(head_width),
        total(first + positions),
        q(uniform(positions * group * head_width, 7)),
        k(uniform(total * head_width, 8)),
        v(uniform(total * head_width, 9)),
        keys(static_cast<size_t>(key_floats(total, head_width)) * sizeof(float)),
        values(static_cast<size_t>(value_floats(total, head_width)) * sizeof(float)),
        scratch(static_cast<size_t>(attention_scratch(total)) * sizeof(float)) {
    std::fill_n(keys.as<float>(), key_floats(total, head_width), 0.0f);
    std::fill_n(values.as<float>(), value_floats(total, head_width), 0.0f);
    for (int64_t at = 0; at < total; ++at) {
      store_key_value(k.data() + at * head_width, v.data() + at * head_width, at, head_width, keys.as<float>(),
                      values.as<float>());
    }
  }

  float scale() const { return 1.0f / std::sqrt(static_cast<float>(head_width)); }

  // Positions [begin, end) of the problem.
  std::vector<float> run(const DecoderFunctions& functions, int64_t begin, int64_t end, std::vector<float>* log_sums) {
    const int64_t row = group * head_width;
    GuardedBytes queries(static_cast<size_t>((end - begin) * row) * sizeof(float));
    GuardedBytes out(static_cast<size_t>((end - begin) * row) * sizeof(float));
    std::copy_n(q.data() + begin * row, (end - begin) * row, queries.as<float>());
    if (log_sums != nullptr) log_sums->resize(static_cast<size_t>(group * (end - begin)));
    attend_by(functions, {.q = queries.as<float>(),
                          .out = out.as<float>(),
                          .position_stride = row,
                          .positions = end - begin,
                          .first_position = first + begin,
                          .group = group,
                          .keys = keys.as<float>(),
                          .values = values.as<float>(),
                          .head_width = head_width,
                          .scale = scale(),
                          .scratch = scratch.as<float>(),
                          .log_sums = log_sums == nullptr ? nullptr : log_sums->data(),
                          .log_stride = end - begin});
    return {out.as<float>(), out.as<float>() + (end - begin) * row};
  }

  // One head of one position, in double.
  std::vector<double> expected(int64_t position, int64_t head, double* log_sum) const {
    const float* query = q.data() + (position * group + head) * head_width;
    std::vector<double> scores;
    for (int64_t t = 0; t <= first + position; ++t) {
      double score = 0;
      for (int64_t i = 0; i < head_width; ++i) score += static_cast<double>(query[i]) * k[t * head_width + i];
      scores.push_back(score * scale());
    }
    const double largest = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    for (double& score : scores) sum += score = std::exp(score - largest);
    *log_sum = largest + std::log(sum);
    std::vector<double> out(static_cast<size_t>(head_width), 0.0);
    for (size_t t = 0; t < scores.size(); ++t) {
      for (int64_t i = 0; i < head_width; ++i) {
        out[static_cast<size_t>(i)] +=
            scores[t] / sum * v[t * static_cast<size_t>(head_width) + static_cast<size_t>(i)];
      }
    }
    return out;
  }

  int64_t positions, first, group, head_width, total;
  std::vector<float> q, k, v;
  GuardedBytes keys, values, scratch;
};

struct AttentionCase {
  int64_t positions, first, group, head_width;
};
constexpr AttentionCase kAttentionCases[] = {{1, 0, 1, 64},  {1, 200, 8, 64}, {70, 0, 1, 64},  {20, 50, 3, 64},
                                             {9, 127, 2, 8}, {40, 0, 4, 6},   {5, 60, 12, 80}, {3, 63, 1, 17},
                                             {2, 62, 5, 1},  {33, 3, 2, 32},  {4, 300, 1, 128}};

TEST_P(DecoderLevelTest, AttentionEqualsItsDefinition) {
  for (const AttentionCase& c : kAttentionCases) {
    AttentionProblem problem(c.positions, c.first, c.group, c.head_width);
    std::vector<float> log_sums;
    const std::vector<float> out = problem.run(functions(), 0, c.positions, &log_sums);
    for (int64_t position = 0; position < c.positions; ++position) {
      for (int64_t head = 0; head < c.group; ++head) {
        double log_sum = 0;
        const std::vector<double> expected = problem.expected(position, head, &log_sum);
        EXPECT_NEAR(log_sums[static_cast<size_t>(head * c.positions + position)], log_sum, 1e-5);
        for (int64_t i = 0; i < c.head_width; ++i) {
          const size_t at = static_cast<size_t>((position * c.group + head) * c.head_width + i);
          ASSERT_NEAR(out[at], expected[static_cast<size_t>(i)], 1e-5)
              << c.positions << " after " << c.first << ", group " << c.group << ", width " << c.head_width;
        }
      }
    }
  }
}

TEST_P(DecoderLevelTest, AttentionOfAPositionDoesNotDependOnItsCompany) {
  for (const AttentionCase& c : kAttentionCases) {
    AttentionProblem problem(c.positions, c.first, c.group, c.head_width);
    const std::vector<float> together = problem.run(functions(), 0, c.positions, nullptr);
    for (const int64_t step : {1, 2, 7}) {
      std::vector<float> apart;
      for (int64_t begin = 0; begin < c.positions; begin += step) {
        const std::vector<float> part = problem.run(functions(), begin, std::min(begin + step, c.positions), nullptr);
        apart.insert(apart.end(), part.begin(), part.end());
      }
      EXPECT_EQ(apart, together) << c.positions << " by " << step;
    }
  }
}

TEST_P(DecoderLevelTest, DotsEqualTheirDefinitionForAnyNumberOfRows) {
  for (const int64_t k : {1, 63, 64, 65, 200}) {
    const int64_t n = 5, m = 6;
    const std::vector<float> x = uniform(m * k, 10), w = uniform(n * k, 11);
    std::vector<uint16_t> w16;
    std::vector<float> rounded;
    for (const float value : w) {
      uint32_t bits;
      std::memcpy(&bits, &value, sizeof bits);
      w16.push_back(static_cast<uint16_t>(bits >> 16));
      bits &= 0xffff0000u;
      std::memcpy(&rounded.emplace_back(), &bits, sizeof bits);
    }
    std::vector<float> y(m * (n + 2), -7.0f), y16 = y, alone(n);
    functions().dot_rows_float32(x.data(), m, w.data(), n, k, y.data(), n + 2);
    functions().dot_rows_bfloat16(x.data(), m, w16.data(), n, k, y16.data(), n + 2);
    for (int64_t row = 0; row < m; ++row) {
      for (int64_t output = 0; output < n; ++output) {
        double sum = 0, sum16 = 0;
        for (int64_t i = 0; i < k; ++i) {
          sum += static_cast<double>(x[row * k + i]) * w[output * k + i];
          sum16 += static_cast<double>(x[row * k + i]) * rounded[output * k + i];
        }
        EXPECT_NEAR(y[row * (n + 2) + output], sum, 1e-4);
        EXPECT_NEAR(y16[row * (n + 2) + output], sum16, 1e-4);
      }
      EXPECT_EQ(y[row * (n + 2) + n], -7.0f);
      functions().dot_rows_float32(x.data() + row * k, 1, w.data(), n, k, alone.data(), n);
      EXPECT_TRUE(std::equal(alone.begin(), alone.end(), y.begin() + row * (n + 2)));
    }
  }
}

TEST_P(DecoderLevelTest, CountsItsMultiplyAdds) {
  const int64_t one = functions().float_peak(1);
  EXPECT_GT(one, 0);
  EXPECT_EQ(functions().float_peak(10), 10 * one);
}

INSTANTIATE_TEST_SUITE_P(Levels, DecoderLevelTest, ::testing::Range(0, decoder_levels().count),
                         [](const auto& info) { return decoder_levels().level[info.param].name; });

TEST(DecoderLevels, ThatFuseMultiplyAddsGiveTheSameBits) {
  const DecoderLevel* before = nullptr;
  for (int i = 0; i < decoder_levels().count; ++i) {
    const DecoderLevel& level = decoder_levels().level[i];
    if (!level.supported || !level.multiply_add) continue;
    if (before != nullptr) {
      AttentionProblem problem(20, 100, 3, 24);
      EXPECT_EQ(problem.run(*level.functions, 0, 20, nullptr), problem.run(*before->functions, 0, 20, nullptr));
      const std::vector<float> x = uniform(3 * 150, 1), w = uniform(150 * 4, 2);
      std::vector<float> a(12), b(12);
      level.functions->dot_rows_float32(x.data(), 3, w.data(), 4, 150, a.data(), 4);
      before->functions->dot_rows_float32(x.data(), 3, w.data(), 4, 150, b.data(), 4);
      EXPECT_EQ(a, b);
      std::vector<float> gated(150), gated_before(150);
      level.functions->gate_silu(x.data(), w.data(), 150, gated.data());
      before->functions->gate_silu(x.data(), w.data(), 150, gated_before.data());
      EXPECT_EQ(gated, gated_before);
    }
    before = &level;
  }
}

TEST(DecoderLevels, GiveTheSameBitsWhereNothingIsFused) {
  const std::vector<float> x = uniform(2 * 333, 1), w = uniform(333, 2);
  std::vector<float> expected(x.size()), found(x.size());
  kDecoderPortable.rms_norm_rows(x.data(), 2, 333, w.data(), 1e-5f, expected.data(), nullptr);
  for (int i = 0; i < decoder_levels().count; ++i) {
    const DecoderLevel& level = decoder_levels().level[i];
    if (!level.supported) continue;
    level.functions->rms_norm_rows(x.data(), 2, 333, w.data(), 1e-5f, found.data(), nullptr);
    EXPECT_EQ(found, expected) << level.name;
    std::vector<float> gated(333), expected_gated(333);
    level.functions->gate_relu2(x.data(), w.data(), 333, gated.data());
    kDecoderPortable.gate_relu2(x.data(), w.data(), 333, expected_gated.data());
    EXPECT_EQ(gated, expected_gated) << level.name;
  }
}

}  // namespace
}  // namespace bitnet::kernels
