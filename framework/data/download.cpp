#include "framework/data/download.h"

#include <curl/curl.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string_view>
#include <system_error>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"

namespace bitnet {
namespace {

constexpr long kConnectSeconds = 20;
constexpr long kStallSeconds = 60;         // with less than one byte a second the connection counts as broken
constexpr int kLargestBarrenAttempts = 2;  // attempts in a row that bring nothing new
constexpr long kHttpOk = 200;
constexpr long kHttpPartial = 206;
constexpr long kHttpRangeNotSatisfiable = 416;

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
struct CurlCleaner {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};

[[noreturn]] void fail_download(const Download& download, const std::string& found, const std::string& what_to_do) {
  const std::string bytes =
      download.bytes > 0 ? std::to_string(download.bytes) + " bytes" : std::string("a whole file");
  const std::string digest = download.sha256.empty() ? std::string() : " with sha256 " + download.sha256;
  throw DataError(download.url + ": the download must be " + bytes + digest + ", but " + found + ". " + what_to_do);
}

int64_t size_or_zero(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<int64_t>(size);
}

void remove_part(const std::filesystem::path& part) {
  std::error_code error;  // what can not be removed is found out when it is written
  std::filesystem::remove(part, error);
}

/// Follows redirects, verifies certificates, gives up on a dead connection.
void set_common_options(CURL* curl, const std::string& url, char* reason) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "bitnet-lab");
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
}

/// How long the server says that the file is.
int64_t size_at_server(const Download& download) {
  const std::unique_ptr<CURL, CurlCleaner> curl(curl_easy_init());
  if (!curl) fail_download(download, "libcurl could not start", "Try again.");
  char reason[CURL_ERROR_SIZE] = "";
  set_common_options(curl.get(), download.url, reason);
  curl_easy_setopt(curl.get(), CURLOPT_NOBODY, 1L);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    fail_download(download, reason[0] != '\0' ? reason : curl_easy_strerror(code), "Check the network connection.");
  }
  long status = 0;
  curl_off_t bytes = -1;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &bytes);
  if (status != kHttpOk) {
    fail_download(download, "the server answers with status " + std::to_string(status), "Check the address.");
  }
  if (bytes <= 0) fail_download(download, "the server does not say how long it is", "Get the file from elsewhere.");
  return bytes;
}

/// One request; appends to the part, or starts it anew where the server sends the file from its beginning.
class Transfer {
 public:
  enum class Outcome { kDone, kBroken, kStartAnew, kTooLong };

  Transfer(const Download& download, const std::filesystem::path& part, ProgressReporter& progress)
      : download_(download), part_(part), progress_(progress), curl_(curl_easy_init()) {
    if (!curl_) fail_download(download_, "libcurl could not start", "Try again.");
  }

  Outcome run() {
    begin_ = received_ = size_or_zero(part_);
    const std::string range = std::to_string(begin_) + "-";
    CURL* curl = curl_.get();
    set_common_options(curl, download_.url, reason_);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Transfer::on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
    if (begin_ > 0) curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());
    const CURLcode code = curl_easy_perform(curl);
    const bool flushed = !file_ || std::fflush(file_.get()) == 0;
    if (disk_error_ != 0 || !flushed) {
      fail_download(download_,
                    part_.string() + " can not be written: " +
                        std::generic_category().message(disk_error_ != 0 ? disk_error_ : errno),
                    "Check the folder, its permissions and the free space.");
    }
    return outcome(code);
  }

  int64_t received() const { return received_; }
  std::string reason() const { return reason_; }

 private:
  Outcome outcome(CURLcode code) {
    long status = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status == kHttpRangeNotSatisfiable || wrong_range_) return Outcome::kStartAnew;
    if (status != 0 && status != kHttpOk && status != kHttpPartial) {
      fail_download(download_, "the server answers with status " + std::to_string(status), "Check the address.");
    }
    if (too_long_) return Outcome::kTooLong;
    if (code == CURLE_OK && received_ == download_.bytes) return Outcome::kDone;
    if (code != CURLE_OK && reason_[0] == '\0') {
      std::snprintf(reason_, sizeof(reason_), "%s", curl_easy_strerror(code));
    }
    return Outcome::kBroken;
  }

  static size_t on_header(char* bytes, size_t size, size_t count, void* user) {
    static_cast<Transfer*>(user)->take_header({bytes, size * count});
    return size * count;
  }
  static size_t on_bytes(char* bytes, size_t size, size_t count, void* user) {
    return static_cast<Transfer*>(user)->take_bytes({bytes, size * count}) ? size * count : 0;
  }

  // Remembers where the part sent begins: "Content-Range: bytes 100-199/200".
  void take_header(std::string_view line) {
    constexpr std::string_view kName = "content-range: bytes ";
    if (line.starts_with("HTTP/")) range_begin_ = -1;  // a redirect's headers are over
    if (line.size() < kName.size()) return;
    const bool is_range = std::equal(kName.begin(), kName.end(), line.begin(), [](char expected, char found) {
      return expected == (found >= 'A' && found <= 'Z' ? static_cast<char>(found + ('a' - 'A')) : found);
    });
    if (is_range) std::from_chars(line.data() + kName.size(), line.data() + line.size(), range_begin_);
  }

  bool take_bytes(std::string_view bytes) {
    if (!file_ && !open_part()) return false;
    if (received_ + static_cast<int64_t>(bytes.size()) > download_.bytes) {
      too_long_ = true;
      return false;
    }
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) {
      disk_error_ = errno;
      return false;
    }
    received_ += static_cast<int64_t>(bytes.size());
    progress_.update(received_);
    return true;
  }

  // The first bytes of the body decide: the rest that was asked for, or the whole file again.
  bool open_part() {
    long status = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status != kHttpOk && status != kHttpPartial) return false;  // an error page is not the file
    if (status == kHttpOk) begin_ = received_ = 0;
    if (status == kHttpPartial && range_begin_ != begin_) {
      wrong_range_ = true;
      return false;
    }
    file_.reset(std::fopen(part_.c_str(), begin_ > 0 ? "ab" : "wb"));
    if (!file_) disk_error_ = errno;
    return file_ != nullptr;
  }

  const Download& download_;
  const std::filesystem::path& part_;
  ProgressReporter& progress_;
  std::unique_ptr<CURL, CurlCleaner> curl_;
  std::unique_ptr<std::FILE, FileCloser> file_;
  char reason_[CURL_ERROR_SIZE] = "";
  int64_t begin_ = 0;
  int64_t received_ = 0;
  int64_t range_begin_ = -1;
  int disk_error_ = 0;
  bool too_long_ = false;
  bool wrong_range_ = false;
};

// Brings the part to its full length. Progress is counted against the longest part there ever was: a server that
// ignores ranges makes a broken part shorter, and growing back again and again would never end.
void complete_part(const Download& download, const std::filesystem::path& part, ProgressReporter& progress) {
  if (size_or_zero(part) > download.bytes) remove_part(part);
  bool started_anew = false;
  int barren = 0;
  int64_t longest = size_or_zero(part);
  while (size_or_zero(part) != download.bytes) {
    Transfer transfer(download, part, progress);
    switch (transfer.run()) {
      case Transfer::Outcome::kDone:
        return;
      case Transfer::Outcome::kTooLong:
        remove_part(part);
        fail_download(download, "the server sends more", "The file there has changed: get it from elsewhere.");
      case Transfer::Outcome::kStartAnew:
        remove_part(part);
        if (started_anew)
          fail_download(download, "the server has fewer bytes or sends the wrong ones",
                        "The file there has changed: get it from elsewhere.");
        started_anew = true;
        longest = 0;
        break;
      case Transfer::Outcome::kBroken:
        barren = transfer.received() > longest ? 0 : barren + 1;
        longest = std::max(longest, transfer.received());
        if (barren < kLargestBarrenAttempts) break;
        fail_download(
            download,
            "the transfer ended after " + std::to_string(transfer.received()) + " bytes" +
                (transfer.reason().empty() ? "" : ": " + transfer.reason()),
            transfer.received() > 0 ? "Run the command again: it continues there." : "Check the network connection.");
    }
  }
}

}  // namespace

void download_file(const Download& wanted, ProgressReporter& progress) {
  static const CURLcode is_ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (is_ready != CURLE_OK) fail_download(wanted, "libcurl could not start", "Try again.");
  Download download = wanted;
  if (download.bytes == 0) download.bytes = size_at_server(wanted);
  std::error_code error;
  std::filesystem::create_directories(download.destination.parent_path(), error);
  if (error) {
    fail_download(download,
                  "its folder " + download.destination.parent_path().string() + " can not be made: " + error.message(),
                  "Check the folder and its permissions.");
  }
  const std::filesystem::path part = download.destination.string() + ".part";
  const FileLock lock(download.destination.string() + ".lock");
  const bool was_begun = size_or_zero(part) > 0;
  progress.start("download " + download.destination.filename().string(), download.bytes, "bytes", size_or_zero(part));
  complete_part(download, part, progress);
  std::string found = sha256_file(part);
  const auto is_wanted = [&] { return download.sha256.empty() || found == download.sha256; };
  if (!is_wanted() && was_begun) {
    // What an earlier process left may be from another file: one more time from the start.
    remove_part(part);
    complete_part(download, part, progress);
    found = sha256_file(part);
  }
  if (!is_wanted()) {
    remove_part(part);
    fail_download(download, "its sha256 is " + found, "The file there has changed: get it from elsewhere.");
  }
  std::filesystem::rename(part, download.destination, error);
  if (error) {
    fail_download(download, download.destination.string() + " can not be written: " + error.message(),
                  "Check the folder and its permissions.");
  }
  progress.finish();
}

}  // namespace bitnet
