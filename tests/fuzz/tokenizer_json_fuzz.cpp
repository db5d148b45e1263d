#include <algorithm>

#include "framework/data/huggingface_tokenizer.h"
#include "tests/fuzz/fuzz.h"

// The input is a file and, behind a line "----", a text to encode with it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return bitnet::fuzz::parse_or_refuse([&] {
    constexpr std::string_view kSeparator = "\n----\n";
    const std::string_view input = bitnet::fuzz::text_of(data, size);
    const size_t end = std::min(input.find(kSeparator), input.size());
    const std::string_view text = input.substr(std::min(end + kSeparator.size(), input.size()));
    const auto tokenizer = bitnet::make_huggingface_tokenizer(
        bitnet::parse_tokenizer_json(input.substr(0, end), "", "tokenizer.json"), "", "tokenizer.json");
    tokenizer->decode(tokenizer->encode(text));
  });
}
