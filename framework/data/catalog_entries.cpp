#include "framework/data/catalog_entries.h"

#include <utility>

namespace bitnet {
namespace {

constexpr const char* kWikitextLicense = "CC BY-SA 3.0 and GFDL";

const CatalogArchive& wikitext_raw_archive() {
  static const CatalogArchive archive = {
      "wikitext-2-raw-v1.zip",
      4721645,
      "ef7edb566e3e2b2d31b29c1fdb0c89a4cc683597484c3dc2517919c615435a11",
      {"https://wikitext.smerity.com/wikitext-2-raw-v1.zip",
       "https://huggingface.co/datasets/ggml-org/ci/resolve/927b3642933080f1b0e811e2f916e14c292992f9/"
       "wikitext-2-raw-v1.zip"}};
  return archive;
}

std::vector<CatalogEntry> text_entries() {
  return {
      {"wikitext-2/train",
       "WikiText-2, training split, tokenized form with <unk>, complete (the order of its articles is approximate)",
       kWikitextLicense,
       10797148,
       "b742c23a32fa8accbe08c3d6a73d79f4525733356a6f0b95294e0884bdaf6f7a",
       "wikitext-2/train.reordered.txt",
       {},
       nullptr,
       ""},
      {"wikitext-2/validation",
       "WikiText-2, validation split, tokenized form with <unk>",
       kWikitextLicense,
       1121681,
       "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8",
       "wikitext-2/valid.txt",
       {"https://raw.githubusercontent.com/pytorch/examples/77f55b912142e11fcfdf5b530231fb9c52f181e8/"
        "word_language_model/data/wikitext-2/valid.txt"},
       nullptr,
       ""},
      {"wikitext-2/test",
       "WikiText-2, test split, tokenized form with <unk>",
       kWikitextLicense,
       1256449,
       "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0",
       "wikitext-2/test.txt",
       {"https://raw.githubusercontent.com/pytorch/examples/77f55b912142e11fcfdf5b530231fb9c52f181e8/"
        "word_language_model/data/wikitext-2/test.txt"},
       nullptr,
       ""},
      {"wikitext-2-raw/train",
       "WikiText-2, training split, raw form",
       kWikitextLicense,
       10940747,
       "6707892fa3788b5ab9ed78ab5ff37d9fe825f6011a2ad4fcd6a6d467f0e7da57",
       "wikitext-2-raw/wiki.train.raw",
       {},
       &wikitext_raw_archive(),
       "wikitext-2-raw/wiki.train.raw"},
      {"wikitext-2-raw/validation",
       "WikiText-2, validation split, raw form",
       kWikitextLicense,
       1146846,
       "4cd0f6876d07a413aa911261ff6d363c72d757d47f0fdd6015702014c89cb9c7",
       "wikitext-2-raw/wiki.valid.raw",
       {},
       &wikitext_raw_archive(),
       "wikitext-2-raw/wiki.valid.raw"},
      {"wikitext-2-raw/test",
       "WikiText-2, test split, raw form",
       kWikitextLicense,
       1290590,
       "173c87a53759e0201f33e0ccf978e510c2042d7f2cb78229d9a50d79b9e7dd08",
       "wikitext-2-raw/wiki.test.raw",
       {},
       &wikitext_raw_archive(),
       "wikitext-2-raw/wiki.test.raw"},
      {"llama2/tokenizer.model",
       "Llama 2 tokenizer, SentencePiece BPE, 32,000 pieces",
       "Llama 2 tokenizer (Meta)",
       499723,
       "9e556afd44213b6bd1be2b850ebbbd98f5481437a8021afaf58ee7fb1818d347",
       "tokenizers/llama2/tokenizer.model",
       {"https://raw.githubusercontent.com/karpathy/llama2.c/350e04fe35433e6d2941dce5a1f53308f87058eb/"
        "tokenizer.model"},
       nullptr,
       ""},
  };
}

}  // namespace

void add_catalog_folder(std::vector<CatalogEntry>& entries, const std::string& folder, const std::string& description,
                        const std::string& license, const std::string& address,
                        std::initializer_list<CatalogFile> files) {
  for (const CatalogFile& file : files) {
    CatalogEntry entry;
    entry.name = folder + "/" + file.name;
    entry.description = *file.description != '\0' ? file.description : description;
    entry.license = license;
    entry.bytes = file.bytes;
    entry.sha256 = file.sha256;
    entry.mirror_path = file.mirror_path;
    entry.urls = {address + file.source};
    entries.push_back(std::move(entry));
  }
}

std::span<const CatalogEntry> catalog() {
  static const std::vector<CatalogEntry> entries = [] {
    std::vector<CatalogEntry> all = text_entries();
    add_benchmark_entries(all);
    add_model_entries(all);
    return all;
  }();
  return entries;
}

}  // namespace bitnet
