#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "framework/core/file.h"
#include "framework/core/progress.h"
#include "framework/data/dataset.h"
#include "framework/data/tokenizer.h"

namespace bitnet {

/// A memory-mapped file of token ids with a self-describing header of 256 bytes: magic "BITNETTK", version, bytes of an
/// id (2 where the vocabulary has at most 65,536 ids, else 4), count, vocabulary size, tokenizer fingerprint,
/// documents' digest, and a SHA-256 over header and ids. Numbers are little-endian, digests are hexadecimal text.
class TokenFile {
 public:
  /// Maps the file and checks all of it. `documents_digest` is what `documents_sha256` gives, or the digest that the
  /// file was written with. Errors: DataError where the file is truncated, damaged, made with another tokenizer or from
  /// another text, or where an id is outside the vocabulary, and what to do (which file to remove, which command makes
  /// it anew).
  TokenFile(const std::filesystem::path& path, const Tokenizer& tokenizer, const std::string& documents_digest);
  int64_t count() const { return count_; }
  /// Copies ids [begin, begin + out.size()) into out. Errors: DataError where that is not within [0, count).
  void read(int64_t begin, std::span<int64_t> out) const;
  /// SHA-256 over header and ids.
  std::string sha256() const { return sha256_; }

 private:
  MappedFile file_;
  std::string path_;
  int64_t count_ = 0;
  int64_t token_bytes_ = 0;
  std::string sha256_;
};

/// Writes such a file atomically. Errors: DataError where an id is outside the tokenizer's vocabulary, or on writing.
void write_token_file(const std::filesystem::path& path, std::span<const int32_t> ids, const Tokenizer& tokenizer,
                      const std::string& documents_digest);

/// SHA-256 of a split's text and of where its documents begin.
std::string documents_sha256(const Dataset& dataset, DataSplit split);

/// Where the token file of a split lies: cache_folder()/tokens/<split>-<digest>.tokens.
std::filesystem::path token_file_path(const Dataset& dataset, DataSplit split, const Tokenizer& tokenizer);

/// The token file of one split in the cache, made when it is missing: for each document BOS, its ids, EOS.
TokenFile open_token_file(const Dataset& dataset, DataSplit split, const Tokenizer& tokenizer,
                          ProgressReporter& progress);

/// Training data as a function of an index: window i holds tokens [i * length, i * length + length], length + 1 ids
/// (inputs and, shifted by one, targets). The tail that fills no window is dropped.
class TokenWindows {
 public:
  /// Keeps a reference to `tokens`. length >= 1.
  TokenWindows(const TokenFile& tokens, int64_t length) : tokens_(tokens), length_(length) {}
  int64_t count() const { return tokens_.count() > 0 ? (tokens_.count() - 1) / length_ : 0; }
  int64_t length() const { return length_; }
  /// Shapes: out [length + 1].
  void window(int64_t index, std::span<int64_t> out) const { tokens_.read(index * length_, out); }

 private:
  const TokenFile& tokens_;
  int64_t length_;
};

/// Batches of windows in a seeded order. Epoch e takes the windows in the permutation of (seed, e), so the whole state
/// is one integer: how many batches were given. No window comes twice in an epoch; the last ones of its permutation,
/// too few for a batch, are left out.
class BatchLoader {
 public:
  /// Keeps a reference to `windows`. Errors: DataError where there are fewer windows than one batch takes.
  BatchLoader(const TokenWindows& windows, int64_t batch_windows, int64_t seed);
  int64_t batches_per_epoch() const { return batches_per_epoch_; }
  /// Fills the next batch. Shapes: out [batch_windows * (length + 1)].
  void next(std::span<int64_t> out);
  /// How many batches were given, over all epochs.
  int64_t state() const { return position_; }
  /// Continues after `state` batches. Errors: DataError where it is negative.
  void restore(int64_t state);

 private:
  const TokenWindows& windows_;
  int64_t batch_windows_;
  int64_t seed_;
  int64_t batches_per_epoch_ = 0;  ///< at least 1 once constructed
  int64_t position_ = 0;
  int64_t order_epoch_ = -1;
  std::vector<int64_t> order_;
};

}  // namespace bitnet
