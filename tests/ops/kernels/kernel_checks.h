#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ops/kernels/ternary_gemm.h"

// Checks of one kernel against the reference, shared by the gtest program of this machine and by the program that runs
// under an emulator of another. Each returns "" or what is wrong.

namespace bitnet::kernels {

using Gemm = std::function<void(const TernaryGemmArgs&)>;

/// One product: random codes and activations from `seed`, packed, with guard pages right behind the packed rows and the
/// activations, so that a read past either one ends the program.
class GemmProblem {
 public:
  GemmProblem(int64_t m, int64_t n, int64_t k, uint32_t seed);
  ~GemmProblem();
  GemmProblem(const GemmProblem&) = delete;
  GemmProblem& operator=(const GemmProblem&) = delete;

  /// Sets every activation and every weight.
  void fill(int8_t act, int8_t code);
  /// The arguments, for results in `out` with the given stride.
  TernaryGemmArgs args(int32_t* out, int64_t out_stride) const;
  /// The products by definition, from the codes as they were before packing. Shapes: [m, n], row-major.
  std::vector<int32_t> expected() const;

 private:
  void sum_acts();

  int64_t m_, n_, k_;
  std::vector<int8_t> codes_NK_;
  std::vector<int32_t> act_sums_M_;
  int8_t* acts_MK_;
  uint8_t* packed_;
};

/// Every depth that matters with few and with many rows, odd numbers of outputs, and all of it with guard pages.
std::string check_products(const Gemm& gemm);
/// Extreme activations against weights that are all +1, all -1 and all 0, at depths beyond every widening bound.
std::string check_saturation(const Gemm& gemm);
/// The same integers when a caller splits the work over M or over N, and nothing written outside of the result.
std::string check_splitting(const Gemm& gemm);
/// All of the above.
std::string check_kernel(const Gemm& gemm);

}  // namespace bitnet::kernels
