#include "framework/experiment/environment_difference.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace bitnet {
namespace {

using Json = nlohmann::json;

constexpr const char* kKernel = "ternary kernel";
constexpr const char* kProcessor = "processor";
constexpr const char* kThreads = "threads";

std::string fact(const Json& environment, const char* pointer) {
  const Json::json_pointer at(pointer);
  if (!environment.contains(at)) return "unknown";
  const Json& value = environment.at(at);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

std::vector<EnvironmentDifference> environment_differences(std::string_view before, std::string_view now) {
  // Texts that are no JSON have no facts: those of a made-up run.
  const Json first = Json::parse(before, nullptr, /*allow_exceptions=*/false);
  const Json second = Json::parse(now, nullptr, /*allow_exceptions=*/false);
  constexpr std::pair<const char*, const char*> kFacts[] = {
      {"commit", "/commit"},        {"uncommitted changes", "/dirty"},
      {"compiler", "/compiler"},    {"compiler flags", "/flags"},
      {"LibTorch", "/libtorch"},    {"BLAS", "/blas/library"},
      {"BLAS core", "/blas/core"},  {"BLAS threads", "/blas/threading"},
      {kKernel, "/ternary_kernel"}, {kProcessor, "/cpu"},
      {kThreads, "/threads"},
  };
  std::vector<EnvironmentDifference> differences;
  for (const auto& [key, pointer] : kFacts) {
    std::string was = fact(first, pointer);
    std::string is = fact(second, pointer);
    if (was != is) differences.push_back({key, std::move(was), std::move(is)});
  }
  return differences;
}

bool is_of_machine(const EnvironmentDifference& difference) {
  return difference.key == kKernel || difference.key == kProcessor || difference.key == kThreads;
}

}  // namespace bitnet
