#pragma once

#include "ops/kernels/ternary_gemm_args.h"

// The entry points of the ISA files. Each file is compiled with the flags of its instruction set, so it may define
// these functions and static ones, nothing else: an inline function that it shared with portable code could be the copy
// that the linker keeps, and would then run on machines without that instruction set.

namespace bitnet::kernels {

void ternary_gemm_scalar(const TernaryGemmArgs& args) noexcept;
void ternary_gemm_avx2(const TernaryGemmArgs& args) noexcept;
void ternary_gemm_avx_vnni(const TernaryGemmArgs& args) noexcept;
void ternary_gemm_avx512_vnni(const TernaryGemmArgs& args) noexcept;
void ternary_gemm_neon_dot(const TernaryGemmArgs& args) noexcept;

}  // namespace bitnet::kernels
