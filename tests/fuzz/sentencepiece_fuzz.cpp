#include <algorithm>
#include <vector>

#include "framework/data/sentencepiece_bpe.h"
#include "framework/data/sentencepiece_model.h"
#include "framework/data/sentencepiece_normalizer.h"
#include "tests/fuzz/fuzz.h"

// The input is a model and, behind "----", a text to encode with it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return bitnet::fuzz::parse_or_refuse([&] {
    constexpr std::string_view kSeparator = "----";
    const std::string_view input = bitnet::fuzz::text_of(data, size);
    const size_t end = std::min(input.rfind(kSeparator), input.size());
    const std::string_view text = input.substr(std::min(end + kSeparator.size(), input.size()));
    const bitnet::SentencePieceModel model = bitnet::parse_sentencepiece_model(input.substr(0, end), "some.model");
    const bitnet::SymbolMatcher symbols(model);
    const bitnet::SentencePieceNormalizer normalizer(model, symbols, "some.model");
    const bitnet::SentencePieceBpe bpe(model, symbols);
    std::vector<int32_t> ids;
    bpe.encode(normalizer.normalize(text), ids);
  });
}
