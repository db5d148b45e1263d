#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/data/tokenizer.h"
#include "framework/nn/scorer.h"

// How a text becomes sequences to score. Pure functions, held to hand-computed values by the tests.

namespace bitnet {

/// The rows of a text joined by two newlines. A row is a line with its newline; a line of white space alone becomes an
/// empty row. So one newline of the text becomes three, and a blank line two.
/// Source: rows as Hugging Face's `wikitext` dataset gives them; joined as in GPTQ (Frantar et al. 2022), datautils.py.
std::string join_rows(std::string_view text);

/// floor(ids / length) windows of `length` tokens without overlap; what is left at the end is dropped. In each, all
/// tokens but the first are scored. Source: GPTQ (Frantar et al. 2022), the evaluation of opt.py and llama.py.
std::vector<ScoreRequest> fixed_windows(std::span<const int32_t> ids, int64_t length);

/// Windows that score every id exactly once: the first predicts up to `length` ids from `prefix` on; each later one
/// predicts the next `length` ids, the last the remaining ones with as many ids before them as fit into `length`
/// inputs. Source: lm-evaluation-harness, get_rolling_token_windows(context_len=1) and make_disjoint_window.
std::vector<ScoreRequest> rolling_windows(std::span<const int32_t> ids, int32_t prefix, int64_t length);

/// UTF-8 bytes that each id of one encoded text stands for; a character may be split between ids. The sum is the length
/// of the decoded text. Shapes: ids [n] (no control ids) -> [n]. Errors: DataError where the tokenizer's pieces do not
/// add up to its decoded text.
std::vector<int64_t> token_bytes(const Tokenizer& tokenizer, std::span<const int32_t> ids);

}  // namespace bitnet
