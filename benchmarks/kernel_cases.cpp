#include "benchmarks/kernel_cases.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>

namespace bitnet::benchmarks {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

typedef uint64_t Words __attribute__((vector_size(64)));

}  // namespace

Team::Team(int threads) {
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { serve(i); });
}

Team::~Team() {
  stop_ = true;
  for (std::thread& worker : workers_) worker.join();
}

void Team::serve(int index) {
  for (int64_t served = 0; !stop_;) {
    if (started_.load(std::memory_order_acquire) == served) {
      std::this_thread::yield();
      continue;
    }
    ++served;
    (*work_)(index);
    ended_.fetch_add(1, std::memory_order_release);
  }
}

double Team::run(const std::function<void(int)>& work) {
  const Clock::time_point start = Clock::now();
  work_ = &work;
  const int64_t run = started_.fetch_add(1, std::memory_order_release) + 1;
  work(0);
  while (ended_.load(std::memory_order_acquire) < run * (size() - 1)) std::this_thread::yield();
  return seconds_since(start);
}

AlignedBytes::AlignedBytes(int64_t bytes) : memory_(nullptr, std::free), size_(bytes) {
  constexpr int64_t kLine = 64, kLargePage = 2 << 20;
  const int64_t alignment = bytes < kLargePage ? kLine : kLargePage;
  const auto rounded = static_cast<size_t>((bytes + alignment - 1) / alignment * alignment);
  memory_.reset(static_cast<uint8_t*>(std::aligned_alloc(static_cast<size_t>(alignment), rounded)));
  if (!memory_) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
  if (alignment == kLargePage) madvise(memory_.get(), rounded, MADV_HUGEPAGE);
#endif
  std::memset(memory_.get(), 0, rounded);
}

Activations::Activations(int64_t m, int64_t k, int64_t stride) : stride(stride), bytes(m * stride) {
  std::mt19937 random(1);
  for (int64_t row = 0; row < m; ++row) {
    int32_t sum = 0;
    for (int64_t i = 0; i < k; ++i) {
      const int8_t act = static_cast<int8_t>(static_cast<int>(random() % 256) - 128);
      rows()[row * stride + i] = act;
      sum += act;
    }
    sums.push_back(sum);
  }
}

void fill_packed_rows(uint8_t* rows, int64_t bytes) {
  std::mt19937_64 random(2);
  constexpr uint64_t kLowBits = 0x5555555555555555;
  for (int64_t at = 0; at < bytes; at += 8) {  // rows are whole multiples of 32 bytes
    const uint64_t ones = random() & kLowBits;
    const uint64_t twos = random() & kLowBits & ~ones;
    const uint64_t codes = ones | twos << 1;
    std::memcpy(rows + at, &codes, 8);
  }
}

#if defined(__x86_64__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
void read_loop(const uint8_t* from, int64_t bytes) {
  Words sums[4] = {};
  const int64_t whole = bytes / 256 * 256;
  for (int64_t at = 0; at < whole; at += 256) {
    for (int i = 0; i < 4; ++i) {
      Words words;
      std::memcpy(&words, from + at + 64 * i, 64);
      sums[i] += words;
    }
  }
  __asm__ volatile("" : : "r"(sums) : "memory");
}

int64_t peak_rounds(const kernels::TernaryKernel& kernel, double seconds) {
  int64_t rounds = 1000;
  for (;; rounds *= 2) {
    const Clock::time_point start = Clock::now();
    kernel.int8_peak(rounds);
    const double taken = seconds_since(start);
    if (taken > 1e-4) return std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(rounds) * seconds / taken));
  }
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<int64_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Range outputs_of(int index, int threads, int64_t n) {
  const auto cut = [&](int64_t i) { return i == threads ? n : n * i / threads / 16 * 16; };
  return {cut(index), cut(index + 1)};
}

kernels::GemmArgs part_of(kernels::GemmArgs args, int64_t row_bytes, const Range& range) {
  args.weights_N += range.first * row_bytes;
  args.out_MN += range.first;
  args.n = range.last - range.first;
  return args;
}

}  // namespace bitnet::benchmarks
