#include "framework/train/train_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "framework/core/error.h"
#include "framework/core/file.h"

namespace bitnet {
namespace {

using nlohmann::ordered_json;

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw DataError(path.string() + ": the training log must be writable, but " + what +
                  " failed: " + std::strerror(errno) + ". Free the disk or give another folder with --out.");
}

}  // namespace

TrainLog::TrainLog(const std::filesystem::path& path, int64_t keep_bytes) : path_(path), bytes_(keep_bytes) {
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail(path, "opening it");
  try {
    keep(keep_bytes);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

void TrainLog::keep(int64_t keep_bytes) {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) fail(path_, "reading its size");
  if (status.st_size < keep_bytes) {
    throw DataError(path_.string() + ": the training log must have at least the " + std::to_string(keep_bytes) +
                    " bytes that the checkpoint counted, but has " + std::to_string(status.st_size) +
                    ". Remove the checkpoint beside it to train from the start.");
  }
  if (::ftruncate(descriptor_, keep_bytes) != 0) fail(path_, "cutting it");
  if (::lseek(descriptor_, keep_bytes, SEEK_SET) < 0) fail(path_, "seeking");
}

TrainLog::~TrainLog() { ::close(descriptor_); }

void TrainLog::write_line(const std::string& line) {
  const std::string text = line + "\n";
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::write(descriptor_, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path_, "writing");
    done += static_cast<size_t>(count);
  }
  bytes_ += static_cast<int64_t>(text.size());
}

void TrainLog::write(const TrainPoint& point) {
  write_line(ordered_json{{"kind", "point"},
                          {"step", point.step},
                          {"epoch", point.epoch},
                          {"nats_per_token", point.nats_per_token},
                          {"learning_rate", point.learning_rate},
                          {"gradient_norm", point.gradient_norm}}
                 .dump());
}

void TrainLog::write(const EpochRecord& record) {
  write_line(ordered_json{{"kind", "epoch"},
                          {"epoch", record.epoch},
                          {"train_nats_per_token", record.train_nats_per_token},
                          {"validation_nats_per_token", record.validation_nats_per_token}}
                 .dump());
}

void TrainLog::write(const TernaryRecord& record) {
  write_line(ordered_json{{"kind", "ternary"},
                          {"epoch", record.epoch},
                          {"layer", record.layer},
                          {"minus", record.minus},
                          {"zero", record.zero},
                          {"plus", record.plus},
                          {"gamma", record.gamma},
                          {"flipped", record.flipped}}
                 .dump());
}

int64_t TrainLog::sync() {
  if (::fsync(descriptor_) != 0) fail(path_, "writing to the disk");
  return bytes_;
}

TrainRecords read_train_log(const std::filesystem::path& path) {
  TrainRecords records;
  std::istringstream lines(read_file(path));
  std::string line;
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    try {
      const ordered_json json = ordered_json::parse(line);
      const std::string kind = json.at("kind");
      if (kind == "point") {
        records.points.push_back({json.at("step"), json.at("epoch"), json.at("nats_per_token"),
                                  json.at("learning_rate"), json.at("gradient_norm")});
      } else if (kind == "epoch") {
        records.epochs.push_back(
            {json.at("epoch"), json.at("train_nats_per_token"), json.at("validation_nats_per_token")});
      } else if (kind == "ternary") {
        records.ternary.push_back({json.at("epoch"), json.at("layer"), json.at("minus"), json.at("zero"),
                                   json.at("plus"), json.at("gamma"), json.at("flipped")});
      } else {
        throw std::invalid_argument("kind '" + kind + "' is unknown");
      }
    } catch (const std::exception& error) {
      throw DataError(path.string() + ":" + std::to_string(number) +
                      ": the line must be a training record, but is not (" + error.what() +
                      "). Remove the folder to train this variant again.");
    }
  }
  return records;
}

}  // namespace bitnet
