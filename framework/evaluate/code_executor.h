#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/core/progress.h"
#include "framework/data/code_problems.h"
#include "framework/evaluate/sandbox.h"

namespace bitnet {

/// Called for each program as it is done, in no fixed order, one call at a time, on any thread.
using OnExecuted = std::function<void(size_t program, const SandboxOutcome& outcome)>;

/// Runs completions of a set of problems, each in a sandbox, as many at once as there are processors.
class CodeExecutor {
 public:
  /// `where` names the problems in errors. Errors: DataError where no sandbox can be made here.
  CodeExecutor(std::string where, std::vector<CodeProblem> problems, double timeout_seconds);

  const std::vector<CodeProblem>& problems() const { return problems_; }
  const std::string& python_version() const { return sandbox_.python_version(); }

  /// Runs every problem's own solution, once in the executor's life. A machine on which one of them fails would give
  /// figures that compare with nobody's. Errors: DataError that names those that fail.
  void check_solutions(ProgressReporter& progress);

  /// Runs programs (code_program). What `on_executed` throws ends the work and is thrown here.
  void run(std::span<const std::string> programs, const OnExecuted& on_executed) const;

 private:
  std::string where_;
  std::vector<CodeProblem> problems_;
  Sandbox sandbox_;
  SandboxLimits limits_;
  bool checked_ = false;
};

}  // namespace bitnet
