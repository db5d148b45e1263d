#include "framework/data/tokenizer_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "framework/core/error.h"
#include "tests/framework/data/tokenizer_json_support.h"

namespace bitnet {
namespace {

using test::added_token;
using test::gpt2_like;
using test::kFirstPiece;
using test::llama_like;
using test::TokenizerText;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TokenizerFile parse(const TokenizerText& file, std::string_view config = "") {
  return parse_tokenizer_json(file.text(), config, "tokenizer.json");
}

std::string error_of(const std::string& text, std::string_view config = "") {
  try {
    parse_tokenizer_json(text, config, "tokenizer.json");
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), StartsWith("tokenizer.json"));
    return error.what();
  }
  return "no error";
}

// What becomes of a file after a change.
std::string error_after(const std::function<void(TokenizerText&)>& change, TokenizerText file = llama_like()) {
  EXPECT_EQ(error_of(file.text()), "no error");
  change(file);
  return error_of(file.text());
}

TEST(TokenizerJson, ReadsAFileOfLlamasKind) {
  const TokenizerFile file = parse(llama_like());
  EXPECT_EQ(file.pieces.size(), kFirstPiece + 10u);
  EXPECT_EQ(file.merges.size(), 5u);
  EXPECT_EQ(file.merges[0].left, kFirstPiece + 1);
  EXPECT_EQ(file.merges[0].result, kFirstPiece + 5);
  EXPECT_EQ(file.added_tokens.size(), 3u);
  EXPECT_TRUE(file.byte_fallback);
  EXPECT_TRUE(file.fuse_unknown);
  EXPECT_FALSE(file.byte_level);
  EXPECT_EQ(file.unknown_id, 0);
  EXPECT_EQ(file.bos_id, 1);
  EXPECT_EQ(file.eos_id, 2);
}

TEST(TokenizerJson, ReadsAFileOfGpt2sKind) {
  const TokenizerFile file = parse(gpt2_like());
  EXPECT_TRUE(file.byte_level);
  EXPECT_EQ(file.pre_tokenizer.size(), 1u);
  EXPECT_EQ(file.bos_id, 259);
  EXPECT_EQ(file.eos_id, 259);
}

TEST(TokenizerJson, MergesMayBePairs) {
  TokenizerText file = llama_like();
  file.merges_as_pairs = true;
  EXPECT_EQ(parse(file).merges.size(), 5u);
  file.pieces.push_back("a b");  // only a pair can say this one
  file.pieces.push_back("a bc");
  file.merges.push_back("a b c");
  EXPECT_THAT(error_of(file.text()), HasSubstr("must be a piece of the vocabulary, but is 'b c'"));
}

TEST(TokenizerJson, AddedTokensFollowTheVocabulary) {
  TokenizerText file = llama_like();
  file.added_tokens += "," + added_token(kFirstPiece + 10, "<|user|>");
  EXPECT_EQ(parse(file).pieces.size(), kFirstPiece + 11u);
  EXPECT_EQ(parse(file).pieces.back(), "<|user|>");
}

TEST(TokenizerJson, BosAndEosComeFromTheConfigurationThenTheTemplateThenUsualNames) {
  TokenizerText file = llama_like();
  file.pieces[1] = "<start>";
  file.pieces[2] = "<end>";
  file.added_tokens = added_token(0, "<unk>") + "," + added_token(1, "<start>") + "," + added_token(2, "<end>");
  EXPECT_THAT(error_of(file.text()), HasSubstr("EOS must be named by tokenizer_config.json"));
  EXPECT_EQ(parse(file, R"({"bos_token":"<start>","eos_token":{"content":"<end>","lstrip":false}})").eos_id, 2);
  EXPECT_EQ(parse(file, R"({"bos_token":null,"eos_token":"<end>"})").bos_id, 2);  // without BOS, EOS stands for it
  EXPECT_THAT(error_of(file.text(), R"({"eos_token":"</s>"})"), HasSubstr("EOS must be a piece of the vocabulary"));
  EXPECT_THAT(error_of(file.text(), R"({"eos_token":7})"), HasSubstr("eos_token must be an object, but is 7"));
  EXPECT_THAT(error_of(file.text(), "{"), HasSubstr("the tokenizer_config.json beside it: "));
  file.post_processor =
      R"({"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing","single":[)"
      R"({"SpecialToken":{"id":"<start>","type_id":0}},{"Sequence":{"id":"A","type_id":0}},)"
      R"({"SpecialToken":{"id":"<end>","type_id":0}}],"pair":[],"special_tokens":{}}]})";
  EXPECT_EQ(parse(file).bos_id, 1);
  EXPECT_EQ(parse(file).eos_id, 2);
}

TEST(TokenizerJson, EveryTruncationIsAnError) {
  const std::string whole = llama_like().text();
  for (size_t size = 0; size < whole.size(); size += 7) {
    EXPECT_NE(error_of(whole.substr(0, size)), "no error") << size;
  }
}

TEST(TokenizerJson, RefusesDeepNesting) {
  for (const int levels : {100, 100000}) {
    std::string open, close;
    for (int i = 0; i < levels; ++i) open += R"({"type":"Sequence","normalizers":[)", close += "]}";
    EXPECT_THAT(error_after([&](TokenizerText& file) { file.normalizer = open + close; }), HasSubstr("levels deep"));
  }
}

TEST(TokenizerJson, RefusesTextThatIsNoUtf8) {
  EXPECT_THAT(error_after([](TokenizerText& file) { file.pieces[260] = "\xFF"; }), HasSubstr("UTF-8"));
  EXPECT_THAT(error_after([](TokenizerText& file) { file.pieces[260] = "\xE2\x96"; }), HasSubstr("UTF-8"));
}

TEST(TokenizerJson, RefusesAVocabularyWithHolesOrSharedIds) {
  const TokenizerText file = llama_like();
  const auto with = [&](const std::string& vocabulary) {
    return error_of(file.with_model("{" + file.options + R"(,"vocab":)" + vocabulary + R"(,"merges":[]})"));
  };
  std::string vocabulary = file.vocabulary();
  vocabulary.pop_back();
  EXPECT_THAT(with(vocabulary + R"(,"x":270})"), HasSubstr("without a hole, but 'x' has 270"));
  EXPECT_THAT(with(vocabulary + R"(,"x":5})"), AllOf(HasSubstr("5 belongs to"), HasSubstr("'x'")));
  EXPECT_THAT(with(vocabulary + R"(,"x":-1})"), HasSubstr("x must be a whole number"));
  EXPECT_THAT(with(vocabulary + R"(,"x":1.5})"), HasSubstr("x must be a whole number"));
  EXPECT_THAT(with(vocabulary + R"(,"x":1e99})"), HasSubstr("x must be a whole number"));
  EXPECT_THAT(with(vocabulary + R"(,"x":18446744073709551615})"), HasSubstr("x must be a whole number"));
  EXPECT_THAT(with(vocabulary + R"(,"x":null})"), HasSubstr("x must be given"));
  EXPECT_THAT(with(vocabulary + R"(,"":269})"), HasSubstr("must have a text"));
  EXPECT_THAT(with(vocabulary + R"(,"a":269})"), HasSubstr("'a' twice"));
  EXPECT_THAT(with("{}"), HasSubstr("is empty"));
  EXPECT_THAT(with("[]"), HasSubstr("model.vocab must be an object, but is a list"));
}

TEST(TokenizerJson, RefusesBadMerges) {
  const auto with = [](const std::string& merge) {
    return error_after([&](TokenizerText& file) { file.merges.push_back(merge); });
  };
  EXPECT_THAT(with("a x"), HasSubstr("merge 5's right side must be a piece of the vocabulary, but is 'x'"));
  EXPECT_THAT(with("x a"), HasSubstr("merge 5's left side"));
  EXPECT_THAT(with("b a"), HasSubstr("merge 5's result must be a piece of the vocabulary, but is 'ba'"));
  EXPECT_THAT(with("a b"), HasSubstr("merge 5 must be unique, but 'a b' was there before"));
  EXPECT_THAT(with("a  b"), HasSubstr("two pieces with a space between"));
  EXPECT_THAT(with("ab"), HasSubstr("two pieces with a space between"));
  EXPECT_THAT(with(" ab"), HasSubstr("two pieces with a space between"));
  EXPECT_THAT(with(""), HasSubstr("two pieces with a space between"));
  EXPECT_THAT(error_after([](TokenizerText& file) {
                file.pieces.push_back("<0x41>a");
                file.merges.push_back("<0x41> a");
              }),
              HasSubstr("must not name byte pieces"));
  const TokenizerText file = llama_like();
  const std::string model = "{" + file.options + R"(,"vocab":)" + file.vocabulary();
  EXPECT_THAT(error_of(file.with_model(model + "}")), HasSubstr("model: merges must be given, but is missing"));
  EXPECT_THAT(error_of(file.with_model(model + R"(,"merges":[]})")), HasSubstr("but is empty"));
  EXPECT_THAT(error_of(file.with_model(model + R"(,"merges":{}})")), HasSubstr("must be a list"));
  EXPECT_THAT(error_of(file.with_model(model + R"(,"merges":[["a"]]})")), HasSubstr("a pair of texts"));
  EXPECT_THAT(error_of(file.with_model(model + R"(,"merges":[["a",1]]})")), HasSubstr("a pair of texts"));
}

TEST(TokenizerJson, RefusesVocabulariesThatLoseText) {
  EXPECT_THAT(error_after([](TokenizerText& file) { file.pieces[100] = "x"; }), HasSubstr("but has 255"));
  EXPECT_THAT(error_after([](TokenizerText& file) { file.options = R"("type":"BPE")"; }), HasSubstr("would vanish"));
  EXPECT_THAT(error_after([](TokenizerText& file) { file.pieces[100] = "xx"; }, gpt2_like()),
              HasSubstr("each of 256 bytes, but has 255"));
  EXPECT_THAT(error_after([](TokenizerText& file) { file.options += R"(,"unk_token":"<none>")"; }, gpt2_like()),
              HasSubstr("model.unk_token must be a piece"));
}

TEST(TokenizerJson, RefusesContradictingAddedTokens) {
  const auto with = [](const std::string& token) {
    return error_after([&](TokenizerText& file) { file.added_tokens += "," + token; });
  };
  EXPECT_THAT(with(added_token(7, "</s>")), HasSubstr("must have the id of its piece, 2, but has 7"));
  EXPECT_THAT(with(added_token(7, "new")), HasSubstr("7 belongs to '<0x04>' and 'new'"));
  EXPECT_THAT(with(added_token(kFirstPiece + 11, "new")), HasSubstr("without a hole, but 'new' has 270"));
  EXPECT_THAT(with(added_token(2, "</s>")), HasSubstr("'</s>' a second time"));
  EXPECT_THAT(with(added_token(kFirstPiece + 10, "")), HasSubstr("must have a text"));
  for (const char* name : {"lstrip", "rstrip"}) {
    EXPECT_THAT(with(added_token(kFirstPiece + 10, "new", true, false, ",\"" + std::string(name) + "\":true")),
                AllOf(HasSubstr(name), HasSubstr("not supported")));
  }
  EXPECT_THAT(with(R"({"id":2})"), HasSubstr("added_tokens[3]: content must be given"));
  EXPECT_THAT(with("7"), HasSubstr("added_tokens[3] must be an object, but is 7"));
}

// Each of these would change ids (or the text that ids give) and is named in the error.
TEST(TokenizerJson, NamesWhatIsNotSupported) {
  const auto refused = [](const char* name) { return AllOf(HasSubstr(name), HasSubstr("not supported")); };
  for (const char* type : {"NFC", "NFKC", "Lowercase", "Strip", "BertNormalizer", "Precompiled", "ByteLevel"}) {
    EXPECT_THAT(error_after([&](TokenizerText& file) { file.normalizer = R"({"type":")" + std::string(type) + "\"}"; }),
                refused(type));
  }
  for (const char* type : {"Whitespace", "BertPreTokenizer", "Digits", "Punctuation", "UnicodeScripts"}) {
    EXPECT_THAT(
        error_after([&](TokenizerText& file) { file.pre_tokenizer = R"({"type":")" + std::string(type) + "\"}"; }),
        refused(type));
  }
  for (const char* type : {"WordPiece", "BPEDecoder", "CTC"}) {
    EXPECT_THAT(error_after([&](TokenizerText& file) { file.decoder = R"({"type":")" + std::string(type) + "\"}"; }),
                refused(type));
  }
  for (const char* type : {"Unigram", "WordPiece", "WordLevel"}) {
    EXPECT_THAT(error_after([&](TokenizerText& file) { file.options = R"("type":")" + std::string(type) + "\""; }),
                refused(type));
  }
  const auto pre_tokenizer = [](const std::string& value) {
    return error_after([&](TokenizerText& file) { file.pre_tokenizer = value; });
  };
  EXPECT_THAT(pre_tokenizer(R"({"type":"Split","pattern":{"Regex":"a"},"behavior":"Removed","invert":false})"),
              refused("'Removed'"));
  EXPECT_THAT(pre_tokenizer(R"({"type":"Split","pattern":{"Regex":"a"},"behavior":"Isolated","invert":true})"),
              refused("invert"));
  EXPECT_THAT(pre_tokenizer(R"({"type":"Split","pattern":{"String":"a"},"behavior":"Isolated","invert":false})"),
              refused("'String'"));
  EXPECT_THAT(pre_tokenizer(R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"last"})"), refused("'last'"));
  EXPECT_THAT(pre_tokenizer(R"({"type":"ByteLevel","new_option":1})"), refused("'new_option'"));
  EXPECT_THAT(pre_tokenizer(R"({"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},{"type":"Metaspace"}]})"),
              refused("bytes come last"));
  EXPECT_THAT(error_after([](TokenizerText& file) { file.options += R"(,"dropout":0.1)"; }, gpt2_like()),
              refused("dropout"));
  EXPECT_THAT(error_after([](TokenizerText& file) { file.options += R"(,"end_of_word_suffix":"</w>")"; }),
              refused("end_of_word_suffix"));
  EXPECT_THAT(error_after([](TokenizerText& file) { file.options += R"(,"new_option":true)"; }),
              refused("'new_option'"));
  EXPECT_THAT(error_after([](TokenizerText& file) { file.more = R"(,"new_part":{})"; }), refused("'new_part'"));
  EXPECT_THAT(
      error_of(std::string(llama_like().text()).replace(llama_like().text().find("null"), 4, R"({"max_length":9})")),
      refused("truncation"));
  EXPECT_THAT(error_after([](TokenizerText& file) { file.decoder = R"({"type":"Strip","content":" ","start":1})"; }),
              refused("'Fuse'"));
}

TEST(TokenizerJson, RefusesReplacementsThatWouldFillTheMemory) {
  std::string steps;
  for (int i = 0; i < 20; ++i) {
    steps += std::string(i == 0 ? "" : ",") + R"({"type":"Replace","pattern":{"String":"a"},"content":"aaaaaaaaaa"})";
  }
  EXPECT_THAT(error_after([&](TokenizerText& file) {
                file.normalizer = R"({"type":"Sequence","normalizers":[)" + steps + "]}";
              }),
              HasSubstr("at most 64 times longer"));
  EXPECT_THAT(
      error_after([&](TokenizerText& file) { file.decoder = R"({"type":"Sequence","decoders":[)" + steps + "]}"; }),
      HasSubstr("at most 64 times longer"));
  EXPECT_THAT(error_after([](TokenizerText& file) {
                file.normalizer = R"({"type":"Prepend","prepend":")" + std::string(65, 'a') + "\"}";
              }),
              HasSubstr("at most 64 bytes"));
}

TEST(TokenizerJson, RefusesFieldsOfTheWrongType) {
  EXPECT_THAT(error_of("[]"), HasSubstr("must be an object, but is a list"));
  EXPECT_THAT(error_of("{}"), HasSubstr("model must be given"));
  EXPECT_THAT(error_after([](TokenizerText& file) { file.normalizer = "7"; }),
              HasSubstr("must be an object, but is 7"));
  EXPECT_THAT(error_after([](TokenizerText& file) { file.normalizer = R"({"type":7})"; }),
              HasSubstr("a text, but is 7"));
  EXPECT_THAT(error_after([](TokenizerText& file) { file.normalizer = R"({"type":"Sequence","normalizers":7})"; }),
              HasSubstr("must be a list, but is 7"));
  EXPECT_THAT(error_after([](TokenizerText& file) { file.decoder = "null"; }), HasSubstr("decoder must be given"));
  EXPECT_THAT(error_after([](TokenizerText& file) { file.options += R"(,"ignore_merges":1)"; }),
              HasSubstr("true or false, but is 1"));
  EXPECT_THAT(
      error_after([](TokenizerText& file) { file.pre_tokenizer = R"({"type":"Metaspace","replacement":"ab"})"; }),
      HasSubstr("one character"));
  EXPECT_THAT(error_after([](TokenizerText& file) {
                file.pre_tokenizer =
                    R"({"type":"Metaspace","replacement":"▁","add_prefix_space":false,"prepend_scheme":"first"})";
              }),
              HasSubstr("prepend_scheme must be 'never'"));
}

TEST(Gpt2Vocabulary, ReadsTheTwoFiles) {
  const TokenizerText source = gpt2_like();
  std::string merges = "#version: 0.2\n";
  for (const std::string& merge : source.merges) merges += merge + "\n";
  const TokenizerFile file = parse_gpt2_vocabulary(source.vocabulary(), merges, "encoder.json");
  EXPECT_EQ(file.merges.size(), 3u);
  EXPECT_EQ(file.eos_id, 259);
  EXPECT_THROW(parse_gpt2_vocabulary(source.vocabulary(), "", "encoder.json"), DataError);
  EXPECT_THROW(parse_gpt2_vocabulary(source.vocabulary(), "#version: 0.2\na\n", "encoder.json"), DataError);
  EXPECT_THROW(parse_gpt2_vocabulary("[1]", merges, "encoder.json"), DataError);
}

TEST(ByteAlphabet, IsOneToOne) {
  EXPECT_EQ(byte_level_character('a'), "a");
  EXPECT_EQ(byte_level_character(' '), "Ġ");
  EXPECT_EQ(byte_level_character('\n'), "Ċ");
  EXPECT_EQ(byte_level_character(0xAD), "Ń");
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(byte_of_level_character(byte_level_character(static_cast<uint8_t>(byte))), byte);
  }
  EXPECT_EQ(byte_of_level_character("日"), -1);
  EXPECT_EQ(byte_of_level_character(" "), -1);
}

}  // namespace
}  // namespace bitnet
