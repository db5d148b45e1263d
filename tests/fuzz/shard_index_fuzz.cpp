#include "framework/interop/shard_index.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return bitnet::fuzz::parse_or_refuse(
      [&] { bitnet::parse_shard_index(bitnet::fuzz::text_of(data, size), "model.safetensors.index.json"); });
}
