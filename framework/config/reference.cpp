#include <string>

#include "framework/config/describe.h"
#include "framework/config/describe_gate.h"
#include "framework/config/resolve.h"
#include "framework/config/values.h"

namespace bitnet {
namespace {

template <typename Section, typename Value>
std::string type_text(const Field<Section, Value>& field) {
  if constexpr (Described<Value>) {
    return "section";
  } else if constexpr (std::is_enum_v<Value>) {
    std::string text;
    for (const std::string_view name : enum_names<Value>())
      text += (text.empty() ? "`" : ", `") + std::string(name) + "`";
    return text;
  } else if constexpr (std::is_same_v<Value, bool>) {
    return "`true`, `false`";
  } else if constexpr (std::is_same_v<Value, int64_t>) {
    return integer_text(field.range);
  } else if constexpr (std::is_same_v<Value, double>) {
    return number_text(field.range);
  } else if constexpr (std::is_same_v<Value, std::vector<int64_t>>) {
    return "list, each " + integer_text(field.range);
  } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
    return "list of names";
  } else {
    return field.text.accepts == nullptr ? "text" : std::string(field.text.expected);
  }
}

template <typename Value>
std::string default_text(const Value& value) {
  if constexpr (Described<Value>) {
    return "";
  } else if constexpr (std::is_enum_v<Value>) {
    return "`" + std::string(enum_name(value)) + "`";
  } else {
    const std::string text = value_text(value);
    return text == "\"\"" || text == "[]" ? "" : "`" + text + "`";
  }
}

template <Described Section>
std::string section_page(const std::string& heading) {
  std::string page = "\n## " + heading + "\n\n" + std::string(Description<Section>::kTitle) + "\n\n";
  page += "| key | legal values | default | meaning |\n|---|---|---|---|\n";
  const Section defaults{};
  Description<Section>::fields([&](const auto& field) {
    page += "| `" + std::string(field.key) + "`" + (field.identity ? "" : " \\*") + " | " + type_text(field) + " | " +
            (field.required ? "none: must be given" : default_text(defaults.*field.member)) + " | " +
            std::string(field.help) + " |\n";
  });
  return page;
}

}  // namespace

std::string reference_page() {
  std::string page =
      "# Configuration reference\n\n"
      "Generated from the descriptions in `framework/config/describe.h` and `describe_gate.h`; a test compares this "
      "page "
      "with them.\n\n"
      "An experiment composes blocks of this folder by name (`compose`), overrides their keys in sections of its own,\n"
      "and may be overridden by `--set a.b=c`, which comes last. A block `configs/FAMILY/NAME.yaml` holds the keys of "
      "one\n"
      "section. Sections `model`, `optimizer` and `start` of an experiment hold for all variants; those of\n"
      "`variants.NAME` for one. `evaluators.NAME` overrides the block of that name. Keys that another key "
      "makes\n"
      "unused are left out.\n\n"
      "Keys marked \\* change nothing in the results and are not part of a run's identity. In intervals, a round "
      "bracket\n"
      "excludes the end.\n";
  page += section_page<ExperimentConfig>("experiment");
  page += "| `model` | section | | Overrides for all variants. |\n";
  page += "| `optimizer` | section | | Overrides for all variants. |\n";
  page += "| `start` | section | | What all variants start from. |\n";
  page += "| `evaluators` | map of sections by name | | Overrides of the composed evaluators. |\n";
  page +=
      "| `variants` | map by name of sections `model`, `optimizer` and `start` | none: must be given | The twins. |\n";
  page += section_page<ComposeConfig>("compose");
  page += section_page<DatasetConfig>("dataset");
  page += section_page<TokenizerConfig>("tokenizer");
  page += section_page<ModelConfig>("model");
  page += section_page<OptimizerConfig>("optimizer");
  page += section_page<ScheduleConfig>("optimizer.schedule");
  page += section_page<StartConfig>("start");
  page += section_page<TrainerConfig>("trainer");
  page += section_page<EvaluatorConfig>("evaluators.NAME");
  page += section_page<GatePolicy>("gate policy");
  page += "| `margins` | map of sections by name | | See below. |\n";
  page += "| `targets` | map of sections by name | | See below. |\n";
  page += section_page<MarginRule>("margins.NAME, of a gate policy");
  page += section_page<TargetRule>("targets.NAME, of a gate policy");
  return page;
}

}  // namespace bitnet
