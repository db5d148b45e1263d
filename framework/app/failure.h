#pragma once

#include <exception>
#include <string>

#include "framework/core/error.h"

namespace bitnet {

/// How a failure ends the program.
struct Failure {
  ExitCode exit_code;
  std::string message;
};

/// What an exception says and which exit code it gives.
Failure describe_failure(const std::exception_ptr& exception);

}  // namespace bitnet
