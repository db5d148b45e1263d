#include "tests/framework/interop/checkpoint_support.h"

#include <nlohmann/json.hpp>
#include <set>

#include "framework/core/file.h"

namespace bitnet::testing {
namespace {

std::string dtype_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kHalf:
      return "F16";
    case at::kBFloat16:
      return "BF16";
    case at::kDouble:
      return "F64";
    default:
      return "F32";
  }
}

nlohmann::json hugging_face_config(const ModelConfig& config, int64_t vocab_size) {
  return {{"architectures", {config.norm == NormPlacement::kBitnet ? "BitNetForCausalLM" : "LlamaForCausalLM"}},
          {"hidden_act", config.activation == Activation::kSilu ? "silu" : "relu2"},
          {"hidden_size", config.width},
          {"intermediate_size", config.ffn_width},
          {"max_position_embeddings", config.context},
          {"num_attention_heads", config.heads},
          {"num_hidden_layers", config.layers},
          {"num_key_value_heads", config.kv_heads},
          {"rms_norm_eps", config.norm_epsilon},
          {"rope_theta", config.rope_theta},
          {"tie_word_embeddings", config.tied_head},
          {"vocab_size", vocab_size}};
}

/// Rows of q or k as llama2.c stores them: in each head first all that this project has in the first half, each
/// followed by its partner of the second half.
at::Tensor adjacent_pairs(const at::Tensor& rows, int64_t head_width) {
  at::Tensor turned = at::empty_like(rows);
  for (int64_t row = 0; row < rows.size(0); ++row) {
    const int64_t head = row / head_width * head_width, inside = row % head_width;
    const int64_t half = head_width / 2;
    const int64_t to = inside < half ? 2 * inside : 2 * (inside - half) + 1;
    turned[head + to].copy_(rows[row]);
  }
  return turned;
}

}  // namespace

std::string bytes_of(const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().contiguous();
  return {static_cast<const char*>(values.data_ptr()), static_cast<size_t>(values.nbytes())};
}

std::string length_prefix(uint64_t length) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[static_cast<size_t>(i)] = static_cast<char>(length >> (8 * i));
  return bytes;
}

std::string safetensors_bytes(const NamedTensors& tensors, const std::map<std::string, std::string>& metadata) {
  nlohmann::json header = nlohmann::json::object();
  std::string data;
  if (!metadata.empty()) header["__metadata__"] = metadata;
  for (const auto& [name, tensor] : tensors) {
    const std::string bytes = bytes_of(tensor);
    header[name] = {{"dtype", dtype_of(tensor)},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {data.size(), data.size() + bytes.size()}}};
    data += bytes;
  }
  std::string text = header.dump();
  if (text.size() % 2 == 0) text += ' ';
  return length_prefix(text.size()) + text + data;
}

NamedTensors hugging_face_tensors(const DecoderLM& model) {
  const std::map<std::string, std::string> names = {{"attention_norm", "input_layernorm"},
                                                    {"attention_sub_norm", "self_attn.attn_sub_norm"},
                                                    {"ffn_norm", "post_attention_layernorm"},
                                                    {"ffn_sub_norm", "mlp.ffn_sub_norm"},
                                                    {"attention.q", "self_attn.q_proj"},
                                                    {"attention.k", "self_attn.k_proj"},
                                                    {"attention.v", "self_attn.v_proj"},
                                                    {"attention.o", "self_attn.o_proj"},
                                                    {"ffn.gate", "mlp.gate_proj"},
                                                    {"ffn.up", "mlp.up_proj"},
                                                    {"ffn.down", "mlp.down_proj"}};
  NamedTensors tensors;
  for (const NamedParameter& parameter : model.parameters()) {
    const std::string own = parameter.name.substr(0, parameter.name.rfind('.'));
    std::string name = own == "embedding" ? "model.embed_tokens" : own == "head" ? "lm_head" : "model.norm";
    if (own.starts_with("layers.")) {
      const size_t end = own.find('.', 7);
      name = "model." + own.substr(0, end) + "." + names.at(own.substr(end + 1));
    }
    tensors.emplace_back(name + ".weight", parameter.value.detach());
  }
  return tensors;
}

void write_config(const std::filesystem::path& folder, const DecoderLM& model) {
  write_file_atomic(folder / "config.json", hugging_face_config(model.config(), model.vocab_size()).dump(2));
}

void write_hugging_face(const std::filesystem::path& folder, const DecoderLM& model, const NamedTensors& tensors) {
  write_config(folder, model);
  write_file_atomic(folder / "model.safetensors", safetensors_bytes(tensors, {{"format", "pt"}}));
}

void write_hugging_face(const std::filesystem::path& folder, const DecoderLM& model) {
  write_hugging_face(folder, model, hugging_face_tensors(model));
}

std::string int_bytes(const std::vector<int64_t>& numbers) {
  std::string bytes;
  for (const int64_t number : numbers) bytes += length_prefix(static_cast<uint64_t>(number)).substr(0, 4);
  return bytes;
}

std::string llama2c_bytes(const DecoderLM& model, int version) {
  const ModelConfig& config = model.config();
  const int64_t head_width = config.width / config.heads;
  std::map<std::string, at::Tensor> tensors;
  for (const NamedParameter& parameter : model.parameters()) {
    const bool rotated = parameter.name.find("attention.q") != std::string::npos ||
                         parameter.name.find("attention.k") != std::string::npos;
    const at::Tensor value = parameter.value.detach();
    tensors[parameter.name] = rotated ? adjacent_pairs(value, head_width) : value;
  }
  const auto layers = [&](const std::string& name) {
    std::string bytes;
    for (int64_t i = 0; i < config.layers; ++i) {
      bytes += bytes_of(tensors.at("layers." + std::to_string(i) + "." + name + ".weight"));
    }
    return bytes;
  };
  const std::string attention =
      layers("attention.q") + layers("attention.k") + layers("attention.v") + layers("attention.o");
  const std::string ffn = layers("ffn.gate") + layers("ffn.down") + layers("ffn.up");
  const std::string embedding = bytes_of(tensors.at("embedding.weight"));
  const std::string norm = bytes_of(tensors.at("final_norm.weight"));
  const std::string head = config.tied_head ? "" : bytes_of(tensors.at("head.weight"));
  const int64_t vocab_size = version == 0 && !config.tied_head ? -model.vocab_size() : model.vocab_size();
  const std::string header = int_bytes(
      {config.width, config.ffn_width, config.layers, config.heads, config.kv_heads, vocab_size, config.context});
  if (version == 0) {
    const std::string tables(static_cast<size_t>(config.context * head_width) * 4, '\x7f');  // read by nobody
    return header + embedding + layers("attention_norm") + attention + layers("ffn_norm") + ffn + norm + tables + head;
  }
  std::string start = int_bytes({0x616b3432, 1}) + header + std::string(1, config.tied_head ? '\1' : '\0');
  start.resize(256, '\0');
  return start + layers("attention_norm") + layers("ffn_norm") + norm + embedding + attention + ffn + head;
}

DecoderLM foreign_model(bool tied_head, NormPlacement norm) {
  ModelConfig config = tiny_config(norm == NormPlacement::kBitnet ? LinearKind::kBitnet : LinearKind::kFloat, norm);
  config.tied_head = tied_head;
  config.rope_theta = 10000.0;
  if (norm == NormPlacement::kBitnet) config.activation = Activation::kRelu2;
  DecoderLM model = make_model(config);
  vary_norm_weights(model);
  return model;
}

}  // namespace bitnet::testing
