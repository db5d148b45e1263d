#include "framework/data/file_dataset.h"

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"
#include "framework/core/utf8.h"
#include "framework/data/catalog.h"
#include "framework/data/documents.h"

namespace bitnet {
namespace {

constexpr std::array<const char*, 3> kSplitKeys = {"dataset.train", "dataset.validation", "dataset.test"};

// Position of the first byte that is no part of well-formed UTF-8, or npos.
size_t find_invalid_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_character_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

// The part of a catalog name before the last '/', empty for other names.
std::string collection(const std::string& name) {
  return find_catalog_entry(name) == nullptr ? "" : name.substr(0, name.rfind('/'));
}

class FileDataset final : public Dataset {
 public:
  FileDataset(const DatasetConfig& config, ProgressReporter& progress) : documents_(config.documents) {
    const std::array<std::string, 3> names = {config.train, config.validation, config.test};
    bool is_any_named = false;
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty()) continue;
      const std::string found = collection(names[i]);
      name_ = !is_any_named || found == name_ ? found : "";
      is_any_named = true;
      splits_[i].emplace(open(names[i], kSplitKeys[i], progress));
    }
    if (!is_any_named) {
      throw ConfigError(
          "dataset: train, validation or test must name a catalog entry or a text file, but all are empty."
          " Name one, or set source to tinyworld.");
    }
    if (name_.empty()) name_ = "files";
  }

  std::string_view text(DataSplit split) const override { return at(split).file.text(); }
  std::vector<std::string_view> documents(DataSplit split) const override {
    return split_documents(text(split), documents_);
  }
  std::string sha256(DataSplit split) const override { return at(split).sha256; }
  std::optional<EntropyFloor> floor(DataSplit) const override { return std::nullopt; }
  std::string name() const override { return name_; }

 private:
  struct Split {
    MappedFile file;
    std::string sha256;
  };

  const Split& at(DataSplit split) const {
    const auto& found = splits_[static_cast<size_t>(split)];
    if (found) return *found;
    throw ConfigError(std::string(kSplitKeys[static_cast<size_t>(split)]) +
                      ": the split must name a catalog entry or a text file where it is used, but is empty. Set it.");
  }

  static Split open(const std::string& name, const std::string& key, ProgressReporter& progress) {
    MappedFile file(find_data(name, key, progress));
    const std::string_view text = file.text();
    if (text.empty()) throw DataError(key + ": '" + name + "' must hold text, but is empty. Put the text there.");
    if (const size_t at = find_invalid_utf8(text); at != std::string_view::npos) {
      throw DataError(key + ": '" + name + "' must be UTF-8, but is not at byte " + std::to_string(at) +
                      ". Convert the file.");
    }
    std::string sha256 = sha256_hex(text);
    return {std::move(file), std::move(sha256)};
  }

  DocumentSplit documents_;
  std::array<std::optional<Split>, 3> splits_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Dataset> open_file_dataset(const DatasetConfig& config, ProgressReporter& progress) {
  return std::make_unique<FileDataset>(config, progress);
}

}  // namespace bitnet
