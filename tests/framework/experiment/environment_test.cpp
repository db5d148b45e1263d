#include "framework/experiment/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "framework/core/error.h"

namespace bitnet {
namespace {

using nlohmann::json;

std::string environment(const std::string& commit, const std::string& start, const std::string& end) {
  return json{{"commit", commit}, {"start", start}, {"end", end}}.dump();
}

TEST(Environment, NamesWhatNumbersDependOn) {
  const json found = json::parse(read_environment({1, 2}, "2026-01-31T12:00:00Z", "").json);
  for (const char* key : {"commit", "dirty", "compiler", "flags", "libtorch", "blas", "ternary_kernel", "cpu", "cores",
                          "threads", "environment_variables", "warnings"}) {
    EXPECT_TRUE(found.contains(key)) << key;
  }
  EXPECT_EQ(found.at("seeds"), json({1, 2}));
  EXPECT_EQ(found.at("start"), "2026-01-31T12:00:00Z");
}

TEST(Environment, ForcedBlasCoreIsAWarning) {
  setenv("OPENBLAS_CORETYPE", "Haswell", 1);
  const Environment forced = read_environment({1}, "a", "b");
  unsetenv("OPENBLAS_CORETYPE");
  ASSERT_FALSE(forced.warnings.empty());
  EXPECT_THAT(forced.warnings.front(), ::testing::HasSubstr("OPENBLAS_CORETYPE forces the BLAS core"));
  EXPECT_EQ(json::parse(forced.json).at("warnings").at(0), forced.warnings.front());
}

TEST(Environment, ARunThatGoesOnKeepsItsStartAndTheBuildsBefore) {
  const std::string first = environment("a", "1", "2");
  EXPECT_EQ(continue_environment("", first, "file"), first);

  const json same = json::parse(continue_environment(first, environment("a", "3", "4"), "file"));
  EXPECT_EQ(same, json({{"commit", "a"}, {"start", "1"}, {"end", "4"}}));

  const std::string other = continue_environment(first, environment("b", "5", "6"), "file");
  EXPECT_EQ(json::parse(other).at("start"), "5");
  EXPECT_EQ(json::parse(other).at("earlier"), json::array({json::parse(first)}));

  const json third = json::parse(continue_environment(other, environment("c", "7", "8"), "file"));
  ASSERT_EQ(third.at("earlier").size(), 2U);
  EXPECT_EQ(third.at("earlier").at(0).at("commit"), "a");
  EXPECT_EQ(third.at("earlier").at(1), json({{"commit", "b"}, {"start", "5"}, {"end", "6"}}));
}

TEST(Environment, DamagedFileIsADataError) {
  EXPECT_THROW(continue_environment("{", environment("a", "1", "2"), "file"), DataError);
  EXPECT_THROW(continue_environment("{}", "{}", "file"), DataError);
}

}  // namespace
}  // namespace bitnet
