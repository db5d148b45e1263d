#include "framework/data/documents.h"

#include <array>
#include <cstddef>

namespace bitnet {
namespace {

std::string_view strip(std::string_view text) {
  size_t begin = 0;
  while (const size_t length = white_space_length(text, begin)) begin += length;
  size_t end = begin;
  for (size_t i = begin; i < text.size();) {
    const size_t length = white_space_length(text, i);
    i += length == 0 ? 1 : length;
    if (length == 0) end = i;
  }
  return text.substr(begin, end - begin);
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::string result;
  size_t begin = 0;
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, begin)) {
    result.append(text, begin, at - begin).append(to);
    begin = at + from.size();
  }
  result.append(text, begin);
  text = std::move(result);
}

// Strips the inside of each `open ... close` pair: the first `close` after an `open` ends the pair.
void strip_inside(std::string& text, char open, char close) {
  std::string result;
  size_t begin = 0;
  for (size_t at = text.find(open); at != std::string::npos; at = text.find(open, begin)) {
    const size_t end = text.find(close, at + 1);
    if (end == std::string::npos) break;
    result.append(text, begin, at + 1 - begin);
    result.append(strip(std::string_view(text).substr(at + 1, end - at - 1))).push_back(close);
    begin = end + 1;
  }
  result.append(text, begin);
  text = std::move(result);
}

// The tool replaces "/' 5/" by the characters of its own pattern, "/'[0-9]/".
void replace_slashed_digit(std::string& text) {
  constexpr std::string_view kBegin = "/' ";
  constexpr std::string_view kReplacement = "/'[0-9]/";
  for (size_t at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin, at + 1)) {
    const size_t digit = at + kBegin.size();
    if (digit + 1 >= text.size() || text[digit] < '0' || text[digit] > '9' || text[digit + 1] != '/') continue;
    text.replace(at, kBegin.size() + 2, kReplacement);
    at += kReplacement.size() - 1;
  }
}

// "= Title =" once its ends are stripped; "= = Section = =" and deeper are not.
bool is_page_title(std::string_view line) {
  line = strip(line);
  if (line.size() < 2) return false;
  // The tool first writes "= =" as "==", so that a deeper heading no longer starts with "= ".
  std::string joined(line);
  replace_all(joined, "= = =", "===");
  replace_all(joined, "= =", "==");
  return joined.starts_with("= ") && joined.ends_with(" =");
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

// Calls visit(begin, end) for each line; [begin, end) is without its newline. A text that ends with a newline has, as
// in Python's split("\n"), an empty last line.
template <typename Visit>
void for_each_line(std::string_view text, const Visit& visit) {
  size_t begin = 0;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', begin)) {
    visit(begin, end);
    begin = end + 1;
  }
  visit(begin, text.size());
}

// Where the pages start: 0 for what stands before the first title unless it is blank.
std::vector<size_t> page_begins(std::string_view text) {
  std::vector<size_t> begins = {0};
  for_each_line(text, [&](size_t begin, size_t end) {
    if (!is_page_title(text.substr(begin, end - begin))) return;
    if (strip(text.substr(begins.back(), begin - begins.back())).empty()) begins.pop_back();
    begins.push_back(begin);
  });
  return begins;
}

std::vector<std::string_view> cut(std::string_view text, const std::vector<size_t>& begins) {
  std::vector<std::string_view> documents;
  for (size_t i = 0; i < begins.size(); ++i) {
    const size_t end = i + 1 < begins.size() ? begins[i + 1] : text.size();
    if (end > begins[i]) documents.push_back(text.substr(begins[i], end - begins[i]));
  }
  return documents;
}

std::vector<size_t> blank_line_begins(std::string_view text) {
  std::vector<size_t> begins = {0};
  bool has_words = false;
  bool is_after_blank = false;
  for_each_line(text, [&](size_t begin, size_t end) {
    if (is_blank(text.substr(begin, end - begin))) {
      is_after_blank = true;
      return;
    }
    if (has_words && is_after_blank) begins.push_back(begin);
    has_words = true;
    is_after_blank = false;
  });
  return begins;
}

}  // namespace

size_t white_space_length(std::string_view text, size_t at) {
  const auto byte = [text](size_t i) -> unsigned { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(at);
  if (first < 0x80) return (first >= 0x09 && first <= 0x0d) || (first >= 0x1c && first <= 0x20) ? 1 : 0;
  const unsigned second = byte(at + 1);
  if (first == 0xc2) return second == 0x85 || second == 0xa0 ? 2 : 0;  // U+0085, U+00A0
  const unsigned third = byte(at + 2);
  const unsigned tail = second << 8 | third;
  if (first == 0xe1) return tail == 0x9a80 ? 3 : 0;  // U+1680
  if (first == 0xe3) return tail == 0x8080 ? 3 : 0;  // U+3000
  if (first != 0xe2) return 0;
  const bool is_space = (tail >= 0x8080 && tail <= 0x808a) ||                  // U+2000 to U+200A
                        tail == 0x80a8 || tail == 0x80a9 || tail == 0x80af ||  // U+2028, U+2029, U+202F
                        tail == 0x819f;                                        // U+205F
  return is_space ? 3 : 0;
}

std::vector<std::string_view> split_documents(std::string_view text, DocumentSplit split) {
  switch (split) {
    case DocumentSplit::kWhole:
      return cut(text, {0});
    case DocumentSplit::kBlankLine:
      return cut(text, blank_line_begins(text));
    case DocumentSplit::kWikitext: {
      std::vector<size_t> begins = page_begins(text);
      begins.front() = 0;  // the concatenation of documents is the text, blank lines before the first page included
      return cut(text, begins);
    }
  }
  return {};
}

std::vector<std::string_view> wikitext_pages(std::string_view text) {
  std::vector<std::string_view> pages = cut(text, page_begins(text));
  for (size_t i = 0; i + 1 < pages.size(); ++i) pages[i].remove_suffix(1);  // the newline before the next page
  return pages;
}

std::string wikitext_detokenize(std::string_view page) {
  std::string text(page);
  replace_all(text, "s '", "s'");
  replace_slashed_digit(text);
  for (const char mark : {'-', ',', '.'}) replace_all(text, std::string(" @") + mark + "@ ", std::string(1, mark));
  for (const char mark : {':', ';', '.', '!', '?', ','}) {
    replace_all(text, std::string(" ") + mark + " ", std::string(1, mark) + " ");
  }
  strip_inside(text, '(', ')');
  strip_inside(text, '[', ']');
  strip_inside(text, '{', '}');
  strip_inside(text, '"', '"');
  strip_inside(text, '\'', '\'');
  replace_all(text, "= = = =", "====");
  replace_all(text, "= = =", "===");
  replace_all(text, "= =", "==");
  replace_all(text, " \u00b0 ", "\u00b0");
  replace_all(text, " \n", "\n");
  replace_all(text, "\n ", "\n");
  replace_all(text, " N ", " 1 ");
  replace_all(text, " 's", "'s");
  return text;
}

int64_t count_words(std::string_view text) {
  int64_t words = 1;
  bool in_space = false;
  for (size_t i = 0; i < text.size();) {
    const size_t length = white_space_length(text, i);
    if (length != 0 && !in_space) ++words;
    in_space = length != 0;
    i += length == 0 ? 1 : length;
  }
  return words;
}

}  // namespace bitnet
