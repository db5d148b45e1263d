#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/kernels/strips.h"

namespace bitnet::kernels {

/// Weights of one output in a step along K: one word of a strip (strips.h).
inline constexpr int64_t kStepWeights = 16;
inline constexpr int64_t kHeaderBytes = 64;
/// Deepest row: 2^24 - 1 products of at most 128 keep every sum within int32.
inline constexpr int64_t kMaxK = (int64_t{1} << 24) - 1;
/// Most rows: keeps packed_bytes(n, k) within int64 for every legal k.
inline constexpr int64_t kMaxN = (int64_t{1} << 32) - 1;

/// Steps along `k` weights.
constexpr int64_t packed_steps(int64_t k) { return (k + kStepWeights - 1) / kStepWeights; }
/// Bytes that one output of `k` weights takes. Output n of a matrix starts a strip where n is a multiple of
/// kStripOutputs, at n * packed_row_bytes(k).
constexpr int64_t packed_row_bytes(int64_t k) { return packed_steps(k) * kWordBytes; }
/// Bytes of a whole packed matrix, header included.
constexpr int64_t packed_bytes(int64_t n, int64_t k) { return kHeaderBytes + n * packed_row_bytes(k); }

/// What the 64-byte header says (byte by byte in ops/README.md).
struct PackedInfo {
  int64_t n = 0;    ///< rows: outputs
  int64_t k = 0;    ///< columns: inputs
  float scale = 0;  ///< gamma: weight = code * scale
};

/// Packs codes_NK (-1, 0, +1; row-major) into `out` of packed_bytes(n, k) bytes, header and checksum included.
/// Shapes: codes_NK [n, k], 1 <= n <= kMaxN, 1 <= k <= kMaxK.
void pack(const int8_t* codes_NK, int64_t n, int64_t k, float scale, uint8_t* out) noexcept;

/// Codes of a packed matrix. Shapes: codes_NK [n, k], row-major.
void unpack(const uint8_t* packed, int8_t* codes_NK) noexcept;

/// Reads and checks header, size, checksum and every code. Returns nullptr and fills `info`, or a static text that says
/// what is wrong ("the checksum does not match the bytes").
const char* check_packed(const uint8_t* packed, size_t bytes, PackedInfo* info) noexcept;

/// Reads the header without the checksum over the rows, for packed bytes that were checked before.
PackedInfo read_header(const uint8_t* packed) noexcept;

}  // namespace bitnet::kernels
