#include "framework/data/bpe_encoder.h"

#include <algorithm>
#include <queue>
#include <span>
#include <utility>

#include "framework/core/utf8.h"
#include "framework/data/byte_alphabet.h"
#include "framework/data/sentencepiece_model.h"
#include "framework/data/sentencepiece_normalizer.h"

namespace bitnet {
namespace {

constexpr size_t kDense = 257;  // bytes, or ASCII and U+2581

std::string_view first_character(std::string_view text) {
  return text.substr(0, std::max<size_t>(utf8_character_length(text, 0), 1));
}

std::string_view last_character(std::string_view text) {
  size_t begin = text.size() - 1;
  while (begin > 0 && (static_cast<uint8_t>(text[begin]) & 0xc0) == 0x80) --begin;
  return text.substr(begin);
}

}  // namespace

BpeEncoder::BpeEncoder(const TokenizerFile& file) : file_(file) {
  for (size_t id = 0; id < file.pieces.size(); ++id) pieces_.emplace(file.pieces[id], static_cast<int32_t>(id));
  const auto id_of = [this](std::string_view piece) {
    const auto found = pieces_.find(piece);
    return found == pieces_.end() ? -1 : found->second;
  };
  for (int i = 0; i < 256; ++i) {
    const auto byte = static_cast<uint8_t>(i);
    const std::string ascii(byte < 0x80 ? 1 : 0, static_cast<char>(byte));
    byte_symbols_.push_back(id_of(file.byte_level ? byte_level_character(byte) : ascii));
    if (file.byte_fallback) byte_pieces_.push_back(id_of(byte_piece_name(byte)));
  }
  dense_.assign(file.pieces.size(), -1);
  dense_joins_.resize(kDense * kDense);
  const auto number = [this](int32_t id, size_t row) {
    if (id >= 0) dense_[static_cast<size_t>(id)] = static_cast<int16_t>(row);
  };
  for (size_t i = 0; i < 256; ++i) number(byte_symbols_[i], i);
  if (!file.byte_level) number(id_of(kSpaceMark), 256);

  for (size_t rank = 0; rank < file.merges.size(); ++rank) {
    const BpeMerge& merge = file.merges[rank];
    targets_.emplace(pair_key(merge.left, merge.right), Target{static_cast<int32_t>(rank), merge.result});
    const int32_t left = id_of(last_character(file.pieces[static_cast<size_t>(merge.left)]));
    const int32_t right = id_of(first_character(file.pieces[static_cast<size_t>(merge.right)]));
    if (left < 0 || right < 0) continue;  // no text comes to this merge
    const int16_t row = dense_[static_cast<size_t>(left)], column = dense_[static_cast<size_t>(right)];
    if (row >= 0 && column >= 0) {
      dense_joins_[static_cast<size_t>(row) * kDense + static_cast<size_t>(column)] = true;
    } else {
      other_joins_.insert(pair_key(left, right));
    }
  }
}

BpeEncoder::Symbol BpeEncoder::symbol_at(std::string_view text) const {
  const auto byte = static_cast<uint8_t>(text[0]);
  if (file_.byte_level || byte < 0x80) return {byte_symbols_[byte], 1};
  const std::string_view character = first_character(text);
  const auto found = pieces_.find(character);
  return {found == pieces_.end() ? -1 : found->second, character.size()};
}

bool BpeEncoder::joins(int32_t left, int32_t right) const {
  const int16_t row = dense_[static_cast<size_t>(left)], column = dense_[static_cast<size_t>(right)];
  if (row >= 0 && column >= 0) return dense_joins_[static_cast<size_t>(row) * kDense + static_cast<size_t>(column)];
  return other_joins_.contains(pair_key(left, right));
}

void BpeEncoder::Session::encode(std::string_view word) {
  if (encoder_.file_.ignore_merges) {
    std::string piece;
    if (encoder_.file_.byte_level) {
      for (const char byte : word) piece += byte_level_character(static_cast<uint8_t>(byte));
    }
    const auto found = encoder_.pieces_.find(encoder_.file_.byte_level ? std::string_view(piece) : word);
    if (found != encoder_.pieces_.end()) {
      ids_.push_back(found->second);
      return;
    }
  }
  // A word of this length is better looked up than looked through.
  constexpr size_t kShort = 32;
  if (encoder_.file_.byte_level && word.size() <= kShort) return append_part(word);
  size_t part_begin = 0;
  int32_t left = -1;  // the symbol before `position`
  bool after_unknown = false;
  for (size_t position = 0; position < word.size();) {
    const Symbol symbol = encoder_.symbol_at(word.substr(position));
    const bool joins = left >= 0 && symbol.id >= 0 && encoder_.joins(left, symbol.id);
    if (!joins && left >= 0) {
      append_part(word.substr(part_begin, position - part_begin));
      part_begin = position;
    }
    if (symbol.id < 0) {
      if (!after_unknown || !encoder_.file_.fuse_unknown) append_unknown(word.substr(position, symbol.bytes));
      part_begin = position + symbol.bytes;
    }
    after_unknown = symbol.id < 0 && !encoder_.file_.byte_fallback;
    left = symbol.id;
    position += symbol.bytes;
  }
  if (part_begin < word.size()) append_part(word.substr(part_begin));
}

void BpeEncoder::Session::append_unknown(std::string_view character) {
  if (!encoder_.file_.byte_fallback) return ids_.push_back(encoder_.file_.unknown_id);
  for (const char byte : character) ids_.push_back(encoder_.byte_pieces_[static_cast<uint8_t>(byte)]);
}

void BpeEncoder::Session::append_part(std::string_view part) {
  const auto [entry, is_new] = known_.try_emplace(part, pool_.size(), 0);
  auto& [begin, count] = entry->second;
  if (is_new) {
    symbols_.clear();
    for (std::string_view rest = part; !rest.empty();) {
      const Symbol symbol = encoder_.symbol_at(rest);
      symbols_.push_back(symbol.id);
      rest.remove_prefix(symbol.bytes);
    }
    encoder_.merge(symbols_, pool_);
    count = pool_.size() - begin;
  }
  const std::span<const int32_t> ids = std::span(pool_).subspan(begin, count);
  ids_.insert(ids_.end(), ids.begin(), ids.end());
}

void BpeEncoder::merge(const std::vector<int32_t>& symbols, std::vector<int32_t>& ids) const {
  struct Node {
    int32_t id;  // -1 once merged into its left neighbor
    int64_t previous;
    int64_t next;
  };
  struct Pair {
    int32_t rank;
    int32_t result;
    int64_t left;
  };
  const auto is_later = [](const Pair& a, const Pair& b) {
    return a.rank > b.rank || (a.rank == b.rank && a.left > b.left);
  };
  std::priority_queue<Pair, std::vector<Pair>, decltype(is_later)> pairs(is_later);
  std::vector<Node> nodes;
  nodes.reserve(symbols.size());
  const auto count = static_cast<int64_t>(symbols.size());
  for (int64_t i = 0; i < count; ++i) {
    nodes.push_back({symbols[static_cast<size_t>(i)], i - 1, i + 1 < count ? i + 1 : -1});
  }
  const auto node = [&nodes](int64_t index) -> Node& { return nodes[static_cast<size_t>(index)]; };
  const auto target = [&](int64_t left) { return targets_.find(pair_key(node(left).id, node(node(left).next).id)); };
  const auto propose = [&](int64_t left) {
    if (left < 0 || node(left).next < 0) return;
    const auto found = target(left);
    if (found != targets_.end()) pairs.push({found->second.rank, found->second.result, left});
  };
  for (int64_t i = 0; i < count; ++i) propose(i);
  while (!pairs.empty()) {
    const Pair best = pairs.top();
    pairs.pop();
    Node& left = node(best.left);
    if (left.id < 0 || left.next < 0) continue;
    // One of the two may have grown since.
    const auto now = target(best.left);
    if (now == targets_.end() || now->second.result != best.result) continue;
    Node& right = node(left.next);
    left.id = best.result;
    left.next = right.next;
    if (right.next >= 0) node(right.next).previous = best.left;
    right.id = -1;
    propose(left.previous);
    propose(best.left);
  }
  for (const Node& symbol : nodes) {
    if (symbol.id >= 0) ids.push_back(symbol.id);
  }
}

}  // namespace bitnet
