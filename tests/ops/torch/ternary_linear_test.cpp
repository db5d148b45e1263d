#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "ops/kernels/packed_format.h"
#include "ops/torch/bitnet_ops.h"
#include "tests/ops/torch/reference.h"

namespace bitnet::ops::test {
namespace {

TEST(PackTernary, IsUndoneByUnpack) {
  at::manual_seed(21);
  for (const int64_t n : {1, 3, 17}) {
    for (const int64_t k : {1, 2, 3, 4, 5, 127, 128, 129, 255, 256, 1000}) {
      const at::Tensor codes = at::randint(-1, 2, {n, k}, at::kChar);
      const at::Tensor packed = pack_ternary(codes, at::full({}, 0.125f));
      EXPECT_EQ(packed.scalar_type(), at::kByte);
      EXPECT_EQ(packed.sizes(), (std::vector<int64_t>{kernels::packed_bytes(n, k)}));
      const auto [unpacked, scale] = unpack_ternary(packed);
      EXPECT_TRUE(same_bits(unpacked, codes)) << n << " x " << k;
      EXPECT_EQ(scale.dim(), 0);
      EXPECT_EQ(scale.item<float>(), 0.125f);
    }
  }
}

TEST(PackTernary, TakesCodesThatAreNotContiguous) {
  at::manual_seed(22);
  const at::Tensor codes = at::randint(-1, 2, {50, 6}, at::kChar).t();
  const at::Tensor scale = at::ones({1});
  EXPECT_TRUE(at::equal(pack_ternary(codes, scale), pack_ternary(codes.contiguous(), scale)));
}

TEST(UnpackTernary, NamesWhatIsWrongWithDamagedBytes) {
  at::manual_seed(23);
  const at::Tensor packed = pack_weight(at::randn({5, 200}));
  for (const int64_t at_byte : {int64_t{0}, int64_t{16}, int64_t{33}, kernels::kHeaderBytes + 7, packed.numel() - 1}) {
    at::Tensor damaged = packed.clone();
    damaged[at_byte] = damaged[at_byte].item<int>() ^ 1;
    EXPECT_THAT(error_of([&] { unpack_ternary(damaged); }),
                testing::StartsWith("unpack_ternary: packed must be whole and unchanged, but "))
        << "byte " << at_byte;
  }
  for (const int64_t bytes : {int64_t{0}, int64_t{63}, packed.numel() - 1}) {
    EXPECT_THAT(error_of([&] { unpack_ternary(packed.narrow(0, 0, bytes)); }),
                testing::StartsWith("unpack_ternary: packed must be whole and unchanged, but "))
        << bytes << " bytes";
  }
}

TEST(TernaryLinear, EqualsBitLinearBitForBit) {
  at::manual_seed(24);
  for (const int64_t n : {1, 63, 64, 65, 200}) {
    for (const int64_t k : {1, 33, 128, 300, 640}) {
      const at::Tensor w = at::randn({n, k}) * 0.02;
      const at::Tensor packed = pack_weight(w);
      for (const int64_t m : {1, 2, 31, 64, 150}) {
        const at::Tensor x = at::randn({m, k}) * 5;
        EXPECT_TRUE(same_bits(ternary_linear(x, packed), bit_linear(x, w))) << m << " x " << n << " x " << k;
      }
    }
  }
}

TEST(TernaryLinear, EqualsBitLinearOnLayersThatSeveralThreadsShare) {
  at::manual_seed(25);
  const int threads_before = at::get_num_threads();
  const at::Tensor w = at::randn({1500, 2048}) * 0.02;
  const at::Tensor packed = pack_weight(w);
  for (const int64_t m : {1, 40, 100}) {
    const at::Tensor x = at::randn({m, 2048});
    at::set_num_threads(1);
    const at::Tensor one = bit_linear(x, w);
    at::set_num_threads(3);
    EXPECT_TRUE(same_bits(ternary_linear(x, packed), one)) << m << " rows";
  }
  at::set_num_threads(threads_before);
}

TEST(TernaryLinear, TakesAnyShapeAndStride) {
  at::manual_seed(26);
  const at::Tensor packed = pack_weight(at::randn({12, 70}));
  const at::Tensor x = at::randn({70, 3, 2}).transpose(0, 2);
  const at::Tensor y = ternary_linear(x, packed);
  EXPECT_EQ(y.sizes(), (std::vector<int64_t>{2, 3, 12}));
  EXPECT_TRUE(same_bits(y.view({6, 12}), ternary_linear(x.reshape({6, 70}), packed)));
  EXPECT_EQ(ternary_linear(at::randn({70}), packed).sizes(), (std::vector<int64_t>{12}));
  EXPECT_EQ(ternary_linear(at::empty({0, 4, 70}), packed).sizes(), (std::vector<int64_t>{0, 4, 12}));
}

TEST(TernaryLinear, TakesPackedBytesAtAnyAddress) {
  at::manual_seed(27);
  const at::Tensor packed = pack_weight(at::randn({20, 256}));
  const at::Tensor x = at::randn({3, 256});
  const at::Tensor moved = at::cat({at::zeros({1}, at::kByte), packed}).narrow(0, 1, packed.numel());
  EXPECT_TRUE(same_bits(ternary_linear(x, moved), ternary_linear(x, packed)));
}

TEST(TernaryLinear, RefusesToBeDifferentiated) {
  const at::Tensor packed = pack_weight(at::randn({4, 16}));
  const at::Tensor x = at::randn({2, 16}).requires_grad_();
  const at::Tensor y = ternary_linear(x, packed);  // as such allowed: an evaluation need not switch gradients off
  EXPECT_THAT(error_of([&] { y.sum().backward(); }), testing::HasSubstr("ternary_linear"));
}

}  // namespace
}  // namespace bitnet::ops::test
