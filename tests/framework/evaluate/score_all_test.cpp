#include "framework/evaluate/score_all.h"

#include <gmock/gmock.h>

#include <string>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "tests/framework/core/temporary_folder.h"
#include "tests/framework/evaluate/fakes.h"

namespace bitnet {
namespace {

using ::testing::HasSubstr;
using testing::NoGenerator;
using testing::TableScorer;
using testing::TemporaryFolder;

class NamedOnly : public Evaluator {
 public:
  std::string name() const override { return "named"; }
  int64_t version() const override { return 1; }
  std::string data_sha256() const override { return ""; }
  Evaluation evaluate(const EvaluatedModel&, ProgressReporter&) override { return {}; }
};

/// More than one call of the scorer takes, on any machine.
std::vector<ScoreRequest> many_requests() {
  std::vector<ScoreRequest> requests(3000);
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i].tokens = {static_cast<int32_t>(i % 5), static_cast<int32_t>(i / 5), 1};
  }
  return requests;
}

struct Stopped {};

class ScoreAll : public ::testing::Test {
 protected:
  std::vector<ScoreResult> score(TableScorer& scorer, const std::string& weights = "weights",
                                 const std::function<void()>& stop_if_asked = {}) {
    return score_all(NamedOnly(), {scorer, generator_, weights, folder_.path(), stop_if_asked}, requests_, "windows",
                     silent_);
  }
  /// What a run leaves that is stopped after the first call of the scorer; returns how much was scored.
  size_t stop_early() {
    TableScorer scorer(4);
    EXPECT_THROW(score(scorer, "weights", [] { throw Stopped(); }), Stopped);
    return scorer.requests().size();
  }
  std::filesystem::path log() const { return score_log_path(folder_.path(), "named"); }

  TemporaryFolder folder_;
  NoGenerator generator_;
  ProgressReporter silent_;
  std::vector<ScoreRequest> requests_ = many_requests();
};

TEST_F(ScoreAll, GoesOnBehindWhatWasScoredBeforeAStop) {
  const size_t done = stop_early();
  ASSERT_GT(done, 0u);
  ASSERT_LT(done, requests_.size());

  TableScorer rest(4), whole(4);
  const std::vector<ScoreResult> results = score(rest);
  EXPECT_EQ(rest.requests().size(), requests_.size() - done);
  EXPECT_EQ(rest.requests().front().tokens, requests_[done].tokens);
  const std::vector<ScoreResult> expected = whole.score(requests_);
  ASSERT_EQ(results.size(), expected.size());
  for (size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i].nats, expected[i].nats);
    EXPECT_EQ(results[i].tokens, expected[i].tokens);
    EXPECT_EQ(results[i].greedy, expected[i].greedy);
  }
}

TEST_F(ScoreAll, DropsALineThatAKillCutOff) {
  const size_t done = stop_early();
  const std::string text = read_file(log());
  write_file_atomic(log(), text.substr(0, text.size() - 5));
  TableScorer rest(4);
  EXPECT_EQ(score(rest).size(), requests_.size());
  EXPECT_EQ(rest.requests().size(), requests_.size() - done + 1);
}

TEST_F(ScoreAll, OtherWeightsOrRequestsStartAnew) {
  stop_early();
  TableScorer other_weights(4);
  score(other_weights, "other weights");
  EXPECT_EQ(other_weights.requests().size(), requests_.size());
  requests_.back().tokens.back() = 2;
  TableScorer other_requests(4);
  score(other_requests, "other weights");
  EXPECT_EQ(other_requests.requests().size(), requests_.size());
}

TEST_F(ScoreAll, RefusesADamagedLine) {
  stop_early();
  std::string text = read_file(log());
  text.replace(text.find("\"nats\""), 6, "\"cats\"");
  write_file_atomic(log(), text);
  TableScorer rest(4);
  try {
    score(rest);
    FAIL() << "a damaged line was read";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("line 1 of its unfinished work must have the number \"nats\""));
    EXPECT_THAT(error.what(), HasSubstr("Remove the file"));
  }
}

}  // namespace
}  // namespace bitnet
