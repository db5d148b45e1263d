#include "framework/interop/llama2c.h"

#include <array>
#include <utility>
#include <vector>

#include "framework/core/error.h"

namespace bitnet {
namespace {

constexpr uint32_t kMagic = 0x616b3432;  // "ak42"
constexpr size_t kParameters = 7;        // dim, hidden, layers, heads, key/value heads, vocabulary, positions
constexpr size_t kHeaderBytes = 4 * kParameters;
constexpr size_t kHeaderBytesV1 = 256;

[[noreturn]] void fail(const std::string& where, const std::string& thing, const std::string& expected,
                       const std::string& found) {
  throw DataError(where + ": " + thing + " must be " + expected + ", but is " + found +
                  ". The file is truncated, damaged or of another format: fetch it again.");
}

/// Little-endian numbers from the front of the file on.
class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& where) : bytes_(bytes), where_(where) {
    if (bytes.size() < kHeaderBytes) {
      fail(where, "file", "at least " + std::to_string(kHeaderBytes) + " bytes long", std::to_string(bytes.size()));
    }
  }

  uint32_t peek() const {
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i) value |= std::to_integer<uint32_t>(bytes_[at_ + i]) << (8 * i);
    return value;
  }
  int64_t next() {
    const auto value = static_cast<int32_t>(peek());
    at_ += 4;
    return value;
  }
  bool next_flag() { return std::to_integer<int>(bytes_[at_++]) != 0; }
  /// Where the tensors begin: behind a header of version 1.
  void skip_to(size_t position) { at_ = position; }
  void require(size_t bytes) const {
    if (bytes_.size() < bytes) {
      fail(where_, "file", "at least " + std::to_string(bytes) + " bytes long", std::to_string(bytes_.size()));
    }
  }

  /// A float32 tensor from here on; what lies behind the file's end is found by finish().
  TensorView tensor(std::vector<int64_t> shape) {
    uint64_t bytes = 0;
    if (!tensor_bytes("F32", shape, &bytes)) fail(where_, "tensor", "of a size in 63 bits", shown_type("F32", shape));
    TensorView view{"F32", std::move(shape), {}};
    if (at_ <= bytes_.size() && bytes <= bytes_.size() - at_) view.bytes = bytes_.subspan(at_, bytes);
    if (__builtin_add_overflow(at_, bytes, &at_)) fail(where_, "file", "of a size in 64 bits", "described as larger");
    return view;
  }
  void finish() const {
    if (at_ != bytes_.size()) {
      fail(where_, "file", std::to_string(at_) + " bytes long, as its header says", std::to_string(bytes_.size()));
    }
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& where_;
  uint64_t at_ = 0;
};

/// The seven numbers and the flag of the head. Source: export.py, legacy_export and version1_export.
ForeignModel read_header(Reader& reader, bool* legacy, const std::string& where) {
  *legacy = reader.peek() != kMagic;
  if (!*legacy) {
    reader.require(kHeaderBytesV1);
    reader.next();
    const int64_t version = reader.next();
    if (version != 1) {
      throw DataError(where + ": the version must be 0 or 1 (float32), but is " + std::to_string(version) +
                      ". Export the model again with --version 1.");
    }
  }
  ForeignModel model;
  model.kind = "llama2.c";
  ModelConfig& config = model.config;
  config.width = reader.next();
  config.ffn_width = reader.next();
  config.layers = reader.next();
  config.heads = reader.next();
  config.kv_heads = reader.next();
  const int64_t vocab_size = reader.next();
  config.context = reader.next();
  model.vocab_size = *legacy && vocab_size < 0 ? -vocab_size : vocab_size;
  config.tied_head = *legacy ? vocab_size > 0 : reader.next_flag();
  config.norm_epsilon = 1e-5;
  config.rope_theta = 10000.0;
  check_foreign_model(model, where);
  if (!*legacy) reader.skip_to(kHeaderBytesV1);
  return model;
}

/// A parameter that every layer has, of all layers one after the other.
using PerLayer = std::pair<const char*, std::vector<int64_t>>;

void read_layers(Reader& reader, Llama2cFile& file, const std::vector<PerLayer>& parameters) {
  for (const auto& [name, shape] : parameters) {
    for (int64_t layer = 0; layer < file.model.config.layers; ++layer) {
      file.tensors["layers." + std::to_string(layer) + "." + name + ".weight"] = reader.tensor(shape);
    }
  }
}

}  // namespace

Llama2cFile parse_llama2c(std::span<const std::byte> bytes, const std::string& where) {
  Reader reader(bytes, where);
  Llama2cFile file;
  bool legacy = false;
  file.model = read_header(reader, &legacy, where);
  const ModelConfig& config = file.model.config;
  const int64_t head_width = config.width / config.heads;
  const int64_t kv_width = head_width * config.kv_heads;
  const std::vector<int64_t> table = {file.model.vocab_size, config.width};
  const PerLayer attention_norm = {"attention_norm", {config.width}}, ffn_norm = {"ffn_norm", {config.width}};
  const std::vector<PerLayer> attention = {{"attention.q", {config.width, config.width}},
                                           {"attention.k", {kv_width, config.width}},
                                           {"attention.v", {kv_width, config.width}},
                                           {"attention.o", {config.width, config.width}}};
  const std::vector<PerLayer> ffn = {{"ffn.gate", {config.ffn_width, config.width}},
                                     {"ffn.down", {config.width, config.ffn_width}},
                                     {"ffn.up", {config.ffn_width, config.width}}};
  if (legacy) {
    file.tensors["embedding.weight"] = reader.tensor(table);
    read_layers(reader, file, {attention_norm});
    read_layers(reader, file, attention);
    read_layers(reader, file, {ffn_norm});
    read_layers(reader, file, ffn);
    file.tensors["final_norm.weight"] = reader.tensor({config.width});
    reader.tensor({2, config.context, head_width / 2});  // cosines and sines, which everybody computes
  } else {
    read_layers(reader, file, {attention_norm, ffn_norm});
    file.tensors["final_norm.weight"] = reader.tensor({config.width});
    file.tensors["embedding.weight"] = reader.tensor(table);
    read_layers(reader, file, attention);
    read_layers(reader, file, ffn);
  }
  if (!config.tied_head) file.tensors["head.weight"] = reader.tensor(table);
  reader.finish();
  return file;
}

}  // namespace bitnet
