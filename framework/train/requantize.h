#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "framework/nn/decoder_lm.h"
#include "framework/train/records.h"

namespace bitnet {

/// Refreshes the ternary codes from the master weights and records what they are and how many flipped. The master
/// weights are read, never replaced.
class TernaryWatch {
 public:
  /// Watches the linear layers of a BitNet; a float model has nothing to watch.
  explicit TernaryWatch(const DecoderLM& model);
  /// One record a layer for `epoch` (0: before training; then nothing has flipped).
  std::vector<TernaryRecord> record(int64_t epoch);
  /// The codes of the last record, int8 [out, in], one a layer; empty before the first record.
  const std::vector<at::Tensor>& codes() const { return codes_; }
  const std::vector<NamedLinear>& layers() const { return layers_; }
  /// Puts back what codes() gave, when training resumes.
  void restore(std::vector<at::Tensor> codes) { codes_ = std::move(codes); }

 private:
  std::vector<NamedLinear> layers_;
  std::vector<at::Tensor> codes_;
};

}  // namespace bitnet
