#include "framework/core/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "framework/core/error.h"
#include "framework/core/file.h"

namespace bitnet {
namespace {

void require_openssl(int result) {
  if (result != 1) throw Error(ExitCode::kInternal, "OpenSSL: SHA-256 must be available, but is not.");
}

}  // namespace

struct Sha256::Context {
  EVP_MD_CTX* digest = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(digest); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  require_openssl(context_->digest != nullptr && EVP_DigestInit_ex(context_->digest, EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() = default;

void Sha256::update(const void* bytes, size_t count) {
  require_openssl(EVP_DigestUpdate(context_->digest, bytes, count));
}

std::string Sha256::hex() {
  std::array<unsigned char, 32> digest{};
  require_openssl(EVP_DigestFinal_ex(context_->digest, digest.data(), nullptr));
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::string_view text) {
  Sha256 hash;
  hash.update(text);
  return hash.hex();
}

std::string sha256_file(const std::filesystem::path& path) {
  const MappedFile file(path);
  Sha256 hash;
  hash.update(file.bytes().data(), file.bytes().size());
  return hash.hex();
}

}  // namespace bitnet
