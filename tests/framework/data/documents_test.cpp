#include "framework/data/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "framework/core/file.h"
#include "framework/core/sha256.h"

namespace bitnet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kTwoArticles =
    " \n = Du Fu = \n \n Du Fu was a poet . \n = = Life = = \n text \n \n = Kiss You = \n \n A song . \n";

std::string joined(const std::vector<std::string_view>& parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

// The raw test split of the mirror, or an empty text where no mirror is set.
std::string mirrored_raw_test() {
  const char* mirror = std::getenv("BITNET_DATA_MIRROR");
  if (mirror == nullptr) return "";
  return read_file(std::filesystem::path(mirror) / "wikitext-2-raw" / "wiki.test.raw");
}

TEST(Documents, WholeIsOneDocumentAndAnEmptyTextHasNone) {
  EXPECT_THAT(split_documents("a\n\nb\n", DocumentSplit::kWhole), ElementsAre("a\n\nb\n"));
  for (const DocumentSplit split : {DocumentSplit::kWhole, DocumentSplit::kBlankLine, DocumentSplit::kWikitext}) {
    EXPECT_THAT(split_documents("", split), IsEmpty());
  }
}

TEST(Documents, BlankLinesEndADocumentAndBelongToIt) {
  EXPECT_THAT(split_documents("\na\nb\n\nc\n \t\n\nd", DocumentSplit::kBlankLine),
              ElementsAre("\na\nb\n\n", "c\n \t\n\n", "d"));
  EXPECT_THAT(split_documents("a\n\n", DocumentSplit::kBlankLine), ElementsAre("a\n\n"));
  EXPECT_THAT(split_documents("\n\n", DocumentSplit::kBlankLine), ElementsAre("\n\n"));
}

TEST(Documents, WikitextDocumentsStartAtHeadingsOfTheFirstLevelAndGiveTheTextBack) {
  EXPECT_THAT(split_documents(kTwoArticles, DocumentSplit::kWikitext),
              ElementsAre(" \n = Du Fu = \n \n Du Fu was a poet . \n = = Life = = \n text \n \n",
                          " = Kiss You = \n \n A song . \n"));
  EXPECT_EQ(joined(split_documents(kTwoArticles, DocumentSplit::kWikitext)), kTwoArticles);
  EXPECT_THAT(split_documents("preface\n = A = \nb\n", DocumentSplit::kWikitext),
              ElementsAre("preface\n", " = A = \nb\n"));
}

TEST(Documents, WikitextPagesLeaveOutTheBlankStartAndTheNewlineBetweenPages) {
  EXPECT_THAT(wikitext_pages(kTwoArticles),
              ElementsAre(" = Du Fu = \n \n Du Fu was a poet . \n = = Life = = \n text \n ",
                          " = Kiss You = \n \n A song . \n"));
  EXPECT_THAT(wikitext_pages("preface\n = A = \nb\n"), ElementsAre("preface", " = A = \nb\n"));
  EXPECT_THAT(wikitext_pages("= = = Deep = = = \n = = = = Deeper = = = = \n"),
              ElementsAre("= = = Deep = = = \n = = = = Deeper = = = = \n"));
}

TEST(Documents, WhiteSpaceIsWhatPythonTakesForIt) {
  // [c for c in range(0x110000) if chr(c).isspace()] up to U+FFFF; beyond, there is none.
  const auto is_space = [](unsigned code) {
    return (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x20) || code == 0x85 || code == 0xa0 ||
           code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 || code == 0x202f ||
           code == 0x205f || code == 0x3000;
  };
  for (unsigned code = 0; code < 0x10000; ++code) {
    const auto trail = [code](unsigned shift) { return static_cast<char>(0x80 | (code >> shift & 0x3f)); };
    std::string text = "x";
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else if (code < 0x800) {
      (text += static_cast<char>(0xc0 | code >> 6)) += trail(0);
    } else {
      ((text += static_cast<char>(0xe0 | code >> 12)) += trail(6)) += trail(0);
    }
    ASSERT_EQ(white_space_length(text, 1), is_space(code) ? text.size() - 1 : 0) << std::hex << code;
    ASSERT_EQ(white_space_length(text, text.size()), 0U);
  }
  EXPECT_EQ(white_space_length("\xe2\x80", 0), 0U);  // cut
}

TEST(Documents, WordsAreRunsOfWhiteSpaceAndOne) {
  EXPECT_EQ(count_words(""), 1);
  EXPECT_EQ(count_words("one"), 1);
  EXPECT_EQ(count_words(" one \n two "), 4);
  EXPECT_EQ(count_words("a\u00a0b\u2003\u3000c\x1f"
                        "d\u0085\u1680e\u202f\u205f\u2028f"),
            6);
  EXPECT_EQ(count_words("\u00e9t\u00e9 \u2010 \u20ac"), 3);  // same lead bytes, no white space
}

TEST(Documents, DetokenizerUndoesEachRule) {
  EXPECT_EQ(wikitext_detokenize("the dogs ' tails"), "the dogs' tails");
  EXPECT_EQ(wikitext_detokenize("a /' 5/ b /' x/"), "a /'[0-9]/ b /' x/");
  EXPECT_EQ(wikitext_detokenize("well @-@ known 1 @,@ 000 3 @.@ 5"), "well-known 1,000 3.5");
  EXPECT_EQ(wikitext_detokenize("a : b ; c . d ! e ? f , g"), "a: b; c. d! e? f, g");
  EXPECT_EQ(wikitext_detokenize("x ( a ) [ b ] { c } \" d \" ' e ' ( open"), "x (a) [b] {c} \"d\" 'e' ( open");
  EXPECT_EQ(wikitext_detokenize("( a ( b ) c ) (\u00a0) \" \""), "(a ( b) c ) () \"\"");
  EXPECT_EQ(wikitext_detokenize(" = = = Deep = = = \n = = Life = = \n = Top = \n"),
            " === Deep ===\n== Life ==\n= Top =\n");
  EXPECT_EQ(wikitext_detokenize("45 \u00b0 N 5 \n x"), "45\u00b0N 5\nx");
  EXPECT_EQ(wikitext_detokenize("about N men"), "about 1 men");
  EXPECT_EQ(wikitext_detokenize("Boulter 's play"), "Boulter's play");
  EXPECT_EQ(wikitext_detokenize("it 's \" so \" and 'twas ' odd"), "it's \"so\" and'twas' odd");
}

TEST(Documents, RawTestSplitHasTheWordsAndBytesThatThePageSplitterOfLmEvaluationHarnessCounts) {
  const std::string text = mirrored_raw_test();
  if (text.empty()) GTEST_SKIP() << "BITNET_DATA_MIRROR is not set";
  int64_t words = 0;
  int64_t bytes = 0;
  std::string detokenized;
  const auto pages = wikitext_pages(text);
  for (const std::string_view page : pages) {
    words += count_words(page);
    bytes += static_cast<int64_t>(page.size());
    detokenized += wikitext_detokenize(page);
  }
  EXPECT_EQ(pages.size(), 62U);
  EXPECT_EQ(words, 241335);
  EXPECT_EQ(bytes, 1290527);
  EXPECT_EQ(joined(split_documents(text, DocumentSplit::kWikitext)), text);
  // Golden: the digest of what Python's re gives for the same substitutions, pages concatenated.
  EXPECT_EQ(sha256_hex(detokenized), "d6535ca809061590d5e672ac43d8d2d5e1fb500c3005768f6050dcc007786165");
}

}  // namespace
}  // namespace bitnet
