#include "framework/interop/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "tests/framework/core/temporary_folder.h"
#include "tests/framework/interop/checkpoint_support.h"

namespace bitnet {
namespace {

using ::testing::HasSubstr;
using testing::length_prefix;
using testing::TemporaryFolder;

template <typename Call>
std::string data_error(const Call& call) {
  try {
    call();
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

std::string open_error(const std::filesystem::path& path) {
  return data_error([&] { open_checkpoint(path); });
}

TEST(Checkpoint, IsAFolderWithAConfigOrABinFile) {
  const TemporaryFolder folder;
  EXPECT_FALSE(is_checkpoint(folder.path()));
  EXPECT_FALSE(is_checkpoint("model.safetensors"));
  EXPECT_FALSE(is_checkpoint("llama-1m"));
  EXPECT_TRUE(is_checkpoint("stories.bin"));
  write_file_atomic(folder / "config.json", "{}");
  EXPECT_TRUE(is_checkpoint(folder.path()));
  EXPECT_THAT(open_error(folder / "absent"), HasSubstr("must be a folder with a config.json"));
  EXPECT_THAT(open_error(folder / "absent.bin"), HasSubstr("absent.bin"));
}

TEST(Checkpoint, SaysWhichFilesAreMissing) {
  const TemporaryFolder folder;
  testing::write_config(folder.path(), testing::foreign_model(true));
  EXPECT_THAT(open_error(folder.path()), HasSubstr("must hold model.safetensors or model.safetensors.index.json"));
}

TEST(Checkpoint, RefusesHostileHeaders) {
  const TemporaryFolder folder;
  testing::write_config(folder.path(), testing::foreign_model(true));
  const auto error_with = [&](const std::string& header, const std::string& data, uint64_t length) {
    write_file_atomic(folder / "model.safetensors", length_prefix(length) + header + data);
    return open_error(folder.path());
  };
  const auto error_with_header = [&](const std::string& header, const std::string& data = std::string(8, 'x')) {
    return error_with(header, data, header.size());
  };
  EXPECT_THAT(error_with("{}", "", uint64_t{1} << 60), HasSubstr("header length must be at most 2 bytes"));
  EXPECT_THAT(error_with_header(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},)"
                                R"("b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})"),
              HasSubstr("overlaps"));
  EXPECT_THAT(error_with_header(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[-8,0]}})"), HasSubstr("tensor 'a'"));
  EXPECT_THAT(error_with_header(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[8,16]}})"), HasSubstr("tensor 'a'"));
  EXPECT_THAT(error_with_header(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})"),
              HasSubstr("too large"));
  EXPECT_THAT(error_with_header(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},)"
                                R"("a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})"),
              HasSubstr("one with 'a' twice"));
  EXPECT_THAT(error_with_header(R"({"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}})"),
              HasSubstr("of type 'F8_E4M3'"));
  EXPECT_THAT(error_with_header("{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}"),
              HasSubstr("at most 64 levels deep"));
  EXPECT_THAT(error_with_header("{\"a\":" + std::string(1'000'000, '[') + "}"), HasSubstr("at most 64 levels deep"));
}

TEST(Checkpoint, FindsItsTokenizer) {
  const TemporaryFolder folder;
  const auto tokenizer_of = [&](const std::filesystem::path& checkpoint) {
    return find_tokenizer(checkpoint).filename().string();
  };
  const auto search_error = [&](const std::filesystem::path& checkpoint) {
    return data_error([&] { find_tokenizer(checkpoint); });
  };
  write_file_atomic(folder / "config.json", "{}");
  EXPECT_THAT(search_error(folder.path()), HasSubstr("but there is none. Name it with --tokenizer"));
  EXPECT_THAT(search_error(folder / "story.bin"), HasSubstr("but there is none. Name it with --tokenizer"));
  write_file_atomic(folder / "tok512.model", "");
  EXPECT_EQ(tokenizer_of(folder / "story.bin"), "tok512.model");
  EXPECT_NE(search_error(folder.path()), "");  // a Hugging Face folder has fixed names
  write_file_atomic(folder / "tok1024.model", "");
  EXPECT_THAT(search_error(folder / "story.bin"), HasSubstr("but there are several"));
  write_file_atomic(folder / "tokenizer.json", "");
  EXPECT_EQ(tokenizer_of(folder / "story.bin"), "tokenizer.json");
  EXPECT_EQ(tokenizer_of(folder.path()), "tokenizer.json");
  write_file_atomic(folder / "tokenizer.model", "");
  EXPECT_EQ(tokenizer_of(folder.path()), "tokenizer.model");
}

}  // namespace
}  // namespace bitnet
