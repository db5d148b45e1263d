#pragma once

#include <string>
#include <string_view>

#include "framework/experiment/delta.h"

namespace bitnet {

/// "Word perplexity" for "word_perplexity".
std::string metric_label(std::string_view metric);

/// "5.63× smaller", "1.20× larger": how a memory figure compares; empty for other categories.
std::string times_smaller(const DeltaRow& row);

/// The interval for readers, "-6.0 to -4.4 %", or nothing.
std::string interval_text(const DeltaRow& row);

/// Fills strengths, deficiencies, their notes and the verdict from the rows.
void describe_comparison(Comparison& comparison);

}  // namespace bitnet
