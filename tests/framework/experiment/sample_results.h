#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "framework/core/random.h"
#include "framework/experiment/efficiency.h"
#include "framework/experiment/results.h"

namespace bitnet {

/// How a made-up run looks.
struct SampleOptions {
  std::vector<int64_t> seeds = {1};
  int64_t items = 60;
  bool floor = true;
  double candidate_loss = 0.06;  ///< added to the candidate's nats per token
  bool choices = false;          ///< multiple choice beside the perplexities
  bool efficiency = false;       ///< speed and memory of inference, of the first seed
};

namespace sample {

constexpr int64_t kEpochs = 3;
constexpr int64_t kSteps = 900;

inline double normal(Random& random) {
  return std::sqrt(-2 * std::log(1 - random.uniform())) * std::cos(2 * std::acos(-1.0) * random.uniform());
}

inline Evaluation evaluation(bool words, bool candidate, int64_t seed, const SampleOptions& options) {
  Evaluation out;
  out.evaluator = words ? "perplexity-word" : "perplexity-windows";
  out.version = 1;
  out.convention = words ? "word (lm-eval, text as stored), context 128" : "windows (text as stored), 128 tokens";
  out.data_sha256 = std::string(64, 'd');
  out.split = "test";
  Random shared = random_stream(7, words);
  Random own = random_stream(8, words, static_cast<uint64_t>(2 * seed + candidate));
  double nats = 0, tokens = 0, word_count = 0, bytes = 0;
  for (int64_t i = 0; i < options.items; ++i) {
    EvaluationItem item;
    item.id = (words ? "page-" : "window-") + std::to_string(i);
    item.tokens = words ? 60 + static_cast<int64_t>(shared.below(90)) : 127;
    item.words = words ? item.tokens / 4 : 0;
    item.bytes = item.tokens;
    item.nats = static_cast<double>(item.tokens) *
                (0.93 + 0.05 * normal(shared) + (candidate ? options.candidate_loss : 0.0) + 0.02 * normal(own));
    nats += item.nats, tokens += static_cast<double>(item.tokens), bytes += static_cast<double>(item.bytes);
    word_count += static_cast<double>(item.words);
    out.items.push_back(item);
  }
  const double ln2 = std::log(2.0);
  const double floor = 0.86;
  if (words) {
    out.metrics = {{"word_perplexity", std::exp(nats / word_count), "perplexity", true},
                   {"bits_per_byte", nats / bytes / ln2, "bits/byte", true},
                   {"nats_per_token", nats / tokens, "nats/token", true}};
    if (options.floor) out.floor["word_perplexity"] = std::exp(floor * tokens / word_count);
  } else {
    out.metrics = {{"perplexity", std::exp(nats / tokens), "perplexity", true},
                   {"bits_per_byte", nats / bytes / ln2, "bits/byte", true}};
    if (options.floor) out.floor["perplexity"] = std::exp(floor);
  }
  if (options.floor) out.floor["bits_per_byte"] = floor / ln2;
  return out;
}

/// Questions of four choices; the candidate is right in about 70 % of them, the baseline in 80 %.
inline Evaluation choices(bool candidate, int64_t seed) {
  Evaluation out;
  out.evaluator = "tinyworld-facts";
  out.version = 1;
  out.convention = "multiple choice (lm-eval), zero-shot, prompt \"{question}\", continuation \" {choice}\", BOS";
  out.data_sha256 = std::string(64, 'e');
  out.split = "tinyworld's own questions";
  constexpr int64_t kQuestions = 120;
  double right = 0;
  double right_norm = 0;
  for (int64_t i = 0; i < kQuestions; ++i) {
    Random shared = random_stream(10, 0, static_cast<uint64_t>(i));
    Random own = random_stream(11, static_cast<uint64_t>(2 * seed + candidate), static_cast<uint64_t>(i));
    const double difficulty = 0.7 * shared.uniform() + 0.3 * own.uniform();
    const bool acc = difficulty < (candidate ? 0.6 : 0.68);
    const bool acc_norm = difficulty < (candidate ? 0.62 : 0.66);
    EvaluationItem item{"question-" + std::to_string(i), candidate ? 1.4 : 1.1, 2};
    item.outcomes = {{"acc", acc}, {"acc_norm", acc_norm}};
    right += acc, right_norm += acc_norm;
    out.items.push_back(item);
  }
  out.metrics = {{"acc", right / kQuestions, "accuracy", false},
                 {"acc_norm", right_norm / kQuestions, "accuracy", false}};
  out.chance = {{"acc", 0.25}, {"acc_norm", 0.25}};
  return out;
}

/// Two tests of ten turns and the memory of two processes: the candidate generates 3 times, and reads 1.25 times, as
/// fast, and takes a fifth of the memory.
inline Evaluation efficiency(bool candidate) {
  Evaluation out;
  out.evaluator = "efficiency";
  out.version = 1;
  out.convention = "pp512 and tg128 as llama-bench, by turns; 2 threads, kernel avx2";
  out.data_sha256 = std::string(64, 'f');
  out.split = "random tokens with trained weights";
  constexpr int64_t kTurns = 10;
  const auto add_turns = [&](const char* test, int64_t tokens, double speed) {
    for (int64_t turn = 0; turn < kTurns; ++turn) {
      // The machine's moments, which both models see, and a smaller noise of each.
      const double moment = 1 + 0.1 * static_cast<double>(turn % 5);
      const double own = 1 + 0.01 * static_cast<double>((turn * 7 + (candidate ? 3 : 0)) % 10);
      EvaluationItem item;
      item.id = std::string(test) + "/" + std::to_string(turn + 1);
      item.tokens = tokens;
      item.seconds = static_cast<double>(tokens) / speed * moment * own;
      out.items.push_back(item);
    }
  };
  add_turns("pp512", 512, candidate ? 500 : 400);
  add_turns("tg128", 128, candidate ? 90 : 30);
  for (const int64_t process : {1, 2}) {
    EvaluationItem item;
    item.id = "memory/" + std::to_string(process);
    item.memory_bytes = (candidate ? 20'000'000 : 100'000'000) + 10'000 * process;
    out.items.push_back(item);
  }
  for (const char* metric : {kGenerationSpeed, kPromptSpeed, kModelMemory}) {
    const bool memory = std::string(metric) == kModelMemory;
    out.metrics.push_back(
        {metric, efficiency_value(metric, efficiency_samples(out, metric)), memory ? "bytes" : "tokens/s", memory});
  }
  out.metrics.push_back({"weight_bytes", candidate ? 18e6 : 95e6, "bytes", true});
  out.metrics.push_back({"cache_bytes", 1e6, "bytes", true});
  return out;
}

inline SeedResult seed_result(bool candidate, int64_t seed, const SampleOptions& options) {
  SeedResult out;
  out.seed = seed;
  out.steps = kSteps;
  out.tokens_seen = kSteps * 8 * 128;
  out.train_seconds = candidate ? 71.25 : 55.5;
  out.evaluate_seconds = 3.5;
  out.initial_weights_sha256 = std::string(63, 'a') + std::to_string(seed % 10);
  out.final_weights_sha256 = std::string(63, candidate ? 'b' : 'c') + std::to_string(seed % 10);
  Random random = random_stream(9, candidate, static_cast<uint64_t>(seed));
  const auto loss = [&](double step) {
    return 0.92 + (candidate ? options.candidate_loss : 0.0) + 4.6 * std::exp(-std::pow(step / 60, 0.62));
  };
  for (int64_t step = 10; step <= kSteps; step += 10) {
    const auto at = static_cast<double>(step);
    out.curve.push_back({step, at * kEpochs / kSteps, loss(at) * (1 + 0.012 * normal(random)),
                         2.4e-3 * (1 - at / (1.1 * kSteps)), 0.4});
  }
  for (int64_t epoch = 1; epoch <= kEpochs; ++epoch) {
    const double end = static_cast<double>(epoch * kSteps) / kEpochs;
    out.epochs.push_back({epoch, loss(end - 120), loss(end) + 0.015});
  }
  if (!candidate)
    return out.evaluations = {evaluation(false, false, seed, options), evaluation(true, false, seed, options)}, out;
  for (int64_t epoch = 0; epoch <= kEpochs; ++epoch) {
    int64_t index = 0;
    for (int64_t layer = 0; layer < 4; ++layer) {
      for (const char* name :
           {"attention.q", "attention.k", "attention.v", "attention.o", "ffn.gate", "ffn.up", "ffn.down"}) {
        const double zero = 0.31 + 0.012 * static_cast<double>(epoch) * (0.4 + normal(random) * 0.5);
        TernaryRecord record{epoch,
                             "layers." + std::to_string(layer) + "." + name,
                             0.5 - zero / 2,
                             zero,
                             0.5 - zero / 2,
                             0.016 + 0.004 * static_cast<double>(epoch) + 0.0008 * static_cast<double>(index++ % 7),
                             0};
        if (epoch > 0) record.flipped = 0.34 / static_cast<double>(epoch * epoch) * (1 + 0.15 * normal(random));
        out.ternary.push_back(record);
      }
    }
  }
  out.evaluations = {evaluation(false, true, seed, options), evaluation(true, true, seed, options)};
  return out;
}

}  // namespace sample

/// A made-up run of a BitNet and its traditional twin; the same options give the same results.
inline Results sample_results(const SampleOptions& options = {}) {
  Results results;
  results.experiment = "quickstart";
  results.description = "A BitNet and its traditional twin on the generated language tinyworld, in a few minutes.";
  results.config_hash = "3f2a9c0d5b7e41868c9d0a1b2c3d4e5f60718293a4b5c6d7e8f9012345678901";
  results.config_text =
      "name: quickstart\nseeds: [1]\nbaseline: traditional\ndataset:\n  source: tinyworld\n  train_bytes: 1000000\n"
      "trainer:\n  epochs: 3\nvariants:\n  bitnet:\n    model:\n      linear: bitnet\n    optimizer:\n"
      "      learning_rate: 0.0024\n  traditional:\n    model:\n      linear: float\n    optimizer:\n"
      "      learning_rate: 0.0006\n";
  results.overridden = {"trainer.epochs", "variants.bitnet.optimizer.learning_rate"};
  results.command = "scripts/run experiments/quickstart/experiment.yaml";
  results.baseline = "traditional";
  results.dataset = "tinyworld";
  results.tokenizer = "byte";
  results.vocab_size = 258;
  results.data_sha256 = {{"train", std::string(64, '1')},
                         {"validation", std::string(64, '2')},
                         {"test", std::string(64, 'd')},
                         {"tokenizer", std::string(64, '4')}};
  if (options.floor) results.floor_nats_per_token = 0.86;
  results.environment_json =
      "{\"commit\": \"0123456789abcdef\", \"dirty\": false, \"compiler\": \"GNU 12.2.0\", \"flags\": \"-O2 "
      "-ffp-contract=off\", "
      "\"libtorch\": \"1.13.1\", \"blas\": {\"name\": \"OpenBLAS\", \"core\": \"SkylakeX\"}, \"kernel\": "
      "\"avx512vnni\", "
      "\"threads\": 2, \"seeds\": [1]}";
  results.variants = {{"bitnet", "bitnet", 3297536, 3162112, 1332224, {}},
                      {"traditional", "float", 3297536, 0, 13190144, {}}};
  for (const int64_t seed : options.seeds) {
    for (const bool candidate : {true, false}) {
      SeedResult result = sample::seed_result(candidate, seed, options);
      if (options.choices) result.evaluations.push_back(sample::choices(candidate, seed));
      if (options.efficiency && seed == options.seeds.front()) {
        result.evaluations.push_back(sample::efficiency(candidate));
      }
      results.variants[candidate ? 0 : 1].seeds.push_back(std::move(result));
    }
  }
  return results;
}

}  // namespace bitnet
