#include "net/parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <optional>
#include <vector>

namespace gatehouse::net {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;
using BeastView = boost::beast::string_view;

std::string_view view(BeastView text) {
  return {text.data(), text.size()};
}

constexpr std::size_t kFieldCapacity = 256;      // hard ceiling of limits.count
constexpr std::size_t kTrailerLimit = 8u << 10;  // also of a chunk's size and extensions

// Collects views of a head's parts; bodies never pass through it.
template <bool is_request>
class HeadParser final : public http::basic_parser<is_request> {
 public:
  std::string_view method;
  std::string_view target;
  int version = 11;
  int status = 0;
  std::size_t count = 0;
  bool too_many = false;

  std::span<const FieldView> collected() const {
    return {reinterpret_cast<const FieldView*>(storage_), count};
  }

 private:
  // Raw memory: clearing 256 views for a head of eight would cost more than parsing it.
  alignas(FieldView) std::byte storage_[kFieldCapacity * sizeof(FieldView)];

  void on_request_impl(http::verb, BeastView method_text, BeastView target_text, int http_version,
                       error_code&) override {
    method = view(method_text);
    target = view(target_text);
    version = http_version;
  }
  void on_response_impl(int code, BeastView, int http_version, error_code&) override {
    status = code;
    version = http_version;
  }
  void on_field_impl(http::field, BeastView name, BeastView value, error_code& error) override {
    if (count == kFieldCapacity) {
      too_many = true;
      error = http::error::header_limit;
      return;
    }
    new (storage_ + count++ * sizeof(FieldView)) FieldView{view(name), view(value)};
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(BeastView body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, BeastView, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}
};

// A well-formed first line of a version we do not speak, not a malformed one.
bool names_other_version(std::string_view head) {
  const std::string_view line = head.substr(0, head.find('\r'));
  const std::size_t space = line.rfind(' ');
  if (space == std::string_view::npos || std::ranges::count(line, ' ') != 2) return false;
  const std::string_view version = line.substr(space + 1);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.size() == 8 && version.starts_with("HTTP/") && digit(version[5]) &&
         version[6] == '.' && digit(version[7]);
}

Refused explain(const error_code& error, std::string_view head) {
  if (error == http::error::bad_version && names_other_version(head))
    return {505, "HTTP version not supported"};
  if (error == http::error::bad_version) return {400, "the request line is malformed"};
  if (error == http::error::header_limit) return {431, "the head is too large"};
  if (error == http::error::bad_method) return {400, "the method is malformed"};
  if (error == http::error::bad_target) return {400, "the request target is malformed"};
  if (error == http::error::bad_content_length) return {400, "Content-Length is malformed"};
  if (error == http::error::multiple_content_length) return {400, "more than one Content-Length"};
  if (error == http::error::bad_transfer_encoding) return {400, "Transfer-Encoding is malformed"};
  if (error == http::error::bad_field) return {400, "a field name is malformed"};
  if (error == http::error::bad_value) return {400, "a field value is malformed"};
  return {400, "the head is malformed"};
}

template <bool is_request>
Checked<void> parse(HeadParser<is_request>& parser, std::string_view head,
                    const HeadLimits& limits) {
  if (auto bytes = check_head_bytes(head); !bytes) return bytes;
  parser.header_limit(static_cast<std::uint32_t>(limits.bytes + 1));
  parser.body_limit(boost::none);
  parser.eager(false);
  error_code error;
  const std::size_t used = parser.put(boost::asio::buffer(head.data(), head.size()), error);
  if (parser.too_many || parser.count > limits.count)
    return std::unexpected(Refused{431, "too many fields"});
  if (error) return std::unexpected(explain(error, head));
  if (!parser.is_header_done() || used != head.size())
    return std::unexpected(Refused{400, "the head is malformed"});
  return {};
}

// Beast and the validator must have understood the same framing.
template <bool is_request>
bool agrees(const HeadParser<is_request>& parser, const Framing& framing) {
  const auto length = parser.content_length();
  switch (framing.kind) {
    case Framing::Kind::none:
      return !parser.chunked() && length.value_or(0) == 0;
    case Framing::Kind::length:
      return !parser.chunked() && length && *length == framing.length;
    case Framing::Kind::chunked:
      return parser.chunked();
    case Framing::Kind::until_close:
      return !parser.chunked() && !length;
  }
  return false;
}

}  // namespace

Checked<std::size_t> find_head(std::string_view input, std::size_t& scanned,
                               const HeadLimits& limits) {
  const std::string_view window = input.substr(0, limits.bytes);
  const std::size_t from = scanned > 3 ? scanned - 3 : 0;
  const std::size_t end = window.find("\r\n\r\n", from);
  if (end != std::string_view::npos) {
    scanned = 0;
    return end + 4;
  }
  scanned = window.size();
  if (window.size() == limits.bytes) {
    const bool in_first_line = window.find('\n') == std::string_view::npos;
    return std::unexpected(in_first_line ? Refused{414, "the request line is too long"}
                                         : Refused{431, "the head is too large"});
  }
  // A lone trailing CR may still get its LF.
  if (auto bytes = check_head_bytes(window); !bytes) return std::unexpected(bytes.error());
  if (!window.empty() && !is_token(window.substr(0, 1)))
    return std::unexpected(Refused{400, "this is not HTTP"});
  return 0;
}

Checked<ValidRequest> parse_request(std::string_view head, const HeadLimits& limits) {
  HeadParser<true> parser;
  if (auto parsed = parse(parser, head, limits); !parsed) return std::unexpected(parsed.error());
  auto valid = validate_request(
      {parser.method, parser.target, parser.version == 10 ? 0 : 1, parser.collected()});
  if (valid && !agrees(parser, valid->framing))
    return std::unexpected(Refused{400, "the framing is ambiguous"});
  return valid;
}

Checked<ValidResponse> parse_response(std::string_view head, const HeadLimits& limits,
                                      bool to_head) {
  HeadParser<false> parser;
  if (auto parsed = parse(parser, head, limits); !parsed)
    return std::unexpected(Refused{502, parsed.error().reason});
  auto valid =
      validate_response({parser.status, parser.version == 10 ? 0 : 1, parser.collected()}, to_head);
  const bool bodiless =
      to_head || parser.status < 200 || parser.status == 204 || parser.status == 304;
  if (valid && !bodiless && !agrees(parser, valid->framing))
    return std::unexpected(Refused{502, "the framing is ambiguous"});
  return valid;
}

// ---- chunked

namespace {

// Beast's decoder has no entrance of its own: a parser that was given a chunked head is one.
class ChunkParser final : public http::basic_parser<true> {
 public:
  std::string* out = nullptr;
  ChunkedDecoder::Trailers trailers = ChunkedDecoder::Trailers::refuse;
  bool in_body = false;
  bool trailer_seen = false;
  std::uint64_t chunk_left = 0;

 private:
  void on_request_impl(http::verb, BeastView, BeastView, int, error_code&) override {}
  void on_response_impl(int, BeastView, int, error_code&) override {}
  void on_field_impl(http::field, BeastView, BeastView, error_code& error) override {
    if (!in_body || trailers == ChunkedDecoder::Trailers::drop) return;
    trailer_seen = true;
    error = http::error::bad_field;
  }
  void on_header_impl(error_code&) override { in_body = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(BeastView, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t size, BeastView extensions, error_code& error) override {
    chunk_left = size;
    const bool strict = trailers == ChunkedDecoder::Trailers::refuse;
    if (strict && !extensions.empty()) error = http::error::bad_chunk_extension;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView body, error_code&) override {
    out->append(body.data(), body.size());
    chunk_left -= body.size();
    return body.size();
  }
  void on_finish_impl(error_code&) override {}
};

constexpr std::size_t kShortestChunk = 5;  // 0 CR LF CR LF
constexpr std::string_view kChunkedHead = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace

struct ChunkedDecoder::Impl {
  ChunkParser parser;
  std::optional<Refused> failed;  // for good: Beast must not be fed after an error

  std::unexpected<Refused> fail(std::string_view reason) {
    const Refused refused{400, reason};
    failed = refused;
    return std::unexpected(refused);
  }
};

ChunkedDecoder::ChunkedDecoder(Trailers trailers) : impl_(std::make_unique<Impl>()) {
  ChunkParser& parser = impl_->parser;
  parser.trailers = trailers;
  parser.body_limit(boost::none);
  parser.header_limit(kTrailerLimit);
  error_code error;
  parser.put(boost::asio::buffer(kChunkedHead.data(), kChunkedHead.size()), error);
  parser.eager(true);
}

ChunkedDecoder::~ChunkedDecoder() = default;
ChunkedDecoder::ChunkedDecoder(ChunkedDecoder&&) noexcept = default;
ChunkedDecoder& ChunkedDecoder::operator=(ChunkedDecoder&&) noexcept = default;

bool ChunkedDecoder::done() const {
  return impl_->parser.is_done();
}

Checked<std::size_t> ChunkedDecoder::feed(std::string_view input, std::string& out) {
  if (const std::optional<Refused> failed = impl_->failed) return std::unexpected(*failed);
  ChunkParser& parser = impl_->parser;
  parser.out = &out;
  std::size_t used = 0;
  while (used < input.size() && !parser.is_done()) {
    error_code error;
    const std::string_view rest = input.substr(used);
    // Beast 1.81 asserts this much when it resumes in the last chunk; no chunk is shorter.
    if (parser.chunk_left == 0 && rest.size() < kShortestChunk) return used;
    used += parser.put(boost::asio::buffer(rest.data(), rest.size()), error);
    if (error == http::error::need_more) {
      if (input.size() - used > kTrailerLimit) return impl_->fail("a chunk's head is too large");
      return used;
    }
    if (parser.trailer_seen) return impl_->fail("trailers are not supported");
    if (error == http::error::bad_chunk_extension)
      return impl_->fail("chunk extensions are not supported");
    if (error) return impl_->fail("the chunked coding is broken");
  }
  return used;
}

}  // namespace gatehouse::net
