// What the files of the OpenAI dialect share. Internal to gateway/.
#pragma once

#include <memory>

#include "gateway/dialect.h"

namespace gatehouse::gateway {

// Arguments of a call to a tool: JSON inside a string.
bool is_arguments(Path path);

// Members of answers and chunks that only name things, or are encoded bytes, by their full path.
// They are not inspected; the gateway's decisions never depend on them.
bool is_name(Path path);

std::unique_ptr<AnswerStream> open_openai_stream(const AnswerPlan& plan);

}  // namespace gatehouse::gateway
