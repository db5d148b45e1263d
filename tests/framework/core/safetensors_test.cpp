#include "framework/core/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "framework/core/error.h"

// What files of other programs have and ours have not; wrong headers are tested in tensor_file_test.cpp.

namespace bitnet {
namespace {

using ::testing::HasSubstr;

std::string safetensors_file(const std::string& header, const std::string& data) {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i));
  return bytes + header + data;
}

Safetensors read(const std::string& bytes) { return read_safetensors(std::as_bytes(std::span(bytes)), "some file"); }

std::string read_error(const std::string& header, const std::string& data = "") {
  try {
    read(safetensors_file(header, data));
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Safetensors, NeedsNoMetadataAndNoAlignment) {
  const std::string bytes = safetensors_file(
      R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},"a":{"shape":[1],"data_offsets":[0,1],"dtype":"U8"}} )",
      "\x07zzzz");
  const Safetensors content = read(bytes);
  EXPECT_TRUE(content.metadata.empty());
  EXPECT_EQ(content.tensors.at("a").bytes.front(), std::byte{7});
  EXPECT_EQ(content.tensors.at("b").bytes.size(), 4u);
  EXPECT_EQ(content.tensors.at("b").bytes.data(), content.tensors.at("a").bytes.data() + 1);
}

TEST(Safetensors, KeepsTheMetadata) {
  const std::string bytes = safetensors_file(R"({"__metadata__":{"format":"pt","sha256":"none"}})", "");
  EXPECT_EQ(read(bytes).metadata, (std::map<std::string, std::string>{{"format", "pt"}, {"sha256", "none"}}));
}

TEST(Safetensors, RefusesWrongMetadata) {
  EXPECT_THAT(read_error(R"({"__metadata__":[]})"), HasSubstr("__metadata__ must be an object"));
  EXPECT_THAT(read_error(R"({"__metadata__":{"step":3}})"), HasSubstr("metadata 'step' must be text"));
}

TEST(Safetensors, ShowsTypes) {
  EXPECT_EQ(shown_type("BF16", {2, 3}), "BF16 [2, 3]");
  EXPECT_EQ(shown_type("F32", {}), "F32 []");
}

}  // namespace
}  // namespace bitnet
