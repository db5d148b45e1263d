#pragma once

#include <functional>

#include "framework/core/progress.h"

namespace bitnet {

/// Does long work that saves its state where it is asked to stop. `work` takes what it must ask and returns the exit
/// code. The first SIGINT or SIGTERM asks for a stop, after which the program ends by that signal; a second one ends it
/// at once.
int until_stopped(ProgressReporter& progress, const std::function<int(const std::function<bool()>& should_stop)>& work);

}  // namespace bitnet
