#pragma once

#include <utility>
#include <vector>

#include "framework/experiment/bench.h"

namespace bitnet::testing {

/// A result with made-up figures: two forms, two tests, three repetitions.
inline BenchResult sample_bench() {
  BenchResult result;
  result.machine = {.threads = 2, .kernel = "avx2", .cpu = "Processor 9", .blas_core = "Haswell"};
  const SpeedLimit int8{"int8_rate", 900e9, "MAC/s", 900e9, 880e9}, read{"read_bandwidth", 40e9, "bytes/s", 39e9, 40e9};
  const auto add = [&](LinearForm linear, HeadFormat head, const char* test, std::vector<double> samples) -> BenchRow& {
    BenchRow row;
    row.model = "some|model";
    row.linear = linear;
    row.head = head;
    row.test = test;
    row.median_tokens_per_second = median(samples);
    row.samples = std::move(samples);
    row.weight_bytes = linear == LinearForm::kPacked ? 375'000'000 : 2'200'000'000;
    row.cache_bytes = 23'000'000;
    row.peak_rss_bytes = row.weight_bytes + 70'000'000;
    row.base_rss_bytes = 20'000'000;
    return result.rows.emplace_back(row);
  };
  BenchRow& prompt = add(LinearForm::kPacked, HeadFormat::kInt8, "pp512", {500, 520.5, 510});
  prompt.limit = int8;
  prompt.share_of_limit = 0.55;
  add(LinearForm::kBfloat16, HeadFormat::kBfloat16, "pp512", {250, 250, 300});
  BenchRow& packed = add(LinearForm::kPacked, HeadFormat::kInt8, "tg128", {100, 101, 99});
  packed.limit = read;
  packed.share_of_limit = 0.77;
  BenchRow& bfloat = add(LinearForm::kBfloat16, HeadFormat::kBfloat16, "tg128", {10, 10, 11});
  bfloat.limit = read;
  bfloat.share_of_limit = 0.5;
  return result;
}

}  // namespace bitnet::testing
