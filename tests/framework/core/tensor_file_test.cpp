#include "framework/core/tensor_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"
#include "tests/framework/core/temporary_folder.h"

namespace bitnet {
namespace {

using ::testing::HasSubstr;
using testing::TemporaryFolder;

std::string length_prefix(uint64_t length) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[static_cast<size_t>(i)] = static_cast<char>(length >> (8 * i));
  return bytes;
}

/// A file with this header and data; the digest stands where the header says DIGEST.
std::string file_with(std::string header, const std::string& data) {
  const std::string marker = "DIGEST";
  const size_t at = header.find(marker);
  if (at == std::string::npos) return length_prefix(header.size()) + header + data;
  header.replace(at, marker.size(), std::string(64, '0'));
  const std::string digest = sha256_hex(length_prefix(header.size()) + header + data);
  header.replace(at, digest.size(), digest);
  return length_prefix(header.size()) + header + data;
}

std::string open_error(const std::filesystem::path& path) {
  try {
    TensorFile file(path);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

std::string open_error(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
  return open_error(path);
}

struct Sample {
  std::vector<float> floats = {1.5f, -2.0f, 3.25f, 0.0f, 1e-30f, 7.0f};
  std::vector<int8_t> codes = {-1, 0, 1};
  std::vector<int64_t> ids = {1LL << 40, -5};
  std::map<std::string, std::string> metadata = {{"config", "width: 2\nname: \"x\"\n"}, {"step", "10"}};
  std::map<std::string, TensorView> tensors() const {
    return {{"a.codes", {"I8", {3}, std::as_bytes(std::span(codes))}},
            {"b.weight", {"F32", {2, 3}, std::as_bytes(std::span(floats))}},
            {"c.ids", {"I64", {2, 1}, std::as_bytes(std::span(ids))}},
            {"d.none", {"F32", {0, 4}, {}}}};
  }
};

TEST(TensorFile, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  const Sample sample;
  write_tensor_file(folder / "t", sample.metadata, sample.tensors());
  TensorFile opened(folder / "t");
  const TensorFile file(std::move(opened));
  EXPECT_EQ(file.metadata(), sample.metadata);
  ASSERT_EQ(file.tensors().size(), sample.tensors().size());
  for (const auto& [name, view] : sample.tensors()) {
    const TensorView& read = file.at(name);
    EXPECT_EQ(read.dtype, view.dtype);
    EXPECT_EQ(read.shape, view.shape);
    ASSERT_EQ(read.bytes.size(), view.bytes.size());
    EXPECT_TRUE(std::equal(read.bytes.begin(), read.bytes.end(), view.bytes.begin()));
  }
  EXPECT_EQ(file.metadata_at("step"), "10");
}

TEST(TensorFile, AlignsEveryTensorToItsElements) {
  const TemporaryFolder folder;
  const Sample sample;
  write_tensor_file(folder / "t", sample.metadata, sample.tensors());
  const TensorFile file(folder / "t");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file.at("c.ids").bytes.data()) % 8, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file.at("b.weight").bytes.data()) % 4, 0u);
}

TEST(TensorFile, NamesWhatIsMissing) {
  const TemporaryFolder folder;
  write_tensor_file(folder / "t", {}, {});
  const TensorFile file(folder / "t");
  EXPECT_THROW(file.at("none"), DataError);
  EXPECT_THROW(file.metadata_at("none"), DataError);
}

TEST(TensorFile, RefusesToWriteATensorWithTheWrongNumberOfBytes) {
  const TemporaryFolder folder;
  const Sample sample;
  const std::map<std::string, TensorView> wrong = {{"w", {"F32", {2, 2}, std::as_bytes(std::span(sample.floats))}}};
  EXPECT_THROW(write_tensor_file(folder / "t", {}, wrong), Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "t"));
}

TEST(TensorFile, FindsEveryFlippedBit) {
  const TemporaryFolder folder;
  const Sample sample;
  write_tensor_file(folder / "t", sample.metadata, sample.tensors());
  const std::string bytes = read_file(folder / "t");
  std::fstream file(folder / "t", std::ios::binary | std::ios::in | std::ios::out);
  const auto put = [&](size_t at, int byte) {
    file.seekp(static_cast<std::streamoff>(at)).put(static_cast<char>(byte)).flush();
  };
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    put(bit / 8, bytes[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(open_error(folder / "t"), "") << "bit " << bit % 8 << " of byte " << bit / 8;
    put(bit / 8, bytes[bit / 8]);
  }
  ASSERT_TRUE(file.good());
  EXPECT_EQ(open_error(folder / "t"), "");
}

TEST(TensorFile, FindsEveryTruncationAndAddedBytes) {
  const TemporaryFolder folder;
  const Sample sample;
  const auto path = folder / "t";
  write_tensor_file(path, sample.metadata, sample.tensors());
  const size_t size = std::filesystem::file_size(path);
  EXPECT_NE(open_error(folder / "longer", read_file(path) + '\0'), "");
  for (size_t length = size; length-- > 0;) {
    std::filesystem::resize_file(path, length);
    EXPECT_THAT(open_error(path), HasSubstr("truncated")) << length;
  }
}

TEST(TensorFile, RefusesAHeaderLongerThanTheFile) {
  const TemporaryFolder folder;
  const auto path = folder / "t";
  EXPECT_THAT(open_error(path, length_prefix(1ULL << 60) + "{}"), HasSubstr("header length must be at most 2 bytes"));
  EXPECT_THAT(open_error(path, length_prefix(UINT64_MAX) + "{}"), HasSubstr("header length must be at most 2 bytes"));
}

// The digest is right in all of these: what a faulty writer could make.
TEST(TensorFile, RefusesWrongHeaders) {
  const TemporaryFolder folder;
  const auto error_of = [&](const std::string& tensors, const std::string& data) {
    return open_error(folder / "t", file_with(R"({"__metadata__":{"sha256":"DIGEST"})" + tensors + "}", data));
  };
  const std::string data(8, 'x');
  ASSERT_EQ(error_of(R"(,"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})", data), "");
  EXPECT_THAT(error_of(R"(,"a":{"dtype":"F32","shape":[2],"data_offsets":[0,12]})", data), HasSubstr("tensor 'a'"));
  EXPECT_THAT(error_of(R"(,"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]})", data), HasSubstr("tensor 'a'"));
  EXPECT_THAT(error_of(R"(,"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]})", data), HasSubstr("tensor 'a'"));
  EXPECT_THAT(error_of(R"(,"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]})", data), HasSubstr("tensor 'a'"));
  EXPECT_THAT(error_of(R"(,"a":{"dtype":"X8","shape":[8],"data_offsets":[0,8]})", data), HasSubstr("type 'X8'"));
  EXPECT_THAT(error_of(R"(,"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8.0]})", data), HasSubstr("tensor 'a'"));
  EXPECT_THAT(error_of(R"(,"a":{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]})", ""),
              HasSubstr("too large"));
  EXPECT_THAT(error_of(R"(,"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]})", data), HasSubstr("gaps"));
  EXPECT_THAT(error_of(R"(,"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]})", data), HasSubstr("data must be 4"));
  EXPECT_THAT(error_of(R"(,"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]})"
                       R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]})",
                       data),
              HasSubstr("overlaps"));
  EXPECT_THAT(error_of(R"(,"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]})"
                       R"(,"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]})",
                       data),
              HasSubstr("one with 'a' twice"));
  EXPECT_THAT(error_of(R"(,"a":3)", data), HasSubstr("tensor 'a'"));
}

TEST(TensorFile, RefusesFilesWithoutADigest) {
  const TemporaryFolder folder;
  EXPECT_THAT(open_error(folder / "t", file_with("{}", "")), HasSubstr("__metadata__"));
  EXPECT_THAT(open_error(folder / "t", file_with(R"({"__metadata__":{}})", "")), HasSubstr("sha256"));
  EXPECT_THAT(open_error(folder / "t", file_with("[1]", "")), HasSubstr("JSON object"));
  EXPECT_THAT(open_error(folder / "t", "not such a file at all"), HasSubstr("header length"));
}

}  // namespace
}  // namespace bitnet
