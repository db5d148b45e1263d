#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "framework/experiment/delta_text.h"
#include "framework/experiment/item_details.h"
#include "framework/experiment/report_format.h"
#include "framework/experiment/report_markup.h"
#include "framework/experiment/report_parts.h"

namespace bitnet {
namespace {

size_t pair_count(const ItemPairs& pairs) {
  return std::min(pairs.candidate_items.size(), pairs.baseline_items.size());
}

double outcome(const EvaluationItem& item, const std::string& metric) {
  const auto found = item.outcomes.find(metric);
  return found == item.outcomes.end() ? 0 : found->second;
}

/// The metrics whose outcome of every item is 0 or 1 for both models.
std::set<std::string> yes_or_no_metrics(const ItemPairs& pairs) {
  std::set<std::string> metrics;
  if (pairs.candidate_items.empty()) return metrics;
  for (const auto& [metric, value] : pairs.candidate_items.front().outcomes) metrics.insert(metric);
  for (const std::vector<EvaluationItem>* items : {&pairs.candidate_items, &pairs.baseline_items}) {
    for (const EvaluationItem& item : *items) {
      std::erase_if(metrics, [&](const std::string& metric) {
        const double value = outcome(item, metric);
        return value != 0 && value != 1;
      });
    }
  }
  return metrics;
}

/// How many items both, one alone, or none of the models gets right.
std::string agreement_table(const ItemPairs& pairs, const char* right) {
  const std::set<std::string> metrics = yes_or_no_metrics(pairs);
  if (metrics.empty()) return "";
  HtmlTable table;
  table.caption = "Who gets items of " + pairs.evaluator + " right: " + display_name(pairs.candidate) + " and " +
                  display_name(pairs.baseline);
  table.headers = {"Items that are " + std::string(right) + " by"};
  for (const std::string& metric : metrics) table.headers.push_back(escape_markup(metric_label(metric)));
  const auto add = [&](const std::string& name, bool of_candidate, bool of_baseline) {
    std::vector<std::string> row = {escape_markup(name)};
    for (const std::string& metric : metrics) {
      int64_t count = 0;
      for (size_t i = 0; i < pair_count(pairs); ++i) {
        count += (outcome(pairs.candidate_items[i], metric) == 1) == of_candidate &&
                         (outcome(pairs.baseline_items[i], metric) == 1) == of_baseline
                     ? 1
                     : 0;
      }
      const double share = static_cast<double>(count) / static_cast<double>(pair_count(pairs));
      row.push_back(format_count(count) + small_print(format_fixed(100 * share, 1) + "\u00A0%"));
    }
    table.rows.push_back(row);
  };
  add("both", true, true);
  add(display_name(pairs.candidate) + " alone", true, false);
  add(display_name(pairs.baseline) + " alone", false, true);
  add("neither", false, false);
  return html_table(table);
}

/// "3 of 128 ... are shown; ..." where not all are.
std::string shown_note(size_t shown, size_t all, const std::string& what) {
  const std::string counts =
      format_count(static_cast<int64_t>(shown)) + " of " + format_count(static_cast<int64_t>(all)) + " " + what;
  if (shown == all) return "<p class=\"note\">All " + format_count(static_cast<int64_t>(all)) + " " + what + ".</p>";
  return "<p class=\"note\">" + counts + " are shown here; the samples files of the run folder have all.</p>";
}

std::string right_or_wrong(bool right) {
  return right ? "<span class=\"tag better\">right</span> " : "<span class=\"tag worse\">wrong</span> ";
}

std::string answer_html(const ChoiceDetails& details) {
  const ChoiceDetails::Choice& sum = details.choices[details.chosen];
  std::string html = right_or_wrong(details.chosen == details.gold) + escape_markup(sum.text) +
                     small_print(format_fixed(sum.nats, 2) + " nats");
  if (details.chosen_norm == details.chosen) return html;
  const ChoiceDetails::Choice& normalized = details.choices[details.chosen_norm];
  html +=
      "<div class=\"second\">by length: " + right_or_wrong(details.chosen_norm == details.gold) +
      escape_markup(normalized.text) +
      small_print(format_fixed(normalized.nats / static_cast<double>(std::max<int64_t>(normalized.code_points, 1)), 3) +
                  " nats a character") +
      "</div>";
  return html;
}

std::string answers_html(const ChoiceDetails& details) {
  std::string html = "<ul class=\"answers\">";
  for (size_t i = 0; i < details.choices.size(); ++i) {
    const std::string text = escape_markup(details.choices[i].text);
    html += i == details.gold ? "<li><strong>" + text + "</strong> (right)</li>" : "<li>" + text + "</li>";
  }
  return html + "</ul>";
}

/// The kind of what became of a program: "failed: raised NameError" of "failed: raised NameError: name 'x' ...".
std::string result_kind(const std::string& result) {
  constexpr std::string_view kRaised = "raised ";
  const size_t raised = result.find(kRaised);
  const size_t from = raised == std::string::npos ? 0 : raised + kRaised.size();
  return result.substr(0, std::min(result.find(':', from), result.size()));
}

/// How many programs of each model came to what end.
std::string results_table(const ItemPairs& pairs) {
  constexpr size_t kMostKinds = 12;
  std::map<std::string, std::pair<int64_t, int64_t>> counts;  // candidate, baseline
  for (size_t i = 0; i < pair_count(pairs); ++i) {
    for (const bool candidate : {true, false}) {
      const auto details = code_details((candidate ? pairs.candidate_items : pairs.baseline_items)[i]);
      if (!details) continue;
      for (const CodeDetails::Completion& completion : details->completions) {
        auto& [of_candidate, of_baseline] = counts[result_kind(completion.result)];
        ++(candidate ? of_candidate : of_baseline);
      }
    }
  }
  std::vector<std::pair<std::string, std::pair<int64_t, int64_t>>> kinds(counts.begin(), counts.end());
  const auto sum = [](const auto& kind) { return kind.second.first + kind.second.second; };
  std::stable_sort(kinds.begin(), kinds.end(), [&](const auto& a, const auto& b) { return sum(a) > sum(b); });
  HtmlTable table;
  table.caption = "What became of the programs of " + pairs.evaluator + ": " + display_name(pairs.candidate) + " and " +
                  display_name(pairs.baseline);
  table.headers = {"Result", variant_chip(pairs.results, pairs.candidate), variant_chip(pairs.results, pairs.baseline)};
  std::pair<int64_t, int64_t> others = {0, 0};
  for (size_t i = 0; i < kinds.size(); ++i) {
    const auto& [candidate, baseline] = kinds[i].second;
    if (i < kMostKinds) {
      table.rows.push_back({escape_markup(kinds[i].first), format_count(candidate), format_count(baseline)});
    } else {
      others.first += candidate, others.second += baseline;
    }
  }
  if (kinds.size() > kMostKinds) {
    table.rows.push_back({"others", format_count(others.first), format_count(others.second)});
  }
  return html_table(table);
}

std::string program_html(const ItemPairs& pairs, const std::string& variant, const std::string& id,
                         const CodeDetails& details) {
  std::string html;
  for (const CodeDetails::Completion& completion : details.completions) {
    html +=
        "<p class=\"result\">" + variant_chip(pairs.results, variant) + " " +
        (completion.passed ? "<span class=\"tag better\">passed</span>" : "<span class=\"tag worse\">failed</span> ") +
        (completion.passed ? "" : escape_markup(completion.result)) + "</p>";
    if (!completion.text) continue;
    html += "<pre tabindex=\"0\" role=\"group\" aria-label=\"" +
            escape_markup("Program of " + display_name(variant) + " for " + id) + "\"><code><span class=\"prompt\">" +
            escape_markup(details.prompt) + "</span>" + escape_markup(*completion.text) + "</code></pre>";
  }
  if (details.left_out > 0) {
    html += "<p class=\"note\">" + format_count(details.left_out) + " more completions are in the samples file.</p>";
  }
  return html;
}

std::string passed_text(const CodeDetails& details) {
  const auto passed = std::count_if(details.completions.begin(), details.completions.end(),
                                    [](const CodeDetails::Completion& completion) { return completion.passed; });
  if (details.completions.size() == 1) return passed == 1 ? "passed" : result_kind(details.completions.front().result);
  return std::to_string(passed) + " of " + std::to_string(details.completions.size()) + " passed";
}

}  // namespace

std::string questions_view(const ItemPairs& pairs) {
  CardTable table;
  table.region = "Questions of " + pairs.evaluator + " that one of " + display_name(pairs.candidate) + " and " +
                 display_name(pairs.baseline) + " answers rightly";
  table.caption = "Both ways of choosing stand where they differ.";
  table.columns = {{"Question", "Question", ""},
                   {"Answers", "Answers", ""},
                   {display_name(pairs.candidate), variant_chip(pairs.results, pairs.candidate), ""},
                   {display_name(pairs.baseline), variant_chip(pairs.results, pairs.baseline), ""}};
  size_t flipped = 0;
  bool programs = false;
  for (size_t i = 0; i < pair_count(pairs); ++i) {
    const EvaluationItem& candidate = pairs.candidate_items[i];
    programs = programs || code_details(candidate).has_value();
    if (!outcomes_differ(candidate, pairs.baseline_items[i])) continue;
    ++flipped;
    const auto chosen = choice_details(candidate);
    const auto other = choice_details(pairs.baseline_items[i]);
    if (!chosen || !other) continue;
    const std::string question = chosen->question.empty() ? "Its text was not kept." : chosen->question;
    table.rows.push_back({escape_markup(question) + small_print(html_code(candidate.id)), answers_html(*chosen),
                          answer_html(*chosen), answer_html(*other)});
  }
  if (programs || pairs.candidate_items.empty() || pairs.candidate_items.front().outcomes.empty()) return "";
  const std::string note = shown_note(table.rows.size(), flipped, "questions on which the models' outcomes differ");
  if (table.rows.empty()) return agreement_table(pairs, "answered rightly") + note;
  return agreement_table(pairs, "answered rightly") + "<h4>Questions that part them</h4>" + note + card_table(table);
}

std::string programs_view(const ItemPairs& pairs) {
  std::string programs;
  bool any = false;
  size_t shown = 0;
  for (size_t i = 0; i < pair_count(pairs); ++i) {
    const auto candidate = code_details(pairs.candidate_items[i]);
    const auto baseline = code_details(pairs.baseline_items[i]);
    any = any || (candidate && baseline);
    if (!candidate || !baseline || candidate->completions.empty() || baseline->completions.empty() ||
        !candidate->completions.front().text) {
      continue;
    }
    ++shown;
    const std::string& id = pairs.candidate_items[i].id;
    programs += "<details class=\"program\"><summary>" + html_code(id) + " " +
                escape_markup(display_name(pairs.candidate) + ": " + passed_text(*candidate) + "; " +
                              display_name(pairs.baseline) + ": " + passed_text(*baseline)) +
                "</summary>" + program_html(pairs, pairs.candidate, id, *candidate) +
                program_html(pairs, pairs.baseline, id, *baseline) + "</details>";
  }
  if (!any) return "";
  return agreement_table(pairs, "solved") + results_table(pairs) + "<h4>Programs</h4>" +
         shown_note(shown, pair_count(pairs), "problems (those that part the models come before others)") + programs;
}

}  // namespace bitnet
