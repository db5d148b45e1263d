#include "framework/core/text_template.h"

#include <algorithm>

namespace bitnet {
namespace {

/// A run of text, a brace, or the name of a place.
struct Piece {
  std::string_view text;
  bool is_place = false;
};

/// The piece at the start of `rest`, which is not empty, and how many bytes of it that took; 0 for a lone brace.
size_t read_piece(std::string_view rest, Piece* piece) {
  const size_t brace = rest.find_first_of("{}");
  if (brace != 0) {
    *piece = {rest.substr(0, brace), false};
    return piece->text.size();
  }
  if (rest.size() > 1 && rest[1] == rest[0]) {
    *piece = {rest.substr(0, 1), false};
    return 2;
  }
  const size_t end = rest.find_first_of("{}", 1);
  if (rest[0] == '}' || end == std::string_view::npos || rest[end] == '{') return 0;
  *piece = {rest.substr(1, end - 1), true};
  return end + 1;
}

}  // namespace

std::string template_problem(std::string_view text, std::span<const std::string_view> names) {
  while (!text.empty()) {
    Piece piece;
    const size_t size = read_piece(text, &piece);
    if (size == 0) return "has a brace that belongs to no place (write it twice for the brace itself)";
    if (piece.is_place && std::find(names.begin(), names.end(), piece.text) == names.end()) {
      return "has the unknown place {" + std::string(piece.text) + "}";
    }
    text.remove_prefix(size);
  }
  return "";
}

std::string fill_template(std::string_view text, const std::map<std::string_view, std::string_view>& values) {
  std::string filled;
  while (!text.empty()) {
    Piece piece;
    const size_t size = read_piece(text, &piece);
    filled += piece.is_place ? values.at(piece.text) : piece.text;
    text.remove_prefix(size);
  }
  return filled;
}

}  // namespace bitnet
