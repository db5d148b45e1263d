#include "framework/evaluate/system_call_filter.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "framework/core/error.h"
#include "framework/evaluate/descriptors.h"

namespace bitnet {
namespace {

// A list of what is denied, not of what is allowed: an interpreter and a C library of another version use other
// harmless calls, and a solution that fails because of the sandbox would be counted as the model's mistake. The list
// holds what reaches beyond the process or offers the kernel's least tried parts. Namespaces, limits and missing
// capabilities stand behind it. Calls that this libseccomp does not know are skipped: it can not name them.
constexpr std::array kDenied = {
    // Other processes' memory, descriptors and execution.
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
    // What is mounted where, and other roots.
    "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount",
    "fspick", "mount_setattr", "name_to_handle_at", "open_by_handle_at",
    // Namespaces (`clone` below).
    "unshare", "setns",
    // The network, and sockets of any other kind.
    "socket", "socketcall", "socketpair", "connect", "bind", "listen", "accept", "accept4",
    // Parts of the kernel that have been ways out before, and that no solution needs.
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl",
    "add_key", "request_key", "fanotify_init", "fanotify_mark", "lookup_dcookie", "quotactl", "quotactl_fd",
    "modify_ldt", "personality", "seccomp", "move_pages", "migrate_pages", "mbind", "set_mempolicy", "vmsplice",
    // Memory that is counted to no process.
    "memfd_create", "memfd_secret", "shmget", "shmat", "shmctl", "semget", "semctl", "semop", "semtimedop", "msgget",
    "msgctl", "msgsnd", "msgrcv", "mq_open", "mq_unlink", "ipc",
    // The machine as a whole. Without capabilities they would fail anyway.
    "init_module", "finit_module", "delete_module", "create_module", "kexec_load", "kexec_file_load", "reboot",
    "swapon", "swapoff", "acct", "nfsservctl", "ioperm", "iopl", "settimeofday", "stime", "clock_settime",
    "clock_settime64", "adjtimex", "clock_adjtime", "clock_adjtime64", "sethostname", "setdomainname", "syslog",
    "vhangup", "mknod", "mknodat"};

constexpr uint32_t kRefuse = SCMP_ACT_ERRNO(EPERM);

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ALLOW)) {
    if (context_ == nullptr) fail("seccomp_init", ENOMEM);
  }
  ~Filter() { seccomp_release(context_); }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  void deny(const char* call) {
    const int number = seccomp_syscall_resolve_name(call);
    if (number == __NR_SCMP_ERROR) return;  // newer than this libseccomp
    check(call, seccomp_rule_add(context_, kRefuse, number, 0));
  }

  /// `clone` with any of the flags that make a namespace. Its flags are behind a pointer in `clone3`, which a filter
  /// can not follow: it must not exist, then the C library takes `clone`.
  void deny_namespaces() {
    for (const unsigned flag :
         {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET}) {
      check("clone", seccomp_rule_add(context_, kRefuse, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag)));
    }
    check("clone3", seccomp_rule_add(context_, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0));
  }

  /// Input put into a terminal, as if it had been typed.
  void deny_terminal_input() {
    for (const unsigned request : {TIOCSTI, TIOCLINUX}) {
      check("ioctl",
            seccomp_rule_add(context_, kRefuse, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, 0xFFFFFFFFU, request)));
    }
  }

  std::string bytes() const {
    const Descriptor file = make_memory_file();
    check("seccomp_export_bpf", seccomp_export_bpf(context_, file.number()));
    return content_of(file);
  }

 private:
  [[noreturn]] static void fail(const std::string& what, int error) {
    throw DataError("sandbox: the filter of system calls must be made, but " + what + " failed (" +
                    std::strerror(error) + "). Install libseccomp 2.5 or later.");
  }
  static void check(const std::string& what, int result) {
    if (result < 0) fail(what, -result);
  }

  scmp_filter_ctx context_;
};

}  // namespace

std::string system_call_filter() {
  Filter filter;
  for (const char* const call : kDenied) filter.deny(call);
  filter.deny_namespaces();
  filter.deny_terminal_input();
  return filter.bytes();
}

}  // namespace bitnet
