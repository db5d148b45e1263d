#include "framework/infer/weight_arena.h"

#include <ATen/ATen.h>
#include <sys/mman.h>

#include <cstring>
#include <new>
#include <stdexcept>

namespace bitnet {

WeightArena::WeightArena(int64_t bytes) {
  constexpr int64_t kPage = 2 << 20;
  capacity_ = (bytes + kPage - 1) / kPage * kPage;
  if (capacity_ == 0) return;
  const auto size = static_cast<size_t>(capacity_);
  // Room for a start at a whole large page.
  const size_t mapped = size + static_cast<size_t>(kPage);
  void* start = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) throw std::bad_alloc();
  const auto address = reinterpret_cast<uintptr_t>(start);
  void* aligned = reinterpret_cast<void*>((address + kPage - 1) / kPage * kPage);
  madvise(aligned, size, MADV_HUGEPAGE);  // only advice: without it everything works, more slowly
  memory_ = std::shared_ptr<void>(aligned, [start, mapped](void*) { munmap(start, mapped); });
}

at::Tensor WeightArena::place(const at::Tensor& tensor) {
  const auto bytes = static_cast<int64_t>(tensor.nbytes());
  if (used_ + bytes > capacity_) {
    throw std::logic_error("WeightArena: a tensor of " + std::to_string(bytes) + " bytes must fit into what is left, " +
                           std::to_string(capacity_ - used_) + " bytes.");
  }
  char* to = static_cast<char*>(memory_.get()) + used_;
  std::memcpy(to, tensor.contiguous().data_ptr(), static_cast<size_t>(bytes));
  used_ += room(bytes);
  return at::from_blob(to, tensor.sizes(), [memory = memory_](void*) {}, tensor.options());
}

}  // namespace bitnet
