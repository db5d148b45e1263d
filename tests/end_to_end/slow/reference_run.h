#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "tests/end_to_end/lab.h"

namespace bitnet::end_to_end {

/// The tiny experiment, run once without interruption. Other runs are compared with it.
struct ReferenceRun {
  Lab lab;
  ProcessResult result;
  std::filesystem::path folder;
  std::map<std::string, std::string> content;  ///< lasting_content
};

/// Made at the first call.
const ReferenceRun& reference_run();

/// What a run left that SIGTERM ended in the middle of the bitnet's training: its checkpoint is there.
struct InterruptedRun {
  Lab lab;
  std::filesystem::path folder;
};

/// Made at the first call, with the settings of the reference run.
const InterruptedRun& interrupted_run();

/// Copies a run folder, so that `lab` finds it as its own run below `out`. Returns the copy's path.
std::filesystem::path copy_run(const std::filesystem::path& folder, const Lab& lab, const std::string& out);

/// Where the only run folder of `lab` below `out` is going to be; the name is that of the reference run.
std::filesystem::path future_run_folder(const Lab& lab, const std::string& out);

}  // namespace bitnet::end_to_end
