#include "framework/infer/artifact.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/tensor_file.h"
#include "framework/infer/session.h"
#include "tests/framework/nn/model_support.h"

namespace bitnet {
namespace {

using ::testing::HasSubstr;

class ArtifactTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("bitnet-artifact-" + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) + "-" +
               std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }

  static ServedModel model(NormPlacement norm, HeadFormat head, bool tied) {
    ModelConfig config = testing::tiny_config(LinearKind::kBitnet, norm);
    config.tied_head = tied;
    const DecoderLM trained = testing::make_model(config);
    testing::vary_norm_weights(trained);
    return serve(trained, LinearForm::kPacked, head);
  }

  static at::Tensor logits(const ServedModel& model) {
    Session session(model, 10);
    return session.logits(session.read(std::vector<int32_t>{1, 5, 3, 18, 0, 7}, 6));
  }

  std::filesystem::path folder_;
};

TEST_F(ArtifactTest, ReadsBackTheSameModel) {
  for (const NormPlacement norm : {NormPlacement::kLlama, NormPlacement::kBitnet, NormPlacement::kTips}) {
    for (const HeadFormat head : {HeadFormat::kFloat32, HeadFormat::kBfloat16, HeadFormat::kInt8}) {
      for (const bool tied : {false, true}) {
        const ServedModel written = model(norm, head, tied);
        write_artifact(file("a.bnet"), written, {{"tokenizer_fingerprint", "abc"}});
        const LoadedArtifact read = read_artifact(file("a.bnet"));
        EXPECT_EQ(read.metadata.at("tokenizer_fingerprint"), "abc");
        EXPECT_EQ(read.model.bytes().total(), written.bytes().total());
        EXPECT_EQ(read.model.config.head, head);
        EXPECT_TRUE(at::equal(logits(read.model), logits(written)));
        write_artifact(file("b.bnet"), read.model, {{"tokenizer_fingerprint", "abc"}});
        EXPECT_EQ(read_file(file("b.bnet")), read_file(file("a.bnet")));
      }
    }
  }
}

TEST_F(ArtifactTest, FindsEveryDamage) {
  write_artifact(file("a.bnet"), model(NormPlacement::kBitnet, HeadFormat::kInt8, false), {});
  const std::string whole = read_file(file("a.bnet"));
  for (size_t at = 0; at < whole.size(); at += 1 + whole.size() / 97) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    write_file_atomic(file("b.bnet"), damaged);
    EXPECT_THROW(read_artifact(file("b.bnet")), DataError) << at;
  }
  for (const size_t size : {size_t{0}, size_t{7}, whole.size() / 2, whole.size() - 1}) {
    write_file_atomic(file("b.bnet"), whole.substr(0, size));
    EXPECT_THROW(read_artifact(file("b.bnet")), DataError) << size;
  }
}

TEST_F(ArtifactTest, RefusesOtherTensorsUnderAGoodDigest) {
  const ServedModel good = model(NormPlacement::kLlama, HeadFormat::kFloat32, true);
  write_artifact(file("a.bnet"), good, {});
  const TensorFile whole(file("a.bnet"));
  const auto message = [&](std::map<std::string, std::string> metadata, std::map<std::string, TensorView> tensors) {
    write_tensor_file(file("b.bnet"), metadata, tensors);
    try {
      read_artifact(file("b.bnet"));
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  auto tensors = whole.tensors();
  tensors.erase("layers.1.ffn.up.weight");
  EXPECT_THAT(message(whole.metadata(), tensors), HasSubstr("layers.1.ffn.up.weight"));
  tensors = whole.tensors();
  tensors["layers.0.attention.q.weight"] = tensors["layers.0.attention.k.weight"];
  EXPECT_THAT(message(whole.metadata(), tensors), HasSubstr("'layers.0.attention.q.weight' must be U8"));
  tensors = whole.tensors();
  // Packed bytes of the right size whose header is not one.
  std::vector<std::byte> zeros(tensors["layers.0.attention.q.weight"].bytes.size());
  tensors["layers.0.attention.q.weight"].bytes = zeros;
  EXPECT_THAT(message(whole.metadata(), tensors), HasSubstr("layers.0.attention.q.weight"));
  auto metadata = whole.metadata();
  metadata["format"] = "bitnet-lab model 1";
  EXPECT_THAT(message(metadata, whole.tensors()),
              HasSubstr("must be 'bitnet-lab artifact 2', but is 'bitnet-lab model 1'"));
}

TEST_F(ArtifactTest, HoldsPackedModelsOnly) {
  const DecoderLM trained = testing::make_model(testing::tiny_config(LinearKind::kFloat));
  EXPECT_THROW(write_artifact(file("a.bnet"), serve(trained), {}), std::invalid_argument);
  EXPECT_TRUE(is_artifact("x/y.bnet"));
  EXPECT_FALSE(is_artifact("x/model.safetensors"));
}

}  // namespace
}  // namespace bitnet
