#include "framework/data/code_problems.h"
#include "tests/fuzz/fuzz.h"

// As a file of problems, gzip'd or not, and as a file of samples.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = bitnet::fuzz::text_of(data, size);
  return bitnet::fuzz::parse_or_refuse([&] {
    const std::string text = bitnet::jsonl_text(std::string(bytes), "problems.jsonl.gz", 1 << 20);
    bitnet::fuzz::parse_or_refuse([&] { bitnet::read_code_samples(text, "samples.jsonl"); });
    const auto problems = bitnet::read_code_problems(text, "problems.jsonl");
    // What was accepted can be written and read again.
    bitnet::read_code_problems(bitnet::code_problems_text(problems), "again");
  });
}
