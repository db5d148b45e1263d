#pragma once

#include <stdexcept>
#include <string>

namespace bitnet {

/// Exit codes of the program `bitnet`; every Error carries one.
enum class ExitCode {
  kDone = 0,              ///< done, or the gate passed
  kGateFailed = 1,        ///< the gate failed
  kUsage = 2,             ///< usage or configuration error
  kGateInconclusive = 3,  ///< the gate can not tell
  kData = 4,              ///< data or an artifact is unusable or not comparable
  kInternal = 5,          ///< internal error
};

/// Base of the errors this project throws. The text follows
/// `<where>: <thing> must be <expected>, but is <found>. <What to do.>`
class Error : public std::runtime_error {
 public:
  Error(ExitCode exit_code, const std::string& text) : std::runtime_error(text), exit_code_(exit_code) {}
  ExitCode exit_code() const { return exit_code_; }

 private:
  ExitCode exit_code_;
};

/// The command line or the configuration is wrong (exit code 2).
class ConfigError : public Error {
 public:
  explicit ConfigError(const std::string& text) : Error(ExitCode::kUsage, text) {}
};

/// A data file or an artifact is missing, damaged or not comparable (exit code 4).
class DataError : public Error {
 public:
  explicit DataError(const std::string& text) : Error(ExitCode::kData, text) {}
};

}  // namespace bitnet
