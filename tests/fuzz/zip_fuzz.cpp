#include "framework/data/zip.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return bitnet::fuzz::parse_or_refuse(
      [&] { bitnet::read_zip_member(bitnet::fuzz::text_of(data, size), "some.zip", "a"); });
}
