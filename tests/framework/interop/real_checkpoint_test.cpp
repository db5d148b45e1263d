// Trained checkpoints of other people against computations in double that share nothing with the import: not the
// reader, not the configuration, not the layout.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/core/file.h"
#include "framework/interop/import.h"
#include "tests/framework/nn/plain_decoder.h"

namespace bitnet {
namespace {

using nlohmann::json;
using testing::PlainDecoder;

std::filesystem::path mirror_file(const std::string& path) {
  const char* const mirror = std::getenv("BITNET_DATA_MIRROR");
  return mirror == nullptr ? std::filesystem::path() : std::filesystem::path(mirror) / path;
}

/// The float32 numbers of a safetensors file, by their names there.
std::map<std::string, PlainDecoder::Matrix> read_matrices(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  std::map<std::string, PlainDecoder::Matrix> matrices;
  const json header = json::parse(bytes.substr(8, length));
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const size_t begin = entry.at("data_offsets")[0], end = entry.at("data_offsets")[1];
    std::vector<float> values((end - begin) / sizeof(float));
    std::memcpy(values.data(), bytes.data() + 8 + length + begin, end - begin);
    PlainDecoder::Matrix& matrix = matrices[name];
    matrix.values.assign(values.begin(), values.end());
    const json& shape = entry.at("shape");
    matrix.rows = shape.size() == 2 ? shape[0].get<size_t>() : 1;
    matrix.columns = shape.back();
  }
  return matrices;
}

/// The reference of tinystories-656k-hf, with the sizes that the data manifest gives.
PlainDecoder reference(const std::filesystem::path& folder) {
  ModelConfig config;
  config.width = 128;
  config.ffn_width = 384;
  config.layers = 2;
  config.heads = 8;
  config.kv_heads = 4;
  config.norm_epsilon = 1e-6;
  config.rope_theta = 10000.0;
  config.tied_head = true;
  const std::map<std::string, PlainDecoder::Matrix> stored = read_matrices(folder / "model.safetensors");
  PlainDecoder::Matrices tensors = {{"embedding", stored.at("lm_head.weight")},
                                    {"final_norm", stored.at("model.norm.weight")}};
  for (const std::string layer : {"0", "1"}) {
    const std::string to = "layers." + layer + ".", from = "model.layers." + layer + ".";
    tensors[to + "attention_norm"] = stored.at(from + "input_layernorm.weight");
    tensors[to + "ffn_norm"] = stored.at(from + "post_attention_layernorm.weight");
    for (const std::string name : {"q", "k", "v", "o"}) {
      tensors[to + "attention." + name] = stored.at(from + "self_attn." + name + "_proj.weight");
    }
    for (const std::string name : {"gate", "up", "down"}) {
      tensors[to + "ffn." + name] = stored.at(from + "mlp." + name + "_proj.weight");
    }
  }
  return {config, tensors};
}

/// Ids of the vocabulary, which need not be texts: both sides read the same ones.
const std::vector<std::vector<int64_t>> kPrompts = {{1, 429}, {1, 85, 30, 12, 400}, {1, 1000, 7, 2000, 3, 55, 1234, 2}};

TEST(RealCheckpoint, LogitsOfAHuggingFaceModelEqualADoubleComputation) {
  const std::filesystem::path folder = mirror_file("checkpoints/tinystories-656k-hf");
  if (folder.empty()) GTEST_SKIP() << "BITNET_DATA_MIRROR is not set";
  const DecoderLM model = load_model(import_model(folder));
  const PlainDecoder plain = reference(folder);
  const at::NoGradGuard no_grad;
  double largest = 0;
  for (const std::vector<int64_t>& prompt : kPrompts) {
    const at::Tensor logits = model.forward(at::tensor(prompt, at::kLong).unsqueeze(0)).squeeze(0);
    const PlainDecoder::Rows expected = plain.logits(prompt);
    ASSERT_EQ(logits.size(0), static_cast<int64_t>(expected.size()));
    ASSERT_EQ(logits.size(1), static_cast<int64_t>(expected[0].size()));
    for (size_t t = 0; t < expected.size(); ++t) {
      const float* row = logits[static_cast<int64_t>(t)].data_ptr<float>();
      for (size_t v = 0; v < expected[t].size(); ++v) {
        largest = std::max(largest, std::abs(static_cast<double>(row[v]) - expected[t][v]));
      }
    }
  }
  EXPECT_LE(largest, 1e-4);
  RecordProperty("largest_difference", std::to_string(largest));
}

}  // namespace
}  // namespace bitnet
