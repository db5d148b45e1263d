#include <system_error>

#include "framework/data/tokenizer.h"

namespace bitnet {

std::unique_ptr<Tokenizer> read_tokenizer(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    const std::filesystem::path model = path / "tokenizer.model";
    return std::filesystem::exists(model, error) ? read_sentencepiece(model) : read_tokenizer_json(path);
  }
  return path.extension() == ".json" ? read_tokenizer_json(path) : read_sentencepiece(path);
}

}  // namespace bitnet
