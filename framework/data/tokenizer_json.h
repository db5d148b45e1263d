#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bitnet {

/// Joins two pieces that are neighbors. Its rank is its index in the file; lower ranks go first.
struct BpeMerge {
  int32_t left = 0;
  int32_t right = 0;
  int32_t result = 0;
};

/// A piece that is found in text before anything else is done with it.
struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool is_special = false;
  bool is_normalized = false;  ///< looked for in normalized text, by its own normalized content
};

/// Part of a normalizer: puts `to` in front of text that is not empty, or replaces `from` by `to` everywhere.
struct NormalizerStep {
  enum class Kind { kPrepend, kReplace };
  Kind kind = Kind::kPrepend;
  std::string from;
  std::string to;
};

/// Part of a pre-tokenizer, which cuts text into words; no merge reaches over a cut.
struct PreTokenizerStep {
  enum class Kind { kSplit, kByteLevel, kMetaspace };
  enum class Prepend { kAlways, kFirst, kNever };
  Kind kind = Kind::kSplit;
  std::string pattern;                 ///< regular expression; empty: no cut
  bool add_prefix_space = false;       ///< kByteLevel: put a space before text that does not start with one
  Prepend prepend = Prepend::kAlways;  ///< kMetaspace: the same with the mark; kFirst: at the text's start alone
  std::string mark;                    ///< kMetaspace: stands for a space
  bool cut_before_mark = false;        ///< kMetaspace
};

/// Part of a decoder: what becomes of each piece, then, from kStrip on, of the whole text.
struct DecoderStep {
  enum class Kind { kReplace, kByteFallback, kByteLevel, kMetaspace, kStrip };
  Kind kind = Kind::kReplace;
  std::string from;             ///< kReplace and kMetaspace: what is replaced; kStrip: the character taken off
  std::string to;               ///< kReplace
  bool drops_at_start = false;  ///< kMetaspace: marks of the first piece give nothing
  int64_t at_start = 0;         ///< kStrip: at most so many
  int64_t at_end = 0;
};

/// What a Hugging Face `tokenizer.json` says, as far as ids and decoding depend on it. All ids are in
/// [0, pieces.size()); the pieces of a byte-level model are spelled in GPT-2's alphabet of bytes.
/// Source: https://github.com/huggingface/tokenizers, models/bpe and tokenizer/serialization.rs.
struct TokenizerFile {
  std::vector<std::string> pieces;  ///< by id, added tokens included
  std::vector<BpeMerge> merges;
  std::vector<AddedToken> added_tokens;
  std::vector<NormalizerStep> normalizer;
  std::vector<PreTokenizerStep> pre_tokenizer;
  std::vector<DecoderStep> decoder;
  bool byte_level = false;     ///< text becomes bytes before it is merged
  bool byte_fallback = false;  ///< a character without a piece becomes its bytes' pieces
  bool fuse_unknown = false;   ///< a run of characters without pieces is one unknown piece
  bool ignore_merges = false;  ///< a word that is a piece is not merged from its characters
  int32_t unknown_id = -1;     ///< -1: none
  int32_t bos_id = -1;
  int32_t eos_id = -1;
};

/// Reads the text of a `tokenizer.json`. `config` is the text of the `tokenizer_config.json` beside it, empty where
/// there is none. `where` names the first in errors.
/// Errors: DataError where anything is damaged, contradicts itself or would change ids and is not supported (named), or
/// where nothing names EOS.
TokenizerFile parse_tokenizer_json(std::string_view text, std::string_view config, const std::string& where);

/// Reads GPT-2's own form: the JSON object of pieces and ids, and the lines of merges.
TokenizerFile parse_gpt2_vocabulary(std::string_view encoder, std::string_view merges, const std::string& where);

}  // namespace bitnet
