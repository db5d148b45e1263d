#include <memory>

#include "framework/core/error.h"
#include "framework/core/sha256.h"
#include "framework/data/tokenizer.h"

namespace bitnet {
namespace {

constexpr int32_t kBosId = 256;
constexpr int32_t kEosId = 257;
constexpr int64_t kVocabSize = 258;

class ByteTokenizer final : public Tokenizer {
 public:
  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> ids;
    ids.reserve(text.size());
    for (const char byte : text) ids.push_back(static_cast<uint8_t>(byte));
    return ids;
  }

  std::string decode(std::span<const int32_t> ids) const override {
    std::string text;
    text.reserve(ids.size());
    for (const int32_t id : ids) {
      if (id < 0 || id >= kVocabSize) {
        throw DataError("tokenizer byte: a token id must be 0 to " + std::to_string(kVocabSize - 1) + ", but is " +
                        std::to_string(id) + ". Decode ids that this tokenizer made.");
      }
      if (id < 256) text += static_cast<char>(id);
    }
    return text;
  }

  int64_t vocab_size() const override { return kVocabSize; }
  int32_t bos_id() const override { return kBosId; }
  int32_t eos_id() const override { return kEosId; }
  std::string fingerprint() const override { return sha256_hex("byte tokenizer 1: bytes, BOS 256, EOS 257\n"); }
  std::string name() const override { return "byte"; }
};

}  // namespace

std::unique_ptr<Tokenizer> make_byte_tokenizer() { return std::make_unique<ByteTokenizer>(); }

}  // namespace bitnet
