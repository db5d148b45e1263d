#include "framework/core/strict_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "framework/core/error.h"

namespace bitnet {
namespace {

using ::testing::HasSubstr;

std::string strict_json_error(const std::string& text) {
  try {
    parse_strict_json(text, "some.json", "header");
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("some.json: header must be "));
    return error.what();
  }
  return "";
}

std::string nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(StrictJson, GivesTheValue) {
  EXPECT_EQ(parse_strict_json(R"({"a": [1, {"b": null}], "b": "a"})", "some.json", "header"),
            (nlohmann::json{{"a", {1, {{"b", nullptr}}}}, {"b", "a"}}));
}

TEST(StrictJson, RefusesNamesThatStandTwiceInOneObject) {
  EXPECT_THAT(strict_json_error(R"({"a": 1, "a": 2})"),
              HasSubstr("without duplicate names, but is one with 'a' twice"));
  EXPECT_THAT(strict_json_error(R"([{"b": {"a": 1, "c": 0, "a": 2}}])"), HasSubstr("'a' twice"));
  EXPECT_EQ(strict_json_error(R"([{"a": {"a": 1}}, {"a": 2}])"), "");
}

TEST(StrictJson, RefusesDeepNesting) {
  EXPECT_EQ(strict_json_error(nested(kMaxJsonDepth)), "");
  EXPECT_THAT(strict_json_error(nested(kMaxJsonDepth + 1)), HasSubstr("at most 64 levels deep"));
  EXPECT_THAT(strict_json_error(std::string(1'000'000, '[')), HasSubstr("at most 64 levels deep"));
  std::string objects;
  for (int i = 0; i <= kMaxJsonDepth; ++i) objects += "{\"a\":";
  EXPECT_THAT(strict_json_error(objects), HasSubstr("at most 64 levels deep"));
}

TEST(StrictJson, RefusesWhatIsNoJsonInUtf8) {
  for (const std::string& text : {std::string(), std::string("{"), std::string("{} {}"), std::string("[1,]"),
                                  std::string("\"\xff\""), std::string("[1e999]"), std::string("NaN")}) {
    EXPECT_THAT(strict_json_error(text), HasSubstr("JSON in UTF-8")) << text;
  }
}

}  // namespace
}  // namespace bitnet
