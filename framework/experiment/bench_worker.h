#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/infer/served_model.h"

// The worker's side of `bitnet bench`: one model in one form, measured when asked. Lines of JSON:
//
// - the worker, once it is ready: "ready", "head", "base_rss_bytes", "weight_bytes", "cache_bytes", "bytes_per_token",
//   "products_per_token";
// - a request: "test" ("pp" or "tg"), "tokens";
// - its answer: "seconds" of one pass, "peak_rss_bytes";
// - in place of any of the worker's, as its last line: "error", "exit_code".

namespace bitnet {

/// A turn repeats its test, the cache emptied before each pass, until so many seconds are over: a small model needs a
/// few milliseconds for a pass, in which one interruption by the machine would count for more than the model.
inline constexpr double kLeastTurnSeconds = 0.1;

struct BenchWorkerOptions {
  std::string model;  ///< as in BenchOptions
  LinearForm linear = LinearForm::kPacked;
  HeadFormat head = HeadFormat::kInt8;
  int64_t vocab_size = 0;
  int64_t prompt = 0;
  int64_t generate = 0;
  int64_t threads = 0;
  int64_t seed = 0;
};

/// The words of the command line behind the program's path that start such a worker: "bench-worker" and its options.
std::vector<std::string> worker_words(const BenchWorkerOptions& options);

/// Builds or reads the model and answers requests from `input` on `output` until `input` ends.
/// Errors: ConfigError, DataError for a model that is not there or unusable, or for tests longer than its context.
void run_bench_worker(const BenchWorkerOptions& options, int input, int output);

/// Tells the other side what ended this worker.
void send_worker_failure(int exit_code, const std::string& message, int output);

}  // namespace bitnet
