#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

// YAML text as a tree that remembers where everything stood, and the list of mistakes found in it.

namespace bitnet {

/// Where something was written. Line and column count from 1; line 0 stands for a `--set` argument.
struct Place {
  std::string source;  ///< a file's name, or the argument "--set a.b=c"
  int line = 0;
  int column = 0;
  int layer = 0;  ///< a higher layer was written to override the lower ones
};

/// Mistakes found so far. All are reported at once, sorted by file, line and column, with `--set` arguments last.
class Problems {
 public:
  /// Adds `text`; the same text at the same place counts once (twins share their blocks).
  void add(const Place& place, const std::string& text);
  /// Adds what `other` says, all at one place.
  void add_all(const Place& place, const Problems& other);
  bool empty() const { return problems_.empty(); }
  size_t count() const { return problems_.size(); }
  /// Errors: ConfigError with one line for each mistake, where there is any.
  void throw_if_any() const;

 private:
  struct Problem {
    Place place;
    std::string text;
  };
  std::vector<Problem> problems_;
};

/// The keys of a section whose values are not known, because a mistake in them was reported: no rule over them can be
/// checked. A key of a section within is "schedule.kind", an item of a list is "seeds[1]".
class UnknownKeys {
 public:
  void add(std::string key) { keys_.push_back(std::move(key)); }
  /// Nothing of the section is known.
  void add_all() { keys_.emplace_back(); }
  /// Adds the keys of the section `key` within.
  void add_within(const std::string& key, const UnknownKeys& section);
  /// Those of the section `key` within.
  UnknownKeys within(std::string_view key) const;
  bool has(std::string_view key) const;
  bool has_any(std::initializer_list<std::string_view> keys) const;

 private:
  std::vector<std::string> keys_;  // an empty one stands for all
};

struct Entry;

/// A value: nothing, a scalar, a sequence or a map.
struct Node {
  enum class Kind { kNull, kScalar, kSequence, kMap };
  Kind kind = Kind::kNull;
  std::string text;     ///< a scalar's text
  bool quoted = false;  ///< the scalar is text whatever it looks like
  /// A mistake that was reported hides the value; of a map: further entries.
  bool unknown = false;
  Place place;
  std::vector<Node> items;     ///< of a sequence
  std::vector<Entry> entries;  ///< of a map, in the order of the file, no key twice

  /// The entry with this key, or null.
  const Entry* find(std::string_view key) const;
  /// Where `key` stands, else where the map itself starts.
  const Place& place_of(std::string_view key) const;
  /// How an error message shows the value, for example `'abc'` or `a list`.
  std::string shown() const;
};

/// A key with its value. `path` is the dotted path as written, for example "variants.bitnet.model.width".
struct Entry {
  std::string key;
  std::string path;
  Place place;
  Node value;
};

/// Bytes at the front of `text` that are UTF-8 without control characters other than tab, line feed, carriage return.
size_t clean_prefix(std::string_view text);

/// Parses one YAML document. `path` is put before the paths of its entries. Errors are added to `problems`: syntax,
/// duplicate keys, more than one document, anchors, aliases, tags, bytes that are not UTF-8.
Node parse_document(std::string_view text, const std::string& source, const std::string& path, int layer,
                    Problems* problems);

/// Parses the argument `a.b=c` of `--set` into nested maps with the one value, an unknown one where it is no YAML.
Node parse_override(const std::string& argument, int layer, Problems* problems);

/// `base` with the entries of `overlay` put over it, map by map; anything else of `overlay` replaces what was there.
Node merged(const Node& base, const Node& overlay);

/// `a.b`, or `b` where `a` is empty.
std::string join_path(const std::string& a, std::string_view b);

/// The name nearest to `found`, or nothing where none is near.
std::string_view nearest_name(std::string_view found, const std::vector<std::string_view>& names);

/// " Did you mean 'x'?" with the name nearest to `found`, or nothing where none is near.
std::string suggestion(std::string_view found, const std::vector<std::string_view>& names);

/// "a, b, c"
std::string listed(const std::vector<std::string_view>& names);

}  // namespace bitnet
