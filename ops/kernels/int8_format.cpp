#include "ops/kernels/int8_format.h"

namespace bitnet::kernels {
namespace {

constexpr int kOffset = 128;

}  // namespace

void pack_int8(const int8_t* codes, int64_t code_stride, int64_t n, int64_t k, uint8_t* out) noexcept {
  for (int64_t strip = 0; strip < n; strip += kStripOutputs) {
    const int64_t end = n - strip < kStripOutputs ? n : strip + kStripOutputs;
    for (int64_t step = 0; step < int8_row_bytes(k); step += kInt8StepWeights) {
      for (int64_t row = strip; row < end; ++row) {
        for (int64_t at = step; at < step + kInt8StepWeights; ++at) {
          *out++ = static_cast<uint8_t>(kOffset + (at < k ? codes[row * code_stride + at] : 0));
        }
      }
    }
  }
}

void unpack_int8_row(const uint8_t* packed, int64_t n, int64_t k, int64_t row, int8_t* codes_K) noexcept {
  const auto [first, stride] = words_of(row, n, int8_row_bytes(k));
  for (int64_t at = 0; at < k; ++at) {
    const uint8_t byte = packed[first + at / kInt8StepWeights * stride + at % kInt8StepWeights];
    codes_K[at] = static_cast<int8_t>(byte - kOffset);
  }
}

}  // namespace bitnet::kernels
