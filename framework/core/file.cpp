#include "framework/core/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "framework/core/error.h"

namespace bitnet {
namespace {

std::string system_reason(int error_number) { return std::generic_category().message(error_number); }

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view expected, std::string_view found,
                       std::string_view what_to_do) {
  throw DataError(path.string() + ": file must be " + std::string(expected) + ", but is not (" + std::string(found) +
                  "). " + std::string(what_to_do));
}

[[noreturn]] void fail_to_read(const std::filesystem::path& path, std::string_view reason) {
  fail(path, "readable", reason, "Check the path and its permissions.");
}

[[noreturn]] void fail_to_write(const std::filesystem::path& path, std::string_view reason) {
  fail(path, "writable", reason, "Check the folder, its permissions and the free space.");
}

/// An owned file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

int open_retrying(const std::filesystem::path& path, int flags) {
  int descriptor = -1;
  do {
    descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

/// Opens a regular file for reading and gives its size.
int open_for_reading(const std::filesystem::path& path, size_t* size) {
  const int descriptor = open_retrying(path, O_RDONLY | O_NONBLOCK);
  if (descriptor < 0) fail_to_read(path, system_reason(errno));
  struct stat status = {};
  std::string problem;
  if (::fstat(descriptor, &status) != 0) {
    problem = system_reason(errno);
  } else if (S_ISDIR(status.st_mode)) {
    problem = system_reason(EISDIR);
  } else if (!S_ISREG(status.st_mode)) {
    problem = "not a regular file";
  }
  if (!problem.empty()) {
    ::close(descriptor);
    fail_to_read(path, problem);
  }
  *size = static_cast<size_t>(status.st_size);
  return descriptor;
}

void write_all(int descriptor, const void* bytes, size_t count, const std::filesystem::path& path) {
  const char* next = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::write(descriptor, next, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_to_write(path, system_reason(errno));
    next += written;
    count -= static_cast<size_t>(written);
  }
}

void create_parent_folders(const std::filesystem::path& path) {
  if (!path.has_parent_path()) return;
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) fail_to_write(path, error.message());
}

/// A rename lasts over a power failure only once its folder is written. File systems that can not fsync a folder say
/// EINVAL and need none.
void sync_folder(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const Descriptor descriptor(open_retrying(folder, O_RDONLY | O_DIRECTORY));
  if (descriptor.get() < 0) fail_to_write(path, system_reason(errno));
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL) fail_to_write(path, system_reason(errno));
}

bool is_same_file(int descriptor, const std::filesystem::path& path) {
  struct stat opened = {};
  struct stat named = {};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

/// Opens the temporary file and locks it. Its name is fixed, so that what a killed process left is reused and never
/// piles up; the lock keeps two writers apart. A writer that waited finds the file renamed away by the one before and
/// retries.
int open_temporary(const std::filesystem::path& temporary, const std::filesystem::path& path) {
  while (true) {
    const int descriptor = open_retrying(temporary, O_WRONLY | O_CREAT);
    if (descriptor < 0) fail_to_write(path, system_reason(errno));
    int result = 0;
    do {
      result = ::flock(descriptor, LOCK_EX);
    } while (result != 0 && errno == EINTR);
    if (result == 0 && !is_same_file(descriptor, temporary)) {
      ::close(descriptor);
      continue;
    }
    if (result == 0 && ::ftruncate(descriptor, 0) == 0) return descriptor;
    const std::string reason = system_reason(errno);
    ::close(descriptor);
    fail_to_write(path, reason);
  }
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  size_t size = 0;
  const Descriptor descriptor(open_for_reading(path, &size));
  std::string bytes;
  bytes.reserve(size);
  // Files of /proc say that they have no bytes: read to the end, whatever the size was.
  std::array<char, 1 << 16> buffer;
  while (true) {
    const ssize_t count = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_to_read(path, system_reason(errno));
    if (count == 0) return bytes;
    bytes.append(buffer.data(), static_cast<size_t>(count));
  }
}

void write_file_atomic(const std::filesystem::path& path, std::string_view bytes) {
  write_file_atomic(path, [bytes](const ByteSink& sink) { sink(bytes.data(), bytes.size()); });
}

void write_file_atomic(const std::filesystem::path& path, const std::function<void(const ByteSink&)>& write) {
  create_parent_folders(path);
  const std::filesystem::path temporary = path.parent_path() / ("." + path.filename().string() + ".tmp");
  const Descriptor descriptor(open_temporary(temporary, path));
  try {
    write([&](const void* bytes, size_t count) { write_all(descriptor.get(), bytes, count, path); });
    if (::fsync(descriptor.get()) != 0) fail_to_write(path, system_reason(errno));
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail_to_write(path, system_reason(errno));
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(path);
}

MappedFile::MappedFile(const std::filesystem::path& path) {
  size_t size = 0;
  const Descriptor descriptor(open_for_reading(path, &size));
  if (size == 0) return;
  void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (address == MAP_FAILED) fail_to_read(path, system_reason(errno));
  bytes_ = {static_cast<const std::byte*>(address), size};
}

void MappedFile::release_pages() const {
  if (!bytes_.empty()) madvise(const_cast<std::byte*>(bytes_.data()), bytes_.size(), MADV_DONTNEED);
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

FileLock::FileLock(const std::filesystem::path& path) {
  create_parent_folders(path);
  descriptor_ = open_retrying(path, O_RDWR | O_CREAT);
  if (descriptor_ < 0) fail_to_write(path, system_reason(errno));
  int result = 0;
  do {
    result = ::flock(descriptor_, LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return;
  const int reason = errno;
  ::close(descriptor_);
  if (reason != EWOULDBLOCK) fail_to_write(path, system_reason(reason));
  throw DataError(path.string() +
                  ": lock must be free, but is held by another process that works in this folder. "
                  "Wait until it ends, or give another folder.");
}

FileLock::~FileLock() { ::close(descriptor_); }

std::filesystem::path cache_folder() {
  const auto variable = [](const char* name) -> std::filesystem::path {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (const auto folder = variable("BITNET_CACHE"); !folder.empty()) return folder;
  if (const auto folder = variable("XDG_CACHE_HOME"); !folder.empty()) return folder / "bitnet-lab";
  if (const auto folder = variable("HOME"); !folder.empty()) return folder / ".cache" / "bitnet-lab";
  throw ConfigError(
      "environment: BITNET_CACHE, XDG_CACHE_HOME or HOME must be set, but none of them is. "
      "Set BITNET_CACHE to the folder where downloaded data is kept.");
}

}  // namespace bitnet
