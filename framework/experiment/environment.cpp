#include "framework/experiment/environment.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <omp.h>
#include <sys/utsname.h>
#include <torch/csrc/api/include/torch/version.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "build_info.h"
#include "framework/core/error.h"
#include "ops/torch/bitnet_ops.h"

namespace bitnet {
namespace {

using Json = nlohmann::ordered_json;

/// The value of a `key : value` line of a file in /proc, or "unknown".
std::string proc_value(const char* path, const std::string& key) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos || line.compare(0, key.size(), key) != 0) continue;
    const size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "unknown" : line.substr(begin);
  }
  return "unknown";
}

/// Calls a parameterless function of OpenBLAS that gives a text, when that library is loaded.
std::string openblas_text(const char* function) {
  using TextFunction = char* (*)();
  const auto call = reinterpret_cast<TextFunction>(dlsym(RTLD_DEFAULT, function));
  return call == nullptr ? "unknown" : call();
}

/// The kind of threads OpenBLAS was built for; the pthread build halves the speed of a training step.
std::string openblas_threading() {
  const auto call = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_parallel"));
  if (call == nullptr) return "unknown";
  switch (call()) {
    case 0:
      return "sequential";
    case 1:
      return "pthread";
    case 2:
      return "openmp";
    default:
      return "unknown";
  }
}

}  // namespace

int64_t use_threads(int64_t threads) {
  // LibTorch's own number would be half of the cores.
  at::set_num_threads(threads > 0 ? static_cast<int>(threads) : omp_get_max_threads());
  return at::get_num_threads();
}

std::string program_version() {
  return fmt::format("bitnet {} (commit {}{}, LibTorch {})", BITNET_VERSION,
                     std::string_view(BITNET_GIT_COMMIT).substr(0, 12), BITNET_GIT_DIRTY ? " with changes" : "",
                     TORCH_VERSION);
}

std::string utc_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string continue_environment(const std::string& earlier, const std::string& current, const std::string& where) {
  if (earlier.empty()) return current;
  Json now = Json::parse(current);
  try {
    Json before = Json::parse(earlier);
    Json chain = before.value("earlier", Json::array());
    const auto lasting = [](Json environment) {
      for (const char* key : {"start", "end", "earlier"}) environment.erase(key);
      return environment;
    };
    if (lasting(before) == lasting(now)) {
      now["start"] = before.at("start");
    } else {
      before.erase("earlier");
      chain.push_back(std::move(before));
    }
    if (!chain.empty()) now["earlier"] = std::move(chain);
  } catch (const Json::exception& error) {
    throw DataError(where + ": the file must be the environment of a run, but is not (" + error.what() +
                    "). Remove the run folder or give another with --out.");
  }
  return now.dump(2) + "\n";
}

Environment read_environment(const std::vector<int64_t>& seeds, const std::string& start_time,
                             const std::string& end_time) {
  Environment environment;
  utsname system{};
  uname(&system);
  const std::string core = openblas_text("openblas_get_corename");
  const std::string threading = openblas_threading();
  Json forced = Json::object();
  for (const char* name : {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OMP_NUM_THREADS", "GOMP_SPINCOUNT", "BITNET_ISA",
                           "ATEN_CPU_CAPABILITY"}) {
    if (const char* value = std::getenv(name)) forced[name] = value;
  }
  Json json = {
      {"commit", BITNET_GIT_COMMIT},
      {"dirty", BITNET_GIT_DIRTY},
      {"compiler", "GCC-compatible " __VERSION__},
      {"build_type", BITNET_BUILD_TYPE},
      {"flags", BITNET_BUILD_FLAGS},
      {"libtorch", TORCH_VERSION},
      {"blas", {{"library", openblas_text("openblas_get_config")}, {"core", core}, {"threading", threading}}},
      {"ternary_kernel", ops::active_kernel_name()},
      {"cpu", proc_value("/proc/cpuinfo", "model name")},
      {"cores", std::thread::hardware_concurrency()},
      {"threads", at::get_num_threads()},
      {"memory", proc_value("/proc/meminfo", "MemTotal")},
      {"system", std::string(system.sysname) + " " + system.release + " " + system.machine},
      {"environment_variables", forced},
      {"seeds", seeds},
      {"start", start_time},
      {"end", end_time},
  };
  if (forced.contains("OPENBLAS_CORETYPE")) {
    environment.warnings.push_back("OPENBLAS_CORETYPE forces the BLAS core '" + core +
                                   "': float32 products may run at half their speed. Unset OPENBLAS_CORETYPE and "
                                   "OPENBLAS_L2_SIZE to let OpenBLAS choose (scripts/run does).");
  }
  if (threading == "pthread") {
    environment.warnings.push_back(
        "OpenBLAS is the pthread build: a training step takes about twice as long. Install libopenblas0-openmp and "
        "remove libopenblas0-pthread.");
  }
  json["warnings"] = environment.warnings;
  environment.json = json.dump(2) + "\n";
  return environment;
}

}  // namespace bitnet
