#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "framework/core/file.h"
#include "ops/kernels/ternary_gemm.h"
#include "tests/end_to_end/slow/reference_run.h"

// A whole run, and what can be done with the run folder afterwards.

namespace bitnet::end_to_end {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* kVariants[] = {"bitnet", "traditional"};

json results_of(const fs::path& folder) { return json::parse(read_file(folder / "results.json")); }

/// The reference run's model file of one variant.
std::string model_file(const std::string& variant) {
  return (reference_run().folder / variant / "seed-1" / "model.safetensors").string();
}

TEST(Run, WritesEveryFileOfTheRunFolder) {
  const fs::path& folder = reference_run().folder;
  for (const char* name :
       {"config.resolved.yaml", "environment.json", "results.json", "report.html", "report.md", "junit.xml"}) {
    EXPECT_GT(fs::file_size(folder / name), 0U) << name;
  }
  for (const char* variant : kVariants) {
    for (const char* name : {"metrics.jsonl", "model.safetensors", "samples_perplexity-word-stored.jsonl",
                             "samples_perplexity-windows-stored.jsonl", "evaluation_perplexity-word-stored.json"}) {
      EXPECT_GT(fs::file_size(folder / variant / "seed-1" / name), 0U) << variant << " " << name;
    }
    EXPECT_FALSE(fs::exists(folder / variant / "seed-1" / "checkpoint.safetensors"));
  }
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    EXPECT_NE(entry.path().extension(), ".tmp") << entry.path();
  }
  EXPECT_EQ(reference_run().result.out, (folder / "report.md").string() + "\n");
}

TEST(Run, EnvironmentSaysWhatTheNumbersDependOn) {
  const json environment = json::parse(read_file(reference_run().folder / "environment.json"));
  EXPECT_THAT(environment.at("blas").at("core").get<std::string>(), Not(IsEmpty()));
  EXPECT_NE(environment.at("blas").at("core"), "unknown");
  EXPECT_EQ(environment.at("ternary_kernel"), kernels::select_kernel("").name);
  EXPECT_EQ(environment.at("threads"), 1);
  EXPECT_EQ(environment.at("seeds"), json::array({1}));
  EXPECT_EQ(environment.at("environment_variables"), (json{{"OMP_NUM_THREADS", "1"}}));
  for (const char* time : {"start", "end"}) {
    EXPECT_THAT(environment.at(time).get<std::string>(), ContainsRegex("^20[0-9-]{8}T[0-9:]{8}Z$"));
  }
  EXPECT_LE(environment.at("start").get<std::string>(), environment.at("end").get<std::string>());
}

TEST(Run, TwinsStartFromTheSameWeightsAndBothLearn) {
  const json results = results_of(reference_run().folder);
  std::vector<std::string> initial, final;
  for (const json& variant : results.at("variants")) {
    const json& seed = variant.at("seeds").at(0);
    initial.push_back(seed.at("initial_weights_sha256"));
    final.push_back(seed.at("final_weights_sha256"));
    EXPECT_EQ(seed.at("steps"), 45);
    EXPECT_EQ(seed.at("tokens_seen"), 45 * 8 * 64);
    const json& epochs = seed.at("epochs");
    ASSERT_EQ(epochs.size(), 3U);
    for (const char* loss : {"train_nats_per_token", "validation_nats_per_token"}) {
      EXPECT_LT(epochs[1].at(loss).get<double>(), epochs[0].at(loss).get<double>()) << variant.at("name");
      EXPECT_LT(epochs[2].at(loss).get<double>(), epochs[1].at(loss).get<double>()) << variant.at("name");
    }
    // ln 258 = 5.55 is what an untrained model gives.
    EXPECT_LT(epochs[2].at("validation_nats_per_token").get<double>(), 4.8) << variant.at("name");
  }
  ASSERT_EQ(initial.size(), 2U);
  EXPECT_EQ(initial[0], initial[1]);
  EXPECT_NE(final[0], final[1]);
  EXPECT_NE(final[0], initial[0]);
}

TEST(Run, TheSameCommandAgainTrainsNothingAndKeepsTheNumbers) {
  const Lab lab;
  const fs::path folder = copy_run(reference_run().folder, lab, "runs");
  const fs::file_time_type trained = fs::last_write_time(folder / "bitnet" / "seed-1" / "model.safetensors");
  const ProcessResult again = lab.bitnet(lab.run_words("runs"));
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(occurrences(again.err, "training was finished before"), 2) << again.err;
  EXPECT_EQ(occurrences(again.err, "evaluating"), 0) << again.err;
  EXPECT_EQ(fs::last_write_time(folder / "bitnet" / "seed-1" / "model.safetensors"), trained);
  EXPECT_THAT(differences(lasting_content(folder), reference_run().content), IsEmpty());
}

TEST(Run, ResultsNameAnOverrideAndTheCommandThatReproducesThem) {
  const json results = results_of(reference_run().folder);
  EXPECT_THAT(results.at("overridden").get<std::vector<std::string>>(), ::testing::Contains("dataset.train_bytes"));
  EXPECT_THAT(results.at("command").get<std::string>(),
              StartsWith("scripts/run experiments/quickstart/experiment.yaml --set dataset.train_bytes=8000 "));
}

TEST(Run, OneThreadTwiceGivesTheSameBits) {
  const Lab lab;
  const ProcessResult result = lab.bitnet(lab.run_words("runs"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(differences(lasting_content(lab.run_folder("runs")), reference_run().content), IsEmpty());
}

TEST(Run, EveryKernelTrainsTheBitnetToTheSameBits) {
  int tried = 0;
  for (const kernels::TernaryKernel* kernel : kernels::all_kernels()) {
    if (!kernel->supported()) continue;
    SCOPED_TRACE(kernel->name);
    const Lab lab;
    ProcessOptions options = lab.options();
    options.environment["BITNET_ISA"] = kernel->name;
    const ProcessResult result = lab.bitnet(lab.run_words("runs"), options);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const fs::path folder = lab.run_folder("runs");
    EXPECT_EQ(json::parse(read_file(folder / "environment.json")).at("ternary_kernel"), kernel->name);
    EXPECT_THAT(differences(lasting_content(folder), reference_run().content), IsEmpty());
    ++tried;
  }
  EXPECT_GE(tried, 1);
}

TEST(Run, AnotherSeedGivesOtherWeights) {
  const Lab lab;
  const ProcessResult result = lab.bitnet(lab.run_words("runs", {"seeds=[2]", "trainer.max_steps=2"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json seed = results_of(lab.run_folder("runs")).at("variants").at(0).at("seeds").at(0);
  EXPECT_EQ(seed.at("seed"), 2);
  EXPECT_NE(seed.at("initial_weights_sha256"),
            results_of(reference_run().folder).at("variants").at(0).at("seeds").at(0).at("initial_weights_sha256"));
}

TEST(Evaluate, GivesTheFiguresOfTheRun) {
  const Lab lab;
  for (const char* variant : kVariants) {
    const ProcessResult result = lab.bitnet({"evaluate", model_file(variant), "--evaluator", "perplexity-word-stored",
                                             "--out", lab.path(variant).string()});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const fs::path kept = reference_run().folder / variant / "seed-1";
    json before = json::parse(read_file(kept / "evaluation_perplexity-word-stored.json"));
    json now = json::parse(read_file(lab.path(variant) / "evaluation_perplexity-word-stored.json"));
    before.erase("seconds");
    before.erase("sha256");
    now.erase("seconds");
    now.erase("sha256");
    EXPECT_EQ(now, before);
    EXPECT_EQ(read_file(lab.path(variant) / "samples_perplexity-word-stored.jsonl"),
              read_file(kept / "samples_perplexity-word-stored.jsonl"));
    EXPECT_THAT(result.out, StartsWith("perplexity-word-stored on test: word (lm-eval, text as stored), context 64\n"));
    for (const json& metric : now.at("metrics")) {
      EXPECT_THAT(result.out, HasSubstr("\n  " + metric.at("name").get<std::string>()));
    }
  }
}

TEST(Generate, ContinuesThePromptAndIsTheSameTwice) {
  const Lab lab;
  const auto generated = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"generate", model_file("bitnet"), "--prompt", "The ", "--max-new-tokens", "40"};
    words.insert(words.end(), more.begin(), more.end());
    const ProcessResult result = lab.bitnet(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, StartsWith("The "));
    EXPECT_THAT(result.out, ::testing::EndsWith("\n"));
    return result.out;
  };
  const std::string greedy = generated({});
  EXPECT_GT(greedy.size(), std::string("The \n").size());
  EXPECT_EQ(generated({}), greedy);
  const std::string drawn = generated({"--temperature", "1.5", "--seed", "5"});
  EXPECT_EQ(generated({"--temperature", "1.5", "--seed", "5"}), drawn);
  EXPECT_NE(generated({"--temperature", "1.5", "--seed", "6"}), drawn);
}

TEST(Report, RendersTheSameBytesAgain) {
  const Lab lab;
  const fs::path& folder = reference_run().folder;
  const ProcessResult result =
      lab.bitnet({"report", (folder / "results.json").string(), "--out", lab.path("report").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, (lab.path("report") / "report.html").string() + "\n");
  for (const char* name : {"report.html", "report.md", "junit.xml"}) {
    EXPECT_TRUE(read_file(lab.path("report") / name) == read_file(folder / name)) << name;
  }
}

// No training: the trained BitNet as a checkpoint, evaluated as it is and as float, gives what its own run measured.
TEST(Run, EvaluatesACheckpointWithoutTraining) {
  const Lab lab;
  std::vector<std::string> settings = tiny_settings();
  settings.push_back("trainer.epochs=0");
  settings.push_back("start.checkpoint=" + model_file("bitnet"));
  const ProcessResult result = lab.bitnet(lab.run_words("runs", settings));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json found = results_of(lab.run_folder("runs"));
  const json trained = results_of(reference_run().folder);
  for (const json& variant : found.at("variants")) {
    const json& seed = variant.at("seeds").at(0);
    EXPECT_EQ(seed.at("steps"), 0);
    EXPECT_EQ(seed.at("curve"), json::array());
  }
  const json& before = trained.at("variants").at(0).at("seeds").at(0);
  const json& after = found.at("variants").at(0).at("seeds").at(0);
  EXPECT_EQ(after.at("initial_weights_sha256"), before.at("final_weights_sha256"));
  ASSERT_EQ(after.at("evaluations").size(), before.at("evaluations").size());
  for (size_t i = 0; i < before.at("evaluations").size(); ++i) {
    EXPECT_EQ(after.at("evaluations")[i].at("metrics"), before.at("evaluations")[i].at("metrics"));
  }
  EXPECT_THAT(read_file(lab.run_folder("runs") / "report.html"), HasSubstr("</html>"));
}

TEST(Run, SaysInItsReportThatRandomWeightsStandInForACheckpoint) {
  const Lab lab;
  std::vector<std::string> settings = tiny_settings();
  settings.push_back("trainer.epochs=0");
  settings.push_back("start.checkpoint=no/such/checkpoint");
  const ProcessResult refused = lab.bitnet(lab.run_words("runs", settings));
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_THAT(refused.err, HasSubstr("variants.bitnet.start.checkpoint"));
  settings.push_back("start.missing=random_weights");
  ASSERT_EQ(lab.bitnet(lab.run_words("random", settings)).exit_code, 0);
  for (const char* name : {"report.html", "report.md"}) {
    EXPECT_THAT(read_file(lab.run_folder("random") / name), HasSubstr("RANDOM WEIGHTS")) << name;
  }
}

}  // namespace
}  // namespace bitnet::end_to_end
