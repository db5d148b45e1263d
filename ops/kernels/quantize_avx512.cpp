#include "ops/kernels/quantize_levels.h"
#include "ops/kernels/quantize_loops.h"

namespace bitnet::kernels {

const QuantizeFunctions kQuantizeAvx512 = {quantize_rows_loop, quantize_ternary_loop, sum_of_magnitudes,
                                           dequantize_rows_loop<false>, dequantize_rows_loop<true>};

}  // namespace bitnet::kernels
