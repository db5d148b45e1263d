#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bitnet {

/// One programming problem: `prompt` and a completion make a definition of `entry_point`, `test` defines
/// `check(candidate)`, which raises where the candidate is wrong.
struct CodeProblem {
  std::string id;      ///< unique among the problems, for example "HumanEval/0"
  std::string prompt;  ///< verbatim
  std::string entry_point;
  std::string solution;  ///< a completion that passes
  std::string test;
};

/// A completion that was written for a problem.
struct CodeSample {
  std::string id;  ///< the problem's
  std::string completion;
};

/// Reads problems, one JSON object a line with the keys task_id, prompt, entry_point, canonical_solution and test;
/// blank lines are skipped, other keys too. `where` names the file in errors. Errors: DataError with file and line for
/// what is not such an object in UTF-8 (a key that is missing, there twice or not a text, an entry point that is no
/// name in Python, an id that is there twice), and for a file without problems. Source of the format: HumanEval (Chen
/// et al. 2021).
std::vector<CodeProblem> read_code_problems(std::string_view jsonl, const std::string& where);

/// Reads samples, one JSON object a line with the keys task_id and completion; otherwise as above.
std::vector<CodeSample> read_code_samples(std::string_view jsonl, const std::string& where);

/// The lines of samples and problems, in the form that the functions above and HumanEval's own tool read.
std::string code_samples_text(const std::vector<CodeSample>& samples);
std::string code_problems_text(const std::vector<CodeProblem>& problems);

/// The text of a JSONL file's bytes, unpacked where they are gzip'd. Errors: DataError where they are damaged or hold
/// more than `most_bytes`.
std::string jsonl_text(const std::string& bytes, const std::string& where, int64_t most_bytes);

/// A JSONL file, unpacked where it is gzip'd. Errors: DataError where it is missing, damaged or too large for one.
std::string read_jsonl_file(const std::filesystem::path& path);

}  // namespace bitnet
