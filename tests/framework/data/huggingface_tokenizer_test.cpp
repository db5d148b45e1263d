#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/data/dataset.h"
#include "framework/data/tokenizer.h"
#include "tests/framework/data/tokenizer_json_support.h"
#include "tests/framework/data/tokenizer_support.h"

namespace bitnet {
namespace {

using test::added_token;
using test::Alphabet;
using test::gpt2_like;
using test::kFirstPiece;
using test::llama_like;
using test::TokenizerText;

constexpr int kByte = 3;  // the piece of byte 0 in llama_like()
enum Piece { kMark = kFirstPiece, kA, kB, kC, kEAcute, kAB, kMarkAB, kABC, kMarkMark, kBC, kNew };

std::unique_ptr<Tokenizer> open(const TokenizerText& file) {
  const testing::TemporaryFolder folder;
  test::write_plain(folder / "tokenizer.json", file.text());
  return read_tokenizer_json(folder / "tokenizer.json");
}

std::vector<int32_t> ids(std::initializer_list<int> values) { return {values.begin(), values.end()}; }

std::vector<int32_t> bytes_of(std::string_view text) {
  std::vector<int32_t> result;
  for (const char byte : text) result.push_back(kByte + static_cast<uint8_t>(byte));
  return result;
}

TEST(HuggingFaceTokenizer, MergesByRankTheLeftMostFirst) {
  const auto tokenizer = open(llama_like());
  EXPECT_EQ(tokenizer->encode("abc"), ids({kMarkAB, kC}));  // a b, then the mark and ab, which goes before ab c
  EXPECT_EQ(tokenizer->encode("cabc"), ids({kMark, kC, kABC}));
  EXPECT_EQ(tokenizer->encode("bc"), ids({kMark, kBC}));
  EXPECT_EQ(tokenizer->encode("  a"), ids({kMarkMark, kMark, kA}));
  EXPECT_EQ(tokenizer->encode(""), ids({}));
  EXPECT_EQ(tokenizer->vocab_size(), kNew);
  EXPECT_EQ(tokenizer->name(), "huggingface-269");
}

TEST(HuggingFaceTokenizer, CharactersWithoutAPieceBecomeBytes) {
  const auto tokenizer = open(llama_like());
  std::vector<int32_t> expected = ids({kMark, kA});
  for (const int32_t id : bytes_of("日\n")) expected.push_back(id);
  expected.push_back(kB);
  EXPECT_EQ(tokenizer->encode("a日\nb"), expected);
  EXPECT_EQ(tokenizer->encode("é"), ids({kMark, kEAcute}));
  EXPECT_EQ(tokenizer->decode(expected), "a日\nb");
}

TEST(HuggingFaceTokenizer, WithoutBytePiecesTheyBecomeUnknown) {
  TokenizerText file = llama_like();
  for (int byte = 0; byte < 256; ++byte)
    file.pieces[static_cast<size_t>(kByte + byte)] = "piece" + std::to_string(byte);
  const auto fused = open(file);
  EXPECT_EQ(fused->encode("a日日b"), ids({kMark, kA, 0, kB}));
  file.options = R"("type":"BPE","unk_token":"<unk>","fuse_unk":false,"byte_fallback":true)";
  EXPECT_EQ(open(file)->encode("a日日b"), ids({kMark, kA, 0, 0, kB}));
}

TEST(HuggingFaceTokenizer, AddedTokensInTextBecomeTheirIds) {
  TokenizerText file = llama_like();
  file.added_tokens += "," + added_token(kNew, "abab") + "," + added_token(kNew + 1, "ababc", /*special=*/false);
  const auto tokenizer = open(file);
  EXPECT_EQ(tokenizer->encode("c<s>c"), ids({kMark, kC, 1, kMark, kC}));
  EXPECT_EQ(tokenizer->encode("</s>"), ids({2}));
  EXPECT_EQ(tokenizer->encode("aababcab"), ids({kMark, kA, kNew + 1, kMarkAB}));  // the longest at a place
  EXPECT_EQ(tokenizer->encode("ababb"), ids({kNew, kMark, kB}));
  EXPECT_EQ(tokenizer->decode(ids({1, kNew, kNew + 1, kMark, kB, 2})), "ababc b");  // special ones give nothing
}

TEST(HuggingFaceTokenizer, NormalizedAddedTokensAreLookedForInNormalizedText) {
  TokenizerText file = llama_like();
  file.added_tokens += "," + added_token(kNew, "<x>", true, /*normalized=*/true);
  const auto tokenizer = open(file);
  // The token's own normalized form has the mark in front.
  EXPECT_EQ(tokenizer->encode("<x>"), ids({kNew}));
  EXPECT_EQ(tokenizer->encode("a <x>"), ids({kMark, kA, kNew}));
  EXPECT_EQ(tokenizer->encode("a<x>").size(), 5u);
}

TEST(HuggingFaceTokenizer, MetaspacePrependsAsItsSchemeSays) {
  TokenizerText file = llama_like();
  file.normalizer = "null";
  const auto with = [&](const std::string& options) {
    file.pre_tokenizer = R"({"type":"Metaspace","replacement":"▁")" + options + "}";
    return open(file);
  };
  // Unlike a normalizer's Prepend, it adds no second mark to one that is there.
  const auto always = with(R"(,"prepend_scheme":"always","split":false)");
  EXPECT_EQ(always->encode(" a<s>a"), ids({kMark, kA, 1, kMark, kA}));
  EXPECT_EQ(always->encode("  a"), ids({kMarkMark, kA}));
  EXPECT_EQ(with(R"(,"prepend_scheme":"first","split":false)")->encode("a<s>a"), ids({kMark, kA, 1, kA}));
  EXPECT_EQ(with(R"(,"prepend_scheme":"first","split":false)")->encode("<s>a"), ids({1, kA}));
  EXPECT_EQ(with(R"(,"prepend_scheme":"never","split":false)")->encode("a a"), ids({kA, kMark, kA}));
  EXPECT_EQ(with(R"(,"add_prefix_space":false)")->encode("a"), ids({kA}));
  EXPECT_EQ(with("")->encode("  ab"), ids({kMark, kMarkAB}));  // cut before every mark
}

TEST(HuggingFaceTokenizer, ByteLevelMergesBytesOfWords) {
  const auto tokenizer = open(gpt2_like());
  EXPECT_EQ(tokenizer->encode("abc ab"), ids({258, 257}));
  EXPECT_EQ(tokenizer->encode(" abc"), ids({257, 'c'}));
  EXPECT_EQ(tokenizer->encode("é\n"), ids({0xC3, 0xA9, '\n'}));
  EXPECT_EQ(tokenizer->encode("ab<|endoftext|>c"), ids({256, 259, 'c'}));
  EXPECT_EQ(tokenizer->encode("ab1c"), ids({256, '1', 'c'}));
  EXPECT_EQ(tokenizer->decode(ids({258, 257, 259})), "abc ab");
}

TEST(HuggingFaceTokenizer, ByteLevelMayAddASpaceAndLeaveWordsWhole) {
  TokenizerText file = gpt2_like();
  file.pre_tokenizer = R"({"type":"ByteLevel","add_prefix_space":true,"use_regex":false})";
  EXPECT_EQ(open(file)->encode("abab"), ids({257, 256}));
  EXPECT_EQ(open(file)->encode(" ab"), ids({257}));
  EXPECT_EQ(open(file)->encode("ab<|endoftext|>ab"), ids({257, 259, 257}));
  file.pre_tokenizer =
      R"({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\p{L}{2}"},"behavior":"Isolated",)"
      R"("invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})";
  EXPECT_EQ(open(file)->encode("aabc"), ids({'a', 'a', 'b', 'c'}));
}

TEST(HuggingFaceTokenizer, IgnoreMergesTakesAWholeWordThatIsAPiece) {
  TokenizerText file = gpt2_like();
  file.pieces.push_back("cab");
  EXPECT_EQ(open(file)->encode("cab"), ids({'c', 256}));
  file.options = R"("type":"BPE","ignore_merges":true)";
  EXPECT_EQ(open(file)->encode("cab cab"), ids({260, ' ', 'c', 256}));
}

TEST(HuggingFaceTokenizer, EveryTextSurvives) {
  for (const TokenizerText& file : {llama_like(), gpt2_like()}) {
    const auto tokenizer = open(file);
    Random random(5);
    for (int i = 0; i < 1000; ++i) {
      std::string text;
      for (uint64_t n = random.below(40); n > 0; --n) {
        text += random.below(4) > 0 ? "ab c"[random.below(4)] : static_cast<char>(random.below(256));
      }
      ASSERT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
    }
    for (const std::string& line : test::random_lines(9, 500, Alphabet::kValid)) {
      if (line.find("<s>") != std::string::npos || line.find("</s>") != std::string::npos) continue;
      if (line.find("<unk>") != std::string::npos) continue;
      ASSERT_EQ(tokenizer->decode(tokenizer->encode(line)), line);
    }
  }
}

// A search for the best pair in each step would take minutes.
TEST(HuggingFaceTokenizer, LongWordsAreEncodedWithoutSlowingDown) {
  for (const TokenizerText& file : {llama_like(), gpt2_like()}) {
    const auto tokenizer = open(file);
    for (const char* part : {"abc", "ab", "a", " ", "cab"}) {
      std::string text;
      for (int i = 0; i < 60000; ++i) text += part;
      ASSERT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
    }
  }
}

TEST(HuggingFaceTokenizer, RefusesIdsOutsideTheVocabulary) {
  const auto tokenizer = open(llama_like());
  EXPECT_THROW(tokenizer->decode(ids({kNew})), DataError);
  EXPECT_THROW(tokenizer->decode(ids({-1})), DataError);
}

TEST(HuggingFaceTokenizer, TheFingerprintCoversFileAndBos) {
  const testing::TemporaryFolder folder;
  const auto fingerprint = [&] { return read_tokenizer_json(folder.path())->fingerprint(); };
  test::write_plain(folder / "tokenizer.json", llama_like().text());
  const std::string first = fingerprint();
  EXPECT_EQ(first, fingerprint());
  test::write_plain(folder / "tokenizer_config.json", R"({"eos_token":"<s>"})");
  EXPECT_NE(first, fingerprint());
  test::write_plain(folder / "tokenizer_config.json", "{}");
  EXPECT_EQ(first, fingerprint());
  TokenizerText other = llama_like();
  other.merges.pop_back();
  test::write_plain(folder / "tokenizer.json", other.text());
  EXPECT_NE(first, fingerprint());
}

TEST(HuggingFaceTokenizer, AFolderOrEncoderJsonIsReadToo) {
  const testing::TemporaryFolder folder;
  const TokenizerText file = gpt2_like();
  test::write_plain(folder / "encoder.json", file.vocabulary());
  std::string merges = "#version: 0.2\n";
  for (const std::string& merge : file.merges) merges += merge + "\n";
  test::write_plain(folder / "vocab.bpe", merges);
  for (const std::filesystem::path& path : {folder.path(), folder / "encoder.json"}) {
    const auto tokenizer = read_tokenizer_json(path);
    EXPECT_EQ(tokenizer->encode("abc ab<|endoftext|>"), ids({258, 257, 259}));
  }
  EXPECT_THROW(read_tokenizer_json(folder / "tokenizer.json"), DataError);
}

TEST(OpenTokenizer, OpensAHuggingFaceFile) {
  const testing::TemporaryFolder folder;
  test::write_plain(folder / "tokenizer.json", llama_like().text());
  const test::TextDataset dataset({"text"});
  ProgressReporter silent;
  TokenizerConfig config;
  config.kind = TokenizerKind::kHuggingface;
  config.model = (folder / "tokenizer.json").string();
  EXPECT_EQ(open_tokenizer(config, dataset, silent)->name(), "huggingface-269");
  config.model = "no/such/file.json";
  EXPECT_THROW(open_tokenizer(config, dataset, silent), DataError);
}

class PublicVectors : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* mirror = std::getenv("BITNET_DATA_MIRROR");
    if (mirror == nullptr) GTEST_SKIP() << "needs BITNET_DATA_MIRROR";
    tokenizers_ = std::filesystem::path(mirror) / "tokenizers";
  }
  std::filesystem::path tokenizers_;
};

TEST_F(PublicVectors, TinyLlamasFileReproducesLlama2s) {
  const auto tokenizer = read_tokenizer_json(tokenizers_ / "llama2" / "tinyllama.tokenizer.json");
  EXPECT_EQ(tokenizer->vocab_size(), 32000);
  EXPECT_EQ(tokenizer->bos_id(), 1);
  EXPECT_EQ(tokenizer->eos_id(), 2);
  test::expect_vectors(*tokenizer, tokenizers_ / "llama2" / "ggml-vocab-llama-spm.gguf");
}

TEST_F(PublicVectors, Gpt2sFilesReproduceGpt2s) {
  const auto tokenizer = read_tokenizer_json(tokenizers_ / "gpt2");
  EXPECT_EQ(tokenizer->vocab_size(), 50257);
  EXPECT_EQ(tokenizer->bos_id(), 50256);
  test::expect_vectors(*tokenizer, tokenizers_ / "gpt2" / "ggml-vocab-gpt-2.gguf");
}

TEST_F(PublicVectors, TinyStoriesFileHasItsOwnNames) {
  const auto tokenizer = read_tokenizer_json(tokenizers_.parent_path() / "checkpoints" / "tinystories-656k-hf");
  EXPECT_EQ(tokenizer->vocab_size(), 2048);
  EXPECT_EQ(tokenizer->bos_id(), 1);
  EXPECT_EQ(tokenizer->eos_id(), 2);
  const std::string text = "Once upon a time, there was a little girl named Lily.";
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  // Ids of tokenizers 0.22.2: encode("Once upon a time, there was a dog.", add_special_tokens=False).
  EXPECT_EQ(test::id_line(tokenizer->encode("Once upon a time, there was a dog.")), "80 147 201 282 215 286 604 10");
}

}  // namespace
}  // namespace bitnet
