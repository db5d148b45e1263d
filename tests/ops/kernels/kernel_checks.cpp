#include "tests/ops/kernels/kernel_checks.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "ops/kernels/packed_format.h"

namespace bitnet::kernels {
namespace {

size_t guarded_size(size_t bytes) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page + page;
}

// `bytes` that end where a page begins that may not be touched.
void* guarded_alloc(size_t bytes) {
  const size_t size = guarded_size(bytes);
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  char* guard = static_cast<char*>(memory) + size - page;
  if (mprotect(guard, page, PROT_NONE) != 0) std::abort();
  return guard - bytes;
}

void guarded_free(void* start, size_t bytes) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  munmap(static_cast<char*>(start) + bytes + page - guarded_size(bytes), guarded_size(bytes));
}

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

GemmProblem::GemmProblem(int64_t m, int64_t n, int64_t k, uint32_t seed) : m_(m), n_(n), k_(k) {
  std::mt19937 random(seed);
  codes_NK_.resize(static_cast<size_t>(n * k));
  for (int8_t& code : codes_NK_) code = static_cast<int8_t>(static_cast<int>(random() % 3) - 1);
  acts_MK_ = static_cast<int8_t*>(guarded_alloc(static_cast<size_t>(m * padded_k(k))));
  packed_ = static_cast<uint8_t*>(guarded_alloc(static_cast<size_t>(packed_bytes(n, k))));
  for (int64_t row = 0; row < m; ++row) {
    for (int64_t i = 0; i < k; ++i) acts_MK_[row * padded_k(k) + i] = static_cast<int8_t>(random() & 0xff);
  }
  pack(codes_NK_.data(), n_, k_, 1.0f, packed_);
  sum_acts();
}

GemmProblem::~GemmProblem() {
  guarded_free(acts_MK_, static_cast<size_t>(m_ * padded_k(k_)));
  guarded_free(packed_, static_cast<size_t>(packed_bytes(n_, k_)));
}

void GemmProblem::fill(int8_t act, int8_t code) {
  std::fill(codes_NK_.begin(), codes_NK_.end(), code);
  for (int64_t row = 0; row < m_; ++row) std::fill_n(acts_MK_ + row * padded_k(k_), k_, act);
  pack(codes_NK_.data(), n_, k_, 1.0f, packed_);
  sum_acts();
}

void GemmProblem::sum_acts() {
  act_sums_M_.assign(static_cast<size_t>(m_), 0);
  for (int64_t row = 0; row < m_; ++row) {
    for (int64_t i = 0; i < k_; ++i) act_sums_M_[static_cast<size_t>(row)] += acts_MK_[row * padded_k(k_) + i];
  }
}

TernaryGemmArgs GemmProblem::args(int32_t* out, int64_t out_stride) const {
  return {.packed_rows_N = packed_ + kHeaderBytes,
          .acts_MK = acts_MK_,
          .act_sums_M = act_sums_M_.data(),
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
  // Every height of a tile, alone and behind a whole one; more than one chunk of a row.
  for (int64_t m = 1; m <= 26; ++m) {
    const GemmProblem problem(m, 19, 300, seed++);
    if (std::string wrong = check_problem(gemm, problem, m, 19, 300); !wrong.empty()) return wrong;
  }
  for (int64_t m : {1, 9}) {
    const GemmProblem problem(m, 5, 20000, seed++);
    if (std::string wrong = check_problem(gemm, problem, m, 5, 20000); !wrong.empty()) return wrong;
  }
  return "";
}

std::string check_saturation(const Gemm& gemm) {
  for (int64_t k : {128, 2048, 5632, 16513}) {
    for (int64_t m : {1, 14}) {
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

std::string check_kernel(const Gemm& gemm) {
  for (const auto& check : {check_products, check_saturation, check_splitting}) {
    if (std::string wrong = check(gemm); !wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace bitnet::kernels
