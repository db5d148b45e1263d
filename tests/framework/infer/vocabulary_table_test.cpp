#include "framework/infer/vocabulary_table.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/framework/nn/model_support.h"

namespace bitnet {
namespace {

constexpr int64_t kTableVocabulary = 41;
constexpr int64_t kWidth = 150;
constexpr HeadFormat kFormats[] = {HeadFormat::kFloat32, HeadFormat::kBfloat16, HeadFormat::kInt8};

at::Tensor logits_of(const VocabularyTable& table, const at::Tensor& hidden, int64_t step) {
  const int64_t m = hidden.size(0);
  at::Tensor logits = at::full({m, kTableVocabulary}, -1e9f);
  const VocabularyTable::Rows rows = table.make_rows(m);
  table.quantize(hidden.data_ptr<float>(), m, rows);
  for (int64_t begin = 0; begin < kTableVocabulary; begin += step) {
    const int64_t end = std::min(begin + step, kTableVocabulary);
    std::vector<int32_t> scratch(static_cast<size_t>(m * (end - begin)));
    table.logits(hidden.data_ptr<float>(), m, rows, begin, end, scratch.data(), logits.data_ptr<float>());
  }
  return logits;
}

TEST(VocabularyTable, LogitsAreWithinTheBoundOfTheirFormat) {
  const at::Tensor weight = testing::uniform_tensor({kTableVocabulary, kWidth}, 1);
  const at::Tensor hidden = testing::uniform_tensor({9, kWidth}, 2, -3, 3);
  const at::Tensor exact = at::matmul(hidden.to(at::kDouble), weight.to(at::kDouble).t());
  EXPECT_LT((logits_of({weight, HeadFormat::kFloat32}, hidden, 16) - exact).abs().max().item<double>(), 1e-4);

  // bfloat16 keeps 8 bits: each weight is off by at most 2^-8 of itself, and a half of that by rounding.
  const at::Tensor magnitudes = at::matmul(hidden.abs().to(at::kDouble), weight.abs().to(at::kDouble).t());
  const at::Tensor off16 = (logits_of({weight, HeadFormat::kBfloat16}, hidden, 16) - exact).abs();
  EXPECT_TRUE((off16 <= magnitudes / 256 + 1e-4).all().item<bool>());
  EXPECT_GT(off16.max().item<double>(), 1e-3);

  const VocabularyTable int8(weight, HeadFormat::kInt8);
  const at::Tensor off8 = (logits_of(int8, hidden, 16) - exact).abs();
  const at::Tensor scale_w = int8.scales().to(at::kDouble);
  const at::Tensor scale_h = hidden.abs().amax(1).to(at::kDouble) / 127.0;
  const at::Tensor sum_h = hidden.abs().to(at::kDouble).sum(1);
  at::Tensor rounded = at::empty({kTableVocabulary, kWidth}, at::kFloat);
  for (int64_t id = 0; id < kTableVocabulary; ++id) int8.embed(id, rounded[id].data_ptr<float>());
  const at::Tensor sum_w = rounded.to(at::kDouble).abs().sum(1);
  const at::Tensor bound =
      scale_w.unsqueeze(0) / 2 * sum_h.unsqueeze(1) + scale_h.unsqueeze(1) / 2 * sum_w.unsqueeze(0);
  EXPECT_TRUE((off8 <= bound + 1e-4).all().item<bool>());
  EXPECT_GT(off8.max().item<double>(), 1e-3);
}

TEST(VocabularyTable, ALogitDependsOnItsRowAndIdAlone) {
  const at::Tensor weight = testing::uniform_tensor({kTableVocabulary, kWidth}, 1);
  const at::Tensor hidden = testing::uniform_tensor({9, kWidth}, 2);
  for (const HeadFormat format : kFormats) {
    const VocabularyTable table(weight, format);
    const at::Tensor together = logits_of(table, hidden, kTableVocabulary);
    EXPECT_TRUE(at::equal(logits_of(table, hidden, 32), together));
    for (int64_t row = 0; row < 9; ++row) {
      EXPECT_TRUE(at::equal(logits_of(table, hidden.narrow(0, row, 1), 16), together.narrow(0, row, 1)));
    }
  }
}

TEST(VocabularyTable, EmbedsTheRowOfTheTable) {
  const at::Tensor weight = testing::uniform_tensor({kTableVocabulary, kWidth}, 1);
  for (const HeadFormat format : kFormats) {
    const VocabularyTable table(weight, format);
    const double tolerance = format == HeadFormat::kFloat32 ? 0.0 : 1.0 / 127;
    at::Tensor row = at::empty({kWidth}, at::kFloat);
    for (const int64_t id : {0, 17, 40}) {
      table.embed(id, row.data_ptr<float>());
      EXPECT_LE((row - weight[id]).abs().max().item<double>(), tolerance);
    }
  }
}

}  // namespace
}  // namespace bitnet
