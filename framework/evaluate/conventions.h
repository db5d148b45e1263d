#pragma once

#include <cstdint>
#include <optional>
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

/// The rows of a text that are not blank, without their newlines. A row of white space alone is blank.
/// Source: `"".join(rows).split("\n")` without empty lines, where Hugging Face's `wikitext` dataset already gives blank
/// rows as empty text (BitNet's evaluation, eval_utils.py).
std::vector<std::string_view> text_lines(std::string_view text);

/// Lines packed into windows, and which lines each holds.
struct PackedWindow {
  ScoreRequest request;
  std::vector<size_t> lines;  ///< indices into the lines given
};

/// Windows that start with `bos` and take whole lines in their order as long as they fit into `length` tokens; lines
/// longer than `length` are left out. In each, all tokens but BOS are scored. As in the reference, a line of exactly
/// `length` tokens makes a window of `length + 1`, which is left out where it is the last one. Shapes: a line is its
/// ids and EOS. Source: BitNet b1.58's evaluation (1bitLLM), eval_utils.py, get_test_dataset.
std::vector<PackedWindow> packed_windows(std::span<const std::vector<int32_t>> lines, int32_t bos, int64_t length);

/// One window of a text that is read with overlap.
struct SlidingWindow {
  ScoreRequest request;
  int64_t begin = 0;   ///< position of the window's first token in the text
  int64_t weight = 0;  ///< what its mean loss counts for: the new tokens less one
};

/// Windows of at most `length` tokens that start `stride` apart and score only what no window before them held; the one
/// that reaches the end is the last. The guide weighs a window's mean loss with one token less than it is the mean of
/// (in the first window, whose first token has nothing before it, with exactly those); a last window with a single new
/// token has the weight zero and is left out. 2 <= stride <= length.
/// Source: Hugging Face, "Perplexity of fixed-length models" (transformers, docs/source/en/perplexity.md).
std::vector<SlidingWindow> sliding_windows(std::span<const int32_t> ids, int64_t length, int64_t stride);

/// fixed_windows of `length` >= 3 whose first token is overwritten by `bos` and that score only what follows their
/// first half: the targets length / 2 + 1 to length - 1, which are 255 of 512. Where `bos` is empty nothing is
/// overwritten. Source: llama.cpp, tools/perplexity/perplexity.cpp, perplexity(): first = n_ctx / 2, and the logits
/// first to n_ctx - 2 are scored.
std::vector<ScoreRequest> half_scored_windows(std::span<const int32_t> ids, std::optional<int32_t> bos, int64_t length);

/// UTF-8 bytes that each id of one encoded text stands for; a character may be split between ids. The sum is the length
/// of the decoded text. Shapes: ids [n] (no control ids) -> [n]. Errors: DataError where the tokenizer's pieces do not
/// add up to its decoded text.
std::vector<int64_t> token_bytes(const Tokenizer& tokenizer, std::span<const int32_t> ids);

}  // namespace bitnet
