#include "ops/kernels/decoder_levels.h"
#include "ops/kernels/decoder_loops.h"

namespace bitnet::kernels {

const DecoderFunctions kDecoderPortable = kDecoderFunctions;

}  // namespace bitnet::kernels
