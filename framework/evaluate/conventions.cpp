#include "framework/evaluate/conventions.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "framework/core/error.h"
#include "framework/data/documents.h"

namespace bitnet {
namespace {

bool is_blank(std::string_view row) {
  size_t at = 0;
  while (const size_t length = white_space_length(row, at)) at += length;
  return at == row.size();
}

}  // namespace

std::string join_rows(std::string_view text) {
  std::string joined;
  joined.reserve(text.size() + text.size() / 16);
  for (size_t begin = 0; begin < text.size();) {
    const size_t newline = text.find('\n', begin);
    const size_t end = newline == std::string_view::npos ? text.size() : newline + 1;
    const std::string_view row = text.substr(begin, end - begin);
    if (begin > 0) joined += "\n\n";
    if (!is_blank(row)) joined += row;
    begin = end;
  }
  return joined;
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

std::vector<int64_t> token_bytes(const Tokenizer& tokenizer, std::span<const int32_t> ids) {
  if (ids.empty()) return {};
  // A piece alone may lose its leading space (SentencePiece strips the one it added to the text), so every piece but
  // the text's first is measured behind that first one.
  const auto size = [&tokenizer](std::span<const int32_t> part) {
    return static_cast<int64_t>(tokenizer.decode(part).size());
  };
  const int64_t first = size(ids.first(1));
  std::vector<int64_t> by_id(static_cast<size_t>(tokenizer.vocab_size()), -1);
  std::vector<int64_t> bytes = {first};
  bytes.reserve(ids.size());
  for (const int32_t id : ids.subspan(1)) {
    int64_t& known = by_id.at(static_cast<size_t>(id));
    if (known < 0) known = size(std::array{ids.front(), id}) - first;
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
