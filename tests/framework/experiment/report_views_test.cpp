// The parts of the report that show items, repetitions, what a gate asks for, and the raw results.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "framework/core/base64.h"
#include "framework/experiment/item_details.h"
#include "framework/experiment/report.h"
#include "tests/framework/experiment/sample_results.h"

namespace bitnet {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// Adds an evaluator whose items have these details, one pair a call of `details(candidate, index)`.
template <typename Details>
void add_items(Results& results, const std::string& metric, size_t count, const Details& details) {
  for (size_t v = 0; v < 2; ++v) {
    Evaluation evaluation;
    evaluation.evaluator = "items";
    evaluation.version = 1;
    evaluation.convention = "made up";
    evaluation.split = "test";
    double right = 0;
    for (size_t i = 0; i < count; ++i) {
      const json json_details = details(v == 0, i);
      EvaluationItem item{"item-" + std::to_string(i), 1, 1};
      item.outcomes = {{metric, json_details.at("right").get<double>()}};
      right += item.outcomes.at(metric);
      item.details = json_details.dump();
      evaluation.items.push_back(item);
    }
    evaluation.metrics = {{metric, right / static_cast<double>(count), "accuracy", false}};
    results.variants[v].seeds[0].evaluations.push_back(evaluation);
  }
  keep_telling_details(results);
}

json made_question(const std::string& text, const std::string& answer, bool right) {
  return {{"right", right ? 1 : 0},
          {"question", text},
          {"gold", 0},
          {"chosen", right ? 0 : 1},
          {"chosen_norm", right ? 0 : 1},
          {"choices",
           {{{"text", answer}, {"nats", 1.0}, {"code_points", 3}},
            {{"text", "other"}, {"nats", 2.0}, {"code_points", 5}}}}};
}

json made_program(const std::string& completion, const std::string& result, bool right) {
  return {{"right", right ? 1 : 0},
          {"prompt", "def f():\n"},
          {"completions", {{{"completion", completion}, {"result", result}, {"passed", right}}}}};
}

TEST(ReportViews, TheFirstScreenSaysWhoWinsWhere) {
  const std::string html = render_report_html(sample_results({.efficiency = true}));
  const size_t winners = html.find("<div id=\"winners\">");
  ASSERT_NE(winners, std::string::npos);
  EXPECT_LT(winners, html.find("<p class=\"say\">"));
  const std::string text = html.substr(winners, html.find("<p class=\"say\">") - winners);
  EXPECT_THAT(text, HasSubstr("<span class=\"where\">Quality</span><strong>Traditional wins</strong>"));
  EXPECT_THAT(text,
              HasSubstr("<span class=\"where\">Memory</span><strong>BitNet wins in 3 of 4 measurements</strong>"));
  EXPECT_THAT(text, HasSubstr("5.00\u00D7 smaller"));
  EXPECT_THAT(text, HasSubstr("<span class=\"where\">Speed</span><strong>BitNet wins in 2 of 3 measurements</strong>"));
  EXPECT_THAT(html, HasSubstr("quickstart/3f2a9c0d5b7e4186</code>"));
}

TEST(ReportViews, ARunInPartsSaysInWhatTheyDiffer) {
  Results results = sample_results();
  json environment = json::parse(results.environment_json);
  json before = environment;
  before["commit"] = "0123456789ab";
  environment["earlier"] = {before};
  results.environment_json = environment.dump();
  EXPECT_THAT(render_report_html(results), HasSubstr("in parts by 2 builds or machines (not the same: commit); those"));
}

TEST(ReportViews, NotesStandBeforeEveryFigure) {
  Results results = sample_results();
  results.notes = {"RANDOM WEIGHTS & nothing else"};
  const std::string html = render_report_html(results);
  const size_t note = html.find("<p class=\"alert\">");
  ASSERT_NE(note, std::string::npos);
  EXPECT_LT(note, html.find("id=\"winners\""));
  EXPECT_THAT(html, HasSubstr("RANDOM WEIGHTS &amp; nothing else"));
}

TEST(ReportViews, QuestionsThatPartTheModelsAreShownAndEscaped) {
  Results results = sample_results();
  // Item 0 is flipped, item 1 both have right, item 2 both have wrong.
  add_items(results, "acc", 3, [](bool candidate, size_t i) {
    return made_question(i == 0 ? "Is <script>alert(1)</script> \"wet\"?" : "Not shown?", "<b>yes</b>",
                         i == 1 || (i == 0 && candidate));
  });
  const std::string html = render_report_html(results);
  EXPECT_THAT(html, HasSubstr("Is &lt;script&gt;alert(1)&lt;/script&gt; &quot;wet&quot;?"));
  EXPECT_THAT(html, HasSubstr("<strong>&lt;b&gt;yes&lt;/b&gt;</strong> (right)"));
  EXPECT_THAT(html, HasSubstr("<span class=\"tag better\">right</span> &lt;b&gt;yes&lt;/b&gt;"));
  EXPECT_THAT(html, HasSubstr("<span class=\"tag worse\">wrong</span> other"));
  EXPECT_THAT(html, Not(HasSubstr("Not shown?")));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, HasSubstr("<th scope=\"row\">BitNet alone</th><td>1<span class=\"small\">33.3"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"row\">neither</th><td>1<span"));
}

TEST(ReportViews, WhatIsNotShownIsSaid) {
  Results results = sample_results();
  add_items(results, "acc", 90, [](bool candidate, size_t) { return made_question("Why?", "so", candidate); });
  EXPECT_THAT(render_report_html(results),
              HasSubstr("40 of 90 questions on which the models' outcomes differ are shown here"));
  for (VariantResult& variant : results.variants) {
    for (EvaluationItem& item : variant.seeds[0].evaluations.back().items) item.details.clear();
  }
  EXPECT_THAT(render_report_html(results), HasSubstr("0 of 90 questions"));
}

TEST(ReportViews, ProgramsStandWithTheirErrorsAndEscaped) {
  Results results = sample_results();
  add_items(results, "pass@1", 2, [](bool candidate, size_t) {
    return candidate
               ? made_program("    </pre><img src=x onerror=alert(1)>", "failed: raised NameError: <i>x</i>", false)
               : made_program("    return 1", "passed", true);
  });
  const std::string html = render_report_html(results);
  EXPECT_THAT(html, HasSubstr("<span class=\"prompt\">def f():\n</span>    &lt;/pre&gt;&lt;img src=x"));
  EXPECT_THAT(html, HasSubstr("failed: raised NameError: &lt;i&gt;x&lt;/i&gt;"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"row\">failed: raised NameError</th><td>2</td><td>0</td>"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"row\">passed</th><td>0</td><td>2</td>"));
  EXPECT_THAT(html, HasSubstr("Traditional: passed</summary>"));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
}

TEST(ReportViews, LossesOfItemsAreScatteredWithTheirExtremes) {
  const std::string html = render_report_html(sample_results());
  EXPECT_THAT(html, HasSubstr("Loss of every item: BitNet against Traditional"));
  EXPECT_THAT(html, HasSubstr("of 60 items. Each dot is a window or page"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"row\">median: <code>"));
}

TEST(ReportViews, EveryTurnIsADotAndMemoryIsStacked) {
  const std::string html = render_report_html(sample_results({.efficiency = true}));
  const size_t begin = html.find("id=\"speed0-generation-wide-t\"");
  ASSERT_NE(begin, std::string::npos);
  const std::string chart = html.substr(begin, html.find("</svg>", begin) - begin);
  EXPECT_EQ(count_of(chart, "class=\"dot s0\""), 10u);
  EXPECT_EQ(count_of(chart, "class=\"dot s1\""), 10u);
  EXPECT_EQ(count_of(chart, "class=\"middle s"), 2u);
  EXPECT_THAT(html, HasSubstr("Generation speed (efficiency), every turn, tokens per second"));
  // 1,332,224 bytes as served, of which (3,297,536 - 3,162,112) * 4 = 541,696 are no ternary weights.
  EXPECT_THAT(html, HasSubstr("<td>791\u00A0kB</td><td>542\u00A0kB</td><td>1.33\u00A0MB</td>"));
  // 20,020,000 bytes at the peak: 18 MB of weights, 1 MB of cache, the rest.
  EXPECT_THAT(html, HasSubstr("<td>1.00\u00A0MB</td><td>1.02\u00A0MB</td><td>20.0\u00A0MB</td>"));
  EXPECT_THAT(render_report_html(sample_results()), HasSubstr("of inference were not measured in this run"));
}

TEST(ReportViews, WhatAGateAsksForIsDrawnAndListed) {
  const Results results = sample_results();
  EXPECT_THAT(render_report_html(results), Not(HasSubstr("class=\"bound\"")));
  const std::string html = render_report_html(results, {{"bitnet", "perplexity-word", "word_perplexity", -7.5},
                                                        {"bitnet", "perplexity-word", "word_perplexity", -9},
                                                        {"bitnet", "", "weight_bytes", 50},
                                                        {"another", "", "weight_bytes", 60}});
  EXPECT_EQ(count_of(html, "class=\"bound\""), 4u);  // two metrics in two shapes
  EXPECT_THAT(html, HasSubstr("<th scope=\"col\">The gate asks for</th>"));
  EXPECT_THAT(html, HasSubstr("<td>\u22127.50</td>"));
  EXPECT_THAT(html, HasSubstr("<td>+50.00</td>"));
  EXPECT_THAT(html, HasSubstr("the least that the gate"));
}

TEST(ReportViews, TheRawResultsAreInThePage) {
  const Results results = sample_results({.choices = true, .efficiency = true});
  const std::string html = render_report_html(results);
  const std::string link = "<a id=\"results-json\" download=\"results.json\" href=\"data:application/json;base64," +
                           base64_encode(results_to_json(results)) + "\">";
  EXPECT_EQ(count_of(html, link), 1u);
  EXPECT_EQ(count_of(html, "id=\"results-json\""), 1u);
}

TEST(ReportViews, EveryChartHasATableOfItsNumbers) {
  const std::string html = render_report_html(sample_results({.seeds = {1, 2}, .choices = true, .efficiency = true}));
  size_t charts = 0;
  for (size_t at = html.find("<div class=\"chart\">"); at != std::string::npos;
       at = html.find("<div class=\"chart\">", at + 1)) {
    const size_t end = html.find("</details>", at);
    const std::string chart = html.substr(at, end - at);
    EXPECT_THAT(chart, HasSubstr("<summary>Numbers</summary><div class=\"scroll\""));
    EXPECT_EQ(count_of(chart, "role=\"img\""), 2u) << "wide and narrow";
    ++charts;
  }
  EXPECT_EQ(count_of(html, "role=\"img\""), 2 * charts) << "a chart outside";
  EXPECT_GE(charts, 12u);
}

TEST(ReportViews, ManyQuestionsStaySmallAndTheSameBytes) {
  Results results = sample_results();
  const std::string text(1200, 'q');
  add_items(results, "acc", 2376,
            [&](bool candidate, size_t i) { return made_question(text, text, (i + (candidate ? 0 : 1)) % 2 == 0); });
  const std::string html = render_report_html(results);
  EXPECT_LT(html.size(), 5'000'000u);
  EXPECT_EQ(html, render_report_html(results_from_json(results_to_json(results), "test")));
}

}  // namespace
}  // namespace bitnet
