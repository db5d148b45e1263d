#include "framework/evaluate/work_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/strict_json.h"

namespace bitnet {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kRunKey = "run";

[[noreturn]] void fail(const std::string& where, const std::string& expected, const std::string& found) {
  throw DataError(where + ": the file of unfinished work must " + expected + ", but " + found +
                  ". Remove it; the work is then done again.");
}

std::string line_text(ordered_json line, const std::string& run) {
  line[kRunKey] = run;
  return line.dump() + "\n";
}

}  // namespace

WorkLog::WorkLog(fs::path path, std::string run) : path_(std::move(path)), run_(std::move(run)) {
  if (path_.empty()) return;
  const std::string text = fs::exists(path_) ? read_file(path_) : "";
  std::string kept;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;  // cut off by a kill
    const std::string line = text.substr(begin, end - begin);
    const std::string where = path_.string() + ":" + std::to_string(lines_.size() + 1);
    const json object = parse_strict_json(line, where, "the line");
    if (!object.is_object() || !object.contains(kRunKey) || !object.at(kRunKey).is_string()) {
      fail(where, "name its run in each line", "this one does not");
    }
    if (object.at(kRunKey) != run_) {
      lines_.clear();
      kept.clear();
      break;
    }
    lines_.push_back(line);
    kept += line + "\n";
    begin = end + 1;
  }
  if (kept != text || !fs::exists(path_)) write_file_atomic(path_, kept);
  file_ = Descriptor(open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!file_.open()) fail(path_.string(), "be one that can be written", std::string(std::strerror(errno)));
}

std::vector<json> WorkLog::kept(const std::vector<std::string>& text_keys,
                                const std::vector<std::string>& number_keys) const {
  std::vector<json> objects;
  for (const std::string& line : lines_) {
    objects.push_back(json::parse(line));
    const std::string where = path_.string() + ":" + std::to_string(objects.size());
    const json& object = objects.back();
    for (const std::string& key : text_keys) {
      if (!object.contains(key) || !object.at(key).is_string()) {
        fail(where, "have the text \"" + key + "\" in each line", "this one does not");
      }
    }
    for (const std::string& key : number_keys) {
      if (!object.contains(key) || !object.at(key).is_number_integer() || object.at(key) < 0) {
        fail(where, "have the whole number \"" + key + "\" in each line", "this one does not");
      }
    }
  }
  return objects;
}

void WorkLog::add(const ordered_json& line) {
  if (path_.empty()) return;
  const std::string text = line_text(line, run_);
  // One write a line: a kill leaves whole lines and at most one part.
  for (size_t written = 0; written < text.size();) {
    const ssize_t count = write(file_.number(), text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path_.string(), "be one that can be written", std::string(std::strerror(errno)));
    written += static_cast<size_t>(count);
  }
}

void WorkLog::replace(const std::vector<ordered_json>& lines) {
  if (path_.empty()) return;
  std::string text;
  for (const ordered_json& line : lines) text += line_text(line, run_);
  write_file_atomic(path_, text);
  file_ = Descriptor(open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
}

}  // namespace bitnet
