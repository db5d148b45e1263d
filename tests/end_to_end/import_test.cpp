#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "framework/core/file.h"
#include "tests/end_to_end/lab.h"

// Trained checkpoints of other people, named in place of a model and imported. They lie in the data mirror.

namespace bitnet::end_to_end {
namespace {

using nlohmann::json;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// The greedy text of stories260K in the data mirror's manifest, where llama2.c's own document has it from.
constexpr const char* kStory =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a "
    "big, red ball. She wanted to play with it, but it was too high.";

class Import : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* const mirror = std::getenv("BITNET_DATA_MIRROR");
    if (mirror == nullptr) GTEST_SKIP() << "BITNET_DATA_MIRROR is not set";
    checkpoints_ = std::filesystem::path(mirror) / "checkpoints";
  }
  std::string checkpoint(const std::string& name) const { return (checkpoints_ / name).string(); }
  std::string printed(const std::vector<std::string>& words) const {
    const ProcessResult result = lab_.bitnet(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  }

  Lab lab_;
  std::filesystem::path checkpoints_;
};

TEST_F(Import, Stories260KTellsTheStoryOfTheManifest) {
  const std::string source = checkpoint("stories260K/stories260K.bin");
  EXPECT_THAT(printed({"generate", source, "--max-new-tokens", "100"}), StartsWith(kStory));
  EXPECT_THAT(lab_.bitnet({"generate", source, "--max-new-tokens", "512"}).err,
              HasSubstr("are 513 tokens, but the model's context is 512"));

  // Imported, the same model, with the tokenizer that lay beside the source.
  const std::string imported = lab_.path("story.safetensors").string();
  EXPECT_EQ(printed({"import", source, "--out", imported}), imported + "\n");
  EXPECT_THAT(printed({"generate", imported, "--prompt", "Once upon a time", "--max-new-tokens", "20"}),
              StartsWith(std::string(kStory).substr(0, 60)));

  // As a BitNet it is another model; packed, it is the same one as that.
  const std::string bitnet = lab_.path("bitnet.safetensors").string(), packed = lab_.path("packed.bnet").string();
  printed({"import", source, "--out", bitnet, "--linear", "bitnet"});
  printed({"pack", bitnet, "--out", packed});
  const std::vector<std::string> rest = {"--prompt", "Once", "--max-new-tokens", "20"};
  std::vector<std::string> words = {"generate", bitnet}, packed_words = {"generate", packed};
  words.insert(words.end(), rest.begin(), rest.end());
  packed_words.insert(packed_words.end(), rest.begin(), rest.end());
  EXPECT_EQ(printed(packed_words), printed(words));
}

TEST_F(Import, TinyStories656KTellsAStory) {
  const std::string story = printed(
      {"generate", checkpoint("tinystories-656k-hf"), "--prompt", "Once upon a time", "--max-new-tokens", "300"});
  EXPECT_THAT(story,
              StartsWith("Once upon a time, a little girl named Lily lived in a small house with her mom, dad, and "
                         "her dog, Spot"));
  // It ends by itself. The model spells the mark of the end, as the text did that it learned from, before it gives EOS.
  EXPECT_THAT(story, EndsWith("<|end_story|>\n"));
}

TEST_F(Import, ACheckpointIsEvaluatedAndMeasuredInPlaceOfAModel) {
  const std::string source = checkpoint("stories260K/stories260K.bin");
  expect_one_error(lab_.bitnet({"evaluate", source, "--evaluator", "perplexity-word-stored"}), 2,
                   "--dataset must name a block of configs/dataset/");
  EXPECT_THAT(printed({"evaluate", source, "--evaluator", "perplexity-windows-stored", "--dataset", "tinyworld"}),
              HasSubstr("bits_per_byte"));
  const ProcessResult bench = lab_.bitnet({"bench", source, "--linear", "packed,float", "--prompt", "8", "--generate",
                                           "2", "--repetitions", "1", "--threads", "1", "--format", "json"});
  EXPECT_EQ(json::parse(bench.out).size(), 4u);
  EXPECT_THAT(bench.err, HasSubstr("its packed form is a ternary conversion"));
  expect_one_error(lab_.bitnet({"pack", source, "--out", lab_.path("packed.bnet").string()}), 2,
                   "must be bitnet, but are float");
  expect_one_error(lab_.bitnet({"import", source, "--out", "story.bin"}), 2,
                   "must be a file that ends in .safetensors");
  expect_one_error(lab_.bitnet({"import", source, "--out", lab_.path("a.safetensors").string(), "--linear", "ternary"}),
                   2, "--linear must be float or bitnet, but is 'ternary'");
}

}  // namespace
}  // namespace bitnet::end_to_end
