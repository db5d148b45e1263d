#include "framework/core/base64.h"

#include <openssl/evp.h>

#include <algorithm>

#include "framework/core/error.h"

namespace bitnet {
namespace {

bool is_base64_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  // OpenSSL counts in int: pieces of whole groups of three bytes, none of which needs padding but the last.
  constexpr size_t kPiece = size_t{3} << 20;
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends each piece with a zero
  size_t size = 0;
  for (size_t begin = 0; begin < bytes.size(); begin += kPiece) {
    const size_t count = std::min(kPiece, bytes.size() - begin);
    size += static_cast<size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()) + size,
                                                reinterpret_cast<const unsigned char*>(bytes.data()) + begin,
                                                static_cast<int>(count)));
  }
  text.resize(size);
  return text;
}

std::string base64_decode(std::string_view text, std::string_view where) {
  // OpenSSL takes white space and padding in places where there must be none.
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  const std::string_view digits = text.substr(0, text.size() - padding);
  if (text.size() % 4 != 0 || !std::all_of(digits.begin(), digits.end(), is_base64_character)) {
    throw DataError(std::string(where) + ": the data must be Base64, but is damaged. Restore the file.");
  }
  constexpr size_t kPiece = size_t{4} << 20;
  std::string bytes(text.size() / 4 * 3, '\0');
  for (size_t begin = 0; begin < text.size(); begin += kPiece) {
    const size_t count = std::min(kPiece, text.size() - begin);
    EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()) + begin / 4 * 3,
                    reinterpret_cast<const unsigned char*>(text.data()) + begin, static_cast<int>(count));
  }
  bytes.resize(bytes.size() - padding);  // OpenSSL gives a zero for each
  return bytes;
}

}  // namespace bitnet
