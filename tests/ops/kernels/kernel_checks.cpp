#include "tests/ops/kernels/kernel_checks.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <utility>

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

GemmProblem::GemmProblem(int64_t m, int64_t n, int64_t k, uint32_t seed, Guard guard)
    : m_(m),
      n_(n),
      k_(k),
      codes_NK_(static_cast<size_t>(n * k)),
      act_sums_(static_cast<size_t>(m) * sizeof(int32_t), guard == Guard::kBefore),
      acts_(static_cast<size_t>(m * padded_k(k)), guard == Guard::kBefore),
      rows_(static_cast<size_t>(n * packed_row_bytes(k)), guard == Guard::kBefore),
      act_sums_M_(act_sums_.as<int32_t>()),
      acts_MK_(acts_.as<int8_t>()) {
  std::mt19937 random(seed);
  for (int8_t& code : codes_NK_) code = static_cast<int8_t>(static_cast<int>(random() % 3) - 1);
  for (int64_t row = 0; row < m; ++row) {
    for (int64_t i = 0; i < k; ++i) acts_MK_[row * padded_k(k) + i] = static_cast<int8_t>(random() & 0xff);
  }
  pack_rows();
  sum_acts();
}

void GemmProblem::fill(int8_t act, int8_t code) {
  std::fill(codes_NK_.begin(), codes_NK_.end(), code);
  for (int64_t row = 0; row < m_; ++row) std::fill_n(acts_MK_ + row * padded_k(k_), k_, act);
  pack_rows();
  sum_acts();
}

void GemmProblem::pack_rows() {
  std::vector<uint8_t> packed(static_cast<size_t>(packed_bytes(n_, k_)));
  pack(codes_NK_.data(), n_, k_, 1.0f, packed.data());
  for (size_t i = kHeaderBytes; i < packed.size(); ++i) rows_.as<uint8_t>()[i - kHeaderBytes] = packed[i];
}

void GemmProblem::sum_acts() {
  for (int64_t row = 0; row < m_; ++row) {
    act_sums_M_[row] = 0;
    for (int64_t i = 0; i < k_; ++i) act_sums_M_[row] += acts_MK_[row * padded_k(k_) + i];
  }
}

TernaryGemmArgs GemmProblem::args(int32_t* out, int64_t out_stride) const {
  return {.packed_rows_N = rows_.as<uint8_t>(),
          .acts_MK = acts_MK_,
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
      const int8_t* acts_K = acts_MK_ + row * padded_k(k_);
      const int8_t* codes_K = codes_NK_.data() + n * k_;
      int32_t sum = 0;
      for (int64_t i = 0; i < k_; ++i) sum += acts_K[i] * codes_K[i];
      out.push_back(sum);
    }
  }
  return out;
}

std::string check_products(const Gemm& gemm) {
  uint32_t seed = 1;
  for (int64_t k : {1, 2, 31, 32, 33, 127, 128, 129, 255, 256, 1000, 1920, 2048, 5632}) {
    for (int64_t m : {1, 2, 3, 4, 5, 7, 13, 17}) {
      for (int64_t n : {1, 2, 3, 5, 7, 17, 33, 66}) {
        if (k > 1000 && m * n > 300) continue;  // the large corners repeat what the others cover, slowly
        const GemmProblem problem(m, n, k, seed++);
        if (std::string wrong = check_problem(gemm, problem, m, n, k); !wrong.empty()) return wrong;
      }
    }
  }
  // Every height of a tile, alone and behind whole ones, on both sides of the heights where kernels change their way;
  // the depths leave half a vector over, or none; the outputs leave 1 to 3 over.
  for (int64_t m = 1; m <= 40; ++m) {
    for (const auto& [n, k] : {std::pair<int64_t, int64_t>{19, 300}, {49, 256}, {51, 129}}) {
      for (Guard guard : {Guard::kBehind, Guard::kBefore}) {
        const GemmProblem problem(m, n, k, seed++, guard);
        if (std::string wrong = check_problem(gemm, problem, m, n, k); !wrong.empty()) return wrong;
      }
    }
  }
  for (int64_t m : {63, 64, 65, 66, 129}) {  // and around the rows that go over the weights together
    const GemmProblem problem(m, 50, 140, seed++);
    if (std::string wrong = check_problem(gemm, problem, m, 50, 140); !wrong.empty()) return wrong;
  }
  for (int64_t m : {1, 2, 3, 4, 17}) {
    const GemmProblem problem(m, 5, 20000, seed++);
    if (std::string wrong = check_problem(gemm, problem, m, 5, 20000); !wrong.empty()) return wrong;
  }
  return "";
}

std::string check_saturation(const Gemm& gemm) {
  for (int64_t k : {128, 2048, 5632, 16513}) {
    for (int64_t m : {1, 2, 3, 4, 17}) {
      GemmProblem problem(m, 18, k, 1);
      for (int act : {-128, -127, 127}) {
        for (int code : {-1, 0, 1}) {
          problem.fill(static_cast<int8_t>(act), static_cast<int8_t>(code));
          if (std::string wrong = check_problem(gemm, problem, m, 18, k); !wrong.empty()) {
            return "acts " + std::to_string(act) + ", weights " + std::to_string(code) + ", " + wrong;
          }
        }
      }
    }
  }
  return "";
}

std::string check_splitting(const Gemm& gemm) {
  constexpr int64_t kM = 23, kN = 75, kK = 1100, kStride = 80;
  constexpr int32_t kUntouched = 0x5a5a5a5a;
  const GemmProblem problem(kM, kN, kK, 7);
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
    TernaryGemmArgs first = problem.args(split.data(), kStride);
    TernaryGemmArgs second = first;
    first.m = cut;
    second.m = kM - cut;
    second.acts_MK += cut * padded_k(kK);
    second.act_sums_M += cut;
    second.out_MN += cut * kStride;
    gemm(second);
    gemm(first);
    if (split != whole) return "split over M at " + std::to_string(cut) + " the product differs";
  }
  for (int64_t cut : {1, 16, 37, 74}) {
    std::vector<int32_t> split(whole.size(), kUntouched);
    TernaryGemmArgs first = problem.args(split.data(), kStride);
    TernaryGemmArgs second = first;
    first.n = cut;
    second.n = kN - cut;
    second.packed_rows_N += cut * packed_row_bytes(kK);
    second.out_MN += cut;
    gemm(second);
    gemm(first);
    if (split != whole) return "split over N at " + std::to_string(cut) + " the product differs";
  }
  return "";
}

std::string check_heights(const Gemm& gemm) {
  constexpr int64_t kM = 512, kN = 37, kK = 1000;
  const GemmProblem problem(kM, kN, kK, 11);
  std::vector<int32_t> together(kM * kN), alone(kM * kN);
  gemm(problem.args(together.data(), kN));
  TernaryGemmArgs row = problem.args(alone.data(), kN);
  row.m = 1;
  for (int64_t m = 0; m < kM; ++m) {
    gemm(row);
    row.acts_MK += padded_k(kK);
    row.act_sums_M += 1;
    row.out_MN += kN;
  }
  return first_difference(together, alone, kN);
}

std::string check_kernel(const Gemm& gemm) {
  for (const auto& check : {check_products, check_saturation, check_splitting, check_heights}) {
    if (std::string wrong = check(gemm); !wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace bitnet::kernels
