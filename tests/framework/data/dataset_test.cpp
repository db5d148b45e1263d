#include "framework/data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"
#include "tests/framework/data/data_folders.h"

namespace bitnet {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class OpenDataset : public DataFolders {
 protected:
  // A file of that content; its path.
  std::string file(const std::string& name, const std::string& content) {
    write_file_atomic(root() / name, content);
    return (root() / name).string();
  }
  template <typename Exception>
  std::string failure(const DatasetConfig& config) {
    try {
      open_dataset(config, silent_);
    } catch (const Exception& error) {
      return error.what();
    }
    ADD_FAILURE() << "the dataset must not open, but does";
    return "";
  }

  ProgressReporter silent_;
};

DatasetConfig files_config() {
  DatasetConfig config;
  config.source = DatasetSource::kFiles;
  return config;
}

TEST_F(OpenDataset, TinyworldIsTheDefaultAndKnowsItsFloor) {
  DatasetConfig config;
  config.train_bytes = config.validation_bytes = config.test_bytes = 1000;
  const auto dataset = open_dataset(config, silent_);
  EXPECT_EQ(dataset->name(), "tinyworld");
  EXPECT_GT(dataset->floor(DataSplit::kTest)->nats, 100);
}

TEST_F(OpenDataset, OneSplitAloneNeedsNoOtherFile) {
  DatasetConfig config = files_config();
  config.train = "wikitext-2/train";  // not at hand
  config.validation = file("validation.txt", "b");
  config.test = file("test.txt", "c");
  EXPECT_EQ(open_dataset(with_split_alone(config, DataSplit::kTest), silent_)->text(DataSplit::kTest), "c");
  EXPECT_EQ(open_dataset(with_split_alone(config, DataSplit::kValidation), silent_)->text(DataSplit::kValidation), "b");
  EXPECT_THROW(open_dataset(with_split_alone(config, DataSplit::kTrain), silent_), DataError);
}

TEST_F(OpenDataset, FilesAreReadAndSplitIntoDocuments) {
  DatasetConfig config = files_config();
  config.train = file("train.txt", "a\n\nb\n");
  config.validation = file("validation.txt", "\u00fc \u20ac \U0001f40c\n");
  config.test = file("test.txt", "c\n");
  config.documents = DocumentSplit::kBlankLine;
  const auto dataset = open_dataset(config, silent_);
  EXPECT_EQ(dataset->text(DataSplit::kTrain), "a\n\nb\n");
  EXPECT_THAT(dataset->documents(DataSplit::kTrain), ElementsAre("a\n\n", "b\n"));
  EXPECT_EQ(dataset->sha256(DataSplit::kValidation), sha256_hex(dataset->text(DataSplit::kValidation)));
  EXPECT_EQ(dataset->text(DataSplit::kTest), "c\n");
  EXPECT_FALSE(dataset->floor(DataSplit::kTrain).has_value());
  EXPECT_EQ(dataset->name(), "files");
}

TEST_F(OpenDataset, ASplitWithoutANameIsAnErrorWhereItIsUsed) {
  DatasetConfig config = files_config();
  EXPECT_THAT(failure<ConfigError>(config), HasSubstr("all are empty"));
  config.test = file("test.txt", "c\n");
  const auto dataset = open_dataset(config, silent_);
  EXPECT_EQ(dataset->text(DataSplit::kTest), "c\n");
  EXPECT_THROW(dataset->text(DataSplit::kTrain), ConfigError);
}

TEST_F(OpenDataset, MissingEmptyAndUndecodableFilesAreDataErrors) {
  DatasetConfig config = files_config();
  config.train = (root() / "none.txt").string();
  EXPECT_THAT(failure<DataError>(config), AllOf(HasSubstr("dataset.train"), HasSubstr("none.txt")));
  config.train = file("empty.txt", "");
  EXPECT_THAT(failure<DataError>(config), HasSubstr("empty"));
  config.train = root().string();
  failure<DataError>(config);
  for (const std::string bytes : {"ab\xff", "ab\xc0\x80", "ab\xed\xa0\x80", "ab\xf4\x90\x80\x80", "ab\xe2\x82",
                                  "ab\x80", "ab\xe0\x9f\xbf", "ab\xf0\x8f\xbf\xbf"}) {
    config.train = file("bytes.txt", bytes);
    EXPECT_THAT(failure<DataError>(config), HasSubstr("byte 2"));
  }
}

TEST_F(OpenDataset, CatalogEntriesThatCanNotBeHadSayWhatToPutWhere) {
  DatasetConfig config = files_config();
  config.train = "wikitext-2/train";
  EXPECT_THAT(failure<DataError>(config),
              AllOf(HasSubstr("b742c23a32fa8accbe08c3d6a73d79f4525733356a6f0b95294e0884bdaf6f7a"),
                    HasSubstr((mirror() / "wikitext-2/train.reordered.txt").string())));
}

TEST_F(OpenDataset, WikitextComesFromTheMirrorWithSixtyTwoPagesInItsTestSplit) {
  if (!use_real_mirror()) GTEST_SKIP() << "BITNET_DATA_MIRROR is not set";
  DatasetConfig config = files_config();
  config.train = "wikitext-2/train";
  config.validation = "wikitext-2/validation";
  config.test = "wikitext-2/test";
  config.documents = DocumentSplit::kWikitext;
  const auto dataset = open_dataset(config, silent_);
  EXPECT_EQ(dataset->name(), "wikitext-2");
  EXPECT_EQ(dataset->documents(DataSplit::kTest).size(), 62U);
  EXPECT_EQ(dataset->text(DataSplit::kTrain).size(), 10797148U);
}

}  // namespace
}  // namespace bitnet
