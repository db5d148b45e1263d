#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ops/kernels/packed_format.h"
#include "ops/kernels/strips.h"

// Exact integer products of int8 activations with packed ternary weights, or with int8 weights (an output head). No
// torch, no allocation, no exceptions in the kernels. M rows of activations, N rows of weights (outputs), K depth.

namespace bitnet::kernels {

enum class Isa { kScalar, kAvx2, kAvxVnni, kAvx512Vnni, kNeonDot };

/// One implementation. Its products may be called at once from several threads on disjoint outputs: a caller splits
/// work by offsetting weights_N and out_MN (over N, at multiples of kStripOutputs) or acts_MK, act_sums_M and out_MN
/// (over M).
struct TernaryKernel {
  Isa isa;
  const char* name;  ///< "scalar", "avx2", "avx-vnni", "avx512-vnni", "neon-dot": the values of BITNET_ISA
  bool (*supported)() noexcept;
  void (*gemm)(const GemmArgs& args) noexcept;
  void (*int8_gemm)(const GemmArgs& args) noexcept;
  /// Does `rounds` rounds of multiply-accumulate instructions on registers alone and returns the number of products of
  /// bytes: the limit of this instruction set on one core, that speeds are compared with. Results are discarded.
  int64_t (*int8_peak)(int64_t rounds) noexcept;
};

/// All kernels compiled into this build, best first by measured speed (benchmarks/ternary_gemm).
const std::vector<const TernaryKernel*>& all_kernels();

/// The first kernel that this CPU supports, or the one that `forced` names ("" means best).
/// Errors: std::invalid_argument for an unknown name (lists the names) or one that this CPU does not support.
const TernaryKernel& select_kernel(std::string_view forced);

/// The kernel of this process: select_kernel of the environment variable BITNET_ISA, decided at the first call.
/// Errors: as select_kernel, at every call while the variable is wrong.
const TernaryKernel& active_kernel();

}  // namespace bitnet::kernels
