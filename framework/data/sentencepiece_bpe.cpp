#include "framework/data/sentencepiece_bpe.h"

#include <queue>
#include <span>
#include <utility>

namespace bitnet {
namespace {

// A character of at most 4 bytes as one number.
uint32_t character_key(std::string_view character) {
  uint32_t key = 0;
  for (const char byte : character) key = key << 8 | static_cast<uint8_t>(byte);
  return key;
}

// Index into the dense table, or -1.
int dense_index(std::string_view character) {
  if (character.size() == 1 && static_cast<uint8_t>(character[0]) < 0x80) return character[0];
  return character == kSpaceMark ? 128 : -1;
}

}  // namespace

void SentencePieceBpe::JoinablePairs::insert(std::string_view left, std::string_view right) {
  const int left_index = dense_index(left), right_index = dense_index(right);
  if (left_index >= 0 && right_index >= 0) {
    dense_[static_cast<size_t>(left_index) * kDense + static_cast<size_t>(right_index)] = true;
  } else {
    others_.insert(static_cast<uint64_t>(character_key(left)) << 32 | character_key(right));
  }
}

bool SentencePieceBpe::JoinablePairs::contains(std::string_view left, std::string_view right) const {
  const int left_index = dense_index(left), right_index = dense_index(right);
  if (left_index >= 0 && right_index >= 0) {
    return dense_[static_cast<size_t>(left_index) * kDense + static_cast<size_t>(right_index)];
  }
  return others_.contains(static_cast<uint64_t>(character_key(left)) << 32 | character_key(right));
}

SentencePieceBpe::SentencePieceBpe(const SentencePieceModel& model, const SymbolMatcher& symbols)
    : model_(model), symbols_(symbols) {
  for (size_t i = 0; i < model.pieces.size(); ++i) {
    const SentencePiece& piece = model.pieces[i];
    const auto id = static_cast<int32_t>(i);
    if (piece.type == PieceType::kUnknown) unknown_id_ = id;
    if (piece.type == PieceType::kUnused) has_unused_ = true;
    const bool is_ordinary =
        piece.type == PieceType::kNormal || piece.type == PieceType::kUserDefined || piece.type == PieceType::kUnused;
    (is_ordinary ? ordinary_ : reserved_).emplace(piece.text, id);
    if (!is_ordinary) continue;
    std::string_view left, rest = piece.text;
    while (!rest.empty()) {
      const std::string_view right = rest.substr(0, character_length(rest));
      if (!left.empty()) joinable_.insert(left, right);
      left = right;
      rest.remove_prefix(right.size());
    }
  }
  if (model.byte_fallback) {
    for (int byte = 0; byte < 256; ++byte) byte_ids_.push_back(id_of(byte_piece_name(static_cast<uint8_t>(byte))));
  }
}

int32_t SentencePieceBpe::id_of(std::string_view piece) const {
  if (const auto found = reserved_.find(piece); found != reserved_.end()) return found->second;
  if (const auto found = ordinary_.find(piece); found != ordinary_.end()) return found->second;
  return unknown_id_;
}

size_t SentencePieceBpe::symbol_length(std::string_view text, bool& frozen) const {
  const size_t length = symbols_.match(text);
  frozen = length > 0;
  return frozen ? length : character_length(text);
}

void SentencePieceBpe::encode(std::string_view text, std::vector<int32_t>& ids) const {
  // Unused pieces fall apart again by the split seen last anywhere in the text: no chunk is then independent of others.
  if (has_unused_) return encode_chunk(text, ids);

  std::unordered_map<std::string_view, std::pair<size_t, size_t>> known;  // chunk -> begin and count in `pool`
  std::vector<int32_t> pool;
  const auto append_chunk = [&](std::string_view chunk) {
    const auto [entry, is_new] = known.try_emplace(chunk, pool.size(), 0);
    if (is_new) {
      std::vector<int32_t> new_ids;
      encode_chunk(chunk, new_ids);
      entry->second.second = new_ids.size();
      pool.insert(pool.end(), new_ids.begin(), new_ids.end());
    }
    std::span<const int32_t> chunk_ids = std::span(pool).subspan(entry->second.first, entry->second.second);
    const bool joins_unknown = !model_.byte_fallback && !chunk_ids.empty() && chunk_ids.front() == unknown_id_ &&
                               !ids.empty() && ids.back() == unknown_id_;
    if (joins_unknown) chunk_ids = chunk_ids.subspan(1);
    ids.insert(ids.end(), chunk_ids.begin(), chunk_ids.end());
  };

  size_t chunk_begin = 0;
  std::string_view left;  // the symbol before `position`; empty after a user-defined one
  for (size_t position = 0; position < text.size();) {
    bool frozen = false;
    const std::string_view right = text.substr(position, symbol_length(text.substr(position), frozen));
    const bool joins = !frozen && !left.empty() && joinable_.contains(left, right);
    if (!joins && position > chunk_begin) {
      append_chunk(text.substr(chunk_begin, position - chunk_begin));
      chunk_begin = position;
    }
    left = frozen ? std::string_view() : right;
    position += right.size();
  }
  if (chunk_begin < text.size()) append_chunk(text.substr(chunk_begin));
}

void SentencePieceBpe::encode_chunk(std::string_view chunk, std::vector<int32_t>& ids) const {
  std::vector<Symbol> symbols;
  for (std::string_view rest = chunk; !rest.empty();) {
    Symbol symbol;
    symbol.piece = rest.substr(0, symbol_length(rest, symbol.frozen));
    symbol.previous = static_cast<int64_t>(symbols.size()) - 1;
    rest.remove_prefix(symbol.piece.size());
    symbol.next = rest.empty() ? -1 : static_cast<int64_t>(symbols.size()) + 1;
    symbols.push_back(symbol);
  }
  Splits splits;
  merge(symbols, splits);
  for (const Symbol& symbol : symbols) {
    if (!symbol.piece.empty()) append_piece(symbol.piece, splits, ids);
  }
}

// Joins the pair with the highest score, the left-most of equals, until no pair is a piece.
void SentencePieceBpe::merge(std::vector<Symbol>& symbols, Splits& splits) const {
  struct Pair {
    float score;
    int64_t left;
    int64_t right;
    size_t size;  // in bytes; another size now means that one of the two has grown since
  };
  const auto is_worse = [](const Pair& a, const Pair& b) {
    return a.score < b.score || (a.score == b.score && a.left > b.left);
  };
  std::priority_queue<Pair, std::vector<Pair>, decltype(is_worse)> pairs(is_worse);
  const auto joined = [&](int64_t left, int64_t right) {
    const std::string_view piece = symbols[static_cast<size_t>(left)].piece;
    return std::string_view(piece.data(), piece.size() + symbols[static_cast<size_t>(right)].piece.size());
  };
  const auto propose = [&](int64_t left, int64_t right) {
    if (left < 0 || right < 0) return;
    const Symbol &left_symbol = symbols[static_cast<size_t>(left)], &right_symbol = symbols[static_cast<size_t>(right)];
    if (left_symbol.frozen || right_symbol.frozen) return;
    const std::string_view piece = joined(left, right);
    const auto found = ordinary_.find(piece);
    if (found == ordinary_.end()) return;
    const SentencePiece& target = model_.pieces[static_cast<size_t>(found->second)];
    pairs.push({target.score, left, right, piece.size()});
    if (target.type == PieceType::kUnused) splits[piece] = {left_symbol.piece, right_symbol.piece};
  };

  for (size_t right = 1; right < symbols.size(); ++right) {
    propose(static_cast<int64_t>(right) - 1, static_cast<int64_t>(right));
  }
  while (!pairs.empty()) {
    const Pair best = pairs.top();
    pairs.pop();
    Symbol& left = symbols[static_cast<size_t>(best.left)];
    Symbol& right = symbols[static_cast<size_t>(best.right)];
    if (left.piece.empty() || right.piece.empty() || left.piece.size() + right.piece.size() != best.size) continue;
    left.piece = joined(best.left, best.right);
    left.next = right.next;
    if (right.next >= 0) symbols[static_cast<size_t>(right.next)].previous = best.left;
    right.piece = {};
    propose(left.previous, best.left);
    propose(best.left, left.next);
  }
}

void SentencePieceBpe::append_piece(std::string_view piece, const Splits& splits, std::vector<int32_t>& ids) const {
  const int32_t id = id_of(piece);
  if (model_.pieces[static_cast<size_t>(id)].type == PieceType::kUnused) {
    if (const auto split = splits.find(piece); split != splits.end()) {
      append_piece(split->second.first, splits, ids);
      append_piece(split->second.second, splits, ids);
      return;
    }
  }
  append_id(id, piece, ids);
}

void SentencePieceBpe::append_id(int32_t id, std::string_view piece, std::vector<int32_t>& ids) const {
  if (id == unknown_id_ && model_.byte_fallback) {
    for (const char byte : piece) ids.push_back(byte_id(static_cast<uint8_t>(byte)));
    return;
  }
  if (id == unknown_id_ && !ids.empty() && ids.back() == unknown_id_) return;  // a run of unknowns is one
  ids.push_back(id);
}

}  // namespace bitnet
