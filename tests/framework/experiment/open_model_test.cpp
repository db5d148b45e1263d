#include "framework/experiment/open_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "framework/core/error.h"
#include "framework/core/progress.h"
#include "framework/infer/artifact.h"
#include "framework/infer/generate.h"
#include "framework/nn/model_file.h"
#include "tests/framework/data/tokenizer_support.h"
#include "tests/framework/interop/checkpoint_support.h"

namespace bitnet {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

constexpr int64_t kPieces = 263;

/// A SentencePiece model: three control pieces, the bytes, and `last` pieces of letters.
std::string small_tokenizer(int last = 4) {
  test::MessageWriter model;
  model.bytes(1, test::piece_message("<unk>", 0, 2));
  model.bytes(1, test::piece_message("<s>", 0, 3));
  model.bytes(1, test::piece_message("</s>", 0, 3));
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (int byte = 0; byte < 256; ++byte) {
    const std::string name = std::string("<0x") + kDigits[byte / 16] + kDigits[byte % 16] + ">";
    model.bytes(1, test::piece_message(name, 0, 6));
  }
  model.bytes(1, test::piece_message("\xE2\x96\x81", -1, 1));
  for (int i = 1; i < last; ++i) model.bytes(1, test::piece_message(std::string(1, static_cast<char>('a' + i)), -i, 1));
  model.bytes(2, test::MessageWriter().number(35, 1).number(3, 2).text());
  return model.text();
}

/// A Hugging Face folder with a model of that many pieces, and its tokenizer.
class OpenModelTest : public ::testing::Test {
 protected:
  OpenModelTest() {
    testing::write_hugging_face(checkpoint(), model_);
    test::write_plain(checkpoint() / "tokenizer.model", small_tokenizer());
  }
  static DecoderLM make() {
    ModelConfig config = testing::tiny_config(LinearKind::kFloat);
    config.context = 32;
    DecoderLM model = testing::make_model(config, /*seed=*/5, kPieces);
    testing::vary_norm_weights(model);
    return model;
  }
  fs::path checkpoint() const { return folder_ / "checkpoint"; }
  OpenModel open(const fs::path& path, const ModelOptions& options = {}) {
    return open_model(path, options, progress_);
  }
  std::string error_of(const fs::path& path, const ModelOptions& options = {}) {
    try {
      open(path, options);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }
  std::string continued(const OpenModel& opened) {
    return generate(opened.model, *opened.tokenizer, "bcb", {.max_new_tokens = 8}, [](std::string_view) {});
  }
  /// What `bitnet import` writes.
  fs::path import_to(const std::string& name, LinearKind linear) {
    const ModelSource source = open_source_to_write(checkpoint(), {}, linear);
    save_model(folder_ / name, load_model(source), source.metadata);
    return folder_ / name;
  }

  TemporaryFolder folder_;
  ProgressReporter progress_;
  DecoderLM model_ = make();
};

TEST_F(OpenModelTest, ACheckpointBringsItsTokenizerAndNoText) {
  const OpenModel opened = open(checkpoint());
  EXPECT_EQ(opened.model.form, LinearForm::kFloat32);
  EXPECT_EQ(opened.tokenizer->vocab_size(), kPieces);
  EXPECT_EQ(opened.weights_sha256(), weights_sha256(model_));
  EXPECT_THROW(opened.dataset->text(DataSplit::kTest), ConfigError);
  EXPECT_EQ(continued(opened),
            generate(serve(model_), *opened.tokenizer, "bcb", {.max_new_tokens = 8}, [](std::string_view) {}));
}

TEST_F(OpenModelTest, AnImportedModelFindsItsTokenizerAgain) {
  const OpenModel direct = open(checkpoint());
  const fs::path imported = import_to("out/imported.safetensors", LinearKind::kFloat);
  EXPECT_EQ(continued(open(imported)), continued(direct));
  EXPECT_EQ(open(imported).weights_sha256(), direct.weights_sha256());

  // Moved away, and then laid beside the model.
  fs::rename(checkpoint() / "tokenizer.model", folder_ / "moved.model");
  EXPECT_THAT(error_of(imported), HasSubstr("the tokenizer must be "));
  EXPECT_THAT(error_of(imported), HasSubstr("name it with --tokenizer"));
  EXPECT_EQ(continued(open(imported, {folder_ / "moved.model", {}})), continued(direct));
  fs::copy(folder_ / "moved.model", folder_ / "out/tokenizer.model");
  EXPECT_EQ(continued(open(imported)), continued(direct));

  test::write_plain(folder_ / "out/tokenizer.model", small_tokenizer(3));
  EXPECT_THAT(error_of(imported), HasSubstr("the tokenizer must be the model's"));
}

TEST_F(OpenModelTest, AnImportedBitNetPacksAndServesTheSame) {
  const fs::path imported = import_to("bitnet.safetensors", LinearKind::kBitnet);
  const OpenModel opened = open(imported);
  EXPECT_EQ(opened.model.form, LinearForm::kPacked);
  ModelSource source = open_source_to_write(imported, {});
  source.metadata["weights_sha256"] = weights_sha256(source);
  write_artifact(folder_ / "packed.bnet", serve(source), source.metadata);
  const OpenModel packed = open(folder_ / "packed.bnet");
  EXPECT_EQ(packed.weights_sha256(), opened.weights_sha256());
  EXPECT_EQ(continued(packed), continued(opened));
}

TEST_F(OpenModelTest, ATextCanBeNamed) {
  ModelOptions options;
  options.dataset = DatasetConfig{};
  options.dataset->train_bytes = options.dataset->validation_bytes = options.dataset->test_bytes = 1000;
  const OpenModel opened = open(checkpoint(), options);
  EXPECT_GE(opened.dataset->text(DataSplit::kTest).size(), 1000u);
}

TEST_F(OpenModelTest, RefusesATokenizerThatIsNotTheModels) {
  test::write_plain(checkpoint() / "tokenizer.model", small_tokenizer(5));
  EXPECT_THAT(error_of(checkpoint()), HasSubstr("must have at most the model's 263 pieces, but has 264"));
  fs::remove(checkpoint() / "tokenizer.model");
  EXPECT_THAT(error_of(checkpoint()), HasSubstr("but there is none. Name it with --tokenizer"));
  save_model(folder_ / "bare.safetensors", model_, {});
  EXPECT_THAT(error_of(folder_ / "bare.safetensors"), HasSubstr("'experiment' or 'tokenizer_path' must name"));
}

}  // namespace
}  // namespace bitnet
