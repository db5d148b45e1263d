#include "framework/nn/functions.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ops/kernels/decoder_math.h"

namespace bitnet {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

/// Rows a task of a parallel loop takes at least; also the unit in which partial sums are added, so that no result
/// depends on the number of threads.
constexpr int64_t kRowChunk = 64;
/// Elements a task of an elementwise loop takes at least; a multiple of every vector.
constexpr int64_t kGateChunk = 1 << 14;

class RmsNorm : public Function<RmsNorm> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& input, const Tensor& weight, double epsilon) {
    const Tensor x = input.contiguous();
    const int64_t width = x.size(-1);
    const int64_t rows = width == 0 ? 0 : x.numel() / width;
    Tensor y = at::empty_like(x);
    Tensor inverse_rms = at::empty({rows}, x.options());
    const float* x_data = x.data_ptr<float>();
    const float* weight_data = weight.data_ptr<float>();
    float* y_data = y.data_ptr<float>();
    float* inverse_data = inverse_rms.data_ptr<float>();
    at::parallel_for(0, rows, kRowChunk, [&](int64_t begin, int64_t end) {
      kernels::rms_norm_rows(x_data + begin * width, end - begin, width, weight_data, static_cast<float>(epsilon),
                             y_data + begin * width, inverse_data + begin);
    });
    context->save_for_backward({x, weight, inverse_rms});
    return y;
  }

  // With n = x * r and r the inverse root mean square: dx = r * (g - n * mean(g * n)) where g = dy * w; dw = sum of dy
  // * n.
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor& x = saved[0];
    const Tensor& weight = saved[1];
    const Tensor dy = gradients[0].contiguous();
    const int64_t width = x.size(-1);
    const int64_t rows = width == 0 ? 0 : x.numel() / width;
    const int64_t chunks = (rows + kRowChunk - 1) / kRowChunk;
    Tensor dx = at::empty_like(x);
    Tensor partial = at::zeros({chunks, width}, x.options());
    const float* x_data = x.data_ptr<float>();
    const float* weight_data = weight.data_ptr<float>();
    const float* inverse_data = saved[2].data_ptr<float>();
    const float* dy_data = dy.data_ptr<float>();
    float* dx_data = dx.data_ptr<float>();
    float* partial_data = partial.data_ptr<float>();
    at::parallel_for(0, chunks, 1, [&](int64_t first, int64_t last) {
      for (int64_t chunk = first; chunk < last; ++chunk) {
        float* dw = partial_data + chunk * width;
        for (int64_t row = chunk * kRowChunk; row < std::min(rows, (chunk + 1) * kRowChunk); ++row) {
          const float* in = x_data + row * width;
          const float* g = dy_data + row * width;
          float* out = dx_data + row * width;
          const float inverse = inverse_data[row];
          float dot = 0;
#pragma omp simd reduction(+ : dot)
          for (int64_t i = 0; i < width; ++i) dot += g[i] * weight_data[i] * in[i];
          const float mean = dot * inverse / static_cast<float>(width);
#pragma omp simd
          for (int64_t i = 0; i < width; ++i) {
            const float n = in[i] * inverse;
            out[i] = inverse * (g[i] * weight_data[i] - n * mean);
            dw[i] += g[i] * n;
          }
        }
      }
    });
    // In the order of the chunks: the library's sum may group columns by the number of threads.
    Tensor dw = at::zeros_like(weight);
    float* dw_data = dw.data_ptr<float>();
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
#pragma omp simd
      for (int64_t i = 0; i < width; ++i) dw_data[i] += partial_data[chunk * width + i];
    }
    return {dx, dw, Tensor()};
  }
};

/// Rotates by the table, or back (`sign` -1).
Tensor rotate(const Tensor& input, const Tensor& table, int64_t first_position, float sign) {
  const Tensor x = input.contiguous();
  const int64_t time = x.size(1);
  const int64_t half = table.size(2);
  const int64_t heads = x.size(2) / (2 * half);
  Tensor y = at::empty_like(x);
  const float* x_data = x.data_ptr<float>();
  const float* cosines = table.data_ptr<float>();
  const float* sines = cosines + table.size(1) * half;
  float* y_data = y.data_ptr<float>();
  at::parallel_for(0, x.size(0) * time, kRowChunk, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t position = first_position + row % time;
      const float* c = cosines + position * half;
      const float* s = sines + position * half;
      for (int64_t head = 0; head < heads; ++head) {
        const int64_t offset = (row * heads + head) * 2 * half;
        kernels::rotate_head(x_data + offset, half, c, s, sign, y_data + offset);
      }
    }
  });
  return y;
}

class Rope : public Function<Rope> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& table, int64_t first_position) {
    context->save_for_backward({table});
    context->saved_data["first_position"] = first_position;
    return rotate(x, table, first_position, 1.0f);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const int64_t first_position = context->saved_data["first_position"].toInt();
    return {rotate(gradients[0], context->get_saved_variables()[0], first_position, -1.0f), Tensor(), Tensor()};
  }
};

/// Query rows that attention's backward takes at once: the scores of one block, kQueryBlock x T floats, stay in the
/// second-level cache (128 x 256 x 4 bytes = 128 KiB), and keys after the block are skipped.
constexpr int64_t kQueryBlock = 128;

struct AttentionShape {
  int64_t batch, time, heads, kv_heads, head_width;
  int64_t group() const { return heads / kv_heads; }
  float scale() const { return 1.0f / std::sqrt(static_cast<float>(head_width)); }
};

/// One head of x [B, T, heads * K] as a [T, K] view.
Tensor head_view(const Tensor& x, int64_t batch, int64_t head, int64_t head_width) {
  return x.select(0, batch).narrow(1, head * head_width, head_width);
}

/// Scores of query rows [begin, end) against keys [0, end), scaled, with -inf above the diagonal.
void masked_scores(const Tensor& q, const Tensor& k, const Tensor& mask, int64_t begin, int64_t end, float scale,
                   Tensor& scores) {
  at::addmm_out(scores, scores, q.narrow(0, begin, end - begin), k.narrow(0, 0, end).t(), /*beta=*/0, /*alpha=*/scale);
  scores.narrow(1, begin, end - begin).add_(mask.narrow(0, 0, end - begin).narrow(1, 0, end - begin));
}

class CausalAttention : public Function<CausalAttention> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& q_in, const Tensor& k_in, const Tensor& v_in,
                        int64_t heads, int64_t kv_heads) {
    const Tensor q = q_in.contiguous();
    const Tensor k = k_in.contiguous();
    const Tensor v = v_in.contiguous();
    const AttentionShape shape{q.size(0), q.size(1), heads, kv_heads, q.size(2) / heads};
    Tensor out = at::empty_like(q);
    Tensor log_sums = at::empty({shape.batch, shape.heads, shape.time}, q.options());
    const int64_t key_size = kernels::key_floats(shape.time, shape.head_width);
    const int64_t value_size = kernels::value_floats(shape.time, shape.head_width);
    at::parallel_for(0, shape.batch * shape.kv_heads, 1, [&](int64_t first, int64_t last) {
      const at::NoGradGuard no_grad;
      // Zeros: the last block of keys and the ends of the rows of values are read beyond what is stored.
      const Tensor cache = at::zeros({key_size + value_size + kernels::attention_scratch(shape.time)}, q.options());
      float* keys = cache.data_ptr<float>();
      float* values = keys + key_size;
      for (int64_t task = first; task < last; ++task) {
        const int64_t batch = task / shape.kv_heads;
        const int64_t kv_head = task % shape.kv_heads;
        const int64_t kv_offset = (batch * shape.time * shape.kv_heads + kv_head) * shape.head_width;
        for (int64_t position = 0; position < shape.time; ++position) {
          const int64_t row = kv_offset + position * shape.kv_heads * shape.head_width;
          kernels::store_key_value(k.data_ptr<float>() + row, v.data_ptr<float>() + row, position, shape.head_width,
                                   keys, values);
        }
        const int64_t head = kv_head * shape.group();
        const int64_t q_offset = (batch * shape.time * shape.heads + head) * shape.head_width;
        kernels::attend({.q = q.data_ptr<float>() + q_offset,
                         .out = out.data_ptr<float>() + q_offset,
                         .position_stride = shape.heads * shape.head_width,
                         .positions = shape.time,
                         .first_position = 0,
                         .group = shape.group(),
                         .keys = keys,
                         .values = values,
                         .head_width = shape.head_width,
                         .scale = shape.scale(),
                         .scratch = values + value_size,
                         .log_sums = log_sums.data_ptr<float>() + (batch * shape.heads + head) * shape.time,
                         .log_stride = shape.time});
      }
    });
    context->save_for_backward({q, k, v, out, log_sums});
    context->saved_data["heads"] = heads;
    context->saved_data["kv_heads"] = kv_heads;
    return out;
  }

  // With P = exp(S - log_sum): dV = P^T dO; dP = dO V^T; dS = P * (dP - rowsum(dO * O)); dQ = dS K; dK = dS^T Q.
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &q = saved[0], &k = saved[1], &v = saved[2], &out = saved[3], &log_sums = saved[4];
    const int64_t heads = context->saved_data["heads"].toInt();
    const int64_t kv_heads = context->saved_data["kv_heads"].toInt();
    const AttentionShape shape{q.size(0), q.size(1), heads, kv_heads, q.size(2) / heads};
    const Tensor d_out = gradients[0].contiguous();
    const Tensor mask = diagonal_mask(shape, q);
    Tensor dq = at::empty_like(q);
    Tensor dk = at::zeros_like(k);
    Tensor dv = at::zeros_like(v);
    // A task owns one key/value head with all query heads that read it, so that no two tasks add to the same place.
    at::parallel_for(0, shape.batch * shape.kv_heads, 1, [&](int64_t first, int64_t last) {
      const at::NoGradGuard no_grad;
      for (int64_t task = first; task < last; ++task) {
        const int64_t batch = task / shape.kv_heads;
        const int64_t kv_head = task % shape.kv_heads;
        const Tensor k_head = head_view(k, batch, kv_head, shape.head_width);
        const Tensor v_head = head_view(v, batch, kv_head, shape.head_width);
        const Tensor dk_head = head_view(dk, batch, kv_head, shape.head_width);
        const Tensor dv_head = head_view(dv, batch, kv_head, shape.head_width);
        for (int64_t head = kv_head * shape.group(); head < (kv_head + 1) * shape.group(); ++head) {
          const Tensor q_head = head_view(q, batch, head, shape.head_width);
          const Tensor d_out_head = head_view(d_out, batch, head, shape.head_width);
          const Tensor delta = d_out_head.mul(head_view(out, batch, head, shape.head_width)).sum(1, /*keepdim=*/true);
          const Tensor log_sums_head = log_sums.select(0, batch).select(0, head).unsqueeze(1);
          const Tensor dq_head = head_view(dq, batch, head, shape.head_width);
          for (int64_t begin = 0; begin < shape.time; begin += kQueryBlock) {
            const int64_t end = std::min(shape.time, begin + kQueryBlock);
            const int64_t rows = end - begin;
            Tensor p = at::empty({rows, end}, q.options());
            masked_scores(q_head, k_head, mask, begin, end, shape.scale(), p);
            p.sub_(log_sums_head.narrow(0, begin, rows)).exp_();
            const Tensor d_out_rows = d_out_head.narrow(0, begin, rows);
            Tensor dv_rows = dv_head.narrow(0, 0, end);
            dv_rows.addmm_(p.t(), d_out_rows);
            Tensor ds = at::mm(d_out_rows, v_head.narrow(0, 0, end).t());
            ds.sub_(delta.narrow(0, begin, rows)).mul_(p);
            Tensor dq_rows = dq_head.narrow(0, begin, rows);
            at::addmm_out(dq_rows, dq_rows, ds, k_head.narrow(0, 0, end), /*beta=*/0, /*alpha=*/shape.scale());
            Tensor dk_rows = dk_head.narrow(0, 0, end);
            dk_rows.addmm_(ds.t(), q_head.narrow(0, begin, rows), /*beta=*/1, /*alpha=*/shape.scale());
          }
        }
      }
    });
    return {dq, dk, dv, Tensor(), Tensor()};
  }

 private:
  /// Zeros on and below the diagonal, -inf above, for one block.
  static Tensor diagonal_mask(const AttentionShape& shape, const Tensor& like) {
    const int64_t size = std::min(shape.time, kQueryBlock);
    return at::full({size, size}, -std::numeric_limits<float>::infinity(), like.options()).triu_(1);
  }
};

/// The product of a gate and what it lets through, with out = act(gate) * up.
class Gated : public Function<Gated> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& gate_in, const Tensor& up_in, bool silu) {
    const Tensor gate = gate_in.contiguous();
    const Tensor up = up_in.contiguous();
    Tensor out = at::empty_like(gate);
    const float* gate_data = gate.data_ptr<float>();
    const float* up_data = up.data_ptr<float>();
    float* out_data = out.data_ptr<float>();
    at::parallel_for(0, gate.numel(), kGateChunk, [&](int64_t begin, int64_t end) {
      (silu ? kernels::gate_silu : kernels::gate_relu2)(gate_data + begin, up_data + begin, end - begin,
                                                        out_data + begin);
    });
    context->save_for_backward({gate, up});
    context->saved_data["silu"] = silu;
    return out;
  }

  // silu'(g) = s + silu(g) (1 - s) with s = sigmoid(g); the derivative of relu(g)^2 is 2 relu(g).
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &gate = saved[0], &up = saved[1], &d_out = gradients[0];
    const at::NoGradGuard no_grad;
    if (!context->saved_data["silu"].toBool()) {
      const Tensor positive = at::relu(gate);
      return {d_out * up * positive * 2, d_out * positive.square(), Tensor()};
    }
    const Tensor active = at::silu(gate);
    return {at::silu_backward(d_out * up, gate), d_out * active, Tensor()};
  }
};

/// Rows of logits that exist at once: 512 x 4,096 x 4 bytes = 8 MiB at a vocabulary of 4,096.
constexpr int64_t kLogitRows = 512;

class LinearCrossEntropy : public Function<LinearCrossEntropy> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& hidden_in, const Tensor& weight, const Tensor& targets,
                        bool gradients) {
    const Tensor hidden = hidden_in.contiguous();
    const int64_t rows = hidden.size(0);
    Tensor d_hidden = gradients ? at::empty_like(hidden) : Tensor();
    Tensor d_weight = gradients ? at::zeros_like(weight) : Tensor();
    double nats = 0;
    for (int64_t begin = 0; begin < rows; begin += kLogitRows) {
      const int64_t count = std::min(kLogitRows, rows - begin);
      const Tensor hidden_rows = hidden.narrow(0, begin, count);
      Tensor log_p = at::log_softmax(at::mm(hidden_rows, weight.t()), -1);
      const Tensor chosen = targets.narrow(0, begin, count).contiguous();
      const int64_t* chosen_data = chosen.data_ptr<int64_t>();
      float* log_p_data = log_p.data_ptr<float>();
      const int64_t vocabulary = log_p.size(1);
      for (int64_t row = 0; row < count; ++row) nats -= log_p_data[row * vocabulary + chosen_data[row]];
      if (!gradients) continue;
      // d(mean loss) / d(logits) = (softmax - one_hot) / rows.
      log_p.exp_();
      for (int64_t row = 0; row < count; ++row) log_p_data[row * vocabulary + chosen_data[row]] -= 1.0f;
      Tensor d_rows = d_hidden.narrow(0, begin, count);
      const double mean = 1.0 / static_cast<double>(rows);
      at::addmm_out(d_rows, d_rows, log_p, weight, /*beta=*/0, /*alpha=*/mean);
      d_weight.addmm_(log_p.t(), hidden_rows, /*beta=*/1, /*alpha=*/mean);
    }
    if (gradients) context->save_for_backward({d_hidden, d_weight});
    return at::scalar_tensor(nats / static_cast<double>(rows), hidden.options());
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const float scale = gradients[0].item<float>();
    if (scale == 1.0f) return {saved[0], saved[1], Tensor(), Tensor()};
    return {saved[0].mul(scale), saved[1].mul(scale), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor rms_norm(const Tensor& x, const Tensor& weight, double epsilon) { return RmsNorm::apply(x, weight, epsilon); }

Tensor rope_table(int64_t positions, int64_t head_width, double theta) {
  const int64_t half = head_width / 2;
  Tensor table = at::empty({2, positions, half}, at::kFloat);
  float* cosines = table.data_ptr<float>();
  float* sines = cosines + positions * half;
  for (int64_t position = 0; position < positions; ++position) {
    for (int64_t i = 0; i < half; ++i) {
      const double frequency = std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_width));
      const double angle = static_cast<double>(position) * frequency;
      cosines[position * half + i] = static_cast<float>(std::cos(angle));
      sines[position * half + i] = static_cast<float>(std::sin(angle));
    }
  }
  return table;
}

Tensor apply_rope(const Tensor& x, const Tensor& table, int64_t first_position) {
  return Rope::apply(x, table, first_position);
}

Tensor causal_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads, int64_t kv_heads) {
  return CausalAttention::apply(q, k, v, heads, kv_heads);
}

Tensor gated(const Tensor& gate, const Tensor& up, Activation activation) {
  return Gated::apply(gate, up, activation == Activation::kSilu);
}

Tensor linear_cross_entropy(const Tensor& hidden, const Tensor& weight, const Tensor& targets) {
  const bool gradients = at::GradMode::is_enabled() && (hidden.requires_grad() || weight.requires_grad());
  return LinearCrossEntropy::apply(hidden, weight, targets, gradients);
}

}  // namespace bitnet
