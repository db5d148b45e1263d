#pragma once

#include <string>
#include <string_view>

// How the words of tinyworld change in a sentence.

namespace bitnet {

/// "foxes", "owls".
inline std::string plural_kind(std::string_view kind) { return std::string(kind) + (kind == "fox" ? "es" : "s"); }

/// "a fox", "an owl".
inline std::string with_article(std::string_view word) {
  return (word.front() == 'o' ? "an " : "a ") + std::string(word);
}

/// "In the barn" for "in the barn". The first letter is a lowercase one.
inline std::string capital(std::string word) {
  word.front() = static_cast<char>(word.front() - ('a' - 'A'));
  return word;
}

}  // namespace bitnet
