#include "framework/experiment/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "framework/core/error.h"
#include "framework/experiment/report_format.h"
#include "tests/framework/experiment/sample_results.h"

namespace bitnet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Whether every element that is opened is closed in order (void elements and declarations aside): HTML as this report
/// writes it, and XML.
std::string first_unbalanced(const std::string& markup) {
  const std::vector<std::string> kVoid = {"meta", "br", "!DOCTYPE", "?xml"};
  std::vector<std::string> open;
  for (size_t at = markup.find('<'); at != std::string::npos; at = markup.find('<', at + 1)) {
    const size_t end = markup.find('>', at);
    if (end == std::string::npos) return "unclosed tag";
    const bool closing = markup[at + 1] == '/';
    const size_t name_begin = at + (closing ? 2 : 1);
    const std::string name = markup.substr(name_begin, markup.find_first_of(" >/\n", name_begin) - name_begin);
    if (std::find(kVoid.begin(), kVoid.end(), name) != kVoid.end() || markup[end - 1] == '/') continue;
    if (!closing) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name) {
      return "</" + name + "> at " + std::to_string(at);
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : "<" + open.back() + ">";
}

Results hostile_results() {
  Results results = sample_results();
  const std::string evil = "<script>alert('x')</script>&\"|`*_[a](b)\n";
  for (std::string* text : {&results.experiment, &results.description, &results.config_hash, &results.config_text,
                            &results.command, &results.dataset, &results.tokenizer, &results.environment_json}) {
    *text = evil;
  }
  results.overridden = {evil};
  results.data_sha256 = {{evil, evil}};
  for (VariantResult& variant : results.variants) {
    variant.name += evil;
    variant.linear = evil;
    for (SeedResult& seed : variant.seeds) {
      seed.initial_weights_sha256 = seed.final_weights_sha256 = evil;
      for (TernaryRecord& record : seed.ternary) record.layer += evil;
      for (Evaluation& evaluation : seed.evaluations) {
        evaluation.evaluator += evil, evaluation.convention = evil, evaluation.split = evil;
        for (Metric& metric : evaluation.metrics) metric.unit = evil;
        evaluation.metrics.push_back({evil, 1, evil, true});
      }
    }
  }
  results.baseline = results.variants[1].name;
  return results;
}

TEST(Report, SameResultsGiveTheSameBytes) {
  const Results results = sample_results({.seeds = {1, 2}});
  const Results again = results_from_json(results_to_json(results), "test");
  EXPECT_EQ(render_report_html(results), render_report_html(again));
  EXPECT_EQ(render_report_markdown(results), render_report_markdown(again));
  EXPECT_EQ(render_junit(results), render_junit(again));
}

TEST(Report, HtmlLoadsNothingAndRunsNothing) {
  const std::string html = render_report_html(sample_results());
  EXPECT_THAT(html, HasSubstr("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';"));
  for (const char* forbidden :
       {"<script", "<link", "<img", "<iframe", "src=", "@import", "url(", "http://", "https://", "javascript:"}) {
    EXPECT_THAT(html, Not(HasSubstr(forbidden)));
  }
}

TEST(Report, HtmlIsBalancedAndAccessible) {
  for (const bool floor : {true, false}) {
    const std::string html = render_report_html(sample_results({.seeds = {1, 2, 3}, .floor = floor}));
    EXPECT_EQ(first_unbalanced(html), "");
    for (const char* needed :
         {"<html lang=\"en\">", "<title>", "<header>", "<main>", "<nav aria-label=", "<footer>", "scope=\"col\"",
          "scope=\"row\"", "<caption>", "prefers-color-scheme:dark", "@media print"}) {
      EXPECT_THAT(html, HasSubstr(needed));
    }
    EXPECT_EQ(html.find("Entropy floor") != std::string::npos, floor);
  }
}

TEST(Report, HtmlHoldsEveryPartInOrder) {
  const std::string html = render_report_html(sample_results());
  size_t last = 0;
  for (const char* id :
       {"verdict", "deltas", "findings", "forest", "curves", "ternary", "facts", "provenance", "limits"}) {
    const size_t at = html.find(std::string("<h2 id=\"") + id + "\"");
    ASSERT_NE(at, std::string::npos) << id;
    EXPECT_GT(at, last) << id;
    last = at;
  }
  EXPECT_THAT(html, HasSubstr("needs improvement"));
  EXPECT_THAT(html, HasSubstr("BitNet wins on memory"));
  EXPECT_THAT(html, HasSubstr("One seed only"));
  EXPECT_THAT(html, HasSubstr("blas.core</code></th><td>SkylakeX"));
  EXPECT_THAT(html, HasSubstr("<span class=\"over\">  epochs: 3</span>"));
  EXPECT_THAT(html, HasSubstr("<span class=\"over\">      learning_rate: 0.0024</span>"));
  EXPECT_THAT(html, Not(HasSubstr("<span class=\"over\">      learning_rate: 0.0006</span>")));
}

TEST(Report, AccuraciesStandBesideChanceInPoints) {
  const Results results = sample_results({.choices = true});
  const std::string html = render_report_html(results);
  EXPECT_EQ(first_unbalanced(html), "");
  for (const char* needed :
       {"Floor or chance", "25.00\u00A0%<span class=\"small\">chance", "points against chance", "\u00A0points</span>",
        "Newcombe&#39;s paired score interval; McNemar&#39;s exact test: p", "; tinyworld&#39;s own questions"}) {
    EXPECT_THAT(html, HasSubstr(needed));
  }
  const std::string markdown = render_report_markdown(results);
  EXPECT_THAT(markdown, HasSubstr("| Floor or chance |"));
  EXPECT_THAT(markdown, HasSubstr("25.00\u00A0% (chance)"));
  EXPECT_THAT(markdown, HasSubstr("\u00A0points, n = 120, p "));
  const std::string junit = render_junit(results);
  for (const char* needed : {"delta_points", "interval_low_points", "mcnemar_p_value", "chance"}) {
    EXPECT_THAT(junit, HasSubstr(std::string("<property name=\"") + needed + "\" value=\""));
  }
  const std::string only_chance = render_report_html(sample_results({.floor = false, .choices = true}));
  EXPECT_THAT(only_chance, HasSubstr(">Chance</th>"));
}

TEST(Report, EverythingIsEscaped) {
  const Results results = hostile_results();
  const std::string html = render_report_html(results);
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_EQ(first_unbalanced(html), "");
  const std::string xml = render_junit(results);
  EXPECT_THAT(xml, Not(HasSubstr("<script")));
  EXPECT_EQ(first_unbalanced(xml), "");
  const std::string markdown = render_report_markdown(results);
  // The command stands in a fenced block, where markup is plain text; everywhere else it is escaped.
  EXPECT_THAT(markdown.substr(0, markdown.find("Reproduce")), Not(HasSubstr("<script")));
}

TEST(Report, OddResultsStillRender) {
  Results diverged = sample_results();
  for (TrainPoint& point : diverged.variants[0].seeds[0].curve) point.nats_per_token = std::nan("");
  for (Evaluation& evaluation : diverged.variants[0].seeds[0].evaluations) {
    for (Metric& metric : evaluation.metrics) metric.value = HUGE_VAL;
  }
  Results empty;
  empty.variants = {{"traditional", "float", 0, 0, 0, {}}};
  empty.baseline = "traditional";
  Results untrained = sample_results();
  for (VariantResult& variant : untrained.variants) {
    for (SeedResult& seed : variant.seeds) seed = SeedResult{};
  }
  for (const Results& results : {diverged, empty, untrained}) {
    EXPECT_EQ(first_unbalanced(render_report_html(results)), "");
    EXPECT_THAT(render_report_markdown(results), HasSubstr("Reproduce"));
    EXPECT_EQ(first_unbalanced(render_junit(results)), "");
  }
  EXPECT_THAT(render_report_html(diverged), HasSubstr("not finite"));
  EXPECT_THAT(render_report_html(empty), HasSubstr("nothing to compare"));
}

TEST(Report, AMissingBaselineIsAnErrorAndNoReport) {
  Results results = sample_results();
  results.baseline = "absent";
  EXPECT_THROW(render_report_html(results), DataError);
  EXPECT_THROW(render_report_markdown(results), DataError);
  EXPECT_THROW(render_junit(results), DataError);
}

TEST(Report, MarkdownIsATableWithListsAndTheCommand) {
  const std::string markdown = render_report_markdown(sample_results());
  EXPECT_THAT(
      markdown,
      HasSubstr(
          "| Category | Metric | BitNet | Traditional | Entropy floor | Delta | 95 % interval | Interpretation |"));
  EXPECT_THAT(
      markdown,
      HasSubstr("| Memory | Weights as served | 1.33\u00A0MB | 13.2\u00A0MB | \u2013 | \u25B2 +89.9\u00A0% better, "
                "9.90\u00D7 smaller | exact: counted, not measured | major win |"));
  EXPECT_THAT(markdown, HasSubstr("**Strengths**\n\n- BitNet's weights"));
  EXPECT_THAT(markdown, HasSubstr("**Deficiencies**\n\n- BitNet's perplexity"));
  EXPECT_THAT(markdown, HasSubstr("```sh\nscripts/run experiments/quickstart/experiment.yaml\n```"));
}

TEST(Report, JunitHasACaseAMetricAndExactNumbers) {
  const Results results = sample_results();
  const std::string xml = render_junit(results);
  EXPECT_THAT(xml, HasSubstr("<testsuites tests=\"7\" failures=\"0\" errors=\"0\">"));
  EXPECT_THAT(xml, HasSubstr("<testcase classname=\"quickstart.bitnet.perplexity-word\" name=\"word_perplexity\">"));
  EXPECT_THAT(xml, HasSubstr("<testcase classname=\"quickstart.bitnet.training\" name=\"weight_bytes\">"));
  const size_t at = xml.find("name=\"candidate\" value=\"");
  EXPECT_EQ(std::stod(xml.substr(at + 24)), results.variants[0].seeds[0].evaluations[0].metrics[0].value);
}

TEST(ReportFormat, NumbersHaveSensibleDigits) {
  EXPECT_EQ(format_significant(38.214, 4), "38.21");
  EXPECT_EQ(format_significant(9.9996, 4), "10.00");
  EXPECT_EQ(format_significant(0.00123456, 3), "0.00123");
  EXPECT_EQ(format_significant(123456, 4), "123456");
  EXPECT_EQ(format_significant(-2.5e-9, 3), "\u22122.50e-09");
  EXPECT_EQ(format_significant(std::nan(""), 3), "not finite");
  EXPECT_EQ(escape_markup("a\x01<\xEF\xBF\xBF\xEF\xBF\xBD>"), "a\uFFFD&lt;\uFFFD\uFFFD&gt;");
  EXPECT_EQ(escape_markdown("- @me > $x$"), "\\- @\u2060me &gt; \\$x\\$");
  EXPECT_EQ(format_signed(1.26, 1), "+1.3");
  EXPECT_EQ(format_signed(-1.26, 1), "\u22121.3");
  EXPECT_EQ(format_signed(-0.01, 1), "0.0");
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(format_count(-999), "\u2212999");
  EXPECT_EQ(format_bytes(999), "999\u00A0B");
  EXPECT_EQ(format_bytes(999600), "1.00\u00A0MB");
  EXPECT_EQ(format_bytes(2630000), "2.63\u00A0MB");
  EXPECT_EQ(format_duration(42.13), "42.1 s");
  EXPECT_EQ(format_duration(725), "12 min 5 s");
  EXPECT_EQ(format_duration(4320), "1 h 12 min");
  EXPECT_EQ(format_percent_delta(-0.456), "\u22120.46\u00A0%");
}

}  // namespace
}  // namespace bitnet
