#include "framework/data/regex_splitter.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace bitnet {
namespace {

// Unicode's White_Space, inside a class. PCRE2's own \s has U+180E too, which Unicode took out in version 6.3.
constexpr std::string_view kWhiteSpace =
    R"(\x09-\x0d\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_punctuation(char c) { return std::ispunct(static_cast<unsigned char>(c)) != 0; }

// Writes a pattern anew for PCRE2, and refuses what the two might read differently.
class PatternTranslator {
 public:
  PatternTranslator(std::string_view pattern, const std::string& where) : rest_(pattern), where_(where) {}

  std::string translate() {
    while (!rest_.empty()) {
      if (take("[")) {
        character_class();
      } else if (take("(")) {
        group();
      } else if (take("\\")) {
        escape(/*in_class=*/false);
      } else if (std::string_view("?*+{").find(rest_[0]) != std::string_view::npos) {
        repetition();
      } else if (std::string_view(".^$}]").find(rest_[0]) != std::string_view::npos) {
        fail(rest_.substr(0, 1));
      } else {
        copy(1);
      }
    }
    return result_;
  }

 private:
  [[noreturn]] void fail(std::string_view construct) const {
    throw DataError(where_ + ": the regular expression of a pre-tokenizer must be of a supported kind, but has '" +
                    std::string(construct) + "' before '" + std::string(rest_.substr(0, 40)) +
                    "', which is not. Use the model's SentencePiece file, if it has one.");
  }

  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  void copy(size_t count) {
    result_ += rest_.substr(0, count);
    rest_.remove_prefix(count);
  }

  void group() {
    result_ += "(";
    if (rest_.starts_with("*")) fail("(*");  // a verb of PCRE2
    if (!rest_.starts_with("?")) return;
    for (const std::string_view kind : {"?:", "?i:", "?=", "?!"}) {
      if (take(kind)) {
        result_ += kind;
        return;
      }
    }
    fail("(?");
  }

  void repetition() {
    const bool is_interval = rest_[0] == '{';
    if (is_interval) {
      const size_t end = rest_.find('}');
      const std::string_view range = rest_.substr(1, end == std::string_view::npos ? 0 : end - 1);
      const bool is_range = !range.empty() && is_digit(range[0]) && std::ranges::count(range, ',') <= 1 &&
                            std::ranges::all_of(range, [](char c) { return is_digit(c) || c == ','; });
      if (!is_range) fail("{");
      copy(end + 1);
    } else {
      copy(1);
    }
    if (rest_.empty()) return;
    // To Oniguruma, {2}+ is a repetition of a repetition.
    if (is_interval && (rest_[0] == '+' || rest_[0] == '?')) fail(rest_.substr(0, 1));
    if (rest_[0] == '+' || rest_[0] == '?') copy(1);
    if (!rest_.empty() && std::string_view("?*+{").find(rest_[0]) != std::string_view::npos) fail(rest_.substr(0, 1));
  }

  void escape(bool in_class) {
    if (rest_.empty()) fail("\\");
    const char c = rest_[0];
    if (c == 's') {
      rest_.remove_prefix(1);
      result_ += in_class ? std::string(kWhiteSpace) : "[" + std::string(kWhiteSpace) + "]";
    } else if (c == 'S' && !in_class) {
      rest_.remove_prefix(1);
      result_ += "[^" + std::string(kWhiteSpace) + "]";
    } else if (c == 'd') {
      rest_.remove_prefix(1);
      result_ += "\\p{Nd}";
    } else if (c == 'p' || c == 'P') {
      property();
    } else if (c == 'r' || c == 'n' || c == 't' || is_punctuation(c)) {
      result_ += "\\";
      copy(1);
    } else {
      fail("\\" + std::string(1, c));
    }
  }

  // A general category such as L or Lu.
  void property() {
    const size_t end = rest_.find('}');
    const bool is_braced = rest_.size() > 2 && rest_[1] == '{' && end != std::string_view::npos;
    const std::string_view name = is_braced ? rest_.substr(2, end - 2) : std::string_view();
    const bool is_category = (name.size() == 1 || name.size() == 2) &&
                             std::string_view("CLMNPSZ").find(name[0]) != std::string_view::npos &&
                             (name.size() == 1 || std::islower(static_cast<unsigned char>(name[1])) != 0);
    if (!is_category) fail("\\" + std::string(rest_.substr(0, 1)));
    result_ += "\\";
    copy(end + 1);
  }

  void character_class() {
    result_ += "[";
    if (take("^")) result_ += "^";
    if (rest_.starts_with("]")) fail("[]");
    while (!rest_.starts_with("]")) {
      if (rest_.empty() || rest_[0] == '[' || rest_.starts_with("&&")) fail("[");
      if (take("\\")) {
        escape(/*in_class=*/true);
      } else {
        copy(1);
      }
    }
    copy(1);
  }

  std::string_view rest_;
  const std::string& where_;
  std::string result_;
};

// What one call of split() needs of PCRE2.
struct Matcher {
  explicit Matcher(const pcre2_code* code)
      : data(pcre2_match_data_create_from_pattern(code, nullptr)),
        context(pcre2_match_context_create(nullptr)),
        stack(pcre2_jit_stack_create(size_t{32} << 10, size_t{64} << 20, nullptr)) {
    pcre2_jit_stack_assign(context, nullptr, stack);
  }
  ~Matcher() {
    pcre2_jit_stack_free(stack);
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
  }
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;
  pcre2_match_data* data;
  pcre2_match_context* context;
  pcre2_jit_stack* stack;
};

std::string pcre2_message(int code) {
  unsigned char text[256] = {};
  pcre2_get_error_message(code, text, sizeof(text));
  return reinterpret_cast<const char*>(text);
}

}  // namespace

struct RegexSplitter::State {
  std::string where;
  pcre2_code* code = nullptr;
  ~State() { pcre2_code_free(code); }

  void split_valid(std::string_view text, Matcher& matcher, const Sink& sink) const;
};

RegexSplitter::RegexSplitter(std::string_view pattern, const std::string& where) : state_(std::make_unique<State>()) {
  state_->where = where;
  const std::string translated = PatternTranslator(pattern, where).translate();
  int error = 0;
  PCRE2_SIZE offset = 0;
  state_->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                               PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (state_->code == nullptr) {
    throw DataError(where + ": the regular expression of a pre-tokenizer must be well formed, but is not: " +
                    pcre2_message(error) + ". Copy or download the file again.");
  }
  // Where there is no just-in-time compiler for this processor, matching is slower and gives the same.
  pcre2_jit_compile(state_->code, PCRE2_JIT_COMPLETE);
}

RegexSplitter::~RegexSplitter() = default;
RegexSplitter::RegexSplitter(RegexSplitter&&) noexcept = default;

void RegexSplitter::State::split_valid(std::string_view text, Matcher& matcher, const Sink& sink) const {
  const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  size_t begin = 0;
  size_t search = 0;
  while (search < text.size()) {
    const int found =
        pcre2_match(code, subject, text.size(), search, PCRE2_NO_UTF_CHECK, matcher.data, matcher.context);
    if (found == PCRE2_ERROR_NOMATCH) break;
    if (found < 0) {
      throw DataError(where + ": a match of the pre-tokenizer must be found within PCRE2's limits, but is not: " +
                      pcre2_message(found) + ". Shorten the text.");
    }
    const PCRE2_SIZE* const range = pcre2_get_ovector_pointer(matcher.data);
    if (range[1] == range[0]) {  // an empty match cuts nothing
      search = range[0] + std::max<size_t>(utf8_character_length(text, range[0]), 1);
      continue;
    }
    if (range[0] > begin) sink(text.substr(begin, range[0] - begin));
    sink(text.substr(range[0], range[1] - range[0]));
    begin = search = range[1];
  }
  if (begin < text.size()) sink(text.substr(begin));
}

void RegexSplitter::split(std::string_view text, const Sink& sink) const {
  Matcher matcher(state_->code);
  // PCRE2 must see UTF-8 alone: text and bytes that are none alternate.
  for (size_t position = 0; position < text.size();) {
    const size_t begin = position;
    size_t length = 0;
    while ((length = utf8_character_length(text, position)) > 0) position += length;
    if (position > begin) state_->split_valid(text.substr(begin, position - begin), matcher, sink);
    const size_t invalid = position;
    while (position < text.size() && utf8_character_length(text, position) == 0) ++position;
    if (position > invalid) sink(text.substr(invalid, position - invalid));
  }
}

}  // namespace bitnet
