#include "framework/data/code_problems.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/strict_json.h"
#include "framework/core/utf8.h"
#include "framework/data/gzip.h"

namespace bitnet {
namespace {

using nlohmann::json;

constexpr int64_t kMostJsonlBytes = int64_t{1} << 30;  // 700 times HumanEval with 200 samples a problem fits

/// One line of a file, for error texts.
class Line {
 public:
  Line(std::string_view text, std::string where) : where_(std::move(where)) {
    for (size_t at = 0; at < text.size();) {
      const size_t length = utf8_character_length(text, at);
      if (length == 0) fail("the line", "UTF-8", "not at its byte " + std::to_string(at));
      at += length;
    }
    object_ = parse_strict_json(text, where_, "the line");
    if (!object_.is_object()) fail("the line", "a JSON object", std::string("a JSON ") + object_.type_name());
  }

  [[noreturn]] void fail(const std::string& thing, const std::string& expected, const std::string& found) const {
    throw DataError(where_ + ": " + thing + " must be " + expected + ", but is " + found +
                    ". Correct the line, or fetch the file again.");
  }

  std::string text(const std::string& key) const {
    const auto found = object_.find(key);
    if (found == object_.end()) fail("\"" + key + "\"", "there", "missing");
    if (!found->is_string()) fail("\"" + key + "\"", "a text", std::string("a JSON ") + found->type_name());
    return found->get<std::string>();
  }

  std::string filled_text(const std::string& key) const {
    std::string value = text(key);
    if (value.empty()) fail("\"" + key + "\"", "a text with at least one character", "empty");
    return value;
  }

 private:
  std::string where_;
  json object_;
};

void for_each_line(std::string_view jsonl, const std::string& where, const std::function<void(const Line&)>& visit) {
  size_t number = 0;
  size_t read = 0;
  for (size_t begin = 0; begin < jsonl.size();) {
    const size_t end = std::min(jsonl.find('\n', begin), jsonl.size());
    const std::string_view line = jsonl.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    visit(Line(line, where + ":" + std::to_string(number)));
    ++read;
  }
  if (read == 0) throw DataError(where + ": the file must hold at least one line, but is empty. Fetch it again.");
}

/// An ASCII name of Python: what can stand in `check(...)` without being anything else.
bool is_python_name(std::string_view text) {
  const auto letter = [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || digit(c); });
}

}  // namespace

std::vector<CodeProblem> read_code_problems(std::string_view jsonl, const std::string& where) {
  std::vector<CodeProblem> problems;
  std::set<std::string> ids;
  for_each_line(jsonl, where, [&](const Line& line) {
    CodeProblem problem;
    problem.id = line.filled_text("task_id");
    problem.prompt = line.filled_text("prompt");
    problem.entry_point = line.filled_text("entry_point");
    problem.solution = line.text("canonical_solution");
    problem.test = line.filled_text("test");
    if (!is_python_name(problem.entry_point)) {
      line.fail("\"entry_point\"", "a name of letters, digits and underscores", "'" + problem.entry_point + "'");
    }
    if (!ids.insert(problem.id).second) line.fail("\"task_id\"", "unlike the others", "'" + problem.id + "' again");
    problems.push_back(std::move(problem));
  });
  return problems;
}

std::vector<CodeSample> read_code_samples(std::string_view jsonl, const std::string& where) {
  std::vector<CodeSample> samples;
  for_each_line(jsonl, where,
                [&](const Line& line) { samples.push_back({line.filled_text("task_id"), line.text("completion")}); });
  return samples;
}

std::string code_samples_text(const std::vector<CodeSample>& samples) {
  std::string text;
  for (const CodeSample& sample : samples) {
    // Bytes that a model put together to no UTF-8 would be no JSON; Python could not read them either.
    text += nlohmann::ordered_json{{"task_id", sample.id}, {"completion", sample.completion}}.dump(
                -1, ' ', false, json::error_handler_t::replace) +
            "\n";
  }
  return text;
}

std::string code_problems_text(const std::vector<CodeProblem>& problems) {
  std::string text;
  for (const CodeProblem& problem : problems) {
    text += nlohmann::ordered_json{{"task_id", problem.id},
                                   {"prompt", problem.prompt},
                                   {"entry_point", problem.entry_point},
                                   {"canonical_solution", problem.solution},
                                   {"test", problem.test}}
                .dump() +
            "\n";
  }
  return text;
}

std::string jsonl_text(const std::string& bytes, const std::string& where, int64_t most_bytes) {
  return bytes.starts_with("\x1f\x8b") ? gunzip(bytes, where, most_bytes) : bytes;
}

std::string read_jsonl_file(const std::filesystem::path& path) {
  return jsonl_text(read_file(path), path.string(), kMostJsonlBytes);
}

}  // namespace bitnet
