#pragma once

#include <cstddef>
#include <cstdint>

namespace bitnet::kernels {

/// Weights in one block of the packed format; a row is padded with zeros to whole blocks.
inline constexpr int64_t kBlockWeights = 128;
inline constexpr int64_t kBlockBytes = kBlockWeights / 4;
inline constexpr int64_t kHeaderBytes = 64;
/// Deepest row: 2^24 - 1 products of at most 128 keep every sum within int32.
inline constexpr int64_t kMaxK = (int64_t{1} << 24) - 1;
/// Most rows: keeps packed_bytes(n, k) within int64 for every legal k.
inline constexpr int64_t kMaxN = (int64_t{1} << 32) - 1;

/// `k` rounded up to whole blocks.
constexpr int64_t padded_k(int64_t k) { return (k + kBlockWeights - 1) / kBlockWeights * kBlockWeights; }
/// Bytes of one packed row of `k` weights.
constexpr int64_t packed_row_bytes(int64_t k) { return padded_k(k) / 4; }
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
