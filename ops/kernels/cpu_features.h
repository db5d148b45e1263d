#pragma once

namespace bitnet::kernels {

/// What this CPU and its operating system support, read once. All false on the other architecture.
struct CpuFeatures {
  bool avx2 = false;         ///< AVX2, with the ymm registers saved by the system
  bool fma = false;          ///< fused multiply-add (FMA3) of float vectors
  bool avx_vnni = false;     ///< AVX2 and AVX-VNNI
  bool avx512_bw = false;    ///< AVX-512 F, BW and VL, with the zmm registers saved by the system
  bool avx512_vnni = false;  ///< the former and AVX512-VNNI
  bool neon_dot = false;     ///< the int8 dot products of ARMv8.2
};

/// The features of this machine.
const CpuFeatures& cpu_features() noexcept;

}  // namespace bitnet::kernels
