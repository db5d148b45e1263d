#include "framework/experiment/bench_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/framework/experiment/sample_bench.h"

namespace bitnet {
namespace {

TEST(BenchText, MarkdownIsOneTableAndTheRatiosOfTheFirstFormToTheOthers) {
  EXPECT_EQ(bench_markdown(testing::sample_bench()),
            R"(some\|model, 2 threads, kernel avx2, BLAS core Haswell, Processor 9

| linear | head | test | tokens/s, median | range | share of limit | limit | weights | cache | peak memory | of it the model's |
|---|---|---|---:|---|---:|---|---:|---:|---:|---:|
| packed | int8 | pp512 | 510.0 | 500.0 to 520.5 | 55.0 % | int8 900.0 GMAC/s | 375 MB | 23.0 MB | 445 MB | 425 MB |
| bfloat16 | bfloat16 | pp512 | 250.0 | 250.0 to 300.0 | – | not measured | 2.20 GB | 23.0 MB | 2.27 GB | 2.25 GB |
| packed | int8 | tg128 | 100.0 | 99.00 to 101.0 | 77.0 % | read 40.00 GB/s | 375 MB | 23.0 MB | 445 MB | 425 MB |
| bfloat16 | bfloat16 | tg128 | 10.00 | 10.00 to 11.00 | 50.0 % | read 40.00 GB/s | 2.20 GB | 23.0 MB | 2.27 GB | 2.25 GB |

| same-run ratio | test | tokens/s, median of the pairs | range | model memory |
|---|---|---:|---|---:|
| packed / bfloat16 | pp512 | 2.000 | 1.700 to 2.082 | 0.1889 |
| packed / bfloat16 | tg128 | 10.00 | 9.000 to 10.10 | 0.1889 |
)");
}

TEST(BenchText, MarkdownOfOneFormHasNoRatios) {
  BenchResult result = testing::sample_bench();
  std::erase_if(result.rows, [](const BenchRow& row) { return row.linear != LinearForm::kPacked; });
  result.machine.threads = 1;
  const std::string text = bench_markdown(result);
  EXPECT_EQ(text.find("ratio"), std::string::npos);
  EXPECT_NE(text.find(", 1 thread, "), std::string::npos);
}

TEST(BenchText, JsonHasAnObjectForEachFormAndTest) {
  const auto array = nlohmann::json::parse(bench_json(testing::sample_bench()));
  ASSERT_EQ(array.size(), 4U);
  EXPECT_EQ(array[0], nlohmann::json::parse(R"({
    "model": "some|model", "linear": "packed", "head": "int8", "test": "pp512", "threads": 2,
    "median_tokens_per_second": 510.0, "samples": [500.0, 520.5, 510.0], "peak_rss_bytes": 445000000, "base_rss_bytes": 20000000,
    "weight_bytes": 375000000, "cache_bytes": 23000000, "share_of_limit": 0.55,
    "limit": {"kind": "int8_rate", "value": 900e9, "unit": "MAC/s", "before": 900e9, "after": 880e9},
    "kernel": "avx2", "cpu": "Processor 9", "blas_core": "Haswell"})"));
  EXPECT_EQ(array[1]["linear"], "bfloat16");
  EXPECT_TRUE(array[1]["limit"].is_null());
  EXPECT_TRUE(array[1]["share_of_limit"].is_null());
  EXPECT_EQ(array[3]["limit"]["kind"], "read_bandwidth");
}

TEST(BenchText, CsvHasALineForEachSample) {
  BenchResult result = testing::sample_bench();
  for (BenchRow& row : result.rows) row.model = "a, \"b\"";
  result.rows.erase(result.rows.begin() + 1, result.rows.end());
  EXPECT_EQ(bench_csv(result),
            "model,linear,head,test,threads,repetition,tokens_per_second,peak_rss_bytes,base_rss_bytes,weight_bytes,"
            "cache_bytes\n"
            "\"a, \"\"b\"\"\",packed,int8,pp512,2,1,500,445000000,20000000,375000000,23000000\n"
            "\"a, \"\"b\"\"\",packed,int8,pp512,2,2,520.5,445000000,20000000,375000000,23000000\n"
            "\"a, \"\"b\"\"\",packed,int8,pp512,2,3,510,445000000,20000000,375000000,23000000\n");
}

}  // namespace
}  // namespace bitnet
