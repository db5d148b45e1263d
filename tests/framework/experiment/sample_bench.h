#pragma once

#include "framework/experiment/bench.h"

namespace bitnet::testing {

/// A result with made-up figures: two forms, two tests, three repetitions.
inline BenchResult sample_bench() {
  BenchResult result;
  result.model = "some|model";
  result.threads = 2;
  result.kernel = "avx2";
  result.cpu = "Processor 9";
  result.blas_core = "Haswell";
  const SpeedLimit read{"read_bandwidth", 40e9, "bytes/s"};
  BenchRow row{
      LinearForm::kPacked, HeadFormat::kInt8, "pp512", {500, 520.5, 510}, 510, 445'000'000, 375e6, 23e6, {}, {}};
  row.limit = SpeedLimit{"int8_rate", 900e9, "MAC/s"};
  row.share_of_limit = 0.55;
  result.rows.push_back(row);
  row = {
      LinearForm::kBfloat16, HeadFormat::kBfloat16, "pp512", {250, 250, 300}, 250, 2'200'000'000, 2200e6, 23e6, {}, {}};
  result.rows.push_back(row);
  row = {LinearForm::kPacked, HeadFormat::kInt8, "tg128", {100, 101, 99}, 100, 445'000'000, 375e6, 23e6, read, 0.77};
  result.rows.push_back(row);
  row = {
      LinearForm::kBfloat16, HeadFormat::kBfloat16, "tg128", {10, 10, 11}, 10, 2'200'000'000, 2200e6, 23e6, read, 0.5};
  result.rows.push_back(row);
  return result;
}

}  // namespace bitnet::testing
