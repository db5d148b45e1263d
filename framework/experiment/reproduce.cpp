#include "framework/experiment/reproduce.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "framework/experiment/delta_efficiency.h"

namespace bitnet {
namespace {

bool same_bits(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b) || (std::isnan(a) && std::isnan(b));
}

bool same_point(const TrainPoint& a, const TrainPoint& b) {
  return same_bits(a.nats_per_token, b.nats_per_token) && same_bits(a.learning_rate, b.learning_rate) &&
         same_bits(a.gradient_norm, b.gradient_norm);
}

const SeedResult* find_seed(const Results& results, const std::string& variant, int64_t seed) {
  for (const VariantResult& candidate : results.variants) {
    if (candidate.name != variant) continue;
    for (const SeedResult& result : candidate.seeds) {
      if (result.seed == seed) return &result;
    }
  }
  return nullptr;
}

/// The step of the point before, which a point's mean loss begins behind.
int64_t step_before(const std::vector<TrainPoint>& curve, size_t index) {
  return index == 0 ? 0 : curve[index - 1].step;
}

void compare_curves(const SeedResult& published, const SeedResult& now, TrainingComparison& comparison) {
  size_t j = 0;
  for (size_t i = 0; i < now.curve.size(); ++i) {
    while (j < published.curve.size() && published.curve[j].step < now.curve[i].step) ++j;
    if (j == published.curve.size()) return;
    const TrainPoint& before = published.curve[j];
    const TrainPoint& point = now.curve[i];
    if (before.step != point.step || step_before(published.curve, j) != step_before(now.curve, i)) continue;
    ++comparison.points;
    comparison.last_step = point.step;
    comparison.largest_loss_difference =
        std::max(comparison.largest_loss_difference, std::fabs(point.nats_per_token - before.nats_per_token));
    if (!comparison.first_difference && !same_point(before, point)) {
      comparison.first_difference = TrainingComparison::Difference{point.step, before, point};
    }
  }
}

/// Compares what both runs have of one training and its evaluations.
class SeedComparer {
 public:
  SeedComparer(std::string variant, const SeedResult& published, const SeedResult& now, Reproduction& reproduction)
      : variant_(std::move(variant)), published_(published), now_(now), reproduction_(reproduction) {}

  void compare() {
    TrainingComparison training;
    training.variant = variant_;
    training.seed = now_.seed;
    training.same_start = published_.initial_weights_sha256 == now_.initial_weights_sha256;
    compare_curves(published_, now_, training);
    if (reproduction_.whole) {
      training.same_end = published_.final_weights_sha256 == now_.final_weights_sha256;
      compare_epochs();
      compare_evaluations();
    }
    reproduction_.trainings.push_back(std::move(training));
  }

 private:
  void add(const std::string& evaluator, const std::string& metric, const std::string& unit, double published,
           double now, bool timed = false) {
    reproduction_.figures.push_back({variant_, now_.seed, evaluator, metric, unit, published, now, timed});
  }

  void compare_epochs() {
    for (size_t i = 0; i < std::min(published_.epochs.size(), now_.epochs.size()); ++i) {
      const std::string epoch = ", epoch " + std::to_string(now_.epochs[i].epoch);
      add("training", "loss" + epoch, "nats/token", published_.epochs[i].train_nats_per_token,
          now_.epochs[i].train_nats_per_token);
      add("training", "validation loss" + epoch, "nats/token", published_.epochs[i].validation_nats_per_token,
          now_.epochs[i].validation_nats_per_token);
    }
  }

  void compare_evaluations() {
    for (const Evaluation& evaluation : now_.evaluations) {
      const auto before =
          std::find_if(published_.evaluations.begin(), published_.evaluations.end(),
                       [&](const Evaluation& other) { return other.evaluator == evaluation.evaluator; });
      if (before == published_.evaluations.end()) {
        add_missing(evaluation.evaluator, "is new");
      } else {
        compare_metrics(*before, evaluation);
      }
    }
    for (const Evaluation& before : published_.evaluations) {
      const bool found = std::any_of(now_.evaluations.begin(), now_.evaluations.end(),
                                     [&](const Evaluation& other) { return other.evaluator == before.evaluator; });
      if (!found) add_missing(before.evaluator, "was not measured again");
    }
  }

  void compare_metrics(const Evaluation& before, const Evaluation& now) {
    if (before.version != now.version) {
      add_missing(now.evaluator, "is of another version (" + std::to_string(now.version) + ", published " +
                                     std::to_string(before.version) + "), so that its figures do not compare");
      return;
    }
    const auto find = [](const Evaluation& evaluation, const std::string& name) {
      return std::find_if(evaluation.metrics.begin(), evaluation.metrics.end(),
                          [&](const Metric& metric) { return metric.name == name; });
    };
    for (const Metric& metric : now.metrics) {
      const auto other = find(before, metric.name);
      if (other == before.metrics.end()) {
        add_missing(metric.name + " by " + now.evaluator, "is new");
      } else {
        add(now.evaluator, metric.name, metric.unit, other->value, metric.value, is_of_first_seed(now));
      }
    }
    for (const Metric& metric : before.metrics) {
      if (find(now, metric.name) == now.metrics.end()) {
        add_missing(metric.name + " by " + now.evaluator, "was not measured again");
      }
    }
  }

  void add_missing(const std::string& evaluator, const std::string& what) {
    reproduction_.missing.push_back(fmt::format("{} of {}, seed {}, {}", evaluator, variant_, now_.seed, what));
  }

  std::string variant_;
  const SeedResult& published_;
  const SeedResult& now_;
  Reproduction& reproduction_;
};

bool same_training(const TrainingComparison& training) {
  return training.same_start && training.same_end.value_or(true) && !training.first_difference;
}

bool same_figure(const FigureComparison& figure) { return figure.timed || same_bits(figure.published, figure.now); }

std::string training_text(const TrainingComparison& training) {
  std::string text = fmt::format("{}, seed {}: ", training.variant, training.seed);
  text += training.same_start ? "the same initial weights; " : "OTHER INITIAL WEIGHTS; ";
  if (training.points == 0) {
    text += "no point of the curves to compare";
  } else if (!training.first_difference) {
    text += fmt::format("{} points of the curve to step {} identical", training.points, training.last_step);
  } else {
    const auto& [step, published, now] = *training.first_difference;
    text += fmt::format(
        "THE CURVES DIFFER from step {} on (of {} points to step {}; losses by up to {:.3g} nats)\n"
        "  step {}: loss {} published, {} now; learning rate {}, {}; gradient norm {}, {}",
        step, training.points, training.last_step, training.largest_loss_difference, step, published.nats_per_token,
        now.nats_per_token, published.learning_rate, now.learning_rate, published.gradient_norm, now.gradient_norm);
  }
  if (training.same_end) text += *training.same_end ? "; the same final weights" : "; OTHER FINAL WEIGHTS";
  return text + "\n";
}

std::string figure_text(const FigureComparison& figure) {
  const double change = 100 * (figure.now - figure.published) / std::fabs(figure.published);
  return fmt::format("  {}, seed {}: {} ({}): {} published, {} now{}\n", figure.variant, figure.seed, figure.metric,
                     figure.evaluator, figure.published, figure.now,
                     std::isfinite(change) ? fmt::format(" ({:+.3g} %)", change) : "");
}

std::string figures_text(const Reproduction& reproduction) {
  std::string differing;
  std::string timed;
  int64_t same = 0;
  for (const FigureComparison& figure : reproduction.figures) {
    if (figure.timed) timed += figure_text(figure);
    if (!figure.timed && same_figure(figure)) ++same;
    if (!same_figure(figure)) differing += figure_text(figure);
  }
  std::string text;
  if (same > 0) text += fmt::format("{} figures identical\n", same);
  if (!differing.empty()) text += "FIGURES THAT DIFFER:\n" + differing;
  if (!timed.empty()) text += "Speed and memory, measured anew (no two runs share them):\n" + timed;
  return text;
}

}  // namespace

Reproduction compare_reproduction(const Results& published, const Results& now, bool same_configuration, bool whole) {
  Reproduction reproduction;
  reproduction.config_hash = now.config_hash;
  reproduction.same_configuration = same_configuration;
  reproduction.whole = whole;
  reproduction.environment = environment_differences(published.environment_json, now.environment_json);
  for (const VariantResult& variant : now.variants) {
    for (const SeedResult& seed : variant.seeds) {
      if (const SeedResult* const before = find_seed(published, variant.name, seed.seed)) {
        SeedComparer(variant.name, *before, seed, reproduction).compare();
      } else {
        reproduction.missing.push_back(fmt::format("{}, seed {}, is new", variant.name, seed.seed));
      }
    }
  }
  for (const VariantResult& variant : published.variants) {
    for (const SeedResult& seed : variant.seeds) {
      if (find_seed(now, variant.name, seed.seed) != nullptr) continue;
      reproduction.missing.push_back(fmt::format("{}, seed {}, was not run again", variant.name, seed.seed));
    }
  }
  for (const auto& [name, sha256] : published.data_sha256) {
    const auto found = now.data_sha256.find(name);
    if (found == now.data_sha256.end() || found->second != sha256) {
      reproduction.missing.push_back("the data '" + name + "' has another SHA-256");
      reproduction.identical = false;
    }
  }
  for (const TrainingComparison& training : reproduction.trainings) {
    reproduction.identical = reproduction.identical && same_training(training);
    reproduction.compared += training.points;
  }
  for (const FigureComparison& figure : reproduction.figures) {
    reproduction.identical = reproduction.identical && same_figure(figure);
    reproduction.compared += figure.timed ? 0 : 1;
  }
  reproduction.identical = reproduction.identical && reproduction.compared > 0;
  // The same configuration run to its end must have measured the same.
  if (whole && same_configuration && !reproduction.missing.empty()) reproduction.identical = false;
  return reproduction;
}

std::string render_reproduction(const Reproduction& reproduction) {
  std::string text = "configuration " + reproduction.config_hash.substr(0, 16) +
                     (reproduction.same_configuration ? ", as published\n"
                                                      : ", OTHER THAN PUBLISHED: settings were "
                                                        "overridden\n");
  for (const TrainingComparison& training : reproduction.trainings) text += training_text(training);
  text += figures_text(reproduction);
  for (const std::string& phrase : reproduction.missing) text += "not compared: " + phrase + "\n";
  if (!reproduction.environment.empty()) text += "Build and machine differ:\n";
  for (const EnvironmentDifference& difference : reproduction.environment) {
    text += "  " + difference.key + ": " + difference.before + " published, " + difference.now + " now\n";
  }
  if (reproduction.identical) {
    return text + (reproduction.whole ? "IDENTICAL: all that was compared has the same bits.\n"
                                      : "IDENTICAL so far: the first steps have the same bits.\n");
  }
  if (reproduction.compared == 0) {
    return text +
           "NOTHING COMPARED: the runs have no point of a curve in common. Curves have one every "
           "trainer.log_every_steps "
           "steps; go further.\n";
  }
  return text + "DIFFERENT" +
         (reproduction.environment.empty() ? ".\n"
                                           : ". Bits are promised for one machine, LibTorch, BLAS, number of threads "
                                             "and version of the program alone.\n");
}

}  // namespace bitnet
