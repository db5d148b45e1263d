#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"
#include "framework/core/utf8.h"
#include "framework/data/sentencepiece_bpe.h"
#include "framework/data/sentencepiece_model.h"
#include "framework/data/sentencepiece_normalizer.h"
#include "framework/data/tokenizer.h"

namespace bitnet {
namespace {

// Changes when the same file gives other ids than before.
constexpr char kEncoderVersion[] = "sentencepiece bpe 1\n";

// Whether the normalizer keeps everything but U+2581 and bytes that are no UTF-8. Those two go to byte pieces then, and
// every text survives.
bool is_lossless(const SentencePieceModel& model, const SentencePieceBpe& bpe) {
  if (!model.precompiled_charsmap.empty() || model.add_dummy_prefix || model.remove_extra_whitespaces ||
      !model.escape_whitespaces || !model.byte_fallback) {
    return false;
  }
  const PieceType space = model.pieces[static_cast<size_t>(bpe.id_of(kSpaceMark))].type;
  if (space != PieceType::kNormal && space != PieceType::kUserDefined) return false;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const SentencePiece& piece = model.pieces[id];
    // Encoding prefers reserved pieces; text that is the name of one would be lost.
    if (piece.type == PieceType::kControl && piece.text.size() == character_length(piece.text)) return false;
    if (bpe.id_of(piece.text) != static_cast<int32_t>(id)) return false;
  }
  return true;
}

class SentencePieceTokenizer final : public Tokenizer {
 public:
  SentencePieceTokenizer(SentencePieceModel model, std::string fingerprint, const std::string& where)
      : model_(std::move(model)),
        symbols_(model_),
        normalizer_(model_, symbols_, where),
        bpe_(model_, symbols_),
        lossless_(is_lossless(model_, bpe_)),
        fingerprint_(std::move(fingerprint)) {
    byte_of_.resize(model_.pieces.size(), -1);
    if (!model_.byte_fallback) return;
    for (int byte = 0; byte < 256; ++byte) {
      byte_of_[static_cast<size_t>(bpe_.byte_id(static_cast<uint8_t>(byte)))] = static_cast<int16_t>(byte);
    }
  }

  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> ids;
    if (!lossless_) {
      bpe_.encode(normalizer_.normalize(text), ids);
      return ids;
    }
    size_t begin = 0;
    const auto flush = [&](size_t end) {
      if (end > begin) bpe_.encode(normalizer_.normalize(text.substr(begin, end - begin)), ids);
    };
    for (size_t position = 0; position < text.size();) {
      const std::string_view rest = text.substr(position);
      const size_t length = utf8_character_length(rest, 0);
      if (length > 0 && !rest.starts_with(kSpaceMark)) {
        position += length;
        continue;
      }
      flush(position);
      const size_t end = position + std::max<size_t>(length, 1);
      for (; position < end; ++position) ids.push_back(bpe_.byte_id(static_cast<uint8_t>(text[position])));
      begin = end;
    }
    flush(text.size());
    return ids;
  }

  std::string decode(std::span<const int32_t> ids) const override {
    std::string text;
    bool at_start = true;  // where a dummy prefix is taken off again
    bool prefix_taken = false;
    for (const int32_t id : ids) {
      if (id < 0 || id >= vocab_size()) {
        throw DataError("tokenizer " + name() + ": a token id must be 0 to " + std::to_string(vocab_size() - 1) +
                        ", but is " + std::to_string(id) + ". Decode ids that this tokenizer made.");
      }
      if (const int16_t byte = byte_of_[static_cast<size_t>(id)]; byte >= 0) {
        text += static_cast<char>(byte);
        continue;
      }
      if (prefix_taken || !text.empty()) at_start = false;
      prefix_taken = false;
      const SentencePiece& piece = model_.pieces[static_cast<size_t>(id)];
      if (piece.type == PieceType::kControl) continue;
      if (piece.type == PieceType::kUnknown) {
        text += model_.unk_surface;
        continue;
      }
      std::string_view rest = piece.text;
      if (at_start && (model_.add_dummy_prefix || model_.remove_extra_whitespaces) && rest.starts_with(kSpaceMark)) {
        rest.remove_prefix(kSpaceMark.size());
        prefix_taken = !model_.remove_extra_whitespaces;
      }
      append_with_spaces(rest, text);
    }
    return text;
  }

  int64_t vocab_size() const override { return static_cast<int64_t>(model_.pieces.size()); }
  int32_t bos_id() const override { return bpe_.id_of(model_.bos_piece); }
  int32_t eos_id() const override { return bpe_.id_of(model_.eos_piece); }
  std::string fingerprint() const override { return fingerprint_; }
  std::string name() const override { return "sentencepiece-" + std::to_string(vocab_size()); }

 private:
  static void append_with_spaces(std::string_view piece, std::string& text) {
    while (!piece.empty()) {
      const size_t mark = std::min(piece.find(kSpaceMark), piece.size());
      text += piece.substr(0, mark);
      piece.remove_prefix(mark);
      if (piece.empty()) return;
      text += ' ';
      piece.remove_prefix(kSpaceMark.size());
    }
  }

  SentencePieceModel model_;
  SymbolMatcher symbols_;
  SentencePieceNormalizer normalizer_;
  SentencePieceBpe bpe_;
  bool lossless_;
  std::string fingerprint_;
  std::vector<int16_t> byte_of_;  // of each id: the byte of a byte piece, -1 of others
};

}  // namespace

std::unique_ptr<Tokenizer> read_sentencepiece(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  return std::make_unique<SentencePieceTokenizer>(parse_sentencepiece_model(bytes, path.string()),
                                                  sha256_hex(kEncoderVersion + bytes), path.string());
}

}  // namespace bitnet
