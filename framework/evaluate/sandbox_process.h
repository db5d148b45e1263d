#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "framework/evaluate/descriptors.h"
#include "framework/evaluate/sandbox.h"

namespace bitnet {

/// One running sandbox: bubblewrap, and in the namespaces that it made a first process, on which all others there
/// depend: when it ends, the kernel ends them.
class SandboxProcess {
 public:
  /// Starts `tools.python -c harness` in a sandbox: standard input is `input`, standard output and error are `output`,
  /// descriptor 3 is `result`. `harness` must itself bound the number of processes by its first argument: bubblewrap
  /// would count all of the user's. `filter` is a system_call_filter(). Errors: DataError where no sandbox can be made.
  SandboxProcess(const SandboxTools& tools, std::string_view harness, std::string_view input,
                 const SandboxLimits& limits, std::string_view filter);
  /// Ends all processes of the sandbox and waits until they are gone.
  ~SandboxProcess() { end(); }
  SandboxProcess(const SandboxProcess&) = delete;
  SandboxProcess& operator=(const SandboxProcess&) = delete;

  /// Waits at most `milliseconds` for output, a result or the end. False when all processes are gone.
  bool wait(int milliseconds);
  /// Ends all processes of the sandbox and waits until they are gone. Returns the exit code as bubblewrap gives it: the
  /// program's, or 128 and a signal's number.
  int end();

  const std::string& output() const { return output_; }
  const std::string& result() const { return result_; }

 private:
  void start(std::vector<std::string> words, const SandboxLimits& limits, std::string_view input,
             std::string_view filter);
  void find_first_process();
  [[noreturn]] void fail(const std::string& what);

  pid_t bubblewrap_ = -1;
  Descriptor first_process_;  // stands for it, also when its number is used again
  Descriptor output_pipe_, result_pipe_, information_pipe_, go_pipe_;
  std::string output_, result_;
  int exit_code_ = -1;
};

}  // namespace bitnet
