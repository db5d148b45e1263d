#include "framework/evaluate/sandbox.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include "framework/core/error.h"
#include "framework/evaluate/sandbox_process.h"
#include "framework/evaluate/system_call_filter.h"

namespace bitnet {
namespace {

// The first line of the input is a secret, the rest is the program. Only a program that came to its end is followed by
// the secret and "passed": what it prints, and its exit code, prove nothing. It runs in an empty namespace, as in
// HumanEval's own tool.
constexpr std::string_view kHarness = R"(
import os, resource, sys

def main():
    secret, _, program = sys.stdin.buffer.read().partition(b"\n")
    processes = int(sys.argv.pop())
    resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    try:
        exec(compile(program, "program", "exec"), {})
        end = b"passed"
    except MemoryError:
        end = b"memory"
    except BaseException as error:
        try:
            end = ("raised " + type(error).__name__ + ": " + str(error)).encode("utf-8", "replace")[:300]
        except BaseException:
            end = b"raised an exception without a text"
    try:
        sys.stdout.flush()
    except BaseException:
        pass
    os.write(3, secret + b" " + end)
    os._exit(0)

main()
)";

using Clock = std::chrono::steady_clock;

constexpr int kSlice = 50;             // milliseconds
constexpr double kMostOfASlice = 0.2;  // seconds

/// 128 bits from the system, as hexadecimal digits.
std::string make_secret() {
  std::array<unsigned char, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw DataError("sandbox: the system must give random bytes, but gives none. Run on Linux 3.17 or later.");
  }
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

void require(const std::string& path, const std::string& package) {
  if (access(path.c_str(), X_OK) == 0) return;
  throw DataError("sandbox: " + path + " must be there to run programs in a sandbox, but is not. Install the package " +
                  package + " (scripts/setup does), or leave out the evaluators that run programs.");
}

/// What the harness said, or how the process ended.
void judge(std::string_view result, std::string_view secret, int exit_code, SandboxOutcome& outcome) {
  if (result.starts_with(secret)) {
    const std::string_view end = result.substr(std::min(result.size(), secret.size() + 1));
    outcome.reason = end;
    outcome.verdict = end == "passed" ? Verdict::kPassed : end == "memory" ? Verdict::kOutOfMemory : Verdict::kFailed;
    if (outcome.verdict == Verdict::kOutOfMemory) outcome.reason = "raised MemoryError";
  } else if (exit_code == 128 + SIGXCPU) {
    outcome.verdict = Verdict::kTimedOut;
    outcome.reason = "used too much processor time";
  } else if (exit_code > 128) {
    outcome.verdict = Verdict::kKilled;
    outcome.reason = fmt::format("ended by signal {} ({})", exit_code - 128, strsignal(exit_code - 128));
  } else {
    outcome.verdict = Verdict::kFailed;
    outcome.reason = fmt::format("left before its end with exit code {}", exit_code);
  }
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPassed:
      return "passed";
    case Verdict::kFailed:
      return "failed";
    case Verdict::kTimedOut:
      return "timed out";
    case Verdict::kOutOfMemory:
      return "out of memory";
    case Verdict::kOutputLimit:
      return "output limit";
    case Verdict::kKilled:
      return "killed";
  }
  return "";
}

Sandbox::Sandbox(SandboxTools tools) : tools_(std::move(tools)) {
  require(tools_.bubblewrap, "bubblewrap");
  require(tools_.python, "python3");
  filter_ = system_call_filter();
  SandboxLimits limits;
  limits.wall_seconds = 20;  // a machine that is busy is no reason to refuse
  const SandboxOutcome outcome = run("import sys\nprint(sys.version.split()[0])\n", limits);
  if (outcome.verdict != Verdict::kPassed) {
    throw DataError(
        fmt::format("sandbox: a program that only prints must pass, but {} ({}: {}). Install python3 from "
                    "the system's packages, or run on another machine.",
                    verdict_name(outcome.verdict), outcome.reason, outcome.output));
  }
  python_version_ = outcome.output.substr(0, outcome.output.find('\n'));
}

SandboxOutcome Sandbox::run(std::string_view program, const SandboxLimits& limits) const {
  const std::string secret = make_secret();
  SandboxProcess process(tools_, kHarness, secret + "\n" + std::string(program), limits, filter_);
  SandboxOutcome outcome;
  const auto printed = [&] { return static_cast<int64_t>(process.output().size() + process.result().size()); };
  bool ended = false;
  Clock::time_point before = Clock::now();
  while (!ended && outcome.seconds < limits.wall_seconds && printed() <= limits.output_bytes) {
    ended = !process.wait(kSlice);
    const Clock::time_point now = Clock::now();
    // Time for which this process stood still, too, does not count: the machine slept, or was busy with something else.
    outcome.seconds += std::min(std::chrono::duration<double>(now - before).count(), kMostOfASlice);
    before = now;
  }
  const int exit_code = process.end();
  if (printed() > limits.output_bytes) {
    outcome.verdict = Verdict::kOutputLimit;
    outcome.reason = fmt::format("printed more than {} bytes", limits.output_bytes);
  } else if (!ended) {
    outcome.verdict = Verdict::kTimedOut;
    outcome.reason = fmt::format("was not done after {} s", limits.wall_seconds);
  } else {
    judge(process.result(), secret, exit_code, outcome);
  }
  outcome.output = process.output().substr(0, static_cast<size_t>(limits.kept_output_bytes));
  return outcome;
}

}  // namespace bitnet
