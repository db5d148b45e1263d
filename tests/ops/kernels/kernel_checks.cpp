#include "tests/ops/kernels/kernel_checks.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <utility>

#include "ops/kernels/int8_format.h"
#include "ops/kernels/packed_format.h"

namespace bitnet::kernels {
namespace {

std::string name_of(int64_t m, int64_t n, int64_t k) {
  return "M " + std::to_string(m) + ", N " + std::to_string(n) + ", K " + std::to_string(k);
}

std::string first_difference(const std::vector<int32_t>& found, const std::vector<int32_t>& expected, int64_t n) {
  for (size_t i = 0; i < expected.size(); ++i) {
    if (found[i] != expected[i]) {
      return "out[" + std::to_string(static_cast<int64_t>(i) / n) + "][" + std::to_string(static_cast<int64_t>(i) % n) +
             "] must be " + std::to_string(expected[i]) + ", but is " + std::to_string(found[i]);
    }
  }
  return "";
}

std::string check_problem(const Gemm& gemm, const GemmProblem& problem, int64_t m, int64_t n, int64_t k) {
  std::vector<int32_t> found(static_cast<size_t>(m * n), INT32_MIN);
  gemm(problem.args(found.data(), n));
  const std::string wrong = first_difference(found, problem.expected(), n);
  return wrong.empty() ? "" : name_of(m, n, k) + ": " + wrong;
}

}  // namespace

GuardedBytes::GuardedBytes(size_t bytes, bool close_before) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t usable = (bytes + page - 1) / page * page;
  mapped_bytes_ = usable + 2 * page;
  void* memory = mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  mapping_ = static_cast<char*>(memory);
  if (mprotect(mapping_, page, PROT_NONE) != 0 || mprotect(mapping_ + page + usable, page, PROT_NONE) != 0)
    std::abort();
  start_ = mapping_ + page + (close_before ? 0 : usable - bytes);
}

GuardedBytes::~GuardedBytes() { munmap(mapping_, mapped_bytes_); }

namespace {

int64_t row_bytes(Weights kind, int64_t k) {
  return kind == Weights::kTernary ? packed_row_bytes(k) : int8_row_bytes(k);
}

// Bytes of activations that a kernel may read: the last row ends with its last word of weights.
int64_t act_bytes(Weights kind, int64_t m, int64_t k) {
  return (m - 1) * act_stride(k) +
         row_bytes(kind, k) / kWordBytes * (kind == Weights::kTernary ? kStepWeights : kInt8StepWeights);
}

}  // namespace

GemmProblem::GemmProblem(Weights kind, int64_t m, int64_t n, int64_t k, uint32_t seed, Guard guard)
    : kind_(kind),
      m_(m),
      n_(n),
      k_(k),
      weights_NK_(static_cast<size_t>(n * k)),
      act_sums_(static_cast<size_t>(m) * sizeof(int32_t), guard == Guard::kBefore),
      acts_(static_cast<size_t>(act_bytes(kind, m, k)), guard == Guard::kBefore),
      packed_(static_cast<size_t>(n * row_bytes(kind, k)), guard == Guard::kBefore),
      act_sums_M_(act_sums_.as<int32_t>()),
      acts_MK_(acts_.as<int8_t>()) {
  std::mt19937 random(seed);
  const int largest = kind == Weights::kTernary ? 1 : 127;
  for (int8_t& weight : weights_NK_) {
    weight = static_cast<int8_t>(static_cast<int>(random() % static_cast<unsigned>(2 * largest + 1)) - largest);
  }
  for (int64_t row = 0; row < m; ++row) {
    for (int64_t i = 0; i < k; ++i) acts_MK_[row * act_stride(k) + i] = static_cast<int8_t>(random() & 0xff);
  }
  pack_weights();
  sum_acts();
}

void GemmProblem::fill(int8_t act, int8_t weight) {
  std::fill(weights_NK_.begin(), weights_NK_.end(), weight);
  for (int64_t row = 0; row < m_; ++row) std::fill_n(acts_MK_ + row * act_stride(k_), k_, act);
  pack_weights();
  sum_acts();
}

void GemmProblem::pack_weights() {
  if (kind_ == Weights::kInt8) return pack_int8(weights_NK_.data(), k_, n_, k_, packed_.as<uint8_t>());
  std::vector<uint8_t> whole(static_cast<size_t>(packed_bytes(n_, k_)));
  pack(weights_NK_.data(), n_, k_, 1.0f, whole.data());
  for (size_t i = kHeaderBytes; i < whole.size(); ++i) packed_.as<uint8_t>()[i - kHeaderBytes] = whole[i];
}

void GemmProblem::sum_acts() {
  for (int64_t row = 0; row < m_; ++row) {
    act_sums_M_[row] = 0;
    for (int64_t i = 0; i < k_; ++i) act_sums_M_[row] += acts_MK_[row * act_stride(k_) + i];
  }
}

GemmArgs GemmProblem::args(int32_t* out, int64_t out_stride) const {
  return {.weights_N = packed_.as<uint8_t>(),
          .acts_MK = acts_MK_,
          .act_stride = act_stride(k_),
          .act_sums_M = act_sums_M_,
          .out_MN = out,
          .out_stride = out_stride,
          .m = m_,
          .n = n_,
          .k = k_};
}

std::vector<int32_t> GemmProblem::expected() const {
  std::vector<int32_t> out;
  for (int64_t row = 0; row < m_; ++row) {
    for (int64_t n = 0; n < n_; ++n) {
      const int8_t* acts_K = acts_MK_ + row * act_stride(k_);
      const int8_t* weights_K = weights_NK_.data() + n * k_;
      int32_t sum = 0;
      for (int64_t i = 0; i < k_; ++i) sum += acts_K[i] * weights_K[i];
      out.push_back(sum);
    }
  }
  return out;
}

std::string check_products(Weights kind, const Gemm& gemm) {
  uint32_t seed = 1;
  for (int64_t k : {1, 2, 31, 32, 33, 127, 128, 129, 255, 256, 1000, 1920, 2048, 5632}) {
    for (int64_t m : {1, 2, 3, 4, 5, 7, 13, 17}) {
      for (int64_t n : {1, 2, 3, 5, 7, 17, 33, 66}) {
        if (k > 1000 && m * n > 300) continue;  // the large corners repeat what the others cover, slowly
        const GemmProblem problem(kind, m, n, k, seed++);
        if (std::string wrong = check_problem(gemm, problem, m, n, k); !wrong.empty()) return wrong;
      }
    }
  }
  // Every height of a tile, alone and behind whole ones, on both sides of the heights where kernels change their way;
  // the depths leave half a vector over, or none; the outputs leave 1 to 3 over.
  for (int64_t m = 1; m <= 40; ++m) {
    for (const auto& [n, k] : {std::pair<int64_t, int64_t>{19, 300}, {49, 256}, {51, 129}}) {
      for (Guard guard : {Guard::kBehind, Guard::kBefore}) {
        const GemmProblem problem(kind, m, n, k, seed++, guard);
        if (std::string wrong = check_problem(gemm, problem, m, n, k); !wrong.empty()) return wrong;
      }
    }
  }
  for (int64_t m : {63, 64, 65, 66, 129}) {  // and around the rows that go over the weights together
    const GemmProblem problem(kind, m, 50, 140, seed++);
    if (std::string wrong = check_problem(gemm, problem, m, 50, 140); !wrong.empty()) return wrong;
  }
  for (int64_t m : {1, 2, 3, 4, 17}) {
    const GemmProblem problem(kind, m, 5, 20000, seed++);
    if (std::string wrong = check_problem(gemm, problem, m, 5, 20000); !wrong.empty()) return wrong;
  }
  return "";
}

std::string check_saturation(Weights kind, const Gemm& gemm) {
  const int8_t largest = kind == Weights::kTernary ? 1 : 127;
  for (int64_t k : {128, 2048, 5632, 16513, 65536}) {
    for (int64_t m : {1, 2, 3, 4, 9}) {
      GemmProblem problem(kind, m, 18, k, 1);
      for (int act : {-128, -127, 127}) {
        for (int sign : {-1, 0, 1}) {
          problem.fill(static_cast<int8_t>(act), static_cast<int8_t>(sign * largest));
          if (std::string wrong = check_problem(gemm, problem, m, 18, k); !wrong.empty()) {
            return "acts " + std::to_string(act) + ", weights " + std::to_string(sign * largest) + ", " + wrong;
          }
        }
      }
    }
  }
  return "";
}

std::string check_splitting(Weights kind, const Gemm& gemm) {
  constexpr int64_t kM = 23, kN = 75, kK = 1100, kStride = 80;
  constexpr int32_t kUntouched = 0x5a5a5a5a;
  const GemmProblem problem(kind, kM, kN, kK, 7);
  std::vector<int32_t> whole(kM * kStride, kUntouched);
  gemm(problem.args(whole.data(), kStride));
  const std::vector<int32_t> expected = problem.expected();
  for (int64_t m = 0; m < kM; ++m) {
    for (int64_t n = 0; n < kStride; ++n) {
      const int32_t right = n < kN ? expected[static_cast<size_t>(m * kN + n)] : kUntouched;
      if (whole[static_cast<size_t>(m * kStride + n)] != right) return "a row with a stride is wrong or overrun";
    }
  }
  for (int64_t cut : {1, 2, 11, 22}) {
    std::vector<int32_t> split(whole.size(), kUntouched);
    GemmArgs first = problem.args(split.data(), kStride);
    GemmArgs second = first;
    first.m = cut;
    second.m = kM - cut;
    second.acts_MK += cut * act_stride(kK);
    second.act_sums_M += cut;
    second.out_MN += cut * kStride;
    gemm(second);
    gemm(first);
    if (split != whole) return "split over M at " + std::to_string(cut) + " the product differs";
  }
  for (int64_t cut : {16, 32, 64}) {
    std::vector<int32_t> split(whole.size(), kUntouched);
    GemmArgs first = problem.args(split.data(), kStride);
    GemmArgs second = first;
    first.n = cut;
    second.n = kN - cut;
    second.weights_N += cut * row_bytes(kind, kK);
    second.out_MN += cut;
    gemm(second);
    gemm(first);
    if (split != whole) return "split over N at " + std::to_string(cut) + " the product differs";
  }
  return "";
}

std::string check_heights(Weights kind, const Gemm& gemm) {
  constexpr int64_t kM = 512, kN = 37, kK = 1000;
  const GemmProblem problem(kind, kM, kN, kK, 11);
  std::vector<int32_t> together(kM * kN), alone(kM * kN);
  gemm(problem.args(together.data(), kN));
  GemmArgs row = problem.args(alone.data(), kN);
  row.m = 1;
  for (int64_t m = 0; m < kM; ++m) {
    gemm(row);
    row.acts_MK += act_stride(kK);
    row.act_sums_M += 1;
    row.out_MN += kN;
  }
  return first_difference(together, alone, kN);
}

std::string check_kernel(Weights kind, const Gemm& gemm) {
  for (const auto& check : {check_products, check_saturation, check_splitting, check_heights}) {
    if (std::string wrong = check(kind, gemm); !wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace bitnet::kernels
