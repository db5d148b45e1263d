#include "framework/train/trainer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "framework/core/error.h"
#include "framework/nn/model_file.h"
#include "framework/train/schedule.h"

namespace bitnet {
namespace {

using at::Tensor;

/// Splits windows of length + 1 ids into inputs and, shifted by one, targets. Shapes: [B, T] both.
std::pair<Tensor, Tensor> inputs_and_targets(std::vector<int64_t>& windows, int64_t batch, int64_t length) {
  const Tensor all = at::from_blob(windows.data(), {batch, length + 1}, at::kLong);
  return {all.narrow(1, 0, length).contiguous(), all.narrow(1, 1, length).contiguous()};
}

void check_finite(const std::string& thing, double value, int64_t step) {
  if (std::isfinite(value)) return;
  throw ConfigError("training: the " + thing + " must be finite, but is " + std::to_string(value) + " at step " +
                    std::to_string(step) +
                    ". Lower optimizer.learning_rate or raise optimizer.schedule.warmup_fraction.");
}

}  // namespace

Trainer::Trainer(DecoderLM& model, const OptimizerConfig& optimizer, const TrainerConfig& trainer, BatchLoader& loader)
    : model_(model),
      config_(optimizer),
      loader_(loader),
      optimizer_(model.parameters(), optimizer),
      batch_windows_(trainer.batch_windows),
      window_(model.config().context),
      total_steps_(trainer.epochs * loader.batches_per_epoch()),
      batch_(static_cast<size_t>(trainer.batch_windows * (model.config().context + 1))) {
  if (trainer.max_steps > 0) total_steps_ = std::min(total_steps_, trainer.max_steps);
}

int64_t Trainer::steps_per_epoch() const { return loader_.batches_per_epoch(); }

StepResult Trainer::step() {
  loader_.next(batch_);
  const auto [inputs, targets] = inputs_and_targets(batch_, batch_windows_, window_);
  const Tensor loss = model_.loss(inputs, targets);
  StepResult result;
  result.nats_per_token = loss.item<float>();
  check_finite("loss", result.nats_per_token, steps_done_ + 1);
  loss.backward();
  const StepHyper hyper = hyper_at(config_, steps_done_, total_steps_);
  result.learning_rate = hyper.learning_rate;
  result.gradient_norm = optimizer_.update(hyper, steps_done_);
  check_finite("gradient norm", result.gradient_norm, steps_done_ + 1);
  ++steps_done_;
  return result;
}

void Trainer::add_state(std::map<std::string, std::string>& metadata,
                        std::map<std::string, TensorView>& tensors) const {
  metadata["steps_done"] = std::to_string(steps_done_);
  const std::vector<NamedParameter>& parameters = optimizer_.parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    tensors["parameter." + parameters[i].name] = view_of(parameters[i].value);
    tensors["first_moment." + parameters[i].name] = view_of(optimizer_.first_moments()[i]);
    tensors["second_moment." + parameters[i].name] = view_of(optimizer_.second_moments()[i]);
  }
}

void Trainer::restore(const TensorFile& file, const std::string& where) {
  const std::string& text = file.metadata_at("steps_done");
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, steps_done_);
  if (parsed.ec != std::errc() || parsed.ptr != end || steps_done_ < 0 || steps_done_ > total_steps_) {
    throw DataError(where + ": steps_done must be a number from 0 to " + std::to_string(total_steps_) + ", but is '" +
                    text + "'. Remove the file to train from the start.");
  }
  const std::vector<NamedParameter>& parameters = optimizer_.parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    copy_into(file, "parameter." + parameters[i].name, parameters[i].value, where);
    copy_into(file, "first_moment." + parameters[i].name, optimizer_.first_moments()[i], where);
    copy_into(file, "second_moment." + parameters[i].name, optimizer_.second_moments()[i], where);
  }
  loader_.restore(steps_done_);
}

double validation_loss(const DecoderLM& model, const TokenWindows& windows, int64_t batch_windows) {
  const at::NoGradGuard no_grad;
  const int64_t length = windows.length();
  double nats = 0;
  for (int64_t first = 0; first < windows.count(); first += batch_windows) {
    const int64_t count = std::min(batch_windows, windows.count() - first);
    std::vector<int64_t> ids(static_cast<size_t>(count * (length + 1)));
    for (int64_t i = 0; i < count; ++i) {
      windows.window(first + i,
                     std::span(ids).subspan(static_cast<size_t>(i * (length + 1)), static_cast<size_t>(length + 1)));
    }
    const auto [inputs, targets] = inputs_and_targets(ids, count, length);
    nats += model.loss(inputs, targets).item<float>() * static_cast<double>(count);
  }
  return nats / static_cast<double>(windows.count());
}

}  // namespace bitnet
