#pragma once

#include <string>
#include <string_view>

#include "framework/experiment/delta.h"

namespace bitnet {

/// "Word perplexity" for "word_perplexity".
std::string metric_label(std::string_view metric);

/// "5.63× smaller", "1.20× larger": how a memory figure compares; empty for other categories.
std::string times_smaller(const DeltaRow& row);

/// "3.10× as fast": how a speed compares, from its delta; empty for other categories.
std::string times_as_fast(const DeltaRow& row);

/// The interval for readers, "-6.0 to -4.4 %" or, for means of outcomes, "-0.4 to +4.6 points"; or nothing.
std::string interval_text(const DeltaRow& row);

/// What was measured, for readers: "the test split", or the questions' name.
std::string data_phrase(const DeltaRow& row);

/// "+1.6 points".
std::string points_text(double points);

/// The delta in percent, "+5.4 %"; where a figure is 0, so that there is no percentage, the points of a mean of
/// outcomes.
std::string delta_size_text(const DeltaRow& row);

/// " in 2 of 4 measurements", or nothing where `part` is all of them.
std::string of_all_text(int64_t part, int64_t all);

/// The heading of the column that values are read against: "Entropy floor", "Chance", both, or nothing.
std::string reference_header(const Comparison& comparison);

/// "p = 0.031", "p < 0.001".
std::string p_value_text(double p_value);

/// Fills strengths, deficiencies, their notes and the verdict from the rows.
void describe_comparison(Comparison& comparison);

}  // namespace bitnet
