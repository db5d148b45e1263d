#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "ops/kernels/packed_format.h"
#include "ops/torch/bitnet_ops.h"
#include "tests/ops/torch/reference.h"

namespace bitnet::ops::test {
namespace {

struct Wrong {
  std::function<void()> call;
  std::string message;
};

at::Tensor on_meta(at::IntArrayRef sizes, at::ScalarType dtype = at::kFloat) {
  return at::empty(sizes, at::device(at::kMeta).dtype(dtype));
}

TEST(Checks, SayWhatMustBeAndWhatIs) {
  const at::Tensor x = at::ones({2, 6});
  const at::Tensor w = at::ones({4, 6});
  const at::Tensor codes = at::ones({4, 6}, at::kChar);
  const at::Tensor one = at::ones({});
  const at::Tensor packed = pack_ternary(codes, one);
  const at::Tensor other_header = pack_ternary(at::ones({4, 7}, at::kChar), one);
  at::Tensor two = codes.clone();
  two[1][2] = 2;
  const std::vector<Wrong> wrongs = {
      {[&] { quantize_weight(w.to(at::kDouble)); },
       "quantize_weight: w must be float32, but is Double. Convert it with .to(torch.float32)."},
      {[&] { quantize_weight(at::ones({3})); },
       "quantize_weight: w must be a matrix [outputs, inputs] that is not empty, but is of shape [3]. Reshape it."},
      {[&] { quantize_weight(at::ones({3, 0})); },
       "quantize_weight: w must be a matrix [outputs, inputs] that is not empty, but is of shape [3, 0]. Reshape it."},
      {[&] { quantize_activation(x.to(at::kHalf)); },
       "quantize_activation: x must be float32, but is Half. Convert it with .to(torch.float32)."},
      {[&] { quantize_activation(one); },
       "quantize_activation: x must be of one or more dimensions, but is a single number. "
       "Give rows of inputs: x.unsqueeze(0)."},
      {[&] { quantize_activation(at::ones({3, 0})); },
       "quantize_activation: the last size of x must be 1 to 16777215, but is 0. Split the layer."},
      {[&] { bit_linear(x, at::ones({4, 5})); },
       "bit_linear: the last size of x must be 5 as in w of shape [4, 5], but is 6. Give an x of shape [.., 5]."},
      {[&] { bit_linear(x, on_meta({4, 6})); },
       "bit_linear: w must be on the device of x (cpu), but is on meta. Move one of them with .to(device)."},
      {[&] { bit_linear(x, w.to(at::kInt)); },
       "bit_linear: w must be float32, but is Int. Convert it with .to(torch.float32)."},
      {[&] { bit_linear(on_meta({2, 6}), on_meta({4, 1})); },
       "bit_linear: the last size of x must be 1 as in w of shape [4, 1], but is 6. Give an x of shape [.., 1]."},
      {[&] { bit_linear(on_meta({1, kernels::kMaxK + 1}), on_meta({4, kernels::kMaxK + 1})); },
       "bit_linear: the last size of x must be 1 to 16777215, but is 16777216. Split the layer."},
      {[&] { pack_ternary(w, one); },
       "pack_ternary: codes must be int8, but is Float. Convert it with .to(torch.int8)."},
      {[&] { pack_ternary(codes.view({24}), one); },
       "pack_ternary: codes must be a matrix [outputs, inputs] that is not empty, but is of shape [24]. Reshape it."},
      {[&] { pack_ternary(codes, at::ones({4})); },
       "pack_ternary: scale must be of one element, but is of shape [4]. Give the gamma of the whole matrix."},
      {[&] { pack_ternary(codes, at::ones({}, at::kDouble)); },
       "pack_ternary: scale must be float32, but is Double. Convert it with .to(torch.float32)."},
      {[&] { pack_ternary(codes, at::zeros({})); },
       "pack_ternary: scale must be positive and finite, but is 0. Look for NaN or infinity in the weight."},
      {[&] { pack_ternary(codes, at::full({}, std::numeric_limits<float>::quiet_NaN())); },
       "pack_ternary: scale must be positive and finite, but is nan. Look for NaN or infinity in the weight."},
      {[&] { pack_ternary(two, one); },
       "pack_ternary: codes must be -1, 0 and 1, but are 1 to 2. Give what quantize_weight returned."},
      {[&] { unpack_ternary(codes); },
       "unpack_ternary: packed must be uint8, but is Char. Convert it with .to(torch.uint8)."},
      {[&] { unpack_ternary(packed.view({1, -1})); },
       "unpack_ternary: packed must be a vector of bytes, but is of shape [1, 80]. Give what pack_ternary returned."},
      {[&] { unpack_ternary(on_meta({192}, at::kByte)); },
       "unpack_ternary: packed must be on the CPU, but is on meta. Move it with .to('cpu'): its shape lies in its "
       "bytes."},
      {[&] { ternary_linear(at::ones({2, 257}), packed); },
       "ternary_linear: packed must be 64 bytes and a multiple of 68 (rows of 257 inputs, the last size of x), but is "
       "80 bytes. Give what pack_ternary returned for a weight [O, 257]."},
      {[&] { ternary_linear(x, other_header); },
       "ternary_linear: packed must be a weight [4, 6] by its size and x, but its header says [4, 7]. Give the weight "
       "of "
       "this layer; unpack_ternary checks its bytes."},
      {[&] { ternary_linear(x, packed.narrow(0, 0, 64)); },
       "ternary_linear: packed must be 64 bytes and a multiple of 4 (rows of 6 inputs, the last size of x), but is 64 "
       "bytes. Give what pack_ternary returned for a weight [O, 6]."},
      {[&] { ternary_linear(x, on_meta({192}, at::kByte)); },
       "ternary_linear: packed must be on the device of x (cpu), but is on meta. Move one of them with .to(device)."},
      {[&] { dequantize(w, one); }, "dequantize: codes must be int8, but is Float. Convert it with .to(torch.int8)."},
      {[&] { dequantize(codes, at::ones({3, 1})); },
       "dequantize: scale must be of one element or one a row (4), but is of shape [3, 1]. Give the scale that came "
       "with "
       "the codes."},
      {[&] { dequantize(at::ones({}, at::kChar), one); },
       "dequantize: codes must be of one or more dimensions with a last size of 1 or more, but is of shape []. Reshape "
       "it."},
  };
  for (const Wrong& wrong : wrongs) EXPECT_EQ(error_of(wrong.call), wrong.message);
}

TEST(Meta, ShapesAndTypesAreThoseOfTheCpu) {
  const auto expect_like = [](const at::Tensor& meta, const at::Tensor& cpu) {
    EXPECT_TRUE(meta.is_meta());
    EXPECT_EQ(meta.scalar_type(), cpu.scalar_type());
    EXPECT_EQ(meta.sizes(), cpu.sizes());
  };
  const at::Tensor x = at::randn({3, 5, 130});
  const at::Tensor w = at::randn({7, 130});
  const auto [w_codes, gamma] = quantize_weight(w);
  const auto [meta_w_codes, meta_gamma] = quantize_weight(w.to(at::kMeta));
  expect_like(meta_w_codes, w_codes);
  expect_like(meta_gamma, gamma);
  const auto [x_codes, scale] = quantize_activation(x);
  const auto [meta_x_codes, meta_scale] = quantize_activation(x.to(at::kMeta));
  expect_like(meta_x_codes, x_codes);
  expect_like(meta_scale, scale);
  expect_like(dequantize(meta_x_codes, meta_scale), dequantize(x_codes, scale));
  const at::Tensor packed = pack_ternary(w_codes, gamma);
  const at::Tensor meta_packed = pack_ternary(meta_w_codes, meta_gamma);
  expect_like(meta_packed, packed);
  expect_like(ternary_linear(x.to(at::kMeta), meta_packed), ternary_linear(x, packed));
  expect_like(bit_linear(x.to(at::kMeta), w.to(at::kMeta)), bit_linear(x, w));
}

}  // namespace
}  // namespace bitnet::ops::test
