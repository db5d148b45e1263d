#include "framework/data/huggingface_tokenizer.h"

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"
#include "framework/core/utf8.h"
#include "framework/data/bpe_encoder.h"
#include "framework/data/byte_alphabet.h"
#include "framework/data/regex_splitter.h"
#include "framework/data/sentencepiece_model.h"

namespace bitnet {
namespace {

// Changes when the same files give other ids than before.
constexpr char kEncoderVersion[] = "huggingface bpe 1\n";

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const size_t found = std::min(text.find(from), text.size());
    result += text.substr(0, found);
    text.remove_prefix(found);
    if (text.empty()) break;
    result += to;
    text.remove_prefix(from.size());
  }
  return result;
}

std::string normalize(const std::vector<NormalizerStep>& steps, std::string_view text) {
  std::string result(text);
  for (const NormalizerStep& step : steps) {
    if (step.kind == NormalizerStep::Kind::kReplace) {
      result = replace_all(result, step.from, step.to);
    } else if (!result.empty()) {
      result.insert(0, step.to);
    }
  }
  return result;
}

// Finds added tokens in text: the left-most, the longest of those that start there.
class AddedTokenMatcher {
 public:
  void add(std::string content, int32_t id) {
    auto& tokens = by_first_byte_[static_cast<uint8_t>(content[0])];
    const auto is_shorter = [&](const auto& token) { return token.first.size() < content.size(); };
    const auto place = std::ranges::find_if(tokens, is_shorter);
    tokens.emplace(place, std::move(content), id);
    is_empty_ = false;
  }

  // Calls `text_sink` with each stretch between tokens (not empty) and `token_sink` with each token's id, in order.
  template <typename TextSink, typename TokenSink>
  void split(std::string_view text, const TextSink& text_sink, const TokenSink& token_sink) const {
    size_t begin = 0;
    for (size_t position = 0; !is_empty_ && position < text.size();) {
      const auto* const token = match(text.substr(position));
      if (token == nullptr) {
        ++position;
        continue;
      }
      if (position > begin) text_sink(text.substr(begin, position - begin));
      token_sink(token->second);
      begin = position += token->first.size();
    }
    if (begin < text.size()) text_sink(text.substr(begin));
  }

 private:
  const std::pair<std::string, int32_t>* match(std::string_view text) const {
    for (const auto& token : by_first_byte_[static_cast<uint8_t>(text[0])]) {
      if (text.starts_with(token.first)) return &token;
    }
    return nullptr;
  }

  std::array<std::vector<std::pair<std::string, int32_t>>, 256> by_first_byte_;  // longest first
  bool is_empty_ = true;
};

// Cuts text into words.
class PreTokenizer {
 public:
  PreTokenizer(const std::vector<PreTokenizerStep>& steps, const std::string& where) : steps_(steps) {
    for (const PreTokenizerStep& step : steps) {
      splitters_.push_back(step.pattern.empty() ? nullptr : std::make_unique<RegexSplitter>(step.pattern, where));
    }
  }

  // Words of `piece`, each not empty. Those that differ from the text are kept in `owned`.
  template <typename Sink>
  void split(std::string_view piece, bool is_text_start, std::deque<std::string>& owned, const Sink& sink) const {
    apply(0, piece, is_text_start, owned, sink);
  }

 private:
  template <typename Sink>
  void apply(size_t index, std::string_view piece, bool is_text_start, std::deque<std::string>& owned,
             const Sink& sink) const {
    if (index == steps_.size()) return sink(piece);
    const PreTokenizerStep& step = steps_[index];
    bool is_first = is_text_start;
    const auto next = [&](std::string_view part) {
      apply(index + 1, part, is_first, owned, sink);
      is_first = false;
    };
    switch (step.kind) {
      case PreTokenizerStep::Kind::kSplit:
        break;
      case PreTokenizerStep::Kind::kByteLevel:
        if (step.add_prefix_space && !piece.starts_with(' ')) piece = owned.emplace_back(" " + std::string(piece));
        break;
      case PreTokenizerStep::Kind::kMetaspace: {
        std::string marked = replace_all(piece, " ", step.mark);
        const bool prepends = step.prepend == PreTokenizerStep::Prepend::kAlways ||
                              (step.prepend == PreTokenizerStep::Prepend::kFirst && is_text_start);
        if (prepends && !marked.starts_with(step.mark)) marked.insert(0, step.mark);
        piece = owned.emplace_back(std::move(marked));
        if (step.cut_before_mark) return cut_before(piece, step.mark, next);
        break;
      }
    }
    if (splitters_[index] == nullptr) return next(piece);
    splitters_[index]->split(piece, next);
  }

  template <typename Next>
  static void cut_before(std::string_view piece, const std::string& mark, const Next& next) {
    while (!piece.empty()) {
      const size_t end = std::min(piece.find(mark, mark.size() * piece.starts_with(mark)), piece.size());
      next(piece.substr(0, end));
      piece.remove_prefix(end);
    }
  }

  const std::vector<PreTokenizerStep>& steps_;
  std::vector<std::unique_ptr<RegexSplitter>> splitters_;
};

class HuggingFaceTokenizer final : public Tokenizer {
 public:
  HuggingFaceTokenizer(TokenizerFile file, std::string fingerprint, const std::string& where)
      : file_(std::move(file)),
        encoder_(file_),
        pre_tokenizer_(file_.pre_tokenizer, where),
        fingerprint_(std::move(fingerprint)),
        is_silent_(file_.pieces.size()) {
    for (const AddedToken& token : file_.added_tokens) {
      const auto id = static_cast<size_t>(token.id);
      is_silent_[id] = token.is_special;
      if (token.is_normalized) {
        if (std::string content = normalize(file_.normalizer, token.content); !content.empty()) {
          normalized_tokens_.add(std::move(content), token.id);
        }
      } else {
        raw_tokens_.add(token.content, token.id);
      }
    }
    is_silent_[static_cast<size_t>(file_.bos_id)] = is_silent_[static_cast<size_t>(file_.eos_id)] = true;
  }

  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> ids;
    std::deque<std::string> owned;  // text that words are views of
    BpeEncoder::Session session(encoder_, ids);
    const auto append_token = [&ids](int32_t id) { ids.push_back(id); };
    const auto append_word = [&session](std::string_view word) { session.encode(word); };
    raw_tokens_.split(
        text,
        [&](std::string_view stretch) {
          bool is_text_start = stretch.data() == text.data();
          if (!file_.normalizer.empty()) stretch = owned.emplace_back(normalize(file_.normalizer, stretch));
          normalized_tokens_.split(
              stretch,
              [&](std::string_view piece) {
                pre_tokenizer_.split(piece, is_text_start && piece.data() == stretch.data(), owned, append_word);
              },
              append_token);
        },
        append_token);
    return ids;
  }

  std::string decode(std::span<const int32_t> ids) const override {
    std::string text;
    bool is_first = true;
    for (const int32_t id : ids) {
      if (id < 0 || id >= vocab_size()) {
        throw DataError("tokenizer " + name() + ": a token id must be 0 to " + std::to_string(vocab_size() - 1) +
                        ", but is " + std::to_string(id) + ". Decode ids that this tokenizer made.");
      }
      if (is_silent_[static_cast<size_t>(id)]) continue;
      text += decoded_piece(id, is_first);
      is_first = false;
    }
    for (const DecoderStep& step : file_.decoder) {
      if (step.kind == DecoderStep::Kind::kStrip) strip(step, text);
    }
    return text;
  }

  int64_t vocab_size() const override { return static_cast<int64_t>(file_.pieces.size()); }
  int32_t bos_id() const override { return file_.bos_id; }
  int32_t eos_id() const override { return file_.eos_id; }
  std::string fingerprint() const override { return fingerprint_; }
  std::string name() const override { return "huggingface-" + std::to_string(vocab_size()); }

 private:
  std::string decoded_piece(int32_t id, bool is_first) const {
    std::string piece = file_.pieces[static_cast<size_t>(id)];
    for (const DecoderStep& step : file_.decoder) {
      switch (step.kind) {
        case DecoderStep::Kind::kReplace:
          piece = replace_all(piece, step.from, step.to);
          break;
        case DecoderStep::Kind::kByteFallback:
          if (const int byte = byte_of_piece(piece); byte >= 0) piece = std::string(1, static_cast<char>(byte));
          break;
        case DecoderStep::Kind::kByteLevel:
          piece = bytes_of_level(piece);
          break;
        case DecoderStep::Kind::kMetaspace:
          piece = replace_all(piece, step.from, step.drops_at_start && is_first ? "" : " ");
          break;
        case DecoderStep::Kind::kStrip:
          break;  // of the whole text
      }
    }
    return piece;
  }

  // The byte whose name a piece is, or -1.
  static int byte_of_piece(std::string_view piece) {
    static const std::vector<std::string> names = [] {
      std::vector<std::string> result;
      for (int byte = 0; byte < 256; ++byte) result.push_back(byte_piece_name(static_cast<uint8_t>(byte)));
      return result;
    }();
    if (piece.size() != 6 || !piece.starts_with("<0x")) return -1;
    const auto found = std::ranges::find(names, piece);
    return found == names.end() ? -1 : static_cast<int>(found - names.begin());
  }

  // The bytes that a piece spells; a piece with other characters (an added token) is its own text.
  static std::string bytes_of_level(const std::string& piece) {
    std::string bytes;
    for (size_t position = 0; position < piece.size();) {
      const size_t length = std::max<size_t>(utf8_character_length(piece, position), 1);
      const int byte = byte_of_level_character(std::string_view(piece).substr(position, length));
      if (byte < 0) return piece;
      bytes += static_cast<char>(byte);
      position += length;
    }
    return bytes;
  }

  static void strip(const DecoderStep& step, std::string& text) {
    std::string_view rest = text;
    for (int64_t i = 0; i < step.at_start && rest.starts_with(step.from); ++i) rest.remove_prefix(step.from.size());
    for (int64_t i = 0; i < step.at_end && rest.ends_with(step.from); ++i) rest.remove_suffix(step.from.size());
    text = std::string(rest);
  }

  TokenizerFile file_;
  BpeEncoder encoder_;
  PreTokenizer pre_tokenizer_;
  std::string fingerprint_;
  AddedTokenMatcher raw_tokens_, normalized_tokens_;
  std::vector<bool> is_silent_;  // control ids, which decode to nothing
};

std::string contents_or_empty(const std::filesystem::path& path) {
  return std::filesystem::is_regular_file(path) ? read_file(path) : std::string();
}

// GPT-2's own form, by the names that OpenAI and Hugging Face gave its two files.
constexpr std::array<std::pair<const char*, const char*>, 2> kGpt2Files = {{
    {"encoder.json", "vocab.bpe"},
    {"vocab.json", "merges.txt"},
}};

}  // namespace

std::unique_ptr<Tokenizer> make_huggingface_tokenizer(TokenizerFile file, std::string_view contents,
                                                      const std::string& where) {
  const std::string fingerprint = sha256_hex(kEncoderVersion + std::to_string(file.bos_id) + " " +
                                             std::to_string(file.eos_id) + "\n" + std::string(contents));
  return std::make_unique<HuggingFaceTokenizer>(std::move(file), fingerprint, where);
}

std::unique_ptr<Tokenizer> read_tokenizer_json(const std::filesystem::path& path) {
  const bool is_folder = std::filesystem::is_directory(path);
  for (const auto& [encoder, merges] : kGpt2Files) {
    const std::filesystem::path folder = is_folder ? path : path.parent_path();
    const bool is_named = is_folder ? !std::filesystem::exists(folder / "tokenizer.json") : path.filename() == encoder;
    if (!is_named || !std::filesystem::exists(folder / encoder)) continue;
    const std::string pieces = read_file(folder / encoder), lines = read_file(folder / merges);
    const std::string where = (folder / encoder).string();
    return make_huggingface_tokenizer(parse_gpt2_vocabulary(pieces, lines, where), pieces + "\n" + lines, where);
  }
  const std::filesystem::path file = is_folder ? path / "tokenizer.json" : path;
  const std::string text = read_file(file);
  const std::string config = contents_or_empty(file.parent_path() / "tokenizer_config.json");
  return make_huggingface_tokenizer(parse_tokenizer_json(text, config, file.string()), text, file.string());
}

}  // namespace bitnet
