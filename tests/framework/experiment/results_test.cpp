#include "framework/experiment/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <limits>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"
#include "framework/experiment/report.h"
#include "tests/framework/experiment/sample_results.h"

namespace bitnet {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// The comparisons take every struct apart by structured bindings: a field that is added without a thought for the file
// does not compile here.
bool same(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b) || (std::isnan(a) && std::isnan(b));
}
bool same(const std::map<std::string, double>& a, const std::map<std::string, double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first && same(x.second, y.second); });
}
template <typename T>
bool same(const std::vector<T>& a, const std::vector<T>& b);
bool same(const TrainPoint& a, const TrainPoint& b) {
  const auto& [step, epoch, nats, rate, norm] = a;
  return step == b.step && same(epoch, b.epoch) && same(nats, b.nats_per_token) && same(rate, b.learning_rate) &&
         same(norm, b.gradient_norm);
}
bool same(const EpochRecord& a, const EpochRecord& b) {
  const auto& [epoch, train, validation] = a;
  return epoch == b.epoch && same(train, b.train_nats_per_token) && same(validation, b.validation_nats_per_token);
}
bool same(const TernaryRecord& a, const TernaryRecord& b) {
  const auto& [epoch, layer, minus, zero, plus, gamma, flipped] = a;
  return epoch == b.epoch && layer == b.layer && same(minus, b.minus) && same(zero, b.zero) && same(plus, b.plus) &&
         same(gamma, b.gamma) && same(flipped, b.flipped);
}
bool same(const EvaluationItem& a, const EvaluationItem& b) {
  const auto& [id, nats, tokens, words, bytes, outcomes, details, seconds, memory_bytes] = a;
  return id == b.id && same(nats, b.nats) && tokens == b.tokens && words == b.words && bytes == b.bytes &&
         same(outcomes, b.outcomes) && details == b.details && same(seconds, b.seconds) &&
         memory_bytes == b.memory_bytes;
}
bool same(const Metric& a, const Metric& b) {
  const auto& [name, value, unit, lower] = a;
  return name == b.name && same(value, b.value) && unit == b.unit && lower == b.lower_is_better;
}
bool same(const Evaluation& a, const Evaluation& b) {
  const auto& [evaluator, version, convention, data, split, metrics, items, floor, chance, weights, seconds] = a;
  return evaluator == b.evaluator && version == b.version && convention == b.convention && data == b.data_sha256 &&
         split == b.split && same(metrics, b.metrics) && same(items, b.items) && same(floor, b.floor) &&
         same(chance, b.chance) && weights == b.weights_sha256 && same(seconds, b.seconds);
}
bool same(const SeedResult& a, const SeedResult& b) {
  const auto& [seed, steps, tokens, train, evaluate, initial, final_weights, curve, epochs, ternary, evaluations] = a;
  return seed == b.seed && steps == b.steps && tokens == b.tokens_seen && same(train, b.train_seconds) &&
         same(evaluate, b.evaluate_seconds) && initial == b.initial_weights_sha256 &&
         final_weights == b.final_weights_sha256 && same(curve, b.curve) && same(epochs, b.epochs) &&
         same(ternary, b.ternary) && same(evaluations, b.evaluations);
}
bool same(const VariantResult& a, const VariantResult& b) {
  const auto& [name, linear, parameters, ternary, bytes, seeds] = a;
  return name == b.name && linear == b.linear && parameters == b.parameters && ternary == b.ternary_parameters &&
         bytes == b.weight_bytes && same(seeds, b.seeds);
}
template <typename T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const T& x, const T& y) { return same(x, y); });
}
bool same(const Results& a, const Results& b) {
  const auto& [experiment, description, notes, hash, config, overridden, command, baseline, dataset, tokenizer, vocab,
               data, floor, variants, environment] = a;
  return experiment == b.experiment && description == b.description && notes == b.notes && hash == b.config_hash &&
         config == b.config_text && overridden == b.overridden && command == b.command && baseline == b.baseline &&
         dataset == b.dataset && tokenizer == b.tokenizer && vocab == b.vocab_size && data == b.data_sha256 &&
         floor.has_value() == b.floor_nats_per_token.has_value() && (!floor || same(*floor, *b.floor_nats_per_token)) &&
         same(variants, b.variants) && environment == b.environment_json;
}

/// Values that are hard to write: any bits of a double, any whole number, texts that need escapes.
class Hostile {
 public:
  explicit Hostile(uint64_t seed) : random_(seed) {}
  double number() { return std::bit_cast<double>(random_.next()); }
  int64_t whole() { return std::bit_cast<int64_t>(random_.next()); }
  size_t count() { return random_.below(4); }
  std::string text() {
    static const std::vector<std::string> kPieces = {
        "a",         "\"",  "\\", "\n",   "\t",    std::string(1, '\0'), "\u00E9", "\u4E16", "\U0001F600",
        "</script>", "NaN", " ",  "\x7f", "\u2028"};
    std::string text;
    for (size_t i = random_.below(6); i > 0; --i) text += kPieces[random_.below(kPieces.size())];
    return text;
  }
  Evaluation evaluation() {
    Evaluation out{text(), whole(), text(), text(), text(), {}, {}, {}, {}, text(), number()};
    for (size_t i = count(); i > 0; --i) out.metrics.push_back({text(), number(), text(), random_.below(2) == 0});
    for (size_t i = count(); i > 0; --i) {
      out.items.push_back({text(), number(), whole(), whole(), whole(), {}, text(), number(), whole()});
      for (size_t j = count(); j > 0; --j) out.items.back().outcomes[text()] = number();
    }
    for (size_t i = count(); i > 0; --i) out.floor[text()] = number();
    for (size_t i = count(); i > 0; --i) out.chance[text()] = number();
    return out;
  }
  SeedResult seed() {
    SeedResult out{whole(), whole(), whole(), number(), number(), text(), text(), {}, {}, {}, {}};
    for (size_t i = count(); i > 0; --i) out.curve.push_back({whole(), number(), number(), number(), number()});
    for (size_t i = count(); i > 0; --i) out.epochs.push_back({whole(), number(), number()});
    for (size_t i = count(); i > 0; --i)
      out.ternary.push_back({whole(), text(), number(), number(), number(), number(), number()});
    for (size_t i = count(); i > 0; --i) out.evaluations.push_back(evaluation());
    return out;
  }
  Results results() {
    Results out;
    for (std::string* field : {&out.experiment, &out.description, &out.config_hash, &out.config_text, &out.command,
                               &out.baseline, &out.dataset, &out.tokenizer, &out.environment_json}) {
      *field = text();
    }
    out.vocab_size = whole();
    for (size_t i = count(); i > 0; --i) out.overridden.push_back(text());
    for (size_t i = count(); i > 0; --i) out.data_sha256[text()] = text();
    if (random_.below(2) == 0) out.floor_nats_per_token = number();
    for (size_t i = count(); i > 0; --i) {
      VariantResult variant{text(), text(), whole(), whole(), whole(), {}};
      for (size_t j = count(); j > 0; --j) variant.seeds.push_back(seed());
      out.variants.push_back(variant);
    }
    return out;
  }

 private:
  Random random_;
};

std::string reading_error(const std::string& text) {
  try {
    results_from_json(text, "runs/results.json");
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

constexpr std::string_view kSeal = ",\n \"sha256\": \"";

/// The text of a results file before its digest.
std::string without_digest(const std::string& text) { return text.substr(0, text.rfind(kSeal)) + "\n}\n"; }

/// The same with the digest of what it holds.
std::string with_digest(const std::string& body) {
  return body.substr(0, body.size() - 3) + std::string(kSeal) + sha256_hex(body) + "\"\n}\n";
}

std::string changed(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

/// A results file in which something else stands, with the digest that belongs to it.
std::string with_change(const std::string& from, const std::string& to) {
  return with_digest(changed(without_digest(results_to_json(sample_results())), from, to));
}

TEST(Results, EveryFieldComesBackBitForBit) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const Results results = Hostile(seed).results();
    const std::string text = results_to_json(results);
    const Results back = results_from_json(text, "test");
    ASSERT_TRUE(same(results, back)) << text;
    ASSERT_EQ(results_to_json(back), text);
  }
  const Results sample = sample_results({.seeds = {1, 2}});
  EXPECT_TRUE(same(sample, results_from_json(results_to_json(sample), "test")));
}

TEST(Results, OneEvaluationComesBackBitForBit) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const Evaluation evaluation = Hostile(seed).evaluation();
    const std::string text = evaluation_to_json(evaluation);
    ASSERT_TRUE(same(evaluation, evaluation_from_json(text, "test"))) << text;
  }
  EXPECT_THROW(evaluation_from_json(results_to_json(sample_results()), "test"), DataError);
}

TEST(Results, NumbersThatJsonDoesNotHaveAreTexts) {
  Results results = sample_results();
  results.variants[0].seeds[0].curve = {{1, std::nan(""), HUGE_VAL, -HUGE_VAL, 0.1}};
  results.variants[0].seeds[0].train_seconds = -0.0;
  const std::string text = results_to_json(results);
  EXPECT_THAT(
      text,
      HasSubstr(
          R"({"step":1,"epoch":"NaN","nats_per_token":"Infinity","learning_rate":"-Infinity","gradient_norm":0.1})"));
  const Results back = results_from_json(text, "test");
  EXPECT_TRUE(std::isnan(back.variants[0].seeds[0].curve[0].epoch));
  EXPECT_EQ(back.variants[0].seeds[0].curve[0].learning_rate, -HUGE_VAL);
  EXPECT_TRUE(std::signbit(back.variants[0].seeds[0].train_seconds));
}

TEST(Results, TheSchemaVersionComesFirst) {
  EXPECT_EQ(results_to_json(sample_results()).find("{\n \"schema_version\": 3,\n"), 0u);
}

TEST(Results, PublishedOnesAreReadAndRendered) {
  int published = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(BITNET_SOURCE_DIR "/reports")) {
    if (file.path().extension() != ".json") continue;
    const Results results = results_from_json(read_file(file.path()), file.path().string());
    EXPECT_THAT(render_report_html(results), HasSubstr("id=\"deltas\"")) << file.path();
    ++published;
  }
  EXPECT_GE(published, 1);
}

TEST(Results, AnItemStandsOnOneLine) {
  Evaluation evaluation;
  evaluation.items = {{"question-1", 1.5, 2, 0, 0, {{"acc", 1}, {"acc_norm", 0}}, "{}"}};
  EXPECT_THAT(evaluation_to_json(evaluation), HasSubstr(R"(
  {"id":"question-1","nats":1.5,"tokens":2,"words":0,"bytes":0,"outcomes":{"acc":1.0,"acc_norm":0.0},"details":"{}"}
)"));
}

TEST(Results, ErrorsNameTheFileAndTheJsonPath) {
  const std::string command = "\"vocab_size\": 258";
  EXPECT_THAT(reading_error(with_change(command, "\"vocab_size\": \"258\"")),
              AllOf(HasSubstr("runs/results.json: $.vocab_size must be a whole number"), HasSubstr("but is \"258\"")));
  EXPECT_THAT(reading_error(with_change(command, "\"vocab_size\": 258.0")),
              HasSubstr("$.vocab_size must be a whole number"));
  EXPECT_THAT(reading_error(with_change(command, "\"vocab_size\": 9223372036854775808")),
              HasSubstr("$.vocab_size must be"));
  EXPECT_THAT(reading_error(with_change(command, "\"vocab\": 258")),
              HasSubstr("$.vocab_size must be there, but is missing"));
  EXPECT_THAT(reading_error(with_change(command, command + ", \"extra\": 1")),
              HasSubstr("$.extra must be a field of this schema, but is unknown"));
  EXPECT_THAT(reading_error(with_change(command, command + ", " + command)), HasSubstr("\"vocab_size\""));
  EXPECT_THAT(reading_error(with_change("{\"step\":20,", "{\"step\":true,")),
              HasSubstr("$.variants[0].seeds[0].curve[1].step must be a whole number of 64 bits, but is true"));
  EXPECT_THAT(reading_error(with_change("\"zero\":0.31,", "\"zero\":null,")),
              HasSubstr("$.variants[0].seeds[0].ternary[0].zero must be a number, but is null"));
  EXPECT_THAT(reading_error(with_change("\"lower_is_better\":true", "\"lower_is_better\":1")),
              HasSubstr("$.variants[0].seeds[0].evaluations[0].metrics[0].lower_is_better must be true or false"));
  EXPECT_THAT(reading_error(with_change("\"floor\": {\"bits_per_byte\":", "\"floor\": {\"bits_per_byte\":[],\"x\":")),
              HasSubstr(".floor[\"bits_per_byte\"] must be a number, but is a list"));
}

TEST(Results, OtherVersionsAndDamagedFilesAreRefused) {
  for (const char* version : {"0", "-1", "2", "4"}) {
    EXPECT_THAT(reading_error(with_change("\"schema_version\": 3", std::string("\"schema_version\": ") + version)),
                HasSubstr(std::string("$.schema_version must be 3, but is ") + version));
  }
  EXPECT_THAT(reading_error("{}"), HasSubstr("$.schema_version must be there"));
  EXPECT_THAT(reading_error("[]"), HasSubstr("$ must be an object"));
  EXPECT_THAT(reading_error(""), HasSubstr("must be JSON text, but is damaged"));
  const std::string text = results_to_json(sample_results());
  EXPECT_THAT(reading_error(text.substr(0, text.size() / 2)), HasSubstr("must be JSON text, but is damaged"));
  EXPECT_THAT(reading_error(with_change("\"vocab_size\": 258", "\"vocab_size\": 1e999")),
              HasSubstr("runs/results.json"));
}

TEST(Results, TheDigestComesLastAndIsThatOfTheRest) {
  const std::string text = results_to_json(sample_results());
  const std::string body = without_digest(text);
  EXPECT_TRUE(text.ends_with(" \"sha256\": \"" + sha256_hex(body) + "\"\n}\n"));
  EXPECT_EQ(with_digest(body), text);
}

TEST(Results, AnEditedFileIsRefusedWhereverItWasEdited) {
  const std::string text = results_to_json(sample_results({.seeds = {1}, .items = 12}));
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    std::string edited = text;
    char& c = edited[random.below(edited.size())];
    c = c == '1' ? '2' : '1';
    EXPECT_NE(reading_error(edited), "") << round;
  }
  EXPECT_THAT(reading_error(changed(text, "\"vocab_size\": 258", "\"vocab_size\": 259")),
              HasSubstr("runs/results.json: the file must end with the SHA-256 of its content"));
  EXPECT_THAT(reading_error(without_digest(text)), HasSubstr("must end with the SHA-256"));
  EXPECT_NE(reading_error(text + "\n"), "");
}

TEST(Results, TextThatIsNotUtf8IsRefused) {
  Results results = sample_results();
  results.description = "\xff";
  EXPECT_THROW(results_to_json(results), DataError);
}

}  // namespace
}  // namespace bitnet
