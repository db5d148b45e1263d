#pragma once

#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/data/dataset.h"
#include "framework/data/tokenizer.h"
#include "framework/nn/generator.h"
#include "framework/nn/scorer.h"

namespace bitnet::testing {

/// The same documents in every split; the floor where given.
class FakeDataset : public Dataset {
 public:
  explicit FakeDataset(std::vector<std::string> documents, std::optional<EntropyFloor> floor = std::nullopt)
      : documents_(std::move(documents)), floor_(floor) {
    for (const std::string& document : documents_) text_ += document;
  }
  std::string_view text(DataSplit) const override { return text_; }
  std::vector<std::string_view> documents(DataSplit) const override { return {documents_.begin(), documents_.end()}; }
  std::string sha256(DataSplit) const override { return "digest"; }
  std::optional<EntropyFloor> floor(DataSplit) const override { return floor_; }
  std::string name() const override { return "fake"; }

 private:
  std::vector<std::string> documents_;
  std::string text_;
  std::optional<EntropyFloor> floor_;
};

/// Pieces like SentencePiece's: encoding puts a space before the text, decoding takes it away again; one character is
/// split into the bytes of its UTF-8. Ids: 0 BOS, 1 EOS, 2 " the", 3 " cat", 4 "s", 5 and 6 the two bytes of "é", 7 "
/// ".
class PieceTokenizer : public Tokenizer {
 public:
  std::vector<int32_t> encode(std::string_view text) const override {
    std::string rest = text.empty() ? std::string() : " " + std::string(text);
    std::vector<int32_t> ids;
    while (!rest.empty()) {
      int32_t id = 2;
      while (id < 8 && rest.rfind(pieces_[static_cast<size_t>(id)], 0) != 0) ++id;
      if (id == 8) throw std::invalid_argument("PieceTokenizer: no piece for '" + rest + "'");
      ids.push_back(id);
      rest.erase(0, pieces_[static_cast<size_t>(id)].size());
    }
    return ids;
  }
  std::string decode(std::span<const int32_t> ids) const override {
    std::string text;
    for (const int32_t id : ids) text += pieces_.at(static_cast<size_t>(id));
    return text.rfind(' ', 0) == 0 ? text.substr(1) : text;
  }
  int64_t vocab_size() const override { return 8; }
  int32_t bos_id() const override { return 0; }
  int32_t eos_id() const override { return 1; }
  std::string fingerprint() const override { return "pieces"; }
  std::string name() const override { return "pieces"; }

 private:
  std::vector<std::string> pieces_ = {"", "", " the", " cat", "s", "\xc3", "\xa9", " "};
};

/// A bigram table: nats(previous, next) is a small multiple of 1/4, so that sums in the tests are exact. Keeps the
/// requests and refuses those that do not fit a model of its context.
class TableScorer : public Scorer {
 public:
  explicit TableScorer(int64_t context) : context_(context) {}
  static double nats(int32_t previous, int32_t next) { return 0.25 * ((previous + 3 * next) % 7); }
  int64_t context() const override { return context_; }
  std::vector<ScoreResult> score(std::span<const ScoreRequest> requests) override {
    std::vector<ScoreResult> results;
    for (const ScoreRequest& request : requests) {
      if (static_cast<int64_t>(request.tokens.size()) > context_ + 1) throw std::invalid_argument("request too long");
      ScoreResult result;
      for (size_t i = static_cast<size_t>(request.scored_from); i < request.tokens.size(); ++i) {
        result.nats += cost(request.tokens[i - 1], request.tokens[i]);
        ++result.tokens;
      }
      results.push_back(result);
      requests_.push_back(request);
    }
    return results;
  }
  const std::vector<ScoreRequest>& requests() const { return requests_; }

 protected:
  virtual double cost(int32_t previous, int32_t next) const { return nats(previous, next); }

 private:
  int64_t context_;
  std::vector<ScoreRequest> requests_;
};

/// Continues nothing: for evaluators that only score.
class NoGenerator : public Generator {
 public:
  int64_t context() const override { return 0; }
  std::vector<GenerateResult> generate(std::span<const GenerateRequest>, const OnGenerated&) override {
    throw std::logic_error("this evaluator must not generate");
  }
};

/// p = 1 / vocabulary for every token.
class UniformScorer : public TableScorer {
 public:
  UniformScorer(int64_t context, int64_t vocab_size) : TableScorer(context), nats_(std::log(vocab_size)) {}

 protected:
  double cost(int32_t, int32_t) const override { return nats_; }

 private:
  double nats_;
};

}  // namespace bitnet::testing
