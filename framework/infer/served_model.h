#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "framework/config/experiment_config.h"
#include "framework/infer/vocabulary_table.h"
#include "framework/nn/model_source.h"

namespace bitnet {

/// What the linear layers of a served model are: packed ternary weights with 8-bit activations, or LibTorch's products.
enum class LinearForm { kPacked, kFloat32, kBfloat16 };

/// One linear layer. Shapes: weight [out, in] float32 or bfloat16, or packed bytes (ops/README.md); norm [in] or
/// undefined.
struct ServedLinear {
  at::Tensor weight;
  at::Tensor norm;
  int64_t in = 0, out = 0;
};

/// One decoder block; undefined norms do nothing.
struct ServedBlock {
  at::Tensor attention_norm, attention_sub_norm, ffn_norm, ffn_sub_norm;
  ServedLinear q, k, v, o, gate, up, down;
};

/// Bytes of a served model by what they hold.
struct ServedBytes {
  int64_t ternary = 0;  ///< packed linear layers
  int64_t linear = 0;   ///< float linear layers
  int64_t tables = 0;   ///< embedding and head
  int64_t other = 0;    ///< norms
  int64_t total() const { return ternary + linear + tables + other; }
};

/// A model in the form in which it is evaluated and served: no gradients, linear layers in one form, embedding and head
/// in one format. `Session` runs it.
struct ServedModel {
  ModelConfig config;
  int64_t vocab_size = 0;
  LinearForm form = LinearForm::kPacked;
  VocabularyTable embedding, head;  ///< sharing memory when tied
  at::Tensor final_norm;            ///< [D]
  at::Tensor rope;                  ///< as rope_table gives
  std::vector<ServedBlock> blocks;

  ServedBytes bytes() const;
  /// Bytes that one generated token reads at least: the linear layers and the head, without the cache.
  int64_t bytes_per_token() const;
  /// Multiplications of one token in the linear layers of the blocks.
  int64_t products_per_token() const;
};

/// The form that a model's own linear layers have: a BitNet packed, with the bits of the training-time model; a float
/// model as it is. Embedding and head as `model.head` of the configuration says.
ServedModel serve(const DecoderLM& model);
/// In another form: float weights are packed by their absmean codes, those of a BitNet are taken as they are for float.
ServedModel serve(const DecoderLM& model, LinearForm form, HeadFormat head);
/// The same of a model that is read part by part: no more than one part stands in memory twice.
ServedModel serve(const ModelSource& source);
ServedModel serve(const ModelSource& source, LinearForm form, HeadFormat head);

/// Random ternary weights, a third of them zeros, for measuring; the same values in every form.
ServedModel random_served_model(const ModelConfig& config, int64_t vocab_size, LinearForm form, HeadFormat head,
                                int64_t seed);

/// Calls `visit(name, linear)` for the linear layers of a block in the order of DecoderLM::linears.
void for_each_linear(ServedBlock& block, const std::function<void(const char*, ServedLinear&)>& visit);

}  // namespace bitnet
