#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "ops/kernels/cpu_features.h"
#include "ops/kernels/ternary_gemm.h"
#include "tests/ops/kernels/kernel_checks.h"

namespace bitnet::kernels {

#if defined(BITNET_TEST_VNNI_AS_AVX512)
// int8_gemm_avx_vnni.cpp in the AVX-512 encoding, as in ternary_gemm_test.cpp.
void int8_avx_vnni_as_avx512(const GemmArgs& args) noexcept;
int64_t int8_peak_avx_vnni_as_avx512(int64_t rounds) noexcept;
#endif

namespace {

class Int8GemmKernel : public testing::TestWithParam<const TernaryKernel*> {
 protected:
  void SetUp() override {
    if (!GetParam()->supported()) GTEST_SKIP() << "this CPU does not support " << GetParam()->name;
  }
};

TEST_P(Int8GemmKernel, EqualsTheDefinitionAtEveryDepthAndHeight) {
  EXPECT_EQ(check_products(Weights::kInt8, GetParam()->int8_gemm), "");
}

TEST_P(Int8GemmKernel, IsExactAtTheExtremes) { EXPECT_EQ(check_saturation(Weights::kInt8, GetParam()->int8_gemm), ""); }

TEST_P(Int8GemmKernel, GivesTheSameWhenSplitOverRowsOrOutputs) {
  EXPECT_EQ(check_splitting(Weights::kInt8, GetParam()->int8_gemm), "");
}

TEST_P(Int8GemmKernel, GivesEachRowAloneWhatItGivesItAmong512) {
  EXPECT_EQ(check_heights(Weights::kInt8, GetParam()->int8_gemm), "");
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
  EXPECT_EQ(check_kernel(Weights::kInt8, int8_avx_vnni_as_avx512), "");
  EXPECT_EQ(int8_peak_avx_vnni_as_avx512(10), 10 * int8_peak_avx_vnni_as_avx512(1));
}
#endif

TEST(Int8GemmChecks, FindAWrongKernel) {
  const Gemm right = select_kernel("scalar").int8_gemm;
  const Gemm wrong = [&](const GemmArgs& args) {
    right(args);
    args.out_MN[(args.m - 1) * args.out_stride + args.n - 1] += 1;
  };
  EXPECT_NE(check_products(Weights::kInt8, wrong), "");
  EXPECT_NE(check_saturation(Weights::kInt8, wrong), "");
  EXPECT_NE(check_splitting(Weights::kInt8, wrong), "");
}

}  // namespace
}  // namespace bitnet::kernels
