#include "framework/infer/assemble.h"

#include <ATen/ATen.h>

#include <utility>

#include "framework/infer/weight_arena.h"
#include "framework/nn/functions.h"
#include "ops/kernels/packed_format.h"

namespace bitnet {
namespace {

using at::Tensor;

int64_t linear_bytes(const ServedLinear& linear, LinearForm form) {
  switch (form) {
    case LinearForm::kPacked:
      return kernels::packed_bytes(linear.out, linear.in);
    case LinearForm::kFloat32:
      return linear.out * linear.in * 4;
    case LinearForm::kBfloat16:
      return linear.out * linear.in * 2;
  }
  return 0;
}

/// The linear layers of a block, without weights.
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

}  // namespace

ServedModel assemble(const ModelConfig& config, int64_t vocab_size, LinearForm form, HeadFormat head,
                     ModelParts& parts) {
  ServedModel served;
  served.config = config;
  served.config.head = head;
  served.vocab_size = vocab_size;
  served.form = form;
  served.rope = rope_table(config.context, config.width / config.heads, config.rope_theta);
  ServedBlock shapes = block_shapes(config);
  int64_t bytes = VocabularyTable::room(vocab_size, config.width, head) * (config.tied_head ? 1 : 2);
  for_each_linear(shapes, [&](const char*, ServedLinear& linear) {
    bytes += config.layers * WeightArena::room(linear_bytes(linear, form));
  });
  WeightArena arena(bytes);
  const auto table = [&](const std::string& name) {
    VocabularyTable made = parts.table(name);
    made.move_to(arena);
    return made;
  };
  const bool inside = config.norm == NormPlacement::kTips;
  const bool sub_norms = config.norm == NormPlacement::kBitnet;
  // The tables first: while a part stands in memory twice, it is best that little else does.
  served.embedding = table("embedding");
  served.head = config.tied_head ? served.embedding : table("head");
  for (int64_t index = 0; index < config.layers; ++index) {
    const std::string prefix = "layers." + std::to_string(index) + ".";
    const auto norm = [&](bool present, const std::string& name, int64_t size) {
      return present ? parts.norm(prefix + name, size) : Tensor();
    };
    ServedBlock block = shapes;
    block.attention_norm = norm(!inside, "attention_norm", config.width);
    block.attention_sub_norm = norm(sub_norms, "attention_sub_norm", config.width);
    block.ffn_norm = norm(!inside, "ffn_norm", config.width);
    block.ffn_sub_norm = norm(sub_norms, "ffn_sub_norm", config.ffn_width);
    for_each_linear(block, [&](const char* name, ServedLinear& linear) {
      linear.weight = arena.place(parts.linear(prefix + name, linear));
      linear.norm = norm(inside, std::string(name) + "_norm", linear.in);
    });
    served.blocks.push_back(std::move(block));
  }
  served.final_norm = parts.norm("final_norm", config.width);
  return served;
}

}  // namespace bitnet
