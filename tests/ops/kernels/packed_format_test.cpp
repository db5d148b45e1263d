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
  for (int64_t k : {1, 2, 15, 16, 17, 31, 32, 33, 63, 96, 127, 128, 129, 255, 256, 1000}) {
    for (int64_t n : {1, 3, 16, 17, 35}) {
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
  std::vector<int8_t> codes(3 * 20, 0);
  codes[0] = 1;         // row 0, word 0, byte 0, bits 0-1
  codes[5] = -1;        // row 0, word 0, byte 1, bits 2-3
  codes[20 + 15] = 1;   // row 1, word 0, byte 3, bits 6-7
  codes[40 + 16] = -1;  // row 2, word 1, byte 0, bits 0-1
  const std::vector<uint8_t> packed = packed_of(codes, 3, 20, 0.5f);
  ASSERT_EQ(packed.size(), 64u + 3 * 8);
  EXPECT_EQ(hex(packed.data(), 40),
            "424e5445524e0000"
            "02000000"
            "10000000"
            "0300000000000000"
            "1400000000000000"
            "0000003f"
            "00000000");
  EXPECT_EQ(hex(packed.data() + 40, 8), "844a35e04e3fbfdd");
  EXPECT_EQ(hex(packed.data() + 48, 16), std::string(32, '0'));
  EXPECT_EQ(hex(packed.data() + 64, 12), "565155555555559555555555");
  EXPECT_EQ(hex(packed.data() + 76, 12), "555555555555555554555555");
}

// 17 rows: the last strip holds one.
TEST(PackedFormat, MakesTheLastStripAsNarrowAsTheRowsThatAreLeft) {
  std::vector<int8_t> codes(17 * 32, 0);
  codes[16 * 32] = 1;
  codes[16 * 32 + 16] = -1;
  codes[15 * 32 + 16] = 1;
  const std::vector<uint8_t> packed = packed_of(codes, 17, 32, 1.0f);
  ASSERT_EQ(packed.size(), 64u + 17 * 8);
  EXPECT_EQ(packed[64 + 64 + 60], 0x56);  // row 15, word 1
  EXPECT_EQ(packed[64 + 128], 0x56);      // row 16, word 0
  EXPECT_EQ(packed[64 + 128 + 4], 0x54);  // row 16, word 1
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
  packed[64 + 32 + 7] ^= 0x40;  // the same lane of the checksum, 32 bytes on
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
  EXPECT_EQ(with(8, 1), "its format version is not 2");
  EXPECT_EQ(with(12, 8), "its strips are not 16 outputs wide");
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
