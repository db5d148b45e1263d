#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bitnet {

/// Bytes of the UTF-8 character that starts at byte `at`: 1 to 4, or 0 where none does: at the end of the text, inside
/// a character, at a cut, overlong or surrogate form, and beyond U+10FFFF. Source: The Unicode Standard, table 3-7.
size_t utf8_character_length(std::string_view text, size_t at);

/// `text` with U+FFFD for each byte that is no part of a character.
std::string repaired_utf8(std::string_view text);

/// Characters of a UTF-8 text.
size_t code_points(std::string_view text);

}  // namespace bitnet
