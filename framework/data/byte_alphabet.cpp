#include "framework/data/byte_alphabet.h"

#include <array>
#include <map>

namespace bitnet {
namespace {

std::string two_byte_character(unsigned code_point) {
  if (code_point < 0x80) return std::string(1, static_cast<char>(code_point));
  return {static_cast<char>(0xc0 | code_point >> 6), static_cast<char>(0x80 | (code_point & 0x3f))};
}

// Bytes that print as Latin-1 characters stand for themselves; the others follow from U+0100, in order.
std::array<std::string, 256> make_alphabet() {
  std::array<std::string, 256> alphabet;
  unsigned next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool prints = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    alphabet[byte] = two_byte_character(prints ? byte : next++);
  }
  return alphabet;
}

const std::array<std::string, 256>& alphabet() {
  static const std::array<std::string, 256> characters = make_alphabet();
  return characters;
}

}  // namespace

std::string byte_level_character(uint8_t byte) { return alphabet()[byte]; }

int byte_of_level_character(std::string_view character) {
  static const std::map<std::string, int, std::less<>> bytes = [] {
    std::map<std::string, int, std::less<>> result;
    for (int byte = 0; byte < 256; ++byte) result.emplace(alphabet()[static_cast<size_t>(byte)], byte);
    return result;
  }();
  const auto found = bytes.find(character);
  return found == bytes.end() ? -1 : found->second;
}

}  // namespace bitnet
