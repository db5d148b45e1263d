#pragma once

#include <cstdint>
#include <tuple>

namespace at {
class Tensor;
}

// The operators of torch.ops.bitnet.*, callable from C++; each goes through the dispatcher (CPU, Meta, Autograd).
// Shapes: B.. any leading dimensions, M rows (their product, may be 0), I inputs (K), O outputs (N).
// Errors: c10::Error with `<operator>: <thing> must be <expected>, but is <found>. <What to do.>`
// Only bit_linear has gradients; differentiating through one of the others is an error when it is tried.

namespace bitnet::ops {

/// Absmean ternary quantization of a weight. Shapes: w_OI [O, I] float32 -> codes [O, I] int8, gamma [] float32.
/// Source: BitNet b1.58 (Ma et al. 2024), equations 1 to 3.
std::tuple<at::Tensor, at::Tensor> quantize_weight(const at::Tensor& w_OI);

/// Absmax int8 quantization of activations, per row: x is about codes * scale.
/// Shapes: x [.., I] float32 -> codes [.., I] int8, scale [.., 1] float32.
std::tuple<at::Tensor, at::Tensor> quantize_activation(const at::Tensor& x);

/// codes * scale, the tensor that quantized codes stand for; the inverse of both quantizers up to rounding.
/// Shapes: codes [.., C] int8, scale float32 of one element or [.., 1] -> [.., C] float32.
at::Tensor dequantize(const at::Tensor& codes, const at::Tensor& scale);

/// y = Q(x) Q(w)^T with straight-through gradients: the custom autograd Function. Saves int8 activations and ternary
/// codes. Shapes: x [.., I], w_OI [O, I], float32 -> [.., O]. dX = dY @ Wq, dW = dY^T @ Xq. Errors: a backward pass
/// with create_graph, because the straight-through gradient has no derivative.
at::Tensor bit_linear(const at::Tensor& x, const at::Tensor& w_OI);

/// Packs ternary codes. Shapes: codes_OI [O, I] int8 in {-1, 0, 1}, scale [] float32 -> [packed_bytes(O, I)] uint8.
at::Tensor pack_ternary(const at::Tensor& codes_OI, const at::Tensor& scale);

/// Codes and scale of a packed weight, after a check of every byte: call it once on bytes that come from outside.
/// Errors: for damaged bytes, what is wrong; on the Meta device, because the shape lies in the bytes.
std::tuple<at::Tensor, at::Tensor> unpack_ternary(const at::Tensor& packed);

/// Fused inference: quantize rows, integer GEMM, dequantize. Shapes: x [.., I] float32, packed (O, I) -> [.., O].
/// The same bits as bit_linear's forward on the weight that was packed. Compares the header with the shapes at each
/// call and leaves the checksum to unpack_ternary, because it would cost as much as the product itself.
at::Tensor ternary_linear(const at::Tensor& x, const at::Tensor& packed);

/// Name of the ternary kernel that this process uses, for example "avx512-vnni".
/// Errors: std::invalid_argument where BITNET_ISA names one that does not exist or that this CPU lacks.
const char* active_kernel_name();

}  // namespace bitnet::ops
