#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "framework/data/byte_alphabet.h"
#include "framework/data/sentencepiece_model.h"

namespace bitnet::test {

inline std::string json_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

inline std::string added_token(int id, std::string_view content, bool special = true, bool normalized = false,
                               std::string_view more = "") {
  return R"({"id":)" + std::to_string(id) + R"(,"content":)" + json_text(content) + R"(,"single_word":false,)" +
         R"("normalized":)" + (normalized ? "true" : "false") + R"(,"special":)" + (special ? "true" : "false") +
         std::string(more) + "}";
}

// The parts of a tokenizer.json; a test changes one and writes the whole.
struct TokenizerText {
  std::vector<std::string> pieces;  // by id
  std::vector<std::string> merges;  // "a b"
  std::string added_tokens;         // with commas between
  std::string normalizer = "null";
  std::string pre_tokenizer = "null";
  std::string post_processor = "null";
  std::string decoder;
  std::string options = R"("type":"BPE")";  // of the model
  std::string more;                         // further fields, after a comma
  bool merges_as_pairs = false;

  std::string vocabulary() const {
    std::string text;
    for (size_t id = 0; id < pieces.size(); ++id) {
      text += (text.empty() ? "" : ",") + json_text(pieces[id]) + ":" + std::to_string(id);
    }
    return "{" + text + "}";
  }

  std::string merge_list() const {
    std::string text;
    for (const std::string& merge : merges) {
      const size_t space = merge.find(' ');
      text += text.empty() ? "" : ",";
      text += merges_as_pairs ? "[" + json_text(merge.substr(0, space)) + "," + json_text(merge.substr(space + 1)) + "]"
                              : json_text(merge);
    }
    return "[" + text + "]";
  }

  std::string with_model(const std::string& model) const {
    return R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[)" + added_tokens +
           R"(],"normalizer":)" + normalizer + R"(,"pre_tokenizer":)" + pre_tokenizer + R"(,"post_processor":)" +
           post_processor + R"(,"decoder":)" + decoder + R"(,"model":)" + model + more + "}";
  }

  std::string text() const {
    return with_model("{" + options + R"(,"vocab":)" + vocabulary() + R"(,"merges":)" + merge_list() + "}");
  }
};

inline constexpr int kFirstPiece = 259;  // behind <unk>, <s>, </s> and the bytes of llama_like()

// As LLaMA's: 0 <unk>, 1 <s>, 2 </s>, 3 to 258 the bytes, then characters and what they are merged to.
inline TokenizerText llama_like() {
  TokenizerText file;
  file.pieces = {"<unk>", "<s>", "</s>"};
  for (int byte = 0; byte < 256; ++byte) file.pieces.push_back(byte_piece_name(static_cast<uint8_t>(byte)));
  for (const char* piece : {"▁", "a", "b", "c", "é", "ab", "▁ab", "abc", "▁▁", "bc"}) file.pieces.emplace_back(piece);
  file.merges = {"a b", "▁ ab", "ab c", "▁ ▁", "b c"};
  file.added_tokens = added_token(0, "<unk>") + "," + added_token(1, "<s>") + "," + added_token(2, "</s>");
  file.normalizer = R"({"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},)"
                    R"({"type":"Replace","pattern":{"String":" "},"content":"▁"}]})";
  file.decoder = R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},)"
                 R"({"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]})";
  file.options = R"("type":"BPE","dropout":null,"unk_token":"<unk>","fuse_unk":true,"byte_fallback":true)";
  return file;
}

// As GPT-2's: 0 to 255 the bytes, then what they are merged to, then <|endoftext|>.
inline TokenizerText gpt2_like() {
  TokenizerText file;
  for (int byte = 0; byte < 256; ++byte) file.pieces.push_back(byte_level_character(static_cast<uint8_t>(byte)));
  const std::string space = byte_level_character(' ');
  file.pieces.insert(file.pieces.end(), {"ab", space + "ab", "abc", "<|endoftext|>"});
  file.merges = {"a b", space + " ab", "ab c"};
  file.added_tokens = added_token(259, "<|endoftext|>");
  file.pre_tokenizer = R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true})";
  file.decoder = R"({"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true})";
  return file;
}

}  // namespace bitnet::test
