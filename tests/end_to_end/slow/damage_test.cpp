#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <functional>

#include "framework/core/file.h"
#include "framework/core/sha256.h"
#include "tests/end_to_end/slow/reference_run.h"

// Damaged and exchanged files end a run with one message and exit code 4, and never with results.

namespace bitnet::end_to_end {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Places in the header of a token file (framework/data/token_windows.h).
constexpr size_t kTokenizerAt = 32, kChecksumAt = 160, kDigestDigits = 64, kTokenHeader = 256;

void cut_in_half(const fs::path& file) { fs::resize_file(file, fs::file_size(file) / 2); }

/// The token file of the training split in the lab's cache.
fs::path training_tokens(const Lab& lab) {
  for (const fs::directory_entry& entry : fs::directory_iterator(lab.path("cache/tokens"))) {
    if (entry.path().filename().string().starts_with("train-")) return entry;
  }
  throw std::runtime_error("no token file of the training split");
}

/// Names another tokenizer in a token file, with the right checksum: the file of another tokenizer in this one's place.
void exchange_tokenizer(const fs::path& file) {
  std::string bytes = read_file(file);
  bytes.replace(kTokenizerAt, kDigestDigits, sha256_hex("another tokenizer"));
  bytes.replace(kChecksumAt, kDigestDigits, kDigestDigits, '\0');
  const std::string checksum = sha256_hex(bytes);
  bytes.replace(kChecksumAt, kDigestDigits, checksum);
  write_file_atomic(file, bytes);
}

/// Puts the token file of another text in the place of this one's.
void exchange_text(const Lab& lab, const fs::path& file) {
  const Lab other;
  std::vector<std::string> words = other.run_words("runs", {"dataset.world_seed=2"});
  words.erase(words.begin() + 2, words.begin() + 4);  // --out and its folder: `data tokenize` has none
  words.front() = "tokenize";
  words.insert(words.begin(), "data");
  ASSERT_EQ(lab.bitnet(words, other.options()).exit_code, 0);
  fs::copy_file(training_tokens(other), file, fs::copy_options::overwrite_existing);
}

/// One kind of damage: what it starts from, how it is done, and what the message must hold.
struct Damage {
  const char* name;
  bool finished;  ///< a finished run, else an interrupted one
  std::function<void(const Lab& lab, const fs::path& folder)> harm;
  const char* message;
};

std::vector<Damage> damages() {
  const auto seed_file = [](const fs::path& folder, const char* name) { return folder / "bitnet" / "seed-1" / name; };
  return {
      {"bit of a checkpoint", false,
       [=](const Lab&, const fs::path& folder) { flip_bit(seed_file(folder, "checkpoint.safetensors")); },
       "checkpoint.safetensors: SHA-256 must be"},
      {"half a checkpoint", false,
       [=](const Lab&, const fs::path& folder) { cut_in_half(seed_file(folder, "checkpoint.safetensors")); },
       "checkpoint.safetensors: "},
      {"checkpoint of another configuration", false,
       [=](const Lab& lab, const fs::path& folder) {
         Process other(bitnet_command(lab.run_words("other", {"optimizer.learning_rate=1e-3"})), lab.options());
         ASSERT_TRUE(wait_until([&] { return has_file(lab.path("other"), "checkpoint.safetensors"); }));
         other.send(SIGKILL);
         other.wait();
         fs::copy_file(seed_file(lab.run_folder("other"), "checkpoint.safetensors"),
                       seed_file(folder, "checkpoint.safetensors"), fs::copy_options::overwrite_existing);
         fs::remove_all(lab.path("other"));
       },
       "belongs to another configuration"},
      {"training log shorter than the checkpoint counted", false,
       [=](const Lab&, const fs::path& folder) { cut_in_half(seed_file(folder, "metrics.jsonl")); },
       "metrics.jsonl: the training log must have at least"},
      {"bit of a finished model", true,
       [=](const Lab&, const fs::path& folder) { flip_bit(seed_file(folder, "model.safetensors")); },
       "model.safetensors: SHA-256 must be"},
      {"finished model of the other twin", true,
       [=](const Lab&, const fs::path& folder) {
         fs::copy_file(folder / "traditional" / "seed-1" / "model.safetensors", seed_file(folder, "model.safetensors"),
                       fs::copy_options::overwrite_existing);
       },
       "model.safetensors: the training's identity must be"},
      {"training log of a finished model, cut at the end of a line", true,
       [=](const Lab&, const fs::path& folder) {
         const fs::path file = seed_file(folder, "metrics.jsonl");
         const std::string text = read_file(file);
         write_file_atomic(file, text.substr(0, text.rfind('\n', text.size() - 2) + 1));
       },
       "metrics.jsonl: the training log must be the one of the finished model"},
      {"timing of a finished model", true,
       [=](const Lab&, const fs::path& folder) { write_file_atomic(seed_file(folder, "timing.json"), "{}"); },
       "timing.json: the file must hold train_seconds"},
      {"kept evaluation", true,
       [=](const Lab&, const fs::path& folder) {
         cut_in_half(seed_file(folder, "evaluation_perplexity-word-stored.json"));
       },
       "evaluation_perplexity-word-stored.json: "},
      {"digit of a kept evaluation", true,
       [=](const Lab&, const fs::path& folder) {
         const fs::path file = seed_file(folder, "evaluation_perplexity-word-stored.json");
         std::string text = read_file(file);
         const size_t value = text.find("\"value\":");
         ASSERT_NE(value, std::string::npos);
         const size_t digit = text.find_first_of("0123456789", value);
         text[digit] = text[digit] == '9' ? '1' : static_cast<char>(text[digit] + 1);
         write_file_atomic(file, text);
       },
       "evaluation_perplexity-word-stored.json: the file must be an evaluation with the SHA-256"},
      {"environment of the run", true,
       [](const Lab&, const fs::path& folder) { write_file_atomic(folder / "environment.json", "{"); },
       "environment.json: the file must be the environment of a run"},
      {"half a resolved configuration", true,
       [](const Lab&, const fs::path& folder) { cut_in_half(folder / "config.resolved.yaml"); },
       "config.resolved.yaml: the stored configuration must be"},
      {"resolved configuration of another run", true,
       [](const Lab& lab, const fs::path& folder) {
         std::vector<std::string> words = lab.run_words("runs", {"trainer.epochs=4"});
         words.erase(words.begin() + 2, words.begin() + 4);
         words.front() = "config";
         write_file_atomic(folder / "config.resolved.yaml", lab.bitnet(words).out);
       },
       "config.resolved.yaml: the run folder's configuration must have the hash"},
      {"truncated token file", true, [](const Lab& lab, const fs::path&) { cut_in_half(training_tokens(lab)); },
       "it is truncated"},
      {"bit of a token file", true, [](const Lab& lab, const fs::path&) { flip_bit(training_tokens(lab)); },
       "the SHA-256 of the token file must be"},
      {"token file of another tokenizer", true,
       [](const Lab& lab, const fs::path&) { exchange_tokenizer(training_tokens(lab)); },
       "the token file must be made with the tokenizer byte"},
      {"token file of another text", true,
       [](const Lab& lab, const fs::path&) { exchange_text(lab, training_tokens(lab)); },
       "the token file must be made from the text"},
  };
}

TEST(Damage, EndsARunWithOneMessageAndNoResults) {
  for (const Damage& damage : damages()) {
    SCOPED_TRACE(damage.name);
    const Lab lab;
    const fs::path folder = copy_run(damage.finished ? reference_run().folder : interrupted_run().folder, lab, "runs");
    fs::copy(reference_run().lab.path("cache"), lab.path("cache"), fs::copy_options::recursive);
    for (const char* name : {"results.json", "report.html", "report.md", "junit.xml"}) fs::remove(folder / name);
    damage.harm(lab, folder);
    const ProcessResult result = lab.bitnet(lab.run_words("runs"));
    expect_one_error(result, 4, damage.message);
    // What to do is the end of every message; a full sentence.
    EXPECT_THAT(result.err, ::testing::ContainsRegex("(R|r)emove|(R|r)estore|delete|again"));
    for (const char* name : {"results.json", "report.html", "junit.xml"}) {
      EXPECT_FALSE(has_file(lab.path("runs"), name)) << name;
    }
  }
}

TEST(Damage, AFullDiskEndsARunAndTheSameCommandGoesOnAfterwards) {
  const Lab lab;
  ProcessOptions options = lab.options();
  options.max_file_bytes = 100'000;  // less than a checkpoint: 28,896 parameters and two moments of each are 347 kB
  const ProcessResult full = lab.bitnet(lab.run_words("runs"), options);
  expect_one_error(full, 4, "checkpoint.safetensors: file must be writable");
  EXPECT_FALSE(has_file(lab.path("runs"), "checkpoint.safetensors"));
  EXPECT_FALSE(has_file(lab.path("runs"), "results.json"));
  const ProcessResult result = lab.bitnet(lab.run_words("runs"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(differences(lasting_content(lab.run_folder("runs")), reference_run().content), ::testing::IsEmpty());
}

TEST(Damage, AFolderInAFilesPlaceEndsARun) {
  const Lab lab;
  const fs::path folder = copy_run(reference_run().folder, lab, "runs");
  fs::remove(folder / "results.json");
  fs::create_directory(folder / "results.json");
  expect_one_error(lab.bitnet(lab.run_words("runs")), 4, "results.json: file must be writable");
}

TEST(Damage, ADamagedModelIsNeitherEvaluatedNorGeneratedFrom) {
  const Lab lab;
  const fs::path model = lab.path("model.safetensors");
  fs::copy_file(reference_run().folder / "bitnet" / "seed-1" / "model.safetensors", model);
  flip_bit(model);
  expect_one_error(lab.bitnet({"evaluate", model.string(), "--evaluator", "perplexity-word-stored"}), 4,
                   "model.safetensors: SHA-256 must be");
  expect_one_error(lab.bitnet({"generate", model.string(), "--prompt", "The "}), 4,
                   "model.safetensors: SHA-256 must be");
  // A checkpoint is a file of the same form, but no model.
  expect_one_error(
      lab.bitnet({"evaluate", (interrupted_run().folder / "bitnet" / "seed-1" / "checkpoint.safetensors").string(),
                  "--evaluator", "perplexity-word-stored"}),
      4, "'format' must be 'bitnet-lab model 1'");
}

TEST(Damage, ADamagedOrNewerResultsFileIsNotRendered) {
  const Lab lab;
  const std::string whole = read_file(reference_run().folder / "results.json");
  const fs::path file = lab.path("results.json");
  const auto expect_refused = [&](const std::string& text, const char* message) {
    write_file_atomic(file, text);
    expect_one_error(lab.bitnet({"report", file.string()}), 4, message);
    EXPECT_FALSE(fs::exists(lab.path("report.html")));
  };
  expect_refused(whole.substr(0, whole.size() / 2), "results.json: the file must be JSON text");
  std::string newer = whole;
  const std::string version = "\"schema_version\": ";
  newer.insert(newer.find(version) + version.size(), "9");
  expect_refused(newer, "schema_version");
}

}  // namespace
}  // namespace bitnet::end_to_end
