#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bitnet {

/// Whether `bytes` start as a gzip file does.
bool is_gzip(std::string_view bytes);

/// The content of a gzip file of one or more members, their checksums checked. `where` names it in errors.
/// Errors: DataError where the file is damaged, cut short, followed by something else, or holds more than `most_bytes`.
std::string gunzip(std::string_view bytes, const std::string& where, int64_t most_bytes);

}  // namespace bitnet
