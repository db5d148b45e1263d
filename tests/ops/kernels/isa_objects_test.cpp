#if defined(BITNET_TEST_ISA_OBJECTS)

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

namespace bitnet::kernels {
namespace {

// Standard output of a shell command.
std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  std::array<char, 4096> buffer;
  while (size_t count = fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), count);
  pclose(pipe);
  return text;
}

// A weak symbol (an inline function, a template of namespace scope) is merged with the copies of portable files: the
// one that the linker keeps might be the one with instructions that this machine lacks.
TEST(IsaObjects, DefineNoWeakSymbols) {
  if (std::system("nm --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "there is no nm here";
  std::istringstream objects(BITNET_TEST_ISA_OBJECTS);
  int count = 0;
  for (std::string object; std::getline(objects, object, ':'); ++count) {
    std::istringstream symbols(output_of("nm --defined-only '" + object + "'"));
    bool has_code = false;
    for (std::string address, type, name; symbols >> address >> type && std::getline(symbols, name);) {
      has_code = has_code || type == "T" || type == "R" || type == "D";
      EXPECT_TRUE(type != "W" && type != "w" && type != "V" && type != "v" && type != "u")
          << object << " defines the weak symbol" << name;
    }
    EXPECT_TRUE(has_code) << object << " defines nothing: nm could not read it";
  }
  EXPECT_GT(count, 0);
}

}  // namespace
}  // namespace bitnet::kernels

#endif  // BITNET_TEST_ISA_OBJECTS
