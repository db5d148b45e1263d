#include "framework/interop/checkpoint.h"

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "framework/core/error.h"
#include "framework/interop/hugging_face_config.h"
#include "framework/interop/llama2c.h"
#include "framework/interop/shard_index.h"

namespace bitnet {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWeights = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

/// Adds the tensors of one file, and under a tied tensor's other names, which the safetensors library notes in the
/// metadata, the same tensor again.
void add_file(const fs::path& path, Checkpoint& checkpoint) {
  MappedFile file(path);
  Safetensors content = read_safetensors(file.bytes(), path.string());
  for (const auto& [name, stored] : content.metadata) {
    const auto tensor = content.tensors.find(stored);
    if (tensor != content.tensors.end()) content.tensors.emplace(name, tensor->second);
  }
  for (auto& [name, view] : content.tensors) {
    if (!checkpoint.tensors.emplace(name, std::move(view)).second) {
      throw DataError(path.string() + ": tensor '" + name +
                      "' must be in one file of the checkpoint, but is in two. Fetch the checkpoint again.");
    }
  }
  checkpoint.files.push_back(std::move(file));
}

void add_shards(const fs::path& folder, Checkpoint& checkpoint) {
  const fs::path index = folder / kIndex;
  const std::map<std::string, std::string> file_of = parse_shard_index(read_file(index), index.string());
  std::set<std::string> names;
  for (const auto& [tensor, file] : file_of) names.insert(file);
  for (const std::string& name : names) {
    if (!is_there(folder / name)) {
      throw DataError(index.string() + ": the file '" + name +
                      "' must be in the same folder, but is missing. Fetch the rest of the checkpoint.");
    }
    std::set<std::string> before;
    for (const auto& [tensor, view] : checkpoint.tensors) before.insert(tensor);
    add_file(folder / name, checkpoint);
    for (const auto& [tensor, view] : checkpoint.tensors) {
      const auto entry = file_of.find(tensor);
      if (!before.contains(tensor) && (entry == file_of.end() || entry->second != name)) {
        throw DataError(index.string() + ": tensor '" + tensor + "' must be in " +
                        (entry == file_of.end() ? "no file" : entry->second) + ", but is in " + name +
                        ". Fetch the checkpoint again.");
      }
    }
  }
  for (const auto& [tensor, file] : file_of) {
    if (!checkpoint.tensors.contains(tensor)) {
      throw DataError(index.string() + ": tensor '" + tensor + "' must be in " + file +
                      ", but is missing. Fetch the checkpoint again.");
    }
  }
}

/// A tied checkpoint may hold the table under either name, or under both; then it must be the same.
void tie_head(const fs::path& folder, Checkpoint& checkpoint) {
  const std::string embedding = hugging_face_name("embedding.weight"), head = hugging_face_name("head.weight");
  const auto stored = checkpoint.tensors.find(head);
  if (!checkpoint.model.config.tied_head || stored == checkpoint.tensors.end()) return;
  const TensorView& other = checkpoint.tensors.emplace(embedding, stored->second).first->second;
  const TensorView& view = stored->second;
  if (view.dtype != other.dtype || view.shape != other.shape || !std::ranges::equal(view.bytes, other.bytes)) {
    throw DataError(folder.string() + ": tensor '" + head + "' must equal '" + embedding +
                    "' where tie_word_embeddings is true, but does not. Set it to false in config.json, or fetch the "
                    "checkpoint again.");
  }
  checkpoint.tensors.erase(stored);
}

Checkpoint open_hugging_face(const fs::path& folder) {
  Checkpoint checkpoint;
  checkpoint.name_of = hugging_face_name;
  const fs::path config = folder / "config.json";
  checkpoint.model = parse_hugging_face_config(read_file(config), config.string());
  if (is_there(folder / kWeights)) {
    add_file(folder / kWeights, checkpoint);
  } else if (is_there(folder / kIndex)) {
    add_shards(folder, checkpoint);
  } else {
    throw DataError(folder.string() + ": the folder must hold " + kWeights + " or " + kIndex +
                    ", but holds neither. Convert other files to safetensors first.");
  }
  tie_head(folder, checkpoint);
  // Tables of the rotary positions, which old versions of the transformers library stored.
  std::erase_if(checkpoint.tensors, [](const auto& tensor) { return tensor.first.ends_with(".rotary_emb.inv_freq"); });
  return checkpoint;
}

Checkpoint open_llama2c(const fs::path& path) {
  Checkpoint checkpoint;
  checkpoint.rope = RopeLayout::kAdjacentPairs;
  checkpoint.name_of = [](const std::string& parameter) { return parameter; };
  checkpoint.files.emplace_back(path);
  Llama2cFile file = parse_llama2c(checkpoint.files.front().bytes(), path.string());
  checkpoint.model = std::move(file.model);
  checkpoint.tensors = std::move(file.tensors);
  return checkpoint;
}

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

}  // namespace

bool is_checkpoint(const fs::path& path) {
  return is_folder(path) ? is_there(path / "config.json") : path.extension() == ".bin";
}

Checkpoint open_checkpoint(const fs::path& path) {
  if (is_checkpoint(path)) return is_folder(path) ? open_hugging_face(path) : open_llama2c(path);
  throw DataError(path.string() +
                  ": the checkpoint must be a folder with a config.json (Hugging Face) or a .bin file (llama2.c), but "
                  "is neither. Check the path.");
}

fs::path find_tokenizer(const fs::path& checkpoint) {
  const bool folder = is_folder(checkpoint);
  const fs::path place = folder ? checkpoint : checkpoint.parent_path();
  for (const char* name : {"tokenizer.model", "tokenizer.json"}) {
    if (is_there(place / name)) return place / name;
  }
  std::vector<fs::path> others;
  std::error_code error;
  for (fs::directory_iterator it(place.empty() ? "." : place, error), end; !folder && !error && it != end;
       it.increment(error)) {
    if (it->path().extension() == ".model") others.push_back(it->path());
  }
  if (others.size() == 1) return others.front();
  throw DataError(checkpoint.string() + ": the tokenizer must be " +
                  (folder ? "tokenizer.model or tokenizer.json in the folder"
                          : "tokenizer.model, tokenizer.json or the only .model file beside it") +
                  ", but " + (others.empty() ? "there is none" : "there are several") + ". Name it with --tokenizer.");
}

}  // namespace bitnet
