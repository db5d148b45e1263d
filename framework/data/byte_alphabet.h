#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bitnet {

/// The spelling of each byte as one Unicode character, in UTF-8, that byte-level vocabularies use.
/// Source: https://github.com/openai/gpt-2, src/encoder.py, bytes_to_unicode.
std::string byte_level_character(uint8_t byte);

/// The byte that a character of that alphabet stands for, or -1.
int byte_of_level_character(std::string_view character);

}  // namespace bitnet
