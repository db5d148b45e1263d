#include "framework/interop/hugging_face_config.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/strict_json.h"

namespace bitnet {
namespace {

using nlohmann::json;

/// An architecture of the transformers library and the values of what its config.json leaves out.
struct Architecture {
  std::string_view name;
  NormPlacement norm;
  LinearKind linear;
  std::string_view hidden_act;
  int64_t kv_heads;  ///< 0: as many as heads
  int64_t context;
  double epsilon;
  double rope_theta;
  int64_t sliding_window;
};

constexpr int64_t kNoWindow = INT32_MAX;

constexpr std::array kArchitectures = {
    Architecture{"LlamaForCausalLM", NormPlacement::kLlama, LinearKind::kFloat, "silu", 0, 2048, 1e-6, 10000.0,
                 kNoWindow},
    Architecture{"MistralForCausalLM", NormPlacement::kLlama, LinearKind::kFloat, "silu", 8, 131072, 1e-6, 10000.0,
                 4096},
    Architecture{"BitNetForCausalLM", NormPlacement::kBitnet, LinearKind::kBitnet, "relu2", 5, 2048, 1e-5, 500000.0,
                 kNoWindow},
};

constexpr size_t kShownValue = 60;
constexpr std::string_view kOnlyThis = "This project has nothing that computes it.";

/// The options of one JSON object. Null is as good as left out, as in the transformers library.
class Options {
 public:
  Options(const json& object, std::string where, std::string prefix)
      : object_(object), where_(std::move(where)), prefix_(std::move(prefix)) {}

  /// The value, or null.
  const json* find(const std::string& key) const {
    const auto entry = object_.find(key);
    return entry == object_.end() || entry->is_null() ? nullptr : &*entry;
  }

  /// Whether the key is there, with null too.
  bool names(const std::string& key) const { return object_.contains(key); }

  [[noreturn]] void refuse(const std::string& key, std::string_view expected, std::string_view advice) const {
    const json* const value = find(key);
    std::string shown = value == nullptr ? "missing" : value->dump(-1, ' ', false, json::error_handler_t::replace);
    if (shown.size() > kShownValue) shown = shown.substr(0, kShownValue) + "...";
    throw DataError(where_ + ": " + prefix_ + key + " must be " + std::string(expected) + ", but is " + shown + ". " +
                    std::string(advice));
  }

  int64_t whole(const std::string& key, std::optional<int64_t> fallback) const {
    const json* const value = find(key);
    if (value == nullptr && fallback) return *fallback;
    if (value == nullptr || !value->is_number_integer() || *value < 1 || *value > INT32_MAX) {
      refuse(key, "a whole number from 1 on", "Take the config.json of the checkpoint.");
    }
    return value->get<int64_t>();
  }

  double number(const std::string& key, double fallback) const {
    const json* const value = find(key);
    if (value == nullptr) return fallback;
    if (!value->is_number()) refuse(key, "a number", "Take the config.json of the checkpoint.");
    return value->get<double>();
  }

  bool flag(const std::string& key, bool fallback) const {
    const json* const value = find(key);
    if (value == nullptr) return fallback;
    if (!value->is_boolean()) refuse(key, "true or false", "Take the config.json of the checkpoint.");
    return value->get<bool>();
  }

  std::string text(const std::string& key, std::string_view fallback) const {
    const json* const value = find(key);
    if (value == nullptr) return std::string(fallback);
    if (!value->is_string()) refuse(key, "text", "Take the config.json of the checkpoint.");
    return value->get<std::string>();
  }

  /// The options of an object inside, or none. Errors: DataError where the value is something else.
  std::optional<Options> inside(const std::string& key) const {
    const json* const value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_object()) refuse(key, "an object", "Take the config.json of the checkpoint.");
    return Options(*value, where_, prefix_ + key + ".");
  }

 private:
  const json& object_;
  std::string where_, prefix_;
};

const Architecture& find_architecture(const Options& options) {
  constexpr std::string_view kExpected = "[\"LlamaForCausalLM\"], [\"MistralForCausalLM\"] or [\"BitNetForCausalLM\"]";
  const json* const names = options.find("architectures");
  if (names != nullptr && names->is_array() && names->size() == 1 && names->front().is_string()) {
    for (const Architecture& architecture : kArchitectures) {
      if (names->front() == architecture.name) return architecture;
    }
  }
  options.refuse("architectures", kExpected, "Other architectures can not be imported.");
}

/// Frequencies and positions as they are; a scaled form is another model.
double read_rope_theta(const Options& options, const Architecture& architecture) {
  double theta = options.number("rope_theta", architecture.rope_theta);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const std::optional<Options> rope = options.inside(key);
    if (!rope) continue;
    for (const char* type : {"rope_type", "type"}) {
      if (rope->text(type, "default") != "default") rope->refuse(type, "\"default\"", kOnlyThis);
    }
    theta = rope->number("rope_theta", theta);
  }
  return theta;
}

void check_sliding_window(const Options& options, const Architecture& architecture, int64_t context) {
  if (!options.flag("use_sliding_window", true)) return;
  // Null switches the window off; what is left out has the default.
  const int64_t window =
      options.names("sliding_window") ? options.whole("sliding_window", kNoWindow) : architecture.sliding_window;
  if (window < context) options.refuse("sliding_window", "null or at least max_position_embeddings", kOnlyThis);
}

void check_quantization(const Options& options, const Architecture& architecture) {
  const std::optional<Options> quantization = options.inside("quantization_config");
  if (!quantization) return;
  if (architecture.linear != LinearKind::kBitnet || quantization->text("quant_method", "") != "bitnet") {
    options.refuse("quantization_config", "null", "Import the checkpoint with its float weights.");
  }
  // "online": the weights are the master weights, quantized as the model runs. "offline": they are codes.
  if (quantization->text("quantization_mode", "offline") != "online") {
    quantization->refuse("quantization_mode", "\"online\"", "Import the checkpoint with the master weights.");
  }
  if (quantization->flag("use_rms_norm", false)) quantization->refuse("use_rms_norm", "false", kOnlyThis);
}

void check_unsupported(const Options& options) {
  for (const char* key : {"attention_bias", "mlp_bias", "use_qk_norm"}) {
    if (options.flag(key, false)) options.refuse(key, "false", kOnlyThis);
  }
  for (const char* key : {"attn_logit_softcapping", "final_logit_softcapping", "num_local_experts"}) {
    if (options.find(key) != nullptr) options.refuse(key, "null", kOnlyThis);
  }
  if (options.number("partial_rotary_factor", 1.0) != 1.0) options.refuse("partial_rotary_factor", "1", kOnlyThis);
  const json* const layers = options.find("layer_types");
  if (layers == nullptr) return;
  for (const json& layer : *layers) {
    if (layer != "full_attention") options.refuse("layer_types", "full_attention for every layer", kOnlyThis);
  }
}

Activation read_activation(const Options& options, const Architecture& architecture) {
  const std::string name = options.text("hidden_act", architecture.hidden_act);
  if (name == "silu") return Activation::kSilu;
  if (name == "relu2") return Activation::kRelu2;
  options.refuse("hidden_act", "\"silu\" or \"relu2\"", kOnlyThis);
}

}  // namespace

ForeignModel parse_hugging_face_config(std::string_view text, const std::string& where) {
  const json object = parse_strict_json(text, where, "file");
  if (!object.is_object()) {
    throw DataError(where + ": file must be a JSON object, but is something else. Take the config.json of the " +
                    "checkpoint.");
  }
  const Options options(object, where, "");
  const Architecture& architecture = find_architecture(options);
  ForeignModel model;
  model.kind = architecture.name;
  model.vocab_size = options.whole("vocab_size", std::nullopt);
  ModelConfig& config = model.config;
  config.linear = architecture.linear;
  config.norm = architecture.norm;
  config.activation = read_activation(options, architecture);
  config.width = options.whole("hidden_size", std::nullopt);
  config.layers = options.whole("num_hidden_layers", std::nullopt);
  config.heads = options.whole("num_attention_heads", std::nullopt);
  config.kv_heads =
      options.whole("num_key_value_heads", architecture.kv_heads == 0 ? config.heads : architecture.kv_heads);
  config.ffn_width = options.whole("intermediate_size", std::nullopt);
  config.context = options.whole("max_position_embeddings", architecture.context);
  config.tied_head = options.flag("tie_word_embeddings", false);
  config.norm_epsilon = options.number("rms_norm_eps", architecture.epsilon);
  config.rope_theta = read_rope_theta(options, architecture);
  if (options.find("head_dim") != nullptr && options.whole("head_dim", 1) * config.heads != config.width) {
    options.refuse("head_dim", "hidden_size / num_attention_heads", kOnlyThis);
  }
  check_unsupported(options);
  check_sliding_window(options, architecture, config.context);
  check_quantization(options, architecture);
  check_foreign_model(model, where);
  return model;
}

std::string hugging_face_name(const std::string& parameter) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kNames = {{
      {"embedding", "model.embed_tokens"},
      {"final_norm", "model.norm"},
      {"head", "lm_head"},
      {"attention_norm", "input_layernorm"},
      {"attention_sub_norm", "self_attn.attn_sub_norm"},
      {"ffn_norm", "post_attention_layernorm"},
      {"ffn_sub_norm", "mlp.ffn_sub_norm"},
      {"attention.q", "self_attn.q_proj"},
      {"attention.k", "self_attn.k_proj"},
      {"attention.v", "self_attn.v_proj"},
      {"attention.o", "self_attn.o_proj"},
      {"ffn.gate", "mlp.gate_proj"},
      {"ffn.up", "mlp.up_proj"},
      {"ffn.down", "mlp.down_proj"},
  }};
  constexpr std::string_view kLayers = "layers.";
  // "layers.3.attention.q.weight" -> "model.layers.3." and "attention.q".
  std::string_view rest = parameter;
  rest.remove_suffix(std::string_view(".weight").size());
  std::string before;
  if (rest.starts_with(kLayers)) {
    const size_t end = rest.find('.', kLayers.size()) + 1;
    before = "model." + std::string(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  for (const auto& [own, foreign] : kNames) {
    if (rest == own) return before + std::string(foreign) + ".weight";
  }
  return before + std::string(rest) + ".weight";
}

}  // namespace bitnet
