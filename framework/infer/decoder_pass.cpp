#include "framework/infer/decoder_pass.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "framework/infer/team.h"
#include "ops/kernels/decoder_math.h"
#include "ops/kernels/packed_format.h"
#include "ops/kernels/quantize.h"
#include "ops/kernels/ternary_gemm.h"

namespace bitnet {
namespace {

using at::Tensor;

/// Rows of a thread from which on threads share the rows and not the outputs: then a weight that a thread unpacks
/// serves enough rows, and there is almost nothing to wait for.
constexpr int64_t kRowsWorthSharing = 32;
/// Rows of a tile: quantized at a depth of 5,632 they take a third of a second-level cache of 1 MiB.
constexpr int64_t kTileRows = 64;
/// Outputs that divide the work; whole cache lines of sums, and a whole number of every kernel's strips.
constexpr int64_t kSlice = 64;
/// Sums of a tile: 16 KiB, half of a first-level cache; with 64 KiB a prompt takes 2 % longer.
constexpr int64_t kTileSums = 4096;
/// Positions of one task of attention where threads share the rows.
constexpr int64_t kAttentionTask = 16;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

struct Pass {
  const ServedModel& model;
  std::span<const int32_t> tokens;
  int64_t position;
  int64_t keep;
  float* hidden;
  KeyValueCache& cache;
  PassBuffers& buffers;

  int64_t rows() const { return static_cast<int64_t>(tokens.size()); }
  int64_t width() const { return model.config.width; }
  int64_t head_width() const { return model.config.width / model.config.heads; }
  int64_t group() const { return model.config.heads / model.config.kv_heads; }
  float epsilon() const { return static_cast<float>(model.config.norm_epsilon); }

  void embed(int64_t begin, int64_t end) const {
    for (int64_t row = begin; row < end; ++row) {
      model.embedding.embed(tokens[static_cast<size_t>(row)], buffers.x.data_ptr<float>() + row * width());
    }
  }

  /// Rotates queries and keys of the rows and key/value heads, and stores keys and values.
  void rotate_and_store(int64_t layer, int64_t row, int64_t kv_begin, int64_t kv_end) const {
    const int64_t k_width = head_width();
    const int64_t half = k_width / 2;
    const int64_t at = position + row;
    const float* cosines = model.rope.data_ptr<float>() + at * half;
    const float* sines = cosines + model.rope.size(1) * half;
    float* q = buffers.q.data_ptr<float>() + row * width();
    const int64_t kv_row = row * model.config.kv_heads * k_width;
    float* k = buffers.k.data_ptr<float>() + kv_row;
    const float* v = buffers.v.data_ptr<float>() + kv_row;
    for (int64_t kv = kv_begin; kv < kv_end; ++kv) {
      for (int64_t head = kv * group(); head < (kv + 1) * group(); ++head) {
        kernels::rotate_head(q + head * k_width, half, cosines, sines, 1.0f, q + head * k_width);
      }
      kernels::rotate_head(k + kv * k_width, half, cosines, sines, 1.0f, k + kv * k_width);
      kernels::store_key_value(k + kv * k_width, v + kv * k_width, at, k_width, cache.keys(layer, kv),
                               cache.values(layer, kv));
    }
  }

  /// Attention of the rows [begin, end) of one key/value head; the result replaces the queries.
  void attend(int64_t layer, int64_t kv, int64_t begin, int64_t end, float* scratch) const {
    float* q = buffers.q.data_ptr<float>() + begin * width() + kv * group() * head_width();
    kernels::attend({.q = q,
                     .out = q,
                     .position_stride = width(),
                     .positions = end - begin,
                     .first_position = position + begin,
                     .group = group(),
                     .keys = cache.keys(layer, kv),
                     .values = cache.values(layer, kv),
                     .head_width = head_width(),
                     .scale = 1.0f / std::sqrt(static_cast<float>(head_width())),
                     .scratch = scratch,
                     .log_sums = nullptr,
                     .log_stride = 0});
  }

  void gate(const float* gate, const float* up, int64_t count, float* out) const {
    (model.config.activation == Activation::kSilu ? kernels::gate_silu : kernels::gate_relu2)(gate, up, count, out);
  }

  /// Final norm of row `row` if it is one of those to keep.
  void finish(int64_t row) const {
    const int64_t kept = row - (rows() - keep);
    if (kept < 0) return;
    kernels::rms_norm_rows(buffers.x.data_ptr<float>() + row * width(), 1, width(), model.final_norm.data_ptr<float>(),
                           epsilon(), hidden + kept * width(), nullptr);
  }
};

/// The stages of a pass on one member of a team, with packed linear layers. Many rows: each member has rows of its own
/// in every stage but attention. Few rows: each has outputs (heads, columns) of its own for all rows, and quantizes the
/// inputs for itself, which is quicker than to wait for another.
class PackedStages {
 public:
  PackedStages(const Pass& pass, Team& team)
      : pass_(pass),
        team_(team),
        by_rows_(pass.rows() >= kRowsWorthSharing * team.size() || team.size() == 1),
        rows_(by_rows_ ? team.share(pass.rows()) : Team::Share{0, pass.rows()}),
        own_(pass.buffers.threads[static_cast<size_t>(team.rank())]),
        kernel_(kernels::active_kernel()) {}

  void embed() {
    const Team::Share rows = team_.share(pass_.rows());
    pass_.embed(rows.begin, rows.end);
    if (!by_rows_) team_.wait();
  }

  /// out_i = linear_i(norm(x)), or out_i += it.
  void project(std::initializer_list<const ServedLinear*> linears, const Tensor& norm, const Tensor& x,
               std::initializer_list<const Tensor*> outs, bool add) {
    int64_t slices = 0;
    for (const ServedLinear* linear : linears) slices += ceil_div(linear->out, kSlice);
    const Team::Share mine = by_rows_ ? Team::Share{0, slices} : team_.share(slices);
    int64_t first = 0;
    bool ready = false;
    auto out = outs.begin();
    for (const ServedLinear* linear : linears) {
      const int64_t end = first + ceil_div(linear->out, kSlice);
      const int64_t begin_slice = std::max(first, mine.begin) - first;
      const int64_t end_slice = std::min(end, mine.end) - first;
      if (begin_slice < end_slice) {
        if (!ready || linear->norm.defined()) quantize(linear->norm.defined() ? linear->norm : norm, x, linear->in);
        ready = true;
        float* to = (*out)->data_ptr<float>();
        multiply(*linear, begin_slice * kSlice, std::min(end_slice * kSlice, linear->out), to,
                 add ? Use::kAdd : Use::kStore);
      }
      first = end;
      ++out;
    }
    if (!by_rows_) team_.wait();
  }

  void project_gated(const ServedLinear& gate, const ServedLinear& up, const Tensor& norm, const Tensor& x,
                     const Tensor& h) {
    const Team::Share mine = by_rows_ ? Team::Share{0, gate.out} : team_.share(gate.out, kSlice);
    float* to = h.data_ptr<float>();
    // One input for both: slice by slice, so that a gate is still in the cache when its values come.
    const bool shared = !gate.norm.defined();
    const int64_t step = shared && rows_.end - rows_.begin > kRowsWorthSharing ? kSlice : gate.out;
    if (shared) quantize(norm, x, gate.in);
    for (int64_t begin = mine.begin; begin < mine.end; begin += step) {
      const int64_t end = std::min(begin + step, mine.end);
      if (!shared) quantize(gate.norm, x, gate.in);
      multiply(gate, begin, end, to, Use::kStore);
      if (!shared) quantize(up.norm, x, up.in);
      multiply(up, begin, end, to, Use::kGate);
    }
    if (!by_rows_) team_.wait();
  }

  void attention(int64_t layer) {
    const int64_t kv_heads = pass_.model.config.kv_heads;
    float* scratch = own_.scratch.data_ptr<float>();
    if (by_rows_) {
      for (int64_t row = rows_.begin; row < rows_.end; ++row) pass_.rotate_and_store(layer, row, 0, kv_heads);
      team_.wait();
      const int64_t tasks = ceil_div(pass_.rows(), kAttentionTask);
      // In turn, because later rows see more keys.
      for (int64_t task = team_.rank(); task < tasks * kv_heads; task += team_.size()) {
        const int64_t begin = task / kv_heads * kAttentionTask;
        pass_.attend(layer, task % kv_heads, begin, std::min(begin + kAttentionTask, pass_.rows()), scratch);
      }
    } else {
      const Team::Share heads = team_.share(kv_heads);
      for (int64_t row = 0; row < pass_.rows(); ++row) pass_.rotate_and_store(layer, row, heads.begin, heads.end);
      for (int64_t kv = heads.begin; kv < heads.end; ++kv) pass_.attend(layer, kv, 0, pass_.rows(), scratch);
    }
    team_.wait();
  }

  void finish() {
    if (!by_rows_ && team_.rank() != 0) return;
    for (int64_t row = rows_.begin; row < rows_.end; ++row) pass_.finish(row);
  }

 private:
  const PassBuffers::Quantized& input() const { return by_rows_ ? pass_.buffers.input : own_.input; }

  /// Quantized row `row` of rows `stride` bytes apart. The first row of a member lies where it does at the largest
  /// depth: other members may be at a stage of another depth, and must not meet these rows.
  int8_t* codes(int64_t row, int64_t stride) const {
    const Tensor& all = input().codes;
    return all.data_ptr<int8_t>() + rows_.begin * all.size(1) + (row - rows_.begin) * stride;
  }

  void quantize(const Tensor& norm, const Tensor& x, int64_t k) {
    const int64_t stride = kernels::act_stride(k);
    const float* norm_weight = norm.defined() ? norm.data_ptr<float>() : nullptr;
    float* normed = own_.normed.data_ptr<float>();
    for (int64_t row = rows_.begin; row < rows_.end; ++row) {
      const float* values = x.data_ptr<float>() + row * k;
      if (norm_weight != nullptr) {
        kernels::rms_norm_rows(values, 1, k, norm_weight, pass_.epsilon(), normed, nullptr);
        values = normed;
      }
      kernels::quantize_rows(values, 1, k, stride, codes(row, stride), input().scales.data_ptr<float>() + row,
                             input().sums.data_ptr<int32_t>() + row);
    }
  }

  /// What becomes of a product: it is stored, added to what is there, or gated by it.
  enum class Use { kStore, kAdd, kGate };

  /// The outputs [begin, end) of this member's rows, tile by tile, into `to` [rows, out].
  void multiply(const ServedLinear& linear, int64_t begin, int64_t end, float* to, Use use) {
    const auto* packed = linear.weight.data_ptr<uint8_t>();
    const float gamma = kernels::read_header(packed).scale;
    const int64_t stride = kernels::act_stride(linear.in);
    int32_t* sums = own_.sums.data_ptr<int32_t>();
    float* values = own_.values.data_ptr<float>();
    for (int64_t first = rows_.begin; first < rows_.end; first += kTileRows) {
      const int64_t rows = std::min(kTileRows, rows_.end - first);
      const int64_t slice = kTileSums / rows / kSlice * kSlice;
      for (int64_t output = begin; output < end; output += slice) {
        const int64_t count = std::min(slice, end - output);
        kernel_.gemm({.weights_N = packed + kernels::kHeaderBytes + output * kernels::packed_row_bytes(linear.in),
                      .acts_MK = codes(first, stride),
                      .act_stride = stride,
                      .act_sums_M = input().sums.data_ptr<int32_t>() + first,
                      .out_MN = sums,
                      .out_stride = count,
                      .m = rows,
                      .n = count,
                      .k = linear.in});
        const float* scales = input().scales.data_ptr<float>() + first;
        float* tile = to + first * linear.out + output;
        if (use == Use::kStore) {
          kernels::dequantize_rows(sums, rows, count, gamma, scales, tile, linear.out);
        } else if (use == Use::kAdd) {
          kernels::dequantize_add_rows(sums, rows, count, gamma, scales, tile, linear.out);
        } else {
          kernels::dequantize_rows(sums, rows, count, gamma, scales, values, count);
          const float* from = values;
          for (int64_t row = 0; row < rows; ++row, tile += linear.out, from += count) {
            pass_.gate(tile, from, count, tile);
          }
        }
      }
    }
  }

  const Pass& pass_;
  Team& team_;
  bool by_rows_;
  Team::Share rows_;
  PassBuffers::Private& own_;
  const kernels::TernaryKernel& kernel_;
};

/// x [M, I] float32 times a weight [O, I] of LibTorch -> [M, O] float32.
Tensor library_linear(const Tensor& x, const Tensor& weight) {
  if (weight.scalar_type() == at::kFloat) {
    // One row is a matrix and a vector for the library, which is quicker than a product with a matrix of one row.
    return x.size(0) == 1 ? at::mv(weight, x.select(0, 0)).unsqueeze(0) : at::linear(x, weight);
  }
  return at::linear(x.to(weight.scalar_type()), weight).to(at::kFloat);
}

/// The stages of a pass with LibTorch's linear layers, which use all threads themselves.
class LibraryStages {
 public:
  explicit LibraryStages(const Pass& pass) : pass_(pass) {}

  void embed() { pass_.embed(0, pass_.rows()); }

  void project(std::initializer_list<const ServedLinear*> linears, const Tensor& norm, const Tensor& x,
               std::initializer_list<const Tensor*> outs, bool add) {
    Tensor input;
    auto out = outs.begin();
    for (const ServedLinear* linear : linears) {
      if (!input.defined() || linear->norm.defined()) {
        input = normed(linear->norm.defined() ? linear->norm : norm, x, linear->in);
      }
      Tensor to = (*out++)->narrow(0, 0, pass_.rows());
      const Tensor y = library_linear(input, linear->weight);
      if (add) {
        to.add_(y);
      } else {
        to.copy_(y);
      }
    }
  }

  void project_gated(const ServedLinear& gate, const ServedLinear& up, const Tensor& norm, const Tensor& x,
                     const Tensor& h) {
    Tensor input = normed(gate.norm.defined() ? gate.norm : norm, x, gate.in);
    const Tensor gates = library_linear(input, gate.weight);
    if (up.norm.defined()) input = normed(up.norm, x, up.in);
    const Tensor ups = library_linear(input, up.weight);
    at::parallel_for(0, gates.numel(), 1 << 14, [&](int64_t begin, int64_t end) {
      pass_.gate(gates.data_ptr<float>() + begin, ups.data_ptr<float>() + begin, end - begin,
                 h.data_ptr<float>() + begin);
    });
  }

  void attention(int64_t layer) {
    const int64_t kv_heads = pass_.model.config.kv_heads;
    at::parallel_for(0, pass_.rows(), kAttentionTask, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) pass_.rotate_and_store(layer, row, 0, kv_heads);
    });
    const int64_t tasks = ceil_div(pass_.rows(), kAttentionTask) * kv_heads;
    // No more than there are buffers for: the number of threads may have grown since.
    const int64_t members =
        at::in_parallel_region()
            ? 1
            : std::min<int64_t>(at::get_num_threads(), static_cast<int64_t>(pass_.buffers.threads.size()));
    at::parallel_for(0, members, 1, [&](int64_t first, int64_t last) {
      for (int64_t member = first; member < last; ++member) {
        float* scratch = pass_.buffers.threads[static_cast<size_t>(member)].scratch.data_ptr<float>();
        for (int64_t task = member; task < tasks; task += members) {
          const int64_t begin = task / kv_heads * kAttentionTask;
          pass_.attend(layer, task % kv_heads, begin, std::min(begin + kAttentionTask, pass_.rows()), scratch);
        }
      }
    });
  }

  void finish() {
    for (int64_t row = 0; row < pass_.rows(); ++row) pass_.finish(row);
  }

 private:
  Tensor normed(const Tensor& norm, const Tensor& x, int64_t k) const {
    const Tensor rows = x.narrow(0, 0, pass_.rows());
    if (!norm.defined()) return rows;
    Tensor out = at::empty_like(rows);
    at::parallel_for(0, pass_.rows(), kAttentionTask, [&](int64_t begin, int64_t end) {
      kernels::rms_norm_rows(rows.data_ptr<float>() + begin * k, end - begin, k, norm.data_ptr<float>(),
                             pass_.epsilon(), out.data_ptr<float>() + begin * k, nullptr);
    });
    return out;
  }

  const Pass& pass_;
};

/// The decoder: the same order of operations as DecoderLM::hidden.
template <class Stages>
void run_layers(const Pass& pass, Stages& stages) {
  const PassBuffers& buffers = pass.buffers;
  stages.embed();
  for (size_t index = 0; index < pass.model.blocks.size(); ++index) {
    const ServedBlock& block = pass.model.blocks[index];
    stages.project({&block.q, &block.k, &block.v}, block.attention_norm, buffers.x,
                   {&buffers.q, &buffers.k, &buffers.v},
                   /*add=*/false);
    stages.attention(static_cast<int64_t>(index));
    stages.project({&block.o}, block.attention_sub_norm, buffers.q, {&buffers.x}, /*add=*/true);
    stages.project_gated(block.gate, block.up, block.ffn_norm, buffers.x, buffers.h);
    stages.project({&block.down}, block.ffn_sub_norm, buffers.h, {&buffers.x}, /*add=*/true);
  }
  stages.finish();
}

PassBuffers::Quantized make_quantized(int64_t rows, int64_t k) {
  return {at::empty({rows, kernels::act_stride(k)}, at::kChar), at::empty({rows}, at::kFloat),
          at::empty({rows}, at::kInt)};
}

}  // namespace

KeyValueCache::KeyValueCache(const ServedModel& model, int64_t capacity) : heads_(model.config.kv_heads) {
  const int64_t head_width = model.config.width / model.config.heads;
  key_size_ = kernels::key_floats(capacity, head_width);
  value_size_ = kernels::value_floats(capacity, head_width);
  data_ = at::zeros({model.config.layers * heads_ * (key_size_ + value_size_)}, at::kFloat);
}

float* KeyValueCache::keys(int64_t layer, int64_t head) {
  return data_.data_ptr<float>() + (layer * heads_ + head) * (key_size_ + value_size_);
}

float* KeyValueCache::values(int64_t layer, int64_t head) { return keys(layer, head) + key_size_; }

int64_t KeyValueCache::bytes() const { return static_cast<int64_t>(data_.nbytes()); }

PassBuffers::PassBuffers(const ServedModel& model, int64_t rows, int64_t capacity, int64_t thread_count)
    : rows(rows), threads(static_cast<size_t>(thread_count)) {
  const ModelConfig& config = model.config;
  const int64_t kv_width = config.width / config.heads * config.kv_heads;
  const int64_t deepest = std::max(config.width, config.ffn_width);
  x = at::empty({rows, config.width}, at::kFloat);
  q = at::empty({rows, config.width}, at::kFloat);
  k = at::empty({rows, kv_width}, at::kFloat);
  v = at::empty({rows, kv_width}, at::kFloat);
  h = at::empty({rows, config.ffn_width}, at::kFloat);
  const bool packed = model.form == LinearForm::kPacked;
  if (packed) input = make_quantized(rows, deepest);
  for (Private& own : threads) {
    own.scratch = at::empty({kernels::attention_scratch(capacity)}, at::kFloat);
    if (!packed) continue;
    own.input = make_quantized(std::min(rows, kRowsWorthSharing * thread_count), deepest);
    own.normed = at::empty({deepest}, at::kFloat);
    own.sums = at::empty({kTileSums}, at::kInt);
    own.values = at::empty({kTileSums}, at::kFloat);
  }
}

void run_pass(const ServedModel& model, std::span<const int32_t> tokens, int64_t position, int64_t keep, float* hidden,
              KeyValueCache& cache, PassBuffers& buffers) {
  const Pass pass{model, tokens, position, keep, hidden, cache, buffers};
  if (model.form == LinearForm::kPacked) {
    run_team(static_cast<int64_t>(buffers.threads.size()), [&](Team& team) {
      PackedStages stages(pass, team);
      run_layers(pass, stages);
    });
  } else {
    LibraryStages stages(pass);
    run_layers(pass, stages);
  }
}

Tensor head_logits(const ServedModel& model, const Tensor& hidden_MD, int64_t rows_at_once) {
  const int64_t m = hidden_MD.size(0);
  if (model.form != LinearForm::kPacked && model.head.format() != HeadFormat::kInt8) {
    return library_linear(hidden_MD, model.head.data());
  }
  const int64_t vocabulary = model.vocab_size;
  const int64_t width = model.config.width;
  Tensor logits = at::empty({m, vocabulary}, at::kFloat);
  const VocabularyTable::Rows rows = model.head.make_rows(std::min(m, rows_at_once));
  for (int64_t begin = 0; begin < m; begin += rows_at_once) {
    const int64_t count = std::min(rows_at_once, m - begin);
    const float* hidden = hidden_MD.data_ptr<float>() + begin * width;
    model.head.quantize(hidden, count, rows);
    at::parallel_for(
        0, ceil_div(vocabulary, kSlice), ceil_div(kTileSums, count * kSlice), [&](int64_t first, int64_t last) {
          std::vector<int32_t> sums(static_cast<size_t>(count * kSlice));
          for (int64_t slice = first; slice < last; ++slice) {
            model.head.logits(hidden, count, rows, slice * kSlice, std::min((slice + 1) * kSlice, vocabulary),
                              sums.data(), logits.data_ptr<float>() + begin * vocabulary);
          }
        });
  }
  return logits;
}

}  // namespace bitnet
