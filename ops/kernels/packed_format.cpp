#include "ops/kernels/packed_format.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace bitnet::kernels {
namespace {

// Byte offsets of the header's fields; ops/README.md has the table.
constexpr int kMagicAt = 0;
constexpr int kVersionAt = 8;
constexpr int kStripAt = 12;
constexpr int kNAt = 16;
constexpr int kKAt = 24;
constexpr int kScaleAt = 32;
constexpr int kReservedAt = 36;
constexpr int kChecksumAt = 40;
constexpr int kReservedTailAt = 48;

constexpr char kMagic[8] = {'B', 'N', 'T', 'E', 'R', 'N', '\0', '\0'};
constexpr uint32_t kVersion = 2;
constexpr uint8_t kZeroCode = 1;
constexpr uint32_t kZeroCodes = 0x01010101;  // a byte each

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

// Four independent lanes, one for each 8-byte word of 32 bytes, because one lane waits for its multiplication. Bytes
// that are missing from the last 32 count as zeros.
uint64_t checksum(const uint8_t* packed, size_t bytes) {
  uint64_t lanes[4];
  for (int lane = 0; lane < 4; ++lane) lanes[lane] = kHashStart + static_cast<uint64_t>(lane);
  const auto take = [&lanes](const uint8_t* from, size_t at) {
    for (int lane = 0; lane < 4; ++lane) {
      const bool own = at + 8 * static_cast<size_t>(lane) == kChecksumAt;
      lanes[lane] = hash_word(lanes[lane], own ? 0 : load_little(from + 8 * lane, 8));
    }
  };
  size_t at = 0;
  for (; at + 32 <= bytes; at += 32) take(packed + at, at);
  if (at < bytes) {
    uint8_t last[32] = {};
    std::memcpy(last, packed + at, bytes - at);
    take(last, at);
  }
  uint64_t hash = kHashStart;
  for (uint64_t lane : lanes) hash = hash_word(hash, lane);
  return hash;
}

bool is_zero(const uint8_t* at, int bytes) { return load_little(at, bytes) == 0; }

// Code 3 has both of its bits set: find it in a word at once.
bool has_illegal_code(const uint8_t* rows, int64_t bytes) {
  uint64_t found = 0;
  for (int64_t at = 0; at < bytes; at += kWordBytes) {
    const uint64_t word = load_little(rows + at, kWordBytes);
    found |= word & (word >> 1) & 0x55555555;
  }
  return found != 0;
}

// Sixteen codes of one byte each as the four 32-bit words of bytes w + 1: byte j of word q is weight 4q + j.
struct Step {
  uint32_t quarter[4];
};

// -1, 0, 1 -> 0, 1, 2 in each byte, without carries from byte to byte.
uint32_t add_one(uint32_t codes) {
  constexpr uint32_t kTops = 0x80808080;
  return ((codes & ~kTops) + kZeroCodes) ^ (codes & kTops);
}

// Bits 2q and 2q + 1 of byte j hold weight 4q + j.
uint32_t pack_step(const int8_t* codes) {
  Step step;
  std::memcpy(&step, codes, sizeof step);
  return (add_one(step.quarter[0]) & 0x03030303) | (add_one(step.quarter[1]) & 0x03030303) << 2 |
         (add_one(step.quarter[2]) & 0x03030303) << 4 | (add_one(step.quarter[3]) & 0x03030303) << 6;
}

// The last step of a row, filled up with zero weights.
uint32_t pack_last_step(const int8_t* codes, int64_t count) {
  int8_t filled[kStepWeights] = {};
  std::memcpy(filled, codes, static_cast<size_t>(count));
  return pack_step(filled);
}

// The words of all outputs of one strip, in their order.
void pack_strip(const int8_t* codes_NK, int64_t outputs, int64_t k, uint8_t* out) {
  const int64_t whole = k / kStepWeights;
  for (int64_t step = 0; step < whole; ++step) {
    for (int64_t n = 0; n < outputs; ++n, out += kWordBytes) {
      store_little(pack_step(codes_NK + n * k + step * kStepWeights), 4, out);
    }
  }
  if (whole * kStepWeights == k) return;
  for (int64_t n = 0; n < outputs; ++n, out += kWordBytes) {
    store_little(pack_last_step(codes_NK + n * k + whole * kStepWeights, k - whole * kStepWeights), 4, out);
  }
}

// Weight `at` of a step, from its word.
uint8_t code_in(const uint8_t* word, int64_t at) { return (word[at % 4] >> (2 * (at / 4))) & 3; }

bool padding_is_zero(const uint8_t* rows, int64_t n, int64_t k) {
  const int64_t last = packed_steps(k) - 1;
  for (int64_t row = 0; row < n; ++row) {
    const auto [first, stride] = words_of(row, n, packed_row_bytes(k));
    for (int64_t at = k - last * kStepWeights; at < kStepWeights; ++at) {
      if (code_in(rows + first + last * stride, at) != kZeroCode) return false;
    }
  }
  return true;
}

}  // namespace

void pack(const int8_t* codes_NK, int64_t n, int64_t k, float scale, uint8_t* out) noexcept {
  std::memset(out, 0, kHeaderBytes);
  std::memcpy(out + kMagicAt, kMagic, sizeof kMagic);
  store_little(kVersion, 4, out + kVersionAt);
  store_little(kStripOutputs, 4, out + kStripAt);
  store_little(static_cast<uint64_t>(n), 8, out + kNAt);
  store_little(static_cast<uint64_t>(k), 8, out + kKAt);
  store_little(std::bit_cast<uint32_t>(scale), 4, out + kScaleAt);
  for (int64_t strip = 0; strip < n; strip += kStripOutputs) {
    const int64_t outputs = n - strip < kStripOutputs ? n - strip : kStripOutputs;
    pack_strip(codes_NK + strip * k, outputs, k, out + kHeaderBytes + strip * packed_row_bytes(k));
  }
  store_little(checksum(out, static_cast<size_t>(packed_bytes(n, k))), 8, out + kChecksumAt);
}

void unpack(const uint8_t* packed, int8_t* codes_NK) noexcept {
  const PackedInfo info = read_header(packed);
  for (int64_t row = 0; row < info.n; ++row) {
    const auto [first, stride] = words_of(row, info.n, packed_row_bytes(info.k));
    const uint8_t* word = packed + kHeaderBytes + first;
    int8_t* codes = codes_NK + row * info.k;
    for (int64_t at = 0; at < info.k; ++at) {
      codes[at] = static_cast<int8_t>(code_in(word + at / kStepWeights * stride, at % kStepWeights) - 1);
    }
  }
}

const char* check_packed(const uint8_t* packed, size_t bytes, PackedInfo* info) noexcept {
  if (bytes < static_cast<size_t>(kHeaderBytes)) return "it is shorter than the header of 64 bytes";
  if (std::memcmp(packed + kMagicAt, kMagic, sizeof kMagic) != 0) return "it does not start with the magic BNTERN";
  if (load_little(packed + kVersionAt, 4) != kVersion) return "its format version is not 2";
  if (load_little(packed + kStripAt, 4) != kStripOutputs) return "its strips are not 16 outputs wide";
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
