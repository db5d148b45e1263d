#include "framework/interop/hugging_face_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "framework/config/resolve.h"
#include "framework/core/error.h"

namespace bitnet {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

/// The config.json of TinyLlama-1.1B, as far as it describes the model.
json tinyllama() {
  return json::parse(R"({
    "architectures": ["LlamaForCausalLM"], "attention_bias": false, "bos_token_id": 1, "eos_token_id": 2,
    "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 5632,
    "max_position_embeddings": 2048, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 22,
    "num_key_value_heads": 4, "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 10000.0,
    "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 32000})");
}

json changed(const std::string& key, const json& value) {
  json config = tinyllama();
  config[key] = value;
  return config;
}

ForeignModel parse(const json& config) { return parse_hugging_face_config(config.dump(), "config.json"); }

std::string text_error(const std::string& text) {
  try {
    parse_hugging_face_config(text, "config.json");
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

std::string config_error(const json& config) { return text_error(config.dump()); }

TEST(HuggingFaceConfig, DescribesTinyLlama) {
  const ForeignModel model = parse(tinyllama());
  EXPECT_EQ(model.kind, "LlamaForCausalLM");
  EXPECT_EQ(model.vocab_size, 32000);
  EXPECT_EQ(model_text(model.config), model_text(resolve_model("tinyllama-1.1b", BITNET_SOURCE_DIR "/configs")));
}

TEST(HuggingFaceConfig, LeftOutOptionsHaveTheDefaultsOfTheirArchitecture) {
  json config = json::parse(R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "intermediate_size": 96,
                                "num_attention_heads": 8, "num_hidden_layers": 2, "vocab_size": 100,
                                "num_key_value_heads": null})");
  const ForeignModel llama = parse(config);
  EXPECT_EQ(llama.config.kv_heads, 8);
  EXPECT_EQ(llama.config.context, 2048);
  EXPECT_EQ(llama.config.norm_epsilon, 1e-6);
  EXPECT_EQ(llama.config.rope_theta, 10000.0);
  EXPECT_EQ(llama.config.activation, Activation::kSilu);
  EXPECT_EQ(llama.config.norm, NormPlacement::kLlama);
  EXPECT_EQ(llama.config.linear, LinearKind::kFloat);
  EXPECT_FALSE(llama.config.tied_head);

  config["architectures"] = {"BitNetForCausalLM"};
  config["num_key_value_heads"] = 4;
  config["tie_word_embeddings"] = true;
  const ForeignModel bitnet = parse(config);
  EXPECT_EQ(bitnet.config.norm_epsilon, 1e-5);
  EXPECT_EQ(bitnet.config.rope_theta, 500000.0);
  EXPECT_EQ(bitnet.config.activation, Activation::kRelu2);
  EXPECT_EQ(bitnet.config.norm, NormPlacement::kBitnet);
  EXPECT_EQ(bitnet.config.linear, LinearKind::kBitnet);
  EXPECT_TRUE(bitnet.config.tied_head);
}

TEST(HuggingFaceConfig, TakesOptionsThatChangeNothing) {
  EXPECT_EQ(config_error(changed("rope_scaling", {{"rope_type", "default"}})), "");
  EXPECT_EQ(config_error(changed("rope_scaling", {{"type", "default"}})), "");
  EXPECT_EQ(config_error(changed("head_dim", 64)), "");
  EXPECT_EQ(config_error(changed("head_dim", nullptr)), "");
  EXPECT_EQ(config_error(changed("sliding_window", 2048)), "");
  EXPECT_EQ(config_error(changed("layer_types", {"full_attention", "full_attention"})), "");
  EXPECT_EQ(config_error(changed("quantization_config", nullptr)), "");
  EXPECT_EQ(parse(changed("rope_parameters", {{"rope_type", "default"}, {"rope_theta", 5e5}})).config.rope_theta, 5e5);
  EXPECT_EQ(parse(changed("hidden_act", "relu2")).config.activation, Activation::kRelu2);
}

TEST(HuggingFaceConfig, NamesAnUnsupportedOptionAndItsValue) {
  const std::vector<std::pair<json, std::string>> cases = {
      {changed("architectures", {"GPT2LMHeadModel"}), "architectures must be [\"LlamaForCausalLM\"], "},
      {changed("architectures", {"GPT2LMHeadModel"}), "but is [\"GPT2LMHeadModel\"]"},
      {changed("architectures", json::array()), "but is []"},
      {changed("architectures", nullptr), "but is missing"},
      {changed("hidden_act", "gelu"), "hidden_act must be \"silu\" or \"relu2\", but is \"gelu\""},
      {changed("attention_bias", true), "attention_bias must be false, but is true"},
      {changed("mlp_bias", true), "mlp_bias must be false, but is true"},
      {changed("rope_scaling", {{"rope_type", "llama3"}}),
       "rope_scaling.rope_type must be \"default\", but is \"llama3\""},
      {changed("rope_scaling", {{"type", "linear"}, {"factor", 2}}), "rope_scaling.type must be \"default\""},
      {changed("rope_parameters", {{"rope_type", "yarn"}}), "rope_parameters.rope_type must be"},
      {changed("sliding_window", 1024), "sliding_window must be null or at least max_position_embeddings, but is 1024"},
      {changed("head_dim", 128), "head_dim must be hidden_size / num_attention_heads, but is 128"},
      {changed("partial_rotary_factor", 0.5), "partial_rotary_factor must be 1, but is 0.5"},
      {changed("final_logit_softcapping", 30.0), "final_logit_softcapping must be null, but is 30.0"},
      {changed("num_local_experts", 8), "num_local_experts must be null, but is 8"},
      {changed("layer_types", {"sliding_attention"}), "layer_types must be full_attention for every layer"},
      {changed("quantization_config", {{"quant_method", "gptq"}}), "quantization_config must be null, but is {"},
  };
  for (const auto& [config, message] : cases) EXPECT_THAT(config_error(config), HasSubstr(message));
}

TEST(HuggingFaceConfig, MistralNeedsItsWindowSwitchedOff) {
  json config = changed("architectures", {"MistralForCausalLM"});
  EXPECT_EQ(config_error(config), "");  // the default window of 4,096 is longer than the context
  config["max_position_embeddings"] = 32768;
  EXPECT_THAT(config_error(config),
              HasSubstr("sliding_window must be null or at least max_position_embeddings, but is missing"));
  config["sliding_window"] = nullptr;
  EXPECT_EQ(parse(config).config.context, 32768);
}

TEST(HuggingFaceConfig, BitNetNeedsItsMasterWeights) {
  json config = changed("architectures", {"BitNetForCausalLM"});
  config["quantization_config"] = {
      {"quant_method", "bitnet"}, {"linear_class", "autobitlinear"}, {"quantization_mode", "online"}};
  EXPECT_EQ(config_error(config), "");
  config["quantization_config"]["quantization_mode"] = "offline";
  EXPECT_THAT(config_error(config),
              HasSubstr("quantization_config.quantization_mode must be \"online\", but is \"offline\""));
  config["quantization_config"].erase("quantization_mode");
  EXPECT_THAT(config_error(config), HasSubstr("quantization_mode must be \"online\", but is missing"));
  config["quantization_config"] = {{"quant_method", "bitnet"}, {"quantization_mode", "online"}, {"use_rms_norm", true}};
  EXPECT_THAT(config_error(config), HasSubstr("quantization_config.use_rms_norm must be false, but is true"));
}

TEST(HuggingFaceConfig, RefusesSizesThatNoModelHas) {
  for (const char* key : {"hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers",
                          "num_key_value_heads", "max_position_embeddings", "vocab_size"}) {
    for (const json& value : {json(0), json(-4), json(1e9), json(UINT64_MAX), json(INT64_MIN), json(true), json("64"),
                              json(2.5), json::array(), json::object()}) {
      EXPECT_THAT(config_error(changed(key, value)), HasSubstr(key)) << key << " " << value;
    }
    // Of the rules of this project: too large for a model, but not for a number.
    if (std::string(key) != "vocab_size") {
      EXPECT_THAT(config_error(changed(key, INT32_MAX)), HasSubstr("config.json"));
    }
  }
  json without = tinyllama();
  without.erase("hidden_size");
  EXPECT_THAT(config_error(without), HasSubstr("hidden_size must be a whole number from 1 on, but is missing"));
  EXPECT_THAT(config_error(changed("rms_norm_eps", "small")), HasSubstr("rms_norm_eps must be a number"));
  EXPECT_THAT(config_error(changed("rms_norm_eps", 0)), HasSubstr("norm_epsilon"));
  EXPECT_THAT(config_error(changed("rope_theta", -1)), HasSubstr("rope_theta"));
  EXPECT_THAT(config_error(changed("hidden_size", 2050)), HasSubstr("multiple of heads"));
  EXPECT_THAT(config_error(changed("num_key_value_heads", 5)), HasSubstr("multiple of kv_heads"));
}

TEST(HuggingFaceConfig, RefusesTextThatIsNoConfig) {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[1]"), std::string("\xff\xfe"), std::string(200, '['),
        "{\"a\":" + std::string(120, '[') + std::string(120, ']') + "}",
        std::string(R"({"vocab_size":1,"vocab_size":2})"), std::string("nullnull")}) {
    EXPECT_THAT(text_error(text), HasSubstr("config.json: file must be")) << text;
  }
}

TEST(HuggingFaceConfig, NamesEveryParameter) {
  EXPECT_EQ(hugging_face_name("embedding.weight"), "model.embed_tokens.weight");
  EXPECT_EQ(hugging_face_name("final_norm.weight"), "model.norm.weight");
  EXPECT_EQ(hugging_face_name("head.weight"), "lm_head.weight");
  EXPECT_EQ(hugging_face_name("layers.0.attention_norm.weight"), "model.layers.0.input_layernorm.weight");
  EXPECT_EQ(hugging_face_name("layers.12.ffn_norm.weight"), "model.layers.12.post_attention_layernorm.weight");
  EXPECT_EQ(hugging_face_name("layers.3.attention_sub_norm.weight"), "model.layers.3.self_attn.attn_sub_norm.weight");
  EXPECT_EQ(hugging_face_name("layers.3.ffn_sub_norm.weight"), "model.layers.3.mlp.ffn_sub_norm.weight");
  EXPECT_EQ(hugging_face_name("layers.21.attention.q.weight"), "model.layers.21.self_attn.q_proj.weight");
  EXPECT_EQ(hugging_face_name("layers.21.attention.o.weight"), "model.layers.21.self_attn.o_proj.weight");
  EXPECT_EQ(hugging_face_name("layers.1.ffn.gate.weight"), "model.layers.1.mlp.gate_proj.weight");
  EXPECT_EQ(hugging_face_name("layers.1.ffn.down.weight"), "model.layers.1.mlp.down_proj.weight");
}

}  // namespace
}  // namespace bitnet
