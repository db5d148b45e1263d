#include "tests/architecture/purity.h"

#include <algorithm>
#include <cctype>

namespace bitnet::architecture {
namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_capital(char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; }

// The words of a line in small letters, names taken apart: "aB_c" is "a", "b" and "c"; "HTTPServer" is "httpserver".
std::vector<std::string> small_words(std::string_view line) {
  std::vector<std::string> words;
  char before = ' ';
  for (const char c : line) {
    if (is_letter(c)) {
      if (!is_letter(before) || (is_capital(c) && !is_capital(before))) words.emplace_back();
      words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    before = c;
  }
  return words;
}

}  // namespace

std::vector<std::string> vertical_terms(std::string_view guidelines) {
  std::vector<std::string> terms;
  bool inside = false;
  for (const std::string& line : lines_of(guidelines)) {
    if (line.starts_with("```")) {
      inside = line == "```vertical-terms";
    } else if (inside && !line.empty()) {
      terms.push_back(line);
    }
  }
  return terms;
}

Violations check_vertical_terms(const std::vector<std::string>& terms) {
  Violations violations;
  const auto report = [&](const std::string& rule) { violations.push_back({std::string(kGuidelines), 0, rule}); };
  for (size_t i = 0; i < terms.size(); ++i) {
    if (small_words(terms[i]) != std::vector<std::string>{terms[i]}) {
      report("term must be one word in small letters, but is " + terms[i]);
    }
    if (i > 0 && terms[i] <= terms[i - 1]) report("terms must be sorted, each once, but " + terms[i] + " is not");
  }
  return violations;
}

Violations check_purity(const SourceFile& file, const std::set<std::string>& terms) {
  Violations violations;
  const bool quotes_test_data = file.path.starts_with("reports/") && !file.path.ends_with(".md");
  if (file.path == kGuidelines || quotes_test_data) return violations;
  const std::vector<std::string> lines = lines_of(file.text);
  for (size_t i = 0; i < lines.size(); ++i) {
    for (const std::string& word : small_words(lines[i])) {
      if (terms.contains(word)) {
        violations.push_back({file.path, static_cast<int>(i) + 1,
                              "nothing may belong to one vertical, but the line has \"" + word + "\" (" +
                                  std::string(kGuidelines) + ")"});
      }
    }
  }
  return violations;
}

}  // namespace bitnet::architecture
