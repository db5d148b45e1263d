#include "framework/evaluate/code_evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/data/tinyworld.h"
#include "framework/evaluate/execute_samples.h"
#include "tests/framework/core/temporary_folder.h"
#include "tests/framework/evaluate/fakes.h"
#include "tests/framework/evaluate/sandbox_or_skip.h"

namespace bitnet {
namespace {

using ::testing::ElementsAre;
using testing::FakeDataset;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::TableScorer;
using testing::TemporaryFolder;

/// A model of bytes that writes what a function of the prompt and the seed says, byte by byte.
class Writer : public Generator {
 public:
  using Write = std::function<std::string(const std::string& prompt, int64_t seed)>;
  explicit Writer(Write write) : write_(std::move(write)) {}
  int64_t context() const override { return 256; }
  std::vector<GenerateResult> generate(std::span<const GenerateRequest> requests,
                                       const OnGenerated& on_generated) override {
    std::vector<GenerateResult> results(requests.size());
    // Back to front: nothing may depend on the order.
    for (size_t i = requests.size(); i-- > 0;) {
      const GenerateRequest& request = requests[i];
      EXPECT_EQ(request.tokens.front(), tokenizer_->bos_id());
      EXPECT_EQ(request.end_token, tokenizer_->eos_id());
      seeds_.insert(request.options.seed);
      for (const int32_t id : tokenizer_->encode(write_(tokenizer_->decode(request.tokens), request.options.seed))) {
        if (static_cast<int64_t>(results[i].tokens.size()) == request.options.max_new_tokens) break;
        results[i].tokens.push_back(id);
        if (request.finished(results[i].tokens)) break;
      }
      written_.push_back(tokenizer_->decode(results[i].tokens));
      on_generated(i, results[i]);
    }
    return results;
  }
  const std::vector<std::string>& written() const { return written_; }
  const std::set<int64_t>& seeds() const { return seeds_; }

 private:
  Write write_;
  std::unique_ptr<Tokenizer> tokenizer_ = make_byte_tokenizer();
  std::vector<std::string> written_;
  std::set<int64_t> seeds_;
};

CodeData three_problems() {
  CodeData data{{}, "three", "digest"};
  for (const std::string name : {"one", "two", "three"}) {
    const std::string value = name == "one" ? "1" : name == "two" ? "2" : "3";
    data.problems.push_back({"t/" + name, "def " + name + "():\n", name, "    return " + value + "\n",
                             "def check(candidate):\n    assert candidate() == " + value + "\n"});
  }
  return data;
}

class CodeEvaluatorOf : public testing::SandboxTest {
 protected:
  Evaluation evaluate(Generator& generator, const std::filesystem::path& folder = {},
                      const std::function<void()>& stop = {}, const std::string& weights = "weights") {
    TableScorer scorer(8);
    CodeEvaluator evaluator("code", config_, three_problems(), *tokenizer_, {true});
    return evaluator.evaluate({scorer, generator, weights, folder, stop}, silent_);
  }

  EvaluatorConfig config_ = [] {
    EvaluatorConfig config;
    config.kind = EvaluatorKind::kCode;
    return config;
  }();
  std::unique_ptr<Tokenizer> tokenizer_ = make_byte_tokenizer();
  ProgressReporter silent_;
};

std::map<std::string, double> scores_of(const Evaluation& evaluation) {
  std::map<std::string, double> values;
  for (const Metric& metric : evaluation.metrics) {
    EXPECT_FALSE(metric.lower_is_better);
    values[metric.name] = metric.value;
  }
  return values;
}

TEST_F(CodeEvaluatorOf, CutsAtTheStopsRunsTheTestsAndKeepsWhatHappened) {
  Writer writer([](const std::string& prompt, int64_t) -> std::string {
    if (prompt.find("one") != std::string::npos) return "    return 1\n\ndef more(): this is no Python";
    if (prompt.find("two") != std::string::npos) return "    return 1\n# two";
    return "    import sys\n    sys.exit(0)\n";
  });
  const TemporaryFolder folder;
  const Evaluation evaluation = evaluate(writer, folder.path());
  EXPECT_THAT(scores_of(evaluation), ElementsAre(std::pair<const std::string, double>("pass@1", 1.0 / 3)));
  ASSERT_THAT(evaluation.items, SizeIs(3));
  EXPECT_EQ(evaluation.items[0].id, "t/one");
  EXPECT_EQ(evaluation.items[0].outcomes, (std::map<std::string, double>{{"pass@1", 1.0}}));
  EXPECT_EQ(evaluation.items[1].outcomes, (std::map<std::string, double>{{"pass@1", 0.0}}));
  EXPECT_EQ(nlohmann::json::parse(evaluation.items[1].details),
            nlohmann::json::parse(R"({"prompt": "def two():\n", "completions": [{"completion": "    return 1",
              "result": "failed: raised AssertionError: ", "passed": false}]})"));
  EXPECT_THAT(evaluation.items[2].details, HasSubstr("raised SystemExit: 0"));
  EXPECT_EQ(evaluation.data_sha256, "digest");
  EXPECT_EQ(evaluation.split, "three");
  EXPECT_EQ(evaluation.convention,
            "pass@k (HumanEval), zero-shot, greedy, 1 of each problem, at most 512 new tokens, stop at "
            R"(["\nclass","\ndef","\n#","\nif","\nprint"], BOS, context 256, 3 s a program)");
  // The model was stopped as soon as a stop was there.
  EXPECT_THAT(writer.written(),
              ElementsAre("    import sys\n    sys.exit(0)\n", "    return 1\n#", "    return 1\n\ndef"));
  // HumanEval's own tool reads what was written; the order is that of the problems.
  const auto samples = read_code_samples(read_file(folder / "completions_code.jsonl"), "samples");
  ASSERT_THAT(samples, SizeIs(3));
  EXPECT_EQ(samples[0].id, "t/one");
  EXPECT_EQ(samples[0].completion, "    return 1\n");
}

TEST_F(CodeEvaluatorOf, StopsAtTheMostTokensAndRepairsWhatIsNoText) {
  config_.max_new_tokens = 13;
  Writer writer([](const std::string&, int64_t) { return "    return 1\xff\xff"; });
  const Evaluation evaluation = evaluate(writer);
  EXPECT_THAT(writer.written(), ElementsAre("    return 1\xff", "    return 1\xff", "    return 1\xff"));
  EXPECT_THAT(evaluation.items[0].details, HasSubstr("return 1\xef\xbf\xbd\""));
  EXPECT_THAT(evaluation.items[0].details, HasSubstr("SyntaxError"));
}

TEST_F(CodeEvaluatorOf, DrawsEachSampleWithASeedOfItsOwn) {
  config_.samples = 4;
  config_.pass_at = {1, 2, 4};
  config_.temperature = 0.8;
  config_.top_p = 0.95;
  std::set<int64_t> seeds_of_one;
  Writer collector([&](const std::string& prompt, int64_t seed) {
    if (prompt.find("one") != std::string::npos) seeds_of_one.insert(seed);
    return "    return 0";
  });
  EXPECT_EQ(scores_of(evaluate(collector)).at("pass@4"), 0);
  ASSERT_THAT(seeds_of_one, SizeIs(4));
  // Two of the four are right, the same ones each time.
  const int64_t middle = *std::next(seeds_of_one.begin(), 2);
  Writer writer([&](const std::string& prompt, int64_t seed) {
    return prompt.find("one") != std::string::npos && seed < middle ? "    return 1" : "    return 0";
  });
  const Evaluation evaluation = evaluate(writer);
  EXPECT_THAT(writer.seeds(), SizeIs(12));
  EXPECT_DOUBLE_EQ(scores_of(evaluation).at("pass@1"), 0.5 / 3);
  EXPECT_DOUBLE_EQ(scores_of(evaluation).at("pass@2"), 5.0 / 6 / 3);
  EXPECT_DOUBLE_EQ(scores_of(evaluation).at("pass@4"), 1.0 / 3);
  EXPECT_THAT(evaluation.convention, HasSubstr("temperature 0.8, top-p 0.95, seed 1, 4 of each problem"));
  config_.samples = 2;
  config_.pass_at = {1};
  Writer fewer([](const std::string&, int64_t) { return ""; });
  evaluate(fewer);
  EXPECT_THAT(fewer.seeds(), SizeIs(6));
  for (const int64_t seed : fewer.seeds()) EXPECT_TRUE(writer.seeds().contains(seed));
}

TEST_F(CodeEvaluatorOf, AKilledEvaluationGoesOnWhereItWas) {
  const auto write = [](const std::string&, int64_t) { return "    return 1"; };
  Writer undisturbed(write);
  const Evaluation expected = evaluate(undisturbed);
  const TemporaryFolder folder;
  // Killed after each piece of work in turn: 3 completions, then 3 programs.
  size_t generated = 0;
  for (int pieces = 1; pieces <= 6; ++pieces) {
    Writer writer(write);
    const auto kill = [] { throw std::runtime_error("killed"); };
    EXPECT_THROW(evaluate(writer, folder.path(), kill), std::runtime_error) << pieces;
    generated += writer.written().size();
  }
  EXPECT_EQ(generated, 3u);
  Writer last(write);
  const Evaluation evaluation = evaluate(last, folder.path());
  EXPECT_THAT(last.written(), IsEmpty());
  EXPECT_EQ(scores_of(evaluation), scores_of(expected));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(evaluation.items[i].details, expected.items[i].details);
  // Nothing that was executed is executed again: a forged result stands.
  const std::string log = read_file(folder / "executed_code.jsonl");
  const size_t at = log.find("failed: raised AssertionError: ");
  write_file_atomic(
      folder / "executed_code.jsonl",
      log.substr(0, at) + "passed" + log.substr(at + std::string("failed: raised AssertionError: ").size()));
  EXPECT_DOUBLE_EQ(scores_of(evaluate(last, folder.path())).at("pass@1"), 2.0 / 3);
  // Another model's work is its own.
  Writer other(write);
  evaluate(other, folder.path(), {}, "other weights");
  EXPECT_THAT(other.written(), SizeIs(3));
}

TEST_F(CodeEvaluatorOf, GivesNoScoreWhereASolutionFails) {
  CodeData data = three_problems();
  data.problems[1].solution = "    return 3\n";
  CodeEvaluator evaluator("code", config_, data, *tokenizer_, {true});
  TableScorer scorer(8);
  Writer writer([](const std::string&, int64_t) { return ""; });
  try {
    evaluator.evaluate({scorer, writer, "weights", {}, {}}, silent_);
    ADD_FAILURE() << "no error";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("all 3 solutions that come with the problems must pass before a score is given, "
                          "but 1 do not, the first is t/two: failed (raised AssertionError: )"));
  }
  EXPECT_THAT(writer.written(), IsEmpty());
}

TEST_F(CodeEvaluatorOf, SamplesFromAnywhereAreScoredInTheirOrder) {
  CodeExecutor executor("three", three_problems().problems, 3);
  const std::vector<CodeSample> samples = {
      {"t/two", "    return 2"}, {"t/one", "    return 2"}, {"t/three", "    return 3"}, {"t/two", "    return 0"}};
  const ExecutedSamples executed = execute_samples(executor, samples, {1, 2}, "samples.jsonl", silent_);
  ASSERT_THAT(executed.metrics, SizeIs(1));  // pass@2 would need two of each
  EXPECT_DOUBLE_EQ(executed.metrics[0].value, 0.5);
  EXPECT_THAT(executed.results,
              HasSubstr(R"({"task_id":"t/two","completion":"    return 2","result":"passed","passed":true})"
                        "\n"
                        R"({"task_id":"t/one",)"));
  const auto error_of = [&](const std::vector<CodeSample>& wrong) -> std::string {
    try {
      execute_samples(executor, wrong, {1}, "samples.jsonl", silent_);
    } catch (const DataError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(error_of({{"t/four", ""}}), HasSubstr("every sample must be of a known problem, but one is of 't/four'"));
  EXPECT_THAT(error_of({{"t/one", ""}, {"t/two", ""}}),
              HasSubstr("every problem must have a sample, but t/three has none"));
}

TEST(CodeEvaluator, IsRefusedBeforeAnythingIsDoneWithoutLeave) {
  const auto tokenizer = make_byte_tokenizer();
  ProgressReporter silent;
  EvaluatorConfig config;
  config.kind = EvaluatorKind::kCode;
  const auto dataset = make_tinyworld(DatasetConfig());
  try {
    make_evaluator({"tinyworld-code", config}, *dataset, *tokenizer, {}, silent);
    ADD_FAILURE() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("Add --allow-code-execution"));
  }
  const FakeDataset none({"text"});
  EXPECT_THROW(open_code_data("", none, "evaluator 'code'", silent), DataError);
  EXPECT_THROW(open_code_data("no-such-file.jsonl", none, "evaluator 'code'", silent), DataError);
  const CodeData data = open_code_data("", *dataset, "evaluator 'code'", silent);
  EXPECT_EQ(data.name, "tinyworld's own problems");
  EXPECT_THAT(data.problems, SizeIs(264));
}

}  // namespace
}  // namespace bitnet
