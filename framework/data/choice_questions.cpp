#include "framework/data/choice_questions.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/strict_json.h"
#include "framework/core/utf8.h"

namespace bitnet {
namespace {

using nlohmann::json;

/// One line of a file, for error texts.
class Line {
 public:
  Line(std::string_view text, std::string where) : text_(text), where_(std::move(where)) {}

  [[noreturn]] void fail(const std::string& thing, const std::string& expected, const std::string& found) const {
    throw DataError(where_ + ": " + thing + " must be " + expected + ", but is " + found +
                    ". Correct the line, or name the keys that the file uses.");
  }

  json parse() const {
    for (size_t at = 0; at < text_.size();) {
      const size_t length = utf8_character_length(text_, at);
      if (length == 0) fail("the line", "UTF-8", "not at its byte " + std::to_string(at));
      at += length;
    }
    json parsed = parse_strict_json(text_, where_, "the line");
    if (!parsed.is_object()) fail("the line", "a JSON object", kind_of(parsed));
    return parsed;
  }

  /// The value at a path of names with dots.
  const json& find(const json& object, std::string_view path) const {
    const json* value = &object;
    for (size_t begin = 0; begin <= path.size();) {
      const size_t end = std::min(path.find('.', begin), path.size());
      const std::string name(path.substr(begin, end - begin));
      const auto found = value->is_object() ? value->find(name) : value->end();
      if (!value->is_object() || found == value->end()) fail("\"" + std::string(path) + "\"", "there", "missing");
      value = &*found;
      begin = end + 1;
    }
    return *value;
  }

  /// A text that is not empty.
  std::string text(const json& value, const std::string& thing) const {
    if (!value.is_string()) fail(thing, "a text", kind_of(value));
    auto text = value.get<std::string>();
    if (text.empty()) fail(thing, "a text with at least one character", "empty");
    return text;
  }

 private:
  static std::string kind_of(const json& value) {
    return (std::string("a") + (value.is_array() || value.is_object() ? "n " : " ")) + value.type_name();
  }

  std::string_view text_;
  std::string where_;
};

ChoiceQuestion read_question(const Line& line, const ChoiceKeys& keys, const std::string& default_id) {
  const json object = line.parse();
  ChoiceQuestion question;
  question.id = object.contains("id") ? line.text(object.at("id"), "\"id\"") : default_id;
  question.question = line.text(line.find(object, keys.question), "\"" + keys.question + "\"");
  const std::string list = "\"" + keys.choices + "\"";
  const json& choices = line.find(object, keys.choices);
  if (!choices.is_array()) line.fail(list, "a list", "no list");
  if (choices.size() < 2) {
    line.fail(list, "a list of at least two choices", "one of " + std::to_string(choices.size()));
  }
  std::vector<std::string> labels;
  for (size_t i = 0; i < choices.size(); ++i) {
    const std::string at = "\"" + keys.choices + "[" + std::to_string(i) + "]";
    if (!choices[i].is_object()) line.fail(at + "\"", "an object with \"text\" and \"label\"", "no object");
    question.choices.push_back(line.text(line.find(choices[i], "text"), at + ".text\""));
    labels.push_back(line.text(line.find(choices[i], "label"), at + ".label\""));
    const auto twice = std::find(labels.begin(), labels.end() - 1, labels.back());
    if (twice != labels.end() - 1) line.fail(at + ".label\"", "unlike the others", "'" + labels.back() + "' again");
  }
  const std::string gold = line.text(line.find(object, keys.gold), "\"" + keys.gold + "\"");
  const auto right = std::find(labels.begin(), labels.end(), gold);
  if (right == labels.end()) line.fail("\"" + keys.gold + "\"", "the label of one of the choices", "'" + gold + "'");
  question.gold = static_cast<size_t>(right - labels.begin());
  return question;
}

}  // namespace

std::vector<ChoiceQuestion> read_choice_questions(std::string_view jsonl, const ChoiceKeys& keys,
                                                  const std::string& where) {
  std::vector<ChoiceQuestion> questions;
  std::set<std::string> ids;
  size_t number = 0;
  for (size_t begin = 0; begin < jsonl.size();) {
    const size_t end = std::min(jsonl.find('\n', begin), jsonl.size());
    const std::string name = std::to_string(++number);
    const Line line(jsonl.substr(begin, end - begin), where + ":" + name);
    questions.push_back(read_question(line, keys, "line-" + name));
    if (!ids.insert(questions.back().id).second) {
      line.fail("\"id\"", "unlike the others", "'" + questions.back().id + "' again");
    }
    begin = end + 1;
  }
  if (questions.empty()) {
    throw DataError(where + ": the file must hold at least one question, but is empty. Put questions there.");
  }
  return questions;
}

std::string choice_questions_text(const std::vector<ChoiceQuestion>& questions) {
  std::string text;
  for (const ChoiceQuestion& question : questions) {
    text += json{{"id", question.id},
                 {"question", question.question},
                 {"choices", question.choices},
                 {"gold", question.gold}}
                .dump() +
            "\n";
  }
  return text;
}

}  // namespace bitnet
