#include "framework/interop/llama2c.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "framework/core/error.h"
#include "tests/framework/interop/checkpoint_support.h"

namespace bitnet {
namespace {

using testing::foreign_model;
using ::testing::HasSubstr;
using testing::int_bytes;
using testing::llama2c_bytes;

Llama2cFile parse(const std::string& bytes) { return parse_llama2c(std::as_bytes(std::span(bytes)), "story.bin"); }

std::string parse_error(const std::string& bytes) {
  try {
    parse(bytes);
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("story.bin"));
    return error.what();
  }
  return "";
}

TEST(Llama2c, ReadsBothVersionsWithAndWithoutAHead) {
  for (const bool tied : {true, false}) {
    const DecoderLM model = foreign_model(tied);
    for (const int version : {0, 1}) {
      const std::string bytes = llama2c_bytes(model, version);
      const Llama2cFile file = parse(bytes);
      const ModelConfig& config = file.model.config;
      EXPECT_EQ(file.model.kind, "llama2.c");
      EXPECT_EQ(file.model.vocab_size, model.vocab_size());
      EXPECT_EQ(config.width, model.config().width);
      EXPECT_EQ(config.ffn_width, model.config().ffn_width);
      EXPECT_EQ(config.layers, model.config().layers);
      EXPECT_EQ(config.heads, model.config().heads);
      EXPECT_EQ(config.kv_heads, model.config().kv_heads);
      EXPECT_EQ(config.context, model.config().context);
      EXPECT_EQ(config.tied_head, tied);
      EXPECT_EQ(config.norm_epsilon, 1e-5);
      EXPECT_EQ(config.rope_theta, 10000.0);
      EXPECT_EQ(file.tensors.size(), model.parameters().size());
      for (const NamedParameter& parameter : model.parameters()) {
        const TensorView& view = file.tensors.at(parameter.name);
        EXPECT_EQ(view.shape, parameter.value.sizes().vec()) << parameter.name;
        const std::string stored(reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size());
        const bool turned = parameter.name.find("attention.q") != std::string::npos ||
                            parameter.name.find("attention.k") != std::string::npos;
        if (turned) continue;
        EXPECT_EQ(stored, testing::bytes_of(parameter.value)) << parameter.name;
      }
    }
  }
}

TEST(Llama2c, RefusesEveryOtherLength) {
  const DecoderLM model = foreign_model(/*tied_head=*/false);
  for (const int version : {0, 1}) {
    const std::string bytes = llama2c_bytes(model, version);
    for (size_t length = 0; length < bytes.size(); length += 1 + length / 40) {
      EXPECT_NE(parse_error(bytes.substr(0, length)), "") << length;
    }
    EXPECT_THAT(parse_error(bytes.substr(0, bytes.size() - 1)), HasSubstr("as its header says"));
    EXPECT_THAT(parse_error(bytes + '\0'), HasSubstr("as its header says"));
  }
}

TEST(Llama2c, RefusesAbsurdHeaders) {
  const std::vector<int64_t> header = {24, 33, 2, 4, 2, 19, 12};
  const std::string body(100000, '\0');
  for (size_t i = 0; i < header.size(); ++i) {
    for (const int64_t value : {int64_t{0}, int64_t{-1}, int64_t{INT32_MIN}, int64_t{INT32_MAX}, int64_t{7}}) {
      std::vector<int64_t> changed = header;
      changed[i] = value;
      EXPECT_NE(parse_error(int_bytes(changed) + body), "") << i << " " << value;
    }
  }
  EXPECT_THAT(parse_error(int_bytes({0x616b3432, 2}) + std::string(300, '\0')),
              HasSubstr("the version must be 0 or 1"));
  EXPECT_THAT(parse_error(int_bytes({0x616b3432, 1}) + std::string(100, '\0')), HasSubstr("at least 256 bytes long"));
  EXPECT_THAT(parse_error(int_bytes({0x616b3432, 1, 24, 33, 2, 4, 2, -19, 12}) + body), HasSubstr("the vocabulary"));
  // The largest sizes that this project knows, together: more bytes than any file has.
  EXPECT_THAT(parse_error(int_bytes({65536, 262144, 1024, 1024, 1024, INT32_MAX, 1048576}) + body),
              HasSubstr("as its header says"));
}

}  // namespace
}  // namespace bitnet
