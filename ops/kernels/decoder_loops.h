#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "ops/kernels/decoder_levels.h"

// The loops of decoder_math.h, on the compilers' vector types. Compiled several times from the same text, as in
// quantize_loops.h. A sum that runs across a vector has 64 partial sums, whatever the width; all other sums run in the
// order of their terms, one element of the result in one lane. Anonymous namespace, no standard library functions.

namespace bitnet::kernels {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

using Vec = float __attribute__((vector_size(4 * kLanes)));
using IntVec = int32_t __attribute__((vector_size(4 * kLanes)));
using WordVec = uint32_t __attribute__((vector_size(4 * kLanes)));
using HalfVec = uint16_t __attribute__((vector_size(2 * kLanes)));

constexpr int kPartials = 64;
constexpr int kPartialVecs = kPartials / kLanes;

inline Vec load(const float* at) {
  Vec value;
  __builtin_memcpy(&value, at, sizeof value);
  return value;
}

inline Vec load(const uint16_t* at) {  // bfloat16: the upper half of a float32
  HalfVec halves;
  __builtin_memcpy(&halves, at, sizeof halves);
  return reinterpret_cast<Vec>(__builtin_convertvector(halves, WordVec) << 16);
}

inline void store(float* to, Vec value) { __builtin_memcpy(to, &value, sizeof value); }

inline Vec broadcast(float value) {
#if defined(__AVX512F__)
  return _mm512_set1_ps(value);
#elif defined(__AVX2__)
  return _mm256_set1_ps(value);
#else
  return Vec{value, value, value, value};
#endif
}

inline Vec multiply_add(Vec a, Vec b, Vec c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#elif defined(__aarch64__)
  return vfmaq_f32(c, a, b);
#else
  return a * b + c;
#endif
}

inline float multiply_add(float a, float b, float c) {
#if defined(__FMA__) || defined(__aarch64__)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

inline float widen(float value) { return value; }
inline float widen(uint16_t value) {
  const uint32_t bits = static_cast<uint32_t>(value) << 16;
  float result;
  __builtin_memcpy(&result, &bits, sizeof result);
  return result;
}

// The sum of 64 partial sums as a tree: i and i + 32, then i and i + 16, and so on. Empties `sums`.
inline float sum_of(Vec (&sums)[kPartialVecs]) {
#pragma GCC unroll 4
  for (int half = kPartialVecs / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
    for (int v = 0; v < half; ++v) sums[v] += sums[v + half];
  }
  float lanes[kLanes];
  store(lanes, sums[0]);
#pragma GCC unroll 4
  for (int half = kLanes / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

inline float largest_of(Vec (&values)[kPartialVecs]) {
#pragma GCC unroll 16
  for (int v = 1; v < kPartialVecs; ++v) values[0] = values[v] > values[0] ? values[v] : values[0];
  float lanes[kLanes];
  store(lanes, values[0]);
#pragma GCC unroll 4
  for (int half = kLanes / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
    for (int i = 0; i < half; ++i) lanes[i] = lanes[i + half] > lanes[i] ? lanes[i + half] : lanes[i];
  }
  return lanes[0];
}

// Adds `count` further terms, fewer than 64, to the partial sums of their places.
template <class Term>
inline void add_rest(Vec (&sums)[kPartialVecs], int64_t count, const Term& term) {
  if (count == 0) return;
  float partials[kPartials];
  for (int v = 0; v < kPartialVecs; ++v) store(partials + v * kLanes, sums[v]);
  for (int64_t i = 0; i < count; ++i) partials[i] = term(i, partials[i]);
  for (int v = 0; v < kPartialVecs; ++v) sums[v] = load(partials + v * kLanes);
}

// exp by Cephes' expf (Moshier): x = n ln 2 + r, |r| <= ln 2 / 2, and a polynomial in r; within 2 units in the last
// place in [-87.33, 88]. Smaller and larger x give the value at that end, NaN gives NaN.
inline Vec exp_of(Vec x) {
  constexpr float kRoundMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, in the low bits
  const Vec least = broadcast(-87.33f);
  const Vec most = broadcast(88.0f);
  x = x < least ? least : x;
  x = x > most ? most : x;
  const Vec shifted = multiply_add(x, broadcast(1.44269504088896341f), broadcast(kRoundMagic));
  const Vec n = shifted - kRoundMagic;
  const Vec r = multiply_add(n, broadcast(2.12194440e-4f), multiply_add(n, broadcast(-0.693359375f), x));
  Vec p = multiply_add(r, broadcast(1.9875691500e-4f), broadcast(1.3981999507e-3f));
  p = multiply_add(p, r, broadcast(8.3334519073e-3f));
  p = multiply_add(p, r, broadcast(4.1665795894e-2f));
  p = multiply_add(p, r, broadcast(1.6666665459e-1f));
  p = multiply_add(p, r, broadcast(5.0000001201e-1f));
  p = multiply_add(p, r * r, r) + 1.0f;
  const IntVec exponent = reinterpret_cast<IntVec>(shifted) - 0x4b400000;
  return p * reinterpret_cast<Vec>((exponent + 127) << 23);
}

inline void rms_norm_rows_loop(const float* x_MK, int64_t m, int64_t k, const float* weight_K, float epsilon,
                               float* y_MK, float* inverse_rms_M) {
  for (int64_t row = 0; row < m; ++row) {
    const float* x_K = x_MK + row * k;
    float* y_K = y_MK + row * k;
    Vec squares[kPartialVecs] = {};
    int64_t at = 0;
    for (; at + kPartials <= k; at += kPartials) {
      for (int v = 0; v < kPartialVecs; ++v) {
        const Vec x = load(x_K + at + v * kLanes);
        squares[v] += x * x;
      }
    }
    add_rest(squares, k - at, [&](int64_t i, float sum) { return sum + x_K[at + i] * x_K[at + i]; });
    const float inverse = 1.0f / __builtin_sqrtf(sum_of(squares) / static_cast<float>(k) + epsilon);
    if (inverse_rms_M != nullptr) inverse_rms_M[row] = inverse;
    int64_t i = 0;
    for (; i + kLanes <= k; i += kLanes) store(y_K + i, load(x_K + i) * inverse * load(weight_K + i));
    for (; i < k; ++i) y_K[i] = x_K[i] * inverse * weight_K[i];
  }
}

struct Silu {
  static Vec gate(Vec g, Vec up) { return g / (exp_of(-g) + 1.0f) * up; }
};
struct Relu2 {
  static Vec gate(Vec g, Vec up) {
    const Vec zero = {};
    const Vec positive = g < zero ? zero : g;  // in this order NaN stays
    return positive * positive * up;
  }
};

template <class Activation>
void gate_loop(const float* gate, const float* up, int64_t count, float* out) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(out + i, Activation::gate(load(gate + i), load(up + i)));
  if (i == count) return;
  const uint64_t rest = static_cast<uint64_t>(count - i) * sizeof(float);
  float last_gate[kLanes] = {};
  float last_up[kLanes] = {};
  float result[kLanes];
  __builtin_memcpy(last_gate, gate + i, rest);
  __builtin_memcpy(last_up, up + i, rest);
  store(result, Activation::gate(load(last_gate), load(last_up)));
  __builtin_memcpy(out + i, result, rest);
}

inline void rotate_head_loop(const float* x, int64_t half, const float* cosines, const float* sines, float sign,
                             float* y) {
  int64_t i = 0;
  for (; i + kLanes <= half; i += kLanes) {
    const Vec low = load(x + i);
    const Vec high = load(x + half + i);
    const Vec cosine = load(cosines + i);
    const Vec sine = load(sines + i) * sign;
    store(y + i, low * cosine - high * sine);
    store(y + half + i, high * cosine + low * sine);
  }
  for (; i < half; ++i) {
    const float low = x[i];
    const float high = x[half + i];
    const float sine = sines[i] * sign;
    y[i] = low * cosines[i] - high * sine;
    y[half + i] = high * cosines[i] + low * sine;
  }
}

// to[r][0 .. V vectors) = sum over d of a[r][d] * b[d][0 .. V vectors), d ascending: the one product that attention is
// made of, once with keys (d a feature, lanes positions) and once with values (d a position, lanes features).
template <int R, int V>
inline __attribute__((always_inline)) void small_product(const float* const* a_R, int64_t depth, const float* b,
                                                         int64_t b_stride, Vec (&to)[R][V]) {
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) to[r][v] = Vec{};
  }
  for (int64_t d = 0; d < depth; ++d, b += b_stride) {
    Vec row[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) row[v] = load(b + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vec a = broadcast(a_R[r][d]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) to[r][v] = multiply_add(a, row[v], to[r][v]);
    }
  }
}

// Weights exp(score - largest score) of one row in place, zero from `length` to `padded`; returns their sum. `padded`
// is a multiple of 64.
inline float weigh(float* scores, int64_t length, int64_t padded, float* largest) {
  for (int64_t i = length; i < padded; ++i) scores[i] = -__builtin_inff();
  Vec best[kPartialVecs];
  for (Vec& lane : best) lane = broadcast(-__builtin_inff());
  for (int64_t i = 0; i < padded; i += kPartials) {
    for (int v = 0; v < kPartialVecs; ++v) {
      const Vec s = load(scores + i + v * kLanes);
      best[v] = s > best[v] ? s : best[v];
    }
  }
  *largest = largest_of(best);
  for (int64_t i = 0; i < padded; i += kPartials) {
    for (int v = 0; v < kPartialVecs; ++v) {
      store(scores + i + v * kLanes, exp_of(load(scores + i + v * kLanes) - *largest));
    }
  }
  for (int64_t i = length; i < padded; ++i) scores[i] = 0.0f;
  Vec sums[kPartialVecs] = {};
  for (int64_t i = 0; i < padded; i += kPartials) {
    for (int v = 0; v < kPartialVecs; ++v) sums[v] += load(scores + i + v * kLanes);
  }
  return sum_of(sums);
}

inline float logarithm(float x) { return __builtin_logf(x); }

template <int R>
__attribute__((noinline)) void attend_rows(const AttentionTile& tile) {
  // Few rows need more vectors to hide the latency of a multiply-add, many need the registers.
  constexpr int kVecs = R <= 2 ? 4 : (kLanes == 16 ? 2 : 1);
  constexpr int kWidth = kVecs * kLanes;
  int64_t longest = 0;
  for (int r = 0; r < R; ++r) longest = longest > tile.lengths_R[r] ? longest : tile.lengths_R[r];
  const int64_t padded = (longest + kKeyBlock - 1) / kKeyBlock * kKeyBlock;
  const int64_t stride = padded + 16;  // rows a power of two apart would share cache sets
  const float* weights_R[R];
  for (int r = 0; r < R; ++r) weights_R[r] = tile.scratch + r * stride;
  for (int64_t block = 0; block < padded; block += kKeyBlock) {
    const float* keys = tile.keys + block * tile.head_width;
    // Positions that no row sees are left out, a few vectors at a time.
    for (int64_t column = 0; column < kKeyBlock && block + column < longest; column += kWidth) {
      Vec scores[R][kVecs];
      small_product<R, kVecs>(tile.q_R, tile.head_width, keys + column, kKeyBlock, scores);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < kVecs; ++v) {
          store(tile.scratch + r * stride + block + column + v * kLanes, scores[r][v] * tile.scale);
        }
      }
    }
  }
  float inverse[R];
  for (int r = 0; r < R; ++r) {
    float largest;
    const float sum = weigh(tile.scratch + r * stride, tile.lengths_R[r], padded, &largest);
    inverse[r] = 1.0f / sum;
    if (tile.log_sums_R != nullptr) *tile.log_sums_R[r] = largest + logarithm(sum);
  }
  const int64_t width = value_stride(tile.head_width);
  const auto write = [&](int r, int64_t column, Vec sum) {
    sum *= inverse[r];
    const int64_t left = tile.head_width - column;
    if (left <= 0) return;
    __builtin_memcpy(tile.out_R[r] + column, &sum,
                     static_cast<uint64_t>(left < kLanes ? left : kLanes) * sizeof(float));
  };
  int64_t column = 0;
  for (; column + kWidth <= width; column += kWidth) {
    Vec sums[R][kVecs];
    small_product<R, kVecs>(weights_R, longest, tile.values + column, width, sums);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) write(r, column + v * kLanes, sums[r][v]);
    }
  }
  for (; column < width; column += kLanes) {
    Vec sums[R][1];
    small_product<R, 1>(weights_R, longest, tile.values + column, width, sums);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) write(r, column, sums[r][0]);
  }
}

template <int R = kAttentionRows>
void attend_loop(const AttentionTile& tile) {
  if (tile.rows == R) {
    attend_rows<R>(tile);
  } else if constexpr (R > 1) {
    attend_loop<R - 1>(tile);
  }
}

template <int R, class Weight>
__attribute__((noinline)) void dot_rows_tile(const float* x_MK, const Weight* w_NK, int64_t n, int64_t k, float* y,
                                             int64_t y_stride) {
  const int64_t whole = k / kPartials * kPartials;
  for (int64_t output = 0; output < n; ++output, w_NK += k) {
    Vec sums[R][kPartialVecs] = {};
    for (int64_t at = 0; at < whole; at += kPartials) {
      for (int v = 0; v < kPartialVecs; ++v) {
        const Vec w = load(w_NK + at + v * kLanes);
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) sums[r][v] = multiply_add(load(x_MK + r * k + at + v * kLanes), w, sums[r][v]);
      }
    }
    for (int r = 0; r < R; ++r) {
      add_rest(sums[r], k - whole, [&](int64_t i, float sum) {
        return multiply_add(x_MK[r * k + whole + i], widen(w_NK[whole + i]), sum);
      });
      y[r * y_stride + output] = sum_of(sums[r]);
    }
  }
}

template <class Weight>
void dot_rows_loop(const float* x_MK, int64_t m, const Weight* w_NK, int64_t n, int64_t k, float* y, int64_t y_stride) {
  constexpr int kTile = kLanes == 16 ? 4 : 1;  // as many accumulators as there are registers for
  int64_t row = 0;
  for (; row + kTile <= m; row += kTile) {
    dot_rows_tile<kTile, Weight>(x_MK + row * k, w_NK, n, k, y + row * y_stride, y_stride);
  }
  for (; row < m; ++row) dot_rows_tile<1, Weight>(x_MK + row * k, w_NK, n, k, y + row * y_stride, y_stride);
}

// Makes the compiler take a vector for changed, so that it neither leaves out a round nor merges equal sums.
inline void keep(Vec& value) {
#if defined(__AVX512F__)
  __asm__ volatile("" : "+v"(value));
#elif defined(__x86_64__)
  __asm__ volatile("" : "+x"(value));
#else
  __asm__ volatile("" : "+w"(value));
#endif
}

inline int64_t float_peak_loop(int64_t rounds) {
  constexpr int kAccumulators = 12;
  Vec sums[kAccumulators] = {};
  Vec a = broadcast(1.0f);
  keep(a);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (Vec& sum : sums) {
      sum = multiply_add(a, a, sum);
      keep(sum);
    }
  }
  return rounds * kAccumulators * kLanes;
}

constexpr DecoderFunctions kDecoderFunctions = {rms_norm_rows_loop,      gate_loop<Silu>, gate_loop<Relu2>,
                                                rotate_head_loop,        attend_loop<>,   dot_rows_loop<float>,
                                                dot_rows_loop<uint16_t>, float_peak_loop};

}  // namespace
}  // namespace bitnet::kernels
