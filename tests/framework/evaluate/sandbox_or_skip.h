#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "framework/core/error.h"
#include "framework/evaluate/sandbox.h"

namespace bitnet::testing {

/// Tests that run programs; skipped, with the reason, on machines where no sandbox can be made.
class SandboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (tried().sandbox == nullptr) GTEST_SKIP() << tried().why_not;
  }
  static const Sandbox& sandbox() { return *tried().sandbox; }

 private:
  struct Tried {
    std::unique_ptr<Sandbox> sandbox;
    std::string why_not;
  };
  static const Tried& tried() {
    static const Tried once = [] {
      Tried result;
      try {
        result.sandbox = std::make_unique<Sandbox>();
      } catch (const DataError& error) {
        result.why_not = error.what();
      }
      return result;
    }();
    return once;
  }
};

}  // namespace bitnet::testing
