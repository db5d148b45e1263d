#include "ops/kernels/packed_format.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

namespace bitnet::kernels {
namespace {

std::vector<int8_t> random_codes(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<int8_t> codes(static_cast<size_t>(count));
  for (int8_t& code : codes) code = static_cast<int8_t>(static_cast<int>(random() % 3) - 1);
  return codes;
}

std::vector<uint8_t> packed_of(const std::vector<int8_t>& codes_NK, int64_t n, int64_t k, float scale) {
  std::vector<uint8_t> packed(static_cast<size_t>(packed_bytes(n, k)), 0xee);
  pack(codes_NK.data(), n, k, scale, packed.data());
  return packed;
}

std::string fault_of(const std::vector<uint8_t>& packed) {
  PackedInfo info;
  const char* fault = check_packed(packed.data(), packed.size(), &info);
  return fault == nullptr ? "" : fault;
}

std::string hex(const uint8_t* bytes, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

TEST(PackedFormat, UnpackingInvertsPacking) {
  for (int64_t k : {1, 2, 31, 32, 33, 63, 96, 127, 128, 129, 255, 256, 1000}) {
    for (int64_t n : {1, 3, 8}) {
      const std::vector<int8_t> codes = random_codes(n * k, static_cast<uint32_t>(k));
      const std::vector<uint8_t> packed = packed_of(codes, n, k, 0.75f);
      PackedInfo info;
      ASSERT_EQ(check_packed(packed.data(), packed.size(), &info), nullptr) << "n " << n << ", k " << k;
      EXPECT_EQ(info.n, n);
      EXPECT_EQ(info.k, k);
      EXPECT_EQ(info.scale, 0.75f);
      std::vector<int8_t> unpacked(codes.size(), 99);
      unpack(packed.data(), unpacked.data());
      EXPECT_EQ(unpacked, codes) << "n " << n << ", k " << k;
    }
  }
}

// The worked example of ops/README.md. The checksum was computed by the Python script that stands there.
TEST(PackedFormat, HasTheBytesOfTheWorkedExample) {
  std::vector<int8_t> codes(2 * 130, 0);
  codes[0] = 1;          // row 0, block 0, byte 0, bits 0-1
  codes[33] = -1;        // row 0, block 0, byte 1, bits 2-3
  codes[128] = -1;       // row 0, block 1, byte 0, bits 0-1
  codes[130 + 127] = 1;  // row 1, block 0, byte 31, bits 6-7
  const std::vector<uint8_t> packed = packed_of(codes, 2, 130, 0.5f);
  ASSERT_EQ(packed.size(), 64u + 2 * 64);
  EXPECT_EQ(hex(packed.data(), 40),
            "424e5445524e0000"
            "01000000"
            "80000000"
            "0200000000000000"
            "8200000000000000"
            "0000003f"
            "00000000");
  EXPECT_EQ(hex(packed.data() + 40, 8), "e9dba8097ba399f0");
  EXPECT_EQ(hex(packed.data() + 48, 16), std::string(32, '0'));
  std::string row0 = "5651", row1;
  for (int i = 2; i < 32; ++i) row0 += "55";
  row0 += "54";
  for (int i = 1; i < 32; ++i) row0 += "55";
  for (int i = 0; i < 31; ++i) row1 += "55";
  row1 += "95";
  for (int i = 0; i < 32; ++i) row1 += "55";
  EXPECT_EQ(hex(packed.data() + 64, 64), row0);
  EXPECT_EQ(hex(packed.data() + 128, 64), row1);
}

TEST(PackedFormat, FindsEveryFlippedBit) {
  std::vector<uint8_t> packed = packed_of(random_codes(3 * 130, 5), 3, 130, 0.01f);
  ASSERT_EQ(fault_of(packed), "");
  for (size_t bit = 0; bit < packed.size() * 8; ++bit) {
    packed[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    EXPECT_NE(fault_of(packed), "") << "bit " << bit;
    packed[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
  }
}

// Two flips of the top bit of following words of one lane cancel in plain FNV-1a.
TEST(PackedFormat, FindsTwoFlippedTopBits) {
  std::vector<uint8_t> packed = packed_of(random_codes(256, 5), 1, 256, 0.01f);
  packed[64 + 7] ^= 0x40;
  packed[64 + 32 + 7] ^= 0x40;
  EXPECT_NE(fault_of(packed), "");
}

TEST(PackedFormat, SaysWhatIsWrong) {
  const std::vector<uint8_t> good = packed_of(random_codes(2 * 128, 5), 2, 128, 1.0f);
  auto with = [&](size_t at, uint8_t value) {
    std::vector<uint8_t> bad = good;
    bad[at] = value;
    return fault_of(bad);
  };
  EXPECT_EQ(fault_of({}), "it is shorter than the header of 64 bytes");
  EXPECT_EQ(fault_of(std::vector<uint8_t>(good.begin(), good.begin() + 63)),
            "it is shorter than the header of 64 bytes");
  EXPECT_EQ(with(0, 'b'), "it does not start with the magic BNTERN");
  EXPECT_EQ(with(8, 2), "its format version is not 1");
  EXPECT_EQ(with(12, 64), "its block size is not 128 weights");
  EXPECT_EQ(with(23, 0x80), "its number of rows is out of range");
  EXPECT_EQ(with(31, 0x7f), "its number of columns is out of range");
  EXPECT_EQ(with(16, 0), "its number of rows is out of range");
  EXPECT_EQ(with(16, 3), "its size is not the one that its shape needs");
  EXPECT_EQ(with(36, 1), "its reserved header bytes are not zero");
  EXPECT_EQ(with(63, 1), "its reserved header bytes are not zero");
  EXPECT_EQ(with(70, static_cast<uint8_t>(good[70] ^ 1)), "the checksum does not match the bytes");
  std::vector<uint8_t> longer = good;
  longer.push_back(0);
  EXPECT_EQ(fault_of(longer), "its size is not the one that its shape needs");
  EXPECT_EQ(fault_of(std::vector<uint8_t>(good.begin(), good.end() - 1)),
            "its size is not the one that its shape needs");
  EXPECT_EQ(fault_of(packed_of({1}, 1, 1, std::numeric_limits<float>::infinity())), "its scale is not finite");
  EXPECT_EQ(fault_of(packed_of({1}, 1, 1, std::numeric_limits<float>::quiet_NaN())), "its scale is not finite");
}

// Codes that the packer is never given stand for bytes that another program wrote with a right checksum.
TEST(PackedFormat, RefusesIllegalCodes) {
  EXPECT_EQ(fault_of(packed_of({2, 0, 0}, 1, 3, 1.0f)), "a weight has the illegal code 3");
  std::vector<int8_t> codes(128, 0);
  codes[127] = 2;
  EXPECT_EQ(fault_of(packed_of(codes, 1, 128, 1.0f)), "a weight has the illegal code 3");
}

}  // namespace
}  // namespace bitnet::kernels
