// Message heads as bytes. Framing is decided by the caller and written here, once; framing and
// connection fields in the head itself are ignored, and a field that could break out of its line is
// left out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/http.h"
#include "net/validator.h"

namespace gatehouse::net {

enum class Persistence { implied, keep_alive, close };  // what the Connection field says

void write_request_head(std::string& out, const RequestHead& head, std::string_view base_path,
                        std::string_view authority, const Framing& framing);

void write_response_head(std::string& out, const ResponseHead& head, const Framing& framing,
                         Persistence persistence, std::string_view date);

// "5f3\r\n"
void write_chunk_size(std::string& out, std::size_t size);

// The value of a Date field, formatted once a second. One for each loop.
class DateLine {
 public:
  std::string_view now();

 private:
  std::int64_t second_ = 0;
  std::string text_;
};

// {"error":{"message":…}} for a refusal; `reason` is a constant of ours.
std::string refusal_body(std::string_view reason);

}  // namespace gatehouse::net
