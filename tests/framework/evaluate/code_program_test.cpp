#include "framework/evaluate/code_program.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bitnet {
namespace {

TEST(CodeProgram, IsPutTogetherAsHumanEvalDoes) {
  CodeProblem problem;
  problem.prompt = "def f(x):\n    \"\"\"Doc.\"\"\"\n";
  problem.entry_point = "f";
  problem.test = "def check(candidate):\n    assert candidate(1) == 2\n";
  EXPECT_EQ(code_program(problem, "    return x + 1\n"),
            "def f(x):\n    \"\"\"Doc.\"\"\"\n    return x + 1\n\ndef check(candidate):\n    assert candidate(1) == "
            "2\n\ncheck(f)");
}

TEST(CutAtStop, EndsBeforeTheFirstOfTheStops) {
  const std::vector<std::string> stop = {"\nclass", "\ndef", "\n#", "\nif", "\nprint"};
  EXPECT_EQ(cut_at_stop("    return 1\n\ndef g():", stop), "    return 1\n");
  EXPECT_EQ(cut_at_stop("    a\nprint(1)\n#x\nclass", stop), "    a");
  EXPECT_EQ(cut_at_stop("    if x:\n        #\n    print(1)", stop), "    if x:\n        #\n    print(1)");
  EXPECT_EQ(cut_at_stop("\ndefault", stop), "");  // as the reference: a text, not a word
  EXPECT_EQ(cut_at_stop("a\nde", stop), "a\nde");
  EXPECT_EQ(cut_at_stop("", stop), "");
  EXPECT_EQ(cut_at_stop("x\ndef", {}), "x\ndef");
}

TEST(PassAtK, EqualsTheFormulaForATable) {
  struct Row {
    int64_t n, c, k;
    double expected;
  };
  // 1 - C(n - c, k) / C(n, k), by hand.
  const std::vector<Row> rows = {
      {1, 0, 1, 0.0},
      {1, 1, 1, 1.0},
      {2, 1, 1, 0.5},
      {2, 1, 2, 1.0},
      {4, 1, 2, 1 - 3.0 / 6},
      {5, 2, 2, 1 - 3.0 / 10},
      {5, 0, 5, 0.0},
      {10, 3, 1, 0.3},
      {10, 3, 5, 1 - 21.0 / 252},
      {10, 3, 7, 1 - 1.0 / 120},
      {10, 3, 8, 1.0},  // fewer than k fail
      {20, 4, 3, 1 - 560.0 / 1140},
      {200, 1, 100, 0.5},
      {200, 200, 1, 1.0},
      {200, 0, 100, 0.0},
      {200, 2, 100, 1 - 100.0 * 99 / (200.0 * 199)},
  };
  for (const Row& row : rows) {
    EXPECT_NEAR(pass_at_k(row.n, row.c, row.k), row.expected, 1e-14) << row.n << " " << row.c << " " << row.k;
  }
  // To the last bit, as HumanEval's own tool gives it for its example.
  EXPECT_EQ(pass_at_k(6, 3, 1), 0.4999999999999999);
}

}  // namespace
}  // namespace bitnet
