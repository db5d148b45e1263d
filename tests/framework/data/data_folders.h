#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

#include "tests/framework/core/scoped_variable.h"
#include "tests/framework/core/temporary_folder.h"

namespace bitnet {

/// A test with a cache and a mirror folder of its own, both empty, and no proxy before 127.0.0.1.
class DataFolders : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(mirror()); }

  std::filesystem::path cache() const { return root_ / "cache"; }
  std::filesystem::path mirror() const { return root_ / "mirror"; }
  const std::filesystem::path& root() const { return root_.path(); }

  /// Puts the mirror that was set outside back; false where none was.
  bool use_real_mirror() {
    mirror_variable_.reset();
    return std::getenv("BITNET_DATA_MIRROR") != nullptr;
  }

 private:
  testing::TemporaryFolder root_;
  testing::ScopedVariable cache_variable_{"BITNET_CACHE", cache().string()};
  testing::ScopedVariable proxy_variable_{"no_proxy", "127.0.0.1"};
  std::optional<testing::ScopedVariable> mirror_variable_{std::in_place, "BITNET_DATA_MIRROR", mirror().string()};
};

}  // namespace bitnet
