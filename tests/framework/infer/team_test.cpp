#include "framework/infer/team.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace bitnet {
namespace {

class TeamOf : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override { at::set_num_threads(GetParam()); }
  void TearDown() override { at::set_num_threads(before_); }

 private:
  int before_ = at::get_num_threads();
};

TEST_P(TeamOf, EveryMemberSeesWhatTheOthersWroteBeforeTheBarrier) {
  constexpr int64_t kRounds = 300;
  std::vector<int64_t> written(static_cast<size_t>(GetParam()), -1);
  std::atomic<int64_t> wrong{0}, members{0};
  run_team(GetParam(), [&](Team& team) {
    ++members;
    for (int64_t round = 0; round < kRounds; ++round) {
      written[static_cast<size_t>(team.rank())] = round;
      team.wait();
      for (int64_t other = 0; other < team.size(); ++other) wrong += written[static_cast<size_t>(other)] != round;
      team.wait();
    }
    wrong += team.size() > GetParam();
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_GE(members, 1);
  EXPECT_LE(members, GetParam());
}

TEST_P(TeamOf, SharesCoverEverythingOnce) {
  for (const int64_t count : {0, 1, 5, 64, 1000}) {
    for (const int64_t grain : {1, 64}) {
      std::vector<std::atomic<int>> taken(static_cast<size_t>(count));
      run_team(GetParam(), [&](Team& team) {
        const Team::Share share = team.share(count, grain);
        for (int64_t i = share.begin; i < share.end; ++i) ++taken[static_cast<size_t>(i)];
      });
      for (const auto& times : taken) EXPECT_EQ(times, 1);
    }
  }
}

TEST_P(TeamOf, IsOneInsideAParallelRegion) {
  std::atomic<int64_t> largest{0};
  at::parallel_for(0, GetParam(), 1, [&](int64_t, int64_t) {
    run_team(GetParam(), [&](Team& team) {
      team.wait();
      largest = std::max(largest.load(), team.size());
    });
  });
  EXPECT_EQ(largest, 1);
}

INSTANTIATE_TEST_SUITE_P(Threads, TeamOf, ::testing::Values(1, 2, 5));

}  // namespace
}  // namespace bitnet
