#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/core/base64.h"
#include "framework/core/file.h"
#include "tests/end_to_end/slow/reference_run.h"

// A published run, run again.

namespace bitnet::end_to_end {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> words(const Lab& lab, const std::string& published,
                               const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = {"reproduce", published, "--out", lab.path("again").string()};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string reference_results() { return (reference_run().folder / "results.json").string(); }

TEST(Reproduce, GivesTheSameBits) {
  const Lab lab;
  const ProcessResult result = lab.bitnet(words(lab, reference_results()));
  EXPECT_EQ(result.exit_code, 0) << result.err << result.out;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("as published\nbitnet, seed 1: the same initial weights; 45 points of the curve "
                              "to step 45 identical; the same final weights\n"),
                    EndsWith("IDENTICAL: all that was compared has the same bits.\n")));
  EXPECT_THAT(differences(lasting_content(lab.run_folder("again")), reference_run().content), IsEmpty());
  EXPECT_EQ(read_file(lab.run_folder("again") / "reproduction.txt"), result.out);
  // What is there is not taken for computed anew.
  expect_one_error(lab.bitnet(words(lab, reference_results())), 4, "must hold no finished run");
}

TEST(Reproduce, TakesAReportThatHoldsItsResults) {
  const Lab lab;
  const fs::path report = lab.path("report.html");
  write_file_atomic(report,
                    "<!doctype html><a id=\"results-json\" download=\"results.json\" "
                    "href=\"data:application/json;base64," +
                        base64_encode(read_file(reference_results())) + "\">x</a>");
  const ProcessResult result = lab.bitnet(words(lab, report.string(), {"--stop-after-steps", "5"}));
  EXPECT_EQ(result.exit_code, 0) << result.err << result.out;
  EXPECT_THAT(result.out, HasSubstr("traditional, seed 1: the same initial weights; 5 points of the curve to step 5"));
}

TEST(Reproduce, TheFirstStepsAreThoseOfTheWholeSchedule) {
  const Lab lab;
  const ProcessResult result = lab.bitnet(words(lab, reference_results(), {"--stop-after-steps", "20"}));
  EXPECT_EQ(result.exit_code, 0) << result.err << result.out;
  EXPECT_THAT(result.out, AllOf(HasSubstr("20 points of the curve to step 20 identical\n"),
                                EndsWith("IDENTICAL so far: the first steps have the same bits.\n")));
  const fs::path folder = lab.run_folder("again");
  EXPECT_FALSE(fs::exists(folder / "results.json"));
  EXPECT_TRUE(fs::exists(folder / "bitnet" / "seed-1" / "checkpoint.safetensors"));
}

TEST(Reproduce, SaysWhereAnotherTrainingLeavesThePublishedOne) {
  const Lab lab;
  const ProcessResult result = lab.bitnet(words(
      lab, reference_results(), {"--set", "variants.bitnet.optimizer.learning_rate=0.002", "--stop-after-steps", "6"}));
  EXPECT_EQ(result.exit_code, 1) << result.err << result.out;
  EXPECT_THAT(
      result.out,
      AllOf(HasSubstr("OTHER THAN PUBLISHED"), HasSubstr("THE CURVES DIFFER from step 1 on"),
            HasSubstr("traditional, seed 1: the same initial weights; 6 points of the curve to step 6 identical"),
            EndsWith("DIFFERENT.\n")));
}

TEST(Reproduce, WrongSettingsAndFilesAreRefused) {
  const Lab lab;
  expect_one_error(lab.bitnet(words(lab, reference_results(), {"--set", "trainer.epoch=1"})), 2,
                   "Did you mean 'epochs'?");
  write_file_atomic(lab.path("page.html"), "<html></html>");
  expect_one_error(lab.bitnet(words(lab, lab.path("page.html").string())), 4, "must hold its results once");
  EXPECT_FALSE(fs::exists(lab.path("again")));
}

}  // namespace
}  // namespace bitnet::end_to_end
