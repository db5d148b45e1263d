#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace bitnet {

/// Cuts text at the matches of a regular expression, as pre-tokenizers of the Hugging Face library do: each match is a
/// piece, and so is the text between two matches. Calls from several threads are safe.
///
/// Patterns are those of Oniguruma, as far as both it and PCRE2 (which does the work) agree on them: characters,
/// `|`, groups `( )`, `(?: )`, `(?i: )`, `(?= )`, `(?! )`, character classes, greedy, lazy and possessive repetitions,
/// `\p{..}` and `\P{..}` with general categories, `\s`, `\S`, `\d`, `\r`, `\n`, `\t` and escaped punctuation. White
/// space is Unicode's. Bytes that are no UTF-8 belong to no match; each run of them is a piece.
class RegexSplitter {
 public:
  /// `where` names the file. Errors: DataError for a pattern with anything else, or a malformed one.
  RegexSplitter(std::string_view pattern, const std::string& where);
  ~RegexSplitter();
  RegexSplitter(RegexSplitter&&) noexcept;

  using Sink = std::function<void(std::string_view piece)>;
  /// Gives `text` to `sink`, piece by piece; none is empty. Errors: DataError where a match needs more memory than
  /// PCRE2 may take.
  void split(std::string_view text, const Sink& sink) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// GPT-2's pattern. Source: https://github.com/openai/gpt-2, src/encoder.py.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

}  // namespace bitnet
