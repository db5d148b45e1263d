#pragma once

#include <string>

namespace bitnet {

/// The filter of system calls of a sandbox, as the kernel's classic BPF program, which `bwrap --seccomp` takes.
/// Everything is allowed but what is listed in the .cpp, each group with its reason; calls of another instruction set
/// than this program's end the process. Errors: DataError where libseccomp can not make it.
std::string system_call_filter();

}  // namespace bitnet
