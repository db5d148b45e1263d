#include "framework/core/base64.h"

#include <openssl/evp.h>

#include <algorithm>

namespace bitnet {

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

}  // namespace bitnet
