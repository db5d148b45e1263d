#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

namespace bitnet {

/// Memory for the weights of a model, one after the other in the order in which a token reads them, in large pages
/// where the system has them: reading weights is what a token costs, and with pages of 4 KiB it runs at 0.6 of the
/// speed.
class WeightArena {
 public:
  /// Room for `bytes`. Errors: std::bad_alloc.
  explicit WeightArena(int64_t bytes);

  /// A tensor of the arena with the shape, type and values of `tensor`, at a multiple of 64 bytes; it keeps the memory.
  at::Tensor place(const at::Tensor& tensor);

  /// Bytes that a tensor takes.
  static int64_t room(int64_t bytes) { return (bytes + 63) / 64 * 64; }

 private:
  std::shared_ptr<void> memory_;
  int64_t capacity_ = 0;
  int64_t used_ = 0;
};

}  // namespace bitnet
