#include "framework/data/regex_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "framework/core/error.h"
#include "framework/core/random.h"

namespace bitnet {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> split(std::string_view pattern, std::string_view text) {
  std::vector<std::string> pieces;
  RegexSplitter(pattern, "tokenizer.json").split(text, [&](std::string_view piece) { pieces.emplace_back(piece); });
  return pieces;
}

std::string pattern_error(std::string_view pattern) {
  try {
    RegexSplitter(pattern, "tokenizer.json");
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

TEST(RegexSplitter, Gpt2PatternCutsWordsNumbersAndMarks) {
  EXPECT_THAT(split(kGpt2Pattern, "I've 2 cats,  they're  fine\n\n"),
              ElementsAre("I", "'ve", " 2", " cats", ",", " ", " they", "'re", " ", " fine", "\n\n"));
  EXPECT_THAT(split(kGpt2Pattern, "Привет мир٣x²"), ElementsAre("Привет", " мир", "٣", "x", "²"));
  EXPECT_THAT(split(kGpt2Pattern, ""), IsEmpty());
}

TEST(RegexSplitter, WhiteSpaceIsUnicodes) {
  // U+00A0, U+2028 and U+3000 are white space; U+180E, which PCRE2's \s has, and U+200B are not.
  EXPECT_THAT(split("\\s+",
                    "a\xC2\xA0\xE2\x80\xA8\xE3\x80\x80"
                    "b"),
              ElementsAre("a", "\xC2\xA0\xE2\x80\xA8\xE3\x80\x80", "b"));
  EXPECT_THAT(split("\\s", "\xE1\xA0\x8E\xE2\x80\x8B"), ElementsAre("\xE1\xA0\x8E\xE2\x80\x8B"));
  EXPECT_THAT(split("[^\\s]+", "a \xE1\xA0\x8E"), ElementsAre("a", " ", "\xE1\xA0\x8E"));
  EXPECT_THAT(split("\\S+", "ab c"), ElementsAre("ab", " ", "c"));
}

TEST(RegexSplitter, MatchesAndGapsAreBothPieces) {
  EXPECT_THAT(split("b+", "abbcb"), ElementsAre("a", "bb", "c", "b"));
  EXPECT_THAT(split("x*", "abxx"), ElementsAre("ab", "xx"));
  EXPECT_THAT(split("(?i:'S)|\\p{N}{1,3}", "a's12345é"), ElementsAre("a", "'s", "123", "45", "é"));
}

TEST(RegexSplitter, BytesThatAreNoUtf8AreTheirOwnPieces) {
  EXPECT_THAT(split(kGpt2Pattern, "ab\xFF\xC3 cd\xE2\x82"), ElementsAre("ab", "\xFF\xC3", " cd", "\xE2\x82"));
}

TEST(RegexSplitter, NothingIsLostAndLongRunsAreNoTrouble) {
  Random random(3);
  const std::vector<std::string> parts = {"a", " ", "\n", "1", "'s", "é", "日", "\xFF", ",", "\t"};
  std::string text;
  for (int i = 0; i < 20000; ++i) {
    const std::string& part = parts[random.below(parts.size())];
    for (uint64_t n = random.below(3) == 0 ? random.below(8) : 1; n > 0; --n) text += part;
  }
  for (const char* run : {" ", "a", "é", ",", "1", "\n", "日", " \n"}) {
    for (int i = 0; i < 50000; ++i) text += run;
  }
  std::string joined;
  for (const std::string& piece : split(kGpt2Pattern, text)) {
    ASSERT_FALSE(piece.empty());
    joined += piece;
  }
  EXPECT_EQ(joined, text);
}

TEST(RegexSplitter, RefusesWhatOnigurumaMightReadDifferently) {
  for (const char* pattern :
       {"\\w+",   "\\bfoo", "^a",  "a$",       ".",       "(?<=a)b", "(?<name>a)", "(?m:a)", "[[:alpha:]]",
        "[a&&b]", "[\\S]",  "\\h", "\\p{Han}", "\\p{^L}", "\\x41",   "(a)\\1",     "a{2}+",  "a**",
        "a{,3}",  "a\\",    "[a",  "[]a]",     "}",       "\\Qa\\E", "(*UTF)",     "\\C",    "(?i)a"}) {
    EXPECT_THAT(pattern_error(pattern),
                AllOf(HasSubstr("tokenizer.json: the regular expression"), HasSubstr("of a supported kind")))
        << pattern;
  }
}

TEST(RegexSplitter, RefusesAMalformedPattern) {
  for (const char* pattern : {"(a", "a)", "*a", "[b-a]", "\\p{Lx}", "a{99999}"}) {
    EXPECT_NE(pattern_error(pattern), "no error") << pattern;
  }
}

}  // namespace
}  // namespace bitnet
