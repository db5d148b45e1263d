#include "framework/app/until_stopped.h"

#include <atomic>
#include <csignal>

#include "framework/train/train_loop.h"

namespace bitnet {
namespace {

std::atomic<int> stop_signal{0};

void on_signal(int signal) {
  stop_signal = signal;
  std::signal(signal, SIG_DFL);
}

}  // namespace

int until_stopped(ProgressReporter& progress,
                  const std::function<int(const std::function<bool()>& should_stop)>& work) {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  try {
    return work([] { return stop_signal != 0; });
  } catch (const Interrupted&) {
    progress.warning("stopped; a checkpoint was saved and the same command resumes");
    std::raise(stop_signal);  // the handler is the default one again: the caller sees the signal
    return 1;
  }
}

}  // namespace bitnet
