#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "framework/core/file.h"
#include "tests/end_to_end/lab.h"

namespace bitnet::end_to_end {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

/// The published experiment on the real data, its vocabulary trained by spm_train: a small model and six steps.
TEST(Wikitext2, SixStepsOfTheExperimentOnTheRealData) {
  const char* mirror = std::getenv("BITNET_DATA_MIRROR");
  if (mirror == nullptr) GTEST_SKIP() << "BITNET_DATA_MIRROR is not set";
  const Lab lab;
  ProcessOptions options = lab.options();
  options.environment["BITNET_DATA_MIRROR"] = mirror;
  std::vector<std::string> words = {"run", "experiments/wikitext2-small/experiment.yaml", "--out",
                                    lab.path("runs").string()};
  for (const char* setting : {"model.width=32", "model.heads=2", "model.kv_heads=2", "model.ffn_width=64",
                              "model.layers=1", "trainer.max_steps=6", "trainer.threads=1"}) {
    words.push_back("--set");
    words.push_back(setting);
  }
  const ProcessResult result = lab.bitnet(words, options);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("Training a SentencePiece vocabulary of 4096 pieces"));
  const fs::path folder = lab.run_folder("runs");
  const json results = json::parse(read_file(folder / "results.json"));
  EXPECT_EQ(results.at("vocab_size"), 4096);
  // Those of the complete splits, as the data catalog names them.
  EXPECT_EQ(results.at("data_sha256").at("train"), "b742c23a32fa8accbe08c3d6a73d79f4525733356a6f0b95294e0884bdaf6f7a");
  EXPECT_EQ(results.at("data_sha256").at("test"), "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0");
  for (const json& variant : results.at("variants")) {
    const json& seed = variant.at("seeds").at(0);
    EXPECT_EQ(seed.at("steps"), 6);
    for (const json& evaluation : seed.at("evaluations")) {
      if (evaluation.at("evaluator") != "perplexity-word-stored") continue;
      EXPECT_EQ(evaluation.at("items").size(), 62U);  // every page
    }
  }
  const ProcessResult listed = lab.bitnet({"data", "list"}, lab.options());
  EXPECT_THAT(listed.out, ::testing::ContainsRegex("\nwikitext-2/train +[0-9]+  cached "));
}

}  // namespace
}  // namespace bitnet::end_to_end
