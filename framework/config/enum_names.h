#pragma once

#include <array>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "framework/config/experiment_config.h"

namespace bitnet {

/// The YAML spellings of an enum's values, in the order of the enum.
template <typename Enum>
struct EnumNames;

template <>
struct EnumNames<DatasetSource> {
  static constexpr std::array kNames = {std::pair(std::string_view("tinyworld"), DatasetSource::kTinyworld),
                                        std::pair(std::string_view("files"), DatasetSource::kFiles)};
};

template <>
struct EnumNames<DocumentSplit> {
  static constexpr std::array kNames = {std::pair(std::string_view("whole"), DocumentSplit::kWhole),
                                        std::pair(std::string_view("wikitext"), DocumentSplit::kWikitext),
                                        std::pair(std::string_view("blank_line"), DocumentSplit::kBlankLine)};
};

template <>
struct EnumNames<TokenizerKind> {
  static constexpr std::array kNames = {std::pair(std::string_view("byte"), TokenizerKind::kByte),
                                        std::pair(std::string_view("sentencepiece"), TokenizerKind::kSentencepiece),
                                        std::pair(std::string_view("huggingface"), TokenizerKind::kHuggingface)};
};

template <>
struct EnumNames<LinearKind> {
  static constexpr std::array kNames = {std::pair(std::string_view("float"), LinearKind::kFloat),
                                        std::pair(std::string_view("bitnet"), LinearKind::kBitnet)};
};

template <>
struct EnumNames<NormPlacement> {
  static constexpr std::array kNames = {std::pair(std::string_view("llama"), NormPlacement::kLlama),
                                        std::pair(std::string_view("bitnet"), NormPlacement::kBitnet),
                                        std::pair(std::string_view("tips"), NormPlacement::kTips)};
};

template <>
struct EnumNames<Activation> {
  static constexpr std::array kNames = {std::pair(std::string_view("silu"), Activation::kSilu),
                                        std::pair(std::string_view("relu2"), Activation::kRelu2)};
};

template <>
struct EnumNames<HeadFormat> {
  static constexpr std::array kNames = {std::pair(std::string_view("float32"), HeadFormat::kFloat32),
                                        std::pair(std::string_view("bfloat16"), HeadFormat::kBfloat16),
                                        std::pair(std::string_view("int8"), HeadFormat::kInt8)};
};

template <>
struct EnumNames<MissingCheckpoint> {
  static constexpr std::array kNames = {
      std::pair(std::string_view("error"), MissingCheckpoint::kError),
      std::pair(std::string_view("random_weights"), MissingCheckpoint::kRandomWeights)};
};

template <>
struct EnumNames<ScheduleKind> {
  static constexpr std::array kNames = {std::pair(std::string_view("constant"), ScheduleKind::kConstant),
                                        std::pair(std::string_view("linear"), ScheduleKind::kLinear),
                                        std::pair(std::string_view("cosine"), ScheduleKind::kCosine),
                                        std::pair(std::string_view("two_stage"), ScheduleKind::kTwoStage)};
};

template <>
struct EnumNames<EvaluatorKind> {
  static constexpr std::array kNames = {std::pair(std::string_view("perplexity"), EvaluatorKind::kPerplexity),
                                        std::pair(std::string_view("multiple_choice"), EvaluatorKind::kMultipleChoice),
                                        std::pair(std::string_view("code"), EvaluatorKind::kCode),
                                        std::pair(std::string_view("efficiency"), EvaluatorKind::kEfficiency)};
};

template <>
struct EnumNames<PerplexityConvention> {
  static constexpr std::array kNames = {std::pair(std::string_view("windows"), PerplexityConvention::kWindows),
                                        std::pair(std::string_view("word"), PerplexityConvention::kWord),
                                        std::pair(std::string_view("bitnet"), PerplexityConvention::kBitnet),
                                        std::pair(std::string_view("sliding"), PerplexityConvention::kSliding),
                                        std::pair(std::string_view("chunks"), PerplexityConvention::kChunks)};
};

template <>
struct EnumNames<DataSplit> {
  static constexpr std::array kNames = {std::pair(std::string_view("train"), DataSplit::kTrain),
                                        std::pair(std::string_view("validation"), DataSplit::kValidation),
                                        std::pair(std::string_view("test"), DataSplit::kTest)};
};

template <>
struct EnumNames<PerplexityText> {
  static constexpr std::array kNames = {std::pair(std::string_view("rows_joined"), PerplexityText::kRowsJoined),
                                        std::pair(std::string_view("stored"), PerplexityText::kStored)};
};

template <typename Enum>
std::string_view enum_name(Enum value) {
  for (const auto& [name, candidate] : EnumNames<Enum>::kNames) {
    if (candidate == value) return name;
  }
  return "";
}

template <typename Enum>
std::vector<std::string_view> enum_names() {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : EnumNames<Enum>::kNames) names.push_back(name);
  return names;
}

}  // namespace bitnet
