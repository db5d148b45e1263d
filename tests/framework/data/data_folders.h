#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bitnet {

/// A test with a cache and a mirror folder of its own, both empty, and no proxy before 127.0.0.1.
class DataFolders : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    root_ = std::filesystem::path(testing::TempDir()) /
            ("bitnet_data_" + std::to_string(::getpid()) + "_" + test->test_suite_name() + "_" + test->name());
    std::filesystem::create_directories(mirror());
    set("BITNET_CACHE", cache().string());
    set("BITNET_DATA_MIRROR", mirror().string());
    set("no_proxy", "127.0.0.1");
  }
  void TearDown() override {
    for (const auto& [name, value] : before_) {
      if (value) {
        ::setenv(name.c_str(), value->c_str(), 1);
      } else {
        ::unsetenv(name.c_str());
      }
    }
    std::filesystem::remove_all(root_);
  }

  std::filesystem::path cache() const { return root_ / "cache"; }
  std::filesystem::path mirror() const { return root_ / "mirror"; }
  std::filesystem::path root() const { return root_; }

  /// Puts the mirror that was set outside back; false where none was.
  bool use_real_mirror() const {
    for (const auto& [name, value] : before_) {
      if (name == "BITNET_DATA_MIRROR" && value) return ::setenv(name.c_str(), value->c_str(), 1) == 0;
    }
    return false;
  }

 private:
  void set(const std::string& name, const std::string& value) {
    const char* old = std::getenv(name.c_str());
    before_.emplace_back(name, old == nullptr ? std::nullopt : std::optional<std::string>(old));
    ::setenv(name.c_str(), value.c_str(), 1);
  }

  std::filesystem::path root_;
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

}  // namespace bitnet
