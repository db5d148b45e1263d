#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "framework/data/tinyworld.h"

namespace bitnet {
namespace {

constexpr int kLargestArgument = 9;  // worked examples take arguments 0..9

// A function is described with V for its first and W for its second parameter.
struct CodeForm {
  std::string operation;
  std::string name;
  std::vector<std::string> docstrings;  // phrasings of the same task
  std::string expression;
};

std::string substitute(const std::string& text, const std::string& first, const std::string& second) {
  std::string result;
  for (const char c : text) {
    if (c == 'V') {
      result += first;
    } else if (c == 'W') {
      result += second;
    } else {
      result += c;
    }
  }
  return result;
}

void add_functions(const CodeForm& form, const std::vector<CodeExample>& examples, bool two_parameters,
                   std::vector<CodeFunction>& out) {
  static const std::array<std::pair<std::string, std::string>, 3> kLetters = {{{"x", "y"}, {"a", "b"}, {"n", "m"}}};
  for (const auto& [first, second] : kLetters) {
    for (const std::string& docstring : form.docstrings) {
      const std::string parameters = two_parameters ? first + ", " + second : first;
      out.push_back(
          {form.operation, form.name,
           "def " + form.name + "(" + parameters + "):\n    \"\"\"" + substitute(docstring, first, second) + "\"\"\"\n",
           "    return " + substitute(form.expression, first, second) + "\n", examples});
    }
  }
}

std::string python_bool(bool value) { return value ? "True" : "False"; }

std::vector<CodeExample> examples_of_one(const std::function<std::string(int)>& evaluate) {
  std::vector<CodeExample> examples;
  for (int v = 0; v <= kLargestArgument; ++v) examples.push_back({std::to_string(v), evaluate(v)});
  return examples;
}

std::vector<CodeExample> examples_of_two(const std::function<int(int, int)>& evaluate) {
  std::vector<CodeExample> examples;
  for (int v = 0; v <= kLargestArgument; ++v) {
    for (int w = 0; w <= kLargestArgument; ++w) {
      examples.push_back({std::to_string(v) + ", " + std::to_string(w), std::to_string(evaluate(v, w))});
    }
  }
  return examples;
}

}  // namespace

std::vector<CodeFunction> code_functions() {
  std::vector<CodeFunction> functions;
  const auto one = [&functions](const CodeForm& form, const std::function<std::string(int)>& evaluate) {
    add_functions(form, examples_of_one(evaluate), /*two_parameters=*/false, functions);
  };
  const auto two = [&functions](const CodeForm& form, const std::function<int(int, int)>& evaluate) {
    add_functions(form, examples_of_two(evaluate), /*two_parameters=*/true, functions);
  };
  for (int k = 1; k <= 9; ++k) {
    const std::string c = std::to_string(k);
    one({"add", "add_" + c, {"Add " + c + " to V.", "Return V plus " + c + "."}, "V + " + c},
        [k](int v) { return std::to_string(v + k); });
  }
  for (int k = 1; k <= 9; ++k) {
    const std::string c = std::to_string(k);
    one({"sub", "sub_" + c, {"Subtract " + c + " from V.", "Return V minus " + c + "."}, "V - " + c},
        [k](int v) { return std::to_string(v - k); });
  }
  for (int k = 2; k <= 9; ++k) {
    const std::string c = std::to_string(k);
    one({"mul", "mul_" + c, {"Multiply V by " + c + ".", "Return V times " + c + "."}, "V * " + c},
        [k](int v) { return std::to_string(v * k); });
  }
  for (int k = 1; k <= 8; ++k) {
    const std::string c = std::to_string(k);
    one({"over", "over_" + c, {"Tell whether V is over " + c + ".", "Return True if V is over " + c + "."}, "V > " + c},
        [k](int v) { return python_bool(v > k); });
  }
  for (int j = 1; j <= 3; ++j) {
    for (int k = 2; k <= 3; ++k) {
      const std::string a = std::to_string(j);
      const std::string c = std::to_string(k);
      one({"add_mul",
           "add_" + a + "_mul_" + c,
           {"Add " + a + " to V, then multiply by " + c + ".", "Return V plus " + a + ", times " + c + "."},
           "(V + " + a + ") * " + c},
          [j, k](int v) { return std::to_string((v + j) * k); });
    }
  }
  two({"two", "add", {"Add V and W.", "Return the sum of V and W."}, "V + W"}, [](int v, int w) { return v + w; });
  two({"two", "sub", {"Subtract W from V.", "Return V minus W."}, "V - W"}, [](int v, int w) { return v - w; });
  two({"two", "larger", {"Return the larger of V and W.", "Pick the larger one."}, "max(V, W)"},
      [](int v, int w) { return std::max(v, w); });
  two({"two", "smaller", {"Return the smaller of V and W.", "Pick the smaller one."}, "min(V, W)"},
      [](int v, int w) { return std::min(v, w); });
  return functions;
}

std::vector<CodeProblem> tinyworld_code_problems() {
  std::vector<CodeProblem> problems;
  for (const CodeFunction& function : code_functions()) {
    CodeProblem problem;
    problem.id = "tinyworld-code/" + std::to_string(problems.size());
    problem.prompt = function.prompt;
    problem.entry_point = function.name;
    problem.solution = function.body;
    problem.test = "def check(candidate):\n";
    for (const CodeExample& example : function.examples) {
      problem.test += "    assert candidate(" + example.arguments + ") == " + example.value + "\n";
    }
    problems.push_back(std::move(problem));
  }
  return problems;
}

}  // namespace bitnet
