#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitnet {

/// Text to token ids and back. Immutable; calls from several threads are safe.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  /// Ids of `text`, without BOS or EOS.
  virtual std::vector<int32_t> encode(std::string_view text) const = 0;
  /// Bytes of `ids`; control ids (BOS, EOS) give nothing. encode then decode gives the text back, except what the
  /// normalizer of a foreign SentencePiece model changes.
  /// Errors: DataError for an id outside [0, vocab_size).
  virtual std::string decode(std::span<const int32_t> ids) const = 0;
  virtual int64_t vocab_size() const = 0;
  virtual int32_t bos_id() const = 0;
  virtual int32_t eos_id() const = 0;
  /// SHA-256 that identifies everything the ids depend on.
  virtual std::string fingerprint() const = 0;
  /// Short name for reports, for example "byte" or "sentencepiece-4096".
  virtual std::string name() const = 0;
};

/// Ids 0..255 are the bytes, 256 BOS, 257 EOS.
std::unique_ptr<Tokenizer> make_byte_tokenizer();

/// Reads a SentencePiece BPE `.model` file (protobuf ModelProto). Equals `spm_encode` id for id, character maps
/// (nmt_nfkc) and user-defined symbols included.
///
/// Where the model normalizes nothing (no character map, no dummy prefix, no spaces removed, byte fallback: the
/// vocabularies trained here), every text survives encode and decode: U+2581 in the text, and bytes that are no UTF-8,
/// go to byte pieces, where spm_encode makes them a space and U+FFFD. Other models lose what their normalizer loses;
/// decode takes the dummy prefix off the start again, and gives byte pieces as raw bytes. Errors: DataError where the
/// file is damaged, of another model type (unigram), or without BOS and EOS, named.
std::unique_ptr<Tokenizer> read_sentencepiece(const std::filesystem::path& path);

/// Reads a Hugging Face `tokenizer.json`: byte-fallback BPE as of LLaMA, or byte-level BPE as of GPT-2 and Llama 3. A
/// `tokenizer_config.json` beside it, where there is one, may name BOS and EOS. Where the path is a folder, its
/// `tokenizer.json` is read, or else GPT-2's own form, `encoder.json` with `vocab.bpe`.
///
/// Ids equal those of `encode(text, add_special_tokens=False)` of the tokenizers library, for text that is UTF-8: an
/// added token found in the text becomes its id, also a special one. Errors: DataError where a file is damaged, holds
/// something that would change ids and is not supported (named), or names no EOS.
/// Source: https://github.com/huggingface/tokenizers.
std::unique_ptr<Tokenizer> read_tokenizer_json(const std::filesystem::path& path);

/// Reads a tokenizer by its kind: a name that ends in .json is a tokenizer.json, any other file a SentencePiece model;
/// of a folder its tokenizer.model, or else what read_tokenizer_json finds there. Errors: those of the readers.
std::unique_ptr<Tokenizer> read_tokenizer(const std::filesystem::path& path);

}  // namespace bitnet
