#include "framework/data/sentencepiece_model.h"

#include <bit>
#include <optional>
#include <set>

#include "framework/core/error.h"

namespace bitnet {
namespace {

constexpr char kAdvice[] = " Copy or download the file again.";

// Reads the fields of one protobuf message, one after the other.
// Source: https://protobuf.dev/programming-guides/encoding/.
class WireReader {
 public:
  enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  WireReader(std::string_view bytes, const std::string& where) : rest_(bytes), where_(where) {}

  // Steps to the next field and reads its value; false at the message's end.
  bool next() {
    if (rest_.empty()) return false;
    const uint64_t tag = varint();
    field_ = tag >> 3;
    type_ = static_cast<uint32_t>(tag & 7);
    if (field_ == 0) fail("field numbers from 1", "0");
    switch (type_) {
      case kVarint:
        number_ = varint();
        break;
      case kFixed64:
        bytes_ = take(8);
        break;
      case kFixed32:
        bytes_ = take(4);
        break;
      case kBytes:
        bytes_ = take(varint());
        break;
      default:
        fail("a wire type 0, 1, 2 or 5", std::to_string(type_));
    }
    return true;
  }

  uint64_t field() const { return field_; }
  int64_t number() const { return expect(kVarint), static_cast<int64_t>(number_); }
  bool flag() const { return number() != 0; }
  std::string_view bytes() const { return expect(kBytes), bytes_; }
  float float32() const {
    expect(kFixed32);
    uint32_t bits = 0;
    for (int i = 3; i >= 0; --i) bits = bits << 8 | static_cast<uint8_t>(bytes_[static_cast<size_t>(i)]);
    return std::bit_cast<float>(bits);
  }

 private:
  [[noreturn]] void fail(const std::string& expected, const std::string& found) const {
    throw DataError(where_ + ": a SentencePiece model must hold " + expected + ", but holds " + found +
                    ": the file is damaged or of another kind." + kAdvice);
  }

  void expect(uint32_t type) const {
    if (type_ != type) {
      fail("field " + std::to_string(field_) + " with wire type " + std::to_string(type), std::to_string(type_));
    }
  }

  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {  // 10 bytes hold 64 bits
      const auto byte = static_cast<uint8_t>(take(1)[0]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    fail("numbers of at most 10 bytes", "a longer one");
  }

  std::string_view take(uint64_t count) {
    if (count > rest_.size()) fail(std::to_string(count) + " more bytes", std::to_string(rest_.size()));
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::string_view rest_;
  const std::string& where_;
  uint64_t field_ = 0;
  uint32_t type_ = 0;
  uint64_t number_ = 0;
  std::string_view bytes_;
};

[[noreturn]] void fail_model(const std::string& where, const std::string& text) {
  throw DataError(where + ": " + text);
}

SentencePiece parse_piece(std::string_view bytes, const std::string& where) {
  SentencePiece piece;
  WireReader reader(bytes, where);
  while (reader.next()) {
    switch (reader.field()) {
      case 1:
        piece.text = reader.bytes();
        break;
      case 2:
        piece.score = reader.float32();
        break;
      case 3: {
        const int64_t type = reader.number();
        if (type < 1 || type > 6) {
          fail_model(where, "a piece's type must be 1 to 6, but is " + std::to_string(type) + "." + kAdvice);
        }
        piece.type = static_cast<PieceType>(type);
        break;
      }
      default:
        break;
    }
  }
  return piece;
}

// Empty names stand for the defaults, as in the library.
void set_unless_empty(std::string& target, std::string_view value) {
  if (!value.empty()) target = value;
}

void parse_trainer_spec(std::string_view bytes, const std::string& where, SentencePieceModel& model,
                        int64_t& model_type) {
  WireReader reader(bytes, where);
  while (reader.next()) {
    switch (reader.field()) {
      case 3:
        model_type = reader.number();
        break;
      case 24:
        model.treat_whitespace_as_suffix = reader.flag();
        break;
      case 35:
        model.byte_fallback = reader.flag();
        break;
      case 44:
        model.unk_surface = reader.bytes();
        break;
      case 46:
        set_unless_empty(model.bos_piece, reader.bytes());
        break;
      case 47:
        set_unless_empty(model.eos_piece, reader.bytes());
        break;
      default:
        break;
    }
  }
}

void parse_normalizer_spec(std::string_view bytes, const std::string& where, SentencePieceModel& model) {
  WireReader reader(bytes, where);
  while (reader.next()) {
    switch (reader.field()) {
      case 2:
        model.precompiled_charsmap = reader.bytes();
        break;
      case 3:
        model.add_dummy_prefix = reader.flag();
        break;
      case 4:
        model.remove_extra_whitespaces = reader.flag();
        break;
      case 5:
        model.escape_whitespaces = reader.flag();
        break;
      default:
        break;
    }
  }
}

void parse_denormalizer_spec(std::string_view bytes, const std::string& where) {
  WireReader reader(bytes, where);
  while (reader.next()) {
    if (reader.field() == 2 && !reader.bytes().empty()) {
      fail_model(where,
                 "the model must decode without rules of its own, but has a denormalizer, which is not supported. "
                 "Train the vocabulary without --denormalization_rule_tsv.");
    }
  }
}

void check_model(const SentencePieceModel& model, int64_t model_type, const std::string& where) {
  if (model.pieces.empty()) {
    fail_model(where, std::string("a SentencePiece model must hold pieces, but holds none: the file is damaged or of "
                                  "another kind.") +
                          kAdvice);
  }
  if (model_type != 2) {
    static constexpr const char* kTypes[] = {"0", "1 (unigram)", "2 (bpe)", "3 (word)", "4 (char)"};
    const bool known = model_type >= 0 && model_type <= 4;
    fail_model(where, "the model's type must be 2 (bpe), but is " +
                          (known ? std::string(kTypes[model_type]) : std::to_string(model_type)) +
                          ". Give a model trained with --model_type=bpe.");
  }
  std::set<std::string_view> ordinary, reserved;
  int unknown_pieces = 0;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const SentencePiece& piece = model.pieces[id];
    const std::string name = "piece " + std::to_string(id);
    if (piece.text.empty()) fail_model(where, name + " must have a text, but is empty." + kAdvice);
    const bool is_ordinary =
        piece.type == PieceType::kNormal || piece.type == PieceType::kUserDefined || piece.type == PieceType::kUnused;
    if (!(is_ordinary ? ordinary : reserved).insert(piece.text).second) {
      fail_model(where, name + " must be unique, but '" + piece.text + "' was there before." + kAdvice);
    }
    if (piece.type == PieceType::kByte && !model.byte_fallback) {
      fail_model(where, name + " must not be a byte piece, but is, though byte_fallback is off." + kAdvice);
    }
    unknown_pieces += piece.type == PieceType::kUnknown;
  }
  if (unknown_pieces != 1) {
    fail_model(where,
               "the model must have one unknown piece, but has " + std::to_string(unknown_pieces) + "." + kAdvice);
  }
  std::set<std::string_view> bytes, control;
  for (const SentencePiece& piece : model.pieces) {
    if (piece.type == PieceType::kByte) bytes.insert(piece.text);
    if (piece.type == PieceType::kControl) control.insert(piece.text);
  }
  std::set<std::string> expected;
  for (int byte = 0; byte < 256; ++byte) expected.insert(byte_piece_name(static_cast<uint8_t>(byte)));
  for (const std::string_view name : bytes) {
    if (!expected.contains(std::string(name))) {
      fail_model(where, "a byte piece must be named <0x00> to <0xFF>, but is '" + std::string(name) + "'." + kAdvice);
    }
  }
  if (model.byte_fallback && bytes.size() != 256) {
    fail_model(where, "the model must have 256 byte pieces, since byte_fallback is on, but has " +
                          std::to_string(bytes.size()) + "." + kAdvice);
  }
  for (const std::string* name : {&model.bos_piece, &model.eos_piece}) {
    if (!control.contains(*name)) {
      fail_model(where, "the model must have the control piece '" + *name +
                            "', but has not. Train the vocabulary with --bos_id and --eos_id of 0 or more.");
    }
  }
}

}  // namespace

std::string byte_piece_name(uint8_t byte) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  return std::string("<0x") + kDigits[byte >> 4] + kDigits[byte & 15] + ">";
}

SentencePieceModel parse_sentencepiece_model(std::string_view bytes, const std::string& where) {
  SentencePieceModel model;
  int64_t model_type = 1;  // unigram is the format's default
  WireReader reader(bytes, where);
  while (reader.next()) {
    switch (reader.field()) {
      case 1:
        model.pieces.push_back(parse_piece(reader.bytes(), where));
        break;
      case 2:
        parse_trainer_spec(reader.bytes(), where, model, model_type);
        break;
      case 3:
        parse_normalizer_spec(reader.bytes(), where, model);
        break;
      case 5:
        parse_denormalizer_spec(reader.bytes(), where);
        break;
      default:
        break;
    }
  }
  check_model(model, model_type, where);
  return model;
}

}  // namespace bitnet
