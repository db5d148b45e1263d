#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "framework/config/experiment_config.h"
#include "framework/nn/decoder_lm.h"

namespace bitnet {

/// A model whose parameters lie somewhere else and are read one by one: in a file of this project, in another program's
/// checkpoint, in a DecoderLM. So it need not stand in memory twice while it is put into another form.
struct ModelSource {
  ModelConfig config;
  int64_t vocab_size = 0;
  std::map<std::string, std::string> metadata;  ///< what the source says about the model
  ParameterSource parameter;                    ///< keeps alive what it reads from
};

/// The parameters of `model`, shared, not copied; without metadata.
ModelSource source_of(const DecoderLM& model);

/// Reads the whole model. Errors: those of the source.
DecoderLM load_model(const ModelSource& source);

/// The name and the shape of a parameter.
struct ParameterShape {
  std::string name;
  std::vector<int64_t> shape;
};

/// The parameters of a model of this configuration, in the order of DecoderLM::parameters.
std::vector<ParameterShape> parameter_shapes(const ModelConfig& config, int64_t vocab_size);

/// SHA-256 over names, shapes and bytes of the parameters, in their order. Errors: those of the source.
std::string weights_sha256(const ModelSource& source);
std::string weights_sha256(const DecoderLM& model);

}  // namespace bitnet
