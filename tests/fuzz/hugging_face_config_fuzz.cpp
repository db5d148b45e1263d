#include "framework/interop/hugging_face_config.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return bitnet::fuzz::parse_or_refuse(
      [&] { bitnet::parse_hugging_face_config(bitnet::fuzz::text_of(data, size), "config.json"); });
}
