#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "framework/data/tokenizer_json.h"

namespace bitnet {

/// Byte-pair encoding of words by ranked merges: the pair of neighbors with the lowest rank is joined, the left-most of
/// equals, until no pair has one. Source: https://github.com/huggingface/tokenizers, models/bpe.
class BpeEncoder {
 public:
  /// Keeps a reference to `file`.
  explicit BpeEncoder(const TokenizerFile& file);

  /// Encodes the words of one text; remembers the parts that it met, so that each is merged once.
  class Session {
   public:
    Session(const BpeEncoder& encoder, std::vector<int32_t>& ids) : encoder_(encoder), ids_(ids) {}
    /// Appends the ids of `word`, which must stay where it is as long as the session lives.
    void encode(std::string_view word);

   private:
    void append_part(std::string_view part);
    void append_unknown(std::string_view character);

    const BpeEncoder& encoder_;
    std::vector<int32_t>& ids_;
    std::unordered_map<std::string_view, std::pair<size_t, size_t>> known_;  // part -> begin and count in pool_
    std::vector<int32_t> pool_;
    std::vector<int32_t> symbols_;
  };

 private:
  // What merging starts from: a byte or a character. `id` is -1 where it has no piece.
  struct Symbol {
    int32_t id;
    size_t bytes;
  };
  struct Target {
    int32_t rank;
    int32_t result;
  };

  static uint64_t pair_key(int32_t left, int32_t right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }
  Symbol symbol_at(std::string_view text) const;
  bool joins(int32_t left, int32_t right) const;
  void merge(const std::vector<int32_t>& symbols, std::vector<int32_t>& ids) const;

  const TokenizerFile& file_;
  std::unordered_map<std::string_view, int32_t> pieces_;
  std::vector<int32_t> byte_symbols_;  // of 256 bytes; of a model of characters: of ASCII, else -1
  std::vector<int32_t> byte_pieces_;   // of 256 bytes, with byte fallback
  std::unordered_map<uint64_t, Target> targets_;
  // Symbols that stand beside each other somewhere inside a piece. No merge joins others, so words are cut between
  // them: the parts are shorter, and the same ones come again. Symbols of small number have a table.
  std::vector<int16_t> dense_;  // of each id: its row and column, or -1
  std::vector<bool> dense_joins_;
  std::unordered_set<uint64_t> other_joins_;
};

}  // namespace bitnet
