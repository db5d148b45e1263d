#include "framework/evaluate/score_all.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "framework/core/error.h"
#include "framework/core/sha256.h"
#include "framework/evaluate/work_log.h"

namespace bitnet {
namespace {

using Clock = std::chrono::steady_clock;

// What a call of the scorer should take: long enough to keep all cores busy, short enough for a bar that moves and for
// little to be lost by a kill.
constexpr std::chrono::seconds kShortCall{1};
constexpr std::chrono::seconds kLongCall{4};

constexpr const char* kIndexKey = "request";
constexpr const char* kNatsKey = "nats";
constexpr const char* kTokensKey = "tokens";
constexpr const char* kGreedyKey = "greedy";

/// The work that a line of the log belongs to: everything that the scores depend on.
std::string run_of(const Evaluator& evaluator, const EvaluatedModel& model, std::span<const ScoreRequest> requests) {
  Sha256 sha256;
  sha256.update(fmt::format("{}\n{}\n", evaluator.version(), model.weights_sha256));
  for (const ScoreRequest& request : requests) {
    sha256.update(fmt::format("{} {} {}\n", request.tokens.size(), request.scored_from, request.shared));
    sha256.update(request.tokens.data(), request.tokens.size() * sizeof(request.tokens[0]));
  }
  return sha256.hex().substr(0, 16);
}

/// The results that the log holds: those of the first requests, in order.
std::vector<ScoreResult> kept_results(const WorkLog& log, const std::string& where) {
  std::vector<ScoreResult> results;
  for (const nlohmann::json& line : log.kept({}, {kIndexKey, kTokensKey})) {
    const bool next = line.at(kIndexKey) == results.size();
    if (!next || !line.contains(kNatsKey) || !line.at(kNatsKey).is_number() || !line.contains(kGreedyKey) ||
        !line.at(kGreedyKey).is_boolean()) {
      throw DataError(fmt::format(
          "{}: line {} of its unfinished work must have the number \"{}\", the truth value \"{}\" and \"{}\": {}, but "
          "is {}. Remove the file; the work is then done again.",
          where, results.size() + 1, kNatsKey, kGreedyKey, kIndexKey, results.size(), line.dump()));
    }
    results.push_back({line.at(kNatsKey), line.at(kTokensKey), line.at(kGreedyKey)});
  }
  return results;
}

}  // namespace

std::filesystem::path score_log_path(const std::filesystem::path& folder, const std::string& evaluator) {
  return folder / ("scored_" + evaluator + ".jsonl");
}

std::vector<ScoreResult> score_all(const Evaluator& evaluator, const EvaluatedModel& model,
                                   std::span<const ScoreRequest> requests, std::string_view unit,
                                   ProgressReporter& progress) {
  const std::string where = "evaluator '" + evaluator.name() + "'";
  WorkLog log(model.folder.empty() ? model.folder : score_log_path(model.folder, evaluator.name()),
              run_of(evaluator, model, requests));
  std::vector<ScoreResult> results = kept_results(log, where);
  results.reserve(requests.size());
  progress.start("evaluating " + evaluator.name(), static_cast<int64_t>(requests.size()), unit,
                 static_cast<int64_t>(results.size()));
  const size_t fewest = std::max(1u, std::thread::hardware_concurrency());
  size_t count = fewest;
  while (results.size() < requests.size()) {
    const Clock::time_point start = Clock::now();
    const auto part = requests.subspan(results.size(), std::min(count, requests.size() - results.size()));
    for (const ScoreResult& result : model.scorer.score(part)) {
      if (!std::isfinite(result.nats)) {
        throw DataError(where + ": every log-likelihood must be a finite number, but one is " +
                        std::to_string(-result.nats) +
                        ". The model's weights have diverged: train it anew with a lower learning rate.");
      }
      log.add({{kIndexKey, results.size()},
               {kNatsKey, result.nats},
               {kTokensKey, result.tokens},
               {kGreedyKey, result.greedy}});
      results.push_back(result);
    }
    progress.update(static_cast<int64_t>(results.size()));
    if (model.stop_if_asked) model.stop_if_asked();
    const auto taken = Clock::now() - start;
    if (taken < kShortCall) count *= 2;
    if (taken > kLongCall) count = std::max(fewest, count / 2);
  }
  progress.finish();
  return results;
}

}  // namespace bitnet
