#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/describe.h"
#include "framework/config/document.h"

// Scalars: from YAML text to values, strictly, and back.

namespace bitnet {

/// Reads one value of a field. False, with a problem added, where the node holds none of its legal values.
/// `wrong_items` takes the indices of the items of a list that have no legal value; any value stands in their places.
bool read_value(const Node& node, const std::string& path, const Range& range, int64_t* value, Problems* problems);
bool read_value(const Node& node, const std::string& path, const Range& range, double* value, Problems* problems);
bool read_value(const Node& node, const std::string& path, bool* value, Problems* problems);
bool read_value(const Node& node, const std::string& path, const TextRule& rule, std::string* value,
                Problems* problems);
bool read_value(const Node& node, const std::string& path, const Range& range, std::vector<int64_t>* value,
                std::vector<size_t>* wrong_items, Problems* problems);
bool read_value(const Node& node, const std::string& path, const TextRule& rule, std::vector<std::string>* value,
                std::vector<size_t>* wrong_items, Problems* problems);
/// The index of the scalar among `names`, or names.size().
size_t read_choice(const Node& node, const std::string& path, const std::vector<std::string_view>& names,
                   Problems* problems);

/// The value as YAML that read_value reads back to the same value. Doubles are the shortest text that does.
std::string value_text(int64_t value);
std::string value_text(double value);
std::string value_text(bool value);
std::string value_text(const std::string& value);
std::string value_text(const std::vector<int64_t>& values);
std::string value_text(const std::vector<std::string>& values);

/// "an integer in [1, 10]", "a number in (0, 1]": what messages and the reference page call the legal values.
std::string integer_text(const Range& range);
std::string number_text(const Range& range);

}  // namespace bitnet
