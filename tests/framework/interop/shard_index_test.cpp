#include "framework/interop/shard_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "framework/core/error.h"

namespace bitnet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

std::string index_error(const std::string& text) {
  try {
    parse_shard_index(text, "the index");
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(ShardIndex, GivesTheFileOfEachTensor) {
  EXPECT_THAT(parse_shard_index(R"({"metadata":{"total_size":12},"weight_map":{"b":"two.safetensors",
                                    "a":"model-00001-of-00002.safetensors"}})",
                                "the index"),
              ElementsAre(Pair("a", "model-00001-of-00002.safetensors"), Pair("b", "two.safetensors")));
}

TEST(ShardIndex, RefusesFilesOutsideTheFolder) {
  for (const char* name : {"../x.safetensors", "/etc/x.safetensors", "a/b.safetensors", "x.bin", ".safetensors", "",
                           "..", "x\\u0000.safetensors"}) {
    EXPECT_THAT(index_error(std::string(R"({"weight_map":{"a":")") + name + "\"}}"),
                HasSubstr("the index: the file of tensor 'a' must be a name that ends in .safetensors, in the folder"))
        << name;
  }
}

TEST(ShardIndex, RefusesWhatIsNoIndex) {
  EXPECT_THAT(index_error("[]"), HasSubstr("weight_map must be an object"));
  EXPECT_THAT(index_error("{}"), HasSubstr("weight_map must be an object"));
  EXPECT_THAT(index_error(R"({"weight_map":[]})"), HasSubstr("weight_map must be an object"));
  EXPECT_THAT(index_error(R"({"weight_map":{"a":3}})"), HasSubstr("must be text"));
  EXPECT_THAT(index_error(R"({"weight_map":{"a":"x.safetensors","a":"y.safetensors"}})"), HasSubstr("'a' twice"));
  EXPECT_THAT(index_error(R"({"weight_map":{)"), HasSubstr("must be JSON in UTF-8"));
  EXPECT_THAT(index_error(R"({"weight_map":)" + std::string(120, '[') + std::string(120, ']') + "}"),
              HasSubstr("at most 64 levels deep"));
}

}  // namespace
}  // namespace bitnet
