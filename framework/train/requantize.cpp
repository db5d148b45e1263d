#include "framework/train/requantize.h"

#include <ATen/ATen.h>

#include "ops/torch/bitnet_ops.h"

namespace bitnet {

TernaryWatch::TernaryWatch(const DecoderLM& model) {
  if (model.config().linear == LinearKind::kBitnet) layers_ = model.linears();
}

std::vector<TernaryRecord> TernaryWatch::record(int64_t epoch) {
  std::vector<TernaryRecord> records;
  std::vector<at::Tensor> fresh;
  for (size_t index = 0; index < layers_.size(); ++index) {
    const auto [codes, gamma] = ops::quantize_weight(layers_[index].linear->weight().detach());
    const auto share = [&](const at::Tensor& chosen) {
      return static_cast<double>(chosen.sum().item<int64_t>()) / static_cast<double>(codes.numel());
    };
    TernaryRecord record;
    record.epoch = epoch;
    record.layer = layers_[index].name;
    record.minus = share(codes.eq(-1));
    record.zero = share(codes.eq(0));
    record.plus = share(codes.eq(1));
    record.gamma = static_cast<double>(gamma.item<float>());
    record.flipped = codes_.empty() ? 0.0 : share(codes.ne(codes_[index]));
    records.push_back(record);
    fresh.push_back(codes);
  }
  codes_ = std::move(fresh);
  return records;
}

}  // namespace bitnet
