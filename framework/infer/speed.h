#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/infer/session.h"

// The two tests of inference speed, those of llama-bench: tokens are random ids, so tokenization and sampling are
// outside.

namespace bitnet {

/// `count` token ids below `vocab_size`, a function of the seed.
std::vector<int32_t> random_ids(int64_t count, int64_t vocab_size, int64_t seed);

/// Prompt processing (`pp`): reads all `ids` at once into the emptied session and makes the logits of the last one.
/// Units: seconds.
double prompt_seconds(Session& session, std::span<const int32_t> ids);

/// Generation (`tg`): reads the ids one by one into the emptied session and makes the logits after each.
/// Units: seconds.
double generation_seconds(Session& session, std::span<const int32_t> ids);

}  // namespace bitnet
