#include <bit>
#include <cstring>
#include <string_view>
#include <utility>

#include "framework/config/resolve.h"
#include "framework/core/error.h"
#include "framework/core/sha256.h"
#include "framework/data/token_windows.h"

namespace bitnet {
namespace {

static_assert(std::endian::native == std::endian::little, "token files are read and written as they lie in memory");

constexpr char kMagic[8] = {'B', 'I', 'T', 'N', 'E', 'T', 'T', 'K'};
constexpr uint32_t kVersion = 1;
constexpr size_t kDigestBytes = 64;  // hexadecimal digits of a SHA-256

struct TokenHeader {
  char magic[8];
  uint32_t version;
  uint32_t token_bytes;
  uint64_t count;
  uint64_t vocab_size;
  char tokenizer[kDigestBytes];
  char documents[kDigestBytes];
  char checksum[kDigestBytes];  // of header and ids, with zeros in its own place
  char reserved[32];
};
static_assert(sizeof(TokenHeader) == 256);  // 8 + 4 + 4 + 8 + 8 + 3 * 64 + 32

void set_digest(char (&field)[kDigestBytes], const std::string& digest) {
  if (digest.size() != kDigestBytes) {
    throw DataError("token file: a digest must have 64 hexadecimal digits, but is '" + digest + "'. Give a SHA-256.");
  }
  std::memcpy(field, digest.data(), kDigestBytes);
}

std::string_view digest_text(const char (&field)[kDigestBytes]) { return {field, kDigestBytes}; }

uint32_t token_bytes_for(int64_t vocab_size) { return vocab_size <= 65536 ? 2 : 4; }

std::string header_checksum(TokenHeader header, std::string_view ids) {
  std::memset(header.checksum, 0, kDigestBytes);
  Sha256 digest;
  digest.update(&header, sizeof header);
  digest.update(ids);
  return digest.hex();
}

[[noreturn]] void fail_token_file(const std::filesystem::path& path, const std::string& text) {
  throw DataError(path.string() + ": " + text +
                  ". Remove this file; the command `bitnet data tokenize EXPERIMENT.yaml` " + "makes it anew.");
}

template <typename Id>
std::string narrow_ids(std::span<const int32_t> ids) {
  std::string bytes(ids.size() * sizeof(Id), '\0');
  for (size_t i = 0; i < ids.size(); ++i) {
    const Id id = static_cast<Id>(ids[i]);
    std::memcpy(bytes.data() + i * sizeof(Id), &id, sizeof(Id));
  }
  return bytes;
}

template <typename Id>
uint64_t id_at(std::string_view ids, size_t index) {
  Id id;
  std::memcpy(&id, ids.data() + index * sizeof(Id), sizeof(Id));
  return id;
}

template <typename Id>
void check_ids(std::string_view ids, uint64_t vocab_size, const std::filesystem::path& path) {
  for (size_t i = 0; i < ids.size() / sizeof(Id); ++i) {
    if (const uint64_t id = id_at<Id>(ids, i); id >= vocab_size) {
      fail_token_file(path, "token " + std::to_string(i) + " must be 0 to " + std::to_string(vocab_size - 1) +
                                ", but is " + std::to_string(id));
    }
  }
}

}  // namespace

TokenFile::TokenFile(const std::filesystem::path& path, const Tokenizer& tokenizer, const std::string& documents_digest)
    : file_(path), path_(path.string()) {
  const std::string_view bytes = file_.text();
  TokenHeader header;
  if (bytes.size() < sizeof header) {
    fail_token_file(path, "a token file must have a header of " + std::to_string(sizeof header) + " bytes, but has " +
                              std::to_string(bytes.size()) + " bytes in all: it is truncated");
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) {
    fail_token_file(path, "a token file must begin with BITNETTK, but does not: it is damaged or of another kind");
  }
  if (header.version != kVersion) {
    fail_token_file(path, "the token file's version must be " + std::to_string(kVersion) + ", but is " +
                              std::to_string(header.version));
  }
  if (header.token_bytes != 2 && header.token_bytes != 4) {
    fail_token_file(
        path, "an id must have 2 or 4 bytes, but has " + std::to_string(header.token_bytes) + ": the file is damaged");
  }
  const std::string_view ids = bytes.substr(sizeof header);
  if (ids.size() % header.token_bytes != 0 || ids.size() / header.token_bytes != header.count) {
    fail_token_file(path, "the token file must hold " + std::to_string(header.count) + " ids of " +
                              std::to_string(header.token_bytes) + " bytes, but holds " + std::to_string(ids.size()) +
                              " bytes of ids: it is truncated or damaged");
  }
  sha256_ = header_checksum(header, ids);
  if (sha256_ != digest_text(header.checksum)) {
    fail_token_file(path, "the SHA-256 of the token file must be " + std::string(digest_text(header.checksum)) +
                              ", but is " + sha256_ + ": it is damaged");
  }
  if (tokenizer.fingerprint() != digest_text(header.tokenizer) ||
      static_cast<uint64_t>(tokenizer.vocab_size()) != header.vocab_size) {
    fail_token_file(path, "the token file must be made with the tokenizer " + tokenizer.name() + " (fingerprint " +
                              tokenizer.fingerprint() + "), but is made with another one (" +
                              std::string(digest_text(header.tokenizer)) + ")");
  }
  if (documents_digest != digest_text(header.documents)) {
    fail_token_file(path, "the token file must be made from the text with the digest " + documents_digest +
                              ", but is made from another one (" + std::string(digest_text(header.documents)) + ")");
  }
  count_ = static_cast<int64_t>(header.count);
  token_bytes_ = header.token_bytes;
  if (token_bytes_ == 2) {
    check_ids<uint16_t>(ids, header.vocab_size, path);
  } else {
    check_ids<uint32_t>(ids, header.vocab_size, path);
  }
}

void TokenFile::read(int64_t begin, std::span<int64_t> out) const {
  const auto wanted = static_cast<int64_t>(out.size());
  if (begin < 0 || wanted > count_ || begin > count_ - wanted) {
    throw DataError(path_ + ": the " + std::to_string(wanted) + " tokens from token " + std::to_string(begin) +
                    " on must be within the file, but it holds " + std::to_string(count_) + ". Read fewer.");
  }
  const std::string_view ids = file_.text().substr(sizeof(TokenHeader));
  for (size_t i = 0; i < out.size(); ++i) {
    const size_t index = static_cast<size_t>(begin) + i;
    out[i] = static_cast<int64_t>(token_bytes_ == 2 ? id_at<uint16_t>(ids, index) : id_at<uint32_t>(ids, index));
  }
}

void write_token_file(const std::filesystem::path& path, std::span<const int32_t> ids, const Tokenizer& tokenizer,
                      const std::string& documents_digest) {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= tokenizer.vocab_size()) {
      throw DataError(path.string() + ": token " + std::to_string(i) + " must be 0 to " +
                      std::to_string(tokenizer.vocab_size() - 1) + ", but is " + std::to_string(ids[i]) +
                      ". Write ids of the tokenizer " + tokenizer.name() + ".");
    }
  }
  TokenHeader header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kVersion;
  header.token_bytes = token_bytes_for(tokenizer.vocab_size());
  header.count = ids.size();
  header.vocab_size = static_cast<uint64_t>(tokenizer.vocab_size());
  set_digest(header.tokenizer, tokenizer.fingerprint());
  set_digest(header.documents, documents_digest);
  const std::string bytes = header.token_bytes == 2 ? narrow_ids<uint16_t>(ids) : narrow_ids<uint32_t>(ids);
  set_digest(header.checksum, header_checksum(header, bytes));
  write_file_atomic(path, [&](const ByteSink& sink) {
    sink(&header, sizeof header);
    sink(bytes.data(), bytes.size());
  });
}

std::string documents_sha256(const Dataset& dataset, DataSplit split) {
  Sha256 digest;
  digest.update("documents 1\n" + dataset.sha256(split));
  for (const std::string_view document : dataset.documents(split)) {
    digest.update("\n" + std::to_string(document.size()));
  }
  return digest.hex();
}

std::filesystem::path token_file_path(const Dataset& dataset, DataSplit split, const Tokenizer& tokenizer) {
  const std::string key = sha256_hex(tokenizer.fingerprint() + documents_sha256(dataset, split));
  return cache_folder() / "tokens" / (std::string(yaml_name(split)) + "-" + key + ".tokens");
}

TokenFile open_token_file(const Dataset& dataset, DataSplit split, const Tokenizer& tokenizer,
                          ProgressReporter& progress) {
  const std::filesystem::path path = token_file_path(dataset, split, tokenizer);
  const std::string digest = documents_sha256(dataset, split);
  if (!std::filesystem::exists(path)) {
    progress.start("tokenize " + std::string(yaml_name(split)), static_cast<int64_t>(dataset.text(split).size()), "B");
    std::vector<int32_t> ids;
    int64_t bytes_done = 0;
    for (const std::string_view document : dataset.documents(split)) {
      ids.push_back(tokenizer.bos_id());
      const std::vector<int32_t> document_ids = tokenizer.encode(document);
      ids.insert(ids.end(), document_ids.begin(), document_ids.end());
      ids.push_back(tokenizer.eos_id());
      bytes_done += static_cast<int64_t>(document.size());
      progress.update(bytes_done, std::to_string(ids.size()) + " tokens");
    }
    write_token_file(path, ids, tokenizer, digest);
    progress.finish();
  }
  return TokenFile(path, tokenizer, digest);
}

}  // namespace bitnet
