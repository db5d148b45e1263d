#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bitnet {

/// A question with two or more choices, one of which is right.
struct ChoiceQuestion {
  std::string id;  ///< unique among the questions
  std::string question;
  std::vector<std::string> choices;  ///< none is empty
  size_t gold = 0;                   ///< index of the right one
};

/// Where a line of a JSONL file holds what: paths of names with dots ("question.stem").
struct ChoiceKeys {
  std::string question;  ///< to a text
  std::string choices;   ///< to a list of objects with `text` and `label`
  std::string gold;      ///< to the label of the right choice
};

/// Reads questions, one JSON object a line. The id is the line's `id`, or "line-<number>" where it has none. Every line
/// counts: none is left out. `where` names the file in errors.
/// Errors: DataError with file and line for what is not such an object in UTF-8 (missing, empty or of a wrong type,
/// fewer than two choices, a label that is there twice, a right label that no choice has, an id that is there twice),
/// and for a file without questions. Source of the format: AI2 Reasoning Challenge (Clark et al. 2018), its JSONL
/// files.
std::vector<ChoiceQuestion> read_choice_questions(std::string_view jsonl, const ChoiceKeys& keys,
                                                  const std::string& where);

/// The same questions as text that identifies them: for the digest of questions that are in no file.
std::string choice_questions_text(const std::vector<ChoiceQuestion>& questions);

}  // namespace bitnet
