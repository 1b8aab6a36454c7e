// What a caller asks for, read from a request body of either dialect. Pure; values only.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gatehouse::simulate {

enum class Dialect { openai, anthropic };

// An answer that is an error, in words that both dialects can render.
struct Fault {
  int status = 400;
  std::string type;  // empty: the dialect's usual one for the status
  std::string message;
  std::string code;   // OpenAI only; empty: null
  std::string param;  // OpenAI only; empty: null
};

// Either a value or the error answer the provider would give.
template <class T>
using Reading = std::variant<T, Fault>;

struct OfferedTool {
  std::string name;
  bool custom = false;    // OpenAI custom tool: free text instead of arguments
  std::string arguments;  // what simulator-tools would call it with: JSON, or text when custom
};

struct Ask {
  Dialect dialect = Dialect::openai;
  bool responses = false;  // OpenAI: asked by the Responses API
  std::string model;
  bool stream = false;
  std::size_t choices = 1;
  bool include_usage = false;
  bool include_obfuscation = true;
  bool thinking = false;  // Anthropic: thinking is enabled
  std::optional<std::size_t> max_tokens;
  std::string last_user_text;
  bool last_is_tool_result = false;
  std::string last_tool_result;
  std::vector<OfferedTool> tools;  // empty when tool_choice forbids them
  bool parallel_tools = true;
  std::size_t prompt_tokens = 0;
  std::string digest;  // of the body, for ids
};

Reading<Ask> read_ask(Dialect dialect, std::string_view body);
Reading<Ask> read_responses_ask(std::string_view body);

struct EmbeddingAsk {
  std::string model;
  std::vector<std::string> inputs;  // token arrays as their JSON text
  bool base64 = false;
  std::size_t dimensions = 256;
  std::size_t prompt_tokens = 0;
};
Reading<EmbeddingAsk> read_embedding_ask(std::string_view body);

}  // namespace gatehouse::simulate
