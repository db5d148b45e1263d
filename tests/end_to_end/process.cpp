#include "tests/end_to_end/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace bitnet::end_to_end {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kNotStarted = 127;  // as a shell says it

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + " failed: " + std::strerror(errno)); }

/// A file in memory: unlike a pipe it never fills, so nobody has to read while the program runs.
int memory_file(const char* name) {
  const int descriptor = memfd_create(name, MFD_CLOEXEC);
  if (descriptor < 0) fail("memfd_create");
  return descriptor;
}

std::string content(int descriptor) {
  std::string text;
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t count = pread(descriptor, buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
    if (count < 0) fail("reading a program's output");
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(count));
  }
}

double in_seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

std::vector<std::string> changed_environment(const std::map<std::string, std::optional<std::string>>& changes) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (changes.count(text.substr(0, text.find('='))) == 0) entries.push_back(text);
  }
  for (const auto& [name, value] : changes) {
    if (value) entries.push_back(name + "=" + *value);
  }
  return entries;
}

/// The array of C texts that execve takes. Points into `texts`.
std::vector<char*> null_ended(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// The child's side between fork and exec: system calls alone.
[[noreturn]] void become(char* const* words, char* const* environment, const char* folder, const char* out_file,
                         int64_t max_file_bytes, int out, int err) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test program that dies leaves nothing behind
  setpgid(0, 0);
  if (*folder != '\0' && chdir(folder) != 0) _exit(kNotStarted);
  if (*out_file != '\0') out = open(out_file, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  const int in = open("/dev/null", O_RDONLY);
  if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) _exit(kNotStarted);
  if (max_file_bytes > 0) {
    // An ignored SIGXFSZ stays ignored over exec, so that the write fails instead of ending the program.
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{static_cast<rlim_t>(max_file_bytes), static_cast<rlim_t>(max_file_bytes)};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(kNotStarted);
  }
  execve(words[0], words, environment);
  _exit(kNotStarted);
}

}  // namespace

Process::Process(const std::vector<std::string>& words, const ProcessOptions& options)
    : out_(memory_file("stdout")), err_(memory_file("stderr")) {
  for (const std::string& word : words) command_ += (command_.empty() ? "" : " ") + word;
  std::vector<std::string> arguments = words;
  std::vector<std::string> entries = changed_environment(options.environment);
  const std::vector<char*> argv = null_ended(arguments), environment = null_ended(entries);
  pid_ = fork();
  if (pid_ < 0) fail("fork");
  if (pid_ == 0) {
    become(argv.data(), environment.data(), options.folder.c_str(), options.out_file.c_str(), options.max_file_bytes,
           out_, err_);
  }
}

Process::~Process() {
  if (!status_) {
    kill(pid_, SIGKILL);
    collect(/*flags=*/0);
  }
  kill(-pid_, SIGKILL);  // what it had started
  close(out_);
  close(err_);
}

bool Process::collect(int flags) {
  if (status_) return true;
  int status = 0;
  rusage usage{};
  pid_t found = 0;
  do {
    found = wait4(pid_, &status, flags, &usage);
  } while (found < 0 && errno == EINTR);
  if (found < 0) fail("wait4");
  if (found == 0) return false;
  status_ = status;
  cpu_seconds_ = in_seconds(usage.ru_utime) + in_seconds(usage.ru_stime);
  return true;
}

void Process::send(int signal) {
  if (!status_ && kill(pid_, signal) != 0) fail("kill");
}

bool Process::running() { return !collect(WNOHANG); }

double Process::cpu_seconds() {
  if (!running()) return cpu_seconds_;
  clockid_t clock = 0;
  timespec time{};
  if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &time) != 0) fail("reading the processor time");
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

ProcessResult Process::wait(double timeout_seconds) {
  if (!wait_until([this] { return !running(); }, timeout_seconds)) {
    kill(pid_, SIGKILL);
    collect(/*flags=*/0);
    throw std::runtime_error(command_ + "\ndid not end within " + std::to_string(timeout_seconds) +
                             " seconds. Standard error:\n" + content(err_));
  }
  ProcessResult result;
  if (WIFEXITED(*status_)) result.exit_code = WEXITSTATUS(*status_);
  if (WIFSIGNALED(*status_)) result.signal = WTERMSIG(*status_);
  result.out = content(out_);
  result.err = content(err_);
  result.cpu_seconds = cpu_seconds_;
  if (result.exit_code == kNotStarted) throw std::runtime_error(command_ + "\ncan not be started");
  return result;
}

ProcessResult run_process(const std::vector<std::string>& words, const ProcessOptions& options) {
  return Process(words, options).wait();
}

bool wait_until(const std::function<bool()>& condition, double timeout_seconds) {
  const Clock::time_point end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(timeout_seconds));
  while (!condition()) {
    if (Clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace bitnet::end_to_end
