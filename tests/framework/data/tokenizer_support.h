#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "framework/core/file.h"
#include "framework/core/random.h"
#include "framework/core/sha256.h"
#include "framework/data/dataset.h"
#include "framework/data/tokenizer.h"
#include "tests/framework/core/scoped_variable.h"
#include "tests/framework/core/temporary_folder.h"

namespace bitnet::test {

inline void write_plain(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline bool has_sentencepiece_tools() {
  return std::system("spm_train --version >/dev/null 2>&1 && spm_encode --version >/dev/null 2>&1") == 0;
}

// Runs a shell command in a folder; its output is dropped.
inline int run_in(const std::filesystem::path& folder, const std::string& command) {
  return std::system(("cd '" + folder.string() + "' && " + command + " >/dev/null 2>&1").c_str());
}

inline std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

inline std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// The ids as spm_encode writes them.
inline std::string id_line(const std::vector<int32_t>& ids) {
  std::string line;
  for (const int32_t id : ids) line += (line.empty() ? "" : " ") + std::to_string(id);
  return line;
}

// Texts from `<vectors>.inp` must give the ids in the lines of `<vectors>.out`, and come back from them. Both are
// llama.cpp's: 46 texts, each with a separator behind it.
inline void expect_vectors(const Tokenizer& tokenizer, const std::filesystem::path& vectors) {
  const std::string texts = read_file(vectors.string() + ".inp");
  const std::vector<std::string> expected = split_lines(read_file(vectors.string() + ".out"));
  const std::string separator = "\n__ggml_vocab_test__\n";
  size_t count = 0;
  for (size_t begin = 0; begin < texts.size(); ++count) {
    const size_t end = std::min(texts.find(separator, begin), texts.size());
    const std::string text = texts.substr(begin, end - begin);
    ASSERT_LT(count, expected.size());
    const std::string ids = id_line(tokenizer.encode(text));
    EXPECT_EQ(ids.empty() ? "" : " " + ids, expected[count]) << "vector " << count << ": '" << text << "'";
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
    begin = end + separator.size();
  }
  EXPECT_EQ(count, 46u);
}

// What spm_encode gives for each line.
inline std::vector<std::string> spm_encode(const std::filesystem::path& model, const std::vector<std::string>& lines) {
  const testing::TemporaryFolder folder;
  write_plain(folder / "in", join_lines(lines));
  const int status =
      run_in(folder.path(), "spm_encode --model='" + model.string() + "' --output_format=id --output=out < in");
  if (status != 0) throw std::runtime_error("spm_encode failed");
  return split_lines(read_file(folder / "out"));
}

// What spm_decode gives for each line of ids.
inline std::vector<std::string> spm_decode(const std::filesystem::path& model, const std::vector<std::string>& lines) {
  const testing::TemporaryFolder folder;
  write_plain(folder / "in", join_lines(lines));
  const int status =
      run_in(folder.path(), "spm_decode --model='" + model.string() + "' --input_format=id --output=out < in");
  if (status != 0) throw std::runtime_error("spm_decode failed");
  return split_lines(read_file(folder / "out"));
}

enum class Alphabet { kValid, kValidAndSpaceMark, kAnyBytes };

// One line (no newline, no NUL): words, spaces, digits, CJK, emoji, combining marks, control characters.
inline std::string random_line(Random& random, Alphabet alphabet) {
  static const std::vector<std::string> kParts = {"the",
                                                  "The",
                                                  " the",
                                                  "ing",
                                                  " ",
                                                  "  ",
                                                  "   ",
                                                  "\t",
                                                  "a",
                                                  "b",
                                                  "e",
                                                  "un",
                                                  "<unk>",
                                                  "<s>",
                                                  "</s>",
                                                  "1",
                                                  "23",
                                                  "2024",
                                                  ",",
                                                  ".",
                                                  "!",
                                                  "日本",
                                                  "語",
                                                  "学",
                                                  "é",
                                                  "e\xCC\x81",
                                                  "Å",
                                                  "ﬁ",
                                                  "Ａ",
                                                  "①",
                                                  "\x01",
                                                  "\x1f",
                                                  "\x7f",
                                                  "\r",
                                                  "😀",
                                                  "👩\xE2\x80\x8D👩",
                                                  "🇩🇪",
                                                  "ß",
                                                  "Привет",
                                                  "\xC2\xA0",
                                                  "\xE3\x80\x80",
                                                  "\xE2\x80\x8B",
                                                  "½",
                                                  "ก็",
                                                  "한국",
                                                  "<0x41>",
                                                  "<|unknown|>",
                                                  "@-@",
                                                  "=",
                                                  "[sep]",
                                                  "s",
                                                  "ss",
                                                  "sep"};
  std::string line;
  const uint64_t parts = random.below(24);
  for (uint64_t i = 0; i < parts; ++i) {
    const uint64_t kind = random.below(12);
    if (kind == 0 && alphabet != Alphabet::kValid) {
      line += "\xE2\x96\x81";
    } else if (kind == 1 && alphabet == Alphabet::kAnyBytes) {
      char byte = static_cast<char>(1 + random.below(255));
      line += byte == '\n' ? ' ' : byte;
    } else {
      line += kParts[random.below(kParts.size())];
    }
  }
  return line;
}

inline std::vector<std::string> random_lines(uint64_t seed, int count, Alphabet alphabet) {
  Random random(seed);
  std::vector<std::string> lines;
  for (int i = 0; i < count; ++i) lines.push_back(random_line(random, alphabet));
  return lines;
}

// Text for all splits, given as documents.
class TextDataset final : public Dataset {
 public:
  explicit TextDataset(std::vector<std::string> documents) : documents_(std::move(documents)) {
    for (const std::string& document : documents_) text_ += document;
  }
  std::string_view text(DataSplit) const override { return text_; }
  std::vector<std::string_view> documents(DataSplit) const override { return {documents_.begin(), documents_.end()}; }
  std::string sha256(DataSplit) const override { return sha256_hex(text_); }
  std::optional<EntropyFloor> floor(DataSplit) const override { return std::nullopt; }
  std::string name() const override { return "text"; }

 private:
  std::vector<std::string> documents_;
  std::string text_;
};

// Collects what a library reports.
class RecordingReporter final : public ProgressReporter {
 public:
  void start(std::string_view label, int64_t total, std::string_view, int64_t) override {
    labels.emplace_back(label);
    last_total = total;
  }
  void update(int64_t done, std::string_view) override { last_done = done; }
  void message(std::string_view text) override { messages.emplace_back(text); }
  std::vector<std::string> labels, messages;
  int64_t last_total = 0, last_done = 0;
};

// Writes the protobuf wire format.
class MessageWriter {
 public:
  MessageWriter& number(uint64_t field, uint64_t value) {
    varint(field << 3);
    varint(value);
    return *this;
  }
  MessageWriter& bytes(uint64_t field, std::string_view value) {
    varint(field << 3 | 2);
    varint(value.size());
    text_ += value;
    return *this;
  }
  MessageWriter& float32(uint64_t field, float value) {
    varint(field << 3 | 5);
    text_.append(reinterpret_cast<const char*>(&value), 4);
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) text_ += static_cast<char>(value | 0x80);
    text_ += static_cast<char>(value);
  }
  std::string text_;
};

inline std::string piece_message(std::string_view text, float score, int type) {
  return MessageWriter().bytes(1, text).float32(2, score).number(3, static_cast<uint64_t>(type)).text();
}

}  // namespace bitnet::test
