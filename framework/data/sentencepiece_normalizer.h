#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "framework/data/sentencepiece_model.h"

namespace bitnet {

/// U+2581, which stands for a space inside pieces.
inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

/// Bytes that the first byte of `text` (not empty) announces, at most those left: the unit that BPE starts from.
size_t character_length(std::string_view text);

/// Finds the user-defined symbols, which are never split or merged.
class SymbolMatcher {
 public:
  explicit SymbolMatcher(const SentencePieceModel& model);
  /// Length of the longest symbol at the start of `text`, 0 where there is none.
  size_t match(std::string_view text) const;

 private:
  std::array<std::vector<std::string>, 256> by_first_byte_;  // longest first
  bool empty_ = true;
};

/// Text to the form whose characters BPE merges: character map, spaces to U+2581, dummy prefix, extra spaces removed,
/// as the model says. Bytes that are no UTF-8 become U+FFFD. Source: https://github.com/google/sentencepiece,
/// src/normalizer.cc.
class SentencePieceNormalizer {
 public:
  /// `where` names the model file. Errors: DataError where the character map is damaged.
  SentencePieceNormalizer(const SentencePieceModel& model, const SymbolMatcher& symbols, std::string where);
  std::string normalize(std::string_view text) const;

 private:
  struct Prefix {
    std::string_view replacement;
    size_t consumed;
  };
  Prefix normalize_prefix(std::string_view text) const;
  Prefix mapped_prefix(std::string_view text) const;
  [[noreturn]] void fail_character_map() const;

  const SymbolMatcher& symbols_;
  std::string where_;
  std::string_view space_;
  bool add_dummy_prefix_;
  bool remove_extra_whitespaces_;
  bool treat_whitespace_as_suffix_;
  std::vector<uint32_t> trie_;  // double array (darts-clone); empty: no character map
  std::string replacements_;    // NUL-terminated strings; the trie's values are offsets into it
};

}  // namespace bitnet
