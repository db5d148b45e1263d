#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/core/sha256.h"
#include "framework/data/token_windows.h"
#include "framework/data/tokenizer.h"
#include "framework/nn/decoder_lm.h"
#include "tests/framework/core/temporary_folder.h"

// What the tests of training share: a text small enough to be learned in seconds, and a model for it.

namespace bitnet::testing {

/// A text as windows of byte ids.
class TextWindows {
 public:
  TextWindows(const std::string& text, int64_t length) {
    const auto tokenizer = make_byte_tokenizer();
    write_token_file(folder_ / "text.tokens", tokenizer->encode(text), *tokenizer, sha256_hex(text));
    file_ = std::make_unique<TokenFile>(folder_ / "text.tokens", *tokenizer, sha256_hex(text));
    windows_ = std::make_unique<TokenWindows>(*file_, length);
  }
  const TokenWindows& windows() const { return *windows_; }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<TokenFile> file_;
  std::unique_ptr<TokenWindows> windows_;
};

inline constexpr int64_t kTextVocab = 258;
inline constexpr int64_t kTextContext = 16;

/// `windows` windows of kTextContext bytes of a repeated sentence.
inline std::string repeated_text(int64_t windows) {
  const std::string sentence = "The cat sat on the mat; the dog did not. ";
  std::string text;
  while (static_cast<int64_t>(text.size()) < windows * kTextContext + 1) text += sentence;
  return text.substr(0, static_cast<size_t>(windows * kTextContext + 1));
}

inline ModelConfig text_model_config(LinearKind linear) {
  ModelConfig config;
  config.linear = linear;
  config.width = 24;
  config.layers = 2;
  config.heads = 2;
  config.kv_heads = 1;
  config.ffn_width = 40;
  config.context = kTextContext;
  config.tied_head = false;
  config.init_std = 0.05;
  return config;
}

inline DecoderLM text_model(LinearKind linear, int64_t seed = 1) {
  return DecoderLM(text_model_config(linear), kTextVocab, seed, linear_factory(linear));
}

}  // namespace bitnet::testing
