#include "framework/interop/import.h"

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/nn/model_file.h"
#include "ops/torch/bitnet_ops.h"
#include "tests/framework/core/temporary_folder.h"
#include "tests/framework/interop/checkpoint_support.h"

namespace bitnet {
namespace {

using at::Tensor;
using testing::foreign_model;
using ::testing::HasSubstr;
using testing::hugging_face_tensors;
using testing::NamedTensors;
using testing::same_bits;
using testing::TemporaryFolder;
using testing::write_hugging_face;

Tensor logits_of(const DecoderLM& model) {
  const at::NoGradGuard no_grad;
  return model.forward(testing::random_tokens(2, 12, model.vocab_size()));
}

std::string import_error(const std::filesystem::path& path) {
  try {
    load_model(import_model(path));
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Import, AHuggingFaceFolderGivesTheSameBits) {
  for (const NormPlacement norm : {NormPlacement::kLlama, NormPlacement::kBitnet}) {
    for (const bool tied : {true, false}) {
      const TemporaryFolder folder;
      const DecoderLM model = foreign_model(tied, norm);
      write_hugging_face(folder.path(), model);
      const ModelSource source = import_model(folder.path());
      EXPECT_EQ(source.config.linear, model.config().linear);
      EXPECT_EQ(source.vocab_size, model.vocab_size());
      EXPECT_EQ(source.metadata.at("source"), std::filesystem::weakly_canonical(folder.path()).string());
      EXPECT_EQ(source.metadata.at("source_kind"),
                norm == NormPlacement::kLlama ? "LlamaForCausalLM" : "BitNetForCausalLM");
      EXPECT_EQ(weights_sha256(source), weights_sha256(model));
      EXPECT_TRUE(same_bits(logits_of(load_model(source)), logits_of(model)));
    }
  }
}

TEST(Import, HalfPrecisionEqualsFloat32UpToItsRounding) {
  const DecoderLM model = foreign_model(/*tied_head=*/false);
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    const TemporaryFolder folder;
    NamedTensors stored = hugging_face_tensors(model);
    for (auto& [name, tensor] : stored) tensor = tensor.to(type);
    write_hugging_face(folder.path(), model, stored);
    const DecoderLM loaded = load_model(import_model(folder.path()));
    const auto parameters = loaded.parameters();
    for (size_t i = 0; i < parameters.size(); ++i) {
      // Of the stored numbers, exactly; of the weights, up to half a unit in the last place (8 or 11 bits).
      EXPECT_TRUE(same_bits(parameters[i].value, stored[i].second.to(at::kFloat))) << parameters[i].name;
      const double limit = type == at::kHalf ? 0x1p-11 : 0x1p-8;
      EXPECT_LE(testing::relative_difference(parameters[i].value, model.parameters()[i].value), limit);
    }
  }
}

TEST(Import, ShardsGiveTheSameBits) {
  const TemporaryFolder folder;
  const DecoderLM model = foreign_model(/*tied_head=*/false);
  NamedTensors first, second;
  nlohmann::json map;
  for (const auto& [name, tensor] : hugging_face_tensors(model)) {
    const bool even = first.size() <= second.size();
    (even ? first : second).emplace_back(name, tensor);
    map[name] = even ? "a.safetensors" : "b.safetensors";
  }
  testing::write_config(folder.path(), model);
  write_file_atomic(folder / "a.safetensors", testing::safetensors_bytes(first));
  write_file_atomic(folder / "b.safetensors", testing::safetensors_bytes(second));
  write_file_atomic(folder / "model.safetensors.index.json", nlohmann::json{{"weight_map", map}}.dump());
  EXPECT_EQ(weights_sha256(import_model(folder.path())), weights_sha256(model));

  std::filesystem::remove(folder / "b.safetensors");
  EXPECT_THAT(import_error(folder.path()),
              HasSubstr("the file 'b.safetensors' must be in the same folder, but is missing"));
  write_file_atomic(folder / "b.safetensors", testing::safetensors_bytes(first));
  EXPECT_THAT(import_error(folder.path()), HasSubstr("must be in one file of the checkpoint, but is in two"));
  second.pop_back();
  write_file_atomic(folder / "b.safetensors", testing::safetensors_bytes(second));
  EXPECT_THAT(import_error(folder.path()), HasSubstr("must be in b.safetensors, but is missing"));
  second.emplace_back("surplus", at::ones({2}));
  write_file_atomic(folder / "b.safetensors", testing::safetensors_bytes(second));
  EXPECT_THAT(import_error(folder.path()), HasSubstr("tensor 'surplus' must be in no file, but is in b.safetensors"));
  map["surplus"] = "../b.safetensors";
  write_file_atomic(folder / "model.safetensors.index.json", nlohmann::json{{"weight_map", map}}.dump());
  EXPECT_THAT(import_error(folder.path()), HasSubstr("in the folder of the index"));
}

TEST(Import, BothLayoutsOfTheRotaryPositionsGiveEqualLogits) {
  for (const bool tied : {true, false}) {
    const DecoderLM model = foreign_model(tied);
    for (const int version : {0, 1}) {
      const TemporaryFolder folder;
      write_file_atomic(folder / "story.bin", testing::llama2c_bytes(model, version));
      const ModelSource source = import_model(folder / "story.bin");
      EXPECT_EQ(source.metadata.at("source_kind"), "llama2.c");
      EXPECT_TRUE(same_bits(logits_of(load_model(source)), logits_of(model)));
    }
  }
}

TEST(Import, FloatWeightsBecomeTheMasterWeightsOfABitNet) {
  const TemporaryFolder folder;
  const DecoderLM model = foreign_model(/*tied_head=*/false);
  write_hugging_face(folder.path(), model);
  const ModelSource source = import_model(folder.path(), LinearKind::kBitnet);
  const DecoderLM loaded = load_model(source);
  EXPECT_EQ(loaded.config().linear, LinearKind::kBitnet);
  EXPECT_EQ(weights_sha256(loaded), weights_sha256(model));
  for (size_t i = 0; i < model.linears().size(); ++i) {
    const auto [codes, gamma] = ops::quantize_weight(loaded.linears()[i].linear->weight());
    const auto [expected_codes, expected_gamma] = ops::quantize_weight(model.linears()[i].linear->weight());
    EXPECT_TRUE(at::equal(codes, expected_codes));
    EXPECT_TRUE(same_bits(gamma, expected_gamma));
  }
  ModelConfig config = model.config();
  config.linear = LinearKind::kBitnet;
  const DecoderLM expected(config, model.vocab_size(), source_of(model).parameter, bitnet_linear_factory());
  EXPECT_TRUE(same_bits(logits_of(loaded), logits_of(expected)));
  EXPECT_FALSE(at::equal(logits_of(loaded), logits_of(model)));

  save_model(folder / "saved.safetensors", loaded, source.metadata);
  const ModelSource saved = open_model_file(folder / "saved.safetensors");
  EXPECT_EQ(saved.metadata.at("source_kind"), "LlamaForCausalLM");
  EXPECT_TRUE(same_bits(logits_of(load_model(saved)), logits_of(loaded)));
}

TEST(Import, TablesOfRotaryPositionsAndTiedHeadsAreNoSurprise) {
  const TemporaryFolder folder;
  const DecoderLM model = foreign_model(/*tied_head=*/true);
  NamedTensors tensors = hugging_face_tensors(model);
  const std::string digest = weights_sha256(model);
  tensors.emplace_back("model.layers.0.self_attn.rotary_emb.inv_freq", at::ones({3}));
  tensors.emplace_back("lm_head.weight", tensors.front().second);
  write_hugging_face(folder.path(), model, tensors);
  EXPECT_EQ(weights_sha256(import_model(folder.path())), digest);

  tensors.back().second = tensors.front().second.clone();
  tensors.back().second[3][1] += 1;
  write_hugging_face(folder.path(), model, tensors);
  EXPECT_THAT(import_error(folder.path()),
              HasSubstr("'lm_head.weight' must equal 'model.embed_tokens.weight' where tie_word_embeddings is true"));

  // Stored once, under the other name, with and without the note that the safetensors library leaves.
  tensors = hugging_face_tensors(model);
  tensors.front().first = "lm_head.weight";
  using Metadata = std::map<std::string, std::string>;
  for (const Metadata& metadata : {Metadata(), Metadata{{"model.embed_tokens.weight", "lm_head.weight"}}}) {
    write_file_atomic(folder / "model.safetensors", testing::safetensors_bytes(tensors, metadata));
    EXPECT_EQ(weights_sha256(import_model(folder.path())), digest);
  }
}

TEST(Import, NamesMissingAndUnexpectedTensors) {
  const TemporaryFolder folder;
  const DecoderLM model = foreign_model(/*tied_head=*/false);
  const NamedTensors whole = hugging_face_tensors(model);
  NamedTensors tensors = whole;
  std::erase_if(tensors, [](const auto& tensor) { return tensor.first.find("layers.1.") != std::string::npos; });
  write_hugging_face(folder.path(), model, tensors);
  EXPECT_THAT(import_error(folder.path()), HasSubstr("'model.layers.1.self_attn.q_proj.weight'"));
  EXPECT_THAT(import_error(folder.path()), HasSubstr("but are missing"));
  EXPECT_THAT(import_error(folder.path()), HasSubstr("and 1 more"));

  tensors = whole;
  tensors.emplace_back("model.layers.0.self_attn.q_proj.bias", at::ones({24}));
  write_hugging_face(folder.path(), model, tensors);
  EXPECT_THAT(import_error(folder.path()), HasSubstr("but there are others: 'model.layers.0.self_attn.q_proj.bias'"));

  // A BitNet's sub-norms in what calls itself LLaMA.
  const DecoderLM bitnet = foreign_model(/*tied_head=*/false, NormPlacement::kBitnet);
  write_hugging_face(folder.path(), model, hugging_face_tensors(bitnet));
  EXPECT_THAT(import_error(folder.path()), HasSubstr("'model.layers.0.mlp.ffn_sub_norm.weight'"));
}

TEST(Import, NamesAWrongTypeOrShape) {
  const TemporaryFolder folder;
  const DecoderLM model = foreign_model(/*tied_head=*/false);
  NamedTensors tensors = hugging_face_tensors(model);
  tensors.back().second = tensors.back().second.to(at::kDouble);
  write_hugging_face(folder.path(), model, tensors);
  EXPECT_THAT(import_error(folder.path()),
              HasSubstr("tensor 'lm_head.weight' must be F32, F16 or BF16 [19, 24], but is F64 [19, 24]"));
  tensors.back().second = model.parameters().back().value.detach().t();
  write_hugging_face(folder.path(), model, tensors);
  EXPECT_THAT(import_error(folder.path()), HasSubstr("[19, 24], but is F32 [24, 19]"));
}

TEST(Import, NamesTheTensorThatIsNotFinite) {
  const DecoderLM model = foreign_model(/*tied_head=*/false);
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
    for (const at::ScalarType type : {at::kFloat, at::kHalf, at::kBFloat16}) {
      const TemporaryFolder folder;
      NamedTensors tensors = hugging_face_tensors(model);
      Tensor& last = tensors.at(5).second;
      last = last.to(type).clone();
      last.view({-1})[-1] = value;
      write_hugging_face(folder.path(), model, tensors);
      EXPECT_THAT(import_error(folder.path()),
                  HasSubstr("tensor '" + tensors.at(5).first + "' must hold finite numbers"));
    }
  }
}

TEST(Import, EveryTruncatedFileIsADataError) {
  const TemporaryFolder folder;
  const DecoderLM model = foreign_model(/*tied_head=*/true);
  write_hugging_face(folder.path(), model);
  const std::filesystem::path file = folder / "model.safetensors";
  const size_t size = std::filesystem::file_size(file);
  for (size_t length = size; length > 0; length -= 1 + length / 8) {
    std::filesystem::resize_file(file, length - 1);
    EXPECT_THAT(import_error(folder.path()), HasSubstr("truncated")) << length - 1;
  }
}

}  // namespace
}  // namespace bitnet
