#include "framework/infer/generate.h"

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/core/error.h"
#include "tests/framework/nn/model_support.h"

namespace bitnet {
namespace {

using at::Tensor;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

GenerateOptions sampling(double temperature, int64_t top_k = 0, double top_p = 1.0) {
  GenerateOptions options;
  options.temperature = temperature;
  options.top_k = top_k;
  options.top_p = top_p;
  return options;
}

/// Logits of the probabilities 0.1, 0.4, 0.2, 0.3.
Tensor four_logits() { return at::tensor({0.1, 0.4, 0.2, 0.3}).to(at::kFloat).log(); }

constexpr double kAlmostOne = 0.999999;

TEST(ChooseToken, GreedyTakesTheLargestAndTheFirstOfEqualOnes) {
  EXPECT_EQ(choose_token(four_logits(), sampling(0), kAlmostOne), 1);
  EXPECT_EQ(choose_token(at::tensor({1.0f, 3.0f, 3.0f, 2.0f}), sampling(0), 0.5), 1);
}

TEST(ChooseToken, TheDrawFallsIntoSharesFromTheLargestOn) {
  // In order: token 1 up to 0.4, token 3 up to 0.7, token 2 up to 0.9, token 0 up to 1.
  const std::vector<std::pair<double, int64_t>> draws = {{0.0, 1},   {0.399, 1}, {0.401, 3}, {0.699, 3},
                                                         {0.701, 2}, {0.899, 2}, {0.901, 0}, {kAlmostOne, 0}};
  for (const auto& [uniform, token] : draws) {
    EXPECT_EQ(choose_token(four_logits(), sampling(1.0), uniform), token) << uniform;
  }
}

TEST(ChooseToken, TemperatureSharpensAndFlattens) {
  // At 1/2 the shares are the squares: 0.01, 0.16, 0.04, 0.09 of 0.30. Token 1 then has 0.533.
  EXPECT_EQ(choose_token(four_logits(), sampling(0.5), 0.53), 1);
  EXPECT_EQ(choose_token(four_logits(), sampling(0.5), 0.54), 3);
  // Very hot: a quarter each.
  for (const auto& [uniform, token] : {std::pair{0.24, 1}, {0.26, 3}, {0.51, 2}, {0.76, 0}}) {
    EXPECT_EQ(choose_token(four_logits(), sampling(1e6), uniform), token) << uniform;
  }
  // Very cold: the largest, whatever the draw.
  EXPECT_EQ(choose_token(four_logits(), sampling(1e-300), kAlmostOne), 1);
}

TEST(ChooseToken, TopKKeepsTheLargest) {
  EXPECT_EQ(choose_token(four_logits(), sampling(1.0, 1), kAlmostOne), 1);
  EXPECT_EQ(choose_token(four_logits(), sampling(1.0, 2), kAlmostOne), 3);
  // Of 0.4 and 0.3, token 1 has 4/7 = 0.571.
  EXPECT_EQ(choose_token(four_logits(), sampling(1.0, 2), 0.57), 1);
  EXPECT_EQ(choose_token(four_logits(), sampling(1.0, 2), 0.572), 3);
  for (const int64_t all : {4, 5, 1000}) EXPECT_EQ(choose_token(four_logits(), sampling(1.0, all), kAlmostOne), 0);
}

TEST(ChooseToken, TopPKeepsTheLeastSetThatReachesIt) {
  EXPECT_EQ(choose_token(four_logits(), sampling(1.0, 0, 1e-9), kAlmostOne), 1);  // never an empty set
  EXPECT_EQ(choose_token(four_logits(), sampling(1.0, 0, 0.39), kAlmostOne), 1);
  EXPECT_EQ(choose_token(four_logits(), sampling(1.0, 0, 0.41), kAlmostOne), 3);
  EXPECT_EQ(choose_token(four_logits(), sampling(1.0, 0, 0.69), kAlmostOne), 3);
  EXPECT_EQ(choose_token(four_logits(), sampling(1.0, 0, 0.89), kAlmostOne), 2);
  EXPECT_EQ(choose_token(four_logits(), sampling(1.0, 0, 0.91), kAlmostOne), 0);
  // After top-k, of its shares: 4/7 reaches 0.57 alone.
  EXPECT_EQ(choose_token(four_logits(), sampling(1.0, 2, 0.57), kAlmostOne), 1);
  EXPECT_EQ(choose_token(four_logits(), sampling(1.0, 2, 0.58), kAlmostOne), 3);
}

TEST(ChooseToken, ImpossibleTokensAreNeverChosen) {
  const Tensor logits = at::tensor({-std::numeric_limits<float>::infinity(), 0.0f, 0.0f});
  EXPECT_EQ(choose_token(logits, sampling(1.0), 0.0), 1);
  EXPECT_EQ(choose_token(logits, sampling(1.0), kAlmostOne), 2);
}

TEST(ChooseToken, TakesLogitsOfAStridedView) {
  const Tensor columns = at::stack({four_logits(), at::zeros({4})}, 1);
  EXPECT_EQ(choose_token(columns.select(1, 0), sampling(0), 0), 1);
}

/// Ids: 0 BOS, 1 EOS, then pieces; some are parts of the UTF-8 of one character. Decoding drops the space before the
/// first piece, as SentencePiece's vocabularies do.
class ChainTokenizer : public Tokenizer {
 public:
  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> ids;
    for (std::string rest = text.empty() ? "" : " " + std::string(text); !rest.empty();) {
      size_t id = 2;
      while (rest.rfind(pieces_.at(id), 0) != 0) ++id;
      ids.push_back(static_cast<int32_t>(id));
      rest.erase(0, pieces_[id].size());
    }
    return ids;
  }
  std::string decode(std::span<const int32_t> ids) const override {
    std::string text;
    for (const int32_t id : ids) text += pieces_.at(static_cast<size_t>(id));
    return text.rfind(' ', 0) == 0 ? text.substr(1) : text;
  }
  int64_t vocab_size() const override { return static_cast<int64_t>(pieces_.size()); }
  int32_t bos_id() const override { return 0; }
  int32_t eos_id() const override { return 1; }
  std::string fingerprint() const override { return "chain"; }
  std::string name() const override { return "chain"; }

 private:
  std::vector<std::string> pieces_ = {"",     "",     " a",   " b",   " c",     // 0 to 4
                                      "\xc3", "\xa9",                           // 5, 6: e with acute accent
                                      "\xf0", "\x9f", "\x98", "\x80", "\xe2"};  // 7 to 10: an emoji; 11: a start alone
};

/// A model that goes from each id to `next` of it: embeddings are unit vectors, the blocks add nothing, and the head
/// has each unit vector in the row of the following id.
DecoderLM chain_model(const std::map<int32_t, int32_t>& next, int64_t context = 8) {
  const int64_t vocab_size = ChainTokenizer().vocab_size();
  ModelConfig config;
  config.width = vocab_size;
  config.layers = 1;
  config.heads = 1;
  config.kv_heads = 1;
  config.ffn_width = 4;
  config.context = context;
  config.tied_head = false;
  DecoderLM model(config, vocab_size, /*seed=*/1, float_linear_factory());
  for (const NamedParameter& parameter : model.parameters()) {
    const Tensor value = parameter.value.detach();
    if (parameter.name == "embedding.weight") {
      value.copy_(at::eye(vocab_size));
    } else if (parameter.name == "head.weight") {
      value.zero_();
      for (const auto& [from, to] : next) value[to][from] = 1.0f;
    } else if (value.dim() == 2) {
      value.zero_();
    }
  }
  return model;
}

/// What generate returned and what it streamed.
struct Generated {
  std::string text;
  std::vector<std::string> pieces;
};

Generated run_generate(const DecoderLM& trained, const Tokenizer& tokenizer, std::string_view prompt,
                       const GenerateOptions& options) {
  const ServedModel model = serve(trained);
  Generated result;
  result.text =
      generate(model, tokenizer, prompt, options, [&](std::string_view piece) { result.pieces.emplace_back(piece); });
  std::string joined;
  for (const std::string& piece : result.pieces) joined += piece;
  EXPECT_EQ(joined, result.text);
  return result;
}

GenerateOptions at_most(int64_t tokens) {
  GenerateOptions options;
  options.max_new_tokens = tokens;
  return options;
}

TEST(Generate, StopsAtEosAndDoesNotRepeatThePrompt) {
  const DecoderLM model = chain_model({{2, 3}, {3, 4}, {4, 1}});
  const Generated result = run_generate(model, ChainTokenizer(), "a", at_most(100));
  EXPECT_EQ(result.text, " b c");  // the space before the first word of the continuation is kept
  EXPECT_THAT(result.pieces, ElementsAre(" b", " c"));
}

TEST(Generate, StopsAtBosWithWhichTheNextTextBegins) {
  const DecoderLM model = chain_model({{2, 3}, {3, 0}, {0, 4}});
  const Generated result = run_generate(model, ChainTokenizer(), "a", at_most(100));
  EXPECT_EQ(result.text, " b");
  EXPECT_THAT(result.pieces, ElementsAre(" b"));
}

TEST(Generate, StopsAtTheTokenLimit) {
  const DecoderLM model = chain_model({{2, 3}, {3, 2}});
  EXPECT_EQ(run_generate(model, ChainTokenizer(), "a", at_most(1)).text, " b");
  // Far beyond the context of 8 tokens.
  std::string expected;
  for (int i = 0; i < 15; ++i) expected += " b a";
  EXPECT_EQ(run_generate(model, ChainTokenizer(), "a", at_most(30)).text, expected);
}

TEST(Generate, StartsFromBosWhereThePromptIsEmpty) {
  const DecoderLM model = chain_model({{0, 4}, {4, 2}, {2, 1}});
  EXPECT_EQ(run_generate(model, ChainTokenizer(), "", at_most(10)).text, "c a");
}

TEST(Generate, NothingComesWhereEosIsFirst) {
  const DecoderLM model = chain_model({{2, 1}});
  const Generated result = run_generate(model, ChainTokenizer(), "a", at_most(10));
  EXPECT_EQ(result.text, "");
  EXPECT_TRUE(result.pieces.empty());
}

TEST(Generate, StreamsWholeCharacters) {
  const DecoderLM model = chain_model({{2, 5}, {5, 6}, {6, 7}, {7, 8}, {8, 9}, {9, 10}, {10, 3}, {3, 1}});
  const Generated result = run_generate(model, ChainTokenizer(), "a", at_most(100));
  EXPECT_THAT(result.pieces, ElementsAre("\xc3\xa9", "\xf0\x9f\x98\x80", " b"));
}

TEST(Generate, GivesAnUnfinishedCharacterWhenItEnds) {
  const DecoderLM model = chain_model({{2, 11}, {11, 1}});
  EXPECT_THAT(run_generate(model, ChainTokenizer(), "a", at_most(9)).pieces, ElementsAre("\xe2"));
  // A start that is never finished does not hold back what follows.
  const DecoderLM broken = chain_model({{2, 11}, {11, 3}, {3, 1}});
  EXPECT_EQ(run_generate(broken, ChainTokenizer(), "a", at_most(9)).text, "\xe2 b");
}

TEST(Generate, SeesTheLastTokensOfALongPrompt) {
  const auto tokenizer = make_byte_tokenizer();
  ModelConfig config = testing::tiny_config(LinearKind::kFloat);
  const DecoderLM model = testing::make_model(config, 3, tokenizer->vocab_size());
  const std::string prompt = "A prompt of more bytes than the context has.";
  const at::NoGradGuard no_grad;
  std::vector<int64_t> ids;
  for (const int32_t id : tokenizer->encode(prompt)) ids.push_back(id);
  std::string expected;
  for (int i = 0; i < 5; ++i) {
    const std::vector<int64_t> window(ids.end() - config.context, ids.end());
    const Tensor logits = model.forward(at::tensor(window, at::kLong).unsqueeze(0));
    ids.push_back(logits[0][config.context - 1].argmax().item<int64_t>());
    ASSERT_LT(ids.back(), 256) << "the test needs bytes: take another seed";
    expected += static_cast<char>(ids.back());
  }
  EXPECT_EQ(run_generate(model, *tokenizer, prompt, at_most(5)).text, expected);
}

TEST(Generate, RepeatsItselfForTheSameSeed) {
  const auto tokenizer = make_byte_tokenizer();
  for (const LinearKind linear : {LinearKind::kFloat, LinearKind::kBitnet}) {
    const DecoderLM model = testing::make_model(testing::tiny_config(linear), 3, tokenizer->vocab_size());
    EXPECT_EQ(run_generate(model, *tokenizer, "once", at_most(20)).text,
              run_generate(model, *tokenizer, "once", at_most(20)).text);
    GenerateOptions options = sampling(1.5);
    options.max_new_tokens = 20;
    const std::string sampled = run_generate(model, *tokenizer, "once", options).text;
    EXPECT_EQ(run_generate(model, *tokenizer, "once", options).text, sampled);
    options.seed = 2;
    EXPECT_NE(run_generate(model, *tokenizer, "once", options).text, sampled);
  }
}

TEST(Generate, OfABitNetEqualsItsTrainingForm) {
  const auto tokenizer = make_byte_tokenizer();
  ModelConfig config = testing::tiny_config(LinearKind::kBitnet);
  const DecoderLM model = testing::make_model(config, 3, tokenizer->vocab_size());
  const at::NoGradGuard no_grad;
  std::vector<int64_t> ids = {tokenizer->bos_id(), 'o', 'n'};
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    const auto begin = ids.size() > static_cast<size_t>(config.context) ? ids.end() - config.context : ids.begin();
    const Tensor logits = model.forward(at::tensor(std::vector<int64_t>(begin, ids.end()), at::kLong).unsqueeze(0));
    ids.push_back(logits[0][-1].argmax().item<int64_t>());
    ASSERT_LT(ids.back(), 256) << "the test needs bytes: take another seed";
    expected += static_cast<char>(ids.back());
  }
  EXPECT_EQ(run_generate(model, *tokenizer, "on", at_most(20)).text, expected);
}

TEST(Generate, OptionsOutOfRangeAreConfigErrors) {
  const DecoderLM model = chain_model({{2, 1}});
  const auto message_of = [&](const GenerateOptions& options) -> std::string {
    try {
      run_generate(model, ChainTokenizer(), "a", options);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no error was thrown";
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(message_of(at_most(0)), HasSubstr("--max-new-tokens must be at least 1, but is 0"));
  EXPECT_THAT(message_of(sampling(-0.1)), HasSubstr("--temperature must be 0 or more, but is -0.1"));
  EXPECT_THAT(message_of(sampling(nan)), HasSubstr("--temperature must be 0 or more, but is nan"));
  EXPECT_THAT(message_of(sampling(1.0, -1)), HasSubstr("--top-k must be 0 or more, but is -1"));
  EXPECT_THAT(message_of(sampling(1.0, 0, 0.0)), HasSubstr("--top-p must be above 0 and at most 1, but is 0"));
  EXPECT_THAT(message_of(sampling(1.0, 0, 1.1)), HasSubstr("--top-p must be above 0 and at most 1, but is 1.1"));
  EXPECT_THAT(message_of(sampling(1.0, 0, nan)), HasSubstr("--top-p must be above 0 and at most 1, but is nan"));
}

}  // namespace
}  // namespace bitnet
