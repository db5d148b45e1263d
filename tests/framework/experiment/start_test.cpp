#include "framework/experiment/start.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "framework/core/error.h"
#include "framework/infer/served_model.h"
#include "framework/nn/model_file.h"
#include "tests/framework/core/temporary_folder.h"
#include "tests/framework/nn/model_support.h"

namespace bitnet {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kPieces = 19;

VariantConfig variant_of(LinearKind linear) {
  VariantConfig variant;
  variant.name = "bitnet";
  variant.model = testing::tiny_config(linear);
  return variant;
}

class StartTest : public ::testing::Test {
 protected:
  std::string write_checkpoint(const ModelConfig& config) const {
    const std::filesystem::path file = folder_.path() / "model.safetensors";
    save_model(file, testing::make_model(config), {});
    return file.string();
  }

  std::string message_of(const VariantConfig& variant, int64_t pieces) {
    try {
      start_weights(variant, find_checkpoint(variant, silent_), pieces, /*seed=*/1);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  testing::TemporaryFolder folder_;
  ProgressReporter silent_;
};

TEST_F(StartTest, TakesTheWeightsOfTheCheckpointInTheVariantsForm) {
  const ModelConfig written = testing::tiny_config(LinearKind::kFloat);
  VariantConfig variant = variant_of(LinearKind::kBitnet);
  variant.start.checkpoint = write_checkpoint(written);
  variant.model.context = written.context - 2;
  const FoundCheckpoint found = find_checkpoint(variant, silent_);
  EXPECT_EQ(found.note, "");
  const ModelSource source = start_weights(variant, found, kPieces, /*seed=*/99);
  EXPECT_EQ(weights_sha256(source), weights_sha256(testing::make_model(written)));
  EXPECT_EQ(source.config.context, written.context - 2);
  EXPECT_EQ(serve(source).form, LinearForm::kPacked);
}

TEST_F(StartTest, TakesRandomWeightsFromTheSeedWithoutACheckpoint) {
  const VariantConfig variant = variant_of(LinearKind::kFloat);
  const auto sha256 = [&](int64_t seed) {
    return weights_sha256(start_weights(variant, find_checkpoint(variant, silent_), kPieces, seed));
  };
  EXPECT_EQ(sha256(5), weights_sha256(testing::make_model(variant.model, 5, kPieces)));
  EXPECT_NE(sha256(5), sha256(6));
}

TEST_F(StartTest, SaysInWhatACheckpointDiffers) {
  ModelConfig written = testing::tiny_config(LinearKind::kFloat);
  written.layers = 3;
  written.rope_theta = 50;
  VariantConfig variant = variant_of(LinearKind::kFloat);
  variant.start.checkpoint = write_checkpoint(written);
  const std::string message = message_of(variant, kPieces);
  EXPECT_THAT(message, HasSubstr("must have the shape of the variant bitnet, but differs in model.layers, "
                                 "model.rope_theta"));
  EXPECT_THAT(message, HasSubstr("layers: 3"));
}

TEST_F(StartTest, RefusesAContextOrATokenizerBeyondTheCheckpoints) {
  const ModelConfig written = testing::tiny_config(LinearKind::kFloat);
  VariantConfig variant = variant_of(LinearKind::kFloat);
  variant.start.checkpoint = write_checkpoint(written);
  EXPECT_THAT(message_of(variant, kPieces + 1), HasSubstr("must have at least the tokenizer's 20 pieces, but has 19"));
  variant.model.context = written.context + 1;
  EXPECT_THAT(message_of(variant, kPieces), HasSubstr("variants.bitnet.model.context must be at most"));
}

TEST_F(StartTest, StandsInWithRandomWeightsOnlyWhereThatIsAskedFor) {
  VariantConfig variant = variant_of(LinearKind::kFloat);
  variant.start.checkpoint = (folder_.path() / "nowhere").string();
  EXPECT_THROW(find_checkpoint(variant, silent_), DataError);
  variant.start.missing = MissingCheckpoint::kRandomWeights;
  const FoundCheckpoint found = find_checkpoint(variant, silent_);
  EXPECT_FALSE(found.path);
  EXPECT_THAT(found.note, HasSubstr("RANDOM WEIGHTS"));
  EXPECT_THAT(found.note, HasSubstr("quality was not measured"));
}

}  // namespace
}  // namespace bitnet
