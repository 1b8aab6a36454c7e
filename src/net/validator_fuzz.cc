// Request and response heads and chunked bodies through parser and validator. Whatever is accepted,
// once serialised, must be accepted again with the same meaning; and how the input was cut must not
// matter.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/parser.h"
#include "net/wire.h"

namespace gatehouse::net {
namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// Fields in their order, without those that the serialiser adds.
std::string meaning(const Fields& fields) {
  std::string text;
  for (const Field& field : fields.all()) {
    if (equals_lower(field.name, "host") || equals_lower(field.name, "date")) continue;
    text += field.name + ":" + field.value + "\n";
  }
  return text;
}

// Finding the head in pieces must give what finding it at once gives.
std::size_t find_in_pieces(std::string_view input, std::size_t step, const HeadLimits& limits) {
  std::size_t scanned = 0;
  for (std::size_t end = step; end < input.size(); end += step) {
    const auto found = find_head(input.substr(0, end), scanned, limits);
    if (!found) return 0;
    if (*found > 0) return *found;
  }
  const auto found = find_head(input, scanned, limits);
  return found ? *found : 0;
}

void check_request(std::string_view head) {
  const HeadLimits limits{4'096, 64};
  const auto first = parse_request(head, limits);
  if (!first) {
    require(first.error().status >= 400 && first.error().status < 600);
    require(!first.error().reason.empty());
    return;
  }
  for (const Field& field : first->head.fields.all()) require(!is_connection_field(field.name));
  // The body of a chunked request is sent on with a length.
  Framing framing = first->framing;
  if (framing.kind == Framing::Kind::chunked) framing = {Framing::Kind::length, 12};
  std::string bytes;
  write_request_head(bytes, first->head, "", "example.com", framing);
  const auto second = parse_request(bytes, {64 * 1024, 200});
  require(second.has_value());
  require(second->head.method == first->head.method);
  require(second->head.target == first->head.target);
  require(second->framing == framing);
  require(meaning(second->head.fields) == meaning(first->head.fields));
}

void check_response(std::string_view head, bool to_head) {
  const HeadLimits limits{4'096, 64};
  const auto first = parse_response(head, limits, to_head);
  if (!first || first->head.status < 200) return;
  // An empty body is sent on with a length of zero, but where there can be no body at all.
  Framing framing = first->framing;
  const int status = first->head.status;
  if (framing.kind == Framing::Kind::none && status != 204 && status != 304 && !to_head)
    framing.kind = Framing::Kind::length;
  std::string bytes;
  write_response_head(bytes, first->head, framing, Persistence::implied, "now");
  const auto second = parse_response(bytes, {64 * 1024, 200}, to_head);
  require(second.has_value());
  require(second->head.status == first->head.status);
  require(second->framing == first->framing);
  require(meaning(second->head.fields) == meaning(first->head.fields));
}

struct Decoded {
  std::string text;
  bool failed = false;
  bool done = false;
  std::size_t used = 0;
};

Decoded decode(std::string_view input, std::size_t step, ChunkedDecoder::Trailers trailers) {
  ChunkedDecoder decoder(trailers);
  Decoded result;
  for (std::size_t end = std::min(step, input.size());; end = std::min(end + step, input.size())) {
    const auto used = decoder.feed(input.substr(result.used, end - result.used), result.text);
    if (!used) {
      result.failed = true;
      return result;
    }
    result.used += *used;
    result.done = decoder.done();
    if (result.done || end == input.size()) return result;
  }
}

void check_chunked(std::string_view input, std::size_t step) {
  for (const auto trailers : {ChunkedDecoder::Trailers::refuse, ChunkedDecoder::Trailers::drop}) {
    const Decoded whole = decode(input, input.size() + 1, trailers);
    const Decoded pieces = decode(input, step, trailers);
    // The decoder may wait for a few more bytes before it looks at them.
    const bool waits = !pieces.failed && !pieces.done && input.size() - pieces.used < 5;
    require(whole.failed == pieces.failed || (whole.failed && waits));
    if (whole.failed) continue;
    require(whole.done == pieces.done);
    require(whole.text == pieces.text);
    if (whole.done) require(whole.used == pieces.used);
  }
}

}  // namespace
}  // namespace gatehouse::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse::net;
  if (size < 2) return 0;
  const std::size_t step = 1 + data[0] % 40;
  const std::uint8_t kind = data[1];
  const std::string_view input(reinterpret_cast<const char*>(data + 2), size - 2);
  if (kind % 3 == 2) {
    check_chunked(input, step);
    return 0;
  }
  const HeadLimits limits{4'096, 64};
  std::size_t scanned = 0;
  const auto found = find_head(input, scanned, limits);
  if (found && *found > 0) {
    const std::size_t in_pieces = find_in_pieces(input, step, limits);
    // What is refused before it is whole must be refused when it is whole.
    require(in_pieces == *found ||
            (in_pieces == 0 && !parse_request(input.substr(0, *found), limits) &&
             !parse_response(input.substr(0, *found), limits, false)));
    const std::string_view head = input.substr(0, *found);
    kind % 3 == 0 ? check_request(head) : check_response(head, (kind & 0x80) != 0);
  }
  return 0;
}
