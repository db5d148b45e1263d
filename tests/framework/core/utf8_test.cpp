#include "framework/core/utf8.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace bitnet {
namespace {

/// The bytes of a code point by the definition of UTF-8, surrogates included.
std::string encoded(uint32_t code) {
  const auto trail = [code](int shift) { return static_cast<char>(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xc0 | code >> 6), trail(0)};
  if (code < 0x10000) return {static_cast<char>(0xe0 | code >> 12), trail(6), trail(0)};
  return {static_cast<char>(0xf0 | code >> 18), trail(12), trail(6), trail(0)};
}

TEST(Utf8, EveryCharacterHasItsLengthAndEveryCutOneHasNone) {
  for (uint32_t code = 0; code <= 0x10ffff; ++code) {
    const std::string character = encoded(code);
    const bool is_surrogate = code >= 0xd800 && code < 0xe000;
    ASSERT_EQ(utf8_character_length(character + "x", 0), is_surrogate ? 0 : character.size()) << std::hex << code;
    for (size_t size = 0; size < character.size(); ++size) {
      ASSERT_EQ(utf8_character_length(std::string_view(character).substr(0, size), 0), 0U) << std::hex << code;
    }
  }
}

TEST(Utf8, OverlongTooLargeAndBrokenFormsAreNoCharacters) {
  for (const std::string_view text : {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\x80",
                                      "\xe0\x9f\xbf",
                                      "\xf0\x80\x80\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xfe",
                                      "\xff",
                                      "\xc3x",
                                      "\xc3\xc3",
                                      "\xe2\x82x",
                                      "\xe2x\xac",
                                      "\xf0\x9f\x90x",
                                      "\xf0\x9fx\x8c",
                                      "\xf0x\x90\x8c"}) {
    std::string shown;
    for (const char byte : text) shown += std::to_string(static_cast<unsigned char>(byte)) + " ";
    EXPECT_EQ(utf8_character_length(text, 0), 0U) << shown;
  }
}

TEST(Utf8, TheCharacterAtAPositionIsMeasured) {
  const std::string_view text = "a\u00fc\u20ac\U0001f40c";
  for (const auto& [at, length] : {std::pair<size_t, size_t>{0, 1}, {1, 2}, {2, 0}, {3, 3}, {4, 0}, {6, 4}, {10, 0}}) {
    EXPECT_EQ(utf8_character_length(text, at), length) << at;
  }
  EXPECT_EQ(utf8_character_length(std::string_view("\0", 1), 0), 1U);
  EXPECT_EQ(utf8_character_length(text, 1000), 0U);
}

TEST(Utf8, RepairReplacesEachByteThatIsNoPartOfACharacter) {
  EXPECT_EQ(repaired_utf8("a\xc3\xa9\xe2\x82\xac"), "a\xc3\xa9\xe2\x82\xac");
  EXPECT_EQ(repaired_utf8("\xff"
                          "a\xe2\x82"),
            "\xef\xbf\xbd"
            "a\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(repaired_utf8(std::string_view("\0", 1)), std::string("\0", 1));
  EXPECT_EQ(repaired_utf8(""), "");
}

TEST(Utf8, CodePointsAreCounted) {
  EXPECT_EQ(code_points(""), 0u);
  EXPECT_EQ(code_points("a\u00E9\u4E16\U0001F600"), 4u);
}

}  // namespace
}  // namespace bitnet
