#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bitnet::end_to_end {

/// How a program ended and what it printed.
struct ProcessResult {
  int exit_code = -1;  ///< -1 where a signal ended it
  int signal = 0;      ///< 0 where it ended by itself
  std::string out;
  std::string err;
  double cpu_seconds = 0;  ///< of all its threads: unlike the time by the clock, the same on a busy machine
};

struct ProcessOptions {
  /// Variables of the environment to set, or, without a value, to remove; the rest is inherited.
  std::map<std::string, std::optional<std::string>> environment;
  std::filesystem::path folder;    ///< to start in; empty: the test's own
  std::filesystem::path out_file;  ///< receives standard output instead of ProcessResult::out; may be empty
  int64_t max_file_bytes = 0;      ///< writing beyond it fails, as on a full disk; 0: no limit
};

/// A running program, without a shell, in a process group of its own. What it starts ends with it.
class Process {
 public:
  /// Starts `words` (the first is the program's path). Errors: std::runtime_error where it can not be started.
  explicit Process(const std::vector<std::string>& words, const ProcessOptions& options = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Sends a signal to the program alone.
  void send(int signal);
  /// Whether it has not ended yet.
  bool running();
  /// The processor time that it has used by now.
  double cpu_seconds();
  /// Waits for the end. Errors: std::runtime_error after `timeout_seconds`, with what the program printed; it is
  /// killed.
  ProcessResult wait(double timeout_seconds = 300);

 private:
  bool collect(int flags);
  std::string command_;
  pid_t pid_ = -1;
  int out_ = -1, err_ = -1;
  std::optional<int> status_;
  double cpu_seconds_ = 0;  ///< once it has ended
};

/// Runs a program to its end.
ProcessResult run_process(const std::vector<std::string>& words, const ProcessOptions& options = {});

/// Asks `condition` every millisecond. Returns false where it does not hold within `timeout_seconds`.
bool wait_until(const std::function<bool()>& condition, double timeout_seconds = 120);

}  // namespace bitnet::end_to_end
