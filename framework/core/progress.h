#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bitnet {

/// Where long work reports how far it is. Libraries take one and never print; the program passes a terminal bar
/// (framework/app), tests pass the base class, which is silent.
class ProgressReporter {
 public:
  virtual ~ProgressReporter() = default;
  /// Starts a task of `total` units; `start_at` of them were done before (resumed work). One task at a time.
  virtual void start(std::string_view label, int64_t total, std::string_view unit, int64_t start_at = 0) {
    (void)label, (void)total, (void)unit, (void)start_at;
  }
  /// `done` of the total units are done; `note` is a short text such as "loss 2.31".
  virtual void update(int64_t done, std::string_view note = {}) { (void)done, (void)note; }
  virtual void finish() {}
  /// One line of information, between or during tasks.
  virtual void message(std::string_view text) { (void)text; }
  /// One line of warning.
  virtual void warning(std::string_view text) { (void)text; }
};

}  // namespace bitnet
