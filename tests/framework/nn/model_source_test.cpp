#include "framework/nn/model_source.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "tests/framework/nn/model_support.h"

namespace bitnet {
namespace {

using testing::make_model;
using testing::tiny_config;

TEST(ModelSource, ShapesAreThoseOfTheParameters) {
  for (const NormPlacement norm : {NormPlacement::kLlama, NormPlacement::kBitnet, NormPlacement::kTips}) {
    for (const bool tied : {true, false}) {
      ModelConfig config = tiny_config(LinearKind::kBitnet, norm);
      config.tied_head = tied;
      const std::vector<NamedParameter> parameters = make_model(config).parameters();
      const std::vector<ParameterShape> shapes = parameter_shapes(config, testing::kTinyVocab);
      ASSERT_EQ(shapes.size(), parameters.size());
      for (size_t i = 0; i < shapes.size(); ++i) {
        EXPECT_EQ(shapes[i].name, parameters[i].name);
        EXPECT_EQ(at::IntArrayRef(shapes[i].shape), parameters[i].value.sizes()) << shapes[i].name;
      }
    }
  }
}

TEST(ModelSource, AModelIsAskedForEachParameterOnce) {
  const DecoderLM model = make_model(tiny_config(LinearKind::kFloat, NormPlacement::kTips));
  testing::vary_norm_weights(model);
  ModelSource source = source_of(model);
  std::multiset<std::string> asked;
  source.parameter = [&, parameter = source.parameter](const std::string& name, at::IntArrayRef shape) {
    asked.insert(name);
    return parameter(name, shape).clone();
  };
  const DecoderLM loaded = load_model(source);
  EXPECT_EQ(asked.size(), model.parameters().size());
  EXPECT_EQ(std::set<std::string>(asked.begin(), asked.end()).size(), asked.size());
  EXPECT_EQ(weights_sha256(loaded), weights_sha256(model));
  const at::Tensor tokens = testing::random_tokens(2, 12);
  EXPECT_TRUE(testing::same_bits(loaded.forward(tokens), model.forward(tokens)));
  for (const NamedParameter& parameter : loaded.parameters()) EXPECT_TRUE(parameter.value.requires_grad());
}

TEST(ModelSource, ErrorsOfTheSourceReachTheCaller) {
  ModelSource source = source_of(make_model(tiny_config(LinearKind::kFloat)));
  source.parameter = [](const std::string&, at::IntArrayRef) -> at::Tensor { throw std::runtime_error("gone"); };
  EXPECT_THROW(load_model(source), std::runtime_error);
  EXPECT_THROW(weights_sha256(source), std::runtime_error);
}

}  // namespace
}  // namespace bitnet
