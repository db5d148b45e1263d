#include "framework/interop/foreign_model.h"

#include "framework/config/resolve.h"
#include "framework/core/error.h"

namespace bitnet {

void check_foreign_model(const ForeignModel& model, const std::string& where) {
  if (model.vocab_size < 1 || model.vocab_size > INT32_MAX) {
    throw DataError(where + ": the vocabulary must have 1 to " + std::to_string(INT32_MAX) + " pieces, but has " +
                    std::to_string(model.vocab_size) + ". The file is damaged or of another format.");
  }
  try {
    read_model_text(model_text(model.config), where);
  } catch (const ConfigError& error) {
    throw DataError(where +
                    ": the checkpoint must describe a model that this project can build, but does not. Its sizes, as "
                    "configs/REFERENCE.md names them:\n" +
                    error.what());
  }
}

}  // namespace bitnet
