// From bytes to validated heads: finds the end of a head, has Beast parse it, lets validator.h
// decide, and checks that both derived the same framing. And the chunked coding, also Beast's.
// Nothing of Beast shows here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/validator.h"

namespace gatehouse::net {

struct HeadLimits {
  std::size_t bytes = 16u << 10;
  std::size_t count = 100;
};

// The size of the head at the beginning of `input`, its empty line included; 0: not whole yet.
// `scanned` remembers between calls how far the search went; it starts at 0. What can be refused
// early is refused before the head is whole.
Checked<std::size_t> find_head(std::string_view input, std::size_t& scanned,
                               const HeadLimits& limits);

Checked<ValidRequest> parse_request(std::string_view head, const HeadLimits& limits);
Checked<ValidResponse> parse_response(std::string_view head, const HeadLimits& limits,
                                      bool to_head);

// Decodes one chunked body.
class ChunkedDecoder {
 public:
  enum class Trailers { refuse, drop };
  explicit ChunkedDecoder(Trailers trailers);
  ~ChunkedDecoder();
  ChunkedDecoder(ChunkedDecoder&&) noexcept;
  ChunkedDecoder& operator=(ChunkedDecoder&&) noexcept;

  // Appends decoded bytes to `out` and returns how much of `input` was used; what was not used must
  // be given again together with more.
  Checked<std::size_t> feed(std::string_view input, std::string& out);
  bool done() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gatehouse::net
