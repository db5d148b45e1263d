#include "framework/nn/decoder_lm.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/random.h"
#include "framework/nn/functions.h"

namespace bitnet {
namespace {

using at::Tensor;

/// The purpose number of initial weights in random_stream; other purposes live with their users.
constexpr uint64_t kInitPurpose = 1;

/// Norms of ones, and matrices of normal(0, std) by Box and Muller 1958, in double, from a stream of its own for each
/// matrix: the same values on every machine and LibTorch (the library's normal_ differs between instruction sets).
class RandomWeights {
 public:
  RandomWeights(int64_t seed, double std) : seed_(static_cast<uint64_t>(seed)), std_(std) {}

  Tensor operator()(const std::string&, at::IntArrayRef shape) {
    if (shape.size() == 1) return at::ones(shape, at::kFloat);
    Random random = random_stream(seed_, kInitPurpose, index_++);
    Tensor values = at::empty(shape, at::kFloat);
    float* data = values.data_ptr<float>();
    const int64_t count = values.numel();
    for (int64_t i = 0; i < count; i += 2) {
      // 1 - uniform lies in (0, 1]: its logarithm is finite.
      const double radius = std::sqrt(-2.0 * std::log(1.0 - random.uniform()));
      const double angle = 2.0 * std::numbers::pi * random.uniform();
      data[i] = static_cast<float>(std_ * radius * std::cos(angle));
      if (i + 1 < count) data[i + 1] = static_cast<float>(std_ * radius * std::sin(angle));
    }
    return values;
  }

 private:
  uint64_t seed_;
  double std_;
  uint64_t index_ = 0;
};

struct Norm {
  Tensor weight;  ///< undefined: no norm here
  Tensor operator()(const Tensor& x, double epsilon) const {
    return weight.defined() ? rms_norm(x, weight, epsilon) : x;
  }
};

/// A linear layer with the norm on its input that the placement `tips` puts there.
struct Projection {
  Norm norm;
  NamedLinear layer;
  Tensor operator()(const Tensor& x, double epsilon) const { return layer.linear->forward(norm(x, epsilon)); }
};

struct Block {
  Norm attention_norm, attention_sub_norm, ffn_norm, ffn_sub_norm;
  Projection q, k, v, o, gate, up, down;
  std::vector<const Projection*> projections() const { return {&q, &k, &v, &o, &gate, &up, &down}; }
};

}  // namespace

struct DecoderLM::State {
  ModelConfig config;
  int64_t vocab_size = 0;
  Tensor embedding;  ///< [V, D]
  Tensor head;       ///< [V, D]; the embedding itself when tied
  Tensor rope;
  std::vector<Block> blocks;
  Norm final_norm;
};

DecoderLM::~DecoderLM() = default;
DecoderLM::DecoderLM(DecoderLM&&) noexcept = default;
DecoderLM& DecoderLM::operator=(DecoderLM&&) noexcept = default;

DecoderLM::DecoderLM(const ModelConfig& config, int64_t vocab_size, int64_t seed, const LinearFactory& factory)
    : DecoderLM(config, vocab_size, RandomWeights(seed, config.init_std), factory) {}

DecoderLM::DecoderLM(const ModelConfig& config, int64_t vocab_size, const ParameterSource& source,
                     const LinearFactory& factory)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.config = config;
  state.vocab_size = vocab_size;
  const int64_t head_width = config.width / config.heads;
  const int64_t kv_width = head_width * config.kv_heads;
  const bool pre_norms = config.norm != NormPlacement::kTips;
  const bool sub_norms = config.norm == NormPlacement::kBitnet;
  const auto table = [&](const std::string& name) {
    return source(name + ".weight", {vocab_size, config.width}).set_requires_grad(true);
  };
  const auto norm = [&](bool present, const std::string& name, int64_t width) {
    return Norm{present ? source(name + ".weight", {width}).set_requires_grad(true) : Tensor()};
  };

  state.embedding = table("embedding");
  state.rope = rope_table(config.context, head_width, config.rope_theta);
  for (int64_t index = 0; index < config.layers; ++index) {
    const std::string prefix = "layers." + std::to_string(index) + ".";
    const auto projection = [&](const std::string& name, int64_t in, int64_t out) {
      const LinearShape shape{prefix + name, in, out};
      const Tensor weight = source(shape.name + ".weight", {out, in});
      return Projection{norm(!pre_norms, shape.name + "_norm", in), {shape.name, factory(shape, weight)}};
    };
    Block block;
    block.attention_norm = norm(pre_norms, prefix + "attention_norm", config.width);
    block.q = projection("attention.q", config.width, config.width);
    block.k = projection("attention.k", config.width, kv_width);
    block.v = projection("attention.v", config.width, kv_width);
    block.attention_sub_norm = norm(sub_norms, prefix + "attention_sub_norm", config.width);
    block.o = projection("attention.o", config.width, config.width);
    block.ffn_norm = norm(pre_norms, prefix + "ffn_norm", config.width);
    block.gate = projection("ffn.gate", config.width, config.ffn_width);
    block.up = projection("ffn.up", config.width, config.ffn_width);
    block.ffn_sub_norm = norm(sub_norms, prefix + "ffn_sub_norm", config.ffn_width);
    block.down = projection("ffn.down", config.ffn_width, config.width);
    state.blocks.push_back(std::move(block));
  }
  state.final_norm = norm(true, "final_norm", config.width);
  state.head = config.tied_head ? state.embedding : table("head");
}

Tensor DecoderLM::hidden(const Tensor& tokens_BT) const {
  const State& state = *state_;
  const ModelConfig& config = state.config;
  if (tokens_BT.dim() != 2 || tokens_BT.size(1) > config.context) {
    throw std::invalid_argument("DecoderLM: tokens must have the shape [B, T] with T at most the context, " +
                                std::to_string(config.context) + ", but have " + c10::str(tokens_BT.sizes()) +
                                ". Cut the text into windows.");
  }
  const double epsilon = config.norm_epsilon;
  Tensor x = at::embedding(state.embedding, tokens_BT);
  for (const Block& block : state.blocks) {
    const Tensor attention_in = block.attention_norm(x, epsilon);
    const Tensor q = apply_rope(block.q(attention_in, epsilon), state.rope);
    const Tensor k = apply_rope(block.k(attention_in, epsilon), state.rope);
    const Tensor v = block.v(attention_in, epsilon);
    const Tensor mixed = causal_attention(q, k, v, config.heads, config.kv_heads);
    x = x + block.o(block.attention_sub_norm(mixed, epsilon), epsilon);

    const Tensor ffn_in = block.ffn_norm(x, epsilon);
    const Tensor gate = block.gate(ffn_in, epsilon);
    const Tensor up = block.up(ffn_in, epsilon);
    const Tensor active = gated(gate, up, config.activation);
    x = x + block.down(block.ffn_sub_norm(active, epsilon), epsilon);
  }
  return state.final_norm(x, epsilon);
}

Tensor DecoderLM::logits(const Tensor& hidden) const { return at::linear(hidden, state_->head); }

Tensor DecoderLM::loss(const Tensor& tokens_BT, const Tensor& targets_BT) const {
  const Tensor rows = hidden(tokens_BT).view({-1, state_->config.width});
  return linear_cross_entropy(rows, state_->head, targets_BT.reshape({-1}));
}

std::vector<NamedParameter> DecoderLM::parameters() const {
  const State& state = *state_;
  std::vector<NamedParameter> all;
  const auto add = [&](const std::string& name, const Tensor& value) {
    if (value.defined()) all.push_back({name + ".weight", value});
  };
  add("embedding", state.embedding);
  for (size_t index = 0; index < state.blocks.size(); ++index) {
    const Block& block = state.blocks[index];
    const std::string prefix = "layers." + std::to_string(index) + ".";
    add(prefix + "attention_norm", block.attention_norm.weight);
    add(prefix + "attention_sub_norm", block.attention_sub_norm.weight);
    add(prefix + "ffn_norm", block.ffn_norm.weight);
    add(prefix + "ffn_sub_norm", block.ffn_sub_norm.weight);
    for (const Projection* projection : block.projections()) {
      add(projection->layer.name + "_norm", projection->norm.weight);
      add(projection->layer.name, projection->layer.linear->weight());
    }
  }
  add("final_norm", state.final_norm.weight);
  if (!state.config.tied_head) add("head", state.head);
  return all;
}

std::vector<NamedLinear> DecoderLM::linears() const {
  std::vector<NamedLinear> all;
  for (const Block& block : state_->blocks) {
    for (const Projection* projection : block.projections()) all.push_back(projection->layer);
  }
  return all;
}

const ModelConfig& DecoderLM::config() const { return state_->config; }
int64_t DecoderLM::vocab_size() const { return state_->vocab_size; }

}  // namespace bitnet
