#include "framework/experiment/bench_worker.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "framework/config/enum_names.h"
#include "framework/config/resolve.h"
#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/experiment/bench.h"
#include "framework/experiment/environment.h"
#include "framework/experiment/open_model.h"
#include "framework/infer/artifact.h"
#include "framework/infer/session.h"
#include "framework/infer/speed.h"
#include "framework/interop/checkpoint.h"

namespace bitnet {
namespace {

using Json = nlohmann::ordered_json;

/// While a model is made, large temporary tensors must go back to the system, or they would count as its memory;
/// while it is measured, they must stay, or each costs page faults.
void keep_freed_memory(bool keep) {
  mallopt(M_MMAP_THRESHOLD, keep ? 1 << 30 : 128 << 10);
  mallopt(M_TRIM_THRESHOLD, keep ? 1 << 30 : 128 << 10);
  if (!keep) malloc_trim(0);
}

void check_length(const char* option, int64_t tokens, int64_t context) {
  if (tokens > context) {
    throw ConfigError(
        fmt::format("command line: {} must be 0 to {}, the model's context, but is {}. Take fewer tokens.", option,
                    context, tokens));
  }
}

ServedModel open_artifact(const BenchWorkerOptions& options) {
  if (options.linear != LinearForm::kPacked) {
    throw ConfigError(
        fmt::format("command line: --linear must be packed for {}, which holds packed weights alone, but "
                    "is {}. Name the model.safetensors of the run.",
                    options.model, form_name(options.linear)));
  }
  return read_artifact(options.model).model;
}

bool is_model_file(const std::string& model) {
  return model.ends_with(".safetensors") || model.find('/') != std::string::npos || is_checkpoint(model);
}

/// The model that `options.model` names, by what kind of name it is.
ServedModel open_served(const BenchWorkerOptions& options) {
  const auto check = [&](const ModelConfig& config) {
    check_length("--prompt", options.prompt, config.context);
    check_length("--generate", options.generate, config.context);
  };
  if (is_artifact(options.model)) {
    ServedModel model = open_artifact(options);
    check(model.config);
    return model;
  }
  const bool is_shape = options.model.ends_with(".yaml");
  if (!is_shape && is_model_file(options.model)) {
    const ModelSource source = open_source(options.model);
    check(source.config);
    return serve(source, options.linear, options.head);
  }
  const ModelConfig config =
      is_shape ? read_model_text(read_file(options.model), options.model) : resolve_model(options.model);
  check(config);
  return random_served_model(config, options.vocab_size, options.linear, options.head, options.seed);
}

void write_line(int output, const Json& json) {
  const std::string text = json.dump() + "\n";
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = write(output, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;  // nobody listens: the next read ends this process
    written += static_cast<size_t>(count);
  }
}

/// The next line, or none at the end of the input.
std::optional<std::string> read_line(int input, std::string& pending) {
  while (true) {
    if (const size_t end = pending.find('\n'); end != std::string::npos) {
      std::string line = pending.substr(0, end);
      pending.erase(0, end + 1);
      return line;
    }
    std::array<char, 4096> buffer;
    const ssize_t count = read(input, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    pending.append(buffer.data(), static_cast<size_t>(count));
  }
}

/// The mean seconds of one pass of a test, over as many passes as fill kLeastTurnSeconds.
double turn_seconds(Session& session, std::span<const int32_t> ids, bool generation) {
  double total = 0;
  int64_t passes = 0;
  do {
    total += generation ? generation_seconds(session, ids) : prompt_seconds(session, ids);
    ++passes;
  } while (total < kLeastTurnSeconds);
  return total / static_cast<double>(passes);
}

/// A line of /proc/self/status in bytes. For the peak it is the kernel's VmHWM and not getrusage's ru_maxrss, which
/// begins with what the starting process had.
int64_t status_bytes(const std::string& wanted) {
  std::ifstream status("/proc/self/status");
  std::string key;
  while (status >> key) {
    if (key == wanted + ":") {
      int64_t kibibytes = 0;
      status >> kibibytes;
      return kibibytes * 1024;
    }
    status.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  throw DataError("/proc/self/status: the file must have the line " + wanted +
                  ", but has not. Run on Linux with /proc.");
}

}  // namespace

std::vector<std::string> worker_words(const BenchWorkerOptions& options) {
  return {"bench-worker",
          "--linear",
          std::string(form_name(options.linear)),
          "--head",
          std::string(enum_name(options.head)),
          "--vocab-size",
          std::to_string(options.vocab_size),
          "--prompt",
          std::to_string(options.prompt),
          "--generate",
          std::to_string(options.generate),
          "--threads",
          std::to_string(options.threads),
          "--seed",
          std::to_string(options.seed),
          "--",
          options.model};
}

void run_bench_worker(const BenchWorkerOptions& options, int input, int output) {
  use_threads(options.threads);
  keep_freed_memory(false);
  const int64_t base_rss_bytes = status_bytes("VmRSS");
  const ServedModel model = open_served(options);
  const int64_t longest = std::max(options.prompt, options.generate);
  const std::vector<int32_t> ids = random_ids(longest, model.vocab_size, options.seed);
  Session session(model, longest);
  keep_freed_memory(false);
  keep_freed_memory(true);
  write_line(output, {{"ready", true},
                      {"head", enum_name(model.head.format())},
                      {"base_rss_bytes", base_rss_bytes},
                      {"weight_bytes", model.bytes().total()},
                      {"cache_bytes", session.cache_bytes()},
                      {"bytes_per_token", model.bytes_per_token()},
                      {"products_per_token", model.products_per_token()}});
  std::string pending;
  while (const std::optional<std::string> line = read_line(input, pending)) {
    const Json request = Json::parse(*line);
    const auto tokens = static_cast<size_t>(request.at("tokens").get<int64_t>());
    const std::span<const int32_t> part(ids.data(), std::min(tokens, ids.size()));
    const double seconds = turn_seconds(session, part, request.at("test") != "pp");
    write_line(output, {{"seconds", seconds}, {"peak_rss_bytes", status_bytes("VmHWM")}});
  }
}

void send_worker_failure(int exit_code, const std::string& message, int output) {
  write_line(output, {{"error", message}, {"exit_code", exit_code}});
}

}  // namespace bitnet
