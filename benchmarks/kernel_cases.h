#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "ops/kernels/ternary_gemm.h"

// Data, threads and limits for the benchmarks of the kernels.

namespace bitnet::benchmarks {

/// M rows of activations, N outputs, K depth.
struct Shape {
  int64_t m, n, k;
};

/// Threads that start together on a call and wait for each other at its end, spinning: a call costs about a
/// microsecond.
class Team {
 public:
  explicit Team(int threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }
  /// Runs work(0) .. work(size() - 1), the first on the caller. Returns the seconds until the last one ended.
  double run(const std::function<void(int)>& work);

 private:
  void serve(int index);

  std::vector<std::thread> workers_;
  const std::function<void(int)>* work_ = nullptr;
  std::atomic<int64_t> started_{0};
  std::atomic<int64_t> ended_{0};
  std::atomic<bool> stop_{false};
};

/// Bytes between cache lines, so that a vector of 64 bytes lies in one; many of them in large pages where the system
/// has some, as the weights of a served model lie.
class AlignedBytes {
 public:
  explicit AlignedBytes(int64_t bytes);
  uint8_t* data() { return memory_.get(); }
  int64_t size() const { return size_; }

 private:
  std::unique_ptr<uint8_t, void (*)(void*)> memory_;
  int64_t size_;
};

/// Random activations: rows `stride` bytes apart, zero from k on, and the sum of each.
struct Activations {
  Activations(int64_t m, int64_t k, int64_t stride);
  int8_t* rows() { return reinterpret_cast<int8_t*>(bytes.data()); }

  int64_t stride;
  AlignedBytes bytes;
  std::vector<int32_t> sums;
};

/// Fills packed rows with random codes of weights (0, 1, 2).
void fill_packed_rows(uint8_t* rows, int64_t bytes);

/// Reads memory with nothing but loads and additions, in order: what the memory can give at most.
void read_loop(const uint8_t* from, int64_t bytes);

/// Rounds for kernel.int8_peak that take about `seconds`.
int64_t peak_rounds(const kernels::TernaryKernel& kernel, double seconds);

double median(std::vector<double> values);

/// The outputs of thread `index` of `threads`: [first, last), cut at whole cache lines of sums.
struct Range {
  int64_t first, last;
};
Range outputs_of(int index, int threads, int64_t n);

/// The part of a product that computes the outputs of `range`, of weights of `row_bytes` each.
kernels::GemmArgs part_of(kernels::GemmArgs args, int64_t row_bytes, const Range& range);

}  // namespace bitnet::benchmarks
