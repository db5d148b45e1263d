#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/architecture/rules.h"
#include "tests/architecture/source_tree.h"

// Whether the project stays free of words that belong to one industry, product or vertical.

namespace bitnet::architecture {

/// The document that holds the list of words, and the only one where they may stand.
inline constexpr std::string_view kGuidelines = "docs/repo-alignment-guidelines.md";

/// The words in the block ```vertical-terms of `guidelines`, in its order.
std::vector<std::string> vertical_terms(std::string_view guidelines);

/// Words of the list that are not in small letters alone, not in order or there twice.
Violations check_vertical_terms(const std::vector<std::string>& terms);

/// Lines of `file` with one of `terms` as a word, or as a part of a name (HotelGuest, hotel_guest). The guidelines and
/// the published results and reports, which quote test data, are not looked at.
Violations check_purity(const SourceFile& file, const std::set<std::string>& terms);

}  // namespace bitnet::architecture
