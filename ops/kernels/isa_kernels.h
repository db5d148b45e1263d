#pragma once

#include "ops/kernels/strips.h"

// The entry points of the ISA files. Each file is compiled with the flags of its instruction set, so it may define
// these functions and static ones, nothing else: an inline function that it shared with portable code could be the copy
// that the linker keeps, and would then run on machines without that instruction set.

namespace bitnet::kernels {

void ternary_gemm_scalar(const GemmArgs& args) noexcept;
void ternary_gemm_avx2(const GemmArgs& args) noexcept;
void ternary_gemm_avx_vnni(const GemmArgs& args) noexcept;
void ternary_gemm_avx512_vnni(const GemmArgs& args) noexcept;
void ternary_gemm_neon_dot(const GemmArgs& args) noexcept;

void int8_gemm_scalar(const GemmArgs& args) noexcept;
void int8_gemm_avx2(const GemmArgs& args) noexcept;
void int8_gemm_avx_vnni(const GemmArgs& args) noexcept;
void int8_gemm_avx512_vnni(const GemmArgs& args) noexcept;
void int8_gemm_neon_dot(const GemmArgs& args) noexcept;

int64_t int8_peak_scalar(int64_t rounds) noexcept;
int64_t int8_peak_avx2(int64_t rounds) noexcept;
int64_t int8_peak_avx_vnni(int64_t rounds) noexcept;
int64_t int8_peak_avx512_vnni(int64_t rounds) noexcept;
int64_t int8_peak_neon_dot(int64_t rounds) noexcept;

}  // namespace bitnet::kernels
