#include "framework/config/resolve.h"

#include <algorithm>
#include <optional>

#include "framework/config/blocks.h"
#include "framework/config/check.h"
#include "framework/config/describe.h"
#include "framework/config/document.h"
#include "framework/config/read.h"
#include "framework/config/write.h"
#include "framework/core/error.h"
#include "framework/core/sha256.h"

namespace bitnet {
namespace {

// Layers, from the block upward: what was written in a higher one overrides what was written in a lower one.
constexpr int kCommonLayer = 1;
constexpr int kVariantLayer = 2;
constexpr int kFirstOverrideLayer = 3;

void set_layer(Node* node, int layer) {
  node->place.layer = layer;
  for (Node& item : node->items) set_layer(&item, layer);
  for (Entry& entry : node->entries) {
    entry.place.layer = layer;
    set_layer(&entry.value, layer);
  }
}

Node empty_map(const Place& place) {
  Node map;
  map.kind = Node::Kind::kMap;
  map.place = place;
  return map;
}

Entry* find_entry(Node* node, std::string_view key) {
  const auto found =
      std::find_if(node->entries.begin(), node->entries.end(), [key](const Entry& entry) { return entry.key == key; });
  return found == node->entries.end() ? nullptr : &*found;
}

std::vector<std::string_view> keys_of(const Node& node) {
  std::vector<std::string_view> keys;
  for (const Entry& entry : node.entries) keys.push_back(entry.key);
  return keys;
}

/// Turns the tree of an experiment file into a checked ExperimentConfig.
class Resolver {
 public:
  /// `configs_folder`: needed where the experiment has `compose`; without it `compose` is no known key.
  Resolver(Node root, std::optional<std::filesystem::path> configs_folder, Problems problems)
      : root_(std::move(root)), configs_folder_(std::move(configs_folder)), problems_(std::move(problems)) {}

  ResolvedExperiment resolve(const std::vector<std::string>& overrides);

 private:
  /// A section after composing: what the block alone says, and what is written over it.
  struct Section {
    Node node;
    std::optional<Node> block;
    bool given = false;
  };

  void apply_overrides(const std::vector<std::string>& overrides);
  bool is_known_variant(const Node& override_node);
  void read_compose();
  Section compose_section(std::string_view family, const std::string& path, const std::string& name);
  void put_over(const Entry* entry, Section* section);
  void require_given(const Section& section, std::string_view family);
  void read_shared_sections();
  void read_evaluators();
  void read_evaluator(const std::string& name, const Entry* written, const Place& place, const Node* name_node,
                      const std::string& name_path);
  void read_variants();
  void read_variant(const Entry& variant);
  template <typename Config>
  bool read_variant_section(const Entry& variant, std::string_view family, const std::string& block_name,
                            Config* config, Node* node);
  template <typename Config>
  void note_differences(const Section& section, const Config& config, const std::string& path);
  void check_across_sections();

  Node root_;
  std::optional<std::filesystem::path> configs_folder_;
  Problems problems_;
  std::vector<Node> overrides_;
  ComposeConfig compose_;
  ExperimentConfig config_;
  std::vector<Node> evaluator_nodes_;  // as config_.evaluators
  std::vector<Node> model_nodes_;      // as config_.variants
  std::vector<std::string> overridden_;
};

ResolvedExperiment Resolver::resolve(const std::vector<std::string>& overrides) {
  if (root_.kind == Node::Kind::kMap) {
    if (Entry* const variants = find_entry(&root_, "variants")) set_layer(&variants->value, kVariantLayer);
    apply_overrides(overrides);
    read_compose();
  }
  read_shared_sections();
  if (root_.kind == Node::Kind::kMap) {
    read_evaluators();
    read_variants();
    check_across_sections();
  }
  problems_.throw_if_any();
  ResolvedExperiment resolved;
  resolved.canonical_text = experiment_text(config_, /*full=*/false);
  resolved.full_text = experiment_text(config_, /*full=*/true);
  resolved.hash = sha256_hex(resolved.canonical_text);
  resolved.config = std::move(config_);
  resolved.overridden = std::move(overridden_);
  return resolved;
}

/// An override can change a variant but not make one: a misspelt name would train a third model.
bool Resolver::is_known_variant(const Node& override_node) {
  const Entry* const written = override_node.find("variants");
  if (written == nullptr) return true;
  const Entry* const variants = root_.find("variants");
  if (variants == nullptr || variants->value.kind != Node::Kind::kMap) return true;
  for (const Entry& variant : written->value.entries) {
    if (variants->value.find(variant.key) != nullptr) continue;
    const auto names = keys_of(variants->value);
    problems_.add(variant.place, variant.path + " must be one of the experiment's variants " + listed(names) +
                                     ", but is not." + suggestion(variant.key, names));
    return false;
  }
  return true;
}

void Resolver::apply_overrides(const std::vector<std::string>& overrides) {
  int layer = kFirstOverrideLayer;
  for (const std::string& argument : overrides) {
    const Node node = parse_override(argument, layer++, &problems_);
    if (!is_known_variant(node)) continue;
    root_ = merged(root_, node);
    overrides_.push_back(node);
  }
}

void Resolver::read_compose() {
  const Entry* const entry = root_.find("compose");
  if (entry == nullptr || !configs_folder_) return;
  read_section(entry->value, entry->path, &compose_, &problems_);
}

/// The block named `name` (none where it is empty) with the file's section `path` over it.
Resolver::Section Resolver::compose_section(std::string_view family, const std::string& path, const std::string& name) {
  Section section;
  section.node = empty_map(root_.place);
  if (!name.empty()) {
    section.given = true;
    const Node& compose = root_.find("compose")->value;
    const Entry& entry = *compose.find(family);
    Node block;
    if (read_block(*configs_folder_, family, name, entry.value.place, entry.path, path, &block, &problems_)) {
      section.block = block;
      section.node = std::move(block);
    }
  }
  put_over(root_.find(family), &section);
  return section;
}

void Resolver::put_over(const Entry* entry, Section* section) {
  if (entry == nullptr) return;
  if (!section->given) section->node.place = entry->place;
  section->given = true;
  if (entry->value.kind == Node::Kind::kMap) {
    section->node = merged(section->node, entry->value);
  } else {
    problems_.add(entry->value.place,
                  entry->path + " must be a map of keys and values, but is " + entry->value.shown() + ".");
  }
}

void Resolver::require_given(const Section& section, std::string_view family) {
  if (section.given) return;
  const Entry* const compose = root_.find("compose");
  // A wrong `compose` or a wrong name in it was reported where it was read.
  if (compose != nullptr && (compose->value.kind != Node::Kind::kMap || compose->value.find(family) != nullptr)) return;
  const std::string name(family);
  problems_.add(compose == nullptr ? root_.place : compose->place,
                (compose == nullptr ? name : "compose." + name) + " must be given, but is missing.");
}

template <typename Config>
void Resolver::note_differences(const Section& section, const Config& config, const std::string& path) {
  if (!section.block) return;
  Config base;
  Problems reported_before;
  read_section(*section.block, path, &base, &reported_before);
  add_differences(base, config, path, &overridden_);
}

void Resolver::read_shared_sections() {
  std::vector<std::string_view> more_keys = {"model", "optimizer", "evaluators", "variants"};
  if (configs_folder_) more_keys.push_back("compose");
  if (root_.kind != Node::Kind::kMap) {
    read_section(root_, "", &config_, &problems_, more_keys);
    return;
  }
  const Section dataset = compose_section("dataset", "dataset", compose_.dataset);
  const Section tokenizer = compose_section("tokenizer", "tokenizer", compose_.tokenizer);
  const Section trainer = compose_section("trainer", "trainer", compose_.trainer);
  Node composed = root_;
  const auto put = [&](std::string_view family, const Section& section) {
    require_given(section, family);
    if (!section.given) return;
    Entry* const entry = find_entry(&composed, family);
    if (entry != nullptr) {
      entry->value = section.node;
    } else {
      composed.entries.push_back({std::string(family), std::string(family), section.node.place, section.node});
    }
  };
  put("dataset", dataset);
  put("tokenizer", tokenizer);
  put("trainer", trainer);
  if (!read_section(composed, "", &config_, &problems_, more_keys)) return;
  check_dataset(config_.dataset, dataset.node, "dataset", &problems_);
  note_differences(dataset, config_.dataset, "dataset");
  note_differences(tokenizer, config_.tokenizer, "tokenizer");
  note_differences(trainer, config_.trainer, "trainer");

  const Node seeds = root_.find("seeds") == nullptr ? empty_map(root_.place) : root_.find("seeds")->value;
  if (config_.seeds.empty()) problems_.add(seeds.place, "seeds must hold at least one seed, but is empty.");
  for (size_t i = 0; i < config_.seeds.size(); ++i) {
    const auto end = config_.seeds.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(config_.seeds.begin(), end, config_.seeds[i]) == end) continue;
    problems_.add(seeds.items[i].place, "seeds[" + std::to_string(i) + "] must be unlike the others, but is " +
                                            std::to_string(config_.seeds[i]) + " again.");
  }
}

void Resolver::read_evaluator(const std::string& name, const Entry* written, const Place& place, const Node* name_node,
                              const std::string& name_path) {
  const std::string path = "evaluators." + name;
  if (!is_name(name)) {
    problems_.add(place,
                  name_path + " must be a name of lowercase letters, digits and hyphens, but is '" + name + "'.");
    return;
  }
  Section section;
  section.node = empty_map(place);
  if (name_node != nullptr) {
    Node block;
    if (!read_block(*configs_folder_, "evaluator", name, place, name_path, path, &block, &problems_)) return;
    section.block = block;
    section.node = std::move(block);
  }
  if (written != nullptr) section.node = merged(section.node, written->value);
  EvaluatorConfig config;
  if (read_section(section.node, path, &config, &problems_)) {
    check_evaluator(config, section.node, path, &problems_);
    note_differences(section, config, path);
  }
  config_.evaluators.push_back({name, config});
  evaluator_nodes_.push_back(std::move(section.node));
}

void Resolver::read_evaluators() {
  const Entry* const written = root_.find("evaluators");
  if (written != nullptr && written->value.kind != Node::Kind::kMap) {
    problems_.add(written->value.place, "evaluators must be a map by name, but is " + written->value.shown() + ".");
    return;
  }
  const Entry* const compose = configs_folder_ ? root_.find("compose") : nullptr;
  if (compose == nullptr) {
    if (written == nullptr || written->value.entries.empty()) {
      problems_.add(root_.place_of("evaluators"),
                    "evaluators must hold at least one evaluator, but is missing or empty.");
      return;
    }
    for (const Entry& entry : written->value.entries) {
      read_evaluator(entry.key, &entry, entry.place, nullptr, entry.path);
    }
    return;
  }
  const Entry* const names = compose->value.find("evaluators");
  if (compose_.evaluators.empty()) {
    if (names == nullptr || (names->value.kind == Node::Kind::kSequence && names->value.items.empty())) {
      problems_.add(names == nullptr ? compose->place : names->place,
                    "compose.evaluators must name at least one evaluator, but is missing or empty.");
    }
    return;
  }
  const auto& list = compose_.evaluators;
  for (size_t i = 0; i < list.size(); ++i) {
    const Node& item = names->value.items[i];
    const std::string path = names->path + "[" + std::to_string(i) + "]";
    const auto end = list.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(list.begin(), end, list[i]) != end) {
      problems_.add(item.place, path + " must be unlike the others, but is '" + list[i] + "' again.");
      continue;
    }
    read_evaluator(list[i], written == nullptr ? nullptr : written->value.find(list[i]), item.place, &item, path);
  }
  if (written == nullptr) return;
  const std::vector<std::string_view> known(list.begin(), list.end());
  for (const Entry& entry : written->value.entries) {
    if (std::find(list.begin(), list.end(), entry.key) != list.end()) continue;
    problems_.add(entry.place,
                  entry.path + " must be one of compose.evaluators, but is not." + suggestion(entry.key, known));
  }
}

template <typename Config>
bool Resolver::read_variant_section(const Entry& variant, std::string_view family, const std::string& block_name,
                                    Config* config, Node* node) {
  const std::string path = variant.path + "." + std::string(family);
  Section section = compose_section(family, std::string(family), block_name);
  put_over(variant.value.find(family), &section);
  // Once more and in their order: an override of the common section comes after what the variant says.
  for (const Node& override_node : overrides_) {
    put_over(override_node.find(family), &section);
    const Entry* const variants = override_node.find("variants");
    const Entry* const own = variants == nullptr ? nullptr : variants->value.find(variant.key);
    if (own != nullptr) put_over(own->value.find(family), &section);
  }
  require_given(section, family);
  const bool clean = section.given && read_section(section.node, path, config, &problems_);
  if (clean) note_differences(section, *config, path);
  *node = std::move(section.node);
  return clean;
}

void Resolver::read_variant(const Entry& variant) {
  if (!is_name(variant.key)) {
    problems_.add(variant.place, variant.path + " must be a name of lowercase letters, digits and hyphens, but is '" +
                                     variant.key + "'.");
  }
  if (variant.value.kind != Node::Kind::kMap) {
    problems_.add(variant.value.place,
                  variant.path + " must be a map of model and optimizer, but is " + variant.value.shown() + ".");
    return;
  }
  const std::vector<std::string_view> known = {"model", "optimizer"};
  for (const Entry& entry : variant.value.entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    const std::string near = suggestion(entry.key, known);
    problems_.add(entry.place, entry.path + " must be a known key, but is unknown." +
                                   (near.empty() ? " Known here: " + listed(known) + "." : near));
  }
  VariantConfig config;
  config.name = variant.key;
  Node model;
  Node optimizer;
  if (read_variant_section(variant, "model", compose_.model, &config.model, &model)) {
    check_model(config.model, model, variant.path + ".model", &problems_);
  }
  if (read_variant_section(variant, "optimizer", compose_.optimizer, &config.optimizer, &optimizer)) {
    check_optimizer(config.optimizer, optimizer, variant.path + ".optimizer", &problems_);
  }
  config_.variants.push_back(std::move(config));
  model_nodes_.push_back(std::move(model));
}

void Resolver::read_variants() {
  const Entry* const variants = root_.find("variants");
  const bool is_map = variants != nullptr && variants->value.kind == Node::Kind::kMap;
  if (!is_map || variants->value.entries.empty()) {
    const bool wrong = variants != nullptr && !is_map;
    problems_.add(wrong ? variants->value.place : root_.place_of("variants"),
                  "variants must be a map of at least one variant by name, but is " +
                      (variants == nullptr ? "missing"
                       : is_map            ? "empty"
                                           : variants->value.shown()) +
                      ".");
    return;
  }
  for (const Entry& variant : variants->value.entries) read_variant(variant);
  const Entry* const baseline = root_.find("baseline");
  if (baseline == nullptr || baseline->value.kind != Node::Kind::kScalar) return;
  const auto names = keys_of(variants->value);
  if (std::find(names.begin(), names.end(), baseline->value.text) == names.end()) {
    problems_.add(baseline->value.place, "baseline must be one of the variants " + listed(names) + ", but is " +
                                             baseline->value.shown() + "." + suggestion(baseline->value.text, names));
  }
}

/// Twins see the same windows of the same text, so their contexts are the same; evaluators' windows fit into it.
void Resolver::check_across_sections() {
  if (!problems_.empty()) return;
  const int64_t context = config_.variants.front().model.context;
  for (size_t i = 1; i < config_.variants.size(); ++i) {
    const VariantConfig& variant = config_.variants[i];
    if (variant.model.context == context) continue;
    problems_.add(model_nodes_[i].place_of("context"),
                  "variants." + variant.name + ".model.context must be that of the other variants, " +
                      std::to_string(context) + ", but is " + std::to_string(variant.model.context) + ".");
  }
  for (size_t i = 0; i < config_.evaluators.size(); ++i) {
    const NamedEvaluator& evaluator = config_.evaluators[i];
    check_window(evaluator.config, context, evaluator_nodes_[i], "evaluators." + evaluator.name, &problems_);
  }
}

}  // namespace

ResolvedExperiment resolve_experiment(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                                      const std::filesystem::path& configs_folder) {
  const std::string text = read_config_file(file, "experiment");
  Problems problems;
  Node root = parse_document(text, file.string(), "", kCommonLayer, &problems);
  if (root.kind == Node::Kind::kNull) problems.throw_if_any();  // not YAML: nothing more can be said
  std::filesystem::path folder = configs_folder;
  bool composes = root.kind == Node::Kind::kMap && root.find("compose") != nullptr;
  for (const std::string& override_text : overrides) composes = composes || override_text.starts_with("compose");
  if (folder.empty() && composes) folder = find_configs_folder(file.parent_path());
  return Resolver(std::move(root), folder, std::move(problems)).resolve(overrides);
}

ResolvedExperiment resolve_text(std::string_view text, std::string_view where) {
  Problems problems;
  Node root = parse_document(text, std::string(where), "", kCommonLayer, &problems);
  if (root.kind == Node::Kind::kNull) problems.throw_if_any();
  return Resolver(std::move(root), std::nullopt, std::move(problems)).resolve({});
}

EvaluatorConfig resolve_evaluator(const std::string& name, const std::filesystem::path& configs_folder) {
  const std::filesystem::path folder =
      configs_folder.empty() ? find_configs_folder(std::filesystem::current_path()) : configs_folder;
  Problems problems;
  Node node;
  EvaluatorConfig config;
  const Place place{"evaluator " + name, 0, 0, 0};
  if (read_block(folder, "evaluator", name, place, "name", "evaluators." + name, &node, &problems) &&
      read_section(node, "evaluators." + name, &config, &problems)) {
    check_evaluator(config, node, "evaluators." + name, &problems);
  }
  problems.throw_if_any();
  return config;
}

ModelConfig read_model_text(std::string_view text, std::string_view where) {
  Problems problems;
  const Node node = parse_document(text, std::string(where), "model", kCommonLayer, &problems);
  if (node.kind == Node::Kind::kNull) problems.throw_if_any();
  ModelConfig config;
  if (read_section(node, "model", &config, &problems)) check_model(config, node, "model", &problems);
  problems.throw_if_any();
  return config;
}

}  // namespace bitnet
