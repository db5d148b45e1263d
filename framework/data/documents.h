#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/experiment_config.h"

namespace bitnet {

/// Bytes of the white-space character that starts at byte `at` of a UTF-8 text, 0 where there is none. The characters
/// are those of `\s` in Python's re and of its str.strip.
size_t white_space_length(std::string_view text, size_t at);

/// The documents of a text, in order; their concatenation is the text, and an empty text has none.
/// - whole: the text is one document.
/// - blank_line: a document ends after the blank lines that follow it (lines of nothing but blanks and tabs); blank
///   lines before the first document belong to it.
/// - wikitext: a document is a page as in wikitext_pages, with the newline that separates it from the next one; blank
///   lines before the first page belong to it.
std::vector<std::string_view> split_documents(std::string_view text, DocumentSplit split);

/// The pages of a WikiText file exactly as lm-evaluation-harness scores them: a page starts at a line that is a heading
/// of the first level (" = Title = "), runs to the line before the next one, and keeps all its lines but not the
/// newline that separates it from the next page. Lines of a paragraph that happen to have the form of a heading, such
/// as " = 1 henry and capacitance C = ", start a page there too, and here. What stands before the first heading is a
/// page of its own unless it is blank; then it is dropped. The raw WikiText-2 test split gives 62 pages (of 60
/// articles) with 241,335 words (count_words) and 1,290,527 bytes. Lines end with "\n" alone. Source:
/// EleutherAI/wikitext_document_level, the data set behind lm-evaluation-harness' task `wikitext`.
std::vector<std::string_view> wikitext_pages(std::string_view text);

/// Undoes the WikiText tokenization as lm-evaluation-harness does before it scores a page. Words and bytes are counted
/// on the page as it was before this. Source: lm-evaluation-harness, lm_eval/tasks/wikitext/preprocess_wikitext.py,
/// wikitext_detokenizer.
std::string wikitext_detokenize(std::string_view page);

/// Words as lm-evaluation-harness counts them: one more than there are runs of white space (Unicode white space), as in
/// Python's `len(re.split(r"\s+", text))`. A text with white space at both ends thus counts two empty words.
int64_t count_words(std::string_view text);

}  // namespace bitnet
