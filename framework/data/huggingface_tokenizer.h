#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "framework/data/tokenizer.h"
#include "framework/data/tokenizer_json.h"

namespace bitnet {

/// The tokenizer that a file describes. `contents` is what the fingerprint covers beside BOS and EOS; `where` names the
/// file in errors. Errors: DataError for a regular expression that is not supported.
std::unique_ptr<Tokenizer> make_huggingface_tokenizer(TokenizerFile file, std::string_view contents,
                                                      const std::string& where);

}  // namespace bitnet
