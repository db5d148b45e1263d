#include "framework/config/check.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>
#include <string_view>

#include "framework/core/text_template.h"

namespace bitnet {
namespace {

/// Where a broken rule is reported, and under which path.
struct Site {
  Place place;
  std::string path;
};

/// The key of these that was written last, in the highest layer; the section itself where none was written.
Site last_written(const Node& node, const std::string& path, std::initializer_list<std::string_view> keys) {
  const Entry* last = nullptr;
  for (const std::string_view key : keys) {
    const Entry* const entry = node.find(key);
    if (entry != nullptr && (last == nullptr || entry->place.layer > last->place.layer)) last = entry;
  }
  if (last == nullptr) return {node.place, join_path(path, *keys.begin())};
  return {last->place, last->path};
}

void check_perplexity(const EvaluatorConfig& config, const Node& node, const UnknownKeys& unknown,
                      const std::string& path, Problems* problems) {
  if (unknown.has("window")) return;
  const auto add = [&](std::initializer_list<std::string_view> keys, const std::string& rule) {
    const Site site = last_written(node, path, keys);
    problems->add(site.place, site.path + " must " + rule + ".");
  };
  if (config.window == 1) {
    add({"window"}, "be 0 or at least 2 (a window's first token is not scored), but is 1");
    return;
  }
  if (unknown.has("convention")) return;
  if (config.convention == PerplexityConvention::kChunks && config.window == 2) {
    add({"window", "convention"}, "be 0 or at least 3 where only the second half of a window is scored, but is 2");
  }
  const bool strides = config.convention == PerplexityConvention::kSliding && !unknown.has("stride");
  if (strides && config.window != 0 && config.stride > config.window) {
    add({"stride", "window"}, "make the stride at most the window, but the stride is " + std::to_string(config.stride) +
                                  " and the window " + std::to_string(config.window));
  }
}

void check_multiple_choice(const EvaluatorConfig& config, const Node& node, const UnknownKeys& unknown,
                           const std::string& path, Problems* problems) {
  const auto check_template = [&](std::string_view key, const std::string& text,
                                  std::span<const std::string_view> places) {
    if (unknown.has(key)) return;
    const std::string problem = template_problem(text, places);
    const bool is_filled =
        problem.empty() && fill_template(text, {{places.back(), "x"}}) != fill_template(text, {{places.back(), ""}});
    if (is_filled) return;
    const Site site = last_written(node, path, {key});
    problems->add(site.place, site.path + " must be text with the place {" + std::string(places.back()) + "}, but " +
                                  (problem.empty() ? "lacks it" : problem) + ".");
  };
  constexpr std::array<std::string_view, 1> kPromptPlaces = {"question"};
  constexpr std::array<std::string_view, 1> kContinuationPlaces = {"choice"};
  check_template("prompt", config.prompt, kPromptPlaces);
  check_template("continuation", config.continuation, kContinuationPlaces);
}

void check_code(const EvaluatorConfig& config, const Node& node, const UnknownKeys& unknown, const std::string& path,
                Problems* problems) {
  const auto add = [&](std::initializer_list<std::string_view> keys, const std::string& rule) {
    const Site site = last_written(node, path, keys);
    problems->add(site.place, site.path + " must " + rule + ".");
  };
  if (config.pass_at.empty()) add({"pass_at"}, "hold at least one k, but is empty");
  for (size_t i = 0; i < config.pass_at.size(); ++i) {
    const int64_t k = config.pass_at[i];
    if (unknown.has_any({"samples", "pass_at"}) || unknown.has("pass_at[" + std::to_string(i) + "]")) continue;
    if (k > config.samples) {
      add({"pass_at", "samples"}, "make every k at most the number of samples, but k is " + std::to_string(k) +
                                      " and samples is " + std::to_string(config.samples));
    }
    if (std::find(config.pass_at.begin(), config.pass_at.begin() + static_cast<int64_t>(i), k) !=
        config.pass_at.begin() + static_cast<int64_t>(i)) {
      add({"pass_at"}, "hold every k once, but holds " + std::to_string(k) + " again");
    }
  }
  if (!unknown.has_any({"samples", "temperature"}) && config.samples > 1 && config.temperature == 0) {
    add({"samples", "temperature"},
        "draw where there is more than one sample (temperature above 0: greedy ones are all the same), but samples "
        "is " +
            std::to_string(config.samples) + " and temperature is 0");
  }
  if (std::find(config.stop.begin(), config.stop.end(), "") != config.stop.end()) {
    add({"stop"}, "hold texts of at least one character, but one is empty");
  }
}

}  // namespace

void check_seeds(const std::vector<int64_t>& seeds, const Node& list, const UnknownKeys& unknown, Problems* problems) {
  if (unknown.has("seeds")) return;
  if (seeds.empty()) problems->add(list.place, "seeds must hold at least one seed, but is empty.");
  std::vector<int64_t> before;
  for (size_t i = 0; i < seeds.size(); ++i) {
    const std::string path = "seeds[" + std::to_string(i) + "]";
    if (unknown.has(path)) continue;
    if (std::find(before.begin(), before.end(), seeds[i]) != before.end()) {
      problems->add(list.items[i].place,
                    path + " must be unlike the others, but is " + std::to_string(seeds[i]) + " again.");
    }
    before.push_back(seeds[i]);
  }
}

void check_dataset(const DatasetConfig& config, bool trains, const Node& node, const UnknownKeys& unknown,
                   const std::string& path, Problems* problems) {
  if (unknown.has("source") || config.source != DatasetSource::kFiles) return;
  const auto require = [&](std::string_view key, const std::string& value) {
    if (unknown.has(key) || !value.empty()) return;
    const Entry* const entry = node.find(key);
    const Place& place = entry == nullptr ? node.place_of("source") : entry->place;
    problems->add(place, join_path(path, key) + " must be a catalog entry or a path where source is 'files', but is " +
                             (entry == nullptr ? "missing." : "empty."));
  };
  if (!trains) return;  // an evaluator that uses an absent split says so
  require("train", config.train);
  require("validation", config.validation);
  require("test", config.test);
}

void check_tokenizer(const TokenizerConfig& config, const Node& node, const UnknownKeys& unknown,
                     const std::string& path, Problems* problems) {
  if (unknown.has("kind") || unknown.has("model") || config.kind != TokenizerKind::kHuggingface) return;
  if (!config.model.empty()) return;
  const Site site = last_written(node, path, {"model", "kind"});
  problems->add(site.place, join_path(path, "model") +
                                " must be a catalog entry or a path where kind is 'huggingface', but is missing.");
}

void check_model(const ModelConfig& config, const Node& node, const UnknownKeys& unknown, const std::string& path,
                 Problems* problems) {
  const bool head_width_known = !unknown.has_any({"width", "heads"});
  if (head_width_known && config.width % config.heads != 0) {
    const Site site = last_written(node, path, {"width", "heads"});
    problems->add(site.place, site.path + " must make width a multiple of heads, but width is " +
                                  std::to_string(config.width) + " and heads is " + std::to_string(config.heads) + ".");
  } else if (head_width_known && (config.width / config.heads) % 2 != 0) {
    const Site site = last_written(node, path, {"width", "heads"});
    problems->add(site.place, site.path + " must make width / heads even (rotary positions turn pairs), but it is " +
                                  std::to_string(config.width / config.heads) + ".");
  }
  if (!unknown.has_any({"heads", "kv_heads"}) && config.heads % config.kv_heads != 0) {
    const Site site = last_written(node, path, {"kv_heads", "heads"});
    problems->add(site.place, site.path + " must make heads a multiple of kv_heads, but heads is " +
                                  std::to_string(config.heads) + " and kv_heads is " + std::to_string(config.kv_heads) +
                                  ".");
  }
}

void check_optimizer(const OptimizerConfig& config, const Node& node, const UnknownKeys& unknown,
                     const std::string& path, Problems* problems) {
  if (unknown.has_any({"schedule.kind", "schedule.warmup_fraction", "schedule.stage_two_at"})) return;
  const ScheduleConfig& schedule = config.schedule;
  if (schedule.kind != ScheduleKind::kTwoStage || schedule.warmup_fraction <= schedule.stage_two_at) return;
  const Entry* const entry = node.find("schedule");
  const Node& section = entry == nullptr ? node : entry->value;
  const Site site = last_written(section, join_path(path, "schedule"), {"warmup_fraction", "stage_two_at"});
  problems->add(site.place, site.path + " must make the warm-up end before the second stage starts, but it does not.");
}

void check_evaluator(const EvaluatorConfig& config, const Node& node, const UnknownKeys& unknown,
                     const std::string& path, Problems* problems) {
  if (unknown.has("kind")) return;
  switch (config.kind) {
    case EvaluatorKind::kPerplexity:
      check_perplexity(config, node, unknown, path, problems);
      break;
    case EvaluatorKind::kMultipleChoice:
      check_multiple_choice(config, node, unknown, path, problems);
      break;
    case EvaluatorKind::kCode:
      check_code(config, node, unknown, path, problems);
      break;
    case EvaluatorKind::kEfficiency:
      break;
  }
}

void check_window(const EvaluatorConfig& config, int64_t context, const Node& node, const UnknownKeys& unknown,
                  const std::string& path, Problems* problems) {
  if (unknown.has("kind")) return;
  const auto check = [&](std::string_view key, int64_t tokens) {
    if (unknown.has(key) || tokens <= context) return;
    const Site site = last_written(node, path, {key});
    problems->add(site.place, site.path + " must be at most the models' context, " + std::to_string(context) +
                                  " tokens, but is " + std::to_string(tokens) + ".");
  };
  if (config.kind == EvaluatorKind::kEfficiency) {
    check("prompt_tokens", config.prompt_tokens);
    check("generate_tokens", config.generate_tokens);
  }
  if (config.kind != EvaluatorKind::kPerplexity || unknown.has("window")) return;
  check("window", config.window);
  const bool strides = config.convention == PerplexityConvention::kSliding && config.window == 0;
  if (strides && !unknown.has("convention")) check("stride", config.stride);
}

}  // namespace bitnet
