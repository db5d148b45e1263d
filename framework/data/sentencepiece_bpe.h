#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "framework/data/sentencepiece_model.h"
#include "framework/data/sentencepiece_normalizer.h"

namespace bitnet {

/// Byte-pair encoding of normalized text with the pieces of a SentencePiece model.
/// Source: https://github.com/google/sentencepiece, src/bpe_model.cc.
class SentencePieceBpe {
 public:
  /// Keeps references to `model` and `symbols`.
  SentencePieceBpe(const SentencePieceModel& model, const SymbolMatcher& symbols);

  /// Appends the ids of `text` to `ids`.
  void encode(std::string_view text, std::vector<int32_t>& ids) const;

  /// The id of a byte's piece. Only for models with byte fallback.
  int32_t byte_id(uint8_t byte) const { return byte_ids_[byte]; }
  /// The id of a piece's text; the unknown piece's where there is none.
  int32_t id_of(std::string_view piece) const;

 private:
  // The characters left and right of every place inside a piece. Merges can not join two characters that are no such
  // pair, so text is cut between them, and equal chunks are encoded once.
  class JoinablePairs {
   public:
    void insert(std::string_view left, std::string_view right);
    bool contains(std::string_view left, std::string_view right) const;

   private:
    static constexpr size_t kDense = 129;  // ASCII and U+2581: nearly all of English text
    std::vector<bool> dense_ = std::vector<bool>(kDense * kDense);
    std::unordered_set<uint64_t> others_;
  };

  struct Symbol {
    std::string_view piece;  // empty once merged into its left neighbor
    int64_t previous;        // -1: none
    int64_t next;            // -1: none
    bool frozen;             // user-defined: never merged
  };
  using Splits = std::unordered_map<std::string_view, std::pair<std::string_view, std::string_view>>;

  size_t symbol_length(std::string_view text, bool& frozen) const;
  void encode_chunk(std::string_view chunk, std::vector<int32_t>& ids) const;
  void merge(std::vector<Symbol>& symbols, Splits& splits) const;
  void append_piece(std::string_view piece, const Splits& splits, std::vector<int32_t>& ids) const;
  void append_id(int32_t id, std::string_view piece, std::vector<int32_t>& ids) const;

  const SentencePieceModel& model_;
  const SymbolMatcher& symbols_;
  std::unordered_map<std::string_view, int32_t> ordinary_;
  std::unordered_map<std::string_view, int32_t> reserved_;
  JoinablePairs joinable_;
  std::vector<int32_t> byte_ids_;
  int32_t unknown_id_ = 0;
  bool has_unused_ = false;
};

}  // namespace bitnet
