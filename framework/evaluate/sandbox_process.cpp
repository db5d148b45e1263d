#include "framework/evaluate/sandbox_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "framework/core/error.h"

namespace bitnet {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSetupMilliseconds = 20'000;  // it takes 10 to 20; a busy machine may need long
constexpr int kSlice = 50;                      // milliseconds of one wait
constexpr int kNotStarted = 127;                // as a shell says it
constexpr int kNobody = 65534;

// Numbers of the descriptors that bubblewrap gets. The first four are the program's too.
enum Target : int { kInput, kOutput, kError, kResult, kFilter, kInformation, kGo, kTargets };
using Sources = std::array<int, kTargets>;

std::vector<std::string> bubblewrap_words(const SandboxTools& tools, std::string_view harness,
                                          const SandboxLimits& limits) {
  std::vector<std::string> words = {tools.bubblewrap};
  const auto add = [&words](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
  // --unshare-all makes a user namespace only if it can.
  add({"--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"});
  add({"--uid", std::to_string(kNobody), "--gid", std::to_string(kNobody), "--hostname", "sandbox"});
  // The interpreter, its library and the C libraries, and nothing else of the system: no shell, no other program, no
  // /etc, no home folder, no /proc, no /sys.
  add({"--ro-bind", fs::canonical(tools.python).string(), "/usr/bin/python3"});
  for (const char* const folder : {"/usr/lib", "/usr/lib64"}) add({"--ro-bind-try", folder, folder});
  for (const char* const folder : {"/lib", "/lib64"}) {
    std::error_code error;
    const fs::path link = fs::read_symlink(folder, error);
    if (error) {
      add({"--ro-bind-try", folder, folder});
    } else {
      add({"--symlink", link.string(), folder});
    }
  }
  // bubblewrap's own /dev is a file system in memory without a limit; these are all that Python needs.
  for (const char* const device : {"/dev/null", "/dev/urandom"}) add({"--dev-bind", device, device});
  add({"--size", std::to_string(limits.folder_bytes), "--tmpfs", "/box", "--chdir", "/box"});
  // The root, too, is a file system in memory without a limit.
  add({"--remount-ro", "/"});
  add({"--seccomp", std::to_string(kFilter), "--info-fd", std::to_string(kInformation)});
  add({"--block-fd", std::to_string(kGo)});
  // Hashes of texts, and so the order of sets, must be the same each time.
  add({"--setenv", "PYTHONHASHSEED", "0", "--setenv", "LC_ALL", "C.UTF-8", "--setenv", "HOME", "/box"});
  add({"--setenv", "TMPDIR", "/box", "--", "/usr/bin/python3", "-S", "-s", "-B", "-c", std::string(harness)});
  add({std::to_string(limits.processes)});
  return words;
}

// The child's side between fork and exec: system calls alone.
[[noreturn]] void leave(const char* message) {
  static_cast<void>(!write(STDERR_FILENO, message, std::strlen(message)));
  _exit(kNotStarted);
}

void close_from(int first) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
#endif
  const long most = sysconf(_SC_OPEN_MAX);
  for (int number = first; number < most; ++number) close(number);
}

// What every process from bubblewrap on is bound by. The number of processes is not among them: it counts all processes
// of the user until the user namespace is there, so the harness sets it, before the program.
struct Limit {
  __rlimit_resource_t resource;
  rlim_t most;
};
using Limits = std::array<Limit, 5>;

Limits limits_of(const SandboxLimits& limits) {
  const auto most = [](int64_t value) { return static_cast<rlim_t>(value); };
  return {{{RLIMIT_AS, most(limits.memory_bytes)},
           {RLIMIT_CPU, most(static_cast<int64_t>(std::ceil(limits.wall_seconds)) + 1)},
           {RLIMIT_NOFILE, most(limits.open_files)},
           {RLIMIT_FSIZE, most(limits.file_bytes)},
           {RLIMIT_CORE, 0}}};
}

[[noreturn]] void become(char* const* words, Sources sources, const Limits& limits, pid_t parent) {
  // Out of the way of each other's targets first.
  for (int& source : sources) source = fcntl(source, F_DUPFD, kTargets);
  for (int target = 0; target < kTargets; ++target) {
    if (dup2(sources[static_cast<size_t>(target)], target) < 0) _exit(kNotStarted);
  }
  close_from(kTargets);
  // When the machine's memory runs out, this goes first, where there is a /proc to say so.
  if (const int file = open("/proc/self/oom_score_adj", O_WRONLY); file >= 0) {
    static_cast<void>(!write(file, "1000", 4));
    close(file);
  }
  // Root is bound neither by the number of processes nor by a file's mode: a sandbox is never root's.
  if (geteuid() == 0 &&
      (syscall(SYS_setgroups, 0, nullptr) != 0 || syscall(SYS_setresgid, kNobody, kNobody, kNobody) != 0 ||
       syscall(SYS_setresuid, kNobody, kNobody, kNobody) != 0)) {
    leave("root could not become another user");
  }
  for (const Limit& limit : limits) {
    rlimit now{};
    getrlimit(limit.resource, &now);
    const rlim_t most = limit.most < now.rlim_max ? limit.most : now.rlim_max;
    const rlimit both{most, most};
    if (setrlimit(limit.resource, &both) != 0) leave("a limit could not be set");
  }
  // A user's Ctrl-C is for this program, which finishes what it is at; here it would look like the program's failure.
  setpgid(0, 0);
  if (chdir("/") != 0) leave("the root folder could not be entered");
  // After the change of the user, which clears it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kNotStarted);
  char* const environment[] = {nullptr};
  execve(words[0], words, environment);
  leave("bubblewrap could not be started");
}

}  // namespace

SandboxProcess::SandboxProcess(const SandboxTools& tools, std::string_view harness, std::string_view input,
                               const SandboxLimits& limits, std::string_view filter) {
  start(bubblewrap_words(tools, harness, limits), limits, input, filter);
  try {
    find_first_process();
  } catch (...) {
    end();
    throw;
  }
  go_pipe_.close();  // what bubblewrap waits for before it starts the program
}

void SandboxProcess::start(std::vector<std::string> words, const SandboxLimits& limits, std::string_view input,
                           std::string_view filter) {
  const Descriptor input_file = make_memory_file(input);
  const Descriptor filter_file = make_memory_file(filter);
  Pipe output = make_pipe();
  Pipe result = make_pipe();
  Pipe information = make_pipe();
  Pipe go = make_pipe();
  for (const Pipe* pipe : {&output, &result, &information}) set_nonblocking(pipe->read_end);
  const Sources sources = {input_file.number(),       output.write_end.number(), output.write_end.number(),
                           result.write_end.number(), filter_file.number(),      information.write_end.number(),
                           go.read_end.number()};
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const Limits most = limits_of(limits);
  const pid_t parent = getpid();
  bubblewrap_ = fork();
  if (bubblewrap_ == 0) become(pointers.data(), sources, most, parent);
  if (bubblewrap_ < 0) fail(std::strerror(errno));
  output_pipe_ = std::move(output.read_end);
  result_pipe_ = std::move(result.read_end);
  information_pipe_ = std::move(information.read_end);
  go_pipe_ = std::move(go.write_end);
}

void SandboxProcess::find_first_process() {
  std::string text;
  bool more = true;
  for (int64_t waited = 0; more && text.find('}') == std::string::npos; waited += kSlice) {
    if (waited >= kSetupMilliseconds) fail("took too long");
    pollfd entry{information_pipe_.number(), POLLIN, 0};
    poll(&entry, 1, kSlice);
    more = read_some(information_pipe_, text);
  }
  const nlohmann::json information = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!information.is_object() || !information.contains("child-pid")) {
    read_some(output_pipe_, output_);
    fail(output_.empty() ? "said nothing" : "said: " + output_.substr(0, output_.find('\n')));
  }
  // It waits for `go`, so the number is still its own.
  const auto first = information.at("child-pid").get<pid_t>();
  first_process_ = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, first, 0)));
  if (!first_process_.open()) fail(std::string("made a process that could not be opened: ") + std::strerror(errno));
}

bool SandboxProcess::wait(int milliseconds) {
  std::array<pollfd, 3> entries = {
      {{output_pipe_.number(), POLLIN, 0}, {result_pipe_.number(), POLLIN, 0}, {first_process_.number(), POLLIN, 0}}};
  poll(entries.data(), entries.size(), milliseconds);
  const bool over = entries[2].revents != 0;
  if (output_pipe_.open() && !read_some(output_pipe_, output_)) output_pipe_.close();
  if (result_pipe_.open() && !read_some(result_pipe_, result_)) result_pipe_.close();
  return !over;
}

int SandboxProcess::end() {
  if (bubblewrap_ < 0) return exit_code_;
  if (first_process_.open()) {
    syscall(SYS_pidfd_send_signal, first_process_.number(), SIGKILL, nullptr, 0);
    // The first process of a namespace is over only when all others in it are.
    pollfd entry{first_process_.number(), POLLIN, 0};
    while (poll(&entry, 1, -1) < 0 && errno == EINTR) {
    }
  } else {
    kill(bubblewrap_, SIGKILL);
  }
  int status = 0;
  while (waitpid(bubblewrap_, &status, 0) < 0 && errno == EINTR) {
  }
  bubblewrap_ = -1;
  exit_code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return exit_code_;
}

void SandboxProcess::fail(const std::string& what) {
  throw DataError("sandbox: bubblewrap must make a sandbox for the programs that a model writes, but " + what +
                  ". They are never run outside one. Allow user namespaces (sysctl user.max_user_namespaces, "
                  "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns; in a container: "
                  "--security-opt seccomp=unconfined --security-opt apparmor=unconfined), or run on another machine.");
}

}  // namespace bitnet
