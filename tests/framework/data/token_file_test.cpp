#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/data/token_windows.h"
#include "tests/framework/data/tokenizer_support.h"

namespace bitnet {
namespace {

// A tokenizer that only has a vocabulary size and a fingerprint.
class SizedTokenizer final : public Tokenizer {
 public:
  SizedTokenizer(int64_t vocab_size, const std::string& key) : vocab_size_(vocab_size), key_(key) {}
  std::vector<int32_t> encode(std::string_view) const override { return {}; }
  std::string decode(std::span<const int32_t>) const override { return {}; }
  int64_t vocab_size() const override { return vocab_size_; }
  int32_t bos_id() const override { return 0; }
  int32_t eos_id() const override { return 1; }
  std::string fingerprint() const override { return sha256_hex(key_); }
  std::string name() const override { return "sized"; }

 private:
  int64_t vocab_size_;
  std::string key_;
};

std::vector<int64_t> all_tokens(const TokenFile& file) {
  std::vector<int64_t> ids(static_cast<size_t>(file.count()));
  file.read(0, ids);
  return ids;
}

std::string open_error(const std::filesystem::path& path, const Tokenizer& tokenizer, const std::string& digest) {
  try {
    TokenFile file(path, tokenizer, digest);
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

TEST(TokenFile, KeepsTheIdsInTwoOrFourBytes) {
  const testing::TemporaryFolder folder;
  const std::string digest = sha256_hex("text");
  for (const auto& [vocab_size, bytes] : {std::pair<int64_t, size_t>{65536, 2}, {65537, 4}}) {
    const SizedTokenizer tokenizer(vocab_size, "key");
    const std::vector<int32_t> ids = {0, 1, 255, 256, 65535, static_cast<int32_t>(vocab_size - 1)};
    write_token_file(folder / "a.tokens", ids, tokenizer, digest);
    EXPECT_EQ(read_file(folder / "a.tokens").size(), 256 + ids.size() * bytes);
    const TokenFile file(folder / "a.tokens", tokenizer, digest);
    EXPECT_EQ(all_tokens(file), std::vector<int64_t>(ids.begin(), ids.end()));
    std::vector<int64_t> part(2);
    file.read(3, part);
    EXPECT_EQ(part, (std::vector<int64_t>{256, 65535}));
    EXPECT_EQ(file.sha256().size(), 64u);
    EXPECT_THROW(file.read(5, part), DataError);
    EXPECT_THROW(file.read(-1, part), DataError);
    EXPECT_THROW(file.read(INT64_MAX, part), DataError);
  }
}

TEST(TokenFile, RefusesToWriteIdsOutsideTheVocabulary) {
  const testing::TemporaryFolder folder;
  const SizedTokenizer tokenizer(10, "key");
  for (const int32_t id : {-1, 10}) {
    EXPECT_THROW(write_token_file(folder / "a.tokens", std::vector<int32_t>{id}, tokenizer, sha256_hex("")), DataError);
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "a.tokens"));
}

TEST(TokenFile, EveryTruncationAndAFlippedBitInAnyByteIsAnError) {
  const testing::TemporaryFolder folder;
  const std::string digest = sha256_hex("text");
  const SizedTokenizer tokenizer(300, "key");
  write_token_file(folder / "a.tokens", std::vector<int32_t>{0, 7, 299, 1}, tokenizer, digest);
  const std::string whole = read_file(folder / "a.tokens");
  ASSERT_EQ(open_error(folder / "a.tokens", tokenizer, digest), "no error");
  for (size_t size = 0; size < whole.size(); ++size) {
    test::write_plain(folder / "b.tokens", whole.substr(0, size));
    EXPECT_THAT(open_error(folder / "b.tokens", tokenizer, digest), ::testing::HasSubstr("Remove this file")) << size;
  }
  for (size_t byte = 0; byte < whole.size(); ++byte) {
    std::string damaged = whole;
    damaged[byte] ^= static_cast<char>(1 << byte % 8);
    test::write_plain(folder / "b.tokens", damaged);
    EXPECT_THAT(open_error(folder / "b.tokens", tokenizer, digest), ::testing::HasSubstr("Remove this file")) << byte;
  }
  test::write_plain(folder / "b.tokens", whole + whole.substr(0, 2));
  EXPECT_THAT(open_error(folder / "b.tokens", tokenizer, digest), ::testing::HasSubstr("truncated or damaged"));
}

TEST(TokenFile, SaysWhatIsWrongWhichFileToRemoveAndWhatMakesItAnew) {
  const testing::TemporaryFolder folder;
  const std::string digest = sha256_hex("text");
  const SizedTokenizer tokenizer(300, "key");
  const std::filesystem::path path = folder / "a.tokens";
  write_token_file(path, std::vector<int32_t>{0, 7, 299, 1}, tokenizer, digest);
  const auto matches = [&](const std::string& what) {
    return ::testing::AllOf(
        ::testing::StartsWith(path.string() + ": "), ::testing::HasSubstr(what),
        ::testing::EndsWith("Remove this file; the command `bitnet data tokenize EXPERIMENT.yaml` makes "
                            "it anew."));
  };
  EXPECT_THAT(open_error(path, SizedTokenizer(300, "other"), digest), matches("must be made with the tokenizer sized"));
  EXPECT_THAT(open_error(path, SizedTokenizer(301, "key"), digest), matches("must be made with the tokenizer sized"));
  EXPECT_THAT(open_error(path, tokenizer, sha256_hex("other")), matches("must be made from the text"));
  test::write_plain(path, read_file(path).substr(0, 261));
  EXPECT_THAT(open_error(path, tokenizer, digest), matches("must hold 4 ids of 2 bytes, but holds 5 bytes"));
  test::write_plain(path, "");
  EXPECT_THAT(open_error(path, tokenizer, digest), matches("truncated"));
  test::write_plain(path, std::string(300, 'x'));
  EXPECT_THAT(open_error(path, tokenizer, digest), matches("must begin with BITNETTK"));
}

TEST(OpenTokenFile, FramesEveryDocumentAndKeepsTheFile) {
  const testing::TemporaryFolder folder;
  const testing::ScopedVariable cache("BITNET_CACHE", folder.path().string());
  const test::TextDataset dataset({"ab\n", "", "c"});
  const auto tokenizer = make_byte_tokenizer();
  test::RecordingReporter first, second;
  const std::vector<int64_t> expected = {256, 'a', 'b', '\n', 257, 256, 257, 256, 'c', 257};
  EXPECT_EQ(all_tokens(open_token_file(dataset, DataSplit::kTrain, *tokenizer, first)), expected);
  EXPECT_EQ(first.labels.size(), 1u);
  EXPECT_EQ(first.last_total, 4);
  EXPECT_EQ(first.last_done, 4);
  EXPECT_EQ(all_tokens(open_token_file(dataset, DataSplit::kTrain, *tokenizer, second)), expected);
  EXPECT_TRUE(second.labels.empty());
  // The same text in other documents is another file.
  const test::TextDataset other({"a", "b\nc"});
  EXPECT_EQ(all_tokens(open_token_file(other, DataSplit::kTrain, *tokenizer, second)).size(), 8u);
  EXPECT_EQ(second.labels.size(), 1u);
}

TEST(OpenTokenFile, ADamagedFileIsNeverUsedAndNeverReplacedSilently) {
  const testing::TemporaryFolder folder;
  const testing::ScopedVariable cache("BITNET_CACHE", folder.path().string());
  const test::TextDataset dataset({"some text"});
  const auto tokenizer = make_byte_tokenizer();
  ProgressReporter silent;
  const std::filesystem::path path = token_file_path(dataset, DataSplit::kTest, *tokenizer);
  const std::vector<int64_t> ids = all_tokens(open_token_file(dataset, DataSplit::kTest, *tokenizer, silent));
  std::string bytes = read_file(path);
  bytes[260] ^= 1;
  test::write_plain(path, bytes);
  EXPECT_THROW(open_token_file(dataset, DataSplit::kTest, *tokenizer, silent), DataError);
  EXPECT_EQ(read_file(path), bytes);
  std::filesystem::remove(path);
  EXPECT_EQ(all_tokens(open_token_file(dataset, DataSplit::kTest, *tokenizer, silent)), ids);
}

}  // namespace
}  // namespace bitnet
