#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "framework/train/records.h"

namespace bitnet {

/// The records of one training as a file of JSON lines, one object a line with the key "kind": "point", "epoch" or
/// "ternary". Holds no times, so that a resumed training writes the same bytes as an uninterrupted one.
class TrainLog {
 public:
  /// Opens for appending after the first `keep_bytes` bytes; what follows them (written after the last checkpoint) is
  /// cut. Errors: DataError where the file is shorter than that or can not be written.
  TrainLog(const std::filesystem::path& path, int64_t keep_bytes);
  ~TrainLog();
  TrainLog(const TrainLog&) = delete;
  TrainLog& operator=(const TrainLog&) = delete;

  void write(const TrainPoint& point);
  void write(const EpochRecord& record);
  void write(const TernaryRecord& record);
  /// Brings everything to the disk; returns the file's size in bytes.
  int64_t sync();

 private:
  /// Cuts the open file and goes to its end.
  void keep(int64_t keep_bytes);
  void write_line(const std::string& line);
  std::filesystem::path path_;
  int descriptor_ = -1;
  int64_t bytes_ = 0;
};

/// Errors: DataError with file and line for a damaged line.
TrainRecords read_train_log(const std::filesystem::path& path);

}  // namespace bitnet
