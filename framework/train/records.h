#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitnet {

/// One point of a training curve.
struct TrainPoint {
  int64_t step = 0;
  double epoch = 0;           ///< fraction of epochs done
  double nats_per_token = 0;  ///< training loss, mean over the steps since the point before
  double learning_rate = 0;
  double gradient_norm = 0;  ///< before clipping, at this step
};

/// One epoch's end.
struct EpochRecord {
  int64_t epoch = 0;                     ///< 1-based
  double train_nats_per_token = 0;       ///< mean over the epoch
  double validation_nats_per_token = 0;  ///< mean over the windows of the validation split
};

/// Ternary statistics of one linear layer after one epoch (the re-quantization record).
struct TernaryRecord {
  int64_t epoch = 0;                     ///< 0: before training
  std::string layer;                     ///< for example "layers.0.attention.q"
  double minus = 0, zero = 0, plus = 0;  ///< fractions of the codes -1, 0, +1; their sum is 1
  double gamma = 0;                      ///< scale: mean absolute weight
  double flipped = 0;                    ///< fraction of codes that changed since the record before
};

/// All records of one training, in the order of time.
struct TrainRecords {
  std::vector<TrainPoint> points;
  std::vector<EpochRecord> epochs;
  std::vector<TernaryRecord> ternary;
};

}  // namespace bitnet
