#include "framework/train/train_loop.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"
#include "framework/nn/model_file.h"
#include "framework/train/requantize.h"
#include "framework/train/train_log.h"
#include "framework/train/trainer.h"

namespace bitnet {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr const char* kCheckpointFormat = "bitnet-lab checkpoint 1";

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string number_text(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

double read_number(const TensorFile& file, const std::string& key) {
  const std::string& text = file.metadata_at(key);
  double value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) {
    throw DataError("checkpoint: '" + key + "' must be a number, but is '" + text + "'. Remove the checkpoint.");
  }
  return value;
}

/// A running sum of losses between two records.
struct LossSum {
  double sum = 0;
  int64_t count = 0;
  void add(double loss) { sum += loss, ++count; }
  double take_mean() {
    const double mean = sum / static_cast<double>(count);
    *this = {};
    return mean;
  }
};

/// The loop's state beside the trainer's own.
class TrainLoop {
 public:
  TrainLoop(DecoderLM& model, const TrainJob& job, ProgressReporter& progress)
      : model_(model),
        job_(job),
        progress_(progress),
        loader_(*job.train, job.trainer.batch_windows, job.seed),
        trainer_(model, job.optimizer, job.trainer, loader_),
        watch_(model) {
    // The loader has checked the training split.
    if (job.validation->count() == 0) {
      throw DataError(fmt::format(
          "training: the validation split must fill at least one window of {} tokens, but fills none. Lower "
          "model.context, or take more text.",
          job.validation->length()));
    }
  }

  TrainOutcome run() {
    TrainOutcome outcome;
    initial_sha256_ = weights_sha256(model_);
    if (fs::exists(model_path())) {
      read_finished();
      outcome.steps = trainer_.total_steps();
    } else {
      start_or_resume();
      train();
      outcome.finished = trainer_.steps_done() == trainer_.total_steps();
      if (outcome.finished) finish();
      outcome.trained = true;
      outcome.steps = trainer_.steps_done();
    }
    outcome.tokens_seen = outcome.steps * trainer_.tokens_per_step();
    outcome.train_seconds = train_seconds_;
    outcome.initial_weights_sha256 = initial_sha256_;
    outcome.final_weights_sha256 = weights_sha256(model_);
    outcome.records = read_train_log(log_path());
    return outcome;
  }

 private:
  fs::path model_path() const { return job_.folder / "model.safetensors"; }
  fs::path checkpoint_path() const { return job_.folder / "checkpoint.safetensors"; }
  fs::path log_path() const { return job_.folder / "metrics.jsonl"; }
  fs::path timing_path() const { return job_.folder / "timing.json"; }

  void start_or_resume() {
    fs::create_directories(job_.folder);
    int64_t log_bytes = 0;
    if (fs::exists(checkpoint_path())) log_bytes = restore();
    log_.emplace(log_path(), log_bytes);
    if (trainer_.steps_done() == 0) write_ternary(/*epoch=*/0);
  }

  void train() {
    const int64_t per_step = trainer_.tokens_per_step();
    const int64_t per_epoch = trainer_.steps_per_epoch();
    progress_.start(job_.label + ": train", trainer_.total_steps() * per_step, "tokens",
                    trainer_.steps_done() * per_step);
    const int64_t end =
        job_.stop_after_steps > 0 ? std::min(job_.stop_after_steps, trainer_.total_steps()) : trainer_.total_steps();
    while (trainer_.steps_done() < end) {
      const Clock::time_point start = Clock::now();
      const StepResult result = trainer_.step();
      train_seconds_ += seconds_since(start);
      const int64_t step = trainer_.steps_done();
      const bool last = step == trainer_.total_steps();
      interval_.add(result.nats_per_token);
      epoch_.add(result.nats_per_token);
      if (step % job_.trainer.log_every_steps == 0 || last) {
        const double epoch = static_cast<double>(step) / static_cast<double>(per_epoch);
        const TrainPoint point{step, epoch, interval_.take_mean(), result.learning_rate, result.gradient_norm};
        log_->write(point);
        note_ = fmt::format("epoch {}/{} loss {:.4f}", (step - 1) / per_epoch + 1, job_.trainer.epochs,
                            point.nats_per_token);
      }
      if (step % per_epoch == 0 || last) end_epoch((step - 1) / per_epoch + 1);
      progress_.update(step * per_step, note_);
      const bool stop = job_.should_stop && job_.should_stop();
      if (step % job_.trainer.checkpoint_every_steps == 0 || step % per_epoch == 0 || step == end || stop) save();
      if (stop && !last) {
        progress_.finish();
        throw Interrupted();
      }
    }
    progress_.finish();
  }

  void end_epoch(int64_t epoch) {
    EpochRecord record;
    record.epoch = epoch;
    record.train_nats_per_token = epoch_.take_mean();
    record.validation_nats_per_token = validation_loss(model_, *job_.validation, job_.trainer.batch_windows);
    log_->write(record);
    write_ternary(epoch);
    progress_.message(fmt::format("{}: epoch {} of {}: training loss {:.4f}, validation loss {:.4f} nats per token",
                                  job_.label, epoch, job_.trainer.epochs, record.train_nats_per_token,
                                  record.validation_nats_per_token));
  }

  void write_ternary(int64_t epoch) {
    for (const TernaryRecord& record : watch_.record(epoch)) log_->write(record);
  }

  void save() {
    std::map<std::string, std::string> metadata;
    std::map<std::string, TensorView> tensors;
    trainer_.add_state(metadata, tensors);
    for (size_t i = 0; i < watch_.codes().size(); ++i) {
      tensors["codes." + watch_.layers()[i].name] = view_of(watch_.codes()[i]);
    }
    metadata["format"] = kCheckpointFormat;
    metadata["identity"] = job_.identity;
    metadata["log_bytes"] = std::to_string(log_->sync());
    metadata["interval_sum"] = number_text(interval_.sum);
    metadata["interval_count"] = std::to_string(interval_.count);
    metadata["epoch_sum"] = number_text(epoch_.sum);
    metadata["epoch_count"] = std::to_string(epoch_.count);
    metadata["train_seconds"] = number_text(train_seconds_);
    metadata["threads"] = std::to_string(at::get_num_threads());
    write_tensor_file(checkpoint_path(), metadata, tensors);
  }

  /// Returns how many bytes of the log count.
  int64_t restore() {
    const std::string where = checkpoint_path().string();
    const TensorFile file(checkpoint_path());
    if (file.metadata_at("format") != kCheckpointFormat) {
      throw DataError(where + ": the format must be '" + kCheckpointFormat + "', but is '" +
                      file.metadata_at("format") + "'. Remove the file to train from the start.");
    }
    check_identity(file, where);
    trainer_.restore(file, where);
    std::vector<at::Tensor> codes;
    for (const NamedLinear& layer : watch_.layers()) {
      codes.push_back(at::empty_like(layer.linear->weight(), at::kChar));
      copy_into(file, "codes." + layer.name, codes.back(), where);
    }
    watch_.restore(std::move(codes));
    interval_ = {read_number(file, "interval_sum"), static_cast<int64_t>(read_number(file, "interval_count"))};
    epoch_ = {read_number(file, "epoch_sum"), static_cast<int64_t>(read_number(file, "epoch_count"))};
    train_seconds_ = read_number(file, "train_seconds");
    const std::string threads = std::to_string(at::get_num_threads());
    if (file.metadata_at("threads") != threads) {
      progress_.warning(fmt::format(
          "{}: the checkpoint was made with {} threads and training goes on with {}: float32 products may round "
          "differently. Set trainer.threads={} for the bits of an uninterrupted run.",
          job_.label, file.metadata_at("threads"), threads, file.metadata_at("threads")));
    }
    progress_.message(
        fmt::format("{}: resumed at step {} of {}", job_.label, trainer_.steps_done(), trainer_.total_steps()));
    return static_cast<int64_t>(read_number(file, "log_bytes"));
  }

  void check_identity(const TensorFile& file, const std::string& where) const {
    const std::string& identity = file.metadata_at("identity");
    if (identity == job_.identity) return;
    throw DataError(where + ": the training's identity must be " + job_.identity.substr(0, 12) + ", but is " +
                    identity.substr(0, 12) +
                    ": the file belongs to another configuration, data set or tokenizer. Remove its folder, or give "
                    "another with --out.");
  }

  void finish() {
    log_->sync();
    write_file_atomic(timing_path(), nlohmann::json{{"train_seconds", train_seconds_}}.dump() + "\n");
    std::map<std::string, std::string> metadata = job_.model_metadata;
    metadata["identity"] = job_.identity;
    metadata["log_sha256"] = sha256_file(log_path());
    save_model(model_path(), model_, std::move(metadata));
    fs::remove(checkpoint_path());
  }

  void read_finished() {
    const std::string where = model_path().string();
    const TensorFile file(model_path());
    check_identity(file, where);
    if (sha256_file(log_path()) != file.metadata_at("log_sha256")) {
      throw DataError(log_path().string() +
                      ": the training log must be the one of the finished model beside it, but "
                      "its SHA-256 differs. Restore it, or remove the folder to train this variant again.");
    }
    for (const NamedParameter& parameter : model_.parameters()) copy_into(file, parameter.name, parameter.value, where);
    try {
      train_seconds_ = nlohmann::json::parse(read_file(timing_path())).at("train_seconds");
    } catch (const nlohmann::json::exception& error) {
      throw DataError(timing_path().string() + ": the file must hold train_seconds, but does not (" + error.what() +
                      "). Remove the folder to train this variant again.");
    }
    fs::remove(checkpoint_path());
    progress_.message(job_.label + ": training was finished before");
  }

  DecoderLM& model_;
  const TrainJob& job_;
  ProgressReporter& progress_;
  BatchLoader loader_;
  Trainer trainer_;
  TernaryWatch watch_;
  std::optional<TrainLog> log_;
  LossSum interval_, epoch_;
  double train_seconds_ = 0;
  std::string note_;
  std::string initial_sha256_;
};

}  // namespace

TrainOutcome train_to_end(DecoderLM& model, const TrainJob& job, ProgressReporter& progress) {
  return TrainLoop(model, job, progress).run();
}

}  // namespace bitnet
