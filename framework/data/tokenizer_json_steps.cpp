#include "framework/data/tokenizer_json_steps.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "framework/core/utf8.h"
#include "framework/data/regex_splitter.h"
#include "framework/data/tokenizer_json_fields.h"

namespace bitnet {
namespace {

using nlohmann::json;

constexpr char kMetaspaceMark[] = "\xE2\x96\x81";  // U+2581

// Text may become this many times longer, or by this many bytes, and no more: a damaged file must not fill the memory.
constexpr size_t kMostGrowth = 64;

// The growth of all replacements so far, with one more. Errors: DataError where it is too large.
size_t grown(size_t growth, const JsonObject& step, const std::string& from, const std::string& to) {
  growth *= std::max<size_t>(1, (to.size() + from.size() - 1) / from.size());
  if (growth > kMostGrowth) {
    step.fail_unsupported("content", "of a length that makes text at most 64 times longer", "longer");
  }
  return growth;
}

// Calls `read` with every step of a part, in order; a Sequence holds steps under the name `list`.
template <typename Read>
void for_each_step(const json& value, const std::string& place, const std::string& list, const Read& read) {
  const JsonObject step(value, place);
  if (step.text("type") != "Sequence") return read(step);
  step.allow_only({"type", list});
  const json& steps = step.at(list);
  if (!steps.is_array()) step.fail(list, "a list", describe_json(steps));
  for (size_t i = 0; i < steps.size(); ++i) {
    for_each_step(steps[i], place + "." + list + "[" + std::to_string(i) + "]", list, read);
  }
}

// The text of {"String": text}; a regular expression is refused.
std::string string_pattern(const JsonObject& step) {
  const JsonObject pattern(step.at("pattern"), step.place() + ".pattern");
  pattern.allow_only({"String"});
  const std::string text = pattern.text("String");
  if (text.empty()) pattern.fail("String", "a text", "empty");
  return text;
}

// One character, as text.
std::string character(const JsonObject& step, const std::string& name, const std::string& otherwise) {
  const std::string text = step.text_or(name, otherwise);
  if (text.empty() || utf8_character_length(text, 0) != text.size()) {
    step.fail(name, "one character", describe_json(json(text)));
  }
  return text;
}

PreTokenizerStep split_step(const JsonObject& step) {
  step.allow_only({"type", "pattern", "behavior", "invert"});
  const JsonObject pattern(step.at("pattern"), step.place() + ".pattern");
  pattern.allow_only({"Regex"});
  if (const std::string behavior = step.text("behavior"); behavior != "Isolated") {
    step.fail_unsupported("behavior", "'Isolated'", "'" + behavior + "'");
  }
  if (step.flag_or("invert", false)) step.fail_unsupported("invert", "false", "true");
  PreTokenizerStep result;
  result.kind = PreTokenizerStep::Kind::kSplit;
  result.pattern = pattern.text("Regex");
  return result;
}

PreTokenizerStep byte_level_step(const JsonObject& step) {
  step.allow_only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  PreTokenizerStep result;
  result.kind = PreTokenizerStep::Kind::kByteLevel;
  result.add_prefix_space = step.flag_or("add_prefix_space", true);
  if (step.flag_or("use_regex", true)) result.pattern = kGpt2Pattern;
  return result;
}

// Older files say add_prefix_space where later ones say prepend_scheme.
PreTokenizerStep::Prepend prepend_of(const JsonObject& step) {
  using Prepend = PreTokenizerStep::Prepend;
  const bool add_prefix_space = step.flag_or("add_prefix_space", true);
  const std::string scheme = step.text_or("prepend_scheme", add_prefix_space ? "always" : "never");
  if (!add_prefix_space && scheme != "never") step.fail("prepend_scheme", "'never'", "'" + scheme + "'");
  if (scheme == "always") return Prepend::kAlways;
  if (scheme == "first") return Prepend::kFirst;
  if (scheme == "never") return Prepend::kNever;
  step.fail_unsupported("prepend_scheme", "'always', 'first' or 'never'", "'" + scheme + "'");
}

void allow_only_metaspace_fields(const JsonObject& step) {
  step.allow_only({"type", "replacement", "str_rep", "add_prefix_space", "prepend_scheme", "split"});
}

PreTokenizerStep metaspace_step(const JsonObject& step) {
  allow_only_metaspace_fields(step);
  PreTokenizerStep result;
  result.kind = PreTokenizerStep::Kind::kMetaspace;
  result.mark = character(step, "replacement", kMetaspaceMark);
  result.prepend = prepend_of(step);
  result.cut_before_mark = step.flag_or("split", true);
  return result;
}

DecoderStep strip_step(const JsonObject& step) {
  step.allow_only({"type", "content", "start", "stop"});
  DecoderStep result;
  result.kind = DecoderStep::Kind::kStrip;
  result.from = character(step, "content", "");
  result.at_start = step.number_or("start", 0);
  result.at_end = step.number_or("stop", 0);
  return result;
}

}  // namespace

std::vector<NormalizerStep> read_normalizer(const json* value, const std::string& place) {
  std::vector<NormalizerStep> steps;
  size_t growth = 1;
  if (value == nullptr) return steps;
  for_each_step(*value, place, "normalizers", [&](const JsonObject& step) {
    const std::string type = step.text("type");
    if (type == "Prepend") {
      step.allow_only({"type", "prepend"});
      steps.push_back({NormalizerStep::Kind::kPrepend, "", step.text("prepend")});
      if (steps.back().to.size() > kMostGrowth) {
        step.fail_unsupported("prepend", "of at most 64 bytes", "longer");
      }
    } else if (type == "Replace") {
      step.allow_only({"type", "pattern", "content"});
      steps.push_back({NormalizerStep::Kind::kReplace, string_pattern(step), step.text("content")});
      growth = grown(growth, step, steps.back().from, steps.back().to);
    } else {
      step.fail_unsupported("type", "'Prepend', 'Replace' or 'Sequence'", "'" + type + "'");
    }
  });
  return steps;
}

std::vector<PreTokenizerStep> read_pre_tokenizer(const json* value, const std::string& place) {
  std::vector<PreTokenizerStep> steps;
  if (value == nullptr) return steps;
  for_each_step(*value, place, "pretokenizers", [&](const JsonObject& step) {
    if (!steps.empty() && steps.back().kind == PreTokenizerStep::Kind::kByteLevel) {
      step.fail_unsupported("the step before", "of another type, since bytes come last", "'ByteLevel'");
    }
    const std::string type = step.text("type");
    if (type == "Split") {
      steps.push_back(split_step(step));
    } else if (type == "ByteLevel") {
      steps.push_back(byte_level_step(step));
    } else if (type == "Metaspace") {
      steps.push_back(metaspace_step(step));
    } else {
      step.fail_unsupported("type", "'Split', 'ByteLevel', 'Metaspace' or 'Sequence'", "'" + type + "'");
    }
  });
  return steps;
}

std::vector<DecoderStep> read_decoder(const json* value, const std::string& place) {
  std::vector<DecoderStep> steps;
  bool is_fused = false;
  size_t growth = 1;
  for_each_step(value == nullptr ? json() : *value, place, "decoders", [&](const JsonObject& step) {
    const std::string type = step.text("type");
    DecoderStep result;
    if (type == "Strip") {
      if (!is_fused) step.fail_unsupported("the steps before", "'Fuse' or 'ByteLevel'", "others");
      steps.push_back(strip_step(step));
      return;
    }
    if (is_fused) step.fail_unsupported("type", "'Strip', after the pieces are joined", "'" + type + "'");
    if (type == "Fuse") {
      step.allow_only({"type"});
      is_fused = true;
      return;
    }
    if (type == "Replace") {
      step.allow_only({"type", "pattern", "content"});
      result.kind = DecoderStep::Kind::kReplace;
      result.from = string_pattern(step);
      result.to = step.text("content");
      growth = grown(growth, step, result.from, result.to);
    } else if (type == "ByteFallback") {
      step.allow_only({"type"});
      result.kind = DecoderStep::Kind::kByteFallback;
    } else if (type == "ByteLevel") {
      step.allow_only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
      result.kind = DecoderStep::Kind::kByteLevel;
      is_fused = true;
    } else if (type == "Metaspace") {
      allow_only_metaspace_fields(step);
      result.kind = DecoderStep::Kind::kMetaspace;
      result.from = character(step, "replacement", kMetaspaceMark);
      result.drops_at_start = prepend_of(step) != PreTokenizerStep::Prepend::kNever;
    } else {
      step.fail_unsupported("type", "a known decoder", "'" + type + "'");
    }
    steps.push_back(result);
  });
  return steps;
}

}  // namespace bitnet
