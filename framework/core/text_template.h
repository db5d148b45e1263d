#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

namespace bitnet {

// A template is text with places: "{name}" stands for a value, "{{" and "}}" for a brace.

/// Why `text` is no template with these places, as a phrase that follows "but": "has the unknown place {x}"; empty
/// where it is one.
std::string template_problem(std::string_view text, std::span<const std::string_view> names);

/// `text` with its places filled; a value is taken as it is, braces included. `text` is a template with these places.
std::string fill_template(std::string_view text, const std::map<std::string_view, std::string_view>& values);

}  // namespace bitnet
