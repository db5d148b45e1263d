#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace bitnet {

/// The bytes of one member of a zip archive (stored or deflated, below 4 GiB, not encrypted), checked by its CRC-32.
/// Errors: DataError where the file is no such archive, is damaged, or has no member of that name.
/// Source: PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16.
std::string read_zip_member(const std::filesystem::path& archive, std::string_view member);

/// The same of an archive in memory; `where` names it in errors.
std::string read_zip_member(std::string_view bytes, const std::string& where, std::string_view member);

}  // namespace bitnet
