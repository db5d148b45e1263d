#!/usr/bin/env python3
"""Logits of tiny decoders, computed without the project's code: plain Python in float64.

Writes tiny_decoder.json beside this file, which tests/framework/nn/golden_test.cpp compares with. With --check it
writes nothing and fails where the file differs from what it computes. What it spells out again: the random numbers
(SplitMix64, Box and Muller), the order in which weights are drawn, the three norm placements, both activations, tied
and untied heads, grouped heads, rotary positions, and the quantized linear layer.
"""

import json
import math
import os
import struct
import sys

MASK = (1 << 64) - 1
TOKENS = [[3, 1, 4, 1, 5, 9, 2, 6]]
# The rounding of a code must not hang on float32 against float64: every value to be rounded keeps this distance from
# the halves between codes. Float32 moves the values by about 1e-5.
LEAST_MARGIN = 2e-4

COMMON = {"width": 16, "layers": 2, "heads": 4, "kv_heads": 2, "ffn_width": 24, "context": 8, "rope_theta": 100.0,
          "norm_epsilon": 1e-5, "init_std": 0.3, "vocab_size": 11}
CASES = [
    {"name": "float-llama", "linear": "float", "norm": "llama", "activation": "silu", "tied_head": False, "seed": 1},
    {"name": "float-tips", "linear": "float", "norm": "tips", "activation": "relu2", "tied_head": True, "seed": 2},
    {"name": "bitnet-llama", "linear": "bitnet", "norm": "llama", "activation": "silu", "tied_head": True, "seed": 13},
    {"name": "bitnet-bitnet", "linear": "bitnet", "norm": "bitnet", "activation": "relu2", "tied_head": True,
     "seed": 13},
    {"name": "bitnet-tips", "linear": "bitnet", "norm": "tips", "activation": "silu", "tied_head": False, "seed": 14},
]


class SplitMix64:
    def __init__(self, seed):
        self.state = seed & MASK

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def uniform(self):
        return (self.next() >> 11) * 2.0**-53


def stream(seed, purpose, index):
    mixed = SplitMix64(seed ^ (purpose * 0xD1342543DE82EF95 & MASK)).next() ^ (index * 0x2545F4914F6CDD1D & MASK)
    return SplitMix64(SplitMix64(mixed).next())


def to_float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


class Weights:
    """Matrices of normal(0, std), rounded to float32, each from a stream of its own."""

    def __init__(self, seed, std):
        self.seed, self.std, self.index = seed, std, 0

    def matrix(self, rows, columns):
        random = stream(self.seed, 1, self.index)
        self.index += 1
        values = []
        while len(values) < rows * columns:
            radius = math.sqrt(-2.0 * math.log(1.0 - random.uniform()))
            angle = 2.0 * math.pi * random.uniform()
            values += [to_float32(self.std * radius * math.cos(angle)), to_float32(self.std * radius * math.sin(angle))]
        return [values[row * columns:(row + 1) * columns] for row in range(rows)]


def dot(a, b):
    return math.fsum(x * y for x, y in zip(a, b))


def rms_norm(x, epsilon):
    scale = 1.0 / math.sqrt(dot(x, x) / len(x) + epsilon)  # a new model's norm weights are ones
    return [value * scale for value in x]


def rounded(value, low, high):
    margin = abs(value - math.floor(value) - 0.5)
    if low < value < high and margin < LEAST_MARGIN:
        raise SystemExit(f"{value} is too close to a rounding boundary: take another seed")
    return min(max(round(value), low), high)


def quantize_weight(matrix):
    values = [value for row in matrix for value in row]
    gamma = max(math.fsum(map(abs, values)) / len(values), 1e-5)
    return [[rounded(value / gamma, -1, 1) for value in row] for row in matrix], gamma


def make_linear(kind, matrix):
    if kind == "float":
        return lambda x: [dot(x, row) for row in matrix]
    codes, gamma = quantize_weight(matrix)

    def bit_linear(x):
        largest = max(max(map(abs, x)), 1e-5)
        levels = [rounded(value * 127.0 / largest, -128, 127) for value in x]
        return [sum(a * b for a, b in zip(levels, row)) * gamma * largest / 127.0 for row in codes]

    return bit_linear


def rotate(x, position, head_width, theta):
    half = head_width // 2
    out = list(x)
    for head in range(0, len(x), head_width):
        for i in range(half):
            angle = position * theta**(-2.0 * i / head_width)
            low, high = x[head + i], x[head + i + half]
            out[head + i] = low * math.cos(angle) - high * math.sin(angle)
            out[head + i + half] = high * math.cos(angle) + low * math.sin(angle)
    return out


def attend(queries, keys, values, config):
    width = config["width"] // config["heads"]
    group = config["heads"] // config["kv_heads"]
    mixed = []
    for time, query in enumerate(queries):
        row = []
        for head in range(config["heads"]):
            of_query = slice(head * width, (head + 1) * width)
            of_key = slice(head // group * width, (head // group + 1) * width)
            scores = [dot(query[of_query], keys[past][of_key]) / math.sqrt(width) for past in range(time + 1)]
            weights = [math.exp(score - max(scores)) for score in scores]
            total = math.fsum(weights)
            for column in range(width):
                row.append(math.fsum(w * values[past][of_key][column] for past, w in enumerate(weights)) / total)
        mixed.append(row)
    return mixed


def activate(kind, gate):
    return gate / (1.0 + math.exp(-gate)) if kind == "silu" else max(gate, 0.0)**2


def build(config):
    weights = Weights(config["seed"], config["init_std"])
    width, ffn = config["width"], config["ffn_width"]
    kv_width = width // config["heads"] * config["kv_heads"]
    model = {"embedding": weights.matrix(config["vocab_size"], width), "layers": []}
    shapes = [("q", width, width), ("k", kv_width, width), ("v", kv_width, width), ("o", width, width),
              ("gate", ffn, width), ("up", ffn, width), ("down", width, ffn)]
    for _ in range(config["layers"]):
        layer = {}
        for name, rows, columns in shapes:
            linear = make_linear(config["linear"], weights.matrix(rows, columns))
            if config["norm"] == "tips":
                layer[name] = lambda x, linear=linear: linear(rms_norm(x, config["norm_epsilon"]))
            else:
                layer[name] = linear
        model["layers"].append(layer)
    model["head"] = model["embedding"] if config["tied_head"] else weights.matrix(config["vocab_size"], width)
    return model


def forward(config, model, tokens):
    def norm(present, x):
        return rms_norm(x, config["norm_epsilon"]) if present else x

    pre, sub = config["norm"] != "tips", config["norm"] == "bitnet"
    head_width = config["width"] // config["heads"]
    xs = [list(model["embedding"][token]) for token in tokens]
    for layer in model["layers"]:
        normed = [norm(pre, x) for x in xs]
        queries = [rotate(layer["q"](x), t, head_width, config["rope_theta"]) for t, x in enumerate(normed)]
        keys = [rotate(layer["k"](x), t, head_width, config["rope_theta"]) for t, x in enumerate(normed)]
        values = [layer["v"](x) for x in normed]
        mixed = attend(queries, keys, values, config)
        xs = [[a + b for a, b in zip(x, layer["o"](norm(sub, m)))] for x, m in zip(xs, mixed)]
        for x in xs:
            normed_x = norm(pre, x)
            active = [activate(config["activation"], g) * u for g, u in zip(layer["gate"](normed_x),
                                                                            layer["up"](normed_x))]
            x[:] = [a + b for a, b in zip(x, layer["down"](norm(sub, active)))]
    return [[dot(rms_norm(x, config["norm_epsilon"]), row) for row in model["head"]] for x in xs]


def make():
    cases = []
    for case in CASES:
        config = {**COMMON, **case}
        model = build(config)
        logits = [forward(config, model, tokens) for tokens in TOKENS]
        cases.append({**config, "first_weights": model["embedding"][0][:4],
                      "logits": [[[round(value, 9) for value in row] for row in rows] for rows in logits]})
    return {"made_by": "make_tiny_decoder.py", "tokens": TOKENS, "cases": cases}


def differs(a, b):
    """Whether two JSON values differ by more than rounding in the last digit kept."""
    if isinstance(a, float) and isinstance(b, (int, float)):
        return abs(a - b) > 2e-9
    if isinstance(a, list) and isinstance(b, list):
        return len(a) != len(b) or any(differs(x, y) for x, y in zip(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() != b.keys() or any(differs(a[key], b[key]) for key in a)
    return a != b


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tiny_decoder.json")
    fresh = make()
    if "--check" in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            if differs(fresh, json.load(file)):
                raise SystemExit(f"{path}: differs from what this script computes. Run it without --check.")
        return
    with open(path, "w", encoding="utf-8") as file:
        json.dump(fresh, file, indent=None, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
