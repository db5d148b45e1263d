#include "framework/app/progress_bar.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace bitnet {
namespace {

constexpr std::chrono::milliseconds kTerminalInterval{200};
constexpr std::chrono::seconds kLineInterval{10};
constexpr int64_t kBarWidth = 24;

size_t terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string short_count(double count) {
  // The bounds are those of rounding: what would show as "1000 k" is "1.00 M".
  if (count < 9999.5) return fmt::format("{:.0f}", count);
  const char* suffix = " k";
  if (count >= 999.5e6) {
    count /= 1e9, suffix = " G";
  } else if (count >= 999.5e3) {
    count /= 1e6, suffix = " M";
  } else {
    count /= 1e3;
  }
  return fmt::format("{:.{}f}{}", count, count >= 99.95 ? 0 : count >= 9.995 ? 1 : 2, suffix);
}

std::string short_time(double seconds) {
  const auto whole = static_cast<int64_t>(std::max(0.0, seconds) + 0.5);
  const int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60)
                   : fmt::format("{}:{:02}", minutes, whole % 60);
}

ProgressBar::ProgressBar() : terminal_(isatty(STDERR_FILENO) != 0) {}

void ProgressBar::start(std::string_view label, int64_t total, std::string_view unit, int64_t start_at) {
  finish();
  label_ = label, unit_ = unit, note_.clear();
  total_ = total, start_at_ = start_at, done_ = start_at;
  started_ = shown_ = Clock::now();
  running_ = true;
}

void ProgressBar::update(int64_t done, std::string_view note) {
  if (!running_) return;
  done_ = done;
  note_ = note;
  const Clock::time_point now = Clock::now();
  if (terminal_ ? now - shown_ < kTerminalInterval : now - shown_ < kLineInterval) return;
  shown_ = now;
  show(/*last=*/false);
}

void ProgressBar::finish() {
  if (!running_) return;
  show(/*last=*/true);
  running_ = false;
}

void ProgressBar::show(bool last) {
  const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  const double rate = seconds > 0 ? static_cast<double>(done_ - start_at_) / seconds : 0;
  const double share = total_ > 0 ? static_cast<double>(done_) / static_cast<double>(total_) : 1.0;
  const std::string time = last       ? "in " + short_time(seconds)
                           : rate > 0 ? short_time(static_cast<double>(total_ - done_) / rate) + " left"
                                      : "";
  std::string text = fmt::format("{:3.0f} %  {} {}/s  {}{}{}", share * 100, short_count(rate), unit_, time,
                                 note_.empty() ? "" : "  ", note_);
  if (!terminal_) {
    fmt::print(stderr, "{}: {}\n", label_, text);
  } else {
    const auto filled = std::clamp<int64_t>(static_cast<int64_t>(share * kBarWidth), 0, kBarWidth);
    text = fmt::format("{} [{}{}] {}", label_, std::string(static_cast<size_t>(filled), '#'),
                       std::string(static_cast<size_t>(kBarWidth - filled), '.'), text);
    fmt::print(stderr, "\r{}\x1b[K{}", text.substr(0, terminal_columns() - 1), last ? "\n" : "");
    line_shown_ = !last;
  }
  std::fflush(stderr);
}

void ProgressBar::clear_line() {
  if (line_shown_) fmt::print(stderr, "\r\x1b[K");
  line_shown_ = false;
}

void ProgressBar::message(std::string_view text) {
  clear_line();
  spdlog::info("{}", text);
}

void ProgressBar::warning(std::string_view text) {
  clear_line();
  spdlog::warn("{}", text);
}

}  // namespace bitnet
