#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "framework/config/experiment_config.h"
#include "framework/core/progress.h"

namespace bitnet {

/// Trains a BPE vocabulary of `config.vocab_size` pieces on `text` with the program `spm_train` (a process of its own:
/// the SentencePiece library can not be linked with LibTorch) and gives the bytes of its `.model` file. The same text
/// and options give the same bytes.
///
/// The vocabulary is made so that encoding and decoding give every text back: no normalization, no dummy prefix, spaces
/// kept, bytes as a last resort (a newline is the byte piece <0x0A>). The unknown piece is named <|unknown|>, because
/// spm_train leaves the names of special pieces out of the training text and WikiText contains <unk> as text. Pieces
/// may mix scripts and punctuation inside a word, so that such a frequent word becomes one piece. Errors: ConfigError
/// where spm_train is not installed, DataError where it fails, with its last lines.
std::string train_sentencepiece(std::string_view text, const TokenizerConfig& config);

/// The cached vocabulary of a text, trained when it is missing: cache_folder()/tokenizers/<digest>.model, where the
/// digest is of `text_sha256`, the options and the version of spm_train.
std::filesystem::path trained_sentencepiece(std::string_view text, const std::string& text_sha256,
                                            const TokenizerConfig& config, ProgressReporter& progress);

}  // namespace bitnet
