#include "framework/experiment/bench_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "framework/config/enum_names.h"
#include "framework/experiment/report_format.h"

namespace bitnet {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDigits = 4;

std::string range_text(const std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return fmt::format("{} to {}", format_significant(*least, kDigits), format_significant(*most, kDigits));
}

std::string limit_text(const SpeedLimit& limit) {
  const std::string giga = format_significant(limit.value / 1e9, kDigits);
  return limit.unit == "bytes/s" ? fmt::format("read {} GB/s", giga)
                                 : fmt::format("{} {} GMAC/s", limit.kind == "int8_rate" ? "int8" : "float32", giga);
}

double memory_of(const BenchRow& row) { return static_cast<double>(model_memory(row)); }

/// What stands first in the list of forms against each other form, test by test.
std::string ratios_markdown(const BenchResult& result) {
  std::string text;
  for (size_t r = 0; r < result.rows.size(); ++r) {
    const BenchRow& row = result.rows[r];
    const auto first = std::find_if(result.rows.begin(), result.rows.end(),
                                    [&](const BenchRow& other) { return other.test == row.test; });
    if (&*first == &row) continue;
    const std::vector<double> ratios = ratios_of(first->samples, row.samples);
    text += fmt::format("| {} / {} | {} | {} | {} | {} |\n", form_name(first->linear), form_name(row.linear), row.test,
                        format_significant(median(ratios), kDigits), range_text(ratios),
                        format_significant(memory_of(*first) / memory_of(row), kDigits));
  }
  if (text.empty()) return "";
  return "\n| same-run ratio | test | tokens/s, median of the pairs | range | model memory "
         "|\n|---|---|---:|---|---:|\n" +
         text;
}

/// A field of a line of CSV (RFC 4180).
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

std::string bench_markdown(const BenchResult& result) {
  std::string text =
      fmt::format("{}, {} {}, kernel {}, BLAS core {}, {}\n\n", escape_markdown(result.rows.front().model),
                  result.machine.threads, result.machine.threads == 1 ? "thread" : "threads", result.machine.kernel,
                  escape_markdown(result.machine.blas_core), escape_markdown(result.machine.cpu));
  text +=
      "| linear | head | test | tokens/s, median | range | share of limit | limit | weights | cache | peak memory | of "
      "it the model's |\n"
      "|---|---|---|---:|---|---:|---|---:|---:|---:|---:|\n";
  for (const BenchRow& row : result.rows) {
    text += fmt::format(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", form_name(row.linear), enum_name(row.head),
        row.test, format_significant(row.median_tokens_per_second, kDigits), range_text(row.samples),
        row.share_of_limit ? format_fixed(*row.share_of_limit * 100, 1) + " %" : "\u2013",
        row.limit ? limit_text(*row.limit) : "not measured", format_bytes(static_cast<double>(row.weight_bytes)),
        format_bytes(static_cast<double>(row.cache_bytes)), format_bytes(static_cast<double>(row.peak_rss_bytes)),
        format_bytes(memory_of(row)));
  }
  return text + ratios_markdown(result);
}

std::string bench_json(const BenchResult& result) {
  Json array = Json::array();
  for (const BenchRow& row : result.rows) {
    Json object = {
        {"model", row.model},
        {"linear", form_name(row.linear)},
        {"head", enum_name(row.head)},
        {"test", row.test},
        {"threads", result.machine.threads},
        {"median_tokens_per_second", row.median_tokens_per_second},
        {"samples", row.samples},
        {"peak_rss_bytes", row.peak_rss_bytes},
        {"base_rss_bytes", row.base_rss_bytes},
        {"weight_bytes", row.weight_bytes},
        {"cache_bytes", row.cache_bytes},
        {"share_of_limit", nullptr},
        {"limit", nullptr},
        {"kernel", result.machine.kernel},
        {"cpu", result.machine.cpu},
        {"blas_core", result.machine.blas_core},
    };
    if (row.share_of_limit) object["share_of_limit"] = *row.share_of_limit;
    if (row.limit) {
      object["limit"] = {{"kind", row.limit->kind},
                         {"value", row.limit->value},
                         {"unit", row.limit->unit},
                         {"before", row.limit->before},
                         {"after", row.limit->after}};
    }
    array.push_back(std::move(object));
  }
  return array.dump(2) + "\n";
}

std::string bench_csv(const BenchResult& result) {
  std::string text =
      "model,linear,head,test,threads,repetition,tokens_per_second,peak_rss_bytes,base_rss_bytes,weight_bytes,cache_"
      "bytes\n";
  for (const BenchRow& row : result.rows) {
    for (size_t i = 0; i < row.samples.size(); ++i) {
      text += fmt::format("{},{},{},{},{},{},{},{},{},{},{}\n", csv_field(row.model), form_name(row.linear),
                          enum_name(row.head), row.test, result.machine.threads, i + 1, row.samples[i],
                          row.peak_rss_bytes, row.base_rss_bytes, row.weight_bytes, row.cache_bytes);
    }
  }
  return text;
}

}  // namespace bitnet
