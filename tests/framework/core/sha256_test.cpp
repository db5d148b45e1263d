#include "framework/core/sha256.h"

#include <gtest/gtest.h>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "tests/framework/core/temporary_folder.h"

namespace bitnet {
namespace {

// Source: NIST, "SHA-256 example values" (FIPS 180-4).
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, IsTheSameInPieces) {
  Sha256 hash;
  hash.update("a");
  hash.update("");
  hash.update("bc");
  EXPECT_EQ(hash.hex(), sha256_hex("abc"));
}

TEST(Sha256, ReadsFiles) {
  const testing::TemporaryFolder folder;
  write_file_atomic(folder / "abc", "abc");
  write_file_atomic(folder / "empty", "");
  EXPECT_EQ(sha256_file(folder / "abc"), sha256_hex("abc"));
  EXPECT_EQ(sha256_file(folder / "empty"), sha256_hex(""));
  EXPECT_THROW(sha256_file(folder / "none"), DataError);
}

}  // namespace
}  // namespace bitnet
