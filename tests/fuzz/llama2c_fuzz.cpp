#include "framework/interop/llama2c.h"

#include <cstdlib>
#include <span>

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return bitnet::fuzz::parse_or_refuse([&] {
    const bitnet::Llama2cFile file = bitnet::parse_llama2c(std::as_bytes(std::span(data, size)), "stories.bin");
    // An accepted file has every byte of every tensor.
    for (const auto& [name, view] : file.tensors) {
      uint64_t bytes = 0;
      if (!bitnet::tensor_bytes(view.dtype, view.shape, &bytes) || bytes != view.bytes.size()) std::abort();
    }
  });
}
