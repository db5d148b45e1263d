#include "framework/data/sentencepiece_normalizer.h"

#include <algorithm>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/utf8.h"

namespace bitnet {
namespace {

uint32_t load_little_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

}  // namespace

size_t character_length(std::string_view text) {
  static constexpr uint8_t kLengths[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4};
  return std::min<size_t>(text.size(), kLengths[static_cast<uint8_t>(text[0]) >> 4]);
}

SymbolMatcher::SymbolMatcher(const SentencePieceModel& model) {
  for (const SentencePiece& piece : model.pieces) {
    if (piece.type != PieceType::kUserDefined) continue;
    by_first_byte_[static_cast<uint8_t>(piece.text[0])].push_back(piece.text);
    empty_ = false;
  }
  for (auto& symbols : by_first_byte_) {
    std::stable_sort(symbols.begin(), symbols.end(),
                     [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  }
}

size_t SymbolMatcher::match(std::string_view text) const {
  if (empty_ || text.empty()) return 0;
  for (const std::string& symbol : by_first_byte_[static_cast<uint8_t>(text[0])]) {
    if (text.starts_with(symbol)) return symbol.size();
  }
  return 0;
}

SentencePieceNormalizer::SentencePieceNormalizer(const SentencePieceModel& model, const SymbolMatcher& symbols,
                                                 std::string where)
    : symbols_(symbols),
      where_(std::move(where)),
      space_(model.escape_whitespaces ? kSpaceMark : std::string_view(" ")),
      add_dummy_prefix_(model.add_dummy_prefix),
      remove_extra_whitespaces_(model.remove_extra_whitespaces),
      treat_whitespace_as_suffix_(model.treat_whitespace_as_suffix) {
  // Layout: bytes of the trie (4, little-endian), the trie's 4-byte units, the replacements.
  std::string_view map = model.precompiled_charsmap;
  if (map.empty()) return;
  if (map.size() <= 4) fail_character_map();
  const size_t trie_bytes = load_little_endian(map);
  map.remove_prefix(4);
  if (trie_bytes >= map.size() || trie_bytes % 4 != 0 || trie_bytes == 0) fail_character_map();
  for (size_t i = 0; i < trie_bytes; i += 4) trie_.push_back(load_little_endian(map.substr(i, 4)));
  replacements_ = map.substr(trie_bytes);
}

void SentencePieceNormalizer::fail_character_map() const {
  throw DataError(where_ +
                  ": the character map of a SentencePiece model must be a trie and its replacements, but is damaged. "
                  "Copy or download the file again.");
}

// The longest rule of the character map; consumed is 0 where none fits.
// Source: https://github.com/s-yata/darts-clone, DoubleArrayUnit and commonPrefixSearch.
SentencePieceNormalizer::Prefix SentencePieceNormalizer::mapped_prefix(std::string_view text) const {
  constexpr int kMaxRules = 32;  // the library looks at no more
  const auto offset = [](uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); };
  Prefix longest{{}, 0};
  int rules = 0;
  size_t node = offset(trie_[0]);
  for (size_t i = 0; i < text.size() && rules < kMaxRules; ++i) {
    const auto key = static_cast<uint8_t>(text[i]);
    node ^= key;
    if (node >= trie_.size()) fail_character_map();
    const uint32_t unit = trie_[node];
    if ((unit & (1u << 31 | 0xFFu)) != key) break;
    node ^= offset(unit);
    if ((unit >> 8 & 1) == 0) continue;
    if (node >= trie_.size()) fail_character_map();
    const size_t value = trie_[node] & 0x7FFFFFFFu;
    const size_t end = replacements_.find('\0', value);
    if (value >= replacements_.size() || end == std::string::npos) fail_character_map();
    longest = {std::string_view(replacements_).substr(value, end - value), i + 1};
    ++rules;
  }
  return longest;
}

SentencePieceNormalizer::Prefix SentencePieceNormalizer::normalize_prefix(std::string_view text) const {
  if (const size_t length = symbols_.match(text); length > 0) return {text.substr(0, length), length};
  if (!trie_.empty()) {
    if (const Prefix prefix = mapped_prefix(text); prefix.consumed > 0) return prefix;
  }
  if (const size_t length = utf8_character_length(text, 0); length > 0) return {text.substr(0, length), length};
  return {"\xEF\xBF\xBD", 1};
}

std::string SentencePieceNormalizer::normalize(std::string_view text) const {
  std::string result;
  if (remove_extra_whitespaces_) {
    while (!text.empty()) {
      const Prefix prefix = normalize_prefix(text);
      if (prefix.replacement != " ") break;
      text.remove_prefix(prefix.consumed);
    }
  }
  if (text.empty()) return result;
  result.reserve(text.size() + text.size() / 2);  // a space grows from 1 byte to 3; one character in five is a space
  if (add_dummy_prefix_ && !treat_whitespace_as_suffix_) result += space_;
  bool after_space = remove_extra_whitespaces_;
  while (!text.empty()) {
    const Prefix prefix = normalize_prefix(text);
    std::string_view replacement = prefix.replacement;
    while (after_space && replacement.starts_with(' ')) replacement.remove_prefix(1);
    for (const char byte : replacement) {
      if (byte == ' ') {
        result += space_;
      } else {
        result += byte;
      }
    }
    if (!replacement.empty()) after_space = replacement.ends_with(' ');
    if (!remove_extra_whitespaces_) after_space = false;
    text.remove_prefix(prefix.consumed);
  }
  if (remove_extra_whitespaces_) {
    while (result.ends_with(space_)) result.resize(result.size() - space_.size());
  }
  if (add_dummy_prefix_ && treat_whitespace_as_suffix_) result += space_;
  return result;
}

}  // namespace bitnet
