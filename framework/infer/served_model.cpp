#include "framework/infer/served_model.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <map>
#include <utility>

#include "framework/core/random.h"
#include "framework/infer/weight_arena.h"
#include "framework/nn/functions.h"
#include "ops/kernels/packed_format.h"
#include "ops/torch/bitnet_ops.h"

namespace bitnet {
namespace {

using at::Tensor;

/// The purpose number of random weights for measuring in random_stream.
constexpr uint64_t kMeasurePurpose = 4;
/// Magnitude of random weights; keeps the activations of a deep random model finite.
constexpr float kRandomScale = 0.02f;
/// Uniform digits of base 3 in a random word: 3^32 / 2^64 < 10^-3 bounds the bias of the last one.
constexpr int64_t kTritsInWord = 32;

/// Gives the float32 tensor of a name, undefined where the model has none, for a shape.
using TensorSource = std::function<Tensor(const std::string& name, at::IntArrayRef shape)>;

int64_t linear_bytes(int64_t out, int64_t in, LinearForm form) {
  switch (form) {
    case LinearForm::kPacked:
      return kernels::packed_bytes(out, in);
    case LinearForm::kFloat32:
      return out * in * 4;
    case LinearForm::kBfloat16:
      return out * in * 2;
  }
  return 0;
}

Tensor in_form(const Tensor& weight, LinearForm form) {
  switch (form) {
    case LinearForm::kPacked: {
      const auto [codes, gamma] = ops::quantize_weight(weight);
      return ops::pack_ternary(codes, gamma);
    }
    case LinearForm::kFloat32:
      return weight;
    case LinearForm::kBfloat16:
      return weight.to(at::kBFloat16);
  }
  return weight;
}

/// Builds the model, weight by weight, so that no more than one stands in memory twice.
ServedModel assemble(const ModelConfig& config, int64_t vocab_size, LinearForm form, HeadFormat head,
                     const TensorSource& source) {
  ServedModel served;
  served.config = config;
  served.vocab_size = vocab_size;
  served.form = form;
  const int64_t width = config.width;
  served.rope = rope_table(config.context, width / config.heads, config.rope_theta);
  ServedBlock shapes = block_shapes(config);
  int64_t bytes = VocabularyTable::room(vocab_size, width, head) * (config.tied_head ? 1 : 2);
  for_each_linear(shapes, [&](const char*, ServedLinear& linear) {
    bytes += config.layers * WeightArena::room(linear_bytes(linear.out, linear.in, form));
  });
  WeightArena arena(bytes);
  const auto table = [&](const std::string& name) {
    VocabularyTable made(source(name, {vocab_size, width}), head);
    made.move_to(arena);
    return made;
  };
  served.embedding = table("embedding.weight");
  for (int64_t index = 0; index < config.layers; ++index) {
    const std::string prefix = "layers." + std::to_string(index) + ".";
    const auto norm = [&](const std::string& name, int64_t size) { return source(prefix + name + ".weight", {size}); };
    ServedBlock block = shapes;
    block.attention_norm = norm("attention_norm", width);
    block.attention_sub_norm = norm("attention_sub_norm", width);
    block.ffn_norm = norm("ffn_norm", width);
    block.ffn_sub_norm = norm("ffn_sub_norm", config.ffn_width);
    for_each_linear(block, [&](const char* name, ServedLinear& linear) {
      linear.weight = arena.place(in_form(source(prefix + name + ".weight", {linear.out, linear.in}), form));
      linear.norm = norm(std::string(name) + "_norm", linear.in);
    });
    served.blocks.push_back(std::move(block));
  }
  served.final_norm = source("final_norm.weight", {width});
  served.head = config.tied_head ? served.embedding : table("head.weight");
  return served;
}

/// Ternary values times kRandomScale, a stream of its own for each tensor.
Tensor random_weight(at::IntArrayRef shape, int64_t seed, uint64_t index) {
  Tensor weight = at::empty(shape, at::kFloat);
  float* data = weight.data_ptr<float>();
  const int64_t rows = shape[0];
  const int64_t columns = weight.numel() / rows;
  at::parallel_for(0, rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      Random random =
          random_stream(static_cast<uint64_t>(seed), kMeasurePurpose, index << 32 | static_cast<uint64_t>(row));
      for (int64_t i = 0; i < columns; i += kTritsInWord) {
        uint64_t trits = random.next();
        for (int64_t j = i; j < std::min(columns, i + kTritsInWord); ++j, trits /= 3) {
          data[row * columns + j] = kRandomScale * static_cast<float>(static_cast<int>(trits % 3) - 1);
        }
      }
    }
  });
  return weight;
}

}  // namespace

ServedBytes ServedModel::bytes() const {
  ServedBytes bytes;
  const auto add = [](int64_t& total, const Tensor& tensor) {
    if (tensor.defined()) total += static_cast<int64_t>(tensor.nbytes());
  };
  for (ServedBlock block : blocks) {
    for (const Tensor& norm : {block.attention_norm, block.attention_sub_norm, block.ffn_norm, block.ffn_sub_norm}) {
      add(bytes.other, norm);
    }
    for_each_linear(block, [&](const char*, ServedLinear& linear) {
      add(form == LinearForm::kPacked ? bytes.ternary : bytes.linear, linear.weight);
      add(bytes.other, linear.norm);
    });
  }
  add(bytes.other, final_norm);
  bytes.tables = embedding.bytes() + (config.tied_head ? 0 : head.bytes());
  return bytes;
}

int64_t ServedModel::bytes_per_token() const {
  const ServedBytes all = bytes();
  return all.ternary + all.linear + head.bytes();
}

int64_t ServedModel::products_per_token() const {
  int64_t products = 0;
  for (ServedBlock block : blocks) {
    for_each_linear(block, [&](const char*, ServedLinear& linear) { products += linear.in * linear.out; });
  }
  return products;
}

void for_each_linear(ServedBlock& block, const std::function<void(const char*, ServedLinear&)>& visit) {
  visit("attention.q", block.q);
  visit("attention.k", block.k);
  visit("attention.v", block.v);
  visit("attention.o", block.o);
  visit("ffn.gate", block.gate);
  visit("ffn.up", block.up);
  visit("ffn.down", block.down);
}

ServedBlock block_shapes(const ModelConfig& config) {
  const int64_t kv_width = config.width / config.heads * config.kv_heads;
  const auto linear = [](int64_t in, int64_t out) { return ServedLinear{{}, {}, in, out}; };
  ServedBlock block;
  block.q = linear(config.width, config.width);
  block.k = linear(config.width, kv_width);
  block.v = linear(config.width, kv_width);
  block.o = linear(config.width, config.width);
  block.gate = linear(config.width, config.ffn_width);
  block.up = linear(config.width, config.ffn_width);
  block.down = linear(config.ffn_width, config.width);
  return block;
}

ServedModel serve(const DecoderLM& model) {
  const LinearForm form = model.config().linear == LinearKind::kBitnet ? LinearForm::kPacked : LinearForm::kFloat32;
  return serve(model, form, model.config().head);
}

ServedModel serve(const DecoderLM& model, LinearForm form, HeadFormat head) {
  const at::NoGradGuard no_grad;
  std::map<std::string, Tensor> tensors;
  for (const NamedParameter& parameter : model.parameters()) tensors[parameter.name] = parameter.value.detach();
  return assemble(model.config(), model.vocab_size(), form, head, [&](const std::string& name, at::IntArrayRef) {
    const auto found = tensors.find(name);
    return found == tensors.end() ? Tensor() : found->second;
  });
}

ServedModel random_served_model(const ModelConfig& config, int64_t vocab_size, LinearForm form, HeadFormat head,
                                int64_t seed) {
  const bool pre_norms = config.norm != NormPlacement::kTips;
  const bool sub_norms = config.norm == NormPlacement::kBitnet;
  uint64_t index = 0;
  return assemble(config, vocab_size, form, head, [&](const std::string& name, at::IntArrayRef shape) {
    ++index;
    if (shape.size() == 2) return random_weight(shape, seed, index);
    const bool present = name == "final_norm.weight"                                                    ? true
                         : name.find("sub_norm") != std::string::npos                                   ? sub_norms
                         : name.ends_with("attention_norm.weight") || name.ends_with("ffn_norm.weight") ? pre_norms
                                                                                                        : !pre_norms;
    return present ? at::ones(shape, at::kFloat) : Tensor();
  });
}

}  // namespace bitnet
