#include "framework/infer/vocabulary_table.h"

#include <ATen/ATen.h>

#include <cstring>
#include <utility>
#include <vector>

#include "framework/infer/weight_arena.h"
#include "ops/kernels/decoder_math.h"
#include "ops/kernels/int8_format.h"
#include "ops/kernels/quantize.h"
#include "ops/kernels/ternary_gemm.h"

namespace bitnet {

using at::Tensor;

VocabularyTable::VocabularyTable(const Tensor& weight_in, HeadFormat format)
    : format_(format), width_(weight_in.size(1)) {
  const Tensor weight = weight_in.detach().contiguous();
  switch (format) {
    case HeadFormat::kFloat32:
      data_ = weight;
      break;
    case HeadFormat::kBfloat16:
      data_ = weight.to(at::kBFloat16);
      break;
    case HeadFormat::kInt8: {
      const int64_t rows = weight.size(0);
      const Rows quantized = make_rows(rows);
      quantize(weight.data_ptr<float>(), rows, quantized);
      data_ = at::empty({rows, kernels::int8_row_bytes(width_)}, at::kByte);
      kernels::pack_int8(quantized.codes.data_ptr<int8_t>(), quantized.codes.size(1), rows, width_,
                         data_.data_ptr<uint8_t>());
      scales_ = quantized.scales;
      break;
    }
  }
}

VocabularyTable::VocabularyTable(HeadFormat format, int64_t width, Tensor data, Tensor scales)
    : format_(format), width_(width), data_(std::move(data)), scales_(std::move(scales)) {}

int64_t VocabularyTable::bytes() const {
  int64_t total = static_cast<int64_t>(data_.nbytes());
  if (scales_.defined()) total += static_cast<int64_t>(scales_.nbytes());
  return total;
}

int64_t VocabularyTable::room(int64_t vocab_size, int64_t width, HeadFormat format) {
  switch (format) {
    case HeadFormat::kFloat32:
      return WeightArena::room(vocab_size * width * 4);
    case HeadFormat::kBfloat16:
      return WeightArena::room(vocab_size * width * 2);
    case HeadFormat::kInt8:
      return WeightArena::room(vocab_size * kernels::int8_row_bytes(width)) + WeightArena::room(vocab_size * 4);
  }
  return 0;
}

void VocabularyTable::move_to(WeightArena& arena) {
  data_ = arena.place(data_);
  if (format_ != HeadFormat::kInt8) return;
  scales_ = arena.place(scales_);
}

void VocabularyTable::embed(int64_t id, float* to_D) const {
  switch (format_) {
    case HeadFormat::kFloat32:
      std::memcpy(to_D, data_.data_ptr<float>() + id * width_, static_cast<size_t>(width_) * sizeof(float));
      break;
    case HeadFormat::kBfloat16: {
      const at::BFloat16* row = data_.data_ptr<at::BFloat16>() + id * width_;
      for (int64_t i = 0; i < width_; ++i) to_D[i] = static_cast<float>(row[i]);
      break;
    }
    case HeadFormat::kInt8: {
      std::vector<int8_t> row(static_cast<size_t>(width_));
      kernels::unpack_int8_row(data_.data_ptr<uint8_t>(), vocab_size(), width_, id, row.data());
      const float scale = scales_.data_ptr<float>()[id];
      for (int64_t i = 0; i < width_; ++i) to_D[i] = static_cast<float>(row[static_cast<size_t>(i)]) * scale;
      break;
    }
  }
}

VocabularyTable::Rows VocabularyTable::make_rows(int64_t rows) const {
  if (format_ != HeadFormat::kInt8) return {};
  return {at::empty({rows, kernels::act_stride(width_)}, at::kChar), at::empty({rows}, at::kFloat),
          at::empty({rows}, at::kInt)};
}

void VocabularyTable::quantize(const float* hidden_MD, int64_t m, const Rows& rows) const {
  if (format_ != HeadFormat::kInt8) return;
  kernels::quantize_rows(hidden_MD, m, width_, kernels::act_stride(width_), rows.codes.data_ptr<int8_t>(),
                         rows.scales.data_ptr<float>(), rows.sums.data_ptr<int32_t>());
}

void VocabularyTable::logits(const float* hidden_MD, int64_t m, const Rows& rows, int64_t begin, int64_t end,
                             int32_t* scratch, float* logits_MV) const {
  const int64_t vocabulary = vocab_size();
  const int64_t count = end - begin;
  switch (format_) {
    case HeadFormat::kFloat32:
      kernels::dot_rows_float32(hidden_MD, m, data_.data_ptr<float>() + begin * width_, count, width_,
                                logits_MV + begin, vocabulary);
      break;
    case HeadFormat::kBfloat16:
      kernels::dot_rows_bfloat16(hidden_MD, m,
                                 reinterpret_cast<const uint16_t*>(data_.data_ptr<at::BFloat16>()) + begin * width_,
                                 count, width_, logits_MV + begin, vocabulary);
      break;
    case HeadFormat::kInt8: {
      kernels::active_kernel().int8_gemm(
          {.weights_N = data_.data_ptr<uint8_t>() + begin * kernels::int8_row_bytes(width_),
           .acts_MK = rows.codes.data_ptr<int8_t>(),
           .act_stride = kernels::act_stride(width_),
           .act_sums_M = rows.sums.data_ptr<int32_t>(),
           .out_MN = scratch,
           .out_stride = count,
           .m = m,
           .n = count,
           .k = width_});
      const float* scales = scales_.data_ptr<float>() + begin;
      for (int64_t row = 0; row < m; ++row) {
        const float row_scale = rows.scales.data_ptr<float>()[row];
        float* to = logits_MV + row * vocabulary + begin;
        const int32_t* from = scratch + row * count;
        for (int64_t i = 0; i < count; ++i) to[i] = static_cast<float>(from[i]) * (scales[i] * row_scale);
      }
      break;
    }
  }
}

}  // namespace bitnet
