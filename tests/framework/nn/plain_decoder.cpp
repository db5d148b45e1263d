#include "tests/framework/nn/plain_decoder.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace bitnet::testing {

PlainDecoder::PlainDecoder(const DecoderLM& model) : config_(model.config()) {
  for (const NamedParameter& parameter : model.parameters()) {
    const at::Tensor value = parameter.value.detach().to(at::kDouble).contiguous();
    Matrix matrix;
    matrix.values.assign(value.data_ptr<double>(), value.data_ptr<double>() + value.numel());
    matrix.rows = value.dim() == 2 ? static_cast<size_t>(value.size(0)) : 1;
    matrix.columns = static_cast<size_t>(value.size(-1));
    tensors_[parameter.name.substr(0, parameter.name.size() - std::string_view(".weight").size())] = matrix;
  }
}

/// x where the model has no such norm.
PlainDecoder::Row PlainDecoder::norm(const std::string& name, const Row& x) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return x;
  double squares = 0;
  for (const double value : x) squares += value * value;
  const double root = std::sqrt(squares / static_cast<double>(x.size()) + config_.norm_epsilon);
  Row y(x.size());
  for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] / root * found->second.values.at(i);
  return y;
}

PlainDecoder::Row PlainDecoder::multiply(const Matrix& matrix, const Row& x) const {
  Row y(matrix.rows, 0.0);
  for (size_t row = 0; row < matrix.rows; ++row) {
    for (size_t column = 0; column < matrix.columns; ++column) {
      y[row] += matrix.values[row * matrix.columns + column] * x.at(column);
    }
  }
  return y;
}

PlainDecoder::Row PlainDecoder::project(const std::string& name, const Row& x) const {
  return multiply(tensors_.at(name), norm(name + "_norm", x));
}

void PlainDecoder::rotate(Row& x, size_t position) const {
  const auto width = static_cast<size_t>(config_.width / config_.heads);
  for (size_t head = 0; head < x.size(); head += width) {
    for (size_t i = 0; i < width / 2; ++i) {
      const double angle = static_cast<double>(position) /
                           std::pow(config_.rope_theta, 2.0 * static_cast<double>(i) / static_cast<double>(width));
      const double low = x[head + i], high = x[head + i + width / 2];
      x[head + i] = low * std::cos(angle) - high * std::sin(angle);
      x[head + i + width / 2] = low * std::sin(angle) + high * std::cos(angle);
    }
  }
}

/// `keys` and `values` are those of this position and the ones before.
PlainDecoder::Row PlainDecoder::attend(const Row& query, const Rows& keys, const Rows& values) const {
  const auto width = static_cast<size_t>(config_.width / config_.heads);
  const auto group = static_cast<size_t>(config_.heads / config_.kv_heads);
  Row mixed(query.size(), 0.0);
  for (size_t head = 0; head < static_cast<size_t>(config_.heads); ++head) {
    const size_t q = head * width, kv = head / group * width;
    Row weights(keys.size(), 0.0);
    for (size_t past = 0; past < keys.size(); ++past) {
      for (size_t i = 0; i < width; ++i) weights[past] += query[q + i] * keys[past][kv + i];
      weights[past] /= std::sqrt(static_cast<double>(width));
    }
    const double largest = *std::max_element(weights.begin(), weights.end());
    double total = 0;
    for (double& weight : weights) total += weight = std::exp(weight - largest);
    for (size_t past = 0; past < keys.size(); ++past) {
      for (size_t i = 0; i < width; ++i) mixed[q + i] += weights[past] / total * values[past][kv + i];
    }
  }
  return mixed;
}

PlainDecoder::Rows PlainDecoder::logits(const std::vector<int64_t>& tokens) const {
  const Matrix& embedding = tensors_.at("embedding");
  Rows xs;
  for (const int64_t token : tokens) {
    const auto first = embedding.values.begin() + token * static_cast<int64_t>(embedding.columns);
    xs.emplace_back(first, first + static_cast<int64_t>(embedding.columns));
  }
  for (int64_t index = 0; index < config_.layers; ++index) {
    const std::string layer = "layers." + std::to_string(index) + ".";
    Rows keys, values;
    for (size_t position = 0; position < xs.size(); ++position) {
      Row& x = xs[position];
      const Row attention_in = norm(layer + "attention_norm", x);
      Row query = project(layer + "attention.q", attention_in);
      rotate(query, position);
      keys.push_back(project(layer + "attention.k", attention_in));
      rotate(keys.back(), position);
      values.push_back(project(layer + "attention.v", attention_in));
      const Row mixed = norm(layer + "attention_sub_norm", attend(query, keys, values));
      const Row from_attention = project(layer + "attention.o", mixed);
      for (size_t i = 0; i < x.size(); ++i) x[i] += from_attention[i];

      const Row ffn_in = norm(layer + "ffn_norm", x);
      Row active = project(layer + "ffn.gate", ffn_in);
      const Row up = project(layer + "ffn.up", ffn_in);
      for (size_t i = 0; i < active.size(); ++i) {
        const double gate = active[i];
        active[i] = (config_.activation == Activation::kSilu ? gate / (1 + std::exp(-gate))
                                                             : std::pow(std::max(gate, 0.0), 2)) *
                    up[i];
      }
      const Row from_ffn = project(layer + "ffn.down", norm(layer + "ffn_sub_norm", active));
      for (size_t i = 0; i < x.size(); ++i) x[i] += from_ffn[i];
    }
  }
  const Matrix& head = config_.tied_head ? embedding : tensors_.at("head");
  Rows all;
  for (const Row& x : xs) all.push_back(multiply(head, norm("final_norm", x)));
  return all;
}

}  // namespace bitnet::testing
