#pragma once

#include <string>

// What JUnit files are written with.

namespace bitnet {

/// The shortest text that reads back to the same double; programs read it, so the minus is ASCII.
std::string exact_number(double value);

/// One property of a test case or suite, on a line of its own.
std::string junit_property(const char* name, const std::string& value);

/// A whole file: one suite of `name` with `cases`, the text of its test cases, behind its `properties`.
struct JunitCounts {
  size_t tests = 0;
  size_t failures = 0;
  size_t skipped = 0;
};
std::string junit_file(const std::string& name, const JunitCounts& counts, const std::string& properties,
                       const std::string& cases);

}  // namespace bitnet
