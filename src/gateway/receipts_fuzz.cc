// The target and the Accept header of a receipt's request, as strangers write them.
#include <cstdlib>
#include <string_view>

#include "gateway/receipts.h"

namespace gateway = gatehouse::gateway;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.find('\n');
  gatehouse::net::RequestHead head;
  head.method = "GET";
  head.target = std::string(gateway::receipts_path) + std::string(text.substr(0, line));
  if (line != std::string_view::npos) head.fields.add("Accept", std::string(text.substr(line + 1)));
  const auto request = gateway::parse_receipt_request(head);
  if (!request) {
    if (request.error().message.empty()) std::abort();
    return 0;
  }
  if (request->wait < std::chrono::milliseconds(0) || request->wait > gateway::longest_receipt_wait)
    std::abort();
  if (!head.target.contains(gateway::to_string(request->id))) std::abort();
  return 0;
}
