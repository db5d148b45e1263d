#include "framework/experiment/results_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/core/base64.h"
#include "framework/core/error.h"
#include "framework/core/random.h"
#include "tests/framework/experiment/sample_results.h"

namespace bitnet {
namespace {

using ::testing::HasSubstr;

std::string page(const std::string& base64) {
  return "<!doctype html>\n<html><body><p>x</p><a id=\"results-json\" download=\"results.json\" "
         "href=\"data:application/json;base64," +
         base64 + "\">results.json</a></body></html>\n";
}

std::string error_of(const std::string& text) {
  try {
    published_results(text, "report.html");
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

TEST(PublishedResults, AreThoseOfAReportOrAResultsFile) {
  const std::string json = results_to_json(sample_results());
  EXPECT_EQ(results_to_json(published_results(json, "results.json")), json);
  EXPECT_EQ(results_to_json(published_results(page(base64_encode(json)), "report.html")), json);
}

TEST(PublishedResults, OtherFilesAreRefused) {
  const std::string json = results_to_json(sample_results());
  const std::string base64 = base64_encode(json);
  EXPECT_THAT(error_of("<html></html>"), HasSubstr("report.html: the report must hold its results once"));
  EXPECT_THAT(error_of(page(base64) + page(base64)), HasSubstr("must hold its results once"));
  EXPECT_THAT(error_of(page(base64).substr(0, 400)), HasSubstr("must hold its results once"));
  EXPECT_THAT(error_of(page(base64.substr(0, base64.size() - 1))), HasSubstr("must be Base64"));
  EXPECT_THAT(error_of(page("")), HasSubstr("report.html, embedded results"));
  EXPECT_THAT(error_of(page(base64_encode("{}"))), HasSubstr("schema_version"));
  EXPECT_THAT(error_of(""), HasSubstr("must be JSON text"));
  std::string edited = json;
  edited.replace(edited.find("258"), 3, "259");
  EXPECT_THAT(error_of(page(base64_encode(edited))), HasSubstr("SHA-256"));
}

TEST(PublishedResults, DamageAnywhereIsFound) {
  const std::string whole = page(base64_encode(results_to_json(sample_results({.items = 12}))));
  Random random(2);
  const size_t begin = whole.find("base64,") + 7;
  const size_t end = whole.find('"', begin);
  for (int round = 0; round < 200; ++round) {
    std::string damaged = whole;
    char& c = damaged[begin + random.below(end - begin)];
    c = c == 'A' ? 'B' : 'A';
    EXPECT_NE(error_of(damaged), "no error");
  }
}

}  // namespace
}  // namespace bitnet
