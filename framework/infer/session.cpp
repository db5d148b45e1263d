#include "framework/infer/session.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "framework/infer/decoder_pass.h"

namespace bitnet {
namespace {

/// Tokens of each thread that go through the layers of a packed model at once. Each pass reads all weights, which is
/// little beside the products; with 512 the rows between two layers leave the caches, and a prompt takes 1.2 % longer.
/// However a text is cut, the bits are the same.
constexpr int64_t kRowsOfThread = 128;
/// With LibTorch's products the bits depend on the cut, so it must not depend on the number of threads.
constexpr int64_t kLibraryRows = 512;

int64_t rows_at_once(const ServedModel& model, int64_t capacity) {
  return std::min(capacity, model.form == LinearForm::kPacked ? kRowsOfThread * at::get_num_threads() : kLibraryRows);
}

/// Rows that the head takes at once: quantized at a width of 2,048 they take a quarter of a second-level cache of 1
/// MiB.
constexpr int64_t kHeadRows = 128;

}  // namespace

struct Session::State {
  State(const ServedModel& model, int64_t capacity)
      : model(model),
        capacity(capacity),
        cache(model, capacity),
        chunk(rows_at_once(model, capacity)),
        buffers(model, chunk, capacity, at::get_num_threads()) {}

  const ServedModel& model;
  int64_t capacity;
  int64_t position = 0;
  KeyValueCache cache;
  int64_t chunk;  ///< rows of a pass
  PassBuffers buffers;
};

Session::Session(const ServedModel& model, int64_t capacity) {
  if (capacity < 1 || capacity > model.config.context) {
    throw std::invalid_argument("Session: the capacity must be 1 to the model's context, " +
                                std::to_string(model.config.context) + ", but is " + std::to_string(capacity) +
                                ". Cut the text.");
  }
  state_ = std::make_unique<State>(model, capacity);
}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;

int64_t Session::position() const { return state_->position; }
int64_t Session::cache_bytes() const { return state_->cache.bytes(); }

void Session::rewind(int64_t position) {
  if (position < 0 || position > state_->position) {
    throw std::invalid_argument("Session::rewind: the position must be 0 to " + std::to_string(state_->position) +
                                ", but is " + std::to_string(position) + ".");
  }
  state_->position = position;
}

at::Tensor Session::read(std::span<const int32_t> tokens, int64_t keep) {
  const at::NoGradGuard no_grad;
  State& state = *state_;
  const auto count = static_cast<int64_t>(tokens.size());
  if (count > state.capacity - state.position) {
    throw std::invalid_argument("Session::read: at most " + std::to_string(state.capacity - state.position) +
                                " tokens must follow, but there are " + std::to_string(count) + ". Cut the text.");
  }
  if (keep < 0 || keep > count) {
    throw std::invalid_argument("Session::read: `keep` must be 0 to " + std::to_string(count) + ", but is " +
                                std::to_string(keep) + ".");
  }
  for (const int32_t id : tokens) {
    if (id < 0 || id >= state.model.vocab_size) {
      throw std::invalid_argument("Session::read: token ids must be 0 to " +
                                  std::to_string(state.model.vocab_size - 1) + ", but one is " + std::to_string(id) +
                                  ". Use the model's tokenizer.");
    }
  }
  at::Tensor hidden = at::empty({keep, state.model.config.width}, at::kFloat);
  for (int64_t begin = 0; begin < count; begin += state.chunk) {
    const int64_t rows = std::min(state.chunk, count - begin);
    // Rows of this chunk whose hidden states are wanted: the last of them.
    const int64_t kept = std::clamp<int64_t>(begin + rows - (count - keep), 0, rows);
    float* to = hidden.data_ptr<float>() + (begin + rows - kept - (count - keep)) * state.model.config.width;
    run_pass(state.model, tokens.subspan(static_cast<size_t>(begin), static_cast<size_t>(rows)), state.position, kept,
             kept == 0 ? nullptr : to, state.cache, state.buffers);
    state.position += rows;
  }
  return hidden;
}

at::Tensor Session::next_logits(std::span<const int32_t> tokens) { return logits(read(tokens, 1)).squeeze(0); }

at::Tensor Session::logits(const at::Tensor& hidden_in) {
  const at::NoGradGuard no_grad;
  const at::Tensor hidden = hidden_in.contiguous();
  return head_logits(state_->model, hidden, kHeadRows);
}

}  // namespace bitnet
