#include "ops/kernels/ternary_gemm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "ops/kernels/cpu_features.h"
#include "tests/ops/kernels/kernel_checks.h"

namespace bitnet::kernels {

#if defined(BITNET_TEST_VNNI_AS_AVX512)
// ternary_gemm_avx_vnni.cpp compiled a second time, with the AVX-512 encoding of the same instruction: more machines
// have that one, and all else in the file is the same.
void avx_vnni_as_avx512(const GemmArgs& args) noexcept;
#endif

namespace {

class TernaryGemm : public testing::TestWithParam<const TernaryKernel*> {
 protected:
  void SetUp() override {
    if (!GetParam()->supported()) GTEST_SKIP() << "this CPU does not support " << GetParam()->name;
  }
};

TEST_P(TernaryGemm, EqualsTheDefinitionAtEveryDepth) {
  EXPECT_EQ(check_products(Weights::kTernary, GetParam()->gemm), "");
}

TEST_P(TernaryGemm, DoesNotSaturate) { EXPECT_EQ(check_saturation(Weights::kTernary, GetParam()->gemm), ""); }

TEST_P(TernaryGemm, GivesTheSameWhenSplitOverRowsOrOutputs) {
  EXPECT_EQ(check_splitting(Weights::kTernary, GetParam()->gemm), "");
}

TEST_P(TernaryGemm, GivesEachRowAloneWhatItGivesItAmong512) {
  EXPECT_EQ(check_heights(Weights::kTernary, GetParam()->gemm), "");
}

TEST_P(TernaryGemm, EqualsTheScalarKernel) {
  for (int64_t m : {1, 9, 40}) {
    const GemmProblem problem(Weights::kTernary, m, 130, 700, 3);
    std::vector<int32_t> expected(static_cast<size_t>(m * 130)), found(expected.size());
    select_kernel("scalar").gemm(problem.args(expected.data(), 130));
    GetParam()->gemm(problem.args(found.data(), 130));
    EXPECT_EQ(found, expected) << "M " << m;
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, TernaryGemm, testing::ValuesIn(all_kernels()), [](const auto& info) {
  std::string name = info.param->name;
  std::erase(name, '-');
  return name;
});

#if defined(BITNET_TEST_VNNI_AS_AVX512)
TEST(AvxVnniFile, EqualsTheDefinitionInTheAvx512Encoding) {
  if (!cpu_features().avx512_vnni) GTEST_SKIP() << "this CPU does not support avx512-vnni";
  EXPECT_EQ(check_kernel(Weights::kTernary, avx_vnni_as_avx512), "");
}
#endif

TEST(KernelChecks, FindAWrongKernel) {
  const Gemm right = select_kernel("scalar").gemm;
  const Gemm wrong = [&](const GemmArgs& args) {
    right(args);
    args.out_MN[(args.m - 1) * args.out_stride + args.n - 1] += 1;
  };
  const Gemm saturating = [&](const GemmArgs& args) {
    right(args);
    for (int64_t m = 0; m < args.m; ++m) {
      for (int64_t n = 0; n < args.n; ++n) {
        int32_t& sum = args.out_MN[m * args.out_stride + n];
        sum = std::min(sum, 32767);
      }
    }
  };
  EXPECT_NE(check_products(Weights::kTernary, wrong), "");
  EXPECT_NE(check_saturation(Weights::kTernary, saturating), "");
  EXPECT_NE(check_splitting(Weights::kTernary, wrong), "");
}

TEST(SelectKernel, TakesTheFirstThatThisCpuSupports) {
  const TernaryKernel& best = select_kernel("");
  for (const TernaryKernel* kernel : all_kernels()) {
    if (kernel == &best) break;
    EXPECT_FALSE(kernel->supported()) << kernel->name;
  }
  EXPECT_TRUE(best.supported());
  EXPECT_STREQ(all_kernels().back()->name, "scalar");
}

TEST(SelectKernel, TakesTheOneThatIsForcedOrRefuses) {
  for (const TernaryKernel* kernel : all_kernels()) {
    if (kernel->supported()) {
      EXPECT_EQ(&select_kernel(kernel->name), kernel);
    } else {
      EXPECT_THROW(select_kernel(kernel->name), std::invalid_argument) << kernel->name;
    }
  }
}

TEST(SelectKernel, NamesTheKnownAndTheSupportedOnesInItsError) {
  try {
    select_kernel("avx3");
    FAIL() << "an unknown name was accepted";
  } catch (const std::invalid_argument& error) {
    for (const char* part : {"'avx3'", "avx512-vnni", "avx-vnni", "avx2", "neon-dot", "scalar", "This CPU supports"}) {
      EXPECT_THAT(error.what(), testing::HasSubstr(part));
    }
  }
}

TEST(SelectKernel, RefusesAKernelOfAnotherArchitecture) {
#if defined(__aarch64__)
  const char* other = "avx2";
#else
  const char* other = "neon-dot";
#endif
  try {
    select_kernel(other);
    FAIL() << other << " was accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("must be one that this CPU supports"));
  }
}

#if defined(BITNET_TEST_REQUIRED_KERNEL)
// An emulator that lacks the instructions must not pass by skipping.
TEST(SelectKernel, SupportsTheKernelThatIsTestedHere) {
  EXPECT_STREQ(select_kernel(BITNET_TEST_REQUIRED_KERNEL).name, BITNET_TEST_REQUIRED_KERNEL);
}
#endif

TEST(ActiveKernel, IsTheOneOfTheEnvironment) {
  const char* forced = std::getenv("BITNET_ISA");
  EXPECT_EQ(&active_kernel(), &select_kernel(forced == nullptr ? "" : forced));
}

}  // namespace
}  // namespace bitnet::kernels
