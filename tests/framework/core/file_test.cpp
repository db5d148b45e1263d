#include "framework/core/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "framework/core/error.h"
#include "tests/framework/core/scoped_variable.h"
#include "tests/framework/core/temporary_folder.h"

namespace bitnet {
namespace {

using ::testing::HasSubstr;
using testing::ScopedVariable;
using testing::TemporaryFolder;

std::string data_error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

size_t entries_in(const std::filesystem::path& folder) {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

TEST(File, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  const std::string bytes("a\0b\nc\xff", 6);
  write_file_atomic(folder / "deep/er/file", bytes);
  EXPECT_EQ(read_file(folder / "deep/er/file"), bytes);
  EXPECT_EQ(entries_in(folder / "deep/er"), 1u);
}

TEST(File, ReplacesTheOldContentWhole) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "file", "a long first content");
  write_file_atomic(folder / "file", "short");
  EXPECT_EQ(read_file(folder / "file"), "short");
}

TEST(File, OverwritesWhatAKilledWriterLeft) {
  const TemporaryFolder folder;
  std::ofstream(folder / ".file.tmp") << "remains of a killed process, longer than the new content";
  write_file_atomic(folder / "file", "new");
  EXPECT_EQ(read_file(folder / "file"), "new");
  EXPECT_EQ(entries_in(folder.path()), 1u);
}

TEST(File, KeepsTheOldContentWhenTheWriterThrows) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "file", "old");
  const auto write = [](const ByteSink& sink) {
    sink("half of the new", 15);
    throw std::runtime_error("no more");
  };
  EXPECT_THROW(write_file_atomic(folder / "file", write), std::runtime_error);
  EXPECT_EQ(read_file(folder / "file"), "old");
  EXPECT_EQ(entries_in(folder.path()), 1u);
}

TEST(File, KeepsTheOldContentWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "file", "old");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string text = data_error_of([&] { write_file_atomic(folder / "file", std::string(10000, 'x')); });
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(text, HasSubstr((folder / "file").string() + ": file must be writable, but is not (File too large)"));
  EXPECT_EQ(read_file(folder / "file"), "old");
  EXPECT_EQ(entries_in(folder.path()), 1u);
}

TEST(File, ConcurrentWritersLeaveOneWholeContent) {
  const TemporaryFolder folder;
  const auto write = [&](char letter) {
    for (int i = 0; i < 20; ++i) write_file_atomic(folder / "file", std::string(20000, letter));
  };
  std::thread other(write, 'a');
  write('b');
  other.join();
  const std::string text = read_file(folder / "file");
  EXPECT_TRUE(text == std::string(20000, 'a') || text == std::string(20000, 'b'));
  EXPECT_EQ(entries_in(folder.path()), 1u);
}

TEST(File, ReportsAFolderThatCanNotBeMade) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "file", "x");
  EXPECT_THAT(data_error_of([&] { write_file_atomic(folder / "file/below", "y"); }),
              HasSubstr("file must be writable"));
}

TEST(File, ReportsAFolderInThePlaceOfTheFile) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "taken");
  EXPECT_THAT(data_error_of([&] { write_file_atomic(folder / "taken", "y"); }), HasSubstr("Is a directory"));
  EXPECT_EQ(entries_in(folder.path()), 1u);
}

TEST(File, ReportsAnUnwritableFolder) {
  constexpr uid_t kNobody = 65534;  // permissions do not bind the superuser, so be somebody else for a moment
  const TemporaryFolder folder;
  using std::filesystem::perms;
  std::filesystem::permissions(folder.path(), perms::owner_read | perms::owner_exec | perms::others_exec);
  const uid_t user = geteuid();
  if (user == 0) {
    ASSERT_EQ(seteuid(kNobody), 0);
  }
  const std::string text = data_error_of([&] { write_file_atomic(folder / "file", "y"); });
  ASSERT_EQ(seteuid(user), 0);
  std::filesystem::permissions(folder.path(), perms::owner_all);
  EXPECT_THAT(text, HasSubstr("file must be writable, but is not (Permission denied)"));
}

TEST(File, ReportsMissingFilesAndFolders) {
  const TemporaryFolder folder;
  EXPECT_THAT(data_error_of([&] { read_file(folder / "none"); }), HasSubstr("No such file or directory"));
  EXPECT_THAT(data_error_of([&] { read_file(folder.path()); }), HasSubstr("Is a directory"));
  EXPECT_THAT(data_error_of([&] { MappedFile mapped(folder / "none"); }), HasSubstr("No such file or directory"));
  EXPECT_THAT(data_error_of([&] { MappedFile mapped(folder.path()); }), HasSubstr("Is a directory"));
  EXPECT_THAT(data_error_of([&] { read_file("/dev/zero"); }), HasSubstr("not a regular file"));
}

TEST(MappedFile, GivesTheBytesAlsoAfterAMove) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "file", "mapped");
  MappedFile first(folder / "file");
  MappedFile second(std::move(first));
  EXPECT_EQ(second.text(), "mapped");
  EXPECT_TRUE(first.bytes().empty());
  write_file_atomic(folder / "other", "other");
  second = MappedFile(folder / "other");
  EXPECT_EQ(second.text(), "other");
}

TEST(MappedFile, MapsAnEmptyFileToNothing) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "empty", "");
  EXPECT_TRUE(MappedFile(folder / "empty").bytes().empty());
}

TEST(FileLock, IsHeldOnceAndFreeAgainAfterwards) {
  const TemporaryFolder folder;
  {
    const FileLock lock(folder / "sub/lock");
    EXPECT_THAT(data_error_of([&] { FileLock second(folder / "sub/lock"); }), HasSubstr("held by another process"));
  }
  EXPECT_NO_THROW(FileLock(folder / "sub/lock"));
}

TEST(FileLock, EndsWithTheProcessThatHeldIt) {
  const TemporaryFolder folder;
  const auto path = folder / "lock";
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    try {
      const FileLock lock(path);
      if (write(ready[1], "x", 1) == 1) pause();
    } catch (...) {
    }
    _exit(1);
  }
  close(ready[1]);
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  close(ready[0]);
  EXPECT_THROW(FileLock{path}, DataError);
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_NO_THROW(FileLock{path});
}

TEST(CacheFolder, FollowsTheEnvironmentInItsOrder) {
  const ScopedVariable home("HOME", "/home/someone");
  const ScopedVariable xdg("XDG_CACHE_HOME", "/xdg");
  {
    const ScopedVariable own("BITNET_CACHE", "/own");
    EXPECT_EQ(cache_folder(), "/own");
  }
  const ScopedVariable own("BITNET_CACHE", std::nullopt);
  EXPECT_EQ(cache_folder(), "/xdg/bitnet-lab");
  const ScopedVariable no_xdg("XDG_CACHE_HOME", "");
  EXPECT_EQ(cache_folder(), "/home/someone/.cache/bitnet-lab");
  const ScopedVariable no_home("HOME", std::nullopt);
  EXPECT_THROW(cache_folder(), ConfigError);
}

}  // namespace
}  // namespace bitnet
