#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace bitnet {

/// A file descriptor that is closed with its owner. All of them close on exec.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  int number() const { return number_; }
  bool open() const { return number_ >= 0; }
  void close();

 private:
  int number_ = -1;
};

struct Pipe {
  Descriptor read_end, write_end;
};
/// Errors here and below: DataError with the system's reason.
Pipe make_pipe();

/// A file without a name, in memory, that reads from its start and can no longer be changed.
Descriptor make_memory_file(std::string_view content);

/// An empty one that can be written, and what it holds.
Descriptor make_memory_file();
std::string content_of(const Descriptor& file);

/// Makes reading give what is there instead of waiting.
void set_nonblocking(const Descriptor& source);

/// Appends to `out` what can be read now, at most 64 KiB. False where nothing will come any more.
bool read_some(const Descriptor& source, std::string& out);

}  // namespace bitnet
