// A driver without libFuzzer: runs a fuzz target over a folder of seeds, and over copies of each that are cut, have
// bytes changed, or have parts repeated or removed. The copies are the same in every run.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "framework/core/file.h"
#include "framework/core/random.h"
#include "tests/fuzz/fuzz.h"

namespace {

/// Bytes that a target reads in all copies of one seed; keeps a test at a fraction of a second.
constexpr size_t kBytesOfCopies = size_t{1} << 21;
constexpr size_t kMostCopies = 2000;

void run(const std::string& input) {
  // On the heap and of exactly this size: a sanitizer sees one byte too far.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

std::string damaged(std::string input, bitnet::Random& random) {
  const auto position = [&] { return static_cast<size_t>(random.below(input.size() + 1)); };
  switch (random.below(4)) {
    case 0:
      input.resize(position());
      break;
    case 1:
      for (uint64_t left = 1 + random.below(4); left > 0 && !input.empty(); --left) {
        input[position() % input.size()] = static_cast<char>(random.below(256));
      }
      break;
    case 2: {
      const size_t first = position();
      input.insert(position(), input.substr(first, static_cast<size_t>(random.below(64))));
      break;
    }
    default:
      input.erase(position(), static_cast<size_t>(random.below(16)));
      break;
  }
  return input;
}

int replay(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> seeds;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) seeds.push_back(entry.path());
  std::sort(seeds.begin(), seeds.end());
  size_t inputs = 0;
  for (const std::filesystem::path& seed : seeds) {
    const std::string input = bitnet::read_file(seed);
    std::printf("%s\n", seed.c_str());  // stands there when the input ends the program
    std::fflush(stdout);
    bitnet::Random random = bitnet::random_stream(/*seed=*/1, /*purpose=*/0);
    const size_t copies = std::min(kMostCopies, kBytesOfCopies / (input.size() + 1));
    run(input);
    for (size_t i = 0; i < copies; ++i) run(damaged(input, random));
    inputs += 1 + copies;
  }
  std::printf("%zu inputs of %zu seeds\n", inputs, seeds.size());
  return seeds.empty() ? 1 : 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    if (count == 2) return replay(words[1]);
    std::fprintf(stderr, "Usage: %s FOLDER_OF_SEEDS\n", words[0]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  return 1;
}
