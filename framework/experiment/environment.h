#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitnet {

/// What a run's numbers depend on beside its configuration: commit, compiler and flags, LibTorch, BLAS and its core,
/// ternary kernel, CPU, threads, the variables of the environment that change speed; as JSON text. `seeds` and times
/// are added by the caller's run.
struct Environment {
  std::string json;
  std::vector<std::string> warnings;  ///< for example a BLAS core that the environment forces
};

/// Reads the environment of this process. `start_time` and `end_time` are UTC, ISO 8601; `end_time` may be empty.
Environment read_environment(const std::vector<int64_t>& seeds, const std::string& start_time,
                             const std::string& end_time);

/// The environment of a run that `current` goes on with: started when `earlier` was, and, where build or machine
/// changed in between, with the environments before it in the list "earlier". `earlier` may be empty; `where` names its
/// file. Errors: DataError where `earlier` is damaged.
std::string continue_environment(const std::string& earlier, const std::string& current, const std::string& where);

/// Sets the threads of LibTorch; 0 is OMP_NUM_THREADS, else the cores that this process may use. Returns their number.
int64_t use_threads(int64_t threads);

/// The program's version, commit and LibTorch, for example "bitnet 0.1.0 (commit 0123abc, LibTorch 1.13.1)".
std::string program_version();

/// The time now, UTC, for example "2026-01-31T12:00:00Z".
std::string utc_now();

}  // namespace bitnet
