#include "framework/experiment/worker_process.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "framework/core/error.h"

namespace bitnet {
namespace {

constexpr int kNotStarted = 127;  // as a shell says it

[[noreturn]] void fail_to_start(const std::string& name, const char* call) {
  throw Error(ExitCode::kInternal, fmt::format("worker '{}': the process must start, but {} failed ({}).", name, call,
                                               std::strerror(errno)));
}

/// The child's side between fork and exec: system calls alone.
[[noreturn]] void become(char* const* words, int socket, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kNotStarted);
  if (dup2(socket, STDIN_FILENO) < 0 || dup2(socket, STDOUT_FILENO) < 0) _exit(kNotStarted);
  execv(words[0], words);
  _exit(kNotStarted);
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return fmt::format("was ended by signal {} ({}){}", signal, strsignal(signal),
                       signal == SIGKILL ? ". It may have run out of memory: free some, or measure less at once" : "");
  }
  if (WEXITSTATUS(status) == kNotStarted) return "could not be started";
  return fmt::format("ended with exit code {}", WEXITSTATUS(status));
}

}  // namespace

WorkerProcess::WorkerProcess(std::string name, std::vector<std::string> words) : name_(std::move(name)) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) fail_to_start(name_, "socketpair");
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) become(pointers.data(), ends[1], parent);
  close(ends[1]);
  socket_ = ends[0];
  if (pid_ < 0) {
    close(socket_);
    fail_to_start(name_, "fork");
  }
}

WorkerProcess::~WorkerProcess() {
  close(socket_);
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void WorkerProcess::fail() {
  // The socket is closed: the process has ended or is about to; one that only closed it must not keep this one waiting.
  constexpr int kTries = 100;
  int status = 0;
  pid_t found = 0;
  for (int i = 0; i < kTries && found == 0; ++i) {
    found = waitpid(pid_, &status, WNOHANG);
    if (found == 0) usleep(10'000);
  }
  std::string end = "closed its output";
  if (found == pid_) {
    pid_ = -1;
    end = how_it_ended(status);
  }
  throw Error(ExitCode::kInternal, fmt::format("worker '{}': the process must answer, but {}.", name_, end));
}

void WorkerProcess::send(std::string_view line) {
  const std::string text = std::string(line) + "\n";
  size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t count = ::send(socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail();
    sent += static_cast<size_t>(count);
  }
}

std::string WorkerProcess::receive() {
  while (true) {
    if (const size_t end = received_.find('\n'); end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    std::array<char, 4096> buffer;
    const ssize_t count = read(socket_, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail();
    received_.append(buffer.data(), static_cast<size_t>(count));
  }
}

}  // namespace bitnet
