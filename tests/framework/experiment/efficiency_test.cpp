#include "framework/experiment/efficiency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/train/train_loop.h"
#include "tests/framework/core/temporary_folder.h"

namespace bitnet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

NamedEvaluator efficiency_evaluator() {
  NamedEvaluator evaluator{"speed", {}};
  evaluator.config.kind = EvaluatorKind::kEfficiency;
  evaluator.config.prompt_tokens = 8;
  evaluator.config.generate_tokens = 4;
  evaluator.config.repetitions = 5;
  return evaluator;
}

std::vector<EfficiencyModel> two_models() {
  return {{"ours", "runs/ours/model.safetensors", LinearKind::kBitnet, std::string(64, 'a')},
          {"theirs", "runs/theirs/model.safetensors", LinearKind::kFloat, std::string(64, 'b')}};
}

const BenchMachine kMachine{.threads = 2, .kernel = "avx2", .cpu = "Processor 9", .blas_core = "Haswell"};

TEST(Efficiency, ABitNetIsMeasuredPackedAndOthersInFloat32) {
  const BenchSubject ours = efficiency_subject(two_models()[0], HeadFormat::kBfloat16);
  EXPECT_EQ(ours.name, "ours");
  EXPECT_EQ(ours.model, "runs/ours/model.safetensors");
  EXPECT_EQ(ours.linear, LinearForm::kPacked);
  EXPECT_EQ(ours.head, HeadFormat::kBfloat16);
  const BenchSubject theirs = efficiency_subject(two_models()[1], HeadFormat::kBfloat16);
  EXPECT_EQ(theirs.linear, LinearForm::kFloat32);
  EXPECT_EQ(theirs.head, HeadFormat::kFloat32);
}

TEST(Efficiency, TheDescriptionNamesTestsMachineAndAllModels) {
  const std::vector<Evaluation> described = describe_efficiency(efficiency_evaluator(), two_models(), kMachine);
  ASSERT_EQ(described.size(), 2U);
  for (const char* part : {"pp8 and tg4", "5 repetitions in 2 processes", "int8 head", "2 threads", "kernel avx2",
                           "BLAS core Haswell", "Processor 9"}) {
    EXPECT_THAT(described[0].convention, HasSubstr(part));
  }
  EXPECT_EQ(described[0].convention, described[1].convention);
  EXPECT_EQ(described[0].data_sha256, described[1].data_sha256);
  EXPECT_EQ(described[0].split, "random tokens with trained weights");
  EXPECT_EQ(described[1].weights_sha256, std::string(64, 'b'));
  EXPECT_EQ(described[1].version, kEfficiencyVersion);
}

TEST(Efficiency, RandomWeightsAreSaidToBeRandom) {
  std::vector<EfficiencyModel> models = two_models();
  models[0].trained = false;
  EXPECT_THAT(describe_efficiency(efficiency_evaluator(), models, kMachine)[1].split,
              HasSubstr("where there were none, random ones of the exact shape"));
  models[1].trained = false;
  EXPECT_THAT(describe_efficiency(efficiency_evaluator(), models, kMachine)[1].split,
              HasSubstr("random weights of the exact shapes, not trained ones"));
}

TEST(Efficiency, AnotherMachineSettingOrModelIsAnotherMeasurement) {
  const auto first = [](const NamedEvaluator& evaluator, const std::vector<EfficiencyModel>& models,
                        const BenchMachine& machine) { return describe_efficiency(evaluator, models, machine)[0]; };
  const Evaluation described = first(efficiency_evaluator(), two_models(), kMachine);
  EXPECT_TRUE(same_efficiency(first(efficiency_evaluator(), two_models(), kMachine), described));
  const auto same_with_machine = [&](const auto& change) {
    BenchMachine machine = kMachine;
    change(machine);
    return same_efficiency(first(efficiency_evaluator(), two_models(), machine), described);
  };
  EXPECT_FALSE(same_with_machine([](BenchMachine& machine) { machine.threads = 1; }));
  EXPECT_FALSE(same_with_machine([](BenchMachine& machine) { machine.kernel = "scalar"; }));
  EXPECT_FALSE(same_with_machine([](BenchMachine& machine) { machine.cpu = "Processor 8"; }));
  EXPECT_FALSE(same_with_machine([](BenchMachine& machine) { machine.blas_core = "Zen"; }));
  // The other model's weights count too: it was measured in other company.
  std::vector<EfficiencyModel> models = two_models();
  models[1].weights_sha256[0] = 'c';
  EXPECT_FALSE(same_efficiency(first(efficiency_evaluator(), models, kMachine), described));
  models = two_models();
  models[0].trained = false;
  EXPECT_FALSE(same_efficiency(first(efficiency_evaluator(), models, kMachine), described));
  NamedEvaluator evaluator = efficiency_evaluator();
  evaluator.config.head = HeadFormat::kFloat32;
  EXPECT_FALSE(same_efficiency(first(evaluator, two_models(), kMachine), described));
  Evaluation other = described;
  ++other.version;
  EXPECT_FALSE(same_efficiency(other, described));
}

/// Measures with shell scripts for workers. `$3` is a worker's form; the packed one is twice as fast in the first
/// process and takes 1000 bytes, the other 5000 and, in its second process, 5200.
class EfficiencyWithScripts : public ::testing::Test {
 protected:
  EfficiencyWithScripts() {
    const std::filesystem::path script = folder_ / "worker.sh";
    const std::string log = (folder_ / "log").string();
    write_file_atomic(script,
                      "#!/bin/sh\necho \"$3 start\" >> '" + log +
                          "'\n"
                          "starts=$(grep -c \"$3 start\" '" +
                          log +
                          "')\n"
                          "seconds=0.5 peak=1096\n"
                          "if [ $3 = float ]; then seconds=1.0; peak=$((4896 + 200 * starts)); fi\n"
                          "echo '{\"ready\": true, \"head\": \"int8\", \"base_rss_bytes\": 96, \"weight_bytes\": 700, "
                          "\"cache_bytes\": 10, \"bytes_per_token\": 400, \"products_per_token\": 50}'\n"
                          "while read -r line; do echo \"$3 $line\" >> '" +
                          log + "'; echo \"{\\\"seconds\\\": $seconds, \\\"peak_rss_bytes\\\": $peak}\"; done\n");
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    means_.program = script.string();
    means_.limits = [](int64_t) -> MachineLimits { throw Error(ExitCode::kInternal, "limits are not asked for"); };
  }

  std::vector<Evaluation> measure() {
    ProgressReporter silent;
    return measure_efficiency(efficiency_evaluator(), two_models(), options_, silent, means_);
  }

  testing::TemporaryFolder folder_;
  BenchMeans means_;
  EfficiencyOptions options_{.threads = 1};
};

TEST_F(EfficiencyWithScripts, KeepsEveryRepetitionAndEveryProcess) {
  const std::vector<Evaluation> evaluations = measure();
  ASSERT_EQ(evaluations.size(), 2U);
  for (const Evaluation& evaluation : evaluations) {
    std::vector<std::string> ids;
    for (const EvaluationItem& item : evaluation.items) ids.push_back(item.id);
    EXPECT_THAT(ids, ElementsAre("pp8/1", "pp8/2", "pp8/3", "pp8/4", "pp8/5", "tg4/1", "tg4/2", "tg4/3", "tg4/4",
                                 "tg4/5", "memory/1", "memory/2"));
    EXPECT_EQ(evaluation.items[2].tokens, 8);
    EXPECT_EQ(evaluation.items[7].tokens, 4);
    EXPECT_EQ(evaluation.evaluator, "speed");
    EXPECT_THAT(evaluation.convention, HasSubstr("1 thread,"));
    EXPECT_GT(evaluation.seconds, 0);
  }
  EXPECT_EQ(evaluations[0].items[0].seconds, 0.5);
  EXPECT_EQ(evaluations[1].items[9].seconds, 1.0);
  EXPECT_EQ(evaluations[0].items[10].memory_bytes, 1000);
  EXPECT_EQ(evaluations[1].items[10].memory_bytes, 5000);
  EXPECT_EQ(evaluations[1].items[11].memory_bytes, 5200);
  EXPECT_EQ(evaluations[1].weights_sha256, std::string(64, 'b'));
}

TEST_F(EfficiencyWithScripts, SpeedIsTheMedianAndMemoryTheMostOfAllProcesses) {
  const std::vector<Evaluation> evaluations = measure();
  std::vector<std::string> names;
  std::vector<double> ours, theirs;
  for (const Metric& metric : evaluations[0].metrics) {
    names.push_back(metric.name);
    ours.push_back(metric.value);
    EXPECT_EQ(metric.lower_is_better, metric.unit == "bytes");
  }
  for (const Metric& metric : evaluations[1].metrics) theirs.push_back(metric.value);
  EXPECT_THAT(names, ElementsAre(kGenerationSpeed, kPromptSpeed, kModelMemory, "weight_bytes", "cache_bytes"));
  EXPECT_THAT(ours, ElementsAre(8, 16, 1000, 700, 10));
  EXPECT_THAT(theirs, ElementsAre(4, 8, 5200, 700, 10));
}

TEST_F(EfficiencyWithScripts, FreshProcessesShareTheRepetitionsAndTakeTurns) {
  measure();
  std::istringstream log(read_file(folder_ / "log"));
  std::string starts, turns;
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) lines.push_back(line);
  for (const std::string& line : lines) {
    if (line.ends_with(" start")) starts += line[0];
    if (line.ends_with("\"tg\",\"tokens\":4}")) turns += line[0];
  }
  EXPECT_EQ(starts.size(), 4U);
  // Warm-up of two rounds each, then 2 repetitions; in the second processes 3.
  EXPECT_EQ(turns, "ppffpffpppffpffppf");
}

TEST_F(EfficiencyWithScripts, CanBeStopped) {
  options_.stop_if_asked = [] { throw Interrupted(); };
  EXPECT_THROW(measure(), Interrupted);
}

TEST(Efficiency, SamplesAreThoseOfTheMetric) {
  Evaluation evaluation;
  EvaluationItem item;
  item.id = "pp8/1", item.tokens = 8, item.seconds = 2;
  evaluation.items.push_back(item);
  item.id = "tg4/1", item.tokens = 4;
  evaluation.items.push_back(item);
  EXPECT_THAT(efficiency_samples(evaluation, kPromptSpeed), ElementsAre(4));
  EXPECT_THAT(efficiency_samples(evaluation, kGenerationSpeed), ElementsAre(2));
  EXPECT_THAT(efficiency_samples(evaluation, kModelMemory), ElementsAre());
  EXPECT_THAT(efficiency_samples(evaluation, "word_perplexity"), ElementsAre());
}

}  // namespace
}  // namespace bitnet
