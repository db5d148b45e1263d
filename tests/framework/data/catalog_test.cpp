#include "framework/data/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "framework/core/sha256.h"
#include "framework/data/zip.h"
#include "tests/framework/core/scoped_variable.h"
#include "tests/framework/core/temporary_folder.h"
#include "tests/framework/data/data_folders.h"
#include "tests/framework/data/local_server.h"

namespace bitnet {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class WarningRecorder : public ProgressReporter {
 public:
  void warning(std::string_view text) override { warnings_ += text; }
  std::string warnings_;
};

std::string little_endian(uint64_t value, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

std::string raw_deflate(const std::string& content) {
  std::string packed(content.size() + 1000, '\0');
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

// A zip archive of one stored member "a/stored.txt" and one deflated member "a/packed.txt".
std::string make_zip(const std::string& stored, const std::string& packed) {
  std::string archive;
  std::string directory;
  const auto add = [&](const std::string& name, const std::string& content, const std::string& bytes, int method) {
    const uint64_t crc = crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
    const std::string common = little_endian(20, 2) + little_endian(0, 2) +
                               little_endian(static_cast<uint64_t>(method), 2) + little_endian(0, 4) +
                               little_endian(crc, 4) + little_endian(bytes.size(), 4) +
                               little_endian(content.size(), 4) + little_endian(name.size(), 2);
    directory += "PK\1\2" + little_endian(20, 2) + common + little_endian(3, 2) + little_endian(2, 2) +
                 little_endian(0, 8) + little_endian(archive.size(), 4) + name + "xyz" + "hi";
    archive += "PK\3\4" + common + little_endian(4, 2) + name + "wxyz" + bytes;
  };
  add("a/stored.txt", stored, stored, 0);
  add("a/packed.txt", packed, raw_deflate(packed), 8);
  return archive + directory + "PK\5\6" + little_endian(0, 4) + little_endian(2, 2) + little_endian(2, 2) +
         little_endian(directory.size(), 4) + little_endian(archive.size(), 4) + little_endian(7, 2) + "comment";
}

const std::string kSmallContent = "the content of a data file\n";

CatalogEntry small_entry(std::vector<std::string> urls) {
  CatalogEntry entry;
  entry.name = "test/small";
  entry.bytes = static_cast<int64_t>(kSmallContent.size());
  entry.sha256 = sha256_hex(kSmallContent);
  entry.mirror_path = "folder/small.txt";
  entry.urls = std::move(urls);
  return entry;
}

template <typename Exception, typename Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const Exception& error) {
    return error.what();
  }
  ADD_FAILURE() << "the call must throw, but does not";
  return "";
}

class Catalog : public DataFolders {
 protected:
  ProgressReporter silent_;
};

TEST_F(Catalog, EntriesAreWellFormed) {
  std::set<std::string> names, without_digest;
  for (const CatalogEntry& entry : catalog()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_EQ(find_catalog_entry(entry.name), &entry);
    if (entry.sha256.empty()) {
      EXPECT_EQ(entry.bytes, 0) << entry.name;
      EXPECT_FALSE(entry.urls.empty()) << entry.name;
      without_digest.insert(entry.name);
    } else {
      EXPECT_EQ(entry.sha256.size(), 64U) << entry.name;
      EXPECT_EQ(entry.sha256.find_first_not_of("0123456789abcdef"), std::string::npos) << entry.name;
      EXPECT_GT(entry.bytes, 0);
    }
    EXPECT_NE(entry.name.find('/'), std::string::npos) << entry.name;
    EXPECT_FALSE(entry.mirror_path.empty()) << entry.name;
    EXPECT_FALSE(entry.license.empty());
    EXPECT_EQ(entry.archive == nullptr, entry.member.empty());
  }
  EXPECT_EQ(find_catalog_entry("wikitext-3/train"), nullptr);
  EXPECT_THAT(without_digest, ElementsAre("tinyllama-1.1b-3t/config.json", "tinyllama-1.1b-3t/model.safetensors",
                                          "tinyllama-1.1b-3t/tokenizer.json"));
}

TEST_F(Catalog, AFolderIsAllEntriesOfItsName) {
  EXPECT_EQ(catalog_folder("gpt2").size(), 2U);
  EXPECT_EQ(catalog_folder("tinyllama-1.1b-chat").size(), 5U);
  EXPECT_TRUE(catalog_folder("tinyllama-1.1b").empty());
  EXPECT_TRUE(catalog_has("gpt2") && catalog_has("gpt2/vocab.bpe"));
  EXPECT_FALSE(catalog_has("gpt") || catalog_has("gpt2/"));
  EXPECT_THAT(message_of<DataError>([this] { fetch_data("tinyllama-1.1b-chat", silent_); }),
              AllOf(HasSubstr("tinyllama-1.1b-chat/config.json"), HasSubstr("486bedda"),
                    HasSubstr((mirror() / "checkpoints/tinyllama-1.1b-chat/config.json").string())));
}

// The mirror holds the small files of the catalog; each must be what its entry says.
TEST(CatalogOfThisMachine, FetchesAFolderFromTheMirror) {
  if (std::getenv("BITNET_DATA_MIRROR") == nullptr) GTEST_SKIP() << "needs BITNET_DATA_MIRROR";
  const testing::TemporaryFolder folder;
  const testing::ScopedVariable cache("BITNET_CACHE", folder.path().string());
  ProgressReporter silent;
  for (const char* name : {"stories260k", "tinystories-656k", "gpt2", "humaneval", "arc-easy", "arc-challenge"}) {
    const auto path = fetch_data(name, silent);
    EXPECT_EQ(path, folder.path() / "data" / name);
    for (const CatalogEntry* entry : catalog_folder(name)) {
      EXPECT_TRUE(std::filesystem::exists(folder.path() / "data" / entry->name)) << entry->name;
    }
  }
  for (const char* name : {"tinyllama-1.1b-chat/tokenizer.json", "tinyllama-1.1b-chat/tokenizer_config.json",
                           "tinyllama-1.1b-3t/tokenizer.model", "wikitext-2-raw/test"}) {
    EXPECT_NO_THROW(fetch_data(name, silent)) << name;
  }
}

TEST_F(Catalog, AnUnknownNameGetsASuggestion) {
  EXPECT_THAT(message_of<ConfigError>([this] { fetch_data("wikitext-2/trian", silent_); }),
              AllOf(HasSubstr("Did you mean 'wikitext-2/train'?"), HasSubstr("'wikitext-2/trian'")));
}

TEST_F(Catalog, CopiesFromTheMirrorThenUsesTheCache) {
  const CatalogEntry entry = small_entry({});
  EXPECT_EQ(data_state(entry), DataState::kAbsent);
  write_file_atomic(mirror() / entry.mirror_path, kSmallContent);
  EXPECT_EQ(data_state(entry), DataState::kInMirror);
  const auto path = fetch_data(entry, silent_);
  EXPECT_EQ(path, cache() / "data" / "test" / "small");
  EXPECT_EQ(read_file(path), kSmallContent);
  EXPECT_EQ(data_state(entry), DataState::kCached);
  std::filesystem::remove_all(mirror());
  EXPECT_EQ(fetch_data(entry, silent_), path);
}

TEST_F(Catalog, ADamagedCachedFileIsReplacedWithAWarning) {
  const CatalogEntry entry = small_entry({});
  write_file_atomic(mirror() / entry.mirror_path, kSmallContent);
  std::string damaged = kSmallContent;
  damaged[3] ^= 1;
  write_file_atomic(cached_path(entry), damaged);
  EXPECT_EQ(data_state(entry), DataState::kInMirror);
  WarningRecorder progress;
  EXPECT_EQ(read_file(fetch_data(entry, progress)), kSmallContent);
  EXPECT_THAT(progress.warnings_, HasSubstr(cached_path(entry).string()));
}

TEST_F(Catalog, AWrongFileInTheMirrorIsAnErrorAndNotCopied) {
  const CatalogEntry entry = small_entry({});
  write_file_atomic(mirror() / entry.mirror_path, "other");
  EXPECT_EQ(data_state(entry), DataState::kAbsent);
  EXPECT_THAT(message_of<DataError>([&] { fetch_data(entry, silent_); }),
              AllOf(HasSubstr((mirror() / entry.mirror_path).string()), HasSubstr(entry.sha256),
                    HasSubstr(sha256_hex("other"))));
  EXPECT_FALSE(std::filesystem::exists(cached_path(entry)));
}

TEST_F(Catalog, DownloadsFromTheFirstAddressThatWorks) {
  const LocalServer server([](const LocalServer::Request& request) {
    if (request.path == "/gone") return LocalServer::Response{"HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n", ""};
    return LocalServer::ranged(kSmallContent, request);
  });
  const CatalogEntry entry = small_entry({server.url("/gone"), server.url("/small")});
  EXPECT_EQ(read_file(fetch_data(entry, silent_)), kSmallContent);
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(Catalog, MissingEverywhereSaysWhatToPutWhere) {
  const LocalServer server([](const LocalServer::Request&) {
    return LocalServer::Response{"HTTP/1.1 503 Down\r\nContent-Length: 0\r\n", ""};
  });
  for (const CatalogEntry& entry : {small_entry({}), small_entry({server.url("/small")})}) {
    EXPECT_THAT(message_of<DataError>([&] { fetch_data(entry, silent_); }),
                AllOf(HasSubstr(entry.urls.empty() ? "no public address" : "status 503"), HasSubstr(entry.sha256),
                      HasSubstr(cached_path(entry).string()), HasSubstr((mirror() / entry.mirror_path).string())));
  }
}

TEST_F(Catalog, AFileWithoutADigestIsTrustedOnceAndNoOtherAfterwards) {
  CatalogEntry entry = small_entry({});
  entry.bytes = 0;
  entry.sha256.clear();
  EXPECT_EQ(data_state(entry), DataState::kAbsent);
  EXPECT_THAT(message_of<DataError>([&] { fetch_data(entry, silent_); }),
              AllOf(HasSubstr("no digest is known"), HasSubstr("whatever comes first is trusted")));
  write_file_atomic(mirror() / entry.mirror_path, kSmallContent);
  EXPECT_EQ(data_state(entry), DataState::kInMirror);
  WarningRecorder first, second, third;
  const auto path = fetch_data(entry, first);
  EXPECT_THAT(first.warnings_, AllOf(HasSubstr("trusted on first use"), HasSubstr(sha256_hex(kSmallContent))));
  EXPECT_EQ(expected_sha256(entry), sha256_hex(kSmallContent));
  EXPECT_EQ(fetch_data(entry, second), path);
  EXPECT_EQ(second.warnings_, "");
  // Another file is no longer accepted, neither in the cache nor from the mirror.
  write_file_atomic(path, "another");
  EXPECT_EQ(data_state(entry), DataState::kInMirror);
  EXPECT_EQ(read_file(fetch_data(entry, third)), kSmallContent);
  EXPECT_THAT(third.warnings_, HasSubstr("replacing it"));
  write_file_atomic(path, "another");
  write_file_atomic(mirror() / entry.mirror_path, "another");
  EXPECT_EQ(data_state(entry), DataState::kAbsent);
  EXPECT_THAT(message_of<DataError>([&] { fetch_data(entry, silent_); }), HasSubstr(sha256_hex("another")));
}

TEST_F(Catalog, AFileWithoutADigestIsDownloadedAtTheSizeThatTheServerSays) {
  const LocalServer server(
      [](const LocalServer::Request& request) { return LocalServer::ranged(kSmallContent, request); });
  CatalogEntry entry = small_entry({server.url("/small")});
  entry.bytes = 0;
  entry.sha256.clear();
  WarningRecorder progress;
  EXPECT_EQ(read_file(fetch_data(entry, progress)), kSmallContent);
  EXPECT_THAT(progress.warnings_, HasSubstr(sha256_hex(kSmallContent)));
}

TEST_F(Catalog, MembersOfAnArchiveComeFromOneDownload) {
  const std::string other_content(50000, 'z');
  const std::string zip = make_zip(other_content, kSmallContent);
  const LocalServer server([&](const LocalServer::Request& request) { return LocalServer::ranged(zip, request); });
  const CatalogArchive archive = {
      "test.zip", static_cast<int64_t>(zip.size()), sha256_hex(zip), {server.url("/test.zip")}};
  CatalogEntry packed = small_entry({});
  packed.archive = &archive;
  packed.member = "a/packed.txt";
  CatalogEntry stored = packed;
  stored.name = "test/stored";
  stored.member = "a/stored.txt";
  stored.bytes = static_cast<int64_t>(other_content.size());
  stored.sha256 = sha256_hex(other_content);
  EXPECT_EQ(read_file(fetch_data(packed, silent_)), kSmallContent);
  EXPECT_EQ(read_file(fetch_data(stored, silent_)), other_content);
  EXPECT_EQ(server.requests().size(), 1U);
  CatalogEntry wrong = packed;
  wrong.name = "test/wrong";
  wrong.member = "a/stored.txt";
  EXPECT_THAT(message_of<DataError>([&] { fetch_data(wrong, silent_); }), HasSubstr(sha256_hex(other_content)));
}

TEST_F(Catalog, ZipReaderRefusesEveryCutAndEveryFlippedBitThatChangesTheMember) {
  const std::filesystem::path path = root() / "test.zip";
  const std::string zip = make_zip("stored", kSmallContent);
  write_file_atomic(path, zip);
  EXPECT_EQ(read_zip_member(path, "a/stored.txt"), "stored");
  EXPECT_EQ(read_zip_member(path, "a/packed.txt"), kSmallContent);
  EXPECT_THAT(message_of<DataError>([&] { read_zip_member(path, "a/none.txt"); }), HasSubstr("'a/none.txt'"));
  const auto gives_the_content = [&] {
    try {
      EXPECT_EQ(read_zip_member(path, "a/packed.txt"), kSmallContent);
      return true;
    } catch (const DataError&) {
      return false;
    }
  };
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  int refused = 0;
  for (size_t bit = 0; bit < zip.size() * 8; ++bit) {
    const auto at = static_cast<std::streamoff>(bit / 8);
    file.seekp(at).put(static_cast<char>(zip[bit / 8] ^ 1 << bit % 8)).flush();
    refused += gives_the_content() ? 0 : 1;
    file.seekp(at).put(zip[bit / 8]).flush();
  }
  EXPECT_GT(refused, 300);
  EXPECT_TRUE(gives_the_content());
  for (size_t length = zip.size() - std::string("comment").size(); length-- > 0;) {
    std::filesystem::resize_file(path, length);
    EXPECT_FALSE(gives_the_content()) << length;
  }
}

}  // namespace
}  // namespace bitnet
