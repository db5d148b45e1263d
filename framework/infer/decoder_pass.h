#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "framework/infer/served_model.h"

// One pass of tokens through the layers of a served model. M rows (tokens of the pass), D width, F feed-forward width,
// H heads, G key/value heads, K head width, P bytes from one row of quantized inputs to the next, V vocabulary.

namespace bitnet {

/// Keys and values of all layers and heads, in the layout of ops/kernels/decoder_math.h.
class KeyValueCache {
 public:
  KeyValueCache(const ServedModel& model, int64_t capacity);
  float* keys(int64_t layer, int64_t head);
  float* values(int64_t layer, int64_t head);
  int64_t bytes() const;

 private:
  int64_t heads_, key_size_, value_size_;
  at::Tensor data_;
};

/// Memory of a pass, made once and used again.
struct PassBuffers {
  PassBuffers(const ServedModel& model, int64_t rows, int64_t capacity, int64_t threads);

  /// Quantized rows of a linear layer's input.
  struct Quantized {
    at::Tensor codes, scales, sums;  ///< [rows, P] int8, [rows] float32, [rows] int32
  };
  /// What each thread has for itself.
  struct Private {
    Quantized input;     ///< of few rows, where the threads share the outputs
    at::Tensor normed;   ///< one row
    at::Tensor sums;     ///< int32 sums of a tile of rows and a slice of outputs
    at::Tensor values;   ///< the same in float32
    at::Tensor scratch;  ///< of attention
  };
  int64_t rows;
  at::Tensor x, q, k, v, h;  ///< [rows, D], [rows, D], [rows, G K] twice, [rows, F]
  Quantized input;           ///< of many rows, where the threads share the rows
  std::vector<Private> threads;
};

/// Reads `tokens`, at most `buffers.rows`, at the positions from `position` on. Writes the hidden states after the last
/// norm of the last `keep` rows. Shapes: hidden [keep, D].
void run_pass(const ServedModel& model, std::span<const int32_t> tokens, int64_t position, int64_t keep, float* hidden,
              KeyValueCache& cache, PassBuffers& buffers);

/// Logits of hidden states, `rows_at_once` at a time. Shapes: [M, D] -> [M, V].
at::Tensor head_logits(const ServedModel& model, const at::Tensor& hidden_MD, int64_t rows_at_once);

}  // namespace bitnet
