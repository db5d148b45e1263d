#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "framework/core/file.h"
#include "tests/end_to_end/lab.h"

// The evaluator `efficiency` within `bitnet run`, with real worker processes, on a model of a few thousand weights. No
// figure's size is tested.

namespace bitnet::end_to_end {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

std::vector<std::string> efficiency_settings() {
  return {"compose.evaluators=[efficiency-small]", "trainer.max_steps=2", "seeds=[1, 2]",
          "evaluators.efficiency-small.prompt_tokens=16", "evaluators.efficiency-small.generate_tokens=4"};
}

fs::path evaluation_of(const fs::path& folder, const std::string& variant) {
  return folder / variant / "seed-1" / "evaluation_efficiency-small.json";
}

class EfficiencyRun : public ::testing::Test {
 protected:
  ProcessResult run(std::vector<std::string> settings = {}) const {
    const std::vector<std::string> first = efficiency_settings();
    settings.insert(settings.begin(), first.begin(), first.end());
    return lab_.bitnet(lab_.run_words("runs", settings), lab_.options());
  }

  Lab lab_;
};

TEST_F(EfficiencyRun, MeasuresBothVariantsOfTheFirstSeedAndKeepsThat) {
  const ProcessResult first = run();
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const fs::path folder = lab_.run_folder("runs");
  const json results = json::parse(read_file(folder / "results.json"));
  std::vector<std::string> conventions;
  for (const json& variant : results.at("variants")) {
    EXPECT_TRUE(variant.at("seeds")[1].at("evaluations").empty());
    const json& evaluation = variant.at("seeds")[0].at("evaluations").at(0);
    conventions.push_back(evaluation.at("convention"));
    EXPECT_EQ(evaluation.at("weights_sha256"), variant.at("seeds")[0].at("final_weights_sha256"));
    ASSERT_EQ(evaluation.at("items").size(), 22U);
    for (const json& metric : evaluation.at("metrics")) EXPECT_GT(metric.at("value"), 0) << metric;
    std::istringstream samples(read_file(folder / variant.at("name") / "seed-1" / "samples_efficiency-small.jsonl"));
    std::string line;
    for (const json& item : evaluation.at("items")) {
      ASSERT_TRUE(std::getline(samples, line));
      const json sample = json::parse(line);
      EXPECT_EQ(sample.at("id"), item.at("id"));
      const bool memory = item.at("id").get<std::string>().starts_with("memory/");
      EXPECT_GT(sample.at(memory ? "memory_bytes" : "seconds"), 0);
      EXPECT_EQ(item.contains("seconds"), !memory);
    }
  }
  ASSERT_EQ(conventions.size(), 2U);
  EXPECT_EQ(conventions[0], conventions[1]);
  EXPECT_THAT(conventions[0],
              HasSubstr("pp16 and tg4 as llama-bench, by turns of at least 0.1 s, 10 repetitions in 2 processes"));
  EXPECT_THAT(conventions[0], HasSubstr("1 thread,"));
  for (const char* part : {"Generation speed", "Prompt speed", "Model memory"}) {
    EXPECT_THAT(read_file(folder / "report.md"), HasSubstr(part));
  }

  const std::string model = (folder / "bitnet" / "seed-1" / "model.safetensors").string();
  expect_one_error(lab_.bitnet({"evaluate", model, "--evaluator", "efficiency-small"}), 2, "Use `bitnet bench`");

  const std::string ours = read_file(evaluation_of(folder, "bitnet"));
  const std::string theirs = read_file(evaluation_of(folder, "traditional"));
  const ProcessResult again = run();
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(occurrences(again.err, "measuring"), 0) << again.err;
  EXPECT_EQ(read_file(evaluation_of(folder, "bitnet")), ours);

  // Half of a measurement is none: both are measured again.
  fs::remove(evaluation_of(folder, "bitnet"));
  EXPECT_EQ(run().exit_code, 0);
  EXPECT_NE(read_file(evaluation_of(folder, "traditional")), theirs);

  // Another kernel is another machine.
  const std::string before = read_file(evaluation_of(folder, "bitnet"));
  ProcessOptions scalar = lab_.options();
  scalar.environment["BITNET_ISA"] = "scalar";
  EXPECT_EQ(lab_.bitnet(lab_.run_words("runs", efficiency_settings()), scalar).exit_code, 0);
  EXPECT_THAT(read_file(evaluation_of(folder, "bitnet")), HasSubstr("kernel scalar"));
  EXPECT_NE(read_file(evaluation_of(folder, "bitnet")), before);
}

TEST_F(EfficiencyRun, MoreTokensThanTheContextAreAMistakeOfTheConfiguration) {
  expect_one_error(run({"evaluators.efficiency-small.prompt_tokens=65"}), 2,
                   "evaluators.efficiency-small.prompt_tokens must be at most the models' context, 64 tokens");
}

}  // namespace
}  // namespace bitnet::end_to_end
