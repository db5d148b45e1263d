// Each rule sees made-up files that break it, so that a rule that cannot fail is noticed, and files that keep it.

#include "tests/architecture/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace bitnet::architecture {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kLayerCmake =
    "function(bitnet_layer name)\nendfunction()\n"
    "bitnet_layer(core nlohmann_json::nlohmann_json)\n"
    "bitnet_layer(config bitnet_core yaml-cpp)  # bitnet_layer(train bitnet_app)\n"
    "bitnet_layer(nn bitnet_ops bitnet_config bitnet_torch)\n";

TEST(SourceTree, StripsCommentsAndKeepsLinesAndLiterals) {
  EXPECT_EQ(strip_comments("a; // b\n/* c\nd */ e", false), "a;     \n    \n     e");
  EXPECT_EQ(strip_comments("f(\"// no comment\"); // yes", false), "f(\"// no comment\");       ");
  EXPECT_EQ(strip_comments("f(\"x\\\"y\", '\"', 1'000); // z", true), "f(      ,    , 1'000);     ");
  EXPECT_EQ(strip_comments("R\"x(\" // )\" )x\" g // h", true), "R" + std::string(14, ' ') + " g     ");
}

TEST(SourceTree, FindsIncludesOutsideComments) {
  const auto includes =
      includes_of("#include <a.h>\n// #include \"b.h\"\n/*\n#include <c.h>\n*/\n # include \"d/e.h\"  // f\n");
  ASSERT_THAT(includes, SizeIs(2));
  EXPECT_EQ(includes[0].path, "a.h");
  EXPECT_FALSE(includes[0].quoted);
  EXPECT_EQ(includes[1].path, "d/e.h");
  EXPECT_TRUE(includes[1].quoted);
  EXPECT_EQ(includes[1].line, 6);
}

TEST(SourceTree, ReadsCmakeCalls) {
  EXPECT_THAT(cmake_calls("f(a b)\n# f(no)\nother_f(no)\nf(c\n  d)", "f"),
              ElementsAre(ElementsAre("a", "b"), ElementsAre("c", "d")));
}

TEST(Layers, KnowTheirFiles) {
  EXPECT_EQ(layer_of("framework/nn/linear.h"), "nn");
  EXPECT_EQ(layer_of("ops/kernels/quantize.h"), "ops/kernels");
  EXPECT_EQ(layer_of("tests/framework/nn/linear_test.cpp"), "");
  EXPECT_EQ(layer_of("ops/README.md"), "");
}

TEST(Layers, AllowOnlyWhatLiesBelow) {
  EXPECT_THAT(allowed_layers("ops/kernels"), ElementsAre("ops/kernels"));
  EXPECT_THAT(allowed_layers("data"), ElementsAre("config", "core", "data"));
  EXPECT_THAT(allowed_layers("nn"), ElementsAre("config", "core", "nn", "ops/kernels", "ops/torch"));
  EXPECT_THAT(allowed_layers("app"), SizeIs(12));
}

Violations layers(const std::string& path, const std::string& include) {
  return check_layers({path, "// a comment\n#include " + include + "\n"});
}

TEST(Layers, AcceptIncludesDownward) {
  EXPECT_THAT(layers("framework/train/trainer.cpp", "\"framework/nn/linear.h\""), IsEmpty());
  EXPECT_THAT(layers("framework/train/trainer.cpp", "\"ops/torch/bitnet_ops.h\""), IsEmpty());
  EXPECT_THAT(layers("framework/nn/linear.h", "<ATen/core/Tensor.h>"), IsEmpty());
  EXPECT_THAT(layers("framework/core/file.cpp", "<nlohmann/json.hpp>"), IsEmpty());
  EXPECT_THAT(layers("ops/kernels/cpu.cpp", "<sys/auxv.h>"), IsEmpty());
  EXPECT_THAT(layers("tests/framework/core/file_test.cpp", "\"framework/app/main.h\""), IsEmpty());
}

TEST(Layers, RefuseIncludesUpwardAndSideways) {
  EXPECT_THAT(layers("framework/nn/linear.h", "\"framework/train/trainer.h\""), SizeIs(1));
  EXPECT_THAT(layers("framework/train/trainer.cpp", "\"framework/evaluate/scorer.h\""), SizeIs(1));
  EXPECT_THAT(layers("framework/data/dataset.cpp", "\"framework/nn/linear.h\""), SizeIs(1));
  EXPECT_THAT(layers("framework/core/file.cpp", "\"framework/config/resolve.h\""), SizeIs(1));
  EXPECT_THAT(layers("framework/core/file.cpp", "\"tests/helper.h\""), SizeIs(1));
  EXPECT_THAT(layers("ops/torch/bitnet_ops.cpp", "\"framework/core/error.h\""), SizeIs(1));
  EXPECT_THAT(layers("ops/kernels/quantize.cpp", "\"ops/torch/bitnet_ops.h\""), SizeIs(1));
}

TEST(Layers, MayIncludeHeadersThatTheBuildWrites) {
  EXPECT_THAT(layers("framework/experiment/environment.cpp", "\"build_info.h\""), IsEmpty());
  EXPECT_THAT(layers("framework/experiment/environment.cpp", "\"stray.h\""), SizeIs(1));
}

TEST(Layers, NameFileAndLineAndRule) {
  const Violations violations = layers("ops/kernels/quantize.cpp", "\"framework/core/error.h\"");
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_EQ(violations[0].path, "ops/kernels/quantize.cpp");
  EXPECT_EQ(violations[0].line, 2);
  EXPECT_THAT(violations[0].rule, HasSubstr("ops/kernels may include only ops/kernels, but includes framework/core"));
}

TEST(Layers, KeepLibTorchAndOtherLibrariesOut) {
  EXPECT_THAT(layers("framework/data/dataset.cpp", "<ATen/ATen.h>"), SizeIs(1));
  EXPECT_THAT(layers("framework/config/resolve.cpp", "<torch/torch.h>"), SizeIs(1));
  EXPECT_THAT(layers("framework/core/file.cpp", "\"c10/util/Exception.h\""), SizeIs(1));
  EXPECT_THAT(layers("ops/kernels/quantize.cpp", "<ATen/Parallel.h>"), SizeIs(1));
  EXPECT_THAT(layers("ops/torch/bitnet_ops.cpp", "<nlohmann/json.hpp>"), SizeIs(1));
}

TEST(Layers, LinkWhatTheyInclude) {
  EXPECT_THAT(check_libraries({"framework/config/resolve.cpp", "#include <yaml-cpp/yaml.h>\n"}, kLayerCmake),
              IsEmpty());
  EXPECT_THAT(check_libraries({"framework/nn/io.cpp", "#include <nlohmann/json.hpp>\n"}, kLayerCmake), IsEmpty());
  EXPECT_THAT(check_libraries({"framework/core/file.cpp", "#include <yaml-cpp/yaml.h>\n"}, kLayerCmake), SizeIs(1));
  EXPECT_THAT(check_libraries({"framework/nn/io.cpp", "#include <spdlog/spdlog.h>\n"}, kLayerCmake), SizeIs(1));
}

TEST(Layers, LinkOnlyDownward) {
  EXPECT_THAT(check_layer_links(kLayerCmake, {"framework/nn/linear.cpp"}), IsEmpty());
  EXPECT_THAT(check_layer_links("bitnet_layer(core bitnet_config)", {}), SizeIs(1));
  EXPECT_THAT(check_layer_links("bitnet_layer(data bitnet_torch)", {}), SizeIs(1));
  EXPECT_THAT(check_layer_links("bitnet_layer(vision bitnet_core)", {}), SizeIs(1));
}

TEST(Layers, HoldAllSources) {
  EXPECT_THAT(check_layer_links(kLayerCmake, {"framework/train/adamw.cpp"}), SizeIs(1));
  EXPECT_THAT(check_layer_links(kLayerCmake, {"framework/nn/deep/linear.cpp"}), SizeIs(1));
  EXPECT_THAT(check_layer_links(kLayerCmake, {"framework/stray.cpp"}), SizeIs(1));
}

TEST(IncludePaths, StartAtTheRoot) {
  const std::set<std::string> paths = {"framework/nn/linear.h"};
  EXPECT_THAT(check_include_paths({"a.cpp", "#include \"framework/nn/linear.h\"\n#include <vector>\n"}, paths),
              IsEmpty());
  EXPECT_THAT(check_include_paths({"a.cpp", "#include \"build_info.h\"\n"}, paths), IsEmpty());
  EXPECT_THAT(check_include_paths({"framework/nn/a.cpp", "#include \"linear.h\"\n"}, paths), SizeIs(1));
  EXPECT_THAT(check_include_paths({"a.cpp", "#include \"framework/nn/gone.h\"\n"}, paths), SizeIs(1));
}

TEST(Headers, BeginWithPragmaOnce) {
  EXPECT_THAT(check_header({"a.h", "// what it is\n\n#pragma once\nint x;\n"}), IsEmpty());
  EXPECT_THAT(check_header({"a.h", "int x;\n"}), SizeIs(1));
  EXPECT_THAT(check_header({"a.h", "// #pragma once\n"}), SizeIs(1));
  EXPECT_THAT(check_header({"a.h", ""}), SizeIs(1));
}

TEST(Headers, IncludeNothingHeavy) {
  for (const char* heavy : {"torch/torch.h", "torch/extension.h", "yaml-cpp/yaml.h", "nlohmann/json.hpp"}) {
    const std::string text = std::string("#pragma once\n#include <") + heavy + ">\n";
    EXPECT_THAT(check_header({"a.h", text}), SizeIs(1)) << heavy;
    EXPECT_THAT(check_header({"a.cpp", text}), IsEmpty()) << heavy;
  }
  EXPECT_THAT(check_header({"a.h", "#pragma once\n#include <nlohmann/json_fwd.hpp>\n"}), IsEmpty());
}

TEST(Cpp, HasNoTabs) {
  EXPECT_THAT(check_cpp({"a.cpp", "int x;\n\tint y;\n"}), SizeIs(1));
  EXPECT_THAT(check_cpp({"Makefile", "\tcc\n"}), IsEmpty());
}

TEST(Cpp, HasNoUsingDirectives) {
  EXPECT_THAT(check_cpp({"a.cpp", "int x;\nusing  namespace std;\n"}), SizeIs(1));
  EXPECT_THAT(check_cpp({"a.cpp", "// using namespace std;\nusing std::string;\nnamespace fs = std::filesystem;\n"}),
              IsEmpty());
}

TEST(Cpp, HasTheSameRandomNumbersEverywhere) {
  EXPECT_THAT(check_cpp({"framework/data/a.cpp", "std::mt19937 g;\n"}), SizeIs(1));
  EXPECT_THAT(check_cpp({"framework/data/a.cpp", "std::shuffle(a, b, g);\n"}), SizeIs(1));
  EXPECT_THAT(check_cpp({"framework/data/a.cpp", "std::normal_distribution<float> d;\n"}), SizeIs(1));
  EXPECT_THAT(check_cpp({"tests/framework/data/a_test.cpp", "std::mt19937 g;\n"}), IsEmpty());
}

TEST(Libraries, DoNotPrint) {
  for (const char* line :
       {"std::cout << 1;", "std::cerr << 1;", "fputs(s, stderr);", "printf(\"x\");", "  std::puts (\"x\");"}) {
    EXPECT_THAT(check_quiet_library({"framework/nn/a.cpp", line}), SizeIs(1)) << line;
    EXPECT_THAT(check_quiet_library({"framework/app/a.cpp", line}), IsEmpty()) << line;
  }
  for (const char* line : {"snprintf(b, n, f);", "auto s = \"std::cout\";", "// printf(x)", "log.puts(x);"}) {
    EXPECT_THAT(check_quiet_library({"framework/nn/a.cpp", line}), IsEmpty()) << line;
  }
}

TEST(Libraries, DoNotEndTheProcess) {
  for (const char* line : {"exit(1);", "std::exit(1);", "std::abort();", "::quick_exit(2);"}) {
    EXPECT_THAT(check_quiet_library({"ops/kernels/a.cpp", line}), SizeIs(1)) << line;
  }
  for (const char* line : {"_exit(127);", "scope.exit();", "p->abort();", "int exit = 0;"}) {
    EXPECT_THAT(check_quiet_library({"ops/kernels/a.cpp", line}), IsEmpty()) << line;
  }
}

std::string lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "x\n";
  return text;
}

TEST(Files, AreShort) {
  EXPECT_THAT(check_length({"a.cpp", lines(kMaxLines)}), IsEmpty());
  EXPECT_THAT(check_length({"a.cpp", lines(kMaxLines + 1)}), SizeIs(1));
  EXPECT_THAT(check_length({"configs/model/a.yaml", lines(kMaxLines + 1)}), SizeIs(1));
  EXPECT_THAT(check_length({"reports/a/results.json", lines(kMaxLines + 1)}), IsEmpty());
}

TEST(Files, NameNoPathOfOneMachine) {
  for (const char* folder : {"ho"
                             "me/me",
                             "ro"
                             "ot/x",
                             "wo"
                             "rk/y",
                             "mn"
                             "t/z",
                             "tm"
                             "p/t",
                             "Use"
                             "rs/u"}) {
    EXPECT_THAT(check_machine_paths({"docs/a.md", "x\nsee \"/" + std::string(folder) + "\"\n"}), SizeIs(1)) << folder;
    EXPECT_THAT(check_machine_paths({"docs/a.md", "build/" + std::string(folder)}), IsEmpty()) << folder;
    EXPECT_THAT(check_machine_paths({"docker/Dockerfile", "COPY . /" + std::string(folder)}), IsEmpty()) << folder;
  }
  EXPECT_THAT(check_machine_paths({"scripts/a",
                                   "d=$(mktemp -d /tm"
                                   "p/bitnet.XXXX)\n"}),
              IsEmpty());
  EXPECT_THAT(check_machine_paths({"scripts/a",
                                   "d=$(mktemp -d)\ncd /ho"
                                   "me/me\n"}),
              SizeIs(1));
}

TEST(Files, AreFinished) {
  EXPECT_THAT(check_unfinished({"a.cpp",
                                "int x;  // TO"
                                "DO: more\n"}),
              SizeIs(1));
  EXPECT_THAT(check_unfinished({"scripts/run",
                                "# FIX"
                                "ME\n"}),
              SizeIs(1));
  EXPECT_THAT(check_unfinished({"a.cpp",
                                "int kTO"
                                "DOs;\n"}),
              IsEmpty());
}

TEST(Documents, LinkToFilesOfTheProject) {
  const std::set<std::string> paths = {"README.md", "docs", "docs/architecture.md", "docs/figure.png"};
  EXPECT_THAT(check_links({"README.md", "[a](docs/architecture.md#layers), [d](docs/), ![f](docs/figure.png)"}, paths),
              IsEmpty());
  EXPECT_THAT(
      check_links({"docs/architecture.md", "[up](../README.md) [web](https://example.org/x) [here](#top)"}, paths),
      IsEmpty());
  EXPECT_THAT(check_links({"README.md", "```\n[x](y)\n```\n`a[i](j)`\n"}, paths), IsEmpty());
  EXPECT_THAT(check_links({"README.md", "text\n[gone](docs/gone.md)"}, paths), SizeIs(1));
  EXPECT_THAT(check_links({"docs/architecture.md", "[wrong folder](docs/figure.png)"}, paths), SizeIs(1));
}

TEST(Tests, MirrorTheSources) {
  const std::string cmake =
      "bitnet_test(framework/nn fast)\nbitnet_test(framework/gone fast)\nbitnet_test(golden fast)\n";
  const std::set<std::string> good = {"framework/nn", "framework/nn/a.cpp", "tests/framework/nn/a_test.cpp",
                                      "tests/golden/b_test.cpp"};
  EXPECT_THAT(check_test_mirror(good, cmake), IsEmpty());
  EXPECT_THAT(check_test_mirror({"tests/framework/gone/a_test.cpp"}, cmake), SizeIs(1));
  EXPECT_THAT(check_test_mirror({"framework/nn/a.cpp"}, cmake), SizeIs(1));
  const std::string slow = "bitnet_test(framework/nn/slow slow)\n";
  EXPECT_THAT(check_test_mirror({"framework/nn", "framework/nn/a.cpp", "tests/framework/nn/slow/b_test.cpp"}, slow),
              IsEmpty());
  EXPECT_THAT(check_test_mirror({"framework/nn", "tests/framework/nn/slow/b_test.cpp"}, ""), SizeIs(1));
  EXPECT_THAT(check_test_mirror({"tests/framework/gone/slow/b_test.cpp"}, "bitnet_test(framework/gone/slow slow)"),
              SizeIs(1));
}

TEST(Tests, AreBuilt) {
  const std::set<std::string> paths = {"tests/fuzz/a_test.cpp", "tests/framework/nn/deep/b_test.cpp",
                                       "framework/nn/deep"};
  EXPECT_THAT(check_test_mirror(paths, "bitnet_test(framework/nn fast)"), SizeIs(2));
  EXPECT_THAT(check_test_mirror({"tests/fuzz/a_test.cpp", "tests/fuzz/CMakeLists.txt"}, ""), IsEmpty());
}

TEST(Experiments, AreExplained) {
  EXPECT_THAT(check_experiments({"experiments/a/experiment.yaml", "experiments/a/README.md"}), IsEmpty());
  EXPECT_THAT(check_experiments({"experiments/a/experiment.yaml", "experiments/b/README.md"}), SizeIs(1));
}

}  // namespace
}  // namespace bitnet::architecture
