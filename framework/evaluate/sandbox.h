#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bitnet {

/// How a program ended.
enum class Verdict {
  kPassed,       ///< it reached its end
  kFailed,       ///< it raised an exception, or left before its end (sys.exit, os._exit)
  kTimedOut,     ///< the wall or the processor time was over
  kOutOfMemory,  ///< it asked for more memory than it may have
  kOutputLimit,  ///< it printed more than it may
  kKilled,       ///< a signal ended it, for example after a crash of the interpreter
};

/// For example "timed out".
std::string_view verdict_name(Verdict verdict);

/// What one program may use. Where it takes more, it ends.
struct SandboxLimits {
  double wall_seconds = 3;
  int64_t memory_bytes = int64_t{512} << 20;     ///< address space of each process
  int64_t processes = 8;                         ///< processes and threads at once
  int64_t open_files = 64;                       ///< of each process
  int64_t file_bytes = int64_t{8} << 20;         ///< of each file
  int64_t folder_bytes = int64_t{16} << 20;      ///< of all files together
  int64_t output_bytes = int64_t{1} << 20;       ///< printed
  int64_t kept_output_bytes = int64_t{4} << 10;  ///< of the output, kept in the outcome
};

struct SandboxOutcome {
  Verdict verdict = Verdict::kFailed;
  std::string reason;  ///< for people: the exception, or what limit was met; it may be of the program's making
  std::string output;  ///< the start of what was printed
  double seconds = 0;
};

/// The programs that a sandbox is made of.
struct SandboxTools {
  std::string bubblewrap = "/usr/bin/bwrap";
  std::string python = "/usr/bin/python3";
};

/// Runs Python programs that nobody has looked at, each in a sandbox of its own: namespaces of its own for processes,
/// users, network (none), IPC and host name; a file system of the interpreter and its libraries, read-only, and an
/// empty folder of a few megabytes; resource limits; and a filter of system calls. All its processes are gone when
/// `run` returns. docs/conventions.md says what is guaranteed and what is not.
class Sandbox {
 public:
  /// Tries whether sandboxes can be made here. Errors: DataError that says what to do where they can not.
  explicit Sandbox(SandboxTools tools = {});

  /// Runs `program`. Calls from several threads are safe. Errors: DataError where no sandbox can be made now.
  SandboxOutcome run(std::string_view program, const SandboxLimits& limits) const;

  /// Of the interpreter, for example "3.11.2".
  const std::string& python_version() const { return python_version_; }

 private:
  SandboxTools tools_;
  std::string filter_;
  std::string python_version_;
};

}  // namespace bitnet
