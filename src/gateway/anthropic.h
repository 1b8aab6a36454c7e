// What the files of the Anthropic dialect share: which members of answers are not inspected. Always
// by full path and type, so that a member of that name elsewhere, in tool input say, is. Internal
// to gateway/.
#pragma once

#include <memory>

#include "gateway/dialect.h"

namespace gatehouse::gateway {

// Members of a message that only name things.
bool is_message_name(std::string_view key);

// Members of a content block that only name things, or that the provider sealed. `path` begins with
// the step of the block itself: [0].type, [0].citations[1].encrypted_index.
bool is_name_in_block(Path path);

// What the provider signed or sealed in a block of this type: it goes back as it came, placeholders
// and all, or its signature no longer verifies.
bool is_sealed_in_answer(std::string_view block_type, std::string_view key);

std::unique_ptr<AnswerStream> open_anthropic_stream(const AnswerPlan& plan);

}  // namespace gatehouse::gateway
