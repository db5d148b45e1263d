// The only file that knows the YAML library. It takes the library's events rather than its nodes, because those have
// dropped duplicate keys, and keeps every scalar as written, because the library reads `010` as 8 and `yes` as true.

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <functional>
#include <sstream>

#include "framework/config/document.h"
#include "framework/core/utf8.h"

namespace bitnet {
namespace {

// A configuration is a page of text; a file beyond this is something else, given by mistake.
constexpr size_t kMaxDocumentBytes = 1 << 20;
// Longer than any path of ours; keeps the messages readable.
constexpr size_t kMaxShownKey = 200;

/// The library replaces bad bytes silently and takes byte 4 for the end of the text: look before it does.
bool check_text(std::string_view text, const std::string& source, int layer, Problems* problems) {
  Place place{source, 1, 1, layer};
  if (text.size() > kMaxDocumentBytes) {
    problems->add(place, "text must be at most 1 MiB long, but is " + std::to_string(text.size()) + " bytes long.");
    return false;
  }
  const size_t clean = clean_prefix(text);
  if (clean == text.size()) return true;
  for (const char c : text.substr(0, clean)) {
    if (c == '\n') ++place.line, place.column = 0;
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) ++place.column;
  }
  problems->add(place, "text must be UTF-8 without control characters, but is not from this byte on.");
  return false;
}

/// Builds the tree from the library's events.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string source, std::string path, int layer, Problems* problems)
      : source_(std::move(source)), root_path_(std::move(path)), layer_(layer), problems_(problems) {}

  Node take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    require_value(mark);
    add(make(Node::Kind::kNull, mark, "", anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    require_value(mark);
    problems_->add(place(mark), "value must be written out, but is an alias.");
    Node node = make(Node::Kind::kNull, mark, "", 0);
    node.unknown = true;
    add(std::move(node));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (expects_key()) {
      check_plain(mark, tag, anchor);
      start_entry(mark, text);
      return;
    }
    Node scalar = make(Node::Kind::kScalar, mark, tag, anchor);
    scalar.text = text;
    scalar.quoted = tag == "!";
    add(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::kSequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  /// A map or sequence whose end has not come yet.
  struct Open {
    Node node;
    std::string path;
    Entry entry;  // of a map: the key that waits for its value
    bool has_key = false;
    bool drop_value = false;  // the key was a duplicate
  };

  Place place(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1, layer_}; }

  bool expects_key() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::kMap && !open_.back().has_key;
  }

  void require_value(const YAML::Mark& mark) const {
    if (expects_key()) throw YAML::ParserException(mark, "a key is empty, a list or a map");
  }

  void check_plain(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) problems_->add(place(mark), "value must be without an anchor, but has one. Write it out.");
    if (!tag.empty() && tag != "?" && tag != "!") {
      problems_->add(place(mark), "value must be without a tag, but has '" + tag + "'.");
    }
  }

  Node make(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    check_plain(mark, tag, anchor);
    Node node;
    node.kind = kind;
    node.place = place(mark);
    return node;
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    require_value(mark);
    std::string path = root_path_;
    if (!open_.empty()) {
      const Open& parent = open_.back();
      path = parent.node.kind == Node::Kind::kMap ? parent.entry.path
                                                  : parent.path + "[" + std::to_string(parent.node.items.size()) + "]";
    }
    open_.push_back({make(kind, mark, tag, anchor), std::move(path), {}, false, false});
  }

  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::kSequence) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    parent.has_key = false;
    if (parent.drop_value) {
      for (Entry& first : parent.node.entries) first.value.unknown |= first.key == parent.entry.key;
      return;
    }
    // The mark of a value that is not there is that of the next token: the key says it better.
    if (node.kind == Node::Kind::kNull) node.place = parent.entry.place;
    parent.entry.value = std::move(node);
    parent.node.entries.push_back(std::move(parent.entry));
  }

  void start_entry(const YAML::Mark& mark, const std::string& key) {
    Open& map = open_.back();
    map.has_key = true;
    map.entry = Entry{key, join_path(map.path, key.substr(0, kMaxShownKey)), place(mark), {}};
    const Entry* const first = map.node.find(key);
    map.drop_value = first != nullptr;
    if (first != nullptr) {
      problems_->add(map.entry.place, map.entry.path + " must be given once, but is given again (first in line " +
                                          std::to_string(first->place.line) + ").");
    }
  }

  std::string source_;
  std::string root_path_;
  int layer_;
  Problems* problems_;
  Node root_;
  std::vector<Open> open_;
};

}  // namespace

size_t clean_prefix(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const size_t length = utf8_character_length(text, at);
    if (length == 0 || (byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t') || byte == 0x7f) return at;
    at += length;
  }
  return text.size();
}

Node parse_document(std::string_view text, const std::string& source, const std::string& path, int layer,
                    Problems* problems) {
  Node root;
  root.place = {source, 1, 1, layer};
  if (!check_text(text, source, layer, problems)) return root;
  TreeBuilder builder(source, path, layer, problems);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return root;
    root = builder.take_root();
    Problems ignored;
    TreeBuilder probe(source, path, layer, &ignored);
    if (parser.HandleNextDocument(probe)) {
      problems->add(probe.take_root().place, "file must hold one YAML document, but holds more.");
    }
  } catch (const YAML::ParserException& error) {
    problems->add({source, error.mark.line + 1, error.mark.column + 1, layer},
                  "text must be YAML, but is not (" + error.msg + ").");
  }
  if (root.kind == Node::Kind::kNull) root.place = {source, 1, 1, layer};
  return root;
}

Node parse_override(const std::string& argument, int layer, Problems* problems) {
  const std::string source = "--set " + argument;
  const Place place{source, 0, 0, layer};
  const size_t equals = argument.find('=');
  const std::string path = argument.substr(0, equals);
  std::vector<std::string> keys;
  std::istringstream parts(path);
  for (std::string key; std::getline(parts, key, '.');) keys.push_back(key);
  bool well_formed = equals != std::string::npos && !keys.empty() && path.back() != '.';
  for (const std::string& key : keys) well_formed = well_formed && !key.empty();
  Node root;
  root.kind = Node::Kind::kMap;
  root.place = place;
  if (!well_formed) {
    problems->add(place, "argument must be a path, '=' and a value, for example trainer.epochs=1, but is not.");
    return root;
  }
  Problems found;
  Node value = parse_document(argument.substr(equals + 1), source, path, layer, &found);
  if (!found.empty()) {
    problems->add_all(place, found);
    value = Node{};
    value.unknown = true;
  }
  const std::function<void(Node*)> place_all = [&](Node* node) {
    node->place = place;
    for (Node& item : node->items) place_all(&item);
    for (Entry& entry : node->entries) {
      entry.place = place;
      place_all(&entry.value);
    }
  };
  place_all(&value);
  for (size_t i = keys.size(); i-- > 0;) {
    std::string entry_path;
    for (size_t j = 0; j <= i; ++j) entry_path = join_path(entry_path, keys[j]);
    Node map;
    map.kind = Node::Kind::kMap;
    map.place = place;
    map.entries.push_back({keys[i], entry_path, place, std::move(value)});
    value = std::move(map);
  }
  return value;
}

}  // namespace bitnet
