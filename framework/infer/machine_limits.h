#pragma once

#include <cstdint>

namespace bitnet {

/// What the machine can do at most with so many threads, measured: no inference is faster.
struct MachineLimits {
  double read_bytes_per_second = 0;    ///< from memory, a working set far larger than the last-level cache
  double int8_macs_per_second = 0;     ///< multiply-accumulates of bytes by the active ternary kernel's instructions
  double float32_macs_per_second = 0;  ///< fused multiply-adds
};

/// Measures the limits on `threads` threads of LibTorch's pool, in about a second. Takes 512 MiB of memory meanwhile.
/// Errors: std::bad_alloc; std::invalid_argument where BITNET_ISA names no kernel of this machine.
MachineLimits measure_limits(int64_t threads);

}  // namespace bitnet
