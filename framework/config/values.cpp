#include "framework/config/values.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace bitnet {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_lower_or_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); }

/// Takes digits from the front: one 0, or a number without leading zeros.
bool take_integer(std::string_view* text) {
  size_t count = 0;
  while (count < text->size() && is_digit((*text)[count])) ++count;
  if (count == 0 || (count > 1 && text->front() == '0')) return false;
  text->remove_prefix(count);
  return true;
}

bool take_digits(std::string_view* text) {
  const size_t before = text->size();
  while (!text->empty() && is_digit(text->front())) text->remove_prefix(1);
  return text->size() < before;
}

bool take_any_of(std::string_view* text, std::string_view characters) {
  if (text->empty() || characters.find(text->front()) == std::string_view::npos) return false;
  text->remove_prefix(1);
  return true;
}

bool is_integer_text(std::string_view text) {
  take_any_of(&text, "-");
  return take_integer(&text) && text.empty();
}

bool is_number_text(std::string_view text) {
  take_any_of(&text, "-");
  if (!take_integer(&text)) return false;
  if (take_any_of(&text, ".") && !take_digits(&text)) return false;
  if (take_any_of(&text, "eE")) {
    take_any_of(&text, "+-");
    if (!take_digits(&text)) return false;
  }
  return text.empty();
}

template <typename Number>
bool parse_number(const std::string& text, Number* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

bool contains(const Range& range, double value) {
  const bool above = range.low_open ? value > range.low : value >= range.low;
  const bool below = range.high_open ? value < range.high : value <= range.high;
  return above && below;
}

std::string interval(const Range& range, const std::string& low, const std::string& high) {
  return (range.low_open ? "(" : "[") + low + ", " + high + (range.high_open ? ")" : "]");
}

std::string must_be(const std::string& path, std::string_view expected, const Node& node) {
  return path + " must be " + std::string(expected) + ", but is " + node.shown() + ".";
}

template <typename Read, typename Value>
bool read_items(const Node& node, const std::string& path, std::string_view expected, const Read& read,
                std::vector<Value>* values, std::vector<size_t>* wrong_items, Problems* problems) {
  if (node.kind != Node::Kind::kSequence) {
    problems->add(node.place, must_be(path, expected, node));
    return false;
  }
  values->clear();
  for (size_t i = 0; i < node.items.size(); ++i) {
    Value value{};
    const Node& item = node.items[i];
    if (item.unknown || !read(item, path + "[" + std::to_string(i) + "]", &value)) wrong_items->push_back(i);
    values->push_back(value);
  }
  return wrong_items->empty();
}

/// Text that every YAML reader takes for text when it stands without quotes.
bool is_plain_text(std::string_view text) {
  constexpr std::string_view kWords[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (lower.empty() || std::find(std::begin(kWords), std::end(kWords), lower) != std::end(kWords)) return false;
  const bool starts_as_number = is_digit(lower.front()) || lower.front() == '.';
  return !starts_as_number && is_lower_or_digit(lower.front()) && std::all_of(lower.begin(), lower.end(), [](char c) {
    return is_lower_or_digit(c) || c == '-' || c == '_' || c == '.' || c == '/';
  });
}

}  // namespace

bool is_name(std::string_view text) {
  constexpr size_t kMostCharacters = 64;
  return !text.empty() && text.size() <= kMostCharacters && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

bool is_folder_name(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.' || text.find("..") != std::string_view::npos)
    return false;
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '.', '0');
  return is_name(plain);
}

bool read_value(const Node& node, const std::string& path, const Range& range, int64_t* value, Problems* problems) {
  int64_t number = 0;
  if (node.kind == Node::Kind::kScalar && !node.quoted && is_integer_text(node.text) &&
      parse_number(node.text, &number) && contains(range, static_cast<double>(number))) {
    *value = number;
    return true;
  }
  problems->add(node.place, must_be(path, integer_text(range), node));
  return false;
}

bool read_value(const Node& node, const std::string& path, const Range& range, double* value, Problems* problems) {
  double number = 0;
  if (node.kind == Node::Kind::kScalar && !node.quoted && is_number_text(node.text) &&
      parse_number(node.text, &number) && contains(range, number)) {
    *value = number == 0 ? 0 : number;  // no negative zero: equal values have one text
    return true;
  }
  problems->add(node.place, must_be(path, number_text(range), node));
  return false;
}

bool read_value(const Node& node, const std::string& path, bool* value, Problems* problems) {
  const bool is_true = node.text == "true";
  if (node.kind == Node::Kind::kScalar && !node.quoted && (is_true || node.text == "false")) {
    *value = is_true;
    return true;
  }
  problems->add(node.place, must_be(path, "true or false", node));
  return false;
}

bool read_value(const Node& node, const std::string& path, const TextRule& rule, std::string* value,
                Problems* problems) {
  if (node.kind != Node::Kind::kScalar) {
    problems->add(node.place, must_be(path, "text", node));
    return false;
  }
  // Escapes in quoted text can make what the file itself must not hold; the library's \N and \_ are not even UTF-8.
  if (clean_prefix(node.text) != node.text.size() || node.text.find('\r') != std::string::npos) {
    problems->add(node.place, path + " must be UTF-8 text without control characters, but is not.");
    return false;
  }
  if (rule.accepts != nullptr && !rule.accepts(node.text)) {
    problems->add(node.place, must_be(path, rule.expected, node));
    return false;
  }
  *value = node.text;
  return true;
}

bool read_value(const Node& node, const std::string& path, const Range& range, std::vector<int64_t>* value,
                std::vector<size_t>* wrong_items, Problems* problems) {
  const auto read = [&](const Node& item, const std::string& item_path, int64_t* number) {
    return read_value(item, item_path, range, number, problems);
  };
  return read_items(node, path, "a list of integers, for example [1, 2]", read, value, wrong_items, problems);
}

bool read_value(const Node& node, const std::string& path, const TextRule& rule, std::vector<std::string>* value,
                std::vector<size_t>* wrong_items, Problems* problems) {
  const auto read = [&](const Node& item, const std::string& item_path, std::string* text) {
    return read_value(item, item_path, rule, text, problems);
  };
  return read_items(node, path, "a list of names, for example [a, b]", read, value, wrong_items, problems);
}

size_t read_choice(const Node& node, const std::string& path, const std::vector<std::string_view>& names,
                   Problems* problems) {
  if (node.kind == Node::Kind::kScalar) {
    const auto found = std::find(names.begin(), names.end(), node.text);
    if (found != names.end()) return static_cast<size_t>(found - names.begin());
  }
  const std::string expected = (names.size() == 1 ? "" : "one of ") + listed(names);
  problems->add(node.place,
                must_be(path, expected, node) + (node.kind == Node::Kind::kScalar ? suggestion(node.text, names) : ""));
  return names.size();
}

std::string value_text(int64_t value) { return std::to_string(value); }

std::string value_text(double value) {
  char buffer[64];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end};
}

std::string value_text(bool value) { return value ? "true" : "false"; }

std::string value_text(const std::string& value) {
  if (is_plain_text(value)) return value;
  std::string text = "\"";
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\t') {
      text += "\\t";
    } else {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
  }
  return text + '"';
}

std::string value_text(const std::vector<int64_t>& values) {
  std::string text;
  for (const int64_t value : values) text += (text.empty() ? "" : ", ") + value_text(value);
  return "[" + text + "]";
}

std::string value_text(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value_text(value);
  return "[" + text + "]";
}

std::string integer_text(const Range& range) {
  return "an integer in " +
         interval(range, value_text(static_cast<int64_t>(range.low)), value_text(static_cast<int64_t>(range.high)));
}

std::string number_text(const Range& range) {
  return "a number in " + interval(range, value_text(range.low), value_text(range.high));
}

}  // namespace bitnet
