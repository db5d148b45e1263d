#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bitnet {

/// The content of a gzip stream (one member or several), checked by its CRC-32 and length. `where` names the file.
/// Errors: DataError where the stream is none, is cut short or damaged, has bytes behind its end, or unpacks to more
/// than `most_bytes`. Source: RFC 1952.
std::string gunzip(std::string_view bytes, const std::string& where, int64_t most_bytes);

}  // namespace bitnet
