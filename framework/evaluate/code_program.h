#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "framework/data/code_problems.h"

namespace bitnet {

/// The program that shows whether a completion is right: it reaches its end where it is, and raises where it is not.
/// Source: HumanEval (Chen et al. 2021), human_eval/execution.py.
std::string code_program(const CodeProblem& problem, std::string_view completion);

/// `text` up to the first place where one of the stop texts starts; all of it where none does.
std::string_view cut_at_stop(std::string_view text, std::span<const std::string> stop);

/// The unbiased estimate of pass@k from `samples` completions, of which `passed` pass: the chance that at least one of
/// k drawn without replacement passes, 1 - C(n - c, k) / C(n, k), as 1 - prod over i = n - c + 1..n of (1 - k / i). k
/// is 1 to `samples`. Source: Chen et al. 2021, equation 1 and figure 3.
double pass_at_k(int64_t samples, int64_t passed, int64_t k);

}  // namespace bitnet
