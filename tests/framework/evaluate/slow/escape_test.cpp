// Hostile programs in the sandbox, as root and as an unprivileged user. After each the host must be as it was: no
// process is left, no file has changed, nothing was connected to, and no descriptor is left open.

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"
#include "tests/framework/core/scoped_variable.h"
#include "tests/framework/core/temporary_folder.h"
#include "tests/framework/evaluate/slow/escape_attempts.h"

namespace bitnet {
namespace {

namespace fs = std::filesystem;
using testing::EscapeAttempt;
using testing::Host;

constexpr int kUser = 12345;  // somebody without rights and without processes

/// A server on this machine, to which nobody must come.
class Server {
 public:
  Server() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const general = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(socket_, general, size), 0);
    EXPECT_EQ(listen(socket_, 8), 0);
    EXPECT_EQ(getsockname(socket_, general, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~Server() { close(socket_); }
  int port() const { return port_; }
  bool visited() const { return accept(socket_, nullptr, nullptr) >= 0; }

 private:
  int socket_;
  int port_ = 0;
};

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

/// Processes of this machine whose name is `name`.
int processes_named(const std::string& name) {
  int count = 0;
  for (const std::string& process : names_in("/proc")) {
    std::error_code ignored;
    const fs::path file = fs::path("/proc") / process / "comm";
    if (std::all_of(process.begin(), process.end(), [](unsigned char c) { return std::isdigit(c) != 0; }) &&
        fs::exists(file, ignored)) {
      const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
      char text[64] = {};
      if (descriptor >= 0 && read(descriptor, text, sizeof text - 1) > 0 && name + "\n" == text) ++count;
      if (descriptor >= 0) close(descriptor);
    }
  }
  return count;
}

/// Everything that an attempt could have changed, as one text; of folders that others use, what attempts call theirs.
std::string state_of(const Host& host) {
  std::string state;
  for (const std::string& name : names_in(host.folder)) state += name + "\n";
  for (const fs::path folder :
       {fs::path("/"), fs::path("/usr/lib"), fs::path("/dev"), fs::path("/dev/shm"), fs::temp_directory_path()}) {
    if (fs::exists(folder / "escaped")) state += folder.string() + "/escaped\n";
  }
  state += sha256_file("/usr/bin/python3") + "\n";
  state += read_file(host.secret_file);
  state += fmt::format("{} descriptors\n", names_in("/proc/self/fd").size());
  return state;
}

/// Runs all attempts as the present user and prints a table; the number of those that were not as they should be.
int run_attempts(const std::string& user) {
  const Sandbox sandbox;
  const testing::TemporaryFolder folder;
  const Server server;
  Host host;
  host.folder = folder.path().string();
  host.secret = fmt::format("secret-of-{}", getpid());
  host.secret_file = (folder / "secret.txt").string();
  host.port = server.port();
  host.process = getpid();
  write_file_atomic(host.secret_file, host.secret);
  const testing::ScopedVariable variable("BITNET_TEST_SECRET", host.secret);
  // Left open over exec, as a careless library might.
  const int leaked = open(host.secret_file.c_str(), O_RDONLY);
  const std::string before = state_of(host);
  const std::string mark = fmt::format("escape{}", getpid());
  const std::string prefix = fmt::format("import ctypes\nctypes.CDLL(None).prctl(15, b'{}')\n", mark);
  int wrong = 0;
  std::cout << fmt::format("attempts as {}, Python {}\n", user, sandbox.python_version());
  for (const EscapeAttempt& attempt : testing::escape_attempts(host)) {
    SandboxLimits limits;
    limits.wall_seconds = attempt.wall_seconds;
    const SandboxOutcome outcome = sandbox.run(prefix + attempt.program, limits);
    const bool as_expected =
        std::find(attempt.expected.begin(), attempt.expected.end(), outcome.verdict) != attempt.expected.end() &&
        (outcome.reason + outcome.output).find(attempt.reason) != std::string::npos;
    const int left = processes_named(mark);
    const bool untouched = state_of(host) == before && !server.visited() && waitpid(-1, nullptr, WNOHANG) < 0;
    const bool secret = outcome.output.find(host.secret) != std::string::npos;
    const bool fine = as_expected && left == 0 && untouched && !secret;
    wrong += fine ? 0 : 1;
    std::cout << fmt::format("| {:36} | {:13} | {:.70} |{}{}{}{}\n", attempt.name, verdict_name(outcome.verdict),
                             outcome.reason, as_expected ? "" : " UNEXPECTED " + outcome.output.substr(0, 200),
                             left == 0 ? "" : " PROCESSES LEFT", untouched ? "" : " HOST CHANGED",
                             secret ? " SECRET READ" : "");
  }
  close(leaked);
  std::cout << std::flush;
  return wrong;
}

/// Why no sandbox can be made here; empty where one can.
std::string why_no_sandbox() {
  try {
    const Sandbox sandbox;
    return "";
  } catch (const DataError& error) {
    return error.what();
  }
}

TEST(EscapeAttempts, FailAndLeaveTheHostUntouched) {
  if (const std::string why = why_no_sandbox(); !why.empty()) GTEST_SKIP() << why;
  EXPECT_EQ(run_attempts(geteuid() == 0 ? "root" : "an unprivileged user"), 0);
}

TEST(EscapeAttempts, FailForAnUnprivilegedUserToo) {
  if (geteuid() != 0) GTEST_SKIP() << "the test before ran as one";
  if (const std::string why = why_no_sandbox(); !why.empty()) GTEST_SKIP() << why;
  const pid_t child = fork();
  if (child == 0) {
    int wrong = 255;
    try {
      if (setresgid(kUser, kUser, kUser) == 0 && setresuid(kUser, kUser, kUser) == 0) {
        wrong = run_attempts("an unprivileged user");
      }
    } catch (const std::exception& error) {
      std::cout << error.what() << std::endl;
    }
    _exit(std::min(wrong, 255));
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace bitnet
