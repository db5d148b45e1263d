#include "framework/evaluate/work_log.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "framework/core/error.h"
#include "framework/core/file.h"
#include "tests/framework/core/temporary_folder.h"

namespace bitnet {
namespace {

std::vector<std::string> ids_of(const std::filesystem::path& path, const std::string& run) {
  std::vector<std::string> ids;
  for (const auto& line : WorkLog(path, run).kept({"id"}, {"n"})) ids.push_back(line.at("id"));
  return ids;
}

using Ids = std::vector<std::string>;

TEST(WorkLog, KeepsLinesAndDropsOneThatAKillCutOff) {
  const testing::TemporaryFolder folder;
  const auto path = folder / "log.jsonl";
  {
    WorkLog log(path, "run");
    log.add({{"id", "a"}, {"n", 1}});
    log.add({{"id", "b"}, {"n", 2}});
  }
  const std::string whole = read_file(path);
  EXPECT_EQ(whole, "{\"id\":\"a\",\"n\":1,\"run\":\"run\"}\n{\"id\":\"b\",\"n\":2,\"run\":\"run\"}\n");
  EXPECT_EQ(ids_of(path, "run"), (Ids{"a", "b"}));
  for (size_t size = 0; size < whole.size(); ++size) {
    write_file_atomic(path, whole.substr(0, size));
    EXPECT_EQ(ids_of(path, "run"), size > whole.find('\n') ? (Ids{"a"}) : Ids{}) << size;
    WorkLog(path, "run").add({{"id", "c"}, {"n", 3}});
    EXPECT_EQ(ids_of(path, "run"), size > whole.find('\n') ? (Ids{"a", "c"}) : (Ids{"c"})) << size;
  }
}

TEST(WorkLog, StartsAnewForAnotherRun) {
  const testing::TemporaryFolder folder;
  const auto path = folder / "log.jsonl";
  WorkLog(path, "run").add({{"id", "a"}, {"n", 1}});
  EXPECT_EQ(ids_of(path, "other"), Ids{});
  EXPECT_EQ(read_file(path), "");
}

TEST(WorkLog, ReplacesTheWholeFileAndGoesOn) {
  const testing::TemporaryFolder folder;
  const auto path = folder / "log.jsonl";
  WorkLog log(path, "run");
  log.add({{"id", "b"}, {"n", 2}});
  log.replace({{{"id", "a"}, {"n", 1}}, {{"id", "b"}, {"n", 2}}});
  log.add({{"id", "c"}, {"n", 3}});
  EXPECT_EQ(ids_of(path, "run"), (Ids{"a", "b", "c"}));
}

TEST(WorkLog, RefusesDamageAndKeepsNothingWithoutAPath) {
  const testing::TemporaryFolder folder;
  const auto path = folder / "log.jsonl";
  for (const std::string line : {"{", "[1]", "{}", "{\"run\":1}", "{\"run\":\"run\",\"run\":\"run\"}"}) {
    write_file_atomic(path, line + "\n");
    EXPECT_THROW(WorkLog(path, "run"), DataError) << line;
  }
  for (const std::string line : {"{\"run\":\"run\",\"n\":1}", "{\"run\":\"run\",\"id\":\"a\",\"n\":-1}",
                                 "{\"run\":\"run\",\"id\":\"a\",\"n\":1.5}", "{\"run\":\"run\",\"id\":1,\"n\":1}"}) {
    write_file_atomic(path, line + "\n");
    EXPECT_THROW(ids_of(path, "run"), DataError) << line;
  }
  WorkLog none({}, "run");
  none.add({{"id", "a"}});
  none.replace({});
  EXPECT_TRUE(none.kept({}, {}).empty());
}

}  // namespace
}  // namespace bitnet
