#include "tests/framework/evaluate/slow/escape_attempts.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <filesystem>
#include <utility>

namespace bitnet::testing {
namespace {

using Attempts = std::vector<EscapeAttempt>;

const std::vector<Verdict> kFails = {Verdict::kFailed};
const std::vector<Verdict> kPasses = {Verdict::kPassed};
const std::vector<Verdict> kTimesOut = {Verdict::kTimedOut};
const std::vector<Verdict> kFloods = {Verdict::kOutputLimit};
const std::vector<Verdict> kNoMemory = {Verdict::kOutOfMemory};
const std::vector<Verdict> kDies = {Verdict::kKilled};

void add_files(const Host& host, Attempts& out) {
  const auto write = [&](const std::string& name, const std::string& path, const std::string& reason) {
    out.push_back({"write " + name, fmt::format("open('{}', 'w').write('x')", path), kFails, reason});
  };
  const auto read = [&](const std::string& name, const std::string& path) {
    out.push_back({"read " + name, fmt::format("print(open('{}').read())", path), kFails, "FileNotFoundError"});
  };
  write("a file of the user", host.secret_file, "FileNotFoundError");
  write("into the user's folder", host.folder + "/new", "FileNotFoundError");
  write("into the root folder", "/escaped", "Read-only file system");
  write("into /usr/lib", "/usr/lib/escaped", "Read-only file system");
  write("over the interpreter", "/usr/bin/python3", "OSError");
  write("into /dev", "/dev/escaped", "Read-only file system");
  write("into /dev/shm", "/dev/shm/escaped", "FileNotFoundError");
  write("into the folder of temporary files", (std::filesystem::temp_directory_path() / "escaped").string(),
        "FileNotFoundError");
  write("to /proc/sys", "/proc/sys/kernel/core_pattern", "FileNotFoundError");
  write("to /sys", "/sys/kernel/uevent_helper", "FileNotFoundError");
  read("a secret file of the user", host.secret_file);
  read("/etc/passwd", "/etc/passwd");
  read("/etc/shadow", "/etc/shadow");
  read("/proc/1/environ", "/proc/1/environ");
  read("/dev/mem", "/dev/mem");
  read("a disk", "/dev/sda");
  out.push_back({"read the environment",
                 fmt::format("import os\nassert any('{}' in value for value in os.environ.values())", host.secret),
                 kFails, "AssertionError"});
  out.push_back(
      {"read inherited descriptors",
       fmt::format("import os\ntext = b''\nfor number in range(3, 256):\n  try:\n    text += os.pread(number, "
                   "4096, 0)\n  except OSError:\n    pass\nassert '{}'.encode() in text",
                   host.secret),
       kFails, "AssertionError"});
  out.push_back({"symlink to a secret file",
                 fmt::format("import os\nos.symlink('{}', 'link')\nprint(open('link').read())", host.secret_file),
                 kFails, "FileNotFoundError"});
  out.push_back({"write through a symlink",
                 fmt::format("import os\nos.symlink('{}', 'link')\nopen('link/new', 'w')", host.folder), kFails,
                 "FileNotFoundError"});
  out.push_back({"climb out by ..", "print(open('../../../../etc/passwd').read())", kFails, "FileNotFoundError"});
  out.push_back(
      {"hard link to the interpreter", "import os\nos.link('/usr/bin/python3', 'python')", kFails, "OSError"});
  out.push_back({"make a device", "import os, stat\nos.mknod('disk', 0o600 | stat.S_IFBLK, os.makedev(8, 0))", kFails,
                 "PermissionError"});
  out.push_back(
      {"fill the folder", "for i in range(100):\n  open(str(i), 'wb').write(bytes(4 << 20))", kFails, "No space left"});
  out.push_back({"one huge file", "open('huge', 'wb').write(bytes(100 << 20))", kFails, "File too large"});
  out.push_back(
      {"too many open files", "files = [open('x', 'w') for i in range(1000)]", kFails, "Too many open files"});
}

void add_network(const Host& host, Attempts& out) {
  const auto socket = [&](const std::string& name, const std::string& call) {
    out.push_back({name, "import socket\n" + call, kFails, "PermissionError"});
  };
  socket("open a TCP socket", fmt::format("socket.create_connection(('127.0.0.1', {}), timeout=1)", host.port));
  socket("open a UDP socket", "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)");
  socket("open a UNIX socket", "socket.socket(socket.AF_UNIX)");
  socket("open a raw socket", "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)");
  socket("open a pair of sockets", "socket.socketpair()");
  out.push_back({"look up a name", "import socket\nprint(socket.gethostbyname('example.org'))", kFails, "gaierror"});
}

void add_processes(const Host& host, Attempts& out) {
  out.push_back({"fork bomb",
                 "import os, time\ncount = 0\nwhile True:\n  try:\n    if os.fork() == 0:\n      time.sleep(60)\n    "
                 "count += 1\n  except OSError:\n    print('stopped at', count, flush=True)\n    time.sleep(60)",
                 kTimesOut, "stopped at 6", 1});
  out.push_back({"fork bomb of forks", "import os\nwhile True:\n  try:\n    os.fork()\n  except OSError:\n    pass",
                 kTimesOut, "", 1});
  out.push_back({"bomb of threads",
                 "import threading, time\nfor i in range(1000):\n  threading.Thread(target=time.sleep, args=(60,), "
                 "daemon=True).start()",
                 kFails, "can't start new thread"});
  out.push_back({"endless loop", "while True:\n  pass", kTimesOut, "", 1});
  out.push_back({"endless loop that ignores signals",
                 "import signal\nfor number in range(1, 65):\n  try:\n    signal.signal(number, signal.SIG_IGN)\n  "
                 "except (OSError, ValueError):\n    pass\nwhile True:\n  pass",
                 kTimesOut, "", 1});
  out.push_back({"endless sleep", "import time\ntime.sleep(1e6)", kTimesOut, "", 1});
  out.push_back({"kill the parent", "import os\nos.kill(os.getppid(), 9)\nos.kill(1, 9)", kPasses, ""});
  out.push_back(
      {"kill this program", fmt::format("import os\nos.kill({}, 9)", host.process), kFails, "ProcessLookupError"});
  out.push_back({"kill everything", "import os\nos.kill(-1, 9)", {Verdict::kFailed, Verdict::kPassed}, ""});
  out.push_back({"leave a daemon",
                 "import os, time\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    os.close(1)\n    "
                 "os.close(2)\n    os.close(3)\n    time.sleep(60)\n  os._exit(0)\ntime.sleep(0.1)",
                 kPasses, ""});
  out.push_back({"start a shell", "import subprocess\nsubprocess.check_call(['/bin/sh', '-c', 'true'])", kFails,
                 "FileNotFoundError"});
  out.push_back({"become root", "import os\nos.setuid(0)", kFails, "OSError"});
  out.push_back({"change its limits", "import resource\nresource.setrlimit(resource.RLIMIT_NPROC, (1000, 1000))",
                 kFails, "ValueError"});
}

void add_resources(Attempts& out) {
  out.push_back({"allocate 100 GB", "block = bytearray(100 << 30)", kNoMemory, ""});
  out.push_back({"allocate bit by bit", "blocks = []\nwhile True:\n  blocks.append(bytes(64 << 20))", kNoMemory, ""});
  out.push_back({"map 100 GB", "import mmap\nmmap.mmap(-1, 100 << 30)", {Verdict::kFailed, Verdict::kOutOfMemory}, ""});
  out.push_back({"flood the output", "while True:\n  print('x' * 65536)", kFloods, ""});
  out.push_back({"flood the errors", "import os\nwhile True:\n  os.write(2, b'x' * 65536)", kFloods, ""});
  out.push_back({"flood the result", "import os\nwhile True:\n  os.write(3, b'x' * 65536)", kFloods, ""});
  out.push_back({"endless recursion", "def f():\n  f()\nf()", kFails, "RecursionError"});
  out.push_back({"crash the interpreter", "import ctypes\nctypes.string_at(0)", kDies, "signal 11"});
}

void add_system_calls(Attempts& out) {
  // Each call prints its error's number and raises where it failed; what is asked for is a refusal, EPERM, not a crash
  // over the arguments, which mean nothing.
  const auto call = [&](const std::string& name, long number, const std::string& arguments = "0, 0, 0, 0, 0, 0") {
    out.push_back({"system call " + name,
                   fmt::format("import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\nresult = libc.syscall({}, "
                               "{})\nif result == -1:\n  raise OSError(ctypes.get_errno(), 'refused')",
                               number, arguments),
                   kFails, "PermissionError: [Errno 1] refused"});
  };
  call("ptrace", SYS_ptrace);
  call("process_vm_readv", SYS_process_vm_readv, "1, 0, 0, 0, 0, 0");
  call("process_vm_writev", SYS_process_vm_writev, "1, 0, 0, 0, 0, 0");
  call("mount", SYS_mount, "b'none', b'/box', b'tmpfs', 0, 0");
  call("umount2", SYS_umount2, "b'/', 0");
  call("pivot_root", SYS_pivot_root, "b'/box', b'/box'");
  call("chroot", SYS_chroot, "b'/box'");
  call("unshare", SYS_unshare, "0x10000000");
  call("setns", SYS_setns);
  call("clone of a user namespace", SYS_clone, "0x10000011, 0, 0, 0, 0");
  call("bpf", SYS_bpf);
  call("perf_event_open", SYS_perf_event_open);
  call("userfaultfd", SYS_userfaultfd);
  call("keyctl", SYS_keyctl);
  call("add_key", SYS_add_key);
  call("io_uring_setup", SYS_io_uring_setup, "8, 0");
  call("memfd_create", SYS_memfd_create, "b'x', 0");
  call("shmget", SYS_shmget, "0, 1 << 30, 0o1600");
  call("personality", SYS_personality, "0x0040000");
  call("open_by_handle_at", SYS_open_by_handle_at);
  call("finit_module", SYS_finit_module);
  call("kexec_load", SYS_kexec_load);
  call("reboot", SYS_reboot, "0xfee1dead, 672274793, 0x1234567, 0");
  call("typing into the terminal", SYS_ioctl, fmt::format("0, {}, b'x'", TIOCSTI));
#ifdef __x86_64__
  out.push_back({"system call of another instruction set", "import ctypes\nctypes.CDLL(None).syscall(0x40000000 + 39)",
                 kDies, ""});
#endif
}

void add_early_ends(Attempts& out) {
  const auto end = [&](const std::string& name, const std::string& program, const std::string& reason) {
    out.push_back({name, program + "\nraise AssertionError", kFails, reason});
  };
  end("sys.exit(0)", "import sys\nsys.exit(0)", "SystemExit");
  end("os._exit(0)", "import os\nos._exit(0)", "left before its end with exit code 0");
  end("quit by a signal's handler",
      "import os, signal\nsignal.signal(15, lambda *x: os._exit(0))\nos.kill(os.getpid(), 15)",
      "left before its end with exit code 0");
  end("print a success", "import os\nprint('passed', flush=True)\nos._exit(0)", "left before its end");
  end("write a success to the result", "import os\nos.write(3, b'passed')\nos._exit(0)", "left before its end");
  end("replace the interpreter", "import os\nos.execv('/usr/bin/python3', ['python3', '-c', 'pass'])",
      "left before its end");
  out.push_back({"close the result", "import os\nos.close(3)", kFails, "left before its end"});
}

}  // namespace

std::vector<EscapeAttempt> escape_attempts(const Host& host) {
  Attempts attempts;
  add_files(host, attempts);
  add_network(host, attempts);
  add_processes(host, attempts);
  add_resources(attempts);
  add_system_calls(attempts);
  add_early_ends(attempts);
  return attempts;
}

}  // namespace bitnet::testing
