#include "framework/data/gzip.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return bitnet::fuzz::parse_or_refuse([&] {
    constexpr int64_t kMostBytes = 1 << 20;
    bitnet::gunzip(bitnet::fuzz::text_of(data, size), "some.gz", kMostBytes);
  });
}
