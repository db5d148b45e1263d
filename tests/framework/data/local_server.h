#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bitnet {

/// An HTTP server on 127.0.0.1 for tests: one thread, one request a connection.
class LocalServer {
 public:
  struct Request {
    std::string path;
    long range_begin = -1;  ///< of "Range: bytes=100-", -1 where none was asked for
  };
  struct Response {
    std::string head;  ///< status line and headers, without the empty line
    std::string body;  ///< what is sent; may be less than the head promises
  };
  using Handler = std::function<Response(const Request&)>;

  explicit LocalServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* name = reinterpret_cast<sockaddr*>(&address);
    if (listener_ < 0 || ::bind(listener_, name, size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, name, &size) != 0) {
      throw std::runtime_error("the test's server can not listen on 127.0.0.1");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~LocalServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  std::vector<Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  /// The usual answer of a server that knows ranges.
  static Response ranged(const std::string& content, const Request& request) {
    if (request.range_begin < 0) return whole(content);
    const auto begin = static_cast<size_t>(request.range_begin);
    if (begin >= content.size()) return {"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n", ""};
    return {"HTTP/1.1 206 Partial Content\r\ncontent-range: Bytes " + std::to_string(begin) + "-" +
                std::to_string(content.size() - 1) + "/" + std::to_string(content.size()) +
                "\r\nContent-Length: " + std::to_string(content.size() - begin) + "\r\n",
            content.substr(begin)};
  }
  static Response whole(const std::string& content) {
    return {"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(content.size()) + "\r\n", content};
  }

 private:
  void serve() {
    while (true) {
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      answer(connection);
      ::shutdown(connection, SHUT_RDWR);
      ::close(connection);
    }
  }

  void answer(int connection) {
    std::string head;
    char buffer[1024];
    while (head.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = ::recv(connection, buffer, sizeof(buffer), 0);
      if (count <= 0) return;
      head.append(buffer, static_cast<size_t>(count));
    }
    Request request;
    const size_t path_begin = head.find(' ') + 1;
    request.path = head.substr(path_begin, head.find(' ', path_begin) - path_begin);
    const std::string range = "Range: bytes=";
    if (const size_t at = head.find(range); at != std::string::npos) {
      request.range_begin = std::stol(head.substr(at + range.size()));
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const Response response = handler_(request);
    const std::string bytes = response.head + "Connection: close\r\n\r\n" + response.body;
    for (size_t sent = 0; sent < bytes.size();) {
      const ssize_t count = ::send(connection, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;
      sent += static_cast<size_t>(count);
    }
  }

  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::thread thread_;
};

}  // namespace bitnet
