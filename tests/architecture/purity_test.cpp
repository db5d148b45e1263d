// The check of purity on made-up words and files, so that it can be seen to fail.

#include "tests/architecture/purity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace bitnet::architecture {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Violations check_zoo(const std::string& path, const std::string& text) { return check_purity({path, text}, {"zoo"}); }

TEST(Purity, ReadsItsWordsFromTheGuidelines) {
  EXPECT_THAT(vertical_terms("# a\n```sh\nls\n```\n```vertical-terms\nzebra\n\nzoo\n```\nthe end\n"),
              ElementsAre("zebra", "zoo"));
  EXPECT_THAT(vertical_terms("no list"), IsEmpty());
}

TEST(Purity, KeepsItsWordsInOrder) {
  EXPECT_THAT(check_vertical_terms({"zebra", "zoo"}), IsEmpty());
  EXPECT_THAT(check_vertical_terms({"zoo", "zebra"}), SizeIs(1));
  EXPECT_THAT(check_vertical_terms({"zoo", "zoo"}), SizeIs(1));
  EXPECT_THAT(check_vertical_terms({"Zoo"}), SizeIs(1));
  EXPECT_THAT(check_vertical_terms({"zoo keeper"}), SizeIs(1));
}

TEST(Purity, FindsWordsAlsoInsideNames) {
  for (const char* line : {"a zoo.", "ZOO", "ZooDataset", "open_zoo(x)", "myZoo", "zoo2", "--zoo=1"}) {
    EXPECT_THAT(check_zoo("framework/a.cpp", std::string("x\n") + line + "\n"), SizeIs(1)) << line;
  }
  for (const char* line : {"zoom", "azoo", "ZOOM", "z o o", "schizoological"}) {
    EXPECT_THAT(check_zoo("framework/a.cpp", line), IsEmpty()) << line;
  }
}

TEST(Purity, NamesFileAndLineAndWord) {
  const Violations violations = check_zoo("README.md", "first\nsecond zoo\n");
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_EQ(violations[0].path, "README.md");
  EXPECT_EQ(violations[0].line, 2);
  EXPECT_THAT(violations[0].rule, HasSubstr("\"zoo\""));
}

TEST(Purity, LeavesOutTheGuidelinesAndWhatQuotesTestData) {
  EXPECT_THAT(check_zoo(std::string(kGuidelines), "zoo"), IsEmpty());
  EXPECT_THAT(check_zoo("reports/a/results.json", "zoo"), IsEmpty());
  EXPECT_THAT(check_zoo("reports/README.md", "zoo"), SizeIs(1));
  EXPECT_THAT(check_zoo("docs/companion-repository.md", "zoo"), SizeIs(1));
}

}  // namespace
}  // namespace bitnet::architecture
