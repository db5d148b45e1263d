// The rules of tests/architecture/rules.h on the files of this project.

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/architecture/diagrams.h"
#include "tests/architecture/purity.h"
#include "tests/architecture/rules.h"
#include "tests/architecture/workflows.h"

namespace bitnet::architecture {
namespace {

const std::vector<SourceFile>& tree() {
  static const std::vector<SourceFile> files = load_tree(BITNET_SOURCE_DIR);
  return files;
}

const std::set<std::string>& all_paths() {
  static const std::set<std::string> paths = paths_of(tree());
  return paths;
}

void expect_none(const Violations& violations) {
  for (const Violation& violation : violations) {
    ADD_FAILURE() << violation.path << ":" << violation.line << ": " << violation.rule;
  }
}

void expect_none_in_tree(const std::function<Violations(const SourceFile&)>& check) {
  for (const SourceFile& file : tree()) expect_none(check(file));
}

TEST(Architecture, TreeIsRead) {
  for (const char* path : {"CMakeLists.txt", "scripts/setup", "framework/core/error.h", "ops/kernels/ternary_gemm.h"}) {
    EXPECT_FALSE(text_of(tree(), path).empty()) << path;
  }
}

TEST(Architecture, LayersIncludeOnlyDownward) { expect_none_in_tree(check_layers); }

TEST(Architecture, LayersLinkOnlyDownwardAndHoldAllSources) {
  expect_none(check_layer_links(text_of(tree(), "framework/CMakeLists.txt"), all_paths()));
}

TEST(Architecture, LibrariesIncludedAreLinked) {
  const std::string_view cmake = text_of(tree(), "framework/CMakeLists.txt");
  expect_none_in_tree([&](const SourceFile& file) { return check_libraries(file, cmake); });
}

TEST(Architecture, QuotedIncludesStartAtTheRoot) {
  expect_none_in_tree([](const SourceFile& file) { return check_include_paths(file, all_paths()); });
}

TEST(Architecture, HeadersAreLight) { expect_none_in_tree(check_header); }

TEST(Architecture, CppKeepsTheStyle) { expect_none_in_tree(check_cpp); }

TEST(Architecture, LibrariesNeitherPrintNorExit) { expect_none_in_tree(check_quiet_library); }

TEST(Architecture, FilesAreShort) { expect_none_in_tree(check_length); }

TEST(Architecture, NoPathOfOneMachine) { expect_none_in_tree(check_machine_paths); }

TEST(Architecture, NothingIsLeftUnfinished) { expect_none_in_tree(check_unfinished); }

TEST(Architecture, LinksLeadSomewhere) {
  expect_none_in_tree([](const SourceFile& file) { return check_links(file, all_paths()); });
}

TEST(Architecture, TestsMirrorTheSources) {
  expect_none(check_test_mirror(all_paths(), text_of(tree(), "tests/CMakeLists.txt")));
}

TEST(Architecture, ExperimentsAreExplained) { expect_none(check_experiments(all_paths())); }

TEST(Architecture, DiagramsNameWhatIsThere) {
  const CodeIndex index = index_code(tree());
  EXPECT_GE(count_diagrams(text_of(tree(), "docs/architecture.md")), 5);
  expect_none_in_tree(
      [&](const SourceFile& file) { return file.path.ends_with(".md") ? check_diagrams(file, index) : Violations(); });
}

TEST(Architecture, NothingBelongsToOneVertical) {
  const std::vector<std::string> terms = vertical_terms(text_of(tree(), kGuidelines));
  EXPECT_GE(terms.size(), 30U) << kGuidelines;
  expect_none(check_vertical_terms(terms));
  const std::set<std::string> known(terms.begin(), terms.end());
  expect_none_in_tree([&](const SourceFile& file) { return check_purity(file, known); });
}

TEST(Architecture, WorkflowsNameWhatIsThere) {
  const ProjectNames names = project_names(tree());
  for (const auto& set : {names.presets, names.tests, names.labels, names.isas}) EXPECT_FALSE(set.empty());
  EXPECT_TRUE(names.paths.contains(".github/workflows/ci.yml"));
  expect_none_in_tree([&](const SourceFile& file) { return check_workflow(file, names); });
}

TEST(Architecture, ScriptsAreExecutable) {
  for (const SourceFile& file : tree()) {
    if (!file.text.starts_with("#!")) continue;
    const auto permissions =
        std::filesystem::status(std::filesystem::path(BITNET_SOURCE_DIR) / file.path).permissions();
    EXPECT_NE(permissions & std::filesystem::perms::owner_exec, std::filesystem::perms::none) << file.path;
  }
}

}  // namespace
}  // namespace bitnet::architecture
