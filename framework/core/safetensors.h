#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitnet {

/// One named tensor of a file. `bytes` is row-major, little-endian; nothing is said about their alignment.
struct TensorView {
  std::string dtype;  ///< "F32", "BF16", "I8", as in the safetensors format
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

/// Bytes of one element of a type of the safetensors format; 0 for a type that this project does not know.
uint64_t element_bytes(std::string_view dtype);

/// Bytes of a tensor. False where the type is unknown, a size is negative, or the bytes do not fit into 63 bits.
bool tensor_bytes(std::string_view dtype, const std::vector<int64_t>& shape, uint64_t* bytes);

/// "F32 [2, 3]", for messages.
std::string shown_type(std::string_view dtype, const std::vector<int64_t>& shape);

/// The content of a safetensors file. The views lie in the bytes that it was read from.
struct Safetensors {
  std::string_view header;  ///< the JSON text
  std::map<std::string, std::string> metadata;
  std::map<std::string, TensorView> tensors;
};

/// Reads a file of the safetensors format: 8-byte little-endian header length, JSON header, data. The data is read by
/// nobody. Checks everything that the header says: names once each, known types, sizes that fit type and shape, and
/// that the tensors fill the data without gaps or overlaps. `where` names the file. Errors: DataError that names what
/// is wrong. Source: https://github.com/huggingface/safetensors, "Format".
Safetensors read_safetensors(std::span<const std::byte> bytes, const std::string& where);

}  // namespace bitnet
