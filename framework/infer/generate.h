#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/data/tokenizer.h"
#include "framework/infer/served_model.h"
#include "framework/infer/session.h"
#include "framework/nn/generator.h"

namespace bitnet {

/// Continues `prompt` token by token until EOS, BOS (where the next text begins) or max_new_tokens; returns the
/// continuation. `on_text` receives it piece by piece, each a whole UTF-8 sequence where the model makes one. Beyond
/// the model's context the oldest tokens are dropped, and each token reads the whole window again, because every
/// position has moved.
/// Errors: ConfigError for an option out of range.
std::string generate(const ServedModel& model, const Tokenizer& tokenizer, std::string_view prompt,
                     const GenerateOptions& options, const std::function<void(std::string_view)>& on_text);

/// Continues the request's tokens. `session` is one of `model` with room for its whole context; what it read before is
/// forgotten. Errors: ConfigError for an option out of range; DataError for an empty request or an id that the model
/// does not know.
std::vector<int32_t> continue_tokens(Session& session, const ServedModel& model, const GenerateRequest& request);

/// Chooses the next token. Pure but for the generator's state.
/// Shapes: logits [V] float32. `uniform` in [0, 1) is the draw.
int64_t choose_token(const at::Tensor& logits, const GenerateOptions& options, double uniform);

}  // namespace bitnet
