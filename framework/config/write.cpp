#include "framework/config/write.h"

#include "framework/config/resolve.h"

namespace bitnet {

std::string experiment_text(const ExperimentConfig& config, bool full) {
  std::string text = section_text(config, full);
  text += "evaluators:\n";
  for (const NamedEvaluator& evaluator : config.evaluators) {
    text += "  " + evaluator.name + ":\n" + section_text(evaluator.config, full, "    ");
  }
  text += "variants:\n";
  for (const VariantConfig& variant : config.variants) {
    text += "  " + variant.name + ":\n";
    text += "    model:\n" + section_text(variant.model, full, "      ");
    text += "    optimizer:\n" + section_text(variant.optimizer, full, "      ");
    text += "    start:\n" + section_text(variant.start, full, "      ");
  }
  return text;
}

std::string model_text(const ModelConfig& config) { return section_text(config, /*full=*/false); }

std::string_view yaml_name(LinearKind value) { return enum_name(value); }
std::string_view yaml_name(NormPlacement value) { return enum_name(value); }
std::string_view yaml_name(Activation value) { return enum_name(value); }
std::string_view yaml_name(DataSplit value) { return enum_name(value); }

}  // namespace bitnet
