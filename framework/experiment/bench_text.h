#pragma once

#include <string>

#include "framework/experiment/bench.h"

// A bench result as text: pure functions, the same result gives the same bytes.

namespace bitnet {

/// A table for readers and, with several linear forms, the ratios of the first to the others. `result` is of one model
/// and has at least one row.
std::string bench_markdown(const BenchResult& result);

/// An array with an object for each linear form and test.
std::string bench_json(const BenchResult& result);

/// A line for each sample, under one line of names.
std::string bench_csv(const BenchResult& result);

}  // namespace bitnet
