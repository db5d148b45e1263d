"""The operators as a Python program sees them: torch.ops.bitnet.* from libbitnet_ops.so.

Needs the environment variable BITNET_OPS_LIBRARY, the path of the library (ctest sets it).
"""

import io
import os
import unittest

import torch

torch.ops.load_library(os.environ["BITNET_OPS_LIBRARY"])
ops = torch.ops.bitnet


def straight_through(x, w):
    """The composition whose gradients bit_linear must have."""
    gamma = w.detach().abs().mean(dtype=torch.float64).float().clamp_min(1e-5)
    w_quantized = (w.detach() * (1.0 / gamma)).round().clamp(-1, 1) * gamma
    a = x.detach().abs().amax(-1, keepdim=True).clamp_min(1e-5)
    x_quantized = (x.detach() * (torch.full_like(a, 127) / a)).round().clamp(-128, 127) * (a / torch.full_like(a, 127))
    return torch.nn.functional.linear(x + (x_quantized - x).detach(), w + (w_quantized - w).detach())


def pack(w):
    codes, gamma = ops.quantize_weight(w)
    return ops.pack_ternary(codes, gamma)


class Library(unittest.TestCase):
    def test_is_compiled_with_openmp(self):
        # at::parallel_for is a template in a header: without -fopenmp it becomes a plain loop, and nothing says so.
        if "OpenMP" not in torch.__config__.parallel_info():
            self.skipTest("this LibTorch runs its threads without OpenMP")
        with open(os.environ["BITNET_OPS_LIBRARY"], "rb") as file:
            library = file.read()
        self.assertTrue(b"GOMP_parallel" in library or b"__kmpc_fork_call" in library)


class BitLinear(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)

    def test_result_and_gradients_equal_the_composition(self):
        for leading, inputs, outputs in [((), 7, 3), ((1,), 128, 9), ((2, 5), 130, 40), ((150,), 300, 70)]:
            with self.subTest(leading=leading, inputs=inputs, outputs=outputs):
                x = torch.randn(*leading, inputs, requires_grad=True)
                w = (torch.randn(outputs, inputs) * 0.02).requires_grad_()
                grad_y = torch.randn(*leading, outputs)
                y = ops.bit_linear(x, w)
                expected = straight_through(x, w)
                # Relative to the largest: x + (Q(x) - x) rounds, and sums are in another order.
                close = dict(rtol=0, atol=1e-5 * expected.abs().max().item())
                torch.testing.assert_close(y, expected, **close)
                grads = torch.autograd.grad(y, (x, w), grad_y)
                expected_grads = torch.autograd.grad(expected, (x, w), grad_y)
                for grad, expected_grad in zip(grads, expected_grads):
                    close = dict(rtol=0, atol=1e-5 * expected_grad.abs().max().item())
                    torch.testing.assert_close(grad, expected_grad, **close)

    def test_saves_int8_codes_and_no_floats_but_scales(self):
        x = torch.randn(40, 256, requires_grad=True)
        w = torch.randn(30, 256, requires_grad=True)
        saved = []

        def keep(tensor):
            saved.append((tensor.dtype, tensor.numel()))
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            ops.bit_linear(x, w)
        expected = [(torch.float32, 1), (torch.float32, 40), (torch.int8, 30 * 256), (torch.int8, 40 * 256)]
        self.assertEqual(sorted(saved, key=str), sorted(expected, key=str))

    def test_trains_with_an_optimizer(self):
        x = torch.randn(64, 32)
        target = x @ torch.randn(8, 32).sign().t()
        w = torch.nn.Parameter(torch.randn(8, 32) * 0.02)
        optimizer = torch.optim.Adam([w], lr=0.02)
        losses = []
        for _ in range(150):
            optimizer.zero_grad()
            loss = (ops.bit_linear(x, w) - target).square().mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        self.assertLess(losses[-1], 0.1 * losses[0])

    def test_create_graph_is_refused(self):
        x = torch.randn(2, 8, requires_grad=True)
        w = torch.randn(3, 8, requires_grad=True)
        with self.assertRaisesRegex(RuntimeError, "bit_linear: create_graph must be false, but is true"):
            torch.autograd.grad(ops.bit_linear(x, w).sum(), x, create_graph=True)

    def test_errors_say_what_is_wrong(self):
        message = r"bit_linear: the last size of x must be 5 as in w of shape \[4, 5\], but is 6\. Give an x"
        with self.assertRaisesRegex(RuntimeError, message):
            ops.bit_linear(torch.ones(2, 6), torch.ones(4, 5))


class Packed(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(2)

    def test_unpack_undoes_pack(self):
        for rows, columns in [(1, 1), (5, 127), (3, 256), (2, 1000)]:
            codes = torch.randint(-1, 2, (rows, columns), dtype=torch.int8)
            unpacked, scale = ops.unpack_ternary(ops.pack_ternary(codes, torch.tensor(0.25)))
            self.assertTrue(torch.equal(unpacked, codes))
            self.assertEqual(scale.item(), 0.25)

    def test_damaged_bytes_are_refused(self):
        packed = pack(torch.randn(4, 100))
        packed[-1] ^= 1
        with self.assertRaisesRegex(RuntimeError, "unpack_ternary: packed must be whole and unchanged, but "):
            ops.unpack_ternary(packed)

    def test_ternary_linear_is_bit_linear(self):
        x = torch.randn(3, 5, 200)
        w = torch.randn(17, 200) * 0.02
        self.assertTrue(torch.equal(ops.ternary_linear(x, pack(w)), ops.bit_linear(x, w)))

    def test_scripted_functions_run_save_and_load(self):
        @torch.jit.script
        def layer(x: torch.Tensor, packed: torch.Tensor) -> torch.Tensor:
            return torch.relu(torch.ops.bitnet.ternary_linear(x, packed))

        x = torch.randn(4, 64)
        packed = pack(torch.randn(6, 64))
        expected = ops.ternary_linear(x, packed).relu()
        for _ in range(3):  # TorchScript optimizes after the first runs
            self.assertTrue(torch.equal(layer(x, packed), expected))
        file = io.BytesIO()
        torch.jit.save(layer, file)
        file.seek(0)
        self.assertTrue(torch.equal(torch.jit.load(file)(x, packed), expected))

    def test_meta_tensors_give_shapes(self):
        x = torch.empty(2, 3, 200, device="meta")
        w = torch.empty(17, 200, device="meta")
        for y in (ops.bit_linear(x, w), ops.ternary_linear(x, pack(w))):
            self.assertEqual((y.device.type, y.dtype, y.shape), ("meta", torch.float32, (2, 3, 17)))
        codes, scale = ops.quantize_activation(x)
        self.assertEqual((codes.dtype, codes.shape, scale.shape), (torch.int8, (2, 3, 200), (2, 3, 1)))
        self.assertEqual(ops.dequantize(codes, scale).shape, x.shape)


if __name__ == "__main__":
    unittest.main()
