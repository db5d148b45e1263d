// bit_linear's straight-through gradients: a custom autograd Function above the CPU and Meta implementations.
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/mm.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <tuple>

#include "ops/torch/bitnet_ops.h"
#include "ops/torch/checks.h"

namespace bitnet::ops {
namespace {

using ForwardSignature = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>(const at::Tensor&,
                                                                                                const at::Tensor&);

class BitLinearFunction : public torch::autograd::Function<BitLinearFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& w_OI) {
    static const auto op =
        c10::Dispatcher::singleton().findSchemaOrThrow("bitnet::bit_linear_forward", "").typed<ForwardSignature>();
    const at::AutoDispatchBelowADInplaceOrView guard;
    auto [y, x_codes, x_scale, w_codes, gamma] = op.call(x, w_OI);
    // Codes only, and only those that a wanted gradient needs: 1 byte an element instead of 4.
    const bool wants_x = x.requires_grad();
    const bool wants_w = w_OI.requires_grad();
    context->save_for_backward({wants_w ? x_codes : at::Tensor(), wants_w ? x_scale : at::Tensor(),
                                wants_x ? w_codes : at::Tensor(), wants_x ? gamma : at::Tensor()});
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& grads) {
    // With create_graph the gradient would be recorded as if it did not depend on x and w: wrong second derivatives.
    TORCH_CHECK(!c10::GradMode::is_enabled(),
                "bit_linear: create_graph must be false, but is true. Its straight-through gradient has no derivative: "
                "do without second derivatives, or use at::linear where they are needed.");
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor& x_codes = saved[0];
    const at::Tensor& w_codes = saved[2];
    const at::Tensor& grad_y = grads[0];
    const at::Tensor grad_y_MO = grad_y.reshape({-1, grad_y.size(-1)});
    at::Tensor grad_x;
    at::Tensor grad_w;
    if (context->needs_input_grad(0)) {
      grad_x = at::mm(grad_y_MO, dequantize(w_codes, saved[3])).view(with_last_size(grad_y, w_codes.size(1)));
    }
    if (context->needs_input_grad(1)) {
      const at::Tensor x_MI = dequantize(x_codes, saved[1]).view({-1, x_codes.size(-1)});
      grad_w = at::mm(grad_y_MO.t(), x_MI);
    }
    return {grad_x, grad_w};
  }
};

at::Tensor autograd_bit_linear(const at::Tensor& x, const at::Tensor& w_OI) {
  if (c10::GradMode::is_enabled() && (x.requires_grad() || w_OI.requires_grad())) {
    return BitLinearFunction::apply(x, w_OI);
  }
  const at::AutoDispatchBelowADInplaceOrView guard;
  return bit_linear(x, w_OI);
}

}  // namespace
}  // namespace bitnet::ops

TORCH_LIBRARY_IMPL(bitnet, Autograd, m) {
  m.impl("bit_linear", bitnet::ops::autograd_bit_linear);
  // Without this a result would look like a constant, and gradients would be silently lost.
  for (const char* name : {"quantize_weight", "quantize_activation", "dequantize", "bit_linear_forward", "pack_ternary",
                           "unpack_ternary", "ternary_linear"}) {
    m.impl(name, torch::autograd::autogradNotImplementedFallback());
  }
}
