#include "framework/experiment/environment_difference.h"

#include <gtest/gtest.h>

namespace bitnet {
namespace {

TEST(EnvironmentDifference, NamesWhatTwoRunsDoNotShare) {
  const std::string before =
      R"({"commit": "a", "dirty": false, "libtorch": "1.13.0", "blas": {"core": "Zen"}, "threads": 2, "start": "x"})";
  const std::string now =
      R"({"commit": "a", "dirty": true, "libtorch": "2.6.0", "blas": {"core": "Zen"}, "threads": 2, "cpu": "C"})";
  const std::vector<EnvironmentDifference> differences = environment_differences(before, now);
  ASSERT_EQ(differences.size(), 3u);
  EXPECT_EQ(differences[0].key, "uncommitted changes");
  EXPECT_EQ(differences[0].before, "false");
  EXPECT_EQ(differences[0].now, "true");
  EXPECT_EQ(differences[1].key, "LibTorch");
  EXPECT_EQ(differences[1].before, "1.13.0");
  EXPECT_EQ(differences[1].now, "2.6.0");
  EXPECT_EQ(differences[2].key, "processor");
  EXPECT_EQ(differences[2].before, "unknown");
  EXPECT_TRUE(environment_differences(before, before).empty());
}

TEST(EnvironmentDifference, OtherTextsHaveNoFacts) {
  EXPECT_TRUE(environment_differences("", "no JSON").empty());
  EXPECT_TRUE(environment_differences("[]", "3").empty());
  EXPECT_TRUE(environment_differences(R"({"blas": "old"})", "{}").empty());
}

}  // namespace
}  // namespace bitnet
