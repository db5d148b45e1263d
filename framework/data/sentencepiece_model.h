#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bitnet {

/// The legal values of a piece's type, as numbered in the file format.
enum class PieceType { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

struct SentencePiece {
  std::string text;
  float score = 0;
  PieceType type = PieceType::kNormal;
};

/// What a SentencePiece `.model` file says, as far as encoding and decoding depend on it.
/// Source: https://github.com/google/sentencepiece, src/sentencepiece_model.proto (defaults included).
struct SentencePieceModel {
  std::vector<SentencePiece> pieces;
  // TrainerSpec
  bool byte_fallback = false;
  bool treat_whitespace_as_suffix = false;
  std::string bos_piece = "<s>";
  std::string eos_piece = "</s>";
  std::string unk_surface = " \xE2\x81\x87 ";
  // NormalizerSpec
  std::string precompiled_charsmap;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
};

/// Reads the protobuf message ModelProto. `where` names the file in errors.
/// Errors: DataError where the bytes are no such message, where the model is not BPE, where a piece is empty, repeated
/// or a byte piece is missing, where BOS, EOS or the unknown piece is missing, or where decoding has rules of its own
/// (denormalizer), which is not supported.
SentencePieceModel parse_sentencepiece_model(std::string_view bytes, const std::string& where);

/// The name of a byte's piece, for example "<0x0A>".
std::string byte_piece_name(uint8_t byte);

}  // namespace bitnet
