#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace bitnet {

/// A child process that answers lines of text with lines of text: its standard input and output are one socket to this
/// process, its standard error is this one's. It ends with this object, and with this process however that ends.
class WorkerProcess {
 public:
  /// Starts `words`, the first of which is the program's path. `name` names it in errors.
  /// Errors: Error with ExitCode::kInternal where it can not be started.
  WorkerProcess(std::string name, std::vector<std::string> words);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  /// Sends one line, without its end.
  void send(std::string_view line);
  /// Waits for a line. Errors: Error with ExitCode::kInternal that says how the process ended instead.
  std::string receive();
  const std::string& name() const { return name_; }

 private:
  [[noreturn]] void fail();

  std::string name_;
  pid_t pid_ = -1;
  int socket_ = -1;
  std::string received_;
};

}  // namespace bitnet
