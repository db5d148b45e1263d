#pragma once

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "framework/config/resolve.h"
#include "framework/core/error.h"
#include "tests/framework/core/temporary_folder.h"

namespace bitnet::testing {

/// An experiment that composes the blocks of ExperimentFolder and is right.
inline constexpr char kSmallExperiment[] = R"(name: small
compose:
  dataset: tiny
  tokenizer: byte
  model: base
  optimizer: adamw
  trainer: short
  evaluators: [windows, word]
seeds: [1, 2]
baseline: traditional
variants:
  bitnet: {model: {linear: bitnet}, optimizer: {learning_rate: 2.4e-3}}
  traditional: {model: {linear: float}}
)";

/// A folder with a few blocks in `configs/` and an experiment.
class ExperimentFolder {
 public:
  explicit ExperimentFolder(const std::string& experiment = kSmallExperiment) {
    write("configs/dataset/tiny.yaml", "source: tinyworld\ntrain_bytes: 1000\n");
    write("configs/dataset/text.yaml", "source: files\ntrain: a.txt\nvalidation: b.txt\ntest: c.txt\n");
    write("configs/tokenizer/byte.yaml", "kind: byte\n");
    write("configs/tokenizer/pieces.yaml", "kind: sentencepiece\nvocab_size: 512\n");
    write("configs/model/base.yaml", "width: 64\nlayers: 2\nheads: 4\nkv_heads: 2\nffn_width: 96\ncontext: 32\n");
    write("configs/optimizer/adamw.yaml", "learning_rate: 1e-3\n");
    write("configs/optimizer/stages.yaml", "schedule:\n  kind: two_stage\n  stage_two_at: 0.4\n");
    write("configs/trainer/short.yaml", "epochs: 2\n");
    write("configs/evaluator/windows.yaml", "kind: perplexity\nconvention: windows\n");
    write("configs/evaluator/word.yaml", "kind: perplexity\nconvention: word\n");
    write("experiment.yaml", experiment);
  }

  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::filesystem::remove(folder_ / name);  // some file systems flush a file that replaces another in place
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  ResolvedExperiment resolve(const std::vector<std::string>& overrides = {}) const {
    return resolve_experiment(folder_ / "experiment.yaml", overrides);
  }

  /// The lines of the ConfigError, without the folder's path; "no error" where there is none.
  std::vector<std::string> errors(const std::vector<std::string>& overrides = {}) const {
    try {
      resolve(overrides);
    } catch (const ConfigError& error) {
      return lines_without_folder(error.what());
    }
    return {"no error"};
  }

  std::vector<std::string> lines_without_folder(std::string text) const {
    const std::string prefix = folder_.path().string() + "/";
    for (size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) text.erase(at, prefix.size());
    std::vector<std::string> lines(1);
    for (const char c : text) {
      if (c == '\n') {
        lines.emplace_back();
      } else {
        lines.back() += c;
      }
    }
    return lines;
  }

  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

/// `text` with the one occurrence of `old_part` replaced.
inline std::string replaced(std::string text, const std::string& old_part, const std::string& new_part) {
  const size_t at = text.find(old_part);
  if (at == std::string::npos || text.find(old_part, at + 1) != std::string::npos) {
    throw std::logic_error("'" + old_part + "' must occur once");
  }
  return text.replace(at, old_part.size(), new_part);
}

/// The errors of an experiment with the blocks of an ExperimentFolder. Some hundred files: the blocks are written once.
inline std::vector<std::string> errors_of(const std::string& experiment,
                                          const std::vector<std::string>& overrides = {}) {
  static ExperimentFolder* const folder = new ExperimentFolder();
  folder->write("experiment.yaml", experiment);
  return folder->errors(overrides);
}

/// The errors of the small experiment with these lines added at its end (lines 14 and on).
inline std::vector<std::string> errors_with(const std::string& lines, const std::vector<std::string>& overrides = {}) {
  return errors_of(kSmallExperiment + lines, overrides);
}

inline std::vector<std::string> errors_where(const std::string& old_part, const std::string& new_part) {
  return errors_of(replaced(kSmallExperiment, old_part, new_part));
}

}  // namespace bitnet::testing
