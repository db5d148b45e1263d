#include "tests/end_to_end/lab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "framework/core/file.h"

namespace bitnet::end_to_end {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Removes what tells only when and how fast the numbers were measured, and the digest of an evaluation file, which
/// covers its seconds.
void remove_times(json* value) {
  if (value->is_object()) {
    for (const char* name : {"seconds", "train_seconds", "evaluate_seconds", "environment_json", "sha256"})
      value->erase(name);
  }
  if (value->is_structured()) {
    for (json& item : *value) remove_times(&item);
  }
}

std::string without_times(const fs::path& file) {
  json value = json::parse(read_file(file));
  remove_times(&value);
  return value.dump(1);
}

}  // namespace

ProcessOptions Lab::options() const {
  ProcessOptions options;
  options.folder = BITNET_SOURCE_DIR;
  options.environment = {{"BITNET_CACHE", path("cache").string()},
                         {"BITNET_DATA_MIRROR", std::nullopt},
                         {"BITNET_ISA", std::nullopt},
                         {"OMP_NUM_THREADS", "1"},
                         {"OPENBLAS_CORETYPE", std::nullopt},
                         {"OPENBLAS_L2_SIZE", std::nullopt}};
  return options;
}

ProcessResult Lab::bitnet(const std::vector<std::string>& words, const ProcessOptions& options) const {
  return run_process(bitnet_command(words), options);
}

std::vector<std::string> Lab::run_words(std::string_view out, const std::vector<std::string>& settings) const {
  std::vector<std::string> words = {"run", "experiments/quickstart/experiment.yaml", "--out", path(out).string()};
  for (const std::vector<std::string>& group : {tiny_settings(), settings}) {
    for (const std::string& setting : group) {
      words.push_back("--set");
      words.push_back(setting);
    }
  }
  return words;
}

fs::path Lab::run_folder(std::string_view out) const {
  std::vector<fs::path> folders;
  for (const fs::directory_entry& experiment : fs::directory_iterator(path(out))) {
    for (const fs::directory_entry& run : fs::directory_iterator(experiment)) folders.push_back(run);
  }
  if (folders.size() != 1) {
    throw std::runtime_error(path(out).string() + " holds " + std::to_string(folders.size()) + " run folders");
  }
  return folders.front();
}

std::vector<std::string> bitnet_command(const std::vector<std::string>& words) {
  std::vector<std::string> command = {BITNET_PROGRAM};
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

std::vector<std::string> tiny_settings() {
  // 8,000 bytes are 15 batches of 8 windows of 64 tokens.
  return {"dataset.train_bytes=8000", "dataset.validation_bytes=2000", "dataset.test_bytes=2000", "model.width=32",
          "model.ffn_width=64", "model.layers=2", "model.context=64", "trainer.threads=1", "trainer.log_every_steps=1",
          "trainer.epochs=3", "trainer.checkpoint_every_steps=3",
          // Without speeds, which no two runs have in common.
          "compose.evaluators=[perplexity-windows-stored, perplexity-word-stored, tinyworld-facts]"};
}

std::map<std::string, std::string> lasting_content(const fs::path& run_folder) {
  std::map<std::string, std::string> contents;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(run_folder)) {
    const std::string name = entry.path().filename().string();
    const std::string path = entry.path().lexically_relative(run_folder).string();
    if (name == "model.safetensors" || name == "metrics.jsonl" || name.starts_with("samples_") ||
        name == "config.resolved.yaml") {
      contents[path] = read_file(entry);
    } else if (name == "results.json" || name.starts_with("evaluation_")) {
      contents[path] = without_times(entry);
    }
  }
  return contents;
}

std::vector<std::string> differences(const std::map<std::string, std::string>& a,
                                     const std::map<std::string, std::string>& b) {
  std::vector<std::string> paths;
  for (const auto& [path, content] : a) {
    const auto other = b.find(path);
    if (other == b.end() || other->second != content) paths.push_back(path);
  }
  for (const auto& [path, content] : b) {
    if (a.count(path) == 0) paths.push_back(path);
  }
  return paths;
}

int steps_logged(const fs::path& run_folder) {
  int steps = 0;
  for (const char* variant : {"bitnet", "traditional"}) {
    const fs::path log = run_folder / variant / "seed-1" / "metrics.jsonl";
    if (fs::exists(log)) steps += occurrences(read_file(log), "\"kind\":\"point\"");
  }
  return steps;
}

void flip_bit(const fs::path& file) {
  std::string bytes = read_file(file);
  char& middle = bytes.at(bytes.size() / 2);
  middle = static_cast<char>(middle ^ 0x10);
  write_file_atomic(file, bytes);
}

int occurrences(std::string_view text, std::string_view part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

void expect_one_error(const ProcessResult& result, int exit_code, std::string_view part) {
  EXPECT_EQ(result.exit_code, exit_code) << "signal " << result.signal << ", standard error:\n" << result.err;
  EXPECT_EQ(occurrences("\n" + result.err, "\nerror: "), 1) << result.err;
  EXPECT_THAT(result.err.substr(std::min(result.err.find("error: "), result.err.size())),
              ::testing::HasSubstr(std::string(part)));
  EXPECT_EQ(result.out, "");
}

bool has_file(const fs::path& folder, std::string_view name) {
  if (!fs::is_directory(folder)) return false;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().filename() == name) return true;
  }
  return false;
}

}  // namespace bitnet::end_to_end
