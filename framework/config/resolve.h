#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/experiment_config.h"

namespace bitnet {

/// An experiment after composing blocks, overriding and checking.
struct ResolvedExperiment {
  ExperimentConfig config;
  std::string canonical_text;  ///< YAML, every default written out, only what identifies the run; reads back to itself
  std::string hash;            ///< SHA-256 of canonical_text, 64 hexadecimal digits
  std::string full_text;       ///< the same with the fields that are not part of the identity
  std::vector<std::string> overridden;  ///< dotted paths that differ from the composed blocks, for the report
};

/// Reads an experiment file, composes its blocks from `configs_folder` (by default `configs/` beside or above the
/// experiment file, else at or above the current folder), applies `overrides` ("a.b=c", in order, last) and checks
/// everything.
/// Errors: ConfigError with all mistakes at once, sorted, each as
/// `file:line:column: path must be X, but is Y. Did you mean 'z'?`
/// A mistake hides those rules over several keys alone that need what it leaves unknown.
ResolvedExperiment resolve_experiment(const std::filesystem::path& file, const std::vector<std::string>& overrides = {},
                                      const std::filesystem::path& configs_folder = {});

/// Reads a text that `canonical_text` or `full_text` gave before (a run folder, a checkpoint), with `overrides` put
/// over it as resolve_experiment does. `where` names it in errors.
ResolvedExperiment resolve_text(std::string_view text, std::string_view where,
                                const std::vector<std::string>& overrides = {});

/// Reads one evaluator block by name from `configs_folder` ("evaluator/NAME.yaml"), for `bitnet evaluate --evaluator
/// NAME`.
EvaluatorConfig resolve_evaluator(const std::string& name, const std::filesystem::path& configs_folder = {});

/// Reads one dataset block by name from `configs_folder` ("dataset/NAME.yaml"), for `bitnet evaluate --dataset NAME`.
DatasetConfig resolve_dataset(const std::string& name, const std::filesystem::path& configs_folder = {});

/// Reads one model block by name from `configs_folder` ("model/NAME.yaml"), for `bitnet bench NAME`.
ModelConfig resolve_model(const std::string& name, const std::filesystem::path& configs_folder = {});

/// The canonical one-section text of a model, for example to store with a checkpoint, and back.
std::string model_text(const ModelConfig& config);
ModelConfig read_model_text(std::string_view text, std::string_view where);

/// The reference page of all sections, keys, types, ranges, defaults and help, in Markdown: configs/REFERENCE.md.
std::string reference_page();

/// The enumerator's YAML spelling, for example "silu".
std::string_view yaml_name(LinearKind value);
std::string_view yaml_name(NormPlacement value);
std::string_view yaml_name(Activation value);
std::string_view yaml_name(DataSplit value);

}  // namespace bitnet
