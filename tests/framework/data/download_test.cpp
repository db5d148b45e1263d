#include "framework/data/download.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"
#include "tests/framework/data/data_folders.h"
#include "tests/framework/data/local_server.h"

namespace bitnet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RecordedProgress : public ProgressReporter {
 public:
  void start(std::string_view, int64_t total, std::string_view unit, int64_t start_at) override {
    total_ = total, start_at_ = start_at, unit_ = unit;
  }
  void update(int64_t done, std::string_view) override {
    EXPECT_GE(done, 0);
    done_ = done;
  }
  void finish() override { finished_ = true; }

  int64_t total_ = 0;
  int64_t start_at_ = -1;
  int64_t done_ = 0;
  bool finished_ = false;
  std::string unit_;
};

std::string test_content() {
  std::string content;
  for (int i = 0; i < 60000; ++i) content += static_cast<char>(i * 131 % 251);
  return content;
}

class DownloadFile : public DataFolders {
 protected:
  Download download(const LocalServer& server) const {
    return {server.url("/file"), destination(), static_cast<int64_t>(content_.size()), sha256_hex(content_)};
  }
  std::filesystem::path destination() const { return root() / "folder" / "file.txt"; }
  std::filesystem::path part() const { return destination().string() + ".part"; }
  std::string failure(const Download& wanted) {
    try {
      download_file(wanted, progress_);
    } catch (const DataError& error) {
      EXPECT_FALSE(std::filesystem::exists(destination()));
      return error.what();
    }
    ADD_FAILURE() << "the download must fail, but does not";
    return "";
  }
  void expect_whole() const {
    EXPECT_EQ(read_file(destination()), content_);
    EXPECT_FALSE(std::filesystem::exists(part()));
  }
  static std::vector<long> ranges(const LocalServer& server) {
    std::vector<long> begins;
    for (const auto& request : server.requests()) begins.push_back(request.range_begin);
    return begins;
  }

  std::string content_ = test_content();
  RecordedProgress progress_;
};

TEST_F(DownloadFile, GetsTheWholeFileAndReportsItsBytes) {
  const LocalServer server([this](const auto& request) { return LocalServer::ranged(content_, request); });
  download_file(download(server), progress_);
  expect_whole();
  EXPECT_THAT(ranges(server), ElementsAre(-1));
  EXPECT_EQ(progress_.total_, 60000);
  EXPECT_EQ(progress_.done_, 60000);
  EXPECT_EQ(progress_.start_at_, 0);
  EXPECT_EQ(progress_.unit_, "bytes");
  EXPECT_TRUE(progress_.finished_);
}

TEST_F(DownloadFile, ContinuesAfterTheConnectionBreaks) {
  const LocalServer server([this](const auto& request) {
    LocalServer::Response response = LocalServer::ranged(content_, request);
    if (request.range_begin < 30000) response.body.resize(20000);
    return response;
  });
  download_file(download(server), progress_);
  expect_whole();
  EXPECT_THAT(ranges(server), ElementsAre(-1, 20000, 40000));
}

TEST_F(DownloadFile, KeepsThePartOfABrokenConnectionForTheNextCall) {
  bool is_up = false;
  const LocalServer server([&](const auto& request) {
    LocalServer::Response response = LocalServer::ranged(content_, request);
    if (!is_up) response.body.resize(request.range_begin < 0 ? 25000 : 0);
    return response;
  });
  EXPECT_THAT(failure(download(server)), HasSubstr("ended after 25000 bytes"));
  EXPECT_EQ(std::filesystem::file_size(part()), 25000U);
  is_up = true;
  download_file(download(server), progress_);
  expect_whole();
  EXPECT_EQ(server.requests().back().range_begin, 25000);
  EXPECT_EQ(progress_.start_at_, 25000);
}

TEST_F(DownloadFile, TakesTheWholeFileFromAServerThatIgnoresRanges) {
  write_file_atomic(part(), content_.substr(0, 1000));
  const LocalServer server([this](const auto&) { return LocalServer::whole(content_); });
  download_file(download(server), progress_);
  expect_whole();
  EXPECT_THAT(ranges(server), ElementsAre(1000));
}

TEST_F(DownloadFile, GivesUpOnAServerThatIgnoresRangesAndAlwaysBreaks) {
  const LocalServer server([this](const auto&) {
    LocalServer::Response response = LocalServer::whole(content_);
    response.body.resize(500);
    return response;
  });
  EXPECT_THAT(failure(download(server)), HasSubstr("ended after 500 bytes"));
}

TEST_F(DownloadFile, GivesUpOnAServerThatIgnoresRangesAndBreaksNowEarlierNowLater) {
  int answers = 0;
  const LocalServer server([&](const auto&) {
    LocalServer::Response response = LocalServer::whole(content_);
    if (++answers <= 20) response.body.resize(answers % 2 == 1 ? 500 : 400);  // without an end, were it up to it
    return response;
  });
  EXPECT_THAT(failure(download(server)), HasSubstr("ended after 500 bytes"));
  EXPECT_THAT(ranges(server), ElementsAre(-1, 500, 400));
}

TEST_F(DownloadFile, CountsProgressAfreshAfterStartingAnew) {
  write_file_atomic(part(), content_.substr(0, 50000));
  const LocalServer server([this](const auto& request) {
    if (request.range_begin == 50000) return LocalServer::ranged(content_, {request.path, 5});
    LocalServer::Response response = LocalServer::ranged(content_, request);
    if (request.range_begin < 30000) response.body.resize(15000);
    return response;
  });
  download_file(download(server), progress_);
  expect_whole();
  EXPECT_THAT(ranges(server), ElementsAre(50000, -1, 15000, 30000));
}

TEST_F(DownloadFile, StartsAnewWhereTheServerSendsAnotherRange) {
  write_file_atomic(part(), content_.substr(0, 1000));
  const LocalServer server([this](const auto& request) {
    return LocalServer::ranged(content_, {request.path, request.range_begin < 0 ? -1 : 5});
  });
  download_file(download(server), progress_);
  expect_whole();
  EXPECT_THAT(ranges(server), ElementsAre(1000, -1));
}

TEST_F(DownloadFile, StartsAnewWhereAnOldPartIsOfAnotherFile) {
  write_file_atomic(part(), std::string(1000, 'x'));
  const LocalServer server([this](const auto& request) { return LocalServer::ranged(content_, request); });
  download_file(download(server), progress_);
  expect_whole();
  EXPECT_THAT(ranges(server), ElementsAre(1000, -1));
}

TEST_F(DownloadFile, MissingFileNamesTheStatusAndTheAddress) {
  const LocalServer server([](const auto&) {
    return LocalServer::Response{"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n", "not found"};
  });
  EXPECT_THAT(failure(download(server)), ::testing::AllOf(HasSubstr("status 404"), HasSubstr(server.url("/file"))));
  EXPECT_FALSE(std::filesystem::exists(part()));
}

TEST_F(DownloadFile, WrongContentNamesBothDigestsAndLeavesNothing) {
  std::string other = content_;
  other[100] ^= 1;
  const LocalServer server([&](const auto& request) { return LocalServer::ranged(other, request); });
  EXPECT_THAT(failure(download(server)),
              ::testing::AllOf(HasSubstr(sha256_hex(content_)), HasSubstr(sha256_hex(other))));
  EXPECT_FALSE(std::filesystem::exists(part()));
}

TEST_F(DownloadFile, LongerAndShorterFilesAreRefused) {
  const LocalServer longer([this](const auto& request) { return LocalServer::ranged(content_ + "x", request); });
  EXPECT_THAT(failure(download(longer)), HasSubstr("sends more"));
  const LocalServer shorter(
      [this](const auto& request) { return LocalServer::ranged(content_.substr(0, 59999), request); });
  EXPECT_THAT(failure(download(shorter)), HasSubstr("fewer bytes"));
}

TEST_F(DownloadFile, NoServerIsAnErrorThatSaysSo) {
  Download wanted;
  {
    const LocalServer server([](const auto&) { return LocalServer::Response{}; });
    wanted = download(server);
  }
  EXPECT_THAT(failure(wanted), ::testing::AllOf(HasSubstr("onnect"), HasSubstr("Check the network connection")));
}

TEST_F(DownloadFile, AnotherDownloadOfTheSameFileIsRefused) {
  std::filesystem::create_directories(destination().parent_path());
  const FileLock lock(destination().string() + ".lock");
  const LocalServer server([this](const auto& request) { return LocalServer::ranged(content_, request); });
  failure(download(server));
  EXPECT_THAT(ranges(server), ::testing::IsEmpty());
}

}  // namespace
}  // namespace bitnet
