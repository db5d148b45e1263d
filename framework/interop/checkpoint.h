#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "framework/core/file.h"
#include "framework/core/safetensors.h"
#include "framework/interop/foreign_model.h"

namespace bitnet {

/// How the rows of q and k stand in a checkpoint: which elements of a head the rotary positions turn together.
enum class RopeLayout {
  kHalfSplit,      ///< i and i + half (Hugging Face, and this project)
  kAdjacentPairs,  ///< 2i and 2i + 1 (llama2.c, and Meta's own files)
};

/// Another program's checkpoint, mapped, and checked as far as it can be without looking at the weights.
struct Checkpoint {
  ForeignModel model;
  RopeLayout rope = RopeLayout::kHalfSplit;
  std::vector<MappedFile> files;
  std::map<std::string, TensorView> tensors;                       ///< by name of the checkpoint
  std::string (*name_of)(const std::string& parameter) = nullptr;  ///< the name there of a parameter of DecoderLM
};

/// Whether a path names what open_checkpoint reads: a folder with a config.json, or a .bin file.
bool is_checkpoint(const std::filesystem::path& path);

/// Opens a Hugging Face folder (config.json beside model.safetensors or the shards of its index) or a llama2.c .bin.
/// Errors: DataError for a damaged file, a missing one, or an unsupported option.
Checkpoint open_checkpoint(const std::filesystem::path& path);

/// The file with the tokenizer of a checkpoint: tokenizer.model or else tokenizer.json in a Hugging Face folder, or
/// beside a .bin; beside that also the only other file that ends in .model. Errors: DataError where there is none, or
/// no single one.
std::filesystem::path find_tokenizer(const std::filesystem::path& checkpoint);

}  // namespace bitnet
