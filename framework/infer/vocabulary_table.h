#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "framework/config/experiment_config.h"

// D width, V vocabulary, M rows.

namespace bitnet {

class WeightArena;

/// The table [V, D] of an embedding or an output head, in the form in which it is served.
///
/// `int8`: row v is scale[v] * codes[v], by the largest magnitude of the row; a row of activations is quantized as for
/// a ternary layer. A logit then differs from the float32 one by at most s_v / 2 * sum|h| + s_h / 2 * sum|w'|, with s_v
/// and s_h the two scales and w' the quantized row.
class VocabularyTable {
 public:
  VocabularyTable() = default;
  /// Shapes: weight [V, D] float32. `float32` shares memory.
  VocabularyTable(const at::Tensor& weight, HeadFormat format);
  /// From stored tensors; scales belong to `int8` only.
  /// Shapes: data [V, D] of the format's type, int8 [V, bytes of a row] uint8 in strips (ops/kernels/int8_format.h);
  /// scales [V] float32.
  VocabularyTable(HeadFormat format, int64_t width, at::Tensor data, at::Tensor scales);

  HeadFormat format() const { return format_; }
  int64_t vocab_size() const { return data_.size(0); }
  int64_t width() const { return width_; }
  const at::Tensor& data() const { return data_; }
  const at::Tensor& scales() const { return scales_; }
  int64_t bytes() const;
  /// Bytes of an arena that a table takes.
  static int64_t room(int64_t vocab_size, int64_t width, HeadFormat format);
  void move_to(WeightArena& arena);

  /// Row `id` in float32. Shapes: to_D [D].
  void embed(int64_t id, float* to_D) const;

  /// Buffers for quantized rows of hidden states; nothing for the float formats.
  struct Rows {
    at::Tensor codes, scales, sums;
  };
  Rows make_rows(int64_t rows) const;
  void quantize(const float* hidden_MD, int64_t m, const Rows& rows) const;

  /// Logits of the ids [begin, end) for `m` rows of hidden states, which `rows` holds quantized; `scratch` has the
  /// shape [m, end - begin] int32 for `int8`. `begin` is a multiple of kernels::kStripOutputs. Each logit depends on
  /// its own row and id alone. Shapes: logits [m, V].
  void logits(const float* hidden_MD, int64_t m, const Rows& rows, int64_t begin, int64_t end, int32_t* scratch,
              float* logits_MV) const;

 private:
  HeadFormat format_ = HeadFormat::kFloat32;
  int64_t width_ = 0;
  at::Tensor data_, scales_;
};

}  // namespace bitnet
