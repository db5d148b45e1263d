#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "framework/core/progress.h"

namespace bitnet {

/// Progress on standard error: a bar with rate and remaining time on a terminal, else plain lines at most every
/// 10 seconds. Messages and warnings go through spdlog.
class ProgressBar : public ProgressReporter {
 public:
  ProgressBar();
  ~ProgressBar() override { finish(); }
  void start(std::string_view label, int64_t total, std::string_view unit, int64_t start_at = 0) override;
  void update(int64_t done, std::string_view note = {}) override;
  void finish() override;
  void message(std::string_view text) override;
  void warning(std::string_view text) override;

 private:
  using Clock = std::chrono::steady_clock;
  void show(bool last);
  void clear_line();

  bool terminal_;
  bool running_ = false;
  bool line_shown_ = false;
  std::string label_, unit_, note_;
  int64_t total_ = 0, start_at_ = 0, done_ = 0;
  Clock::time_point started_, shown_;
};

/// "1.23 M", "456 k": a count with three digits; below 10,000 all of it. "1:02:03" or "2:03": a time.
std::string short_count(double count);
std::string short_time(double seconds);

}  // namespace bitnet
