#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "framework/core/file.h"
#include "framework/experiment/bench_worker.h"
#include "tests/end_to_end/lab.h"

// `bitnet bench` with its real worker processes, on a model of a few thousand weights. No figure's size is tested.

namespace bitnet::end_to_end {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

/// A lab whose folder has a model block of its own.
class Bench : public ::testing::Test {
 protected:
  Bench() {
    options_ = lab_.options();
    options_.folder = lab_.folder();
    write_file_atomic(lab_.path("configs/model/" + model() + ".yaml"),
                      "width: 32\nlayers: 2\nheads: 4\nkv_heads: 2\nffn_width: 48\ncontext: 32\ntied_head: false\n");
  }
  /// A name that no other process has in its words.
  std::string model() const { return lab_.folder().filename().string(); }
  std::vector<std::string> words(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"bench",      model(), "--vocab-size", "100", "--prompt", "16",
                                    "--generate", "4",     "--threads",    "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  Lab lab_;
  ProcessOptions options_;
};

TEST_F(Bench, MeasuresEachFormInEachTest) {
  const auto start = std::chrono::steady_clock::now();
  const ProcessResult result =
      lab_.bitnet(words({"--linear", "packed,float", "--repetitions", "2", "--format", "json"}), options_);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  // Two forms, two tests, two turns: what a turn takes at least does not depend on how fast the model is.
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_GT(seconds, 8 * kLeastTurnSeconds);
  const json rows = json::parse(result.out);
  ASSERT_EQ(rows.size(), 4U);
  const std::vector<std::pair<std::string, std::string>> order = {
      {"packed", "pp16"}, {"float", "pp16"}, {"packed", "tg4"}, {"float", "tg4"}};
  for (size_t i = 0; i < rows.size(); ++i) {
    const json& row = rows[i];
    SCOPED_TRACE(row.dump());
    const auto& [linear, test] = order[i];
    EXPECT_EQ(row.size(), 16U);
    EXPECT_EQ(row.at("model"), model());
    EXPECT_EQ(row.at("linear"), linear);
    EXPECT_EQ(row.at("head"), linear == "packed" ? "int8" : "float32");
    EXPECT_EQ(row.at("test"), test);
    EXPECT_EQ(row.at("threads"), 1);
    ASSERT_EQ(row.at("samples").size(), 2U);
    const double first = row.at("samples")[0], second = row.at("samples")[1];
    EXPECT_GT(std::min(first, second), 0);
    EXPECT_DOUBLE_EQ(row.at("median_tokens_per_second").get<double>(), (first + second) / 2);
    EXPECT_GT(row.at("peak_rss_bytes"), row.at("base_rss_bytes"));
    EXPECT_GT(row.at("base_rss_bytes"), 10'000'000);
    EXPECT_GT(row.at("weight_bytes"), 0);
    EXPECT_EQ(row.at("cache_bytes"), rows[0].at("cache_bytes"));
    EXPECT_GT(row.at("share_of_limit"), 0);
    const std::string kind = test == "tg4" ? "read_bandwidth" : linear == "packed" ? "int8_rate" : "float32_rate";
    EXPECT_EQ(row.at("limit").at("kind"), kind);
    EXPECT_GT(row.at("limit").at("value"), 0);
    EXPECT_EQ(row.at("limit").at("unit"), test == "tg4" ? "bytes/s" : "MAC/s");
    for (const char* key : {"kernel", "cpu", "blas_core"}) EXPECT_NE(row.at(key), "") << key;
  }
  // 2 blocks x (2 x 32 x 32 + 2 x 32 x 16 + 3 x 32 x 48) weights of 4 bytes, two tables of 100 x 32, norms.
  EXPECT_GE(rows[1].at("weight_bytes"), 4 * (2 * 7680 + 2 * 3200));
  EXPECT_LT(rows[0].at("weight_bytes"), rows[1].at("weight_bytes"));
}

TEST_F(Bench, AWorkersMistakeIsTheProgramsMistake) {
  const ProcessResult absent = lab_.bitnet({"bench", "absent-model"}, options_);
  EXPECT_EQ(absent.exit_code, 2);
  EXPECT_THAT(absent.err, HasSubstr("error: model absent-model: name must be a block of configs/model"));
  const ProcessResult longer = lab_.bitnet(words({"--repetitions", "1", "--prompt=33"}), options_);
  EXPECT_EQ(longer.exit_code, 2);
  write_file_atomic(lab_.path("bad.safetensors"), "These bytes are no model.");
  const ProcessResult damaged = lab_.bitnet({"bench", lab_.path("bad.safetensors").string()}, options_);
  EXPECT_EQ(damaged.exit_code, 4);
  EXPECT_THAT(damaged.err, HasSubstr("bad.safetensors"));
  EXPECT_EQ(damaged.out, "");
}

/// The process whose words hold both texts, or 0.
pid_t process_with(const std::string& one, const std::string& other) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "cmdline");
    const std::string command((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (command.find(one) != std::string::npos && command.find(other) != std::string::npos) return std::stoi(name);
  }
  return 0;
}

TEST_F(Bench, AKilledWorkerEndsTheProgramWithAnError) {
  Process process(bitnet_command(words({"--repetitions", "100000"})), options_);
  pid_t worker = 0;
  ASSERT_TRUE(wait_until([&] { return (worker = process_with("bench-worker", model())) != 0; }));
  kill(worker, SIGKILL);
  const ProcessResult result = process.wait(/*timeout_seconds=*/60);
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_THAT(result.err, HasSubstr("worker 'packed': the process must answer, but was ended by signal 9"));
  EXPECT_EQ(result.out, "");
}

TEST_F(Bench, AKilledProgramLeavesNoWorker) {
  Process process(bitnet_command(words({"--repetitions", "100000"})), options_);
  ASSERT_TRUE(wait_until([&] { return process_with("bench-worker", model()) != 0; }));
  process.send(SIGKILL);
  process.wait();
  EXPECT_TRUE(wait_until([&] { return process_with("bench-worker", model()) == 0; }, /*timeout_seconds=*/60));
}

}  // namespace
}  // namespace bitnet::end_to_end
