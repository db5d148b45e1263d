#include "framework/evaluate/code_executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "framework/core/error.h"
#include "framework/evaluate/code_program.h"

namespace bitnet {

CodeExecutor::CodeExecutor(std::string where, std::vector<CodeProblem> problems, double timeout_seconds)
    : where_(std::move(where)), problems_(std::move(problems)) {
  limits_.wall_seconds = timeout_seconds;
}

void CodeExecutor::check_solutions(ProgressReporter& progress) {
  if (checked_) return;
  std::vector<std::string> programs;
  for (const CodeProblem& problem : problems_) programs.push_back(code_program(problem, problem.solution));
  std::map<size_t, std::string> failed;
  int64_t done = 0;
  progress.start("checking that the solutions pass", static_cast<int64_t>(programs.size()), "programs");
  run(programs, [&](size_t index, const SandboxOutcome& outcome) {
    if (outcome.verdict != Verdict::kPassed) {
      failed[index] = fmt::format("{}: {} ({})", problems_[index].id, verdict_name(outcome.verdict), outcome.reason);
    }
    progress.update(++done);
  });
  progress.finish();
  if (!failed.empty()) {
    throw DataError(fmt::format(
        "{}: all {} solutions that come with the problems must pass before a score is given, but {} do not, the first "
        "is {}. Use another version of Python (this is {}), a faster machine, or a longer timeout_seconds.",
        where_, problems_.size(), failed.size(), failed.begin()->second, python_version()));
  }
  checked_ = true;
}

void CodeExecutor::run(std::span<const std::string> programs, const OnExecuted& on_executed) const {
  std::atomic<size_t> next{0};
  std::exception_ptr error;
  std::mutex reporting;
  const auto work = [&] {
    for (size_t index = next++; index < programs.size(); index = next++) {
      try {
        const SandboxOutcome outcome = sandbox_.run(programs[index], limits_);
        const std::lock_guard lock(reporting);
        if (!error) on_executed(index, outcome);
      } catch (...) {
        const std::lock_guard lock(reporting);
        if (!error) error = std::current_exception();
        next = programs.size();  // the other threads stop after the program that they are at
      }
    }
  };
  const size_t count = std::min<size_t>(programs.size(), std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace bitnet
