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
  /// A section's text and what reading it left unknown, for the rules across sections.
  struct ReadSection {
    Node node;
    UnknownKeys unknown;
  };

  void apply_overrides(const std::vector<std::string>& overrides);
  void drop_unknown_variants(Node* override_node);
  void read_compose();
  Section compose_section(std::string_view family, const std::string& name);
  void read_block_into(std::string_view family, const std::string& name, const Place& name_place,
                       const std::string& name_path, const std::string& path, Section* section);
  void put_over(const Entry* entry, Section* section);
  void require_given(const Section& section, std::string_view family);
  bool require_name(const std::string& name, const Place& place, const std::string& path);
  void read_shared_sections();
  void read_evaluators();
  void read_composed_evaluators(const Node* written);
  void read_evaluator(const std::string& name, const Entry* written, Section section);
  void read_variants();
  void read_variant(const Entry& variant);
  void read_common_of_variants();
  template <typename Config>
  ReadSection read_variant_section(const Entry& variant, std::string_view family, const std::string& block_name,
                                   Config* config);
  template <typename Config>
  void note_differences(const Section& section, const Config& config, const std::string& path);
  void check_across_sections();

  Node root_;
  std::optional<std::filesystem::path> configs_folder_;
  Problems problems_;
  std::vector<Node> overrides_;
  ComposeConfig compose_;
  UnknownKeys compose_unknown_;
  ExperimentConfig config_;
  std::vector<ReadSection> evaluators_;  // as config_.evaluators
  std::vector<ReadSection> models_;      // as config_.variants
  bool models_known_ = true;             // no mistake in a name hides what is said of a variant's model
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
void Resolver::drop_unknown_variants(Node* override_node) {
  Entry* const written = find_entry(override_node, "variants");
  const Entry* const variants = root_.find("variants");
  if (written == nullptr || variants == nullptr || variants->value.kind != Node::Kind::kMap) return;
  const auto names = keys_of(variants->value);
  std::vector<Entry> known;
  for (Entry& variant : written->value.entries) {
    if (variants->value.find(variant.key) != nullptr) {
      known.push_back(std::move(variant));
      continue;
    }
    if (variant.value.find("model") != nullptr) models_known_ = false;
    problems_.add(variant.place, variant.path + " must be one of the experiment's variants " + listed(names) +
                                     ", but is not." + suggestion(variant.key, names));
  }
  written->value.entries = std::move(known);
}

void Resolver::apply_overrides(const std::vector<std::string>& overrides) {
  int layer = kFirstOverrideLayer;
  for (const std::string& argument : overrides) {
    Node node = parse_override(argument, layer++, &problems_);
    drop_unknown_variants(&node);
    root_ = merged(root_, node);
    overrides_.push_back(std::move(node));
  }
}

void Resolver::read_compose() {
  const Entry* const entry = root_.find("compose");
  if (entry == nullptr || !configs_folder_) return;
  compose_unknown_ = read_section(entry->value, entry->path, &compose_, &problems_);
}

/// The block named `name` in `compose` with the file's section `family` over it.
Resolver::Section Resolver::compose_section(std::string_view family, const std::string& name) {
  Section section;
  section.node = empty_map(root_.place);
  const Entry* const compose = configs_folder_ ? root_.find("compose") : nullptr;
  const Entry* const entry = compose == nullptr ? nullptr : compose->value.find(family);
  if (compose_unknown_.has(family)) {
    section.given = true;
    section.node.unknown = true;
  } else if (entry != nullptr) {
    section.given = true;
    read_block_into(family, name, entry->value.place, entry->path, std::string(family), &section);
  }
  put_over(root_.find(family), &section);
  return section;
}

void Resolver::read_block_into(std::string_view family, const std::string& name, const Place& name_place,
                               const std::string& name_path, const std::string& path, Section* section) {
  Node block;
  if (configs_folder_ && read_block(*configs_folder_, family, name, name_place, name_path, path, &block, &problems_)) {
    section->block = block;
    section->node = std::move(block);
  } else {
    section->node.unknown = true;
  }
}

void Resolver::put_over(const Entry* entry, Section* section) {
  if (entry == nullptr) return;
  if (!section->given) section->node.place = entry->place;
  section->given = true;
  if (entry->value.kind == Node::Kind::kMap) {
    section->node = merged(section->node, entry->value);
    return;
  }
  section->node.unknown = true;
  if (entry->value.unknown) return;
  problems_.add(entry->value.place,
                entry->path + " must be a map of keys and values, but is " + entry->value.shown() + ".");
}

void Resolver::require_given(const Section& section, std::string_view family) {
  if (section.given) return;
  const Entry* const compose = root_.find("compose");
  const std::string name(family);
  problems_.add(compose == nullptr ? root_.place : compose->place,
                (compose == nullptr ? name : "compose." + name) + " must be given, but is missing.");
}

bool Resolver::require_name(const std::string& name, const Place& place, const std::string& path) {
  if (is_name(name)) return true;
  problems_.add(place, path + " must be a name of lowercase letters, digits and hyphens, but is '" + name + "'.");
  return false;
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
  std::vector<std::string_view> more_keys = {"model", "optimizer", "start", "evaluators", "variants"};
  if (configs_folder_) more_keys.push_back("compose");
  if (root_.kind != Node::Kind::kMap) {
    read_section(root_, "", &config_, &problems_, more_keys);
    return;
  }
  const Section dataset = compose_section("dataset", compose_.dataset);
  const Section tokenizer = compose_section("tokenizer", compose_.tokenizer);
  const Section trainer = compose_section("trainer", compose_.trainer);
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
  const UnknownKeys unknown = read_section(composed, "", &config_, &problems_, more_keys);
  if (unknown.has("model")) models_known_ = false;
  const bool trains = unknown.within("trainer").has("epochs") || config_.trainer.epochs > 0;
  check_dataset(config_.dataset, trains, dataset.node, unknown.within("dataset"), "dataset", &problems_);
  check_tokenizer(config_.tokenizer, tokenizer.node, unknown.within("tokenizer"), "tokenizer", &problems_);
  if (const Entry* const seeds = root_.find("seeds")) check_seeds(config_.seeds, seeds->value, unknown, &problems_);
  note_differences(dataset, config_.dataset, "dataset");
  note_differences(tokenizer, config_.tokenizer, "tokenizer");
  note_differences(trainer, config_.trainer, "trainer");
}

void Resolver::read_evaluator(const std::string& name, const Entry* written, Section section) {
  const std::string path = "evaluators." + name;
  if (written != nullptr) section.node = merged(section.node, written->value);
  EvaluatorConfig config;
  UnknownKeys unknown = read_section(section.node, path, &config, &problems_);
  check_evaluator(config, section.node, unknown, path, &problems_);
  note_differences(section, config, path);
  config_.evaluators.push_back({name, config});
  evaluators_.push_back({std::move(section.node), std::move(unknown)});
}

void Resolver::read_evaluators() {
  const Entry* const entry = root_.find("evaluators");
  const Node* const written = entry == nullptr ? nullptr : &entry->value;
  const bool is_map = written != nullptr && written->kind == Node::Kind::kMap;
  if (written != nullptr && !is_map && !written->unknown) {
    problems_.add(written->place, "evaluators must be a map by name, but is " + written->shown() + ".");
  }
  if (configs_folder_ && root_.find("compose") != nullptr) {
    read_composed_evaluators(is_map ? written : nullptr);
  } else if (written == nullptr || (is_map && written->entries.empty())) {
    problems_.add(root_.place_of("evaluators"),
                  "evaluators must hold at least one evaluator, but is missing or empty.");
  } else {
    for (const Entry& evaluator : written->entries) {
      if (require_name(evaluator.key, evaluator.place, evaluator.path)) {
        read_evaluator(evaluator.key, &evaluator, {empty_map(evaluator.place), {}, true});
      }
    }
  }
}

/// The evaluators of `compose`, in its order, with what the map `written` says of them over their blocks.
void Resolver::read_composed_evaluators(const Node* written) {
  const Entry& compose = *root_.find("compose");
  const Entry* const names = compose.value.find("evaluators");
  bool names_known = !compose_unknown_.has("evaluators");
  if (names_known && compose_.evaluators.empty()) {
    problems_.add(names == nullptr ? compose.place : names->place,
                  "compose.evaluators must name at least one evaluator, but is missing or empty.");
    names_known = false;
  }
  std::vector<std::string_view> read;
  for (size_t i = 0; i < compose_.evaluators.size(); ++i) {
    const std::string& name = compose_.evaluators[i];
    const std::string index = "[" + std::to_string(i) + "]";
    const Node& item = names->value.items[i];
    const std::string path = names->path + index;
    if (compose_unknown_.has("evaluators" + index) || !require_name(name, item.place, path)) {
      names_known = false;
    } else if (std::find(read.begin(), read.end(), name) != read.end()) {
      problems_.add(item.place, path + " must be unlike the others, but is '" + name + "' again.");
    } else {
      Section section{empty_map(item.place), {}, true};
      read_block_into("evaluator", name, item.place, path, "evaluators." + name, &section);
      names_known = names_known && section.block.has_value();
      read.push_back(name);
      read_evaluator(name, written == nullptr ? nullptr : written->find(name), std::move(section));
    }
  }
  if (written == nullptr) return;
  for (const Entry& entry : written->entries) {
    if (std::find(read.begin(), read.end(), entry.key) != read.end()) continue;
    if (names_known) {
      problems_.add(entry.place,
                    entry.path + " must be one of compose.evaluators, but is not." + suggestion(entry.key, read));
    } else {  // a wrong name may be meant for this one
      Section section{empty_map(entry.place), {}, true};
      section.node.unknown = true;
      read_evaluator(entry.key, &entry, std::move(section));
    }
  }
}

template <typename Config>
Resolver::ReadSection Resolver::read_variant_section(const Entry& variant, std::string_view family,
                                                     const std::string& block_name, Config* config) {
  const std::string path = variant.path + "." + std::string(family);
  Section section = compose_section(family, block_name);
  put_over(variant.value.find(family), &section);
  // Once more and in their order: an override of the common section comes after what the variant says.
  for (const Node& override_node : overrides_) {
    put_over(override_node.find(family), &section);
    const Entry* const variants = override_node.find("variants");
    const Entry* const own = variants == nullptr ? nullptr : variants->value.find(variant.key);
    if (own != nullptr) put_over(own->value.find(family), &section);
  }
  if (!section.given && family != "start") {  // what a variant starts from has defaults that serve
    require_given(section, family);
    section.node.unknown = true;
  }
  UnknownKeys unknown = read_section(section.node, path, config, &problems_);
  note_differences(section, *config, path);
  return {std::move(section.node), std::move(unknown)};
}

void Resolver::read_variant(const Entry& variant) {
  require_name(variant.key, variant.place, variant.path);
  if (variant.value.kind != Node::Kind::kMap) {
    if (variant.value.unknown) return;
    problems_.add(variant.value.place,
                  variant.path + " must be a map of model, optimizer and start, but is " + variant.value.shown() + ".");
    return;
  }
  const std::vector<std::string_view> known = {"model", "optimizer", "start"};
  for (const Entry& entry : variant.value.entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    const std::string_view near = nearest_name(entry.key, known);
    if (near == "model") models_known_ = false;
    problems_.add(entry.place,
                  entry.path + " must be a known key, but is unknown." +
                      (near.empty() ? " Known here: " + listed(known) + "." : suggestion(entry.key, known)));
  }
  VariantConfig config;
  config.name = variant.key;
  ReadSection model = read_variant_section(variant, "model", compose_.model, &config.model);
  check_model(config.model, model.node, model.unknown, variant.path + ".model", &problems_);
  const ReadSection optimizer = read_variant_section(variant, "optimizer", compose_.optimizer, &config.optimizer);
  check_optimizer(config.optimizer, optimizer.node, optimizer.unknown, variant.path + ".optimizer", &problems_);
  read_variant_section(variant, "start", "", &config.start);
  config_.variants.push_back(std::move(config));
  models_.push_back(std::move(model));
}

/// Where no variant can be read: what holds for all of them. A variant may complete it, so single values count alone.
void Resolver::read_common_of_variants() {
  Section model = compose_section("model", compose_.model);
  Section optimizer = compose_section("optimizer", compose_.optimizer);
  model.node.unknown = optimizer.node.unknown = true;
  ModelConfig model_config;
  OptimizerConfig optimizer_config;
  read_section(model.node, "model", &model_config, &problems_);
  read_section(optimizer.node, "optimizer", &optimizer_config, &problems_);
}

void Resolver::read_variants() {
  const Entry* const variants = root_.find("variants");
  const bool is_map = variants != nullptr && variants->value.kind == Node::Kind::kMap;
  if (is_map) {
    for (const Entry& variant : variants->value.entries) read_variant(variant);
  }
  if (config_.variants.empty()) read_common_of_variants();
  if (!is_map || variants->value.entries.empty()) {
    const bool wrong = variants != nullptr && !is_map;
    if (wrong && variants->value.unknown) return;
    problems_.add(wrong ? variants->value.place : root_.place_of("variants"),
                  "variants must be a map of at least one variant by name, but is " +
                      (variants == nullptr ? "missing"
                       : is_map            ? "empty"
                                           : variants->value.shown()) +
                      ".");
    return;
  }
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
  if (!models_known_) return;
  // The lowest layer holds the contexts' common value: what was written above it broke the rule.
  std::optional<size_t> first;
  int64_t longest = 0;
  const auto layer_of = [this](size_t i) {
    const Entry* const entry = models_[i].node.find("context");
    return entry == nullptr ? -1 : entry->place.layer;
  };
  for (size_t i = 0; i < models_.size(); ++i) {
    if (models_[i].unknown.has("context")) continue;
    if (!first || layer_of(i) < layer_of(*first)) first = i;
    longest = std::max(longest, config_.variants[i].model.context);
  }
  if (!first) return;
  const int64_t context = config_.variants[*first].model.context;
  for (size_t i = 0; i < models_.size(); ++i) {
    const VariantConfig& variant = config_.variants[i];
    if (models_[i].unknown.has("context") || variant.model.context == context) continue;
    problems_.add(models_[i].node.place_of("context"),
                  "variants." + variant.name + ".model.context must be that of the other variants, " +
                      std::to_string(context) + ", but is " + std::to_string(variant.model.context) + ".");
  }
  for (size_t i = 0; i < evaluators_.size(); ++i) {
    const NamedEvaluator& evaluator = config_.evaluators[i];
    check_window(evaluator.config, longest, evaluators_[i].node, evaluators_[i].unknown, "evaluators." + evaluator.name,
                 &problems_);
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
  if (folder.empty() && composes) folder = find_configs_folder(std::filesystem::absolute(file).parent_path());
  return Resolver(std::move(root), folder, std::move(problems)).resolve(overrides);
}

ResolvedExperiment resolve_text(std::string_view text, std::string_view where,
                                const std::vector<std::string>& overrides) {
  Problems problems;
  Node root = parse_document(text, std::string(where), "", kCommonLayer, &problems);
  if (root.kind == Node::Kind::kNull) problems.throw_if_any();
  return Resolver(std::move(root), std::nullopt, std::move(problems)).resolve(overrides);
}

}  // namespace bitnet
