#include "framework/experiment/runner.h"

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"
#include "framework/data/token_windows.h"
#include "framework/evaluate/code_evaluator.h"
#include "framework/evaluate/score_all.h"
#include "framework/experiment/efficiency.h"
#include "framework/experiment/environment.h"
#include "framework/experiment/item_details.h"
#include "framework/experiment/report.h"
#include "framework/experiment/start.h"
#include "framework/infer/model_generator.h"
#include "framework/infer/model_scorer.h"
#include "framework/nn/model_file.h"
#include "framework/train/train_loop.h"

namespace bitnet {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// Raised when a change of the code makes the same configuration train to other weights.
constexpr int kTrainingVersion = 2;

/// What all variants share: the text, its tokenizer and the token files.
struct SharedData {
  std::unique_ptr<Dataset> dataset;
  std::unique_ptr<Tokenizer> tokenizer;
};

SharedData open_data(const ExperimentConfig& config, ProgressReporter& progress) {
  SharedData data;
  data.dataset = open_dataset(config.dataset, progress);
  data.tokenizer = open_tokenizer(config.tokenizer, *data.dataset, progress);
  return data;
}

bool has_split(const DatasetConfig& config, DataSplit split) {
  if (config.source == DatasetSource::kTinyworld) return true;
  switch (split) {
    case DataSplit::kTrain:
      return !config.train.empty();
    case DataSplit::kValidation:
      return !config.validation.empty();
    case DataSplit::kTest:
      return !config.test.empty();
  }
  return false;
}

/// Takes the folder for this configuration: creates it, or checks that what is there has the same one.
void claim_folder(const fs::path& folder, const ResolvedExperiment& experiment) {
  const fs::path config_file = folder / "config.resolved.yaml";
  if (!fs::exists(config_file)) {
    if (fs::exists(folder / "results.json")) {
      throw DataError(folder.string() +
                      ": the run folder must hold config.resolved.yaml, but holds results without it. "
                      "Remove the folder or give another with --out.");
    }
    write_file_atomic(config_file, experiment.full_text);
    return;
  }
  const ResolvedExperiment found =
      resolve_stored(read_file(config_file), config_file.string(), "Remove the folder or give another with --out.");
  if (found.hash != experiment.hash) {
    throw DataError(config_file.string() + ": the run folder's configuration must have the hash " +
                    experiment.hash.substr(0, 16) + ", but has " + found.hash.substr(0, 16) +
                    ". Remove the folder or give another with --out.");
  }
}

void count_parameters(const ServedModel& served, VariantResult& variant) {
  variant.linear = yaml_name(served.config.linear);
  variant.parameters = 0;
  for (const ParameterShape& parameter : parameter_shapes(served.config, served.vocab_size)) {
    variant.parameters +=
        std::accumulate(parameter.shape.begin(), parameter.shape.end(), int64_t{1}, std::multiplies());
  }
  variant.ternary_parameters = served.form == LinearForm::kPacked ? served.products_per_token() : 0;
  variant.weight_bytes = served.bytes().total();
}

std::string sample_lines(const Evaluation& evaluation) {
  std::string lines;
  for (const EvaluationItem& item : evaluation.items) {
    nlohmann::ordered_json line = {
        {"id", item.id}, {"nats", item.nats}, {"tokens", item.tokens}, {"words", item.words}, {"bytes", item.bytes}};
    if (item.seconds > 0) line["seconds"] = item.seconds;
    if (item.memory_bytes > 0) line["memory_bytes"] = item.memory_bytes;
    if (!item.outcomes.empty()) line["outcomes"] = item.outcomes;
    if (!item.details.empty()) line["details"] = nlohmann::ordered_json::parse(item.details);
    lines += line.dump() + "\n";
  }
  return lines;
}

fs::path samples_file(const fs::path& folder, const std::string& evaluator) {
  return folder / ("samples_" + evaluator + ".jsonl");
}

fs::path evaluation_file(const fs::path& folder, const std::string& evaluator) {
  return folder / ("evaluation_" + evaluator + ".json");
}

void write_evaluation(const Evaluation& evaluation, const fs::path& folder) {
  write_file_atomic(samples_file(folder, evaluation.evaluator), sample_lines(evaluation));
  write_file_atomic(evaluation_file(folder, evaluation.evaluator), evaluation_to_json(evaluation));
  fs::remove(score_log_path(folder, evaluation.evaluator));
}

/// What an earlier call measured with this evaluator, if anything. Errors: DataError for a damaged file.
std::optional<Evaluation> kept_evaluation(const fs::path& folder, const std::string& evaluator) {
  const fs::path file = evaluation_file(folder, evaluator);
  if (!fs::exists(file)) return std::nullopt;
  Evaluation kept = evaluation_from_json(read_file(file), file.string());
  if (!fs::exists(samples_file(folder, evaluator))) write_evaluation(kept, folder);
  return kept;
}

/// `folder` keeps what an evaluator has not finished; empty: nothing is kept.
Evaluation evaluate_served(const ServedModel& model, const std::string& sha256, const fs::path& folder,
                           const std::function<void()>& stop_if_asked, Evaluator& evaluator,
                           ProgressReporter& progress) {
  ModelScorer scorer(model);
  ModelGenerator generator(model);
  const Clock::time_point start = Clock::now();
  Evaluation evaluation = evaluator.evaluate({scorer, generator, sha256, folder, stop_if_asked}, progress);
  evaluation.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  evaluation.weights_sha256 = sha256;
  return evaluation;
}

class Runner {
 public:
  Runner(const ResolvedExperiment& experiment, const RunOptions& options, ProgressReporter& progress)
      : experiment_(experiment), config_(experiment.config), options_(options), progress_(progress) {}

  RunOutcome run() {
    require_leave();
    use_threads(config_.trainer.threads);
    const fs::path folder = run_folder(options_.out, experiment_);
    create_folder(folder);
    const FileLock lock(folder / ".lock");
    claim_folder(folder, experiment_);
    const fs::path environment_file = folder / "environment.json";
    const std::string earlier = fs::exists(environment_file) ? read_file(environment_file) : "";
    const std::string start_time = utc_now();
    const Environment environment = read_environment(config_.seeds, start_time, "");
    for (const std::string& warning : environment.warnings) progress_.warning(warning);
    write_file_atomic(environment_file, continue_environment(earlier, environment.json, environment_file.string()));

    data_ = open_data(config_, progress_);
    RunOutcome outcome{folder, describe()};
    find_checkpoints(outcome.results.notes);
    // Random weights in a checkpoint's place have no quality to measure.
    if (outcome.results.notes.empty() && !stops_early()) {
      for (const NamedEvaluator& named : config_.evaluators) {
        if (named.config.kind == EvaluatorKind::kEfficiency) continue;  // compares: measure_together
        evaluators_.push_back(make_evaluator(named, *data_.dataset, *data_.tokenizer, options_.evaluators, progress_));
      }
    }
    run_variants(folder, outcome.results);

    // A call that only read what others had measured leaves their environment as it was.
    const bool finished_before = !worked_ && !earlier.empty();
    outcome.results.environment_json =
        finished_before ? earlier
                        : continue_environment(earlier, read_environment(config_.seeds, start_time, utc_now()).json,
                                               environment_file.string());
    write_file_atomic(environment_file, outcome.results.environment_json);
    if (stops_early()) return outcome;
    keep_telling_details(outcome.results);  // the samples files have them all
    write_file_atomic(folder / "results.json", results_to_json(outcome.results));
    write_reports(outcome.results, folder);
    return outcome;
  }

 private:
  bool stops_early() const { return options_.stop_after_steps > 0; }

  /// What the user must allow, before anything is written.
  void require_leave() const {
    if (stops_early()) return;
    for (const NamedEvaluator& named : config_.evaluators) {
      if (named.config.kind == EvaluatorKind::kCode && !options_.evaluators.allow_code_execution) {
        throw code_execution_error("evaluator '" + named.name + "'");
      }
    }
  }

  static void create_folder(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) {
      throw DataError(folder.string() +
                      ": the run folder must be a folder that can be written, but creating it failed: " +
                      error.message() + ". Give another with --out.");
    }
  }

  Results describe() const {
    Results results;
    results.experiment = config_.name;
    results.description = config_.description;
    results.config_hash = experiment_.hash;
    results.config_text = experiment_.full_text;
    results.overridden = experiment_.overridden;
    results.command = options_.command;
    results.baseline = config_.baseline;
    results.dataset = data_.dataset->name();
    results.tokenizer = data_.tokenizer->name();
    results.vocab_size = data_.tokenizer->vocab_size();
    results.data_sha256 = {{"tokenizer", data_.tokenizer->fingerprint()}};
    for (const DataSplit split : {DataSplit::kTrain, DataSplit::kValidation, DataSplit::kTest}) {
      if (has_split(config_.dataset, split)) {
        results.data_sha256[std::string(yaml_name(split))] = data_.dataset->sha256(split);
      }
    }
    return results;
  }

  fs::path seed_folder(const fs::path& folder, size_t variant, int64_t seed) const {
    return folder / config_.variants[variant].name / fmt::format("seed-{}", seed);
  }

  void find_checkpoints(std::vector<std::string>& notes) {
    for (const VariantConfig& variant : config_.variants) {
      checkpoints_.push_back(find_checkpoint(variant, progress_));
      if (!checkpoints_.back().note.empty()) notes.push_back(checkpoints_.back().note);
    }
  }

  void run_variants(const fs::path& folder, Results& results) {
    if (config_.trainer.epochs > 0) {
      train_.emplace(open_token_file(*data_.dataset, DataSplit::kTrain, *data_.tokenizer, progress_));
      validation_.emplace(open_token_file(*data_.dataset, DataSplit::kValidation, *data_.tokenizer, progress_));
      if (const auto floor = data_.dataset->floor(DataSplit::kValidation)) {
        results.floor_nats_per_token = floor->nats / static_cast<double>(validation_->count());
      }
    }
    for (const VariantConfig& variant : config_.variants) results.variants.emplace_back().name = variant.name;
    // Seeds outside, variants inside: after the first round there is a whole comparison.
    for (const int64_t seed : config_.seeds) {
      for (size_t i = 0; i < config_.variants.size(); ++i) {
        run_seed(i, seed, seed_folder(folder, i, seed), results.variants[i]);
      }
      if (seed != config_.seeds.front() || stops_early()) continue;  // speed and memory do not depend on the seed
      for (const NamedEvaluator& named : config_.evaluators) {
        if (named.config.kind == EvaluatorKind::kEfficiency) measure_together(named, folder, results);
      }
    }
  }

  void run_seed(size_t index, int64_t seed, const fs::path& folder, VariantResult& result) {
    const VariantConfig& variant = config_.variants[index];
    const std::string label = fmt::format("{}, seed {}", variant.name, seed);
    SeedResult seed_result;
    seed_result.seed = seed;
    ModelSource model = start_weights(variant, checkpoints_[index], data_.tokenizer->vocab_size(), seed);
    if (config_.trainer.epochs > 0) {
      model = train(variant, model, label, folder, seed_result);
    } else {
      fs::create_directories(folder);
      progress_.message(label + ": reading the weights");
      seed_result.initial_weights_sha256 = seed_result.final_weights_sha256 = weights_sha256(model);
    }
    if (stops_early()) {
      result.seeds.push_back(std::move(seed_result));
      return;
    }
    const ServedModel served = serve(model);
    for (const std::unique_ptr<Evaluator>& evaluator : evaluators_) {
      seed_result.evaluations.push_back(evaluate(served, seed_result.final_weights_sha256, *evaluator, folder, label));
      seed_result.evaluate_seconds += seed_result.evaluations.back().seconds;
    }
    count_parameters(served, result);
    result.seeds.push_back(std::move(seed_result));
  }

  /// Trains from the weights `start` to the end and records it in `result`.
  ModelSource train(const VariantConfig& variant, const ModelSource& start, const std::string& label,
                    const fs::path& folder, SeedResult& result) {
    DecoderLM model = load_model(start);
    const TokenWindows train_windows(*train_, variant.model.context);
    const TokenWindows validation_windows(*validation_, variant.model.context);
    TrainJob job;
    job.folder = folder;
    job.label = label;
    job.identity = sha256_hex(fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n", kTrainingVersion, experiment_.hash,
                                          variant.name, result.seed, train_->sha256(), validation_->sha256(),
                                          data_.tokenizer->fingerprint(), weights_sha256(model)));
    job.model_metadata = {{"experiment", experiment_.full_text},
                          {"variant", variant.name},
                          {"seed", std::to_string(result.seed)},
                          {"tokenizer_fingerprint", data_.tokenizer->fingerprint()}};
    job.optimizer = variant.optimizer;
    job.trainer = config_.trainer;
    job.seed = result.seed;
    job.train = &train_windows;
    job.validation = &validation_windows;
    job.should_stop = options_.should_stop;
    job.stop_after_steps = options_.stop_after_steps;
    const TrainOutcome outcome = train_to_end(model, job, progress_);
    worked_ = worked_ || outcome.trained;
    result.steps = outcome.steps;
    result.tokens_seen = outcome.tokens_seen;
    result.train_seconds = outcome.train_seconds;
    result.initial_weights_sha256 = outcome.initial_weights_sha256;
    result.final_weights_sha256 = outcome.final_weights_sha256;
    result.curve = outcome.records.points;
    result.epochs = outcome.records.epochs;
    result.ternary = outcome.records.ternary;
    return source_of(model);
  }

  /// Reads what an earlier call measured, or measures.
  Evaluation evaluate(const ServedModel& served, const std::string& weights, Evaluator& evaluator,
                      const fs::path& folder, const std::string& label) {
    if (const std::optional<Evaluation> before = kept_evaluation(folder, evaluator.name())) {
      const bool same = before->version == evaluator.version() && before->weights_sha256 == weights &&
                        before->data_sha256 == evaluator.data_sha256();
      if (same) return *before;
    }
    stop_if_asked();
    progress_.message(fmt::format("{}: evaluating {}", label, evaluator.name()));
    Evaluation evaluation = evaluate_served(served, weights, folder, [this] { stop_if_asked(); }, evaluator, progress_);
    write_evaluation(evaluation, folder);
    worked_ = true;
    stop_if_asked();
    return evaluation;
  }

  /// The model of a variant's first seed, as one to measure: what was trained, the checkpoint, or only the shape.
  EfficiencyModel efficiency_model(size_t index, const fs::path& folder, const SeedResult& seed) const {
    const VariantConfig& variant = config_.variants[index];
    const bool trains = config_.trainer.epochs > 0;
    const std::optional<fs::path>& checkpoint = checkpoints_[index].path;
    fs::path model = trains ? folder / "model.safetensors" : checkpoint.value_or(folder / "shape.yaml");
    if (!trains && !checkpoint) write_file_atomic(model, model_text(variant.model));
    return {.variant = variant.name,
            .model = fs::absolute(model).string(),
            .linear = variant.model.linear,
            .weights_sha256 = seed.final_weights_sha256,
            .trained = trains || checkpoint.has_value()};
  }

  /// The speed and memory of the first seed's models: reads what an earlier call measured of all of them, or measures.
  void measure_together(const NamedEvaluator& named, const fs::path& folder, Results& results) {
    std::vector<fs::path> folders;
    std::vector<EfficiencyModel> models;
    for (size_t i = 0; i < config_.variants.size(); ++i) {
      folders.push_back(seed_folder(folder, i, config_.seeds.front()));
      models.push_back(efficiency_model(i, folders[i], results.variants[i].seeds.front()));
    }
    std::vector<Evaluation> evaluations =
        describe_efficiency(named, models, read_bench_machine(config_.trainer.threads));
    bool kept = true;
    for (size_t i = 0; i < models.size(); ++i) {
      const std::optional<Evaluation> before = kept_evaluation(folders[i], named.name);
      kept = kept && before && same_efficiency(*before, evaluations[i]);
      if (kept) evaluations[i] = *before;
    }
    if (!kept) {
      stop_if_asked();
      // One left behind would be taken for a part of this measurement if the program ended while it writes the others.
      for (const fs::path& seed : folders) fs::remove(evaluation_file(seed, named.name));
      progress_.message(fmt::format("all variants: measuring {}", named.name));
      evaluations = measure_efficiency(named, models,
                                       {.threads = config_.trainer.threads,
                                        .vocab_size = data_.tokenizer->vocab_size(),
                                        .stop_if_asked = [this] { stop_if_asked(); }},
                                       progress_);
      worked_ = true;
    }
    for (size_t i = 0; i < models.size(); ++i) {
      if (!kept) write_evaluation(evaluations[i], folders[i]);
      SeedResult& seed = results.variants[i].seeds.front();
      seed.evaluate_seconds += evaluations[i].seconds;
      seed.evaluations.push_back(std::move(evaluations[i]));
    }
  }

  /// Between trainings and evaluations; a training asks after each step.
  void stop_if_asked() const {
    if (options_.should_stop && options_.should_stop()) throw Interrupted();
  }

  const ResolvedExperiment& experiment_;
  const ExperimentConfig& config_;
  const RunOptions& options_;
  ProgressReporter& progress_;
  SharedData data_;
  std::vector<FoundCheckpoint> checkpoints_;     ///< as config_.variants
  std::optional<TokenFile> train_, validation_;  ///< where there is training
  std::vector<std::unique_ptr<Evaluator>> evaluators_;
  bool worked_ = false;  ///< whether this call trained or evaluated anything
};

}  // namespace

fs::path run_folder(const fs::path& out, const ResolvedExperiment& experiment) {
  return out / experiment.config.name / experiment.hash.substr(0, 16);
}

RunOutcome run_experiment(const ResolvedExperiment& experiment, const RunOptions& options, ProgressReporter& progress) {
  return Runner(experiment, options, progress).run();
}

void write_reports(const Results& results, const fs::path& folder, const std::vector<DeltaBound>& bounds) {
  write_file_atomic(folder / "report.html", render_report_html(results, bounds));
  write_file_atomic(folder / "report.md", render_report_markdown(results));
  write_file_atomic(folder / "junit.xml", render_junit(results));
}

Evaluation evaluate_model(const OpenModel& model, const NamedEvaluator& named, const EvaluatorOptions& options,
                          const fs::path& out, ProgressReporter& progress) {
  const std::unique_ptr<Evaluator> evaluator =
      make_evaluator(named, *model.dataset, *model.tokenizer, options, progress);
  Evaluation evaluation = evaluate_served(model.model, model.weights_sha256(), out, {}, *evaluator, progress);
  if (!out.empty()) write_evaluation(evaluation, out);
  return evaluation;
}

}  // namespace bitnet
