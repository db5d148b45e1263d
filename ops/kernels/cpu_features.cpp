#include "ops/kernels/cpu_features.h"

#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace bitnet::kernels {
namespace {

#if defined(__x86_64__)

// Read here and not by __builtin_cpu_supports, whose list of names differs between compilers.
bool bit(uint32_t word, int index) { return ((word >> index) & 1) != 0; }

// The register sets that the operating system saves (XCR0).
uint64_t saved_registers() {
  uint32_t low = 0;
  uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}

CpuFeatures detect() {
  CpuFeatures features;
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return features;
  const bool xgetbv_works = bit(ecx, 27);
  const bool avx = bit(ecx, 28);
  const bool fma = bit(ecx, 12);
  if (!xgetbv_works || !avx || __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return features;
  const uint64_t saved = saved_registers();
  constexpr uint64_t kYmm = 0x06;  // xmm and the upper halves of ymm
  constexpr uint64_t kZmm = 0xe6;  // also the mask registers and both parts of zmm
  const bool ymm = (saved & kYmm) == kYmm;
  const bool zmm = (saved & kZmm) == kZmm;
  features.avx2 = ymm && bit(ebx, 5);
  features.fma = features.avx2 && fma;
  features.avx512_bw = zmm && features.avx2 && bit(ebx, 16) && bit(ebx, 30) && bit(ebx, 31);
  features.avx512_vnni = features.avx512_bw && bit(ecx, 11);
  const uint32_t subleaves = eax;
  if (subleaves >= 1 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0) {
    features.avx_vnni = features.avx2 && bit(eax, 4);
  }
  return features;
}

#elif defined(__aarch64__)

CpuFeatures detect() {
  constexpr unsigned long kDotProducts = 1ul << 20;  // HWCAP_ASIMDDP
  CpuFeatures features;
  features.neon_dot = (getauxval(AT_HWCAP) & kDotProducts) != 0;
  return features;
}

#else

CpuFeatures detect() { return {}; }

#endif

}  // namespace

const CpuFeatures& cpu_features() noexcept {
  static const CpuFeatures features = detect();
  return features;
}

}  // namespace bitnet::kernels
