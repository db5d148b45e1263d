#include "framework/data/catalog_entries.h"

namespace bitnet {

void add_benchmark_entries(std::vector<CatalogEntry>& entries) {
  constexpr const char* kArcLicense = "CC BY-SA 4.0";
  const std::string arc =
      "https://raw.githubusercontent.com/nju-websoft/GenMC/eada4b06cf25bd95333422e1a1c02d4db3d25945/data/";
  const std::string keys =
      "https://raw.githubusercontent.com/allenai/aristo-leaderboard/60d5be31b5a7d36f29d13223ece29a8d2bfa8b5f/arc/";
  add_catalog_folder(
      entries, "arc-easy", "ARC-Easy", kArcLicense, arc + "arc_easy/official/",
      {{"train", "ARC-Easy, training split, 2,251 questions", 2908121,
        "7090847e1ac787e27ef1e80b89a851a21ab5cbad8717f6980b52ff1bdc0c29c8", "arc/arc_easy/train.jsonl", "train.jsonl"},
       {"validation", "ARC-Easy, validation split, 570 questions", 734666,
        "cebdda9db55c5fd1a48c830a638900bfe9d59fac61a79d93d01d95836f545492", "arc/arc_easy/dev.jsonl", "dev.jsonl"},
       {"test", "ARC-Easy, test split, 2,376 questions", 3107020,
        "0eef1b69fbee5318aa5f380b1afbdeb8530d34d94fe61fe2ce7b77977ccff2b8", "arc/arc_easy/test.jsonl", "test.jsonl"}});
  add_catalog_folder(entries, "arc-easy", "ARC-Easy, the public answer keys of the test split", "Apache-2.0",
                     keys + "data-easy/",
                     {{"answer-keys", "", 99337, "a4e5d41b44014c62a7c336123c63df1f1ac84f524643227e34878ac387542967",
                       "arc/answer-keys/arc_easy.test.question-answers.jsonl", "question-answers.jsonl"}});
  add_catalog_folder(
      entries, "arc-challenge", "ARC-Challenge", kArcLicense, arc + "arc_challenge/official/",
      {{"train", "ARC-Challenge, training split, 1,119 questions", 1462291,
        "207f7b3fc87a4e2a9b0f089e17bcf3c926002b8aa3277788f5fa27a05b67abb8", "arc/arc_challenge/train.jsonl",
        "train.jsonl"},
       {"validation", "ARC-Challenge, validation split, 299 questions", 397064,
        "237bf1c2fd0ce2a3518c2bce645ccbfcf16612db20f34f2a12f5253da7a60654", "arc/arc_challenge/dev.jsonl", "dev.jsonl"},
       {"test", "ARC-Challenge, test split, 1,170 of its 1,172 questions", 1537082,
        "e038ac8d80e53aca3907c96e1b27b45c0bd8bb95461623bf8e28c4207696273e", "arc/arc_challenge/test.jsonl",
        "test.jsonl"}});
  add_catalog_folder(entries, "arc-challenge", "ARC-Challenge, the public answer keys of the test split", "Apache-2.0",
                     keys + "data-challenge/",
                     {{"answer-keys", "", 48578, "1211b934203ac6e8acd46f998ab68bc920cddf8ba662b9648e53ef863e5fca65",
                       "arc/answer-keys/arc_challenge.test.question-answers.jsonl", "question-answers.jsonl"}});
  add_catalog_folder(
      entries, "humaneval", "HumanEval", "MIT",
      "https://raw.githubusercontent.com/openai/human-eval/6d43fb980f9fee3c892a914eda09951f772ad10d/data/",
      {{"HumanEval.jsonl.gz", "HumanEval, 164 problems", 44877,
        "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef", "human-eval/HumanEval.jsonl.gz",
        "HumanEval.jsonl.gz"},
       {"example_problem.jsonl", "HumanEval, the toy problem of its page", 178,
        "701442bbe5a65db1e4ac218d0d2bb29a6caf9615a769759bcf4ca38621ba1d7f", "human-eval/example_problem.jsonl",
        "example_problem.jsonl"},
       {"example_samples.jsonl", "HumanEval, samples for the toy problem", 419,
        "1dcf9fc120e380b8669fe69cf45da2e510e71cae507555db9634e7893c807627", "human-eval/example_samples.jsonl",
        "example_samples.jsonl"}});
}

}  // namespace bitnet
