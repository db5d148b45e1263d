#include "framework/core/safetensors.h"

#include <span>

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return bitnet::fuzz::parse_or_refuse([&] {
    const bitnet::Safetensors content =
        bitnet::read_safetensors(std::as_bytes(std::span(data, size)), "model.safetensors");
    // Every byte of every tensor must be there.
    std::byte bits{};
    for (const auto& [name, view] : content.tensors) {
      for (const std::byte byte : view.bytes) bits |= byte;
    }
    asm volatile("" : : "r"(static_cast<int>(bits)));  // so that the loop is not left out
  });
}
