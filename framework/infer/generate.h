#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "framework/data/tokenizer.h"
#include "framework/infer/served_model.h"

namespace bitnet {

struct GenerateOptions {
  int64_t max_new_tokens = 128;
  double temperature = 0;  ///< 0: greedy
  int64_t top_k = 0;       ///< 0: all tokens
  double top_p = 1.0;      ///< least set of tokens whose probabilities reach top_p
  int64_t seed = 1;
};

/// Continues `prompt` token by token until EOS or max_new_tokens; returns the continuation. `on_text` receives it piece
/// by piece, each a whole UTF-8 sequence where the model makes one. Beyond the model's context the oldest tokens are
/// dropped, and each token reads the whole window again, because every position has moved.
/// Errors: ConfigError for an option out of range.
std::string generate(const ServedModel& model, const Tokenizer& tokenizer, std::string_view prompt,
                     const GenerateOptions& options, const std::function<void(std::string_view)>& on_text);

/// Chooses the next token. Pure but for the generator's state.
/// Shapes: logits [V] float32. `uniform` in [0, 1) is the draw.
int64_t choose_token(const at::Tensor& logits, const GenerateOptions& options, double uniform);

}  // namespace bitnet
