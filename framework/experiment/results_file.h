#pragma once

#include <string>
#include <string_view>

#include "framework/experiment/results.h"

namespace bitnet {

/// The results in a published file's text: a results.json, or a report.html, which holds one for download. `where`
/// names the file in errors. Errors: DataError where it is neither, holds none or more than one, or is damaged.
Results published_results(std::string_view text, const std::string& where);

}  // namespace bitnet
