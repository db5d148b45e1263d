#pragma once

#include <cstdint>

#include "framework/experiment/statistics.h"

// Statistics of accuracies: parts of yes-or-no outcomes.

namespace bitnet {

/// Interval of one proportion, by default 95 %. 0 <= successes <= trials, trials >= 1.
/// Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.
Interval wilson_interval(int64_t successes, int64_t trials, double tail = kTail);

/// How two models answered the same questions.
struct PairedOutcomes {
  int64_t both = 0;            ///< right by both
  int64_t candidate_only = 0;  ///< right by the candidate alone
  int64_t baseline_only = 0;   ///< right by the baseline alone
  int64_t neither = 0;
};

/// Interval, by default 95 %, of the candidate's proportion less the baseline's, for the same questions. At least one
/// question.
/// Source: Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired
/// data", Statistics in Medicine 17, 1998, method 10: Wilson's limits with the continuity-corrected phi coefficient.
Interval paired_difference_interval(const PairedOutcomes& outcomes, double tail = kTail);

/// Exact two-sided p-value of McNemar's test that both models are right equally often: twice the smaller tail of a
/// binomial distribution over the questions that only one of them answers right, at most 1.
/// Source: McNemar, Psychometrika 12, 1947; the exact form in Fagerland, Lydersen and Laake, "The McNemar test for
/// binary matched-pairs data", BMC Medical Research Methodology 13:91, 2013.
double mcnemar_p_value(const PairedOutcomes& outcomes);

}  // namespace bitnet
