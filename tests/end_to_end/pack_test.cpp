#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "framework/core/file.h"
#include "tests/end_to_end/lab.h"

// `bitnet pack` on the model of a short run, and the commands that take its artifact in place of the model.

namespace bitnet::end_to_end {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

TEST(Pack, AnArtifactServesInPlaceOfTheModel) {
  const Lab lab;
  ASSERT_EQ(lab.bitnet(lab.run_words("runs", tiny_settings())).exit_code, 0);
  const std::filesystem::path run = lab.run_folder("runs");
  const std::string model = (run / "bitnet/seed-1/model.safetensors").string();
  const std::string artifact = lab.path("small.bnet").string();
  const ProcessResult packed = lab.bitnet({"pack", model, "--out", artifact});
  ASSERT_EQ(packed.exit_code, 0) << packed.err;
  EXPECT_EQ(packed.out, artifact + "\n");
  EXPECT_LT(std::filesystem::file_size(artifact), std::filesystem::file_size(model));

  const auto printed = [&](const std::string& file, const std::string& command, std::vector<std::string> more) {
    more.insert(more.begin(), {command, file});
    const ProcessResult result = lab.bitnet(more);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  };
  const std::vector<std::string> prompt = {"--prompt", "The ", "--max-new-tokens", "40"};
  EXPECT_EQ(printed(artifact, "generate", prompt), printed(model, "generate", prompt));
  const std::vector<std::string> evaluator = {"--evaluator", "perplexity-word-stored"};
  EXPECT_EQ(printed(artifact, "evaluate", evaluator), printed(model, "evaluate", evaluator));
  const json rows = json::parse(
      printed(artifact, "bench",
              {"--prompt", "8", "--generate", "2", "--repetitions", "1", "--threads", "1", "--format", "json"}));
  EXPECT_EQ(rows.at(0).at("linear"), "packed");

  // Rows of 8 bits are padded to 128, so a table this narrow does not become smaller; it still gives other scores.
  const std::string small = lab.path("int8.bnet").string();
  ASSERT_EQ(lab.bitnet({"pack", model, "--out", small, "--head", "int8"}).exit_code, 0);
  EXPECT_THAT(printed(small, "evaluate", evaluator), HasSubstr("word_perplexity"));

  flip_bit(artifact);
  expect_one_error(lab.bitnet({"generate", artifact, "--prompt", "The "}), 4, artifact);
  const std::string twin = (run / "traditional/seed-1/model.safetensors").string();
  expect_one_error(lab.bitnet({"pack", twin, "--out", artifact}), 2, "must be bitnet, but are float");
  expect_one_error(lab.bitnet({"pack", model, "--out", "model.safetensors"}), 2, "must be a file that ends in .bnet");
  expect_one_error(lab.bitnet({"pack", model, "--out", artifact, "--head", "int4"}), 2,
                   "--head must be float32, bfloat16 or int8, but is 'int4'");
}

}  // namespace
}  // namespace bitnet::end_to_end
