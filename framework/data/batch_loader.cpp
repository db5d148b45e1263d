#include <string>

#include "framework/core/error.h"
#include "framework/core/random.h"
#include "framework/data/token_windows.h"

namespace bitnet {
namespace {

constexpr uint64_t kOrderStream = 0x6f72646572;  // "order": the purpose of the loader's random streams

}  // namespace

BatchLoader::BatchLoader(const TokenWindows& windows, int64_t batch_windows, int64_t seed)
    : windows_(windows), batch_windows_(batch_windows), seed_(seed) {
  if (batch_windows < 1 || windows.count() < batch_windows) {
    throw DataError("data: the training split must hold at least one batch of " + std::to_string(batch_windows) +
                    " windows of " + std::to_string(windows.length()) + " tokens, but holds " +
                    std::to_string(windows.count()) +
                    " windows. Lower trainer.batch_windows or model.context, or give more text.");
  }
  batches_per_epoch_ = windows.count() / batch_windows;
}

void BatchLoader::next(std::span<int64_t> out) {
  const int64_t epoch = position_ / batches_per_epoch_;
  if (epoch != order_epoch_) {
    order_ = permutation(windows_.count(),
                         random_stream(static_cast<uint64_t>(seed_), kOrderStream, static_cast<uint64_t>(epoch)));
    order_epoch_ = epoch;
  }
  const auto window_ids = static_cast<size_t>(windows_.length() + 1);
  if (out.size() != static_cast<size_t>(batch_windows_) * window_ids) {
    throw DataError("data: a batch must have room for " + std::to_string(batch_windows_) + " x " +
                    std::to_string(window_ids) + " ids, but has for " + std::to_string(out.size()) + ".");
  }
  const int64_t first = position_ % batches_per_epoch_ * batch_windows_;
  for (int64_t i = 0; i < batch_windows_; ++i) {
    windows_.window(order_[static_cast<size_t>(first + i)],
                    out.subspan(static_cast<size_t>(i) * window_ids, window_ids));
  }
  ++position_;
}

void BatchLoader::restore(int64_t state) {
  if (state < 0) {
    throw DataError("data: the position of a batch loader must be 0 or more, but is " + std::to_string(state) +
                    ". Remove the checkpoint that holds it.");
  }
  position_ = state;
}

}  // namespace bitnet
