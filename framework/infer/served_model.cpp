#include "framework/infer/served_model.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "framework/core/random.h"
#include "framework/infer/assemble.h"
#include "ops/torch/bitnet_ops.h"

namespace bitnet {
namespace {

using at::Tensor;

/// The purpose number of random weights for measuring in random_stream.
constexpr uint64_t kMeasurePurpose = 4;
/// Magnitude of random weights; keeps the activations of a deep random model finite.
constexpr float kRandomScale = 0.02f;
/// Uniform digits of base 3 in a random word: 3^32 / 2^64 < 10^-3 bounds the bias of the last one.
constexpr int64_t kTritsInWord = 32;
/// Rows of a random table that are made at once.
constexpr int64_t kTablePiece = 2048;

Tensor in_form(const Tensor& weight, LinearForm form) {
  switch (form) {
    case LinearForm::kPacked: {
      const auto [codes, gamma] = ops::quantize_weight(weight);
      return ops::pack_ternary(codes, gamma);
    }
    case LinearForm::kFloat32:
      return weight;
    case LinearForm::kBfloat16:
      return weight.to(at::kBFloat16);
  }
  return weight;
}

/// The float32 parameters of a trained model, put into a form.
class TrainedParts : public ModelParts {
 public:
  TrainedParts(const ModelSource& source, LinearForm form, HeadFormat head)
      : source_(source), form_(form), head_(head) {}
  Tensor norm(const std::string& name, int64_t size) override { return source_.parameter(name + ".weight", {size}); }
  Tensor linear(const std::string& name, const ServedLinear& shape) override {
    return in_form(source_.parameter(name + ".weight", {shape.out, shape.in}), form_);
  }
  VocabularyTable table(const std::string& name) override {
    return {source_.parameter(name + ".weight", {source_.vocab_size, source_.config.width}), head_};
  }

 private:
  const ModelSource& source_;
  LinearForm form_;
  HeadFormat head_;
};

/// Random codes -1, 0, 1, a stream of its own for each row of each tensor. Shapes: [rows, columns] int8, the rows of
/// the tensor from `first_row` on.
Tensor random_codes(int64_t first_row, int64_t rows, int64_t columns, int64_t seed, uint64_t index) {
  Tensor codes = at::empty({rows, columns}, at::kChar);
  int8_t* data = codes.data_ptr<int8_t>();
  at::parallel_for(0, rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      Random random = random_stream(static_cast<uint64_t>(seed), kMeasurePurpose,
                                    index << 32 | static_cast<uint64_t>(first_row + row));
      for (int64_t i = 0; i < columns; i += kTritsInWord) {
        uint64_t trits = random.next();
        for (int64_t j = i; j < std::min(columns, i + kTritsInWord); ++j, trits /= 3) {
          data[row * columns + j] = static_cast<int8_t>(static_cast<int>(trits % 3) - 1);
        }
      }
    }
  });
  return codes;
}

/// The values that codes stand for.
Tensor scaled(const Tensor& codes) { return codes.to(at::kFloat).mul_(kRandomScale); }

/// Random ternary values, the same in every form.
class RandomParts : public ModelParts {
 public:
  RandomParts(const ModelConfig& config, int64_t vocab_size, LinearForm form, HeadFormat head, int64_t seed)
      : config_(config), vocab_size_(vocab_size), form_(form), head_(head), seed_(seed) {}
  Tensor norm(const std::string&, int64_t size) override { return at::ones({size}, at::kFloat); }
  Tensor linear(const std::string&, const ServedLinear& shape) override {
    const Tensor codes = random_codes(0, shape.out, shape.in, seed_, ++index_);
    if (form_ == LinearForm::kPacked) return ops::pack_ternary(codes, at::scalar_tensor(kRandomScale, at::kFloat));
    return in_form(scaled(codes), form_);
  }
  VocabularyTable table(const std::string&) override {
    // Piece by piece: as a whole in float32, a table would be the most that a packed model ever takes.
    ++index_;
    std::vector<Tensor> data, scales;
    for (int64_t first = 0; first < vocab_size_; first += kTablePiece) {
      const int64_t rows = std::min(kTablePiece, vocab_size_ - first);
      const VocabularyTable piece(scaled(random_codes(first, rows, config_.width, seed_, index_)), head_);
      data.push_back(piece.data());
      scales.push_back(piece.scales());
    }
    return {head_, config_.width, at::cat(data), head_ == HeadFormat::kInt8 ? at::cat(scales) : Tensor()};
  }

 private:
  ModelConfig config_;
  int64_t vocab_size_;
  LinearForm form_;
  HeadFormat head_;
  int64_t seed_;
  uint64_t index_ = 0;
};

}  // namespace

ServedBytes ServedModel::bytes() const {
  ServedBytes bytes;
  const auto add = [](int64_t& total, const Tensor& tensor) {
    if (tensor.defined()) total += static_cast<int64_t>(tensor.nbytes());
  };
  for (ServedBlock block : blocks) {
    for (const Tensor& norm : {block.attention_norm, block.attention_sub_norm, block.ffn_norm, block.ffn_sub_norm}) {
      add(bytes.other, norm);
    }
    for_each_linear(block, [&](const char*, ServedLinear& linear) {
      add(form == LinearForm::kPacked ? bytes.ternary : bytes.linear, linear.weight);
      add(bytes.other, linear.norm);
    });
  }
  add(bytes.other, final_norm);
  bytes.tables = embedding.bytes() + (config.tied_head ? 0 : head.bytes());
  return bytes;
}

int64_t ServedModel::bytes_per_token() const {
  const ServedBytes all = bytes();
  return all.ternary + all.linear + head.bytes();
}

int64_t ServedModel::products_per_token() const {
  int64_t products = 0;
  for (ServedBlock block : blocks) {
    for_each_linear(block, [&](const char*, ServedLinear& linear) { products += linear.in * linear.out; });
  }
  return products;
}

void for_each_linear(ServedBlock& block, const std::function<void(const char*, ServedLinear&)>& visit) {
  visit("attention.q", block.q);
  visit("attention.k", block.k);
  visit("attention.v", block.v);
  visit("attention.o", block.o);
  visit("ffn.gate", block.gate);
  visit("ffn.up", block.up);
  visit("ffn.down", block.down);
}

ServedModel serve(const DecoderLM& model) { return serve(source_of(model)); }

ServedModel serve(const DecoderLM& model, LinearForm form, HeadFormat head) {
  return serve(source_of(model), form, head);
}

ServedModel serve(const ModelSource& source) {
  const LinearForm form = source.config.linear == LinearKind::kBitnet ? LinearForm::kPacked : LinearForm::kFloat32;
  return serve(source, form, source.config.head);
}

ServedModel serve(const ModelSource& source, LinearForm form, HeadFormat head) {
  const at::NoGradGuard no_grad;
  TrainedParts parts(source, form, head);
  return assemble(source.config, source.vocab_size, form, head, parts);
}

ServedModel random_served_model(const ModelConfig& config, int64_t vocab_size, LinearForm form, HeadFormat head,
                                int64_t seed) {
  const at::NoGradGuard no_grad;
  RandomParts parts(config, vocab_size, form, head, seed);
  return assemble(config, vocab_size, form, head, parts);
}

}  // namespace bitnet
