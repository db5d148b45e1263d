#include "framework/evaluate/code_evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "framework/config/write.h"
#include "framework/core/random.h"
#include "framework/core/sha256.h"
#include "framework/core/utf8.h"
#include "framework/data/catalog.h"
#include "framework/evaluate/code_program.h"
#include "framework/evaluate/detail_keys.h"

namespace bitnet {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
namespace keys = detail_keys;

/// The purpose number of the draws' seeds in random_stream.
constexpr uint64_t kCompletionPurpose = 4;

constexpr const char* kIdKey = "task_id";
constexpr const char* kSampleKey = "sample";

/// A seed for each completion: the first ones are the same however many there are of a problem.
int64_t seed_of(int64_t seed, size_t problem, int64_t sample) {
  const uint64_t of_problem = random_stream(static_cast<uint64_t>(seed), kCompletionPurpose, problem).next();
  return static_cast<int64_t>(random_stream(of_problem, kCompletionPurpose, static_cast<uint64_t>(sample)).next() >> 1);
}

size_t count_done(const std::vector<std::vector<bool>>& done) {
  size_t count = 0;
  for (const std::vector<bool>& of_problem : done) {
    count += static_cast<size_t>(std::count(of_problem.begin(), of_problem.end(), true));
  }
  return count;
}

}  // namespace

CodeData open_code_data(const std::string& data, const Dataset& dataset, const std::string& where,
                        ProgressReporter& progress) {
  if (!data.empty()) {
    const std::filesystem::path path = find_data(data, where + ": data", progress);
    return {read_code_problems(read_jsonl_file(path), data), data, sha256_file(path)};
  }
  std::vector<CodeProblem> problems = dataset.code_problems();
  if (problems.empty()) {
    throw DataError(where + ": the dataset must have programming problems of its own where data is empty, but '" +
                    dataset.name() + "' has none. Name a file or a catalog entry as data.");
  }
  std::string sha256 = sha256_hex(code_problems_text(problems));
  return {std::move(problems), dataset.name() + "'s own problems", std::move(sha256)};
}

ConfigError code_execution_error(const std::string& who) {
  return ConfigError(who +
                     ": running programs that a model wrote must be allowed, but is not. Add --allow-code-execution; "
                     "each of them then runs in a sandbox. docs/conventions.md says what that guarantees.");
}

std::string result_text(const SandboxOutcome& outcome) {
  const std::string name(verdict_name(outcome.verdict));
  return outcome.verdict == Verdict::kPassed ? name : name + ": " + outcome.reason;
}

void add_code_scores(const std::vector<CodeProblem>& problems,
                     const std::vector<std::vector<ExecutedCompletion>>& executed, const std::vector<int64_t>& pass_at,
                     Evaluation& evaluation) {
  for (size_t i = 0; i < problems.size(); ++i) {
    EvaluationItem item;
    item.id = problems[i].id;
    int64_t passed = 0;
    ordered_json completions = ordered_json::array();
    for (const ExecutedCompletion& one : executed[i]) {
      passed += one.passed ? 1 : 0;
      completions.push_back(
          {{keys::kCompletion, one.completion}, {keys::kResult, one.result}, {keys::kPassed, one.passed}});
    }
    for (const int64_t k : pass_at) {
      item.outcomes[fmt::format("pass@{}", k)] = pass_at_k(static_cast<int64_t>(executed[i].size()), passed, k);
    }
    ordered_json details = {{keys::kPrompt, problems[i].prompt}};
    details[keys::kCompletions] = std::move(completions);
    item.details = details.dump();
    evaluation.items.push_back(std::move(item));
  }
  for (const int64_t k : pass_at) {
    const std::string name = fmt::format("pass@{}", k);
    double sum = 0;
    for (const EvaluationItem& item : evaluation.items) sum += item.outcomes.at(name);
    evaluation.metrics.push_back({name, sum / static_cast<double>(problems.size()), "accuracy", false});
  }
}

CodeEvaluator::CodeEvaluator(std::string name, EvaluatorConfig config, CodeData data, const Tokenizer& tokenizer,
                             const EvaluatorOptions& options)
    : name_(std::move(name)), config_(std::move(config)), data_(std::move(data)), tokenizer_(tokenizer) {
  if (!options.allow_code_execution) throw code_execution_error("evaluator '" + name_ + "'");
  keep_first(data_.problems, config_.limit);
  for (size_t i = 0; i < data_.problems.size(); ++i) index_of_[data_.problems[i].id] = i;
  executor_ = std::make_unique<CodeExecutor>("evaluator '" + name_ + "'", data_.problems, config_.timeout_seconds);
}

Evaluation CodeEvaluator::evaluate(const EvaluatedModel& model, ProgressReporter& progress) {
  executor_->check_solutions(progress);
  const Completions completions = generate(model, progress);
  const Executed executed = execute(model, completions, progress);
  Evaluation evaluation;
  evaluation.evaluator = name_;
  evaluation.version = version();
  evaluation.convention = convention(model.generator.context());
  evaluation.data_sha256 = data_sha256();
  evaluation.split = data_.name;
  add_code_scores(data_.problems, executed, config_.pass_at, evaluation);
  return evaluation;
}

std::string CodeEvaluator::convention(int64_t context) const {
  const std::string drawn =
      config_.temperature == 0
          ? std::string("greedy")
          : fmt::format("temperature {}, top-p {}, seed {}", config_.temperature, config_.top_p, config_.sampling_seed);
  return fmt::format(
      "pass@k (HumanEval), zero-shot, {}, {} of each problem, at most {} new tokens, stop at {}, {}, "
      "context {}, {} s a program{}",
      drawn, config_.samples, config_.max_new_tokens, json(config_.stop).dump(), config_.bos ? "BOS" : "no BOS",
      context, config_.timeout_seconds, limit_phrase(config_.limit));
}

GenerateRequest CodeEvaluator::request(size_t problem, int64_t sample) const {
  GenerateRequest request;
  request.tokens = tokenizer_.encode(data_.problems[problem].prompt);
  if (config_.bos || request.tokens.empty()) request.tokens.insert(request.tokens.begin(), tokenizer_.bos_id());
  request.options.max_new_tokens = config_.max_new_tokens;
  request.options.temperature = config_.temperature;
  request.options.top_p = config_.top_p;
  request.options.seed = seed_of(config_.sampling_seed, problem, sample);
  request.end_token = tokenizer_.eos_id();
  return request;
}

/// Prompt and continuation are decoded together and cut: SentencePiece drops a leading blank from a continuation alone.
std::string CodeEvaluator::completion(const GenerateRequest& request, std::span<const int32_t> generated) const {
  std::vector<int32_t> ids = request.tokens;
  const size_t prompt_bytes = tokenizer_.decode(ids).size();
  ids.insert(ids.end(), generated.begin(), generated.end());
  return tokenizer_.decode(ids).substr(prompt_bytes);
}

/// The work that a line of a log belongs to: everything that what is in it depends on.
WorkLog CodeEvaluator::open_log(const EvaluatedModel& model, const std::string& stage,
                                const std::string& more_identity) const {
  const std::string identity =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n", version(), model.weights_sha256, data_.sha256, tokenizer_.fingerprint(),
                  section_text(config_, /*full=*/false), more_identity);
  const std::filesystem::path path =
      model.folder.empty() ? model.folder : model.folder / (stage + "_" + name_ + ".jsonl");
  return {path, sha256_hex(identity).substr(0, 16)};
}

std::pair<size_t, size_t> CodeEvaluator::place_of(const json& line) const {
  const auto problem = index_of_.find(line.at(kIdKey).get<std::string>());
  const auto sample = line.at(kSampleKey).get<int64_t>();
  if (problem == index_of_.end() || sample >= config_.samples) {
    throw DataError(
        fmt::format("evaluator '{}': a line of its unfinished work must be about a completion that is asked "
                    "for, but is about {}, number {}. Remove the file; the work is then done again.",
                    name_, line.at(kIdKey).dump(), sample));
  }
  return {problem->second, static_cast<size_t>(sample)};
}

CodeEvaluator::Completions CodeEvaluator::generate(const EvaluatedModel& model, ProgressReporter& progress) const {
  const auto samples = static_cast<size_t>(config_.samples);
  Completions completions(data_.problems.size(), std::vector<std::string>(samples));
  std::vector<std::vector<bool>> done(data_.problems.size(), std::vector<bool>(samples, false));
  WorkLog log = open_log(model, "completions", "");
  for (const json& line : log.kept({kIdKey, keys::kCompletion}, {kSampleKey})) {
    const auto [problem, sample] = place_of(line);
    completions[problem][sample] = line.at(keys::kCompletion).get<std::string>();
    done[problem][sample] = true;
  }
  const auto line_of = [&](size_t problem, size_t sample) {
    return ordered_json{
        {kIdKey, data_.problems[problem].id}, {keys::kCompletion, completions[problem][sample]}, {kSampleKey, sample}};
  };

  std::vector<GenerateRequest> requests;
  std::vector<std::pair<size_t, size_t>> places;
  for (size_t problem = 0; problem < completions.size(); ++problem) {
    for (size_t sample = 0; sample < samples; ++sample) {
      if (done[problem][sample]) continue;
      requests.push_back(request(problem, static_cast<int64_t>(sample)));
      places.emplace_back(problem, sample);
    }
  }
  for (GenerateRequest& one : requests) {
    one.finished = [this, &one](std::span<const int32_t> generated) {
      const std::string text = completion(one, generated);
      return cut_at_stop(text, config_.stop).size() < text.size();
    };
  }
  auto count = static_cast<int64_t>(count_done(done));
  progress.start("generating " + name_, count + static_cast<int64_t>(requests.size()), "completions", count);
  model.generator.generate(requests, [&](size_t index, const GenerateResult& result) {
    const auto [problem, sample] = places[index];
    const std::string text = completion(requests[index], result.tokens);
    // What is no UTF-8 could neither be kept as JSON nor read by Python.
    completions[problem][sample] = repaired_utf8(cut_at_stop(text, config_.stop));
    log.add(line_of(problem, sample));
    progress.update(++count);
    if (model.stop_if_asked) model.stop_if_asked();
  });
  progress.finish();

  // In order, whatever the order in which they were done.
  std::vector<ordered_json> lines;
  for (size_t problem = 0; problem < completions.size(); ++problem) {
    for (size_t sample = 0; sample < samples; ++sample) lines.push_back(line_of(problem, sample));
  }
  log.replace(lines);
  return completions;
}

CodeEvaluator::Executed CodeEvaluator::execute(const EvaluatedModel& model, const Completions& completions,
                                               ProgressReporter& progress) const {
  Executed executed(completions.size());
  for (size_t problem = 0; problem < completions.size(); ++problem) {
    for (const std::string& text : completions[problem]) executed[problem].push_back({text, "", false});
  }
  WorkLog log = open_log(model, "executed", executor_->python_version());
  for (const json& line : log.kept({kIdKey, keys::kResult}, {kSampleKey})) {
    const auto [problem, sample] = place_of(line);
    ExecutedCompletion& one = executed[problem][sample];
    one.result = line.at(keys::kResult).get<std::string>();
    one.passed = one.result == verdict_name(Verdict::kPassed);
  }
  std::vector<std::string> programs;
  std::vector<std::pair<size_t, size_t>> places;
  int64_t count = 0;
  for (size_t problem = 0; problem < executed.size(); ++problem) {
    for (size_t sample = 0; sample < executed[problem].size(); ++sample) {
      const ExecutedCompletion& one = executed[problem][sample];
      if (!one.result.empty()) {
        ++count;
        continue;
      }
      programs.push_back(code_program(data_.problems[problem], one.completion));
      places.emplace_back(problem, sample);
    }
  }
  progress.start("executing " + name_, count + static_cast<int64_t>(programs.size()), "programs", count);
  executor_->run(programs, [&](size_t index, const SandboxOutcome& outcome) {
    const auto [problem, sample] = places[index];
    ExecutedCompletion& one = executed[problem][sample];
    one.result = repaired_utf8(result_text(outcome));
    one.passed = outcome.verdict == Verdict::kPassed;
    log.add({{kIdKey, data_.problems[problem].id},
             {kSampleKey, sample},
             {keys::kResult, one.result},
             {keys::kPassed, one.passed}});
    progress.update(++count);
    if (model.stop_if_asked) model.stop_if_asked();
  });
  progress.finish();
  return executed;
}

}  // namespace bitnet
