#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "ops/kernels/cpu_features.h"
#include "ops/kernels/ternary_gemm.h"
#include "tests/ops/kernels/kernel_checks.h"

namespace bitnet::kernels {

#if defined(BITNET_TEST_VNNI_AS_AVX512)
// int8_gemm_avx_vnni.cpp in the AVX-512 encoding, as in ternary_gemm_test.cpp.
void int8_avx_vnni_as_avx512(const Int8GemmArgs& args) noexcept;
int64_t int8_peak_avx_vnni_as_avx512(int64_t rounds) noexcept;
#endif

namespace {

using Int8Gemm = std::function<void(const Int8GemmArgs&)>;

// Random weights and activations with guard pages around them, and the product by definition.
class Int8Problem {
 public:
  Int8Problem(int64_t m, int64_t n, int64_t k, uint32_t seed, Guard guard = Guard::kBehind)
      : m_(m),
        n_(n),
        k_(k),
        weights_(static_cast<size_t>(n * padded_k(k)), guard == Guard::kBefore),
        weight_sums_(static_cast<size_t>(n) * sizeof(int32_t), guard == Guard::kBefore),
        acts_(static_cast<size_t>(m * padded_k(k)), guard == Guard::kBefore) {
    std::mt19937 random(seed);
    fill([&] { return static_cast<int>(random() % 256) - 128; },
         [&] { return static_cast<int>(random() % 255) - 127; });
  }

  void fill(const std::function<int()>& act, const std::function<int()>& weight) {
    for (int64_t m = 0; m < m_; ++m) {
      for (int64_t k = 0; k < k_; ++k) acts_.as<int8_t>()[m * padded_k(k_) + k] = static_cast<int8_t>(act());
    }
    for (int64_t n = 0; n < n_; ++n) {
      int32_t sum = 0;
      for (int64_t k = 0; k < k_; ++k) {
        int8_t& code = weights_.as<int8_t>()[n * padded_k(k_) + k];
        code = static_cast<int8_t>(weight());
        sum += code;
      }
      weight_sums_.as<int32_t>()[n] = sum;
    }
  }

  Int8GemmArgs args(int32_t* out, int64_t out_stride) const {
    return {.weights_NK = weights_.as<int8_t>(),
            .weight_sums_N = weight_sums_.as<int32_t>(),
            .acts_MK = acts_.as<int8_t>(),
            .out_MN = out,
            .out_stride = out_stride,
            .m = m_,
            .n = n_,
            .k = k_};
  }

  std::vector<int32_t> expected() const {
    std::vector<int32_t> out;
    for (int64_t m = 0; m < m_; ++m) {
      for (int64_t n = 0; n < n_; ++n) {
        int64_t sum = 0;
        for (int64_t k = 0; k < k_; ++k) {
          sum += acts_.as<int8_t>()[m * padded_k(k_) + k] * weights_.as<int8_t>()[n * padded_k(k_) + k];
        }
        out.push_back(static_cast<int32_t>(sum));
      }
    }
    return out;
  }

  // "" or what is wrong.
  std::string check(const Int8Gemm& gemm) const {
    std::vector<int32_t> found(static_cast<size_t>(m_ * n_), INT32_MIN);
    gemm(args(found.data(), n_));
    if (found == expected()) return "";
    return "wrong at M " + std::to_string(m_) + ", N " + std::to_string(n_) + ", K " + std::to_string(k_);
  }

 private:
  int64_t m_, n_, k_;
  GuardedBytes weights_, weight_sums_, acts_;
};

std::string check_int8_products(const Int8Gemm& gemm) {
  uint32_t seed = 1;
  for (int64_t k : {1, 2, 31, 32, 33, 127, 128, 129, 255, 256, 1000, 1920, 2048, 5632}) {
    for (int64_t m : {1, 2, 3, 4, 5}) {
      for (int64_t n : {1, 2, 3, 4, 5, 7, 9}) {
        if (std::string wrong = Int8Problem(m, n, k, seed++).check(gemm); !wrong.empty()) return wrong;
      }
    }
  }
  for (int64_t m = 1; m <= 40; ++m) {
    for (const auto& [n, k] : {std::pair<int64_t, int64_t>{51, 129}, {49, 200}}) {
      for (Guard guard : {Guard::kBehind, Guard::kBefore}) {
        if (std::string wrong = Int8Problem(m, n, k, seed++, guard).check(gemm); !wrong.empty()) return wrong;
      }
    }
  }
  return Int8Problem(66, 50, 140, seed).check(gemm);
}

std::string check_int8_extremes(const Int8Gemm& gemm) {
  for (int64_t k : {int64_t{128}, int64_t{5632}, kMaxInt8K}) {
    for (int64_t m : {1, 2, 3, 4}) {
      Int8Problem problem(m, 5, k, 1);
      for (int act : {-128, -127, 127}) {
        for (int weight : {-127, 127}) {
          problem.fill([&] { return act; }, [&] { return weight; });
          if (std::string wrong = problem.check(gemm); !wrong.empty()) {
            return "acts " + std::to_string(act) + ", weights " + std::to_string(weight) + ", " + wrong;
          }
        }
      }
    }
  }
  return "";
}

std::string check_int8_splitting(const Int8Gemm& gemm) {
  constexpr int64_t kM = 11, kN = 75, kK = 300, kStride = 80;
  constexpr int32_t kUntouched = 0x5a5a5a5a;
  const Int8Problem problem(kM, kN, kK, 7);
  std::vector<int32_t> whole(kM * kStride, kUntouched);
  gemm(problem.args(whole.data(), kStride));
  const std::vector<int32_t> expected = problem.expected();
  for (int64_t m = 0; m < kM; ++m) {
    for (int64_t n = 0; n < kStride; ++n) {
      const int32_t right = n < kN ? expected[static_cast<size_t>(m * kN + n)] : kUntouched;
      if (whole[static_cast<size_t>(m * kStride + n)] != right) return "a row with a stride is wrong or overrun";
    }
  }
  const auto split_at = [&](int64_t rows, int64_t outputs) {
    std::vector<int32_t> split(whole.size(), kUntouched);
    Int8GemmArgs first = problem.args(split.data(), kStride);
    Int8GemmArgs second = first;
    if (rows > 0) first.m = rows;
    if (outputs > 0) first.n = outputs;
    second.m -= rows;
    second.n -= outputs;
    second.acts_MK += rows * padded_k(kK);
    second.weights_NK += outputs * padded_k(kK);
    second.weight_sums_N += outputs;
    second.out_MN += rows * kStride + outputs;
    gemm(second);
    gemm(first);
    return split == whole;
  };
  for (int64_t rows : {1, 2, 10}) {
    if (!split_at(rows, 0)) return "split over M at " + std::to_string(rows) + " the product differs";
  }
  for (int64_t outputs : {1, 16, 37, 74}) {
    if (!split_at(0, outputs)) return "split over N at " + std::to_string(outputs) + " the product differs";
  }
  return "";
}

class Int8GemmKernel : public testing::TestWithParam<const TernaryKernel*> {
 protected:
  void SetUp() override {
    if (!GetParam()->supported()) GTEST_SKIP() << "this CPU does not support " << GetParam()->name;
  }
};

TEST_P(Int8GemmKernel, EqualsTheDefinitionAtEveryDepthAndHeight) {
  EXPECT_EQ(check_int8_products(GetParam()->int8_gemm), "");
}

TEST_P(Int8GemmKernel, IsExactAtTheExtremes) { EXPECT_EQ(check_int8_extremes(GetParam()->int8_gemm), ""); }

TEST_P(Int8GemmKernel, GivesTheSameWhenSplitOverRowsOrOutputs) {
  EXPECT_EQ(check_int8_splitting(GetParam()->int8_gemm), "");
}

TEST_P(Int8GemmKernel, CountsThePeaksProducts) {
  const int64_t products = GetParam()->int8_peak(1);
  EXPECT_GT(products, 0);
  EXPECT_EQ(GetParam()->int8_peak(1000), 1000 * products);
  EXPECT_EQ(GetParam()->int8_peak(0), 0);
}

INSTANTIATE_TEST_SUITE_P(Kernels, Int8GemmKernel, testing::ValuesIn(all_kernels()), [](const auto& info) {
  std::string name = info.param->name;
  std::erase(name, '-');
  return name;
});

#if defined(BITNET_TEST_VNNI_AS_AVX512)
TEST(AvxVnniInt8File, EqualsTheDefinitionInTheAvx512Encoding) {
  if (!cpu_features().avx512_vnni) GTEST_SKIP() << "this CPU does not support avx512-vnni";
  EXPECT_EQ(check_int8_products(int8_avx_vnni_as_avx512), "");
  EXPECT_EQ(check_int8_extremes(int8_avx_vnni_as_avx512), "");
  EXPECT_EQ(check_int8_splitting(int8_avx_vnni_as_avx512), "");
  EXPECT_EQ(int8_peak_avx_vnni_as_avx512(10), 10 * int8_peak_avx_vnni_as_avx512(1));
}
#endif

TEST(Int8GemmChecks, FindAWrongKernel) {
  const Int8Gemm right = select_kernel("scalar").int8_gemm;
  const Int8Gemm wrong = [&](const Int8GemmArgs& args) {
    right(args);
    args.out_MN[(args.m - 1) * args.out_stride + args.n - 1] += 1;
  };
  EXPECT_NE(check_int8_products(wrong), "");
  EXPECT_NE(check_int8_extremes(wrong), "");
  EXPECT_NE(check_int8_splitting(wrong), "");
}

}  // namespace
}  // namespace bitnet::kernels
