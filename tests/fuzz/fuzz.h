#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "framework/core/error.h"

/// What libFuzzer calls with every input. Returns 0; a crash, an exception that leaves it, or a sanitizer's finding is
/// what is searched for.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace bitnet::fuzz {

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Calls `parse`, which must accept its input or refuse it by a DataError.
template <typename Parse>
int parse_or_refuse(const Parse& parse) {
  try {
    parse();
  } catch (const DataError&) {
  }
  return 0;
}

}  // namespace bitnet::fuzz
