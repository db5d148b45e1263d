#pragma once

#include <string>
#include <vector>

#include "framework/evaluate/sandbox.h"

namespace bitnet::testing {

/// What a hostile program of the tests tries to reach.
struct Host {
  std::string folder;       ///< of the user, writable for everybody
  std::string secret_file;  ///< in it
  std::string secret;       ///< its content, also an environment variable's value
  int port = 0;             ///< of a server that listens on this machine
  int process = 0;          ///< this program
};

/// A program that tries to get out of the sandbox, or to use more than it may. It raises where the attempt fails, so
/// that "passed" means that it succeeded, but where `expected` says otherwise.
struct EscapeAttempt {
  std::string name;
  std::string program;
  std::vector<Verdict> expected;
  std::string reason;  ///< must be part of the outcome's reason, or of what was printed
  double wall_seconds = 3;
};

std::vector<EscapeAttempt> escape_attempts(const Host& host);

}  // namespace bitnet::testing
