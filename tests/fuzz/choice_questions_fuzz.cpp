#include <string_view>

#include "framework/data/choice_questions.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return bitnet::fuzz::parse_or_refuse([&] {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const bitnet::ChoiceQuestion& question :
         bitnet::read_choice_questions(text, {"question.stem", "question.choices", "answerKey"}, "questions.jsonl")) {
      // What evaluators rely on.
      if (question.id.empty() || question.question.empty() || question.choices.size() < 2) __builtin_trap();
      if (question.choices.at(question.gold).empty()) __builtin_trap();
    }
  });
}
