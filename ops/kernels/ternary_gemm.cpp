#include "ops/kernels/ternary_gemm.h"

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "ops/kernels/cpu_features.h"
#include "ops/kernels/isa_kernels.h"

namespace bitnet::kernels {
namespace {

constexpr TernaryKernel kScalarKernel = {Isa::kScalar,        "scalar",         []() noexcept { return true; },
                                         ternary_gemm_scalar, int8_gemm_scalar, int8_peak_scalar};
#if defined(__x86_64__)
constexpr TernaryKernel kAvx2Kernel = {Isa::kAvx2,        "avx2",         []() noexcept { return cpu_features().avx2; },
                                       ternary_gemm_avx2, int8_gemm_avx2, int8_peak_avx2};
constexpr TernaryKernel kAvxVnniKernel = {
    Isa::kAvxVnni,         "avx-vnni",         []() noexcept { return cpu_features().avx_vnni; },
    ternary_gemm_avx_vnni, int8_gemm_avx_vnni, int8_peak_avx_vnni};
constexpr TernaryKernel kAvx512VnniKernel = {
    Isa::kAvx512Vnni,         "avx512-vnni",         []() noexcept { return cpu_features().avx512_vnni; },
    ternary_gemm_avx512_vnni, int8_gemm_avx512_vnni, int8_peak_avx512_vnni};
#elif defined(__aarch64__)
constexpr TernaryKernel kNeonDotKernel = {
    Isa::kNeonDot,         "neon-dot",         []() noexcept { return cpu_features().neon_dot; },
    ternary_gemm_neon_dot, int8_gemm_neon_dot, int8_peak_neon_dot};
#endif

// Every legal value of BITNET_ISA, of all architectures, so that a name of another machine is told from a misspelt one.
constexpr std::array<std::string_view, 5> kNames = {"avx512-vnni", "avx-vnni", "avx2", "neon-dot", "scalar"};

std::string supported_names() {
  std::string names;
  for (const TernaryKernel* kernel : all_kernels()) {
    if (kernel->supported()) names += (names.empty() ? "" : ", ") + std::string(kernel->name);
  }
  return names;
}

[[noreturn]] void refuse(std::string_view forced) {
  std::string known;
  for (std::string_view name : kNames) {
    if (name == forced) {
      throw std::invalid_argument("BITNET_ISA: the kernel must be one that this CPU supports (" + supported_names() +
                                  "), but is '" + std::string(forced) +
                                  "'. Unset BITNET_ISA to take the fastest of them.");
    }
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  throw std::invalid_argument("BITNET_ISA: the kernel must be one of " + known + ", but is '" + std::string(forced) +
                              "'. This CPU supports " + supported_names() + "; unset BITNET_ISA to take the fastest.");
}

}  // namespace

// The order is that of measured speed (benchmarks/ternary_gemm; AMD Zen 4 at 3.7 GHz, one thread, N = K = 2048, GMAC/s
// at M = 1, 4 and 512): avx512-vnni 164, 232 and 228, avx2 119, 157 and 155, scalar about 1. avx-vnni, which that CPU
// has in the AVX-512 encoding alone, stood between the two at 146, 186 and 191 in an earlier form.
const std::vector<const TernaryKernel*>& all_kernels() {
  static const std::vector<const TernaryKernel*> kernels = {
#if defined(__x86_64__)
      &kAvx512VnniKernel, &kAvxVnniKernel, &kAvx2Kernel,
#elif defined(__aarch64__)
      &kNeonDotKernel,
#endif
      &kScalarKernel};
  return kernels;
}

const TernaryKernel& select_kernel(std::string_view forced) {
  for (const TernaryKernel* kernel : all_kernels()) {
    if ((forced.empty() || forced == kernel->name) && kernel->supported()) return *kernel;
  }
  refuse(forced);
}

const TernaryKernel& active_kernel() {
  static const TernaryKernel& kernel = [&]() -> const TernaryKernel& {
    const char* forced = std::getenv("BITNET_ISA");
    return select_kernel(forced == nullptr ? "" : forced);
  }();
  return kernel;
}

}  // namespace bitnet::kernels
