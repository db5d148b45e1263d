#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "framework/nn/decoder_lm.h"

namespace bitnet::testing {

/// The float decoder again, one position and one number at a time, in double: slow, short, and of nothing that
/// framework/nn is made of.
class PlainDecoder {
 public:
  using Row = std::vector<double>;
  using Rows = std::vector<Row>;

  struct Matrix {
    std::vector<double> values;  ///< row-major
    size_t rows = 0, columns = 0;
  };
  /// By parameter name without ".weight"; a norm is one row.
  using Matrices = std::map<std::string, Matrix>;

  explicit PlainDecoder(const DecoderLM& model);
  PlainDecoder(const ModelConfig& config, Matrices tensors) : config_(config), tensors_(std::move(tensors)) {}
  /// Logits of each position of one window.
  Rows logits(const std::vector<int64_t>& tokens) const;

 private:
  Row norm(const std::string& name, const Row& x) const;
  Row project(const std::string& name, const Row& x) const;
  Row multiply(const Matrix& matrix, const Row& x) const;
  void rotate(Row& x, size_t position) const;
  Row attend(const Row& query, const Rows& keys, const Rows& values) const;

  ModelConfig config_;
  Matrices tensors_;
};

}  // namespace bitnet::testing
