#include "framework/app/failure.h"

#include <c10/util/Exception.h>

#include <filesystem>
#include <new>
#include <stdexcept>

namespace bitnet {

Failure describe_failure(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return {error.exit_code(), error.what()};
  } catch (const std::filesystem::filesystem_error& error) {
    return {ExitCode::kData, error.what()};
  } catch (const std::invalid_argument& error) {
    return {ExitCode::kUsage, error.what()};
  } catch (const std::bad_alloc&) {
    return {ExitCode::kInternal, "out of memory: lower trainer.batch_windows or the model's size."};
  } catch (const c10::Error& error) {
    return {ExitCode::kInternal, std::string("internal error in LibTorch: ") + error.what_without_backtrace()};
  } catch (const std::exception& error) {
    return {ExitCode::kInternal, std::string("internal error: ") + error.what()};
  } catch (...) {
    return {ExitCode::kInternal, "internal error of an unknown kind."};
  }
}

}  // namespace bitnet
