#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>

#include "framework/infer/served_model.h"

namespace bitnet {

/// One sequence of tokens in a served model: the keys and values of what was read so far, and the buffers to read on.
/// Every hidden state depends on the tokens alone, to the last bit, where the linear layers are packed: not on how a
/// prompt is cut into calls, nor on the number of threads. It equals that of DecoderLM::hidden (with a float32 table).
class Session {
 public:
  /// Room for `capacity` tokens, at most the model's context. `model` must outlive the session.
  /// Errors: std::invalid_argument for a capacity out of range.
  Session(const ServedModel& model, int64_t capacity);
  ~Session();
  Session(Session&&) noexcept;

  /// Reads `tokens` after those read before. Returns the hidden states after the last norm of the last `keep` of them.
  /// Shapes: [keep, D] float32. Errors: std::invalid_argument where they do not fit or an id is unknown.
  at::Tensor read(std::span<const int32_t> tokens, int64_t keep);
  /// The same, and the logits of the last token. Shapes: [V] float32.
  at::Tensor next_logits(std::span<const int32_t> tokens);
  /// Logits of hidden states. Shapes: [M, D] -> [M, V] float32.
  at::Tensor logits(const at::Tensor& hidden_MD);

  /// Tokens read so far.
  int64_t position() const;
  /// Forgets all tokens from `position` on.
  void rewind(int64_t position);
  /// Bytes of keys and values.
  int64_t cache_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bitnet
