#include "framework/infer/session.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "framework/nn/decoder_lm.h"

namespace bitnet {
namespace {

ModelConfig small_config() {
  ModelConfig config;
  config.linear = LinearKind::kBitnet;
  config.width = 48;
  config.layers = 2;
  config.heads = 6;
  config.kv_heads = 2;
  config.ffn_width = 80;
  config.context = 200;
  config.tied_head = false;
  config.init_std = 0.3;
  return config;
}

constexpr int64_t kVocabulary = 101;

DecoderLM model_of(const ModelConfig& config) {
  return DecoderLM(config, kVocabulary, /*seed=*/3, linear_factory(config.linear));
}

std::vector<int32_t> some_tokens(int64_t count) {
  std::vector<int32_t> tokens(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) tokens[static_cast<size_t>(i)] = static_cast<int32_t>(i * 37 % kVocabulary);
  return tokens;
}

at::Tensor hidden_of(const DecoderLM& model, const std::vector<int32_t>& tokens) {
  const at::NoGradGuard no_grad;
  return model.hidden(at::tensor(std::vector<int64_t>(tokens.begin(), tokens.end()), at::kLong).unsqueeze(0))
      .squeeze(0);
}

/// Reads `tokens` in calls of at most `piece` tokens; the hidden states of all.
at::Tensor read_in_pieces(Session& session, const std::vector<int32_t>& tokens, size_t piece) {
  std::vector<at::Tensor> parts;
  for (size_t begin = 0; begin < tokens.size(); begin += piece) {
    const size_t count = std::min(piece, tokens.size() - begin);
    parts.push_back(session.read(std::span(tokens).subspan(begin, count), static_cast<int64_t>(count)));
  }
  return at::cat(parts);
}

struct Case {
  std::string name;
  ModelConfig config;
};

std::vector<Case> all_placements() {
  std::vector<Case> cases;
  for (const auto& [name, norm] : {std::pair("llama", NormPlacement::kLlama),
                                   {"bitnet", NormPlacement::kBitnet},
                                   {"tips", NormPlacement::kTips}}) {
    Case c{name, small_config()};
    c.config.norm = norm;
    cases.push_back(c);
  }
  Case relu{"relu2_tied", small_config()};
  relu.config.activation = Activation::kRelu2;
  relu.config.tied_head = true;
  relu.config.kv_heads = 6;
  cases.push_back(relu);
  Case one{"one_kv_head", small_config()};
  one.config.kv_heads = 1;
  one.config.heads = 12;
  cases.push_back(one);
  return cases;
}

class SessionOf : public ::testing::TestWithParam<Case> {};

TEST_P(SessionOf, HasTheBitsOfTheTrainingModelHoweverTheTextIsCut) {
  const DecoderLM model = model_of(GetParam().config);
  const ServedModel served = serve(model);
  const std::vector<int32_t> tokens = some_tokens(150);
  const at::Tensor expected = hidden_of(model, tokens);
  const int threads = at::get_num_threads();
  for (const int count : {1, 2, 3}) {
    at::set_num_threads(count);
    for (const size_t piece : {150, 1, 7, 64, 100}) {
      Session session(served, 150);
      EXPECT_TRUE(at::equal(read_in_pieces(session, tokens, piece), expected))
          << piece << " of " << count << " threads";
    }
  }
  at::set_num_threads(threads);
}

TEST_P(SessionOf, OfAFloatModelIsCloseToIt) {
  ModelConfig config = GetParam().config;
  config.linear = LinearKind::kFloat;
  config.init_std = 0.1;
  const DecoderLM model = model_of(config);
  const std::vector<int32_t> tokens = some_tokens(80);
  const at::Tensor expected = hidden_of(model, tokens);
  const ServedModel served = serve(model);
  for (const size_t piece : {80, 1, 9}) {
    Session session(served, 100);
    EXPECT_TRUE(at::allclose(read_in_pieces(session, tokens, piece), expected, 1e-4, 1e-4)) << piece;
  }
}

TEST(Session, MayBeUsedWithMoreThreadsThanItWasMadeWith) {
  const std::vector<int32_t> tokens = some_tokens(150);
  const int threads = at::get_num_threads();
  for (const LinearKind linear : {LinearKind::kFloat, LinearKind::kBitnet}) {
    ModelConfig config = small_config();
    config.linear = linear;
    config.init_std = 0.1;
    const DecoderLM model = model_of(config);
    const ServedModel served = serve(model);
    at::set_num_threads(1);
    Session session(served, 150);
    at::set_num_threads(4);
    EXPECT_TRUE(at::allclose(session.read(tokens, 150), hidden_of(model, tokens), 1e-4, 1e-4));
    at::set_num_threads(threads);
  }
}

// Threads that have rows of their own are at different stages at a time, with inputs of different depths.
TEST(Session, ThreadsDoNotWriteIntoEachOthersInputs) {
  ModelConfig config = small_config();
  config.ffn_width = 3000;
  const DecoderLM model = model_of(config);
  const ServedModel served = serve(model);
  const std::vector<int32_t> tokens = some_tokens(190);
  const at::Tensor expected = hidden_of(model, tokens);
  const int threads = at::get_num_threads();
  at::set_num_threads(2);
  Session session(served, 190);
  for (int repetition = 0; repetition < 60; ++repetition) {
    session.rewind(0);
    ASSERT_TRUE(at::equal(session.read(tokens, 190), expected)) << repetition;
  }
  at::set_num_threads(threads);
}

INSTANTIATE_TEST_SUITE_P(Placements, SessionOf, ::testing::ValuesIn(all_placements()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace bitnet
