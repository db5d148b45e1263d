#include "framework/train/trainer.h"

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "framework/core/error.h"
#include "framework/nn/model_file.h"
#include "tests/framework/nn/model_support.h"
#include "tests/framework/train/train_support.h"

namespace bitnet {
namespace {

using at::Tensor;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::text_model;
using testing::TextWindows;

constexpr LinearKind kBothKinds[] = {LinearKind::kFloat, LinearKind::kBitnet};

TrainerConfig trainer_config() {
  TrainerConfig config;
  config.epochs = 3;
  config.batch_windows = 4;
  return config;
}

OptimizerConfig fast_optimizer() {
  OptimizerConfig config;
  config.learning_rate = 1e-2;
  config.schedule.warmup_fraction = 0.1;
  return config;
}

/// A model with its loader and trainer, at the start.
struct Training {
  Training(LinearKind linear, const TokenWindows& windows, int64_t model_seed = 1, int64_t data_seed = 1,
           const TrainerConfig& config = trainer_config())
      : model(text_model(linear, model_seed)),
        loader(windows, config.batch_windows, data_seed),
        trainer(model, fast_optimizer(), config, loader) {}

  std::vector<double> run(int64_t steps) {
    std::vector<double> figures;
    for (int64_t i = 0; i < steps; ++i) {
      const StepResult result = trainer.step();
      figures.insert(figures.end(), {result.nats_per_token, result.learning_rate, result.gradient_norm});
    }
    return figures;
  }

  void save(const std::filesystem::path& path) const {
    std::map<std::string, std::string> metadata;
    std::map<std::string, TensorView> tensors;
    trainer.add_state(metadata, tensors);
    write_tensor_file(path, metadata, tensors);
  }

  DecoderLM model;
  BatchLoader loader;
  Trainer trainer;
};

TEST(Trainer, RunOfTenEqualsFiveSavedLoadedAndFiveMore) {
  const TextWindows text(testing::repeated_text(18), testing::kTextContext);
  const TemporaryFolder folder;
  for (const LinearKind linear : kBothKinds) {
    Training whole(linear, text.windows());
    const std::vector<double> expected = whole.run(10);
    whole.save(folder / "whole");

    Training first(linear, text.windows());
    std::vector<double> figures = first.run(5);
    first.save(folder / "half");
    Training second(linear, text.windows(), /*model_seed=*/99);  // whatever it starts from is replaced
    second.trainer.restore(TensorFile(folder / "half"), "half");
    EXPECT_EQ(second.trainer.steps_done(), 5);
    const std::vector<double> rest = second.run(5);
    figures.insert(figures.end(), rest.begin(), rest.end());
    second.save(folder / "halves");

    EXPECT_EQ(figures, expected);
    // Weights, moments and the step count.
    EXPECT_EQ(read_file(folder / "halves"), read_file(folder / "whole"));
    EXPECT_EQ(weights_sha256(second.model), weights_sha256(whole.model));
  }
}

TEST(Trainer, SeedsOfWeightsAndOfDataMatter) {
  const TextWindows text(testing::repeated_text(18), testing::kTextContext);
  Training one(LinearKind::kBitnet, text.windows()), again(LinearKind::kBitnet, text.windows());
  Training weights(LinearKind::kBitnet, text.windows(), 2, 1), order(LinearKind::kBitnet, text.windows(), 1, 2);
  const std::vector<double> figures = one.run(4);
  EXPECT_EQ(again.run(4), figures);
  EXPECT_NE(weights.run(4), figures);
  EXPECT_NE(order.run(4), figures);
}

TEST(Trainer, StepsFollowFromEpochsAndTheirLimit) {
  const TextWindows text(testing::repeated_text(18), testing::kTextContext);  // 4 batches of 4, 2 windows left over
  const Training all(LinearKind::kFloat, text.windows());
  EXPECT_EQ(all.trainer.steps_per_epoch(), 4);
  EXPECT_EQ(all.trainer.total_steps(), 12);
  EXPECT_EQ(all.trainer.tokens_per_step(), 4 * testing::kTextContext);
  TrainerConfig config = trainer_config();
  config.max_steps = 7;
  EXPECT_EQ(Training(LinearKind::kFloat, text.windows(), 1, 1, config).trainer.total_steps(), 7);
  config.max_steps = 100;
  EXPECT_EQ(Training(LinearKind::kFloat, text.windows(), 1, 1, config).trainer.total_steps(), 12);
}

TEST(Trainer, LearnsARepeatedText) {
  const TextWindows text(testing::repeated_text(16), testing::kTextContext);
  TrainerConfig config = trainer_config();
  config.epochs = 20;
  for (const LinearKind linear : kBothKinds) {
    Training training(linear, text.windows(), 1, 1, config);
    const double first = training.trainer.step().nats_per_token;
    EXPECT_NEAR(first, std::log(258.0), 0.2);  // a new model knows nothing
    double last = first;
    while (training.trainer.steps_done() < training.trainer.total_steps()) {
      last = training.trainer.step().nats_per_token;
    }
    EXPECT_LT(last, 0.5 * first) << "linear " << static_cast<int>(linear);
  }
}

TEST(Trainer, GradientsEqualFiniteDifferencesOfTheWholeModel) {
  // Float32 only: the loss is good to about 3e-7, so a step of 1e-2 along a direction of length 1 gives its slope to
  // 2e-5, and its curvature adds the step squared.
  ModelConfig config = testing::tiny_config(LinearKind::kFloat, NormPlacement::kBitnet);
  const DecoderLM model = testing::make_model(config);
  testing::vary_norm_weights(model);
  const Tensor tokens = testing::random_tokens(4, 12), targets = testing::random_tokens(4, 12, testing::kTinyVocab, 9);
  model.loss(tokens, targets).backward();
  const at::NoGradGuard no_grad;
  constexpr double kStep = 1e-2;
  uint64_t seed = 0;
  for (const NamedParameter& parameter : model.parameters()) {
    const Tensor gradient = parameter.value.grad();
    // The gradient itself, and the gradient with random signs, in which errors of single elements do not cancel.
    for (const bool random_signs : {false, true}) {
      Tensor direction = gradient / gradient.norm();
      if (random_signs) direction = direction * testing::uniform_tensor(gradient.sizes(), ++seed).sign();
      const Tensor value = parameter.value.detach();
      const Tensor before = value.clone();
      value.copy_(before + direction * kStep);
      const double above = model.loss(tokens, targets).item<double>();
      value.copy_(before - direction * kStep);
      const double below = model.loss(tokens, targets).item<double>();
      value.copy_(before);
      const double length = gradient.norm().item<double>();
      EXPECT_NEAR((above - below) / (2 * kStep), gradient.mul(direction).sum().item<double>(), 0.02 * length + 1e-4)
          << parameter.name << ", gradient of length " << length << (random_signs ? ", random signs" : "");
    }
  }
}

TEST(Trainer, LossThatIsNotFiniteIsAConfigError) {
  const TextWindows text(testing::repeated_text(18), testing::kTextContext);
  Training training(LinearKind::kFloat, text.windows());
  training.run(2);
  training.model.parameters().back().value.data_ptr<float>()[0] = std::nanf("");
  try {
    training.run(1);
    FAIL() << "no error was thrown";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("training: the loss must be finite, but is "));
    EXPECT_THAT(error.what(), HasSubstr("nan at step 3. Lower optimizer.learning_rate"));  // "nan" or "-nan"
  }
}

TEST(Trainer, GradientThatIsNotFiniteIsAConfigError) {
  const TextWindows text(testing::repeated_text(18), testing::kTextContext);
  Training training(LinearKind::kFloat, text.windows());
  // Embeddings of zeros make all logits zero whatever the last norm's weight; the gradient is multiplied by it.
  for (const NamedParameter& parameter : training.model.parameters()) {
    if (parameter.name == "embedding.weight") parameter.value.detach().zero_();
    if (parameter.name == "final_norm.weight") parameter.value.detach().fill_(3e38);
  }
  try {
    training.run(1);
    FAIL() << "no error was thrown";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the gradient norm must be finite"));
  }
}

TEST(Trainer, RestoreNamesWhatIsWrong) {
  const TextWindows text(testing::repeated_text(18), testing::kTextContext);
  const TemporaryFolder folder;
  Training training(LinearKind::kFloat, text.windows());
  training.run(1);
  std::map<std::string, std::string> metadata;
  std::map<std::string, TensorView> tensors;
  training.trainer.add_state(metadata, tensors);
  const auto expect_error = [&](const auto& changed_metadata, const auto& changed_tensors, const std::string& text) {
    write_tensor_file(folder / "changed", changed_metadata, changed_tensors);
    const TensorFile file(folder / "changed");
    try {
      training.trainer.restore(file, "the file");
      ADD_FAILURE() << "no error was thrown: " << text;
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr(text));
    }
  };
  for (const char* steps : {"13", "-1", "few", "3x"}) {
    auto changed = metadata;
    changed["steps_done"] = steps;
    expect_error(changed, tensors, std::string("steps_done must be a number from 0 to 12, but is '") + steps + "'");
  }
  auto missing = tensors;
  missing.erase("second_moment.head.weight");
  expect_error(metadata, missing, "tensor 'second_moment.head.weight' must be in the file, but is missing");
  auto turned = tensors;
  std::swap(turned["first_moment.head.weight"].shape[0], turned["first_moment.head.weight"].shape[1]);
  expect_error(metadata, turned,
               "the file: tensor 'first_moment.head.weight' must be F32 [258, 24], but is F32 [24, 258]");
}

TEST(ValidationLoss, IsTheMeanOverAllWindows) {
  // 7 windows in batches of 3: the last batch is smaller, and counts by its windows.
  const TextWindows text(testing::repeated_text(7), testing::kTextContext);
  const DecoderLM model = text_model(LinearKind::kFloat);
  ASSERT_EQ(text.windows().count(), 7);
  const at::NoGradGuard no_grad;
  double nats = 0;
  for (int64_t i = 0; i < 7; ++i) {
    std::vector<int64_t> ids(testing::kTextContext + 1);
    text.windows().window(i, ids);
    const Tensor all = at::tensor(ids, at::kLong).unsqueeze(0);
    nats += model.loss(all.narrow(1, 0, testing::kTextContext), all.narrow(1, 1, testing::kTextContext)).item<double>();
  }
  EXPECT_NEAR(validation_loss(model, text.windows(), 3), nats / 7, 1e-6);
  EXPECT_NEAR(validation_loss(model, text.windows(), 100), nats / 7, 1e-6);
}

}  // namespace
}  // namespace bitnet
