// Every dangerous message shape, as raw bytes over a real socket: the answer is a refusal, the
// connection closes, and the second request hidden behind the first never reaches the handler.
#include <mutex>

#include "net/parser.h"
#include "net_test_support.h"

namespace gatehouse::net {
namespace {

using testing::RawSocket;
using testing::ServerThread;

struct Shape {
  const char* name;
  std::string bytes;
  int status;
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << shape.name;
}

// What a smuggler hides in or behind the body.
const char kSmuggled[] = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

std::string post(std::string_view fields, std::string_view body) {
  std::string bytes = "POST /first HTTP/1.1\r\nHost: x\r\n";
  bytes.append(fields).append("\r\n").append(body);
  return bytes;
}

std::string get(std::string_view line, std::string_view fields = "Host: x\r\n") {
  std::string bytes(line);
  bytes.append("\r\n").append(fields).append("\r\n");
  return bytes;
}

std::vector<Shape> framing_shapes() {
  return {
      {"LengthThenChunked",
       post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"ChunkedThenLength",
       post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n"), 400},
      {"ChunkedIdentity", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"), 501},
      {"Xchunked", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501},
      {"GzipChunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
      {"Identity", post("Transfer-Encoding: identity\r\n", ""), 501},
      {"EmptyCoding", post("Transfer-Encoding:\r\n", ""), 501},
      {"ChunkedTwiceInOneField", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 501},
      {"ChunkedTwoFields",
       post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"ChunkedThenIdentityField",
       post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"), 400},
      {"ChunkedWithParameter", post("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n"), 501},
      {"ChunkedQuoted", post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"), 501},
      {"ChunkedVerticalTab",
       post("Transfer-Encoding: \x0b"
            "chunked\r\n",
            "0\r\n\r\n"),
       400},
      {"ChunkedOnHttp10",
       "POST /first HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"TwoEqualLengths", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), 400},
      {"TwoDifferentLengths", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), 400},
      {"LengthList", post("Content-Length: 5, 5\r\n", "hello"), 400},
      {"LengthZeroPadded", post("Content-Length: 05\r\n", "hello"), 400},
      {"LengthPlus", post("Content-Length: +5\r\n", "hello"), 400},
      {"LengthMinus", post("Content-Length: -5\r\n", "hello"), 400},
      {"LengthHex", post("Content-Length: 0x5\r\n", "hello"), 400},
      {"LengthEmpty", post("Content-Length:\r\n", "hello"), 400},
      {"LengthInnerSpace", post("Content-Length: 1 0\r\n", "hello"), 400},
      {"LengthOverflow", post("Content-Length: 18446744073709551621\r\n", "hello"), 400},
      {"BodyOnGet", "GET /first HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 400},
      {"BodyOnHead", "HEAD /first HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 400},
      {"ChunkedOnGet",
       "GET /first HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"TrailerField", post("Transfer-Encoding: chunked\r\nTrailer: X-T\r\n", "0\r\n\r\n"), 400},
  };
}

std::vector<Shape> head_shapes() {
  return {
      {"NoHost", get("GET /first HTTP/1.1", ""), 400},
      {"TwoHosts", get("GET /first HTTP/1.1", "Host: x\r\nHost: x\r\n"), 400},
      {"EmptyHost", get("GET /first HTTP/1.1", "Host:\r\n"), 400},
      {"HostWithPath", get("GET /first HTTP/1.1", "Host: x/y\r\n"), 400},
      {"HostWithUser", get("GET /first HTTP/1.1", "Host: u@x\r\n"), 400},
      {"HostList", get("GET /first HTTP/1.1", "Host: x, y\r\n"), 400},
      {"HostBadPort", get("GET /first HTTP/1.1", "Host: x:80a\r\n"), 400},
      {"FoldedField", get("GET /first HTTP/1.1", "Host: x\r\nA: b\r\n c\r\n"), 400},
      {"FoldedWithTab", get("GET /first HTTP/1.1", "Host: x\r\nA: b\r\n\tc\r\n"), 400},
      {"FoldBeforeFirstField", get("GET /first HTTP/1.1", " Host: x\r\n"), 400},
      {"SpaceBeforeColon", get("GET /first HTTP/1.1", "Host: x\r\nA : b\r\n"), 400},
      {"NoColon", get("GET /first HTTP/1.1", "Host: x\r\nAb\r\n"), 400},
      {"EmptyName", get("GET /first HTTP/1.1", "Host: x\r\n: b\r\n"), 400},
      {"NameNotToken", get("GET /first HTTP/1.1", "Host: x\r\nA(b): c\r\n"), 400},
      {"NameHighByte", get("GET /first HTTP/1.1", "Host: x\r\nA\xe9: c\r\n"), 400},
      {"ValueControl", get("GET /first HTTP/1.1", "Host: x\r\nA: b\x01\r\n"), 400},
      {"ValueDelete", get("GET /first HTTP/1.1", "Host: x\r\nA: b\x7f\r\n"), 400},
      {"ValueNul", get("GET /first HTTP/1.1", std::string_view("Host: x\r\nA: b\0c\r\n", 17)), 400},
      {"ValueBareCr", get("GET /first HTTP/1.1", "Host: x\r\nA: b\rc\r\n"), 400},
      {"BareLf", "GET /first HTTP/1.1\nHost: x\n\n", 400},
      {"BareLfInHead", "GET /first HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400},
      {"LeadingEmptyLine", "\r\nGET /first HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"LeadingSpace", " GET /first HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"TwoSpacesAfterMethod", get("GET  /first HTTP/1.1"), 400},
      {"TabAfterMethod", get("GET\t/first HTTP/1.1"), 400},
      {"TwoSpacesBeforeVersion", get("GET /first  HTTP/1.1"), 400},
      {"SpaceAfterVersion", get("GET /first HTTP/1.1 "), 400},
      {"SpaceInTarget", get("GET /fi rst HTTP/1.1"), 400},
      {"LowerCaseMethod", get("get /first HTTP/1.1"), 501},
      {"UnknownMethod", get("BREW /first HTTP/1.1"), 501},
      {"Connect", get("CONNECT x:443 HTTP/1.1"), 501},
      {"Trace", get("TRACE /first HTTP/1.1"), 501},
      {"MethodNotToken", get("GE(T /first HTTP/1.1"), 400},
      {"AbsoluteForm", get("GET http://x/first HTTP/1.1"), 400},
      {"AuthorityForm", get("GET x:80 HTTP/1.1"), 400},
      {"StarWithGet", get("GET * HTTP/1.1"), 400},
      {"RelativeTarget", get("GET first HTTP/1.1"), 400},
      {"TargetHighByte", get("GET /fi\xc3\xa9rst HTTP/1.1"), 400},
      {"TargetControl", get("GET /fi\x01rst HTTP/1.1"), 400},
      {"TargetFragment", get("GET /first#part HTTP/1.1"), 400},
      {"TargetBackslash", get("GET /first\\x HTTP/1.1"), 400},
      {"TargetBrokenPercent", get("GET /first%zz HTTP/1.1"), 400},
      {"TargetShortPercent", get("GET /first%2 HTTP/1.1"), 400},
      {"Http12", get("GET /first HTTP/1.2"), 505},
      {"Http20", get("GET /first HTTP/2.0"), 505},
      {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"Http09", "GET /first\r\n\r\n", 400},
      {"LowerCaseVersion", get("GET /first http/1.1"), 400},
      {"TlsHello", std::string("\x16\x03\x01\x02\x00\x01\x00", 7), 400},
      {"WebSocketUpgrade",
       get("GET /first HTTP/1.1", "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"), 501},
      {"ExpectOther", post("Expect: 200-ok\r\nContent-Length: 5\r\n", "hello"), 417},
      {"ConnectionNamesHost", get("GET /first HTTP/1.1", "Host: x\r\nConnection: host\r\n"), 400},
      {"ConnectionNamesLength",
       post("Content-Length: 5\r\nConnection: Content-Length\r\n", "hello"), 400},
      {"ConnectionNamesAuthorization",
       get("GET /first HTTP/1.1", "Host: x\r\nConnection: close, Authorization\r\n"), 400},
      {"ConnectionNotToken", get("GET /first HTTP/1.1", "Host: x\r\nConnection: a b\r\n"), 400},
      {"TwoAuthorizations",
       get("GET /first HTTP/1.1", "Host: x\r\nAuthorization: a\r\nauthorization: b\r\n"), 400},
      {"TwoContentTypes",
       post("Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 5\r\n", "hello"), 400},
      {"LongTarget", get("GET /" + std::string(20'000, 'a') + " HTTP/1.1"), 414},
      {"LongHead", get("GET /first HTTP/1.1", "Host: x\r\nA: " + std::string(20'000, 'a') + "\r\n"),
       431},
      {"ManyFields",
       [] {
         std::string fields = "Host: x\r\n";
         for (int i = 0; i < 100; ++i) fields += "A: b\r\n";
         return get("GET /first HTTP/1.1", fields);
       }(),
       431},
      {"VeryManyFields",
       [] {
         std::string fields = "Host: x\r\n";
         for (int i = 0; i < 1'000; ++i) fields += "A: b\r\n";
         return get("GET /first HTTP/1.1", fields);
       }(),
       431},
  };
}

class RefusedShape : public ::testing::TestWithParam<Shape> {};

Task<void> count_and_answer(ServerStream& stream, std::atomic<int>& handled) {
  ++handled;
  Result<std::string> body = co_await stream.read_body(1 << 20);
  ResponseHead head;
  head.status = body ? 200 : 400;
  std::string text = body ? "handled" : body.error().message;
  (void)co_await stream.respond(std::move(head), std::move(text));
}

TEST_P(RefusedShape, NeverReachesTheHandler) {
  std::atomic<int> handled{0};
  ServerThread server([&](ServerStream& stream) { return count_and_answer(stream, handled); });
  auto client = RawSocket::connect(server.port());
  client.send(GetParam().bytes + kSmuggled);
  const std::string answer = client.receive_all();
  EXPECT_EQ(GetParam().status, testing::status_of(answer)) << answer;
  EXPECT_NE(std::string::npos, answer.find("Connection: close")) << answer;
  EXPECT_NE(std::string::npos, answer.find("\"type\":\"invalid_request_error\"")) << answer;
  EXPECT_EQ(answer.rfind("HTTP/1.1"), 0u) << "more than one answer: " << answer;
  EXPECT_EQ(0, handled.load());
  const auto refusals = server.refusals();
  ASSERT_EQ(1u, refusals.size());
  EXPECT_EQ(GetParam().status, refusals[0].status);
  EXPECT_TRUE(refusals[0].peer.starts_with("127.0.0.1:"));
  EXPECT_EQ(std::string::npos, refusals[0].reason.find("first")) << "repeats the message";
}

std::string shape_name(const ::testing::TestParamInfo<Shape>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Framing, RefusedShape, ::testing::ValuesIn(framing_shapes()), shape_name);
INSTANTIATE_TEST_SUITE_P(Head, RefusedShape, ::testing::ValuesIn(head_shapes()), shape_name);

// ---- bodies that break off the rails after an acceptable head: the handler gets an error, and
// what follows is not taken for a request.

class BrokenChunks : public ::testing::TestWithParam<Shape> {};

TEST_P(BrokenChunks, AreAnErrorAndTheEnd) {
  std::atomic<int> handled{0};
  ServerThread server([&](ServerStream& stream) { return count_and_answer(stream, handled); });
  auto client = RawSocket::connect(server.port());
  client.send(post("Transfer-Encoding: chunked\r\n", GetParam().bytes) + kSmuggled);
  const std::string answer = client.receive_all();
  EXPECT_EQ(400, testing::status_of(answer)) << answer;
  EXPECT_EQ(answer.rfind("HTTP/1.1"), 0u) << "more than one answer: " << answer;
  EXPECT_EQ(1, handled.load());
}

std::vector<Shape> broken_chunks() {
  return {
      {"Trailer", "5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n", 400},
      {"HostInTrailer", "0\r\nHost: y\r\n\r\n", 400},
      {"Extension", "5;a=b\r\nhello\r\n0\r\n\r\n", 400},
      {"ExtensionOnLast", "5\r\nhello\r\n0;a\r\n\r\n", 400},
      {"SizeNotHex", "5g\r\nhello\r\n0\r\n\r\n", 400},
      {"SizeEmpty", "\r\nhello\r\n0\r\n\r\n", 400},
      {"SizeMinus", "-5\r\nhello\r\n0\r\n\r\n", 400},
      {"SizePrefix", "0x5\r\nhello\r\n0\r\n\r\n", 400},
      {"SizeOverflow", "10000000000000005\r\nhello\r\n0\r\n\r\n", 400},
      {"SizeSpaceBefore", " 5\r\nhello\r\n0\r\n\r\n", 400},
      {"SizeBareLf", "5\nhello\r\n0\r\n\r\n", 400},
      {"NoEndOfChunk", "5\r\nhelloX0\r\n\r\n", 400},
      {"BareLfAfterChunk", "5\r\nhello\n0\r\n\r\n", 400},
      {"LongerThanSaid", "4\r\nhello\r\n0\r\n\r\n", 400},
  };
}

INSTANTIATE_TEST_SUITE_P(Body, BrokenChunks, ::testing::ValuesIn(broken_chunks()), shape_name);

// ---- what must be accepted

struct Good {
  const char* name;
  std::string bytes;
};
void PrintTo(const Good& good, std::ostream* out) {
  *out << good.name;
}

class AcceptedShape : public ::testing::TestWithParam<Good> {};

TEST_P(AcceptedShape, ReachesTheHandlerWhole) {
  std::size_t scanned = 0;
  const auto size = find_head(GetParam().bytes, scanned, {});
  ASSERT_TRUE(size) << size.error().reason;
  ASSERT_GT(*size, 0u);
  const auto request = parse_request(std::string_view(GetParam().bytes).substr(0, *size), {});
  ASSERT_TRUE(request) << request.error().reason;
  for (const Field& field : request->head.fields.all())
    EXPECT_FALSE(is_connection_field(field.name)) << field.name;
}

INSTANTIATE_TEST_SUITE_P(
    Heads, AcceptedShape,
    ::testing::Values(
        Good{"Plain", get("GET /first?a=b&c=%20 HTTP/1.1")},
        Good{"OptionsStar", get("OPTIONS * HTTP/1.1")},
        Good{"ZeroLengthOnGet", get("GET / HTTP/1.1", "Host: x\r\nContent-Length: 0\r\n")},
        Good{"ChunkedAnyCase", post("transfer-encoding: Chunked\r\n", "")},
        Good{"ChunkedPadded", post("Transfer-Encoding: \t chunked \t\r\n", "")},
        Good{"HostIpv6", get("GET / HTTP/1.1", "Host: [::1]:8080\r\n")},
        Good{"HostPort", get("GET / HTTP/1.1", "Host: api.example.com:443\r\n")},
        Good{"Http10NoHost", get("GET / HTTP/1.0", "")},
        Good{"EmptyValue", get("GET / HTTP/1.1", "Host: x\r\nX-Empty:\r\n")},
        Good{"TabInValue", get("GET / HTTP/1.1", "Host: x\r\nX: a\tb\r\n")},
        Good{"Utf8InValue", get("GET / HTTP/1.1", "Host: x\r\nX: caf\xc3\xa9\r\n")},
        Good{"H2cOfferOfJavaClients",
             get("GET / HTTP/1.1",
                 "Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                 "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n")},
        Good{"ExpectContinue", post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello")},
        Good{"TeTrailers", get("GET / HTTP/1.1", "Host: x\r\nTE: trailers\r\n")}),
    [](const ::testing::TestParamInfo<Good>& info) { return info.param.name; });

TEST(Validator, RemovesNominatedAndHopByHopFields) {
  const std::string head =
      get("GET / HTTP/1.1",
          "Host: x\r\nConnection: keep-alive, X-Private\r\nx-private: 1\r\nKeep-Alive: 5\r\n"
          "Proxy-Connection: a\r\nProxy-Authorization: b\r\nTE: trailers\r\nX-Kept: 2\r\n");
  const auto request = parse_request(head, {});
  ASSERT_TRUE(request) << request.error().reason;
  ASSERT_EQ(2u, request->head.fields.all().size());
  EXPECT_EQ("Host", request->head.fields.all()[0].name);
  EXPECT_EQ("2", request->head.fields.find("x-kept"));
}

// ---- responses

struct Answer {
  const char* name;
  std::string head;
  bool accepted;
  Framing framing = {};
  bool keep_alive = true;
  bool to_head = false;
};
void PrintTo(const Answer& answer, std::ostream* out) {
  *out << answer.name;
}

class ResponseShape : public ::testing::TestWithParam<Answer> {};

TEST_P(ResponseShape, IsJudged) {
  const Answer& want = GetParam();
  const auto response = parse_response(want.head + "\r\n", {32 * 1024, 100}, want.to_head);
  ASSERT_EQ(want.accepted, response.has_value())
      << (response ? "" : std::string(response.error().reason));
  if (!response) return;
  EXPECT_EQ(want.framing, response->framing);
  EXPECT_EQ(want.keep_alive, response->keep_alive);
}

using Kind = Framing::Kind;
INSTANTIATE_TEST_SUITE_P(
    Heads, ResponseShape,
    ::testing::Values(
        Answer{"Length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", true, {Kind::length, 5}},
        Answer{"LengthZero", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", true},
        Answer{"Chunked",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
               true,
               {Kind::chunked, 0}},
        Answer{"UntilClose", "HTTP/1.1 200 OK\r\n", true, {Kind::until_close, 0}, false},
        Answer{"Close",
               "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n",
               true,
               {Kind::length, 5},
               false},
        Answer{
            "Http10", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n", true, {Kind::length, 5}, false},
        Answer{"Http10KeepAlive",
               "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n",
               true,
               {Kind::length, 5},
               true},
        Answer{"EmptyReason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n", true},
        Answer{"NoContent", "HTTP/1.1 204 No Content\r\n", true},
        Answer{"NoContentWithLength",
               "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n",
               true,
               {},
               false},
        Answer{"NotModifiedWithLength", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n", true},
        Answer{"AnswerToHead", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", true, {}, true, true},
        Answer{"ChunkedAnswerToHead",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
               true,
               {},
               true,
               true},
        Answer{"Continue", "HTTP/1.1 100 Continue\r\n", true},
        Answer{"EarlyHints", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n", true},
        Answer{"UpgradeOffer",
               "HTTP/1.1 200 OK\r\nUpgrade: h2,h2c\r\nConnection: Upgrade\r\n"
               "Content-Length: 0\r\n",
               true},
        Answer{"TrailerAnnounced",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n",
               true,
               {Kind::chunked, 0}},
        Answer{"Switching", "HTTP/1.1 101 Switching Protocols\r\n", false},
        Answer{"InterimWithBody", "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n", false},
        Answer{"Both", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
               false},
        Answer{"BothOther",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", false},
        Answer{"Gzip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", false},
        Answer{"Xchunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n", false},
        Answer{"ChunkedOn10", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n", false},
        Answer{"TwoLengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n",
               false},
        Answer{"LengthList", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n", false},
        Answer{"LengthPadded", "HTTP/1.1 200 OK\r\nContent-Length: 05\r\n", false},
        Answer{"Folded", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n", false},
        Answer{"BareLf", "HTTP/1.1 200 OK\nContent-Length: 0\r\n", false},
        Answer{"Status099", "HTTP/1.1 099 No\r\nContent-Length: 0\r\n", false},
        Answer{"Status600", "HTTP/1.1 600 No\r\nContent-Length: 0\r\n", false},
        Answer{"Http2", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n", false},
        Answer{"ControlInValue", "HTTP/1.1 200 OK\r\nA: \x01\r\nContent-Length: 0\r\n", false}),
    [](const ::testing::TestParamInfo<Answer>& info) { return info.param.name; });

}  // namespace
}  // namespace gatehouse::net
