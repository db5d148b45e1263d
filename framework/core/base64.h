#pragma once

#include <string>
#include <string_view>

namespace bitnet {

/// `bytes` as Base64 with padding and without line breaks (RFC 4648, section 4; by OpenSSL).
std::string base64_encode(std::string_view bytes);

}  // namespace bitnet
