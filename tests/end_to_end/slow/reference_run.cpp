#include "tests/end_to_end/slow/reference_run.h"

#include <signal.h>

#include <stdexcept>

namespace bitnet::end_to_end {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<ReferenceRun> make_reference_run() {
  auto run = std::make_unique<ReferenceRun>();
  run->result = run->lab.bitnet(run->lab.run_words("runs"));
  if (run->result.exit_code != 0) throw std::runtime_error("the reference run failed:\n" + run->result.err);
  run->folder = run->lab.run_folder("runs");
  run->content = lasting_content(run->folder);
  return run;
}

std::unique_ptr<InterruptedRun> make_interrupted_run() {
  auto run = std::make_unique<InterruptedRun>();
  run->folder = future_run_folder(run->lab, "runs");
  Process process(bitnet_command(run->lab.run_words("runs")), run->lab.options());
  if (!wait_until([&] { return steps_logged(run->folder) >= 10 || !process.running(); })) {
    throw std::runtime_error("the run to interrupt did not train");
  }
  process.send(SIGTERM);
  if (process.wait().signal != SIGTERM) throw std::runtime_error("the run was not interrupted");
  return run;
}

}  // namespace

const ReferenceRun& reference_run() {
  static const std::unique_ptr<ReferenceRun> run = make_reference_run();
  return *run;
}

const InterruptedRun& interrupted_run() {
  static const std::unique_ptr<InterruptedRun> run = make_interrupted_run();
  return *run;
}

fs::path copy_run(const fs::path& folder, const Lab& lab, const std::string& out) {
  const fs::path copy = lab.path(out) / folder.parent_path().filename() / folder.filename();
  fs::create_directories(copy.parent_path());
  fs::copy(folder, copy, fs::copy_options::recursive);
  return copy;
}

fs::path future_run_folder(const Lab& lab, const std::string& out) {
  const fs::path& folder = reference_run().folder;
  return lab.path(out) / folder.parent_path().filename() / folder.filename();
}

}  // namespace bitnet::end_to_end
