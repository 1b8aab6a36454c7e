#include "net/http.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "net/client.h"
#include "net/parser.h"
#include "net/wire.h"

namespace gatehouse::net {
namespace {

TEST(Fields, FindIgnoresCase) {
  Fields fields;
  fields.add("Content-Type", "a");
  fields.add("x-one", "1");
  fields.add("X-One", "2");
  EXPECT_EQ("a", fields.find("content-type"));
  EXPECT_EQ("1", fields.find("X-ONE"));
  EXPECT_FALSE(fields.find("content_type"));
  EXPECT_FALSE(fields.find("content"));
  EXPECT_FALSE(fields.contains("content\x0dtype"));
}

TEST(Fields, SetReplacesAllOfThatName) {
  Fields fields;
  fields.add("x-one", "1");
  fields.add("X-One", "2");
  fields.set("X-ONE", "3");
  ASSERT_EQ(1u, fields.all().size());
  EXPECT_EQ("3", fields.find("x-one"));
  fields.remove("X-one");
  EXPECT_TRUE(fields.all().empty());
}

TEST(RequestHead, SplitsTheTarget) {
  RequestHead head;
  head.target = "/a/b?c=d?e";
  EXPECT_EQ("/a/b", head.path());
  EXPECT_EQ("c=d?e", head.query());
  head.target = "/a";
  EXPECT_EQ("/a", head.path());
  EXPECT_EQ("", head.query());
}

TEST(Endpoint, ParsesUrls) {
  const auto plain = Endpoint::parse("http://127.0.0.1:9000");
  ASSERT_TRUE(plain);
  EXPECT_EQ("127.0.0.1", plain->host);
  EXPECT_EQ(9000, plain->port);
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ("", plain->base_path);
  EXPECT_EQ("127.0.0.1:9000", plain->authority());

  const auto secure = Endpoint::parse("https://api.example.com/v2/");
  ASSERT_TRUE(secure);
  EXPECT_TRUE(secure->tls);
  EXPECT_EQ(443, secure->port);
  EXPECT_EQ("/v2", secure->base_path);
  EXPECT_EQ("api.example.com", secure->authority());

  const auto v6 = Endpoint::parse("http://[::1]:8080/");
  ASSERT_TRUE(v6);
  EXPECT_EQ("::1", v6->host);
  EXPECT_EQ("[::1]:8080", v6->authority());

  const auto local = Endpoint::parse("unix:/run/x.sock");
  ASSERT_TRUE(local);
  EXPECT_EQ("/run/x.sock", local->unix_path);
  EXPECT_EQ("localhost", local->authority());
}

TEST(Endpoint, RefusesWhatIsNotOne) {
  for (const char* url :
       {"", "api.example.com", "ftp://x", "http://", "http:///a", "http://u:p@x", "http://x:0",
        "http://x:65536", "http://x:a", "http://x:", "https://x/a?b", "https://x/a#b", "http://x y",
        "http://x\r\nA: b", "unix:", "HTTP://x"})
    EXPECT_FALSE(Endpoint::parse(url)) << url;
}

TEST(DateLine, IsAnImfFixdate) {
  DateLine date;
  const std::string text(date.now());
  ASSERT_EQ(29u, text.size()) << text;
  EXPECT_EQ(',', text[3]);
  EXPECT_TRUE(text.ends_with(" GMT")) << text;
}

// ---- properties: what is serialised is parsed back to the same meaning

rc::Gen<std::string> token() {
  return rc::gen::nonEmpty(rc::gen::container<std::string>(
      rc::gen::elementOf(std::string("abcdefghijklmnopqrstuvwxyzABCXYZ0189-_.~!#$%&'*+^`|"))));
}

rc::Gen<std::string> field_value() {
  return rc::gen::map(rc::gen::container<std::string>(rc::gen::inRange<char>(0x21, 0x7f)),
                      [](std::string text) { return text; });
}

bool is_judged_specially(std::string_view name) {
  return is_connection_field(name) || equals_lower(name, "host") || equals_lower(name, "date");
}

Fields some_fields() {
  Fields fields;
  const auto count = *rc::gen::inRange(0, 20);
  for (int i = 0; i < count; ++i) {
    std::string name = *token();
    if (is_judged_specially(name)) continue;
    fields.add(std::move(name), *field_value());
  }
  return fields;
}

bool same(const Fields& a, const Fields& b) {
  if (a.all().size() != b.all().size()) return false;
  for (std::size_t i = 0; i < a.all().size(); ++i)
    if (a.all()[i].name != b.all()[i].name || a.all()[i].value != b.all()[i].value) return false;
  return true;
}

TEST(Wire, RequestHeadsComeBackAsTheyWere) {
  EXPECT_TRUE(rc::check("request round trip", [] {
    RequestHead head;
    head.method = *rc::gen::elementOf(std::vector<std::string>{"GET", "POST", "PUT", "DELETE"});
    head.target = "/" + *rc::gen::container<std::string>(
                            rc::gen::elementOf(std::string("abcXYZ019-._~:/?@!$&'()*+,;=")));
    head.fields = some_fields();
    const bool has_body = head.method != "GET" && *rc::gen::arbitrary<bool>();
    const Framing framing{has_body ? Framing::Kind::length : Framing::Kind::none,
                          has_body ? *rc::gen::inRange<std::uint64_t>(1, 1'000'000) : 0};
    std::string bytes;
    write_request_head(bytes, head, "/base", "example.com:81", framing);
    const auto parsed = parse_request(bytes, {});
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->head.method == head.method);
    RC_ASSERT(parsed->head.target == "/base" + head.target);
    RC_ASSERT(parsed->framing == framing);
    RC_ASSERT(parsed->head.fields.find("host") == "example.com:81");
    parsed->head.fields.all();
    Fields without_host = parsed->head.fields;
    without_host.remove("host");
    RC_ASSERT(same(without_host, head.fields));
  }));
}

TEST(Wire, ResponseHeadsComeBackAsTheyWere) {
  EXPECT_TRUE(rc::check("response round trip", [] {
    ResponseHead head;
    head.status = *rc::gen::elementOf(std::vector<int>{200, 201, 400, 429, 500, 599});
    head.fields = some_fields();
    const Framing framing = *rc::gen::elementOf(std::vector<Framing>{
        {Framing::Kind::length, 17}, {Framing::Kind::chunked, 0}, {Framing::Kind::until_close, 0}});
    std::string bytes;
    write_response_head(bytes, head, framing, Persistence::implied, "now");
    const auto parsed = parse_response(bytes, {}, false);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->head.status == head.status);
    RC_ASSERT(parsed->framing == framing);
    Fields without_date = parsed->head.fields;
    without_date.remove("date");
    RC_ASSERT(same(without_date, head.fields));
  }));
}

TEST(ChunkedDecoder, DecodesAnyChunkingInAnyPieces) {
  EXPECT_TRUE(rc::check("chunked round trip", [] {
    const auto chunks = *rc::gen::container<std::vector<std::string>>(
        rc::gen::nonEmpty(rc::gen::string<std::string>()));
    std::string plain;
    std::string wire;
    for (const std::string& chunk : chunks) {
      plain += chunk;
      write_chunk_size(wire, chunk.size());
      wire += chunk + "\r\n";
    }
    wire += "0\r\n\r\nGET /next";
    ChunkedDecoder decoder(ChunkedDecoder::Trailers::refuse);
    std::string decoded;
    std::string buffer;
    std::size_t at = 0;
    while (!decoder.done() && at < wire.size()) {
      const auto step = *rc::gen::inRange<std::size_t>(1, 20);
      buffer += wire.substr(at, step);
      at = std::min(at + step, wire.size());
      const auto used = decoder.feed(buffer, decoded);
      RC_ASSERT(used.has_value());
      buffer.erase(0, *used);
    }
    RC_ASSERT(decoder.done());
    RC_ASSERT(decoded == plain);
    RC_ASSERT(buffer + wire.substr(at) == "GET /next");
  }));
}

TEST(ChunkedDecoder, StaysFailed) {
  ChunkedDecoder decoder(ChunkedDecoder::Trailers::refuse);
  std::string out;
  EXPECT_FALSE(decoder.feed("5;a=b\r\nhello\r\n", out));
  EXPECT_FALSE(decoder.feed("5\r\nhello\r\n0\r\n\r\n", out));
  EXPECT_FALSE(decoder.done());
}

TEST(ChunkedDecoder, DropsTrailersOfAnswers) {
  ChunkedDecoder decoder(ChunkedDecoder::Trailers::drop);
  std::string out;
  const std::string wire = "5;a=b\r\nhello\r\n0\r\nX-T: 1\r\nHost: y\r\n\r\nrest";
  const auto used = decoder.feed(wire, out);
  ASSERT_TRUE(used);
  EXPECT_EQ(wire.size() - 4, *used);
  EXPECT_TRUE(decoder.done());
  EXPECT_EQ("hello", out);
}

}  // namespace
}  // namespace gatehouse::net
