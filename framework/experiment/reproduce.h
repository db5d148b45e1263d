#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/experiment/environment_difference.h"
#include "framework/experiment/results.h"

// A published run, and how a run of the same configuration compares with it.

namespace bitnet {

/// One training against the published one: their curves, as far as both go.
struct TrainingComparison {
  std::string variant;
  int64_t seed = 0;
  int64_t points = 0;     ///< of the curves that were compared: the same steps since the point before
  int64_t last_step = 0;  ///< of these points
  bool same_start = true;
  std::optional<bool> same_end;  ///< of the weights; nothing where the training was not run to its end
  /// The first point that differs, if one does.
  struct Difference {
    int64_t step = 0;
    TrainPoint published;
    TrainPoint now;
  };
  std::optional<Difference> first_difference;
  double largest_loss_difference = 0;  ///< nats per token, over the points
};

/// One figure that both runs have.
struct FigureComparison {
  std::string variant;
  int64_t seed = 0;
  std::string evaluator;  ///< "training" for the losses of its epochs
  std::string metric;
  std::string unit;
  double published = 0;
  double now = 0;
  bool timed = false;  ///< a measurement of time or memory, which no two runs share
};

struct Reproduction {
  std::string config_hash;  ///< of this run
  bool same_configuration = true;
  bool whole = true;  ///< the run went to its end and was evaluated
  std::vector<TrainingComparison> trainings;
  std::vector<FigureComparison> figures;
  std::vector<std::string> missing;  ///< what only one of the runs has; phrases
  std::vector<EnvironmentDifference> environment;
  int64_t compared = 0;  ///< points of curves and figures that both runs have, times left out
  bool identical =
      true;  ///< all that was compared is, something was, and a whole run of the same configuration lacks nothing
};

/// Compares `now` with `published`, bit for bit. `same_configuration`: nothing that identifies a run was overridden.
/// `whole`: whether `now` is a whole run, not the first steps of one.
Reproduction compare_reproduction(const Results& published, const Results& now, bool same_configuration, bool whole);

/// For the terminal: what was compared, what differs, and a verdict as the last line.
std::string render_reproduction(const Reproduction& reproduction);

}  // namespace bitnet
