#include "framework/experiment/delta_text.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <optional>
#include <vector>

#include "framework/experiment/efficiency.h"
#include "framework/experiment/report_format.h"

namespace bitnet {
namespace {

std::string lower_first(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

std::string upper_first(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

/// "a", "a and b", "a, b and c".
std::string join_words(const std::vector<std::string>& words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

/// "5.2 % higher", "22 % lower", "1.6 points higher": the difference as the value moves, without better or worse.
std::string movement(const DeltaRow& row) {
  if (row.points) {
    const double change = row.candidate - row.baseline;
    return format_fixed(100 * std::fabs(change), 1) + "\u00A0points " + (change > 0 ? "higher" : "lower");
  }
  const double change = delta_percent(row.candidate, row.baseline, false);
  if (!std::isfinite(change)) return "not comparable in percent";
  const double size = std::fabs(change);
  return format_fixed(size, delta_decimals(size)) + "\u00A0% " + (change > 0 ? "higher" : "lower");
}

/// "2.69 against 2.54", the unit said once.
std::string both_values(const DeltaRow& row) {
  std::string first = format_metric(row.candidate, row.unit);
  const std::string unit = "\u00A0" + row.unit;
  if (first.ends_with(unit)) first.resize(first.size() - unit.size());
  return first + " against " + format_metric(row.baseline, row.unit);
}

/// "word perplexity is 5.2 % higher (38.2 against 36.3)".
std::string row_phrase(const DeltaRow& row) {
  const std::string times = times_smaller(row);
  const std::string verb = row.label.starts_with("Weights") ? " are " : " is ";
  return lower_first(row.label) + verb + (times.empty() ? movement(row) : times) + " (" + both_values(row) + ")";
}

/// What a model with a high figure of this speed does: "generates text"; nothing for other metrics.
std::string speed_verb(const std::string& metric) {
  if (metric == kGenerationSpeed) return "generates text";
  return metric == kPromptSpeed ? "reads prompts" : "";
}

/// "BitNet's word perplexity is 5.2 % higher (38.2 against 36.3)", "BitNet generates text 3.1× as fast (...)".
std::string clause(const DeltaRow& row, const std::string& candidate) {
  const std::string verb = speed_verb(row.metric);
  if (!verb.empty()) return candidate + " " + verb + " " + times_as_fast(row) + " (" + both_values(row) + ")";
  return (candidate == "it" ? "its" : candidate + "'s") + " " + row_phrase(row);
}

std::string where_measured(const DeltaRow& row) {
  return row.evaluator.empty() ? "" : " on " + data_phrase(row) + " (" + row.evaluator + ")";
}

/// One sentence for the rows of one evaluator (or one row of training) that point the same way.
std::string sentence(const std::vector<const DeltaRow*>& rows, const std::string& candidate) {
  const DeltaRow& first = *rows.front();
  std::string text = clause(first, candidate) + where_measured(first) + ": " + std::string(band_name(first.band));
  if (!interval_text(first).empty()) {
    text += ", 95 % interval of the delta " + interval_text(first);
  } else if (!first.exact) {
    text += ", " + first.method;
  }
  text += ".";
  std::vector<std::string> others;
  for (size_t i = 1; i < rows.size(); ++i) {
    others.push_back(lower_first(rows[i]->label) + " (" + delta_size_text(*rows[i]) + ")");
  }
  if (!others.empty()) text += " The same way: " + join_words(others) + ".";
  return text;
}

std::vector<std::string> sentences(const Comparison& comparison, int sign) {
  std::vector<std::string> texts;
  std::vector<const DeltaRow*> group;
  const std::string candidate = display_name(comparison.candidate);
  const auto flush = [&] {
    std::stable_partition(group.begin(), group.end(), [](const DeltaRow* row) { return !row->restated; });
    if (!group.empty()) texts.push_back(sentence(group, candidate));
    group.clear();
  };
  for (const DeltaRow& row : comparison.rows) {
    if (band_sign(row.band) != sign) continue;
    if (!group.empty() && (row.evaluator.empty() || row.evaluator != group.front()->evaluator ||
                           row.category != group.front()->category)) {
      flush();
    }
    group.push_back(&row);
  }
  flush();
  return texts;
}

std::string undecided_text(const Comparison& comparison, Band band) {
  std::vector<std::string> names;
  for (const DeltaRow& row : comparison.rows) {
    if (row.band != band) continue;
    names.push_back(lower_first(row.label) + (row.evaluator.empty() ? "" : " (" + row.evaluator + ")"));
  }
  return join_words(names);
}

/// What no list names: parity, not judged, not a number.
std::string undecided_note(const Comparison& comparison) {
  std::string text;
  const std::string parity = undecided_text(comparison, Band::kParity);
  const std::string unresolved = undecided_text(comparison, Band::kUnresolved);
  const std::string not_finite = undecided_text(comparison, Band::kNotFinite);
  if (!parity.empty()) text += "At parity: " + parity + ". ";
  if (!unresolved.empty()) text += "Measured without an interval, so not judged: " + unresolved + ". ";
  if (!not_finite.empty()) text += "Not a number, so that a training must have diverged: " + not_finite + ". ";
  if (!text.empty()) text.pop_back();
  return text;
}

std::string empty_list_note(const Comparison& comparison, const std::string& direction, size_t others) {
  if (comparison.rows.empty()) return "None: nothing was measured on both models.";
  std::string text = "None: in no metric is " + display_name(comparison.candidate) + " " + direction + " than " +
                     display_name(comparison.baseline) + ". ";
  const std::string undecided = undecided_note(comparison);
  if (!undecided.empty()) return text + undecided;
  return text + (others > 0 ? "All metrics point the other way." : "");
}

/// One measurement of each category that points one way, and how many of the category do.
std::string wins_text(const Comparison& comparison, int sign) {
  std::vector<std::string> parts;
  for (const char* category : {"Quality", "Memory", "Speed"}) {
    const Standing standing = standing_of(comparison, category);
    const DeltaRow* named = sign > 0 ? standing.best : standing.worst;
    if (named == nullptr) continue;
    const int64_t pointing = sign > 0 ? standing.better : standing.worse;
    const bool training_alone = named->category == "Speed" && standing.all == 1;
    std::string part = training_alone ? "training speed" : lower_first(category);
    part += of_all_text(pointing, standing.all);
    parts.push_back(part + ": " + clause(*named, sign > 0 ? "it" : display_name(comparison.candidate)));
  }
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) text += (i > 0 ? "; and on " : "") + parts[i];
  return text;
}

std::string verdict_of(const Comparison& comparison) {
  const std::string candidate = display_name(comparison.candidate);
  const std::string baseline = display_name(comparison.baseline);
  const std::string wins = wins_text(comparison, 1);
  const std::string losses = wins_text(comparison, -1);
  if (comparison.rows.empty()) return "Nothing was measured on both " + candidate + " and " + baseline + ".";
  std::string diverged = undecided_text(comparison, Band::kNotFinite);
  if (!diverged.empty()) diverged = "A training diverged: not a number is " + diverged + ".";
  if (wins.empty() && losses.empty()) {
    if (!diverged.empty()) return diverged;
    return "No metric tells " + candidate + " and " + baseline + " apart. " + undecided_note(comparison);
  }
  std::string text = diverged;
  if (!wins.empty()) text += (text.empty() ? "" : " ") + candidate + " wins on " + wins + ".";
  if (!losses.empty()) text += (text.empty() ? "" : " ") + baseline + " wins on " + losses + ".";
  return text;
}

}  // namespace

std::string display_name(std::string_view variant) {
  if (variant == "bitnet") return "BitNet";
  if (variant == "traditional") return "Traditional";
  return std::string(variant);
}

std::string metric_label(std::string_view metric) {
  if (metric == "acc") return "Accuracy";
  if (metric == "acc_norm") return "Length-normalized accuracy";
  if (metric == kGenerationSpeed) return "Generation speed";
  if (metric == kPromptSpeed) return "Prompt speed";
  if (metric == kModelMemory) return "Model memory";
  if (metric == "weight_bytes") return "Weights in memory";
  if (metric == "cache_bytes") return "Cache";
  std::string label(metric);
  std::replace(label.begin(), label.end(), '_', ' ');
  return upper_first(label);
}

std::string times_smaller(const DeltaRow& row) {
  if (row.category != "Memory" || !(row.candidate > 0) || !(row.baseline > 0)) return "";
  if (row.candidate == row.baseline) return "";
  const bool smaller = row.candidate < row.baseline;
  const double times = smaller ? row.baseline / row.candidate : row.candidate / row.baseline;
  return format_significant(times, 3) + "\u00D7 " + (smaller ? "smaller" : "larger");
}

std::string times_as_fast(const DeltaRow& row) {
  if (row.category != "Speed" || !std::isfinite(row.delta_percent)) return "";
  return format_significant(1 + row.delta_percent / 100, 3) + "\u00D7 as fast";
}

std::string data_phrase(const DeltaRow& row) {
  const bool is_split = row.split == "train" || row.split == "validation" || row.split == "test";
  return is_split ? "the " + row.split + " split" : row.split;
}

std::string points_text(double points) { return format_signed(points, 1) + "\u00A0points"; }

std::string delta_size_text(const DeltaRow& row) {
  const bool of_zero = row.points && !std::isfinite(row.delta_percent);
  return of_zero ? points_text(*row.points) : format_percent_delta(row.delta_percent);
}

std::string of_all_text(int64_t part, int64_t all) {
  return part == all ? "" : " in " + std::to_string(part) + " of " + std::to_string(all) + " measurements";
}

std::string reference_header(const Comparison& comparison) {
  const auto any = [&comparison](std::optional<double> DeltaRow::* member) {
    return std::any_of(comparison.rows.begin(), comparison.rows.end(),
                       [member](const DeltaRow& row) { return (row.*member).has_value(); });
  };
  const bool floor = any(&DeltaRow::floor);
  const bool chance = any(&DeltaRow::chance);
  if (floor && chance) return "Floor or chance";
  return floor ? "Entropy floor" : chance ? "Chance" : "";
}

std::string p_value_text(double p_value) { return p_value < 0.001 ? "p < 0.001" : "p = " + format_fixed(p_value, 3); }

std::string interval_text(const DeltaRow& row) {
  if (row.points_interval) {
    return format_signed(row.points_interval->low, 1) + " to " + format_signed(row.points_interval->high, 1) +
           "\u00A0points";
  }
  if (!row.interval_percent) return "";
  const Interval& interval = *row.interval_percent;
  const int decimals = delta_decimals(std::max(std::fabs(interval.low), std::fabs(interval.high)));
  return format_signed(interval.low, decimals) + " to " + format_signed(interval.high, decimals) + "\u00A0%";
}

void describe_comparison(Comparison& comparison) {
  comparison.strengths = sentences(comparison, 1);
  comparison.deficiencies = sentences(comparison, -1);
  if (comparison.strengths.empty()) {
    comparison.strengths_note = empty_list_note(comparison, "better", comparison.deficiencies.size());
  }
  if (comparison.deficiencies.empty()) {
    comparison.deficiencies_note = empty_list_note(comparison, "worse", comparison.strengths.size());
  }
  comparison.undecided =
      comparison.strengths.empty() || comparison.deficiencies.empty() ? "" : undecided_note(comparison);
  comparison.verdict = verdict_of(comparison);
}

}  // namespace bitnet
