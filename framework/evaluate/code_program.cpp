#include "framework/evaluate/code_program.h"

#include <algorithm>

namespace bitnet {

std::string code_program(const CodeProblem& problem, std::string_view completion) {
  std::string program = problem.prompt;
  program += completion;
  program += "\n" + problem.test + "\n" + "check(" + problem.entry_point + ")";
  return program;
}

std::string_view cut_at_stop(std::string_view text, std::span<const std::string> stop) {
  size_t end = text.size();
  for (const std::string& word : stop) end = std::min(end, text.find(word));
  return text.substr(0, end);
}

double pass_at_k(int64_t samples, int64_t passed, int64_t k) {
  if (samples - passed < k) return 1;
  double none = 1;  // passes, in the order of the reference: equal to its last bit
  for (int64_t i = samples - passed + 1; i <= samples; ++i)
    none *= 1.0 - static_cast<double>(k) / static_cast<double>(i);
  return 1 - none;
}

}  // namespace bitnet
