// The check of workflows on made-up projects, so that it can be seen to fail.

#include "tests/architecture/workflows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bitnet::architecture {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const ProjectNames& small_project() {
  static const ProjectNames names = project_names({
      {"CMakePresets.json", R"({"configurePresets": [{"name": "release"}, {"name": "asan"}]})"},
      {"ops/kernels/ternary_gemm.cpp", R"(constexpr std::array<std::string_view, 2> kNames = {"avx2", "scalar"};)"},
      {"scripts/test", "#!/bin/sh\n"},
      {"experiments/quickstart/experiment.yaml", ""},
      {"tests/CMakeLists.txt",
       "function(bitnet_test folder label)\nendfunction()\nbitnet_test(ops/kernels fast bitnet_kernels)\n"
       "bitnet_test(end_to_end slow)\n"},
      {"tests/fuzz/CMakeLists.txt", "bitnet_fuzz(gzip LIBRARIES bitnet_data)\n"},
      {"tests/ops/kernels/CMakeLists.txt", "add_test(NAME ops/kernels/aarch64\n         COMMAND qemu)\n"},
  });
  return names;
}

Violations workflow(const std::string& line) {
  return check_workflow({".github/workflows/ci.yml", "jobs:\n" + line + "\n"}, small_project());
}

TEST(Workflows, KnowTheNamesOfTheProject) {
  EXPECT_THAT(small_project().presets, ElementsAre("asan", "release"));
  EXPECT_THAT(small_project().labels, ElementsAre("fast", "slow"));
  EXPECT_THAT(small_project().tests, ElementsAre("end_to_end", "fuzz/gzip", "ops/kernels", "ops/kernels/aarch64"));
  EXPECT_THAT(small_project().isas, ElementsAre("avx2", "scalar"));
}

TEST(Workflows, NamePathsThatAreThere) {
  for (const char* line :
       {"run: scripts/test", "path: site/docs/gone", "run: build/release/tests/gone", "run: ls ${{ x }}/docs/gone",
        "- run: ./scripts/test -V", "a: experiments/*/gone.yaml", "x: experiments/quickstart/experiment.yaml.",
        "reports/NAME/gone", "reports/DATE-COMMIT/", "reports/NAME.json", "scripts/test*", "COPY scripts scripts"}) {
    EXPECT_THAT(workflow(line), IsEmpty()) << line;
  }
  for (const char* line : {"run: scripts/gone", "uses: ./.github/actions/gone", "path: docs/gone.md",
                           "path: docs/GONE.md", "x: scripts/gone.", "run: a <experiments/gone/experiment.yaml >b"}) {
    EXPECT_THAT(workflow(line), SizeIs(1)) << line;
  }
}

TEST(Workflows, NamePresetsThatAreThere) {
  for (const char* line : {"run: scripts/test --preset asan", "preset: [release, asan]", "preset: ${{ matrix.preset }}",
                           "- {debian: a, preset: release}"}) {
    EXPECT_THAT(workflow(line), IsEmpty()) << line;
  }
  for (const char* line :
       {"run: scripts/test --preset tsan", "preset: [release, tsan]", "- {preset: tsan, debian: a}"}) {
    EXPECT_THAT(workflow(line), SizeIs(1)) << line;
  }
}

TEST(Workflows, NameTestsAndLabelsThatAreThere) {
  for (const char* line :
       {"run: scripts/test -L fast", "run: scripts/test -R '^ops/.*/aarch64$'", "run: scripts/test -R fuzz -L slow"}) {
    EXPECT_THAT(workflow(line), IsEmpty()) << line;
  }
  for (const char* line : {"run: scripts/test -L quick", "run: scripts/test -R '^aarch64$'"}) {
    EXPECT_THAT(workflow(line), SizeIs(1)) << line;
  }
}

TEST(Workflows, PinActionsByCommit) {
  const std::string commit(40, 'a');
  EXPECT_THAT(workflow("- uses: a/b@" + commit + " # v1.2.3"), IsEmpty());
  for (const std::string& use : {std::string("a/b@v1"), "a/b@" + commit, std::string("a/b")}) {
    EXPECT_THAT(workflow("- uses: " + use), SizeIs(1)) << use;
  }
}

TEST(Workflows, CoverEveryKernel) {
  EXPECT_THAT(workflow("isa: [avx2, scalar]"), IsEmpty());
  EXPECT_THAT(workflow("isa: [avx2]"), SizeIs(1));
  EXPECT_THAT(workflow("isa: [avx2, scalar, sse9]"), SizeIs(1));
}

TEST(Workflows, AndScriptsAreLookedAtAlone) {
  EXPECT_THAT(check_workflow({"scripts/a", "exec scripts/gone\n"}, small_project()), SizeIs(1));
  EXPECT_THAT(check_workflow({"docker/Dockerfile", "RUN scripts/gone\n"}, small_project()), SizeIs(1));
  EXPECT_THAT(check_workflow({"docs/a.md", "scripts/gone\n"}, small_project()), IsEmpty());
}

}  // namespace
}  // namespace bitnet::architecture
