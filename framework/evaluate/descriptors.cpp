#include "framework/evaluate/descriptors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "framework/core/error.h"

namespace bitnet {
namespace {

[[noreturn]] void fail(const std::string& call) {
  throw DataError("sandbox: the system must give a file descriptor, but " + call + " failed (" + std::strerror(errno) +
                  "). Raise the limit of open files (ulimit -n), or run fewer programs at once.");
}

}  // namespace

void Descriptor::close() {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe2");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

void set_nonblocking(const Descriptor& source) {
  if (fcntl(source.number(), F_SETFL, O_NONBLOCK) != 0) fail("fcntl");
}

Descriptor make_memory_file() {
  Descriptor file(memfd_create("bitnet", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.open()) fail("memfd_create");
  return file;
}

Descriptor make_memory_file(std::string_view content) {
  Descriptor file = make_memory_file();
  for (size_t written = 0; written < content.size();) {
    const ssize_t count = write(file.number(), content.data() + written, content.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("writing a file in memory");
    written += static_cast<size_t>(count);
  }
  if (lseek(file.number(), 0, SEEK_SET) != 0) fail("lseek");
  if (fcntl(file.number(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) fail("fcntl");
  return file;
}

std::string content_of(const Descriptor& file) {
  if (lseek(file.number(), 0, SEEK_SET) != 0) fail("lseek");
  std::string content;
  while (read_some(file, content)) {
  }
  return content;
}

bool read_some(const Descriptor& source, std::string& out) {
  std::array<char, 1 << 16> buffer;
  ssize_t count = 0;
  do {
    count = read(source.number(), buffer.data(), buffer.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) return errno == EAGAIN;
  out.append(buffer.data(), static_cast<size_t>(count));
  return count > 0;
}

}  // namespace bitnet
