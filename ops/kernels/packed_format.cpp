#include "ops/kernels/packed_format.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace bitnet::kernels {
namespace {

// Byte offsets of the header's fields; ops/README.md has the table.
constexpr int kMagicAt = 0;
constexpr int kVersionAt = 8;
constexpr int kBlockAt = 12;
constexpr int kNAt = 16;
constexpr int kKAt = 24;
constexpr int kScaleAt = 32;
constexpr int kReservedAt = 36;
constexpr int kChecksumAt = 40;
constexpr int kReservedTailAt = 48;

constexpr char kMagic[8] = {'B', 'N', 'T', 'E', 'R', 'N', '\0', '\0'};
constexpr uint32_t kVersion = 1;
constexpr int64_t kQuarter = kBlockWeights / 4;
constexpr uint8_t kZeroCode = 1;
constexpr uint8_t kZeroByte = 0x55;  // four times code 1

// Byte by byte, so that the file is little-endian on every machine; compilers make one load or store of it.
uint64_t load_little(const uint8_t* at, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value |= uint64_t{at[i]} << (8 * i);
  return value;
}

void store_little(uint64_t value, int bytes, uint8_t* at) {
  for (int i = 0; i < bytes; ++i) at[i] = static_cast<uint8_t>(value >> (8 * i));
}

// FNV-1a's constants over 8-byte words, with a shift that carries high bits down (in plain FNV two flips of the top bit
// of following words would cancel). Every step is a bijection of the hash and of the word: no flip of one bit is lost.
constexpr uint64_t kHashStart = 0xcbf29ce484222325;
constexpr uint64_t kHashPrime = 0x00000100000001b3;

uint64_t hash_word(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * kHashPrime;
  return hash ^ (hash >> 32);
}

// Four independent lanes, one for each 8-byte word of 32 bytes, because one lane waits for its multiplication.
uint64_t checksum(const uint8_t* packed, size_t bytes) {
  uint64_t lanes[4];
  for (int lane = 0; lane < 4; ++lane) lanes[lane] = kHashStart + static_cast<uint64_t>(lane);
  for (size_t at = 0; at + 32 <= bytes; at += 32) {  // header and rows are whole multiples of 32 bytes
    for (int lane = 0; lane < 4; ++lane) {
      const size_t word_at = at + 8 * static_cast<size_t>(lane);
      const uint64_t word = word_at == kChecksumAt ? 0 : load_little(packed + word_at, 8);
      lanes[lane] = hash_word(lanes[lane], word);
    }
  }
  uint64_t hash = kHashStart;
  for (uint64_t lane : lanes) hash = hash_word(hash, lane);
  return hash;
}

bool is_zero(const uint8_t* at, int bytes) { return load_little(at, bytes) == 0; }

// Code 3 has both of its bits set: find it in 8 bytes at once.
bool has_illegal_code(const uint8_t* rows, int64_t bytes) {
  uint64_t found = 0;
  for (int64_t at = 0; at < bytes; at += 8) {
    const uint64_t word = load_little(rows + at, 8);
    found |= word & (word >> 1) & 0x5555555555555555;
  }
  return found != 0;
}

uint8_t code_at(const uint8_t* row, int64_t k) {
  const int64_t in_block = k % kBlockWeights;
  return (row[k / kBlockWeights * kBlockBytes + in_block % kQuarter] >> (2 * (in_block / kQuarter))) & 3;
}

bool padding_is_zero(const uint8_t* rows, int64_t n, int64_t k) {
  for (int64_t row = 0; row < n; ++row) {
    for (int64_t at = k; at < padded_k(k); ++at) {
      if (code_at(rows + row * packed_row_bytes(k), at) != kZeroCode) return false;
    }
  }
  return true;
}

void pack_row(const int8_t* codes_K, int64_t k, uint8_t* out) {
  std::memset(out, kZeroByte, static_cast<size_t>(packed_row_bytes(k)));
  const int64_t whole_blocks = k / kBlockWeights;
  for (int64_t block = 0; block < whole_blocks; ++block) {
    const int8_t* codes = codes_K + block * kBlockWeights;
    uint8_t* bytes = out + block * kBlockBytes;
    for (int j = 0; j < kQuarter; ++j) {
      const int low = (codes[j] + 1) | (codes[j + kQuarter] + 1) << 2;
      const int high = (codes[j + 2 * kQuarter] + 1) | (codes[j + 3 * kQuarter] + 1) << 2;
      bytes[j] = static_cast<uint8_t>(low | high << 4);
    }
  }
  for (int64_t at = whole_blocks * kBlockWeights; at < k; ++at) {
    const int64_t in_block = at % kBlockWeights;
    uint8_t& byte = out[whole_blocks * kBlockBytes + in_block % kQuarter];
    const int shift = static_cast<int>(2 * (in_block / kQuarter));
    byte = static_cast<uint8_t>((byte & ~(3 << shift)) | (codes_K[at] + 1) << shift);
  }
}

}  // namespace

void pack(const int8_t* codes_NK, int64_t n, int64_t k, float scale, uint8_t* out) noexcept {
  std::memset(out, 0, kHeaderBytes);
  std::memcpy(out + kMagicAt, kMagic, sizeof kMagic);
  store_little(kVersion, 4, out + kVersionAt);
  store_little(kBlockWeights, 4, out + kBlockAt);
  store_little(static_cast<uint64_t>(n), 8, out + kNAt);
  store_little(static_cast<uint64_t>(k), 8, out + kKAt);
  store_little(std::bit_cast<uint32_t>(scale), 4, out + kScaleAt);
  for (int64_t row = 0; row < n; ++row) {
    pack_row(codes_NK + row * k, k, out + kHeaderBytes + row * packed_row_bytes(k));
  }
  store_little(checksum(out, static_cast<size_t>(packed_bytes(n, k))), 8, out + kChecksumAt);
}

void unpack(const uint8_t* packed, int8_t* codes_NK) noexcept {
  const PackedInfo info = read_header(packed);
  for (int64_t row = 0; row < info.n; ++row) {
    const uint8_t* bytes = packed + kHeaderBytes + row * packed_row_bytes(info.k);
    int8_t* codes = codes_NK + row * info.k;
    const int64_t whole = info.k / kBlockWeights * kBlockWeights;
    for (int64_t at = 0; at < whole; at += kBlockWeights, bytes += kBlockBytes) {
      for (int quarter = 0; quarter < 4; ++quarter) {
        for (int j = 0; j < kQuarter; ++j) {
          codes[at + quarter * kQuarter + j] = static_cast<int8_t>(((bytes[j] >> (2 * quarter)) & 3) - 1);
        }
      }
    }
    for (int64_t at = whole; at < info.k; ++at) codes[at] = static_cast<int8_t>(code_at(bytes, at - whole) - 1);
  }
}

const char* check_packed(const uint8_t* packed, size_t bytes, PackedInfo* info) noexcept {
  if (bytes < static_cast<size_t>(kHeaderBytes)) return "it is shorter than the header of 64 bytes";
  if (std::memcmp(packed + kMagicAt, kMagic, sizeof kMagic) != 0) return "it does not start with the magic BNTERN";
  if (load_little(packed + kVersionAt, 4) != kVersion) return "its format version is not 1";
  if (load_little(packed + kBlockAt, 4) != kBlockWeights) return "its block size is not 128 weights";
  if (!is_zero(packed + kReservedAt, 4) || !is_zero(packed + kReservedTailAt, 8) ||
      !is_zero(packed + kReservedTailAt + 8, 8)) {
    return "its reserved header bytes are not zero";
  }
  const PackedInfo found = read_header(packed);
  if (found.n < 1 || found.n > kMaxN) return "its number of rows is out of range";
  if (found.k < 1 || found.k > kMaxK) return "its number of columns is out of range";
  if (!std::isfinite(found.scale)) return "its scale is not finite";
  if (bytes != static_cast<size_t>(packed_bytes(found.n, found.k)))
    return "its size is not the one that its shape needs";
  if (load_little(packed + kChecksumAt, 8) != checksum(packed, bytes)) return "the checksum does not match the bytes";
  const uint8_t* rows = packed + kHeaderBytes;
  if (has_illegal_code(rows, found.n * packed_row_bytes(found.k))) return "a weight has the illegal code 3";
  if (!padding_is_zero(rows, found.n, found.k)) return "the padding of a row holds weights other than zero";
  *info = found;
  return nullptr;
}

PackedInfo read_header(const uint8_t* packed) noexcept {
  return PackedInfo{.n = static_cast<int64_t>(load_little(packed + kNAt, 8)),
                    .k = static_cast<int64_t>(load_little(packed + kKAt, 8)),
                    .scale = std::bit_cast<float>(static_cast<uint32_t>(load_little(packed + kScaleAt, 4)))};
}

}  // namespace bitnet::kernels
