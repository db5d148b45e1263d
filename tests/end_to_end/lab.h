#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/end_to_end/process.h"
#include "tests/framework/core/temporary_folder.h"

namespace bitnet::end_to_end {

/// A temporary folder with a cache of its own, in which the real program runs.
class Lab {
 public:
  const std::filesystem::path& folder() const { return folder_.path(); }
  std::filesystem::path path(std::string_view name) const { return folder() / name; }
  /// One thread, this lab's cache, no data mirror, nothing forced; starts in the project's folder, as a user would.
  ProcessOptions options() const;
  /// Runs `bitnet WORDS...` to its end.
  ProcessResult bitnet(const std::vector<std::string>& words) const { return bitnet(words, options()); }
  ProcessResult bitnet(const std::vector<std::string>& words, const ProcessOptions& options) const;

  /// The words of `bitnet run` for the quickstart with tiny settings, into the run folders `out` of this lab.
  std::vector<std::string> run_words(std::string_view out, const std::vector<std::string>& settings = {}) const;
  /// The only run folder below `out` of this lab. Errors: std::runtime_error where there is none, or more.
  std::filesystem::path run_folder(std::string_view out) const;

 private:
  testing::TemporaryFolder folder_;
};

/// The program and its words.
std::vector<std::string> bitnet_command(const std::vector<std::string>& words);

/// A second or two of training: 45 steps for each twin, a record and, every third step, a checkpoint.
std::vector<std::string> tiny_settings();

/// Everything that may not depend on whether a run was interrupted, by path in the run folder: weights, training logs,
/// per-item records, and evaluations and results without their times.
std::map<std::string, std::string> lasting_content(const std::filesystem::path& run_folder);

/// The paths whose content differs, or that one side lacks.
std::vector<std::string> differences(const std::map<std::string, std::string>& a,
                                     const std::map<std::string, std::string>& b);

/// How many training steps the logs of a run folder record; 0 where there is none yet.
int steps_logged(const std::filesystem::path& run_folder);

/// Changes the bit in the middle of a file.
void flip_bit(const std::filesystem::path& file);

/// How often `part` stands in `text`.
int occurrences(std::string_view text, std::string_view part);

/// Fails the test unless the program ended with `exit_code`, one line of standard error that begins with "error: ", the
/// message holding `part`, and nothing on standard output.
void expect_one_error(const ProcessResult& result, int exit_code, std::string_view part);

/// Whether a file of this name lies anywhere below `folder`.
bool has_file(const std::filesystem::path& folder, std::string_view name);

}  // namespace bitnet::end_to_end
