#pragma once

#include <string>
#include <string_view>

namespace bitnet {

/// `bytes` as Base64 with padding and without line breaks (RFC 4648, section 4; by OpenSSL).
std::string base64_encode(std::string_view bytes);

/// The bytes that such a text stands for. `where` names it in errors. Errors: DataError for any other text.
std::string base64_decode(std::string_view text, std::string_view where);

}  // namespace bitnet
