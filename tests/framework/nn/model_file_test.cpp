#include "framework/nn/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/tensor_file.h"
#include "tests/framework/core/temporary_folder.h"
#include "tests/framework/nn/model_support.h"

namespace bitnet {
namespace {

using at::Tensor;
using ::testing::HasSubstr;
using testing::make_model;
using testing::random_tokens;
using testing::same_bits;
using testing::TemporaryFolder;
using testing::tiny_config;

/// The text of the DataError that loading gives; fails where it gives none.
std::string load_error(const std::filesystem::path& path) {
  try {
    load_model(open_model_file(path));
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
    return error.what();
  }
  ADD_FAILURE() << "no DataError was thrown";
  return "";
}

std::map<std::string, TensorView> views_of(const DecoderLM& model) {
  std::map<std::string, TensorView> views;
  for (const NamedParameter& parameter : model.parameters()) views[parameter.name] = view_of(parameter.value);
  return views;
}

TEST(ModelFile, RoundTripGivesTheSameBits) {
  const TemporaryFolder folder;
  for (const LinearKind linear : {LinearKind::kFloat, LinearKind::kBitnet}) {
    for (const bool tied : {true, false}) {
      ModelConfig config = tiny_config(linear, NormPlacement::kTips);
      config.tied_head = tied;
      config.activation = Activation::kRelu2;
      const DecoderLM model = make_model(config);
      testing::vary_norm_weights(model);
      save_model(folder / "model.safetensors", model, {{"identity", "abc"}});
      const ModelSource source = open_model_file(folder / "model.safetensors");
      const DecoderLM loaded = load_model(source);
      EXPECT_EQ(source.metadata.at("identity"), "abc");
      EXPECT_EQ(loaded.vocab_size(), model.vocab_size());
      EXPECT_EQ(weights_sha256(loaded), weights_sha256(model));
      EXPECT_EQ(weights_sha256(source), weights_sha256(model));
      const Tensor tokens = random_tokens(2, 12);
      EXPECT_TRUE(same_bits(loaded.forward(tokens), model.forward(tokens)));
    }
  }
}

TEST(ModelFile, DigestOfWeightsSeesEveryBit) {
  const DecoderLM model = make_model(tiny_config(LinearKind::kFloat));
  const std::string before = weights_sha256(model);
  EXPECT_EQ(before.size(), 64u);
  float& last = *(model.parameters().back().value.data_ptr<float>() + 1);
  last = -last;
  EXPECT_NE(weights_sha256(model), before);
  last = -last;
  EXPECT_EQ(weights_sha256(model), before);
}

TEST(ModelFile, AnotherFormatIsNamed) {
  const TemporaryFolder folder;
  const DecoderLM model = make_model(tiny_config(LinearKind::kFloat));
  write_tensor_file(folder / "a", {{"format", "something else 3"}}, views_of(model));
  EXPECT_THAT(load_error(folder / "a"), HasSubstr("must be 'bitnet-lab model 1', but is 'something else 3'"));
  write_tensor_file(folder / "b", {}, views_of(model));
  EXPECT_THAT(load_error(folder / "b"), HasSubstr("'format' must be 'bitnet-lab model 1', but is missing"));
}

/// A model file with one change to its metadata or tensors.
std::filesystem::path changed_file(
    const TemporaryFolder& folder,
    const std::function<void(std::map<std::string, std::string>&, std::map<std::string, TensorView>&)>& change) {
  const DecoderLM model = make_model(tiny_config(LinearKind::kFloat));
  save_model(folder / "whole", model, {});
  const TensorFile whole(folder / "whole");
  std::map<std::string, std::string> metadata = whole.metadata();
  std::map<std::string, TensorView> tensors = whole.tensors();
  change(metadata, tensors);
  write_tensor_file(folder / "changed", metadata, tensors);
  return folder / "changed";
}

TEST(ModelFile, MissingTensorIsNamed) {
  const TemporaryFolder folder;
  const auto path = changed_file(folder, [](auto&, auto& tensors) { tensors.erase("layers.1.ffn.up.weight"); });
  EXPECT_THAT(load_error(path), HasSubstr("tensor 'layers.1.ffn.up.weight' must be in the file, but is missing"));
}

TEST(ModelFile, AnotherShapeOrTypeIsNamed) {
  const TemporaryFolder folder;
  const auto turned = changed_file(folder, [](auto&, auto& tensors) {
    std::swap(tensors["layers.0.ffn.up.weight"].shape[0], tensors["layers.0.ffn.up.weight"].shape[1]);
  });
  EXPECT_THAT(load_error(turned),
              HasSubstr("tensor 'layers.0.ffn.up.weight' must be F32 [33, 24], but is F32 [24, 33]"));
  const auto retyped = changed_file(folder, [](auto&, auto& tensors) {
    TensorView& view = tensors["final_norm.weight"];
    view.dtype = "I8";
    view.shape = {96};
  });
  EXPECT_THAT(load_error(retyped), HasSubstr("tensor 'final_norm.weight' must be F32 [24], but is I8 [96]"));
}

TEST(ModelFile, WrongMetadataIsNamed) {
  const TemporaryFolder folder;
  for (const std::string vocab_size : {"0", "-3", "many", "19 or so"}) {
    const auto path = changed_file(folder, [&](auto& metadata, auto&) { metadata["vocab_size"] = vocab_size; });
    EXPECT_THAT(load_error(path), HasSubstr("'vocab_size' must be a positive integer, but is '" + vocab_size + "'"));
  }
  const auto other_size = changed_file(folder, [](auto& metadata, auto&) { metadata["vocab_size"] = "20"; });
  EXPECT_THAT(load_error(other_size), HasSubstr("'embedding.weight' must be F32 [20, 24], but is F32 [19, 24]"));
  const auto no_model = changed_file(folder, [](auto& metadata, auto&) { metadata.erase("model"); });
  EXPECT_THAT(load_error(no_model), HasSubstr("metadata 'model' must be in the file, but is missing"));
}

TEST(ModelFile, ModelTextThatIsNoneIsAnErrorOfTheFile) {
  const TemporaryFolder folder;
  const auto path = changed_file(folder, [](auto& metadata, auto&) { metadata["model"] = "width: wide\n"; });
  EXPECT_THROW(load_model(open_model_file(path)), Error);
}

TEST(ModelFile, FlippedBitAnywhereIsFound) {
  const TemporaryFolder folder;
  save_model(folder / "model", make_model(tiny_config(LinearKind::kBitnet)), {});
  const std::string whole = read_file(folder / "model");
  for (const size_t at : {size_t{0}, size_t{9}, whole.size() / 3, whole.size() / 2, whole.size() - 1}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    write_file_atomic(folder / "damaged", damaged);
    EXPECT_FALSE(load_error(folder / "damaged").empty()) << "byte " << at;
  }
}

TEST(ModelFile, TruncatedFileIsFound) {
  const TemporaryFolder folder;
  save_model(folder / "model", make_model(tiny_config(LinearKind::kBitnet)), {});
  const std::string whole = read_file(folder / "model");
  for (const size_t length : {size_t{0}, size_t{7}, size_t{100}, whole.size() - 1}) {
    write_file_atomic(folder / "cut", whole.substr(0, length));
    EXPECT_FALSE(load_error(folder / "cut").empty()) << length << " bytes";
  }
  EXPECT_FALSE(load_error(folder / "absent").empty());
}

TEST(ModelFile, ViewRefusesATypeThatFilesDoNotHold) {
  EXPECT_THROW(view_of(at::ones({2}, at::kDouble)), std::invalid_argument);
}

}  // namespace
}  // namespace bitnet
