#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "framework/infer/served_model.h"

namespace bitnet {

/// A packed model read from a file, with what the file says about it.
struct LoadedArtifact {
  ServedModel model;
  std::map<std::string, std::string> metadata;
};

/// Whether a path names an artifact: it ends in `.bnet`.
bool is_artifact(const std::filesystem::path& path);

/// Writes a packed model as one file, atomically: a tensor file (framework/core/tensor_file.h) with the model's
/// configuration, packed layers (ops/README.md, each with its own header and checksum), tables, norms, `metadata`
/// (tokenizer fingerprint and so on) and a digest of everything. The same model gives the same bytes on every machine.
/// Errors: std::invalid_argument for a model that is not packed; DataError where the file can not be written.
void write_artifact(const std::filesystem::path& path, const ServedModel& model,
                    std::map<std::string, std::string> metadata);

/// Maps such a file, checks every byte, and puts the weights into memory of large pages.
/// Errors: DataError that names the file, what is wrong and what to do.
LoadedArtifact read_artifact(const std::filesystem::path& path);

}  // namespace bitnet
