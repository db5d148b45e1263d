#pragma once

#include <cstdint>

#include "ops/kernels/strips.h"

// Weights of one byte, for an output head that is quantized by rows: strips (strips.h) whose words hold the bytes
// w + 128 of four weights of one output. Missing ones at the end of a row are zeros, 128.

namespace bitnet::kernels {

/// Deepest row of an int8 product: 2^16 products of at most 128 * 127 keep every sum within int32.
inline constexpr int64_t kMaxInt8K = int64_t{1} << 16;

/// Weights of one output in a step.
inline constexpr int64_t kInt8StepWeights = 4;

/// Bytes that one output of `k` weights takes. Output n of a matrix starts a strip where n is a multiple of
/// kStripOutputs, at n * int8_row_bytes(k).
constexpr int64_t int8_row_bytes(int64_t k) { return (k + kInt8StepWeights - 1) / kInt8StepWeights * kWordBytes; }

/// Packs weights of -127 to 127. Shapes: codes [n, k], rows code_stride apart; out [n * int8_row_bytes(k)].
void pack_int8(const int8_t* codes, int64_t code_stride, int64_t n, int64_t k, uint8_t* out) noexcept;

/// Row `row` of a packed matrix [n, k]. Shapes: codes_K [k].
void unpack_int8_row(const uint8_t* packed, int64_t n, int64_t k, int64_t row, int8_t* codes_K) noexcept;

}  // namespace bitnet::kernels
