#include "framework/data/sentencepiece_train.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <vector>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"
#include "framework/data/sentencepiece_model.h"

extern char** environ;

namespace bitnet {
namespace {

constexpr char kProgram[] = "spm_train";

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    std::string pattern = (std::filesystem::temp_directory_path(error) / "bitnet-spm-XXXXXX").string();
    if (error || mkdtemp(pattern.data()) == nullptr) {
      const std::string reason = error ? error.message() : std::strerror(errno);
      throw DataError("tokenizer: a temporary folder must be creatable as " + pattern + ", but is not: " + reason +
                      ". Set TMPDIR to a folder with free space.");
    }
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Runs spm_train in `folder`, its output in `folder`/output. Returns the status that waitpid gives.
int run_spm_train(const std::vector<std::string>& options, const std::filesystem::path& folder) {
  std::vector<std::string> words = {kProgram};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  // Relative names: the model file records them, and its bytes must not depend on where the temporary folder lies.
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "output", O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t process = 0;
  const int error = posix_spawnp(&process, kProgram, &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    throw ConfigError(
        "tokenizer: the program spm_train must be installed to train a vocabulary, but can not be started: " +
        std::string(std::strerror(error)) +
        ". Install the package 'sentencepiece', or name a .model file in tokenizer.model.");
  }
  int status = 0;
  while (waitpid(process, &status, 0) < 0) {
    if (errno != EINTR)
      throw DataError("tokenizer: waiting for spm_train failed: " + std::string(std::strerror(errno)));
  }
  return status;
}

std::string last_lines(std::string text, int count) {
  while (text.ends_with('\n')) text.pop_back();
  size_t begin = text.size();
  for (int i = 0; i < count && begin > 0; ++i) {
    const size_t newline = text.rfind('\n', begin - 1);
    begin = newline == std::string::npos ? 0 : newline;
  }
  return text.substr(begin > 0 ? begin + 1 : 0);
}

// Runs spm_train and gives its output. Errors: DataError with its last lines where it fails.
std::string checked_spm_train(const std::vector<std::string>& options, const std::filesystem::path& folder,
                              const std::string& advice) {
  const int status = run_spm_train(options, folder);
  std::string output = read_file(folder / "output");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  const std::string how = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                              : "exit code " + std::to_string(WEXITSTATUS(status));
  throw DataError("tokenizer: spm_train must end with exit code 0, but ended with " + how + ". " + advice +
                  " Its last lines:\n" + last_lines(output, 5));
}

std::string shortest(double value) {
  char digits[32];
  const auto result = std::to_chars(digits, digits + sizeof digits, value);
  return std::string(digits, result.ptr);
}

std::vector<std::string> training_options(const TokenizerConfig& config) {
  return {"--input=text",
          "--model_prefix=vocabulary",
          "--model_type=bpe",
          "--vocab_size=" + std::to_string(config.vocab_size),
          "--character_coverage=" + shortest(config.character_coverage),
          "--normalization_rule_name=identity",
          "--add_dummy_prefix=false",
          "--remove_extra_whitespaces=false",
          "--byte_fallback=true",
          "--required_chars=\xE2\x96\x81",  // a space is a piece even where the text has none
          "--split_by_unicode_script=false",
          "--unk_id=0",
          "--bos_id=1",
          "--eos_id=2",
          "--pad_id=-1",
          "--unk_piece=<|unknown|>",
          "--max_sentence_length=1073741824",  // longer lines would be left out
          "--input_sentence_size=0",
          "--num_threads=1",  // recorded in the file
          "--minloglevel=1"};
}

std::string spm_train_version() {
  const TemporaryFolder folder;
  return checked_spm_train({"--version"}, folder.path(), "Install the package 'sentencepiece' again.");
}

}  // namespace

std::string train_sentencepiece(std::string_view text, const TokenizerConfig& config) {
  const TemporaryFolder folder;
  write_file_atomic(folder.path() / "text", [&](const ByteSink& sink) {
    sink(text.data(), text.size());
    sink("\n \n", 3);  // spm_train aborts where a required character never occurs
  });
  checked_spm_train(training_options(config), folder.path(),
                    "A small text has too few pieces for a large tokenizer.vocab_size, and a text with many characters "
                    "needs a larger one than " +
                        std::to_string(config.vocab_size) + ".");
  std::string bytes = read_file(folder.path() / "vocabulary.model");
  const size_t pieces = parse_sentencepiece_model(bytes, "the vocabulary that spm_train wrote").pieces.size();
  if (pieces != static_cast<size_t>(config.vocab_size)) {
    throw DataError("tokenizer: spm_train must write a vocabulary of " + std::to_string(config.vocab_size) +
                    " pieces, but wrote " + std::to_string(pieces) + ". Set tokenizer.vocab_size to that number.");
  }
  return bytes;
}

std::filesystem::path trained_sentencepiece(std::string_view text, const std::string& text_sha256,
                                            const TokenizerConfig& config, ProgressReporter& progress) {
  Sha256 digest;
  digest.update("sentencepiece vocabulary 1\n" + spm_train_version());
  for (const std::string& option : training_options(config)) digest.update(option + "\n");
  digest.update(text_sha256);
  const std::filesystem::path path = cache_folder() / "tokenizers" / (digest.hex() + ".model");
  if (std::filesystem::exists(path)) return path;
  progress.message("Training a SentencePiece vocabulary of " + std::to_string(config.vocab_size) + " pieces on " +
                   std::to_string(text.size()) + " bytes of text");
  write_file_atomic(path, train_sentencepiece(text, config));
  progress.message("Vocabulary written to " + path.string());
  return path;
}

}  // namespace bitnet
