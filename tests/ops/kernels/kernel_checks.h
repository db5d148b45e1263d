#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ops/kernels/strips.h"

// Checks of one kernel against the reference, shared by the gtest program of this machine and by the program that runs
// under an emulator of another. Each returns "" or what is wrong.

namespace bitnet::kernels {

using Gemm = std::function<void(const GemmArgs&)>;

/// `bytes` between two pages that may not be touched: one right behind the last byte, or right before the first one
/// with `close_before`, and the other within a page of the data.
class GuardedBytes {
 public:
  explicit GuardedBytes(size_t bytes, bool close_before = false);
  ~GuardedBytes();
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(start_);
  }

 private:
  char* mapping_;
  size_t mapped_bytes_;
  char* start_;
};

/// The side on which a page that may not be touched lies right at the data.
enum class Guard { kBehind, kBefore };

/// The weights of a product: packed ternary ones, or those of one byte.
enum class Weights { kTernary, kInt8 };

/// One product: random weights and activations from `seed`, packed, with guard pages around the packed rows, the
/// activations and their sums, so that a read past either one ends the program.
class GemmProblem {
 public:
  GemmProblem(Weights kind, int64_t m, int64_t n, int64_t k, uint32_t seed, Guard guard = Guard::kBehind);

  /// Sets every activation and every weight.
  void fill(int8_t act, int8_t weight);
  /// The arguments, for results in `out` with the given stride.
  GemmArgs args(int32_t* out, int64_t out_stride) const;
  /// The products by definition, from the weights as they were before packing. Shapes: [m, n], row-major.
  std::vector<int32_t> expected() const;

 private:
  void pack_weights();
  void sum_acts();

  Weights kind_;
  int64_t m_, n_, k_;
  std::vector<int8_t> weights_NK_;
  GuardedBytes act_sums_;
  GuardedBytes acts_;
  GuardedBytes packed_;  // without a header
  int32_t* act_sums_M_;
  int8_t* acts_MK_;
};

/// Every depth that matters with few and with many rows, odd numbers of outputs, and all of it with guard pages.
std::string check_products(Weights kind, const Gemm& gemm);
/// Extreme activations against the extreme weights and 0, at depths beyond every widening bound.
std::string check_saturation(Weights kind, const Gemm& gemm);
/// The same integers when a caller splits the work over M or over N, and nothing written outside of the result.
std::string check_splitting(Weights kind, const Gemm& gemm);
/// The same sums for each row alone as for 512 rows at once.
std::string check_heights(Weights kind, const Gemm& gemm);
/// All of the above.
std::string check_kernel(Weights kind, const Gemm& gemm);

}  // namespace bitnet::kernels
