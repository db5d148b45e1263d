#include "framework/data/tokenizer_json.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/strict_json.h"
#include "framework/core/utf8.h"
#include "framework/data/byte_alphabet.h"
#include "framework/data/regex_splitter.h"
#include "framework/data/sentencepiece_model.h"
#include "framework/data/tokenizer_json_fields.h"
#include "framework/data/tokenizer_json_steps.h"

namespace bitnet {
namespace {

using nlohmann::json;

constexpr char kAdvice[] = " Copy or download the file again.";

[[noreturn]] void fail(const std::string& where, const std::string& text) { throw DataError(where + ": " + text); }

std::string quote(std::string_view text) { return "'" + std::string(text.substr(0, 60)) + "'"; }

// The pieces of a file and their ids, while it is read.
class Vocabulary {
 public:
  Vocabulary(const json& pieces, const std::string& where) : where_(where) {
    const JsonObject object(pieces, where_ + ": model.vocab");
    if (pieces.empty()) fail(where_, std::string("model.vocab must hold pieces, but is empty.") + kAdvice);
    pieces_.resize(pieces.size());
    for (const auto& [piece, id] : pieces.items()) insert(piece, object.id(piece), pieces.size());
  }

  // A piece that the model may have already, under this very id; others follow the model's without a hole.
  void add(const std::string& piece, int32_t id) {
    if (const auto known = find(piece)) {
      if (*known != id) {
        fail(where_, "added token " + quote(piece) + " must have the id of its piece, " + std::to_string(*known) +
                         ", but has " + std::to_string(id) + "." + kAdvice);
      }
      return;
    }
    pieces_.emplace_back();
    insert(piece, id, pieces_.size());
  }

  std::optional<int32_t> find(const std::string& piece) const {
    const auto found = ids_.find(piece);
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
  }

  // The id, where `name` says what the piece is for.
  int32_t at(const std::string& piece, const std::string& name) const {
    const auto found = find(piece);
    if (!found) fail(where_, name + " must be a piece of the vocabulary, but is " + quote(piece) + "." + kAdvice);
    return *found;
  }

  const std::vector<std::string>& pieces() const { return pieces_; }

 private:
  void insert(const std::string& piece, int32_t id, size_t count) {
    if (piece.empty()) fail(where_, std::string("a piece must have a text, but is empty.") + kAdvice);
    if (static_cast<size_t>(id) >= count) {
      fail(where_, "the ids of " + std::to_string(count) + " pieces must be 0 to " + std::to_string(count - 1) +
                       " without a hole, but " + quote(piece) + " has " + std::to_string(id) + "." + kAdvice);
    }
    std::string& place = pieces_[static_cast<size_t>(id)];
    if (!place.empty()) {
      fail(where_, "an id must belong to one piece, but " + std::to_string(id) + " belongs to " + quote(place) +
                       " and " + quote(piece) + "." + kAdvice);
    }
    place = piece;
    ids_.emplace(piece, id);
  }

  const std::string& where_;
  std::vector<std::string> pieces_;
  std::unordered_map<std::string, int32_t> ids_;
};

// Collects merges and finds their pieces.
class MergeReader {
 public:
  MergeReader(const Vocabulary& vocabulary, const std::string& where) : vocabulary_(vocabulary), where_(where) {}

  void add(const std::string& left, const std::string& right) {
    const std::string name = "merge " + std::to_string(merges_.size());
    const BpeMerge merge = {vocabulary_.at(left, name + "'s left side"), vocabulary_.at(right, name + "'s right side"),
                            vocabulary_.at(left + right, name + "'s result")};
    if (!seen_.insert(static_cast<uint64_t>(merge.left) << 32 | static_cast<uint64_t>(merge.right)).second) {
      fail(where_, name + " must be unique, but " + quote(left + " " + right) + " was there before." + kAdvice);
    }
    merges_.push_back(merge);
  }

  // Two pieces with a space between them.
  void add_line(const std::string& line) {
    const size_t space = line.find(' ');
    if (space == 0 || space == std::string::npos || space + 1 == line.size() ||
        line.find(' ', space + 1) != std::string::npos) {
      fail(where_, "merge " + std::to_string(merges_.size()) + " must be two pieces with a space between, but is " +
                       quote(line) + "." + kAdvice);
    }
    add(line.substr(0, space), line.substr(space + 1));
  }

  std::vector<BpeMerge> take() { return std::move(merges_); }

 private:
  const Vocabulary& vocabulary_;
  const std::string& where_;
  std::vector<BpeMerge> merges_;
  std::unordered_set<uint64_t> seen_;
};

std::vector<BpeMerge> read_merges(const json& merges, const Vocabulary& vocabulary, const std::string& where) {
  if (!merges.is_array()) {
    fail(where, "model.merges must be a list, but is " + describe_json(merges) + "." + kAdvice);
  }
  MergeReader reader(vocabulary, where);
  for (const json& merge : merges) {
    if (merge.is_string()) {
      reader.add_line(merge.get<std::string>());
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      reader.add(merge[0].get<std::string>(), merge[1].get<std::string>());
    } else {
      fail(where, "a merge must be a text or a pair of texts, but is " + describe_json(merge) + "." + kAdvice);
    }
  }
  return reader.take();
}

std::vector<AddedToken> read_added_tokens(const json& added, Vocabulary& vocabulary, const std::string& where) {
  std::vector<AddedToken> tokens;
  std::set<std::string> seen;
  for (size_t i = 0; i < added.size(); ++i) {
    const JsonObject object(added[i], where + ": added_tokens[" + std::to_string(i) + "]");
    object.allow_only({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
    for (const char* name : {"single_word", "lstrip", "rstrip"}) {
      if (object.flag_or(name, false)) object.fail_unsupported(name, "false", "true");
    }
    AddedToken token;
    token.id = object.id("id");
    token.content = object.text("content");
    token.is_special = object.flag_or("special", false);
    token.is_normalized = object.flag_or("normalized", !token.is_special);
    vocabulary.add(token.content, token.id);
    if (!seen.insert(token.content).second) object.fail("content", "unique", quote(token.content) + " a second time");
    tokens.push_back(std::move(token));
  }
  return tokens;
}

bool is_one_character(const std::string& piece) { return utf8_character_length(piece, 0) == piece.size(); }

void check_byte_pieces(TokenizerFile& file, const Vocabulary& vocabulary, const std::string& where) {
  int byte_pieces = 0, level_pieces = 0;
  for (int byte = 0; byte < 256; ++byte) {
    byte_pieces += vocabulary.find(byte_piece_name(static_cast<uint8_t>(byte))).has_value();
    level_pieces += vocabulary.find(byte_level_character(static_cast<uint8_t>(byte))).has_value();
  }
  if (file.byte_level) {
    if (level_pieces != 256) {
      fail(where, "the model must have a piece for each of 256 bytes, but has " + std::to_string(level_pieces) + "." +
                      kAdvice);
    }
    file.byte_fallback = false;  // every byte is a piece: nothing is left for it
    return;
  }
  // A model without byte pieces falls back to its unknown piece, whatever it says.
  if (byte_pieces == 0) file.byte_fallback = false;
  if (file.byte_fallback && byte_pieces != 256) {
    fail(where, "the model must have all 256 byte pieces or none, since byte_fallback is on, but has " +
                    std::to_string(byte_pieces) + "." + kAdvice);
  }
  if (!file.byte_fallback && file.unknown_id < 0) {
    fail(where, std::string("the model must have byte pieces or an unknown piece, but has neither: characters would "
                            "vanish.") +
                    kAdvice);
  }
}

// Merging starts from characters, bytes and the unknown piece; only characters may be joined.
void check_merges(const TokenizerFile& file, const Vocabulary& vocabulary, const std::string& where) {
  std::set<int32_t> never_joined;
  if (!file.byte_level && file.unknown_id >= 0) never_joined.insert(file.unknown_id);
  if (file.byte_fallback) {
    for (int byte = 0; byte < 256; ++byte) {
      const auto id = vocabulary.find(byte_piece_name(static_cast<uint8_t>(byte)));
      if (id) never_joined.insert(*id);
    }
  }
  for (const BpeMerge& merge : file.merges) {
    for (const int32_t id : {merge.left, merge.right, merge.result}) {
      if (never_joined.contains(id)) {
        fail(where, "merges must not name byte pieces and the unknown piece, but one names " +
                        quote(file.pieces[static_cast<size_t>(id)]) + "." + kAdvice);
      }
    }
  }
  const auto needs_merges = [&](const std::string& piece) {
    const int32_t id = *vocabulary.find(piece);
    return !is_one_character(piece) && !never_joined.contains(id) &&
           std::ranges::none_of(file.added_tokens, [id](const AddedToken& token) { return token.id == id; });
  };
  if (file.merges.empty() && !file.ignore_merges && std::ranges::any_of(file.pieces, needs_merges)) {
    fail(where, std::string("model.merges must lead to the longer pieces, but is empty.") + kAdvice);
  }
}

void read_model(const JsonObject& model, TokenizerFile& file) {
  model.allow_only({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
                    "byte_fallback", "ignore_merges", "vocab", "merges"});
  if (const std::string type = model.text_or("type", "BPE"); type != "BPE") {
    model.fail_unsupported("type", "'BPE'", quote(type));
  }
  if (const json* const dropout = model.find("dropout"); dropout != nullptr && *dropout != 0) {
    model.fail_unsupported("dropout", "missing or 0", describe_json(*dropout));
  }
  for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (const std::string text = model.text_or(name, ""); !text.empty()) {
      model.fail_unsupported(name, "missing or empty", quote(text));
    }
  }
  file.fuse_unknown = model.flag_or("fuse_unk", false);
  file.byte_fallback = model.flag_or("byte_fallback", false);
  file.ignore_merges = model.flag_or("ignore_merges", false);
}

// The first special token of a template, before the text and behind it.
void read_template(const json& processor, const std::string& place, std::string& bos, std::string& eos) {
  const JsonObject object(processor, place);
  const std::string type = object.text("type");
  if (type == "Sequence") {
    const json& parts = object.at("processors");
    if (!parts.is_array()) object.fail("processors", "a list", describe_json(parts));
    for (const json& part : parts) read_template(part, place + ".processors", bos, eos);
    return;
  }
  if (type != "TemplateProcessing") return;
  const json& single = object.at("single");
  if (!single.is_array()) object.fail("single", "a list", describe_json(single));
  bool is_behind = false;
  for (const json& part : single) {
    const JsonObject element(part, place + ".single");
    if (element.find("Sequence") != nullptr) is_behind = true;
    const json* const special = element.find("SpecialToken");
    if (special == nullptr) continue;
    std::string& name = is_behind ? eos : bos;
    if (name.empty()) name = JsonObject(*special, place + ".single").text("id");
  }
}

// Names of BOS and EOS in published vocabularies, for files that say nothing about them.
constexpr std::array<std::pair<const char*, const char*>, 3> kUsualNames = {{
    {"<s>", "</s>"},
    {"<|begin_of_text|>", "<|end_of_text|>"},
    {"<|endoftext|>", "<|endoftext|>"},
}};

// A token's name in tokenizer_config.json: text, or an object with the text in `content`.
std::string configured_token(const JsonObject& config, const std::string& name) {
  const json* const value = config.find(name);
  if (value == nullptr || value->is_string()) return config.text_or(name, "");
  return JsonObject(*value, config.place() + ": " + name).text("content");
}

void find_bos_and_eos(const json& root, std::string_view config, const Vocabulary& vocabulary, TokenizerFile& file,
                      const std::string& where) {
  std::string bos, eos;
  if (!config.empty()) {
    const std::string place = where + ": the tokenizer_config.json beside it";
    const json parsed = parse_strict_json(config, place, "the file");
    const JsonObject object(parsed, place);
    bos = configured_token(object, "bos_token");
    eos = configured_token(object, "eos_token");
  }
  if (const json* const processor = JsonObject(root, where).find("post_processor"); processor != nullptr) {
    std::string template_bos, template_eos;
    read_template(*processor, where + ": post_processor", template_bos, template_eos);
    if (bos.empty()) bos = template_bos;
    if (eos.empty()) eos = template_eos;
  }
  for (const auto& [usual_bos, usual_eos] : kUsualNames) {
    if (eos.empty() && (bos.empty() || bos == usual_bos) && vocabulary.find(usual_eos)) {
      if (bos.empty() && vocabulary.find(usual_bos)) bos = usual_bos;
      eos = usual_eos;
    }
  }
  if (eos.empty()) {
    fail(where,
         "EOS must be named by tokenizer_config.json (eos_token), by the post_processor, or be </s>, <|end_of_text|> "
         "or <|endoftext|>, but is not. Put the model's tokenizer_config.json beside the file.");
  }
  file.eos_id = vocabulary.at(eos, "EOS");
  file.bos_id = bos.empty() ? file.eos_id : vocabulary.at(bos, "BOS");
}

}  // namespace

TokenizerFile parse_tokenizer_json(std::string_view text, std::string_view config, const std::string& where) {
  const json root = parse_strict_json(text, where, "the file");
  const JsonObject object(root, where);
  object.allow_only({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
                     "post_processor", "decoder", "model"});
  for (const char* name : {"truncation", "padding"}) {
    if (object.find(name) != nullptr) object.fail_unsupported(name, "null", describe_json(object.at(name)));
  }
  TokenizerFile file;
  const JsonObject model(object.at("model"), where + ": model");
  read_model(model, file);
  const json none = json::array();
  const json& added = object.find("added_tokens") == nullptr ? none : object.at("added_tokens");
  if (!added.is_array()) object.fail("added_tokens", "a list", describe_json(added));
  Vocabulary vocabulary(model.at("vocab"), where);
  file.merges = read_merges(model.at("merges"), vocabulary, where);
  if (const std::string unknown = model.text_or("unk_token", ""); !unknown.empty()) {
    file.unknown_id = vocabulary.at(unknown, "model.unk_token");
  }
  file.added_tokens = read_added_tokens(added, vocabulary, where);
  file.pieces = vocabulary.pieces();
  file.normalizer = read_normalizer(object.find("normalizer"), where + ": normalizer");
  file.pre_tokenizer = read_pre_tokenizer(object.find("pre_tokenizer"), where + ": pre_tokenizer");
  file.decoder = read_decoder(&object.at("decoder"), where + ": decoder");
  file.byte_level = !file.pre_tokenizer.empty() && file.pre_tokenizer.back().kind == PreTokenizerStep::Kind::kByteLevel;
  check_byte_pieces(file, vocabulary, where);
  check_merges(file, vocabulary, where);
  find_bos_and_eos(root, config, vocabulary, file, where);
  return file;
}

TokenizerFile parse_gpt2_vocabulary(std::string_view encoder, std::string_view merges, const std::string& where) {
  constexpr char kEndOfText[] = "<|endoftext|>";
  const json pieces = parse_strict_json(encoder, where, "the vocabulary");
  TokenizerFile file;
  const Vocabulary vocabulary(pieces, where);
  MergeReader reader(vocabulary, where);
  for (size_t begin = 0; begin < merges.size();) {
    const size_t end = std::min(merges.find('\n', begin), merges.size());
    const std::string_view line = merges.substr(begin, end - begin);
    begin = end + 1;
    if (!line.empty() && !line.starts_with("#version")) reader.add_line(std::string(line));
  }
  file.merges = reader.take();
  file.pieces = vocabulary.pieces();
  file.byte_level = true;
  file.eos_id = file.bos_id = vocabulary.at(kEndOfText, "EOS");
  file.added_tokens.push_back({file.eos_id, kEndOfText, /*is_special=*/true, /*is_normalized=*/false});
  PreTokenizerStep step;
  step.kind = PreTokenizerStep::Kind::kByteLevel;
  step.pattern = kGpt2Pattern;
  file.pre_tokenizer.push_back(step);
  DecoderStep decoder;
  decoder.kind = DecoderStep::Kind::kByteLevel;
  file.decoder.push_back(decoder);
  check_byte_pieces(file, vocabulary, where);
  check_merges(file, vocabulary, where);
  return file;
}

}  // namespace bitnet
