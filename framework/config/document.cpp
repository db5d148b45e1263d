#include "framework/config/document.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "framework/core/error.h"

namespace bitnet {
namespace {

/// Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbors.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

/// At most `most` bytes from the front, cut between characters.
std::string front_of(const std::string& text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most) + "...";
}

}  // namespace

void Problems::add(const Place& place, const std::string& text) {
  for (const Problem& problem : problems_) {
    if (problem.place.source == place.source && problem.place.line == place.line &&
        problem.place.column == place.column && problem.text == text) {
      return;
    }
  }
  problems_.push_back({place, text});
  // One mistake, one line, whatever was quoted.
  std::replace(problems_.back().text.begin(), problems_.back().text.end(), '\n', ' ');
}

void Problems::add_all(const Place& place, const Problems& other) {
  for (const Problem& problem : other.problems_) add(place, problem.text);
}

void Problems::throw_if_any() const {
  if (problems_.empty()) return;
  std::vector<Problem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    const auto key = [](const Place& place) {
      const int argument = place.line == 0 ? place.layer : 0;
      return std::tuple(argument, argument == 0 ? std::string_view(place.source) : "", place.line, place.column);
    };
    return key(a.place) < key(b.place);
  });
  std::string text;
  for (const auto& [place, problem] : sorted) {
    if (!text.empty()) text += '\n';
    text += place.source;
    if (place.line > 0) text += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
    text += ": " + problem;
  }
  throw ConfigError(text);
}

void UnknownKeys::add_within(const std::string& key, const UnknownKeys& section) {
  for (const std::string& inner : section.keys_) add(inner.empty() ? key : join_path(key, inner));
}

UnknownKeys UnknownKeys::within(std::string_view key) const {
  UnknownKeys section;
  const std::string start = std::string(key) + ".";
  for (const std::string& unknown : keys_) {
    if (unknown.empty() || unknown == key) section.add_all();
    if (unknown.starts_with(start)) section.add(unknown.substr(start.size()));
  }
  return section;
}

bool UnknownKeys::has(std::string_view key) const {
  return std::any_of(keys_.begin(), keys_.end(), [key](const std::string& unknown) {
    if (unknown.empty() || unknown == key) return true;
    return key.starts_with(unknown) && (key[unknown.size()] == '.' || key[unknown.size()] == '[');
  });
}

bool UnknownKeys::has_any(std::initializer_list<std::string_view> keys) const {
  return std::any_of(keys.begin(), keys.end(), [this](std::string_view key) { return has(key); });
}

const Entry* Node::find(std::string_view key) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [key](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

const Place& Node::place_of(std::string_view key) const {
  const Entry* const entry = find(key);
  return entry == nullptr ? place : entry->place;
}

std::string Node::shown() const {
  constexpr size_t kMostShown = 60;
  switch (kind) {
    case Kind::kNull:
      return "empty";
    case Kind::kScalar:
      return (quoted ? "the text '" : "'") + front_of(text, kMostShown) + "'";
    case Kind::kSequence:
      return "a list";
    case Kind::kMap:
      return "a map";
  }
  return "";
}

Node merged(const Node& base, const Node& overlay) {
  if (base.kind != Node::Kind::kMap || overlay.kind != Node::Kind::kMap) return overlay;
  Node result = base;
  result.unknown = base.unknown || overlay.unknown;
  for (const Entry& entry : overlay.entries) {
    const auto found = std::find_if(result.entries.begin(), result.entries.end(),
                                    [&](const Entry& candidate) { return candidate.key == entry.key; });
    if (found == result.entries.end()) {
      result.entries.push_back(entry);
    } else {
      Node value = merged(found->value, entry.value);
      *found = entry;
      found->value = std::move(value);
    }
  }
  return result;
}

std::string join_path(const std::string& a, std::string_view b) {
  return a.empty() ? std::string(b) : a + "." + std::string(b);
}

std::string_view nearest_name(std::string_view found, const std::vector<std::string_view>& names) {
  constexpr size_t kLongestName = 100;
  if (found.size() > kLongestName) return "";
  std::string_view nearest;
  size_t least = std::max<size_t>(2, found.size() / 3) + 1;
  for (const std::string_view name : names) {
    const size_t distance = edit_distance(found, name);
    if (distance < least && distance < name.size()) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

std::string suggestion(std::string_view found, const std::vector<std::string_view>& names) {
  const std::string_view nearest = nearest_name(found, names);
  return nearest.empty() ? "" : " Did you mean '" + std::string(nearest) + "'?";
}

std::string listed(const std::vector<std::string_view>& names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

}  // namespace bitnet
