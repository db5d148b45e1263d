#include "framework/evaluate/conventions.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "framework/core/error.h"
#include "framework/data/documents.h"

namespace bitnet {
namespace {

bool is_blank(std::string_view row) {
  size_t at = 0;
  while (const size_t length = white_space_length(row, at)) at += length;
  return at == row.size();
}

/// Calls `visit` with every line and its newline.
template <typename Visit>
void for_each_row(std::string_view text, const Visit& visit) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t newline = text.find('\n', begin);
    const size_t end = newline == std::string_view::npos ? text.size() : newline + 1;
    visit(text.substr(begin, end - begin));
    begin = end;
  }
}

}  // namespace

std::string join_rows(std::string_view text) {
  std::string joined;
  joined.reserve(text.size() + text.size() / 16);
  for_each_row(text, [&](std::string_view row) {
    if (row.data() != text.data()) joined += "\n\n";
    if (!is_blank(row)) joined += row;
  });
  return joined;
}

std::vector<std::string_view> text_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for_each_row(text, [&lines](std::string_view row) {
    if (is_blank(row)) return;
    lines.push_back(row.ends_with('\n') ? row.substr(0, row.size() - 1) : row);
  });
  return lines;
}

std::vector<ScoreRequest> fixed_windows(std::span<const int32_t> ids, int64_t length) {
  const auto count = static_cast<int64_t>(ids.size()) / length;
  std::vector<ScoreRequest> windows(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const auto begin = ids.begin() + i * length;
    windows[static_cast<size_t>(i)].tokens.assign(begin, begin + length);
  }
  return windows;
}

std::vector<ScoreRequest> rolling_windows(std::span<const int32_t> ids, int32_t prefix, int64_t length) {
  const auto count = static_cast<int64_t>(ids.size());
  std::vector<ScoreRequest> windows;
  int64_t predicted = std::min(count, length);
  if (predicted == 0) return windows;
  ScoreRequest& first = windows.emplace_back();
  first.tokens.push_back(prefix);
  first.tokens.insert(first.tokens.end(), ids.begin(), ids.begin() + predicted);
  while (predicted < count) {
    const int64_t scored = std::min(count - predicted, length);
    const int64_t end = predicted + scored;
    ScoreRequest& window = windows.emplace_back();
    window.tokens.assign(ids.begin() + (end - length - 1), ids.begin() + end);  // predicted >= length: begin >= 0
    window.scored_from = length + 1 - scored;
    predicted = end;
  }
  return windows;
}

std::vector<PackedWindow> packed_windows(std::span<const std::vector<int32_t>> lines, int32_t bos, int64_t length) {
  std::vector<PackedWindow> windows;
  const auto size_of = [](const auto& tokens) { return static_cast<int64_t>(tokens.size()); };
  PackedWindow open;
  const auto restart = [&open, bos] {
    open = PackedWindow();
    open.request.tokens.push_back(bos);
  };
  restart();
  for (size_t i = 0; i < lines.size(); ++i) {
    if (size_of(lines[i]) > length) continue;
    if (size_of(open.request.tokens) + size_of(lines[i]) > length) {
      // The reference also keeps a BOS alone (before a first line of `length` tokens), which scores nothing.
      if (!open.lines.empty()) windows.push_back(std::move(open));
      restart();
    }
    open.request.tokens.insert(open.request.tokens.end(), lines[i].begin(), lines[i].end());
    open.lines.push_back(i);
  }
  if (!open.lines.empty() && size_of(open.request.tokens) <= length) windows.push_back(std::move(open));
  return windows;
}

std::vector<SlidingWindow> sliding_windows(std::span<const int32_t> ids, int64_t length, int64_t stride) {
  const auto count = static_cast<int64_t>(ids.size());
  std::vector<SlidingWindow> windows;
  int64_t scored_end = 0;
  for (int64_t begin = 0; scored_end < count; begin += stride) {
    const int64_t end = std::min(begin + length, count);
    SlidingWindow window;
    window.begin = begin;
    window.weight = end - scored_end - 1;
    window.request.tokens.assign(ids.begin() + begin, ids.begin() + end);
    window.request.scored_from = std::max<int64_t>(scored_end - begin, 1);  // a first token has nothing before it
    if (window.weight > 0) windows.push_back(std::move(window));
    scored_end = end;
  }
  return windows;
}

std::vector<ScoreRequest> half_scored_windows(std::span<const int32_t> ids, std::optional<int32_t> bos,
                                              int64_t length) {
  std::vector<ScoreRequest> windows = fixed_windows(ids, length);
  for (ScoreRequest& window : windows) {
    if (bos) window.tokens.front() = *bos;
    window.scored_from = length / 2 + 1;
  }
  return windows;
}

std::vector<int64_t> token_bytes(const Tokenizer& tokenizer, std::span<const int32_t> ids) {
  if (ids.empty()) return {};
  // A piece alone may lose its leading space (SentencePiece strips the one it added to the text), so every piece is
  // measured behind one that stands for some text: the first such one. Those up to it are measured as they stand.
  const auto size = [&tokenizer](std::span<const int32_t> part) {
    return static_cast<int64_t>(tokenizer.decode(part).size());
  };
  std::vector<int64_t> bytes;
  bytes.reserve(ids.size());
  int64_t before = 0;
  while (bytes.size() < ids.size() && before == 0) {
    before = size(ids.first(bytes.size() + 1));
    bytes.push_back(before);
  }
  const int32_t anchor = ids[bytes.size() - 1];
  const int64_t anchor_size = size(std::array{anchor});
  std::vector<int64_t> by_id(static_cast<size_t>(tokenizer.vocab_size()), -1);
  for (const int32_t id : ids.subspan(bytes.size())) {
    int64_t& known = by_id.at(static_cast<size_t>(id));
    if (known < 0) known = size(std::array{anchor, id}) - anchor_size;
    bytes.push_back(known);
  }
  const int64_t sum = std::accumulate(bytes.begin(), bytes.end(), int64_t{0});
  const int64_t decoded = size(ids);
  if (sum != decoded) {
    throw DataError("token_bytes: the pieces of tokenizer '" + tokenizer.name() + "' must add up to the " +
                    std::to_string(decoded) + " bytes of the decoded text, but hold " + std::to_string(sum) +
                    ". Bits per byte can not be given with this tokenizer.");
  }
  return bytes;
}

}  // namespace bitnet
