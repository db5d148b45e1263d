#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitnet {

/// One fact of build or machine that two runs do not share.
struct EnvironmentDifference {
  std::string key;  ///< for readers: "LibTorch"
  std::string before;
  std::string now;
};

/// What the bits of a run may depend on and two runs do not share: commit and changes, compiler and flags, LibTorch,
/// BLAS, kernel, processor, threads. The arguments are texts of environment.json; a fact that one of them lacks is
/// "unknown".
std::vector<EnvironmentDifference> environment_differences(std::string_view before, std::string_view now);

/// Whether a difference is one of the machine and what it was asked for, not of the program: kernel, processor,
/// threads.
bool is_of_machine(const EnvironmentDifference& difference);

}  // namespace bitnet
