// The form of a signed link comes from anybody, and what a page shows was written by a model.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/approval_page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto form = gateway::read_decision(text); form && form->reason.size() > size)
    __builtin_trap();
  approval::Record record;
  record.id = text;
  record.call.tool = text;
  record.call.arguments = text;
  record.call.principal = text;
  record.call.reason = text;
  record.call.acts_for = {std::string(text)};
  record.quorums = {{std::string(text), 1}};
  const auto page = gateway::approval_page(record, text);
  // Whatever it is, the page has the elements it has for nothing at all.
  record = {};
  record.id = record.call.tool = record.call.principal = record.call.reason = "x";
  record.quorums = {{"x", 1}};
  const auto count = [](std::string_view page, char c) {
    std::size_t n = 0;
    for (const char one : page) n += one == c ? 1 : 0;
    return n;
  };
  const auto plain = gateway::approval_page(record, "x");
  if (size > 0 && count(page, '<') != count(plain, '<')) __builtin_trap();
  return 0;
}
