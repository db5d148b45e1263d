#include "framework/experiment/results.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <type_traits>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/sha256.h"

namespace bitnet {
namespace {

using Json = nlohmann::ordered_json;

// Every struct's fields are named once, here; writing and reading are visitors over them. A number behind a field is
// the schema version that it came with, where that is not the first.
template <typename V>
void visit(V& v, TrainPoint& x) {
  v("step", x.step), v("epoch", x.epoch), v("nats_per_token", x.nats_per_token), v("learning_rate", x.learning_rate);
  v("gradient_norm", x.gradient_norm);
}
template <typename V>
void visit(V& v, EpochRecord& x) {
  v("epoch", x.epoch), v("train_nats_per_token", x.train_nats_per_token);
  v("validation_nats_per_token", x.validation_nats_per_token);
}
template <typename V>
void visit(V& v, TernaryRecord& x) {
  v("epoch", x.epoch), v("layer", x.layer), v("minus", x.minus), v("zero", x.zero), v("plus", x.plus);
  v("gamma", x.gamma), v("flipped", x.flipped);
}
template <typename V>
void visit(V& v, EvaluationItem& x) {
  v("id", x.id), v("nats", x.nats), v("tokens", x.tokens), v("words", x.words), v("bytes", x.bytes);
  v.optional("seconds", x.seconds), v.optional("memory_bytes", x.memory_bytes);
  v.optional("outcomes", x.outcomes), v.optional("details", x.details);
}
template <typename V>
void visit(V& v, Metric& x) {
  v("name", x.name), v("value", x.value), v("unit", x.unit), v("lower_is_better", x.lower_is_better);
}
template <typename V>
void visit(V& v, Evaluation& x) {
  v("evaluator", x.evaluator), v("version", x.version), v("convention", x.convention), v("split", x.split);
  v("data_sha256", x.data_sha256), v("metrics", x.metrics), v("floor", x.floor);
  v.optional("chance", x.chance), v("weights_sha256", x.weights_sha256), v("seconds", x.seconds), v("items", x.items);
}
template <typename V>
void visit(V& v, SeedResult& x) {
  v("seed", x.seed), v("steps", x.steps), v("tokens_seen", x.tokens_seen), v("train_seconds", x.train_seconds);
  v("evaluate_seconds", x.evaluate_seconds), v("initial_weights_sha256", x.initial_weights_sha256);
  v("final_weights_sha256", x.final_weights_sha256), v("epochs", x.epochs), v("evaluations", x.evaluations);
  v("ternary", x.ternary), v("curve", x.curve);
}
template <typename V>
void visit(V& v, VariantResult& x) {
  v("name", x.name), v("linear", x.linear), v("parameters", x.parameters);
  v("ternary_parameters", x.ternary_parameters), v("weight_bytes", x.weight_bytes), v("seeds", x.seeds);
}
template <typename V>
void visit(V& v, Results& x) {
  v("experiment", x.experiment), v("description", x.description), v.optional("notes", x.notes);
  v("config_hash", x.config_hash);
  v("command", x.command), v("baseline", x.baseline), v("dataset", x.dataset), v("tokenizer", x.tokenizer);
  v("vocab_size", x.vocab_size), v("data_sha256", x.data_sha256), v("floor_nats_per_token", x.floor_nats_per_token);
  v("overridden", x.overridden), v("config_text", x.config_text), v("environment_json", x.environment_json);
  v("variants", x.variants);
}

// An evaluation's file starts with the digest of the rest, so that a damaged figure is not taken for a measured one.
constexpr std::string_view kBodyStart = "{\n";
const std::string kDigestStart = "{\n \"sha256\": \"";
const std::string kDigestEnd = "\",\n";

// A results file ends with the digest of the rest.
const std::string kSealStart = ",\n \"sha256\": \"";
const std::string kSealEnd = "\"\n}\n";
constexpr std::string_view kBodyEnd = "\n}\n";
constexpr size_t kDigits = 64;

constexpr const char* kSchemaKey = "schema_version";
constexpr const char* kRoot = "$";  // the JSON path of the whole file
constexpr const char* kNan = "NaN";
constexpr const char* kInfinity = "Infinity";
constexpr const char* kMinusInfinity = "-Infinity";

Json to_json_value(const std::string& value) { return value; }
Json to_json_value(int64_t value) { return value; }
Json to_json_value(bool value) { return value; }
Json to_json_value(double value) {
  if (std::isnan(value)) return kNan;
  if (std::isinf(value)) return value > 0 ? kInfinity : kMinusInfinity;
  return value;
}
Json to_json_value(const std::optional<double>& value) { return value ? to_json_value(*value) : Json(nullptr); }

template <typename T>
Json to_json_value(const std::vector<T>& values);
template <typename T>
Json to_json_value(const std::map<std::string, T>& values);

template <typename T>
  requires std::is_class_v<T>
Json to_json_value(const T& value);

/// Puts the fields of a struct into an object.
struct FieldWriter {
  Json object = Json::object();

  template <typename Field>
  void operator()(const char* key, const Field& field) {
    object[key] = to_json_value(field);
  }
  template <typename Field>
  void optional(const char* key, const Field& field) {
    if (field != Field{}) (*this)(key, field);
  }
};

template <typename T>
  requires std::is_class_v<T>
Json to_json_value(const T& value) {
  FieldWriter writer;
  // The visitor above is shared with reading and therefore takes a mutable reference; writing only reads through it.
  visit(writer, const_cast<T&>(value));
  return writer.object;
}
template <typename T>
Json to_json_value(const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(to_json_value(value));
  return array;
}
template <typename T>
Json to_json_value(const std::map<std::string, T>& values) {
  Json object = Json::object();
  for (const auto& [key, value] : values) object[key] = to_json_value(value);
  return object;
}

bool has_structured(const Json& value) {
  return std::any_of(value.begin(), value.end(), [](const Json& element) { return element.is_structured(); });
}

/// Objects and arrays of plain values stand on one line each, and so do objects of plain values and such objects (the
/// items): so the file is short and its diffs are readable.
bool fits_on_a_line(const Json& value) {
  if (!value.is_structured()) return true;
  return std::none_of(value.begin(), value.end(), [&value](const Json& element) {
    return element.is_structured() && (value.is_array() || element.is_array() || has_structured(element));
  });
}

void write_json(const Json& value, size_t indent, std::string& out) {
  if (indent > 0 && fits_on_a_line(value)) {
    out += value.dump();
    return;
  }
  const std::string inner(indent + 1, ' ');
  out += value.is_object() ? "{\n" : "[\n";
  size_t left = value.size();
  for (const auto& [key, element] : value.items()) {
    out += inner;
    if (value.is_object()) out += Json(key).dump() + ": ";
    write_json(element, indent + 1, out);
    out += --left > 0 ? ",\n" : "\n";
  }
  out += std::string(indent, ' ') + (value.is_object() ? "}" : "]");
}

/// A JSON value and where it is, for error texts.
class Reader {
 public:
  Reader(const Json& json, std::string path, std::string_view where)
      : json_(json), path_(std::move(path)), where_(where) {}

  [[noreturn]] void fail(const std::string& expected, const std::string& found) const {
    throw DataError(std::string(where_) + ": " + path_ + " must be " + expected + ", but is " + found +
                    ". Make the file anew with `bitnet run`, or restore it.");
  }

  void read(std::string& out) const {
    if (!json_.is_string()) fail("a text", found());
    out = json_.get<std::string>();
  }
  void read(bool& out) const {
    if (!json_.is_boolean()) fail("true or false", found());
    out = json_.get<bool>();
  }
  void read(int64_t& out) const {
    const bool too_large = json_.is_number_unsigned() &&
                           json_.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (!json_.is_number_integer() || too_large) fail("a whole number of 64 bits", found());
    out = json_.get<int64_t>();
  }
  void read(double& out) const {
    if (json_.is_number()) {
      out = json_.get<double>();
    } else if (json_ == kNan) {
      out = std::numeric_limits<double>::quiet_NaN();
    } else if (json_ == kInfinity || json_ == kMinusInfinity) {
      out = json_ == kInfinity ? HUGE_VAL : -HUGE_VAL;
    } else {
      fail("a number", found());
    }
  }
  void read(std::optional<double>& out) const {
    out.reset();
    if (!json_.is_null()) read(out.emplace());
  }
  template <typename T>
  void read(std::vector<T>& out) const {
    if (!json_.is_array()) fail("a list", found());
    out.assign(json_.size(), T{});
    for (size_t i = 0; i < out.size(); ++i) {
      Reader(json_[i], path_ + "[" + std::to_string(i) + "]", where_).read(out[i]);
    }
  }
  template <typename T>
  void read(std::map<std::string, T>& out) const {
    if (!json_.is_object()) fail("an object", found());
    out.clear();
    for (const auto& [key, value] : json_.items()) {
      Reader(value, path_ + "[\"" + key + "\"]", where_).read(out[key]);
    }
  }
  template <typename T>
    requires std::is_class_v<T>
  void read(T& out) const {
    if (!json_.is_object()) fail("an object", found());
    FieldReader fields(*this);
    if (path_ == kRoot) fields.known.insert(kSchemaKey);
    visit(fields, out);
    for (const auto& [key, value] : json_.items()) {
      if (!fields.known.contains(key))
        Reader(value, path_ + "." + key, where_).fail("a field of this schema", "unknown");
    }
  }

 private:
  /// Takes the fields of a struct out of an object and remembers their names.
  struct FieldReader {
    explicit FieldReader(const Reader& object) : reader(object) {}

    template <typename Field>
    void operator()(const char* key, Field& field) {
      known.insert(key);
      const auto entry = reader.json_.find(key);
      if (entry == reader.json_.end())
        Reader(reader.json_, reader.path_ + "." + key, reader.where_).fail("there", "missing");
      Reader(*entry, reader.path_ + "." + key, reader.where_).read(field);
    }
    template <typename Field>
    void optional(const char* key, Field& field) {
      field = {};
      known.insert(key);
      if (reader.json_.contains(key)) (*this)(key, field);
    }

    const Reader& reader;
    std::set<std::string> known;
  };

  std::string found() const {
    if (json_.is_structured()) return json_.is_object() ? "an object" : "a list";
    std::string text = json_.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() > 60) text = text.substr(0, 60) + "...";
    return text;
  }

  const Json& json_;
  std::string path_;
  std::string_view where_;
};

Json parse_json(std::string_view text, std::string_view where) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto callback = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw DataError(std::string(where) + ": the field \"" + parsed.get<std::string>() +
                      "\" must be there once in its object, but is there twice. Make the file anew with `bitnet run`.");
    }
    return true;
  };
  try {
    return Json::parse(text, callback);
  } catch (const Json::exception& error) {
    throw DataError(std::string(where) + ": the file must be JSON text, but is damaged (" + error.what() +
                    "). Make it anew with `bitnet run`, or restore it.");
  }
}

/// `value` behind the schema version. `where` names it in errors.
template <typename T>
std::string versioned_json(const T& value, const std::string& where) {
  try {
    Json object = Json::object();
    object[kSchemaKey] = Results::kSchemaVersion;
    object.update(to_json_value(value));
    std::string text;
    write_json(object, 0, text);
    return text + "\n";
  } catch (const Json::type_error& error) {
    throw DataError(where + ": every text must be UTF-8, but one is not (" + std::string(error.what()) +
                    "). Correct the text in the experiment file or in the data.");
  }
}

/// Errors: DataError where an object's schema version is missing or another.
void check_schema_version(const Json& json, std::string_view where) {
  if (!json.is_object()) Reader(json, kRoot, where).fail("an object", "another kind of value");
  const auto version = json.find(kSchemaKey);
  if (version == json.end()) Reader(json, "$.schema_version", where).fail("there", "missing");
  int64_t found = 0;
  Reader(*version, "$.schema_version", where).read(found);
  if (found != Results::kSchemaVersion) {
    throw DataError(std::string(where) + ": $.schema_version must be " + std::to_string(Results::kSchemaVersion) +
                    ", but is " + std::to_string(found) +
                    ". Read it with the version of the program that wrote it, or make it anew with `bitnet run`.");
  }
}

template <typename T>
T read_versioned_json(std::string_view text, std::string_view where) {
  const Json json = parse_json(text, where);
  check_schema_version(json, where);
  T value;
  Reader(json, kRoot, where).read(value);
  return value;
}

}  // namespace

bool was_trained(const Results& results) {
  for (const VariantResult& variant : results.variants) {
    for (const SeedResult& seed : variant.seeds) {
      if (seed.steps > 0) return true;
    }
  }
  return false;
}

std::string results_to_json(const Results& results) {
  const std::string body = versioned_json(results, "results of " + results.experiment);
  return body.substr(0, body.size() - kBodyEnd.size()) + kSealStart + sha256_hex(body) + kSealEnd;
}

Results results_from_json(std::string_view text, std::string_view where) {
  const size_t seal_size = kSealStart.size() + kDigits + kSealEnd.size();
  const size_t seal_at = text.size() - std::min(seal_size, text.size());
  const bool sealed = text.substr(seal_at).starts_with(kSealStart) && text.ends_with(kSealEnd);
  const std::string body = sealed ? std::string(text.substr(0, seal_at)) + std::string(kBodyEnd) : std::string(text);
  const Json json = parse_json(body, where);
  check_schema_version(json, where);
  if (!sealed || text.substr(seal_at + kSealStart.size(), kDigits) != sha256_hex(body)) {
    throw DataError(std::string(where) +
                    ": the file must end with the SHA-256 of its content, but does not: it was changed after the run. "
                    "Make it anew with the run's command, which takes what was trained from the run folder.");
  }
  Results results;
  Reader(json, kRoot, where).read(results);
  return results;
}

std::string evaluation_to_json(const Evaluation& evaluation) {
  const std::string body = versioned_json(evaluation, "evaluation " + evaluation.evaluator);
  return kDigestStart + sha256_hex(body) + kDigestEnd + body.substr(kBodyStart.size());
}

Evaluation evaluation_from_json(std::string_view text, std::string_view where) {
  const size_t body_at = kDigestStart.size() + kDigits + kDigestEnd.size();
  const bool has_digest = text.size() > body_at && text.starts_with(kDigestStart) &&
                          text.substr(kDigestStart.size() + kDigits).starts_with(kDigestEnd);
  const std::string body = std::string(kBodyStart) + std::string(has_digest ? text.substr(body_at) : "");
  if (!has_digest || text.substr(kDigestStart.size(), kDigits) != sha256_hex(body)) {
    throw DataError(std::string(where) +
                    ": the file must be an evaluation with the SHA-256 that it states, but is not. " +
                    "Remove it and run the same command again.");
  }
  return read_versioned_json<Evaluation>(body, where);
}

}  // namespace bitnet
