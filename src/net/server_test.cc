#include "net/server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>

#include "net_test_support.h"

namespace gatehouse::net {
namespace {

using namespace std::chrono_literals;
using testing::RawSocket;
using testing::ServerThread;
using testing::status_of;
using testing::wait_until;

int status_for(const Error& error) {
  switch (error.code) {
    case ErrorCode::resource_exhausted:
      return 413;
    case ErrorCode::deadline_exceeded:
      return 408;
    default:
      return 400;
  }
}

Task<void> echo(ServerStream& stream) {
  Result<std::string> body = co_await stream.read_body(1 << 20);
  ResponseHead head;
  if (!body) {
    head.status = status_for(body.error());
    std::string message = body.error().message;
    (void)co_await stream.respond(std::move(head), std::move(message));
    co_return;
  }
  head.fields.add("Content-Type", "text/plain");
  std::string answer = stream.request().method + " " + stream.request().target + " " + *body;
  (void)co_await stream.respond(std::move(head), std::move(answer));
}

// ---- answers

TEST(Server, AnswersAndKeepsTheConnection) {
  ServerThread server(echo);
  auto client = RawSocket::connect(server.port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string first = client.receive_message();
  EXPECT_EQ(200, status_of(first)) << first;
  EXPECT_EQ("GET /a ", testing::body_of(first));
  EXPECT_EQ(std::string::npos, first.find("Connection:")) << first;
  EXPECT_NE(std::string::npos, first.find("\r\nDate: ")) << first;
  client.send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ("POST /b hello", testing::body_of(client.receive_message()));
}

TEST(Server, ClosesWhenAsked) {
  ServerThread server(echo);
  auto client = RawSocket::connect(server.port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answer = client.receive_all();
  EXPECT_NE(std::string::npos, answer.find("Connection: close")) << answer;
  EXPECT_EQ("GET /a ", testing::body_of(answer));
}

TEST(Server, Http10ClosesUnlessKeepAliveIsAsked) {
  ServerThread server(echo);
  auto closing = RawSocket::connect(server.port());
  closing.send("GET /a HTTP/1.0\r\n\r\n");
  EXPECT_EQ("GET /a ", testing::body_of(closing.receive_all()));
  auto keeping = RawSocket::connect(server.port());
  for (int i = 0; i < 2; ++i) {
    keeping.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const std::string answer = keeping.receive_message();
    EXPECT_NE(std::string::npos, answer.find("Connection: keep-alive")) << answer;
  }
}

TEST(Server, HeadHasALengthButNoBody) {
  ServerThread server(echo);
  auto client = RawSocket::connect(server.port());
  client.send("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answer = client.receive_all();
  EXPECT_NE(std::string::npos, answer.find("Content-Length: 8\r\n")) << answer;
  EXPECT_EQ("", testing::body_of(answer));
}

TEST(Server, ReadsChunkedBodiesInAnyPieces) {
  ServerThread server(echo);
  const std::string request =
      "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\n\r\n";
  for (std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{50}, request.size()}) {
    auto client = RawSocket::connect(server.port());
    for (std::size_t at = 0; at < request.size(); at += step) {
      client.send(std::string_view(request).substr(at, step));
      if (step < 10) std::this_thread::sleep_for(200us);
    }
    EXPECT_EQ("POST /a hello 0123456789", testing::body_of(client.receive_message())) << step;
  }
}

TEST(Server, ReadsAHeadByteByByte) {
  ServerThread server(echo);
  auto client = RawSocket::connect(server.port());
  for (const char byte : std::string_view("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")) {
    client.send({&byte, 1});
    std::this_thread::sleep_for(200us);
  }
  EXPECT_EQ("GET /a ", testing::body_of(client.receive_message()));
}

TEST(Server, TakesLargeBodiesUpToTheLimit) {
  ServerThread server(echo);
  auto client = RawSocket::connect(server.port());
  const std::string body(1 << 20, 'b');
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n" + body);
  EXPECT_EQ("POST /a " + body, testing::body_of(client.receive_message()));
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n" + body + "b");
  const std::string answer = client.receive_all();
  EXPECT_EQ(413, status_of(answer)) << answer.substr(0, 200);
  EXPECT_NE(std::string::npos, answer.find("Connection: close"));
}

TEST(Server, ChunkedBodyOverTheLimitIs413) {
  ServerLimits limits;
  limits.body_bytes = 1'000;
  ServerThread server(echo, limits);
  auto client = RawSocket::connect(server.port());
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
              std::string(1'001, 'b') + "\r\n0\r\n\r\n");
  EXPECT_EQ(413, status_of(client.receive_all()));
}

TEST(Server, SendsContinueOnlyWhenTheBodyIsWanted) {
  ServerThread server(echo);
  auto client = RawSocket::connect(server.port());
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ("HTTP/1.1 100 Continue\r\n\r\n", client.receive(25));
  client.send("hello");
  EXPECT_EQ("POST /a hello", testing::body_of(client.receive_message()));
}

Task<void> reject_without_reading(ServerStream& stream) {
  ResponseHead head;
  head.status = 401;
  (void)co_await stream.respond(std::move(head), "no");
}

TEST(Server, AnUnreadBodyEndsTheConnection) {
  ServerThread server(reject_without_reading);
  auto client = RawSocket::connect(server.port());
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99\r\n\r\n");
  const std::string answer = client.receive_all();
  EXPECT_EQ(401, status_of(answer)) << answer;
  EXPECT_NE(std::string::npos, answer.find("Connection: close"));
}

TEST(Server, AnUnreadBodyThatIsThereAlreadyIsSkipped) {
  ServerThread server(reject_without_reading);
  auto client = RawSocket::connect(server.port());
  for (int i = 0; i < 2; ++i) {
    client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_EQ(401, status_of(client.receive_message()));
  }
}

TEST(Server, AnUnreadChunkedBodyIsNotTakenForARequest) {
  ServerThread server(reject_without_reading);
  const std::string head = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  auto late = RawSocket::connect(server.port());
  late.send(head);
  const std::string answer = late.receive_message();
  EXPECT_EQ(401, status_of(answer));
  EXPECT_NE(std::string::npos, answer.find("Connection: close")) << answer;
  late.send("5\r\nhello\r\n0\r\n\r\n");
  EXPECT_EQ("", late.receive_all());
  // One that is there as a whole is skipped, and the connection goes on.
  auto early = RawSocket::connect(server.port());
  for (int i = 0; i < 2; ++i) {
    early.send(head + "5\r\nhello\r\n0\r\n\r\n");
    EXPECT_EQ(401, status_of(early.receive_message()));
  }
  EXPECT_TRUE(server.refusals().empty());
}

Task<void> change_its_mind(ServerStream& stream) {
  (void)co_await stream.read_body(100);
  ResponseHead stream_head;
  stream_head.fields.add("Content-Type", "text/event-stream");
  stream.begin(std::move(stream_head));
  EXPECT_FALSE(stream.responded());
  ResponseHead error;
  error.status = 502;
  (void)co_await stream.respond(std::move(error), "no stream after all");
  EXPECT_TRUE(stream.responded());
}

TEST(Server, AnAnswerThatWasBegunCanBeReplacedUntilSomethingLeft) {
  ServerThread server(change_its_mind);
  auto client = RawSocket::connect(server.port());
  for (int i = 0; i < 2; ++i) {
    client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string answer = client.receive_message();
    EXPECT_EQ(502, status_of(answer)) << answer;
    EXPECT_EQ("no stream after all", testing::body_of(answer));
    EXPECT_EQ(std::string::npos, answer.find("event-stream")) << answer;
  }
}

TEST(Server, ContinueIsNotYetAnAnswer) {
  ServerThread server(change_its_mind);
  auto client = RawSocket::connect(server.port());
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ("HTTP/1.1 100 Continue\r\n\r\n", client.receive(25));
  client.send("hello");
  EXPECT_EQ(502, status_of(client.receive_message()));
}

Task<void> forget_to_answer(ServerStream&) {
  co_return;
}

TEST(Server, AMissingAnswerIs500) {
  ServerThread server(forget_to_answer);
  auto client = RawSocket::connect(server.port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(500, status_of(client.receive_all()));
}

Task<void> answer_with_hostile_fields(ServerStream& stream) {
  ResponseHead head;
  head.fields.add("X-Split", "a\r\nSet-Cookie: b");
  head.fields.add("Bad Name", "c");
  head.fields.add("Content-Length", "99");
  head.fields.add("Transfer-Encoding", "chunked");
  head.fields.add("X-Good", "d");
  (void)co_await stream.respond(std::move(head), "ok");
}

TEST(Server, NeverWritesAFieldThatCouldBreakTheHead) {
  ServerThread server(answer_with_hostile_fields);
  auto client = RawSocket::connect(server.port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answer = client.receive_all();
  EXPECT_EQ("ok", testing::body_of(answer));
  EXPECT_EQ(std::string::npos, answer.find("Set-Cookie")) << answer;
  EXPECT_EQ(std::string::npos, answer.find("Bad Name")) << answer;
  EXPECT_EQ(std::string::npos, answer.find("99")) << answer;
  EXPECT_EQ(std::string::npos, answer.find("chunked")) << answer;
  EXPECT_NE(std::string::npos, answer.find("X-Good: d")) << answer;
}

// ---- streamed answers

Task<void> stream_three(ServerStream& stream) {
  stream.begin({});
  (void)co_await stream.write("one ");
  (void)co_await stream.write("two ");
  (void)co_await stream.write("");
  (void)co_await stream.write("three");
  (void)co_await stream.end();
}

TEST(Server, StreamsInChunks) {
  ServerThread server(stream_three);
  auto client = RawSocket::connect(server.port());
  for (int i = 0; i < 2; ++i) {
    client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string answer = client.receive_message();
    EXPECT_NE(std::string::npos, answer.find("Transfer-Encoding: chunked\r\n")) << answer;
    EXPECT_EQ("4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n", testing::body_of(answer));
  }
}

TEST(Server, StreamsUntilCloseOnHttp10) {
  ServerThread server(stream_three);
  auto client = RawSocket::connect(server.port());
  client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::string answer = client.receive_all();
  EXPECT_EQ(std::string::npos, answer.find("chunked")) << answer;
  EXPECT_EQ("one two three", testing::body_of(answer));
}

TEST(Server, StreamsNothingToHead) {
  ServerThread server(stream_three);
  auto client = RawSocket::connect(server.port());
  client.send("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ("", testing::body_of(client.receive_all()));
}

Task<void> stream_and_abort(ServerStream& stream) {
  stream.begin({});
  (void)co_await stream.write("part");
  stream.abort();
}

TEST(Server, AbortLeavesATruncatedMessage) {
  ServerThread server(stream_and_abort);
  auto client = RawSocket::connect(server.port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ("4\r\npart\r\n", testing::body_of(client.receive_all()));
}

Task<void> stream_and_forget(ServerStream& stream) {
  stream.begin({});
  (void)co_await stream.write("part");
}

TEST(Server, AStreamWithoutAnEndIsTruncated) {
  ServerThread server(stream_and_forget);
  auto client = RawSocket::connect(server.port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ("4\r\npart\r\n", testing::body_of(client.receive_all()));
}

Task<void> throw_at_once(ServerStream& stream) {
  if (stream.request().target == "/throw") throw std::runtime_error("a bug");
  (void)co_await stream.respond({}, "fine");
}

TEST(Server, AnExceptionCostsOneRequest) {
  ServerThread server(throw_at_once);
  auto client = RawSocket::connect(server.port());
  client.send("GET /throw HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client.receive_all().starts_with("HTTP/1.1 500 "));
  auto other = RawSocket::connect(server.port());
  other.send("GET /other HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ("fine", testing::body_of(other.receive_all()));
}

Task<void> write_and_throw(ServerStream& stream) {
  stream.begin({});
  (void)co_await stream.write("part");
  throw std::runtime_error("a bug");
}

TEST(Server, AnExceptionBehindAPartOfTheAnswerTruncatesIt) {
  ServerThread server(write_and_throw);
  auto client = RawSocket::connect(server.port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ("4\r\npart\r\n", testing::body_of(client.receive_all()));
}

// ---- pipelining

TEST(Server, AnswersPipelinedRequestsInOrder) {
  ServerThread server(echo);
  auto client = RawSocket::connect(server.port());
  std::string requests;
  for (int i = 0; i < 200; ++i) {
    const std::string body = std::to_string(i);
    requests += "POST /" + body +
                " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body;
  }
  client.send(requests);
  for (int i = 0; i < 200; ++i) {
    const std::string number = std::to_string(i);
    ASSERT_EQ("POST /" + number + " " + number, testing::body_of(client.receive_message()));
  }
}

struct Gate {
  explicit Gate(Loop& loop) : loop(loop) {}
  Loop& loop;
  std::atomic<int> waiting{0};
  std::atomic<int> gone{0};
  std::atomic<int> finished{0};
};

Task<void> wait_until_gone(ServerStream& stream, Gate& gate) {
  (void)co_await stream.read_body(1 << 20);
  auto done = std::make_shared<Completion<int>>(gate.loop);
  stream.disconnected().on_cancel([&gate, done] {
    ++gate.gone;
    done->complete(1);
  });
  ++gate.waiting;
  (void)co_await done->wait();
  const Result<void> late = co_await stream.respond({}, "late");
  EXPECT_FALSE(late);
  EXPECT_EQ(ErrorCode::cancelled, late.error().code);
  ++gate.finished;
}

class DisconnectTest : public ::testing::Test {
 protected:
  void start() {
    server_ = std::make_unique<ServerThread>(
        [this](ServerStream& stream) { return wait_until_gone(stream, *gate_); });
    gate_ = std::make_unique<Gate>(server_->loop());
  }
  std::unique_ptr<Gate> gate_;
  std::unique_ptr<ServerThread> server_;
  void TearDown() override { server_.reset(); }
};

TEST_F(DisconnectTest, ReachesAWaitingHandlerAtOnce) {
  start();
  auto client = RawSocket::connect(server_->port());
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
  ASSERT_TRUE(wait_until([&] { return gate_->waiting == 1; }));
  const auto before = std::chrono::steady_clock::now();
  client.close();
  ASSERT_TRUE(wait_until([&] { return gate_->finished == 1; }));
  EXPECT_LT(std::chrono::steady_clock::now() - before, 200ms);
  EXPECT_TRUE(wait_until([&] { return server_->server().connections() == 0; }));
  EXPECT_EQ(0u, server_->server().active_requests());
}

TEST_F(DisconnectTest, ByReset) {
  start();
  auto client = RawSocket::connect(server_->port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(wait_until([&] { return gate_->waiting == 1; }));
  client.reset();
  EXPECT_TRUE(wait_until([&] { return gate_->finished == 1; }));
}

TEST_F(DisconnectTest, HalfCloseCountsAsGone) {
  start();
  auto client = RawSocket::connect(server_->port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(wait_until([&] { return gate_->waiting == 1; }));
  client.shut_down_output();
  EXPECT_TRUE(wait_until([&] { return gate_->finished == 1; }));
}

TEST_F(DisconnectTest, IsSeenBehindPipelinedRequests) {
  start();
  auto client = RawSocket::connect(server_->port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(wait_until([&] { return gate_->waiting == 1; }));
  client.close();
  EXPECT_TRUE(wait_until([&] { return gate_->finished == 1; }));
  EXPECT_EQ(1, gate_->waiting) << "the second request must not start for a client that has left";
}

TEST_F(DisconnectTest, IsSeenBehindMorePipelinedBytesThanTheBufferHolds) {
  start();
  auto client = RawSocket::connect(server_->port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  client.send(std::string(100'000, 'x'));
  ASSERT_TRUE(wait_until([&] { return gate_->waiting == 1; }));
  client.close();
  EXPECT_TRUE(wait_until([&] { return gate_->finished == 1; }));
}

Task<void> stream_forever(ServerStream& stream, Gate& gate) {
  stream.begin({});
  ++gate.waiting;
  for (;;) {
    const Result<void> written = co_await stream.write(std::string(1'000, 'x'));
    if (!written) break;
    co_await gate.loop.sleep(5ms);
  }
  EXPECT_TRUE(stream.disconnected().cancelled());
  ++gate.finished;
}

TEST(Server, DisconnectMidStreamEndsTheStream) {
  std::unique_ptr<Gate> gate;
  ServerThread server([&](ServerStream& stream) { return stream_forever(stream, *gate); });
  gate = std::make_unique<Gate>(server.loop());
  auto client = RawSocket::connect(server.port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  client.receive(5'000);
  client.close();
  EXPECT_TRUE(wait_until([&] { return gate->finished == 1; }));
}

Task<void> report_body(ServerStream& stream, std::atomic<int>& code) {
  const Result<std::string> body = co_await stream.read_body(1 << 20);
  code = body ? -1 : static_cast<int>(body.error().code);
}

TEST(Server, DisconnectWhileTheBodyArrives) {
  std::atomic<int> code{-2};
  ServerThread server([&](ServerStream& stream) { return report_body(stream, code); });
  auto client = RawSocket::connect(server.port());
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel");
  std::this_thread::sleep_for(20ms);
  client.close();
  EXPECT_TRUE(wait_until([&] { return code == static_cast<int>(ErrorCode::cancelled); }));
}

// ---- deadlines

ServerLimits short_limits() {
  ServerLimits limits;
  limits.header_timeout = 300ms;
  limits.body_timeout = 300ms;
  limits.idle_timeout = 300ms;
  limits.write_timeout = 300ms;
  return limits;
}

// Sends a byte every 50 ms until the peer has had enough; the bytes must not move the deadline.
std::string drip(RawSocket& client, std::string_view start, char byte) {
  client.send(start);
  for (int i = 0; i < 60; ++i) {
    client.send({&byte, 1});
    std::this_thread::sleep_for(50ms);
    std::string answer = client.receive(1, 0);
    if (!answer.empty()) return answer + client.receive_all(1);
  }
  return "";
}

TEST(Server, SlowHeadIsCutOffWhateverArrives) {
  ServerThread server(echo, short_limits());
  auto client = RawSocket::connect(server.port());
  const auto before = std::chrono::steady_clock::now();
  const std::string answer = drip(client, "GET /a HTTP/1.1\r\nHost: x\r\nA: ", 'b');
  EXPECT_EQ(408, status_of(answer)) << answer;
  EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
  EXPECT_EQ(1u, server.refusals().size());
}

TEST(Server, SlowBodyIsCutOffWhateverArrives) {
  ServerThread server(echo, short_limits());
  auto client = RawSocket::connect(server.port());
  const std::string answer =
      drip(client, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", 'b');
  EXPECT_EQ(408, status_of(answer)) << answer;
}

TEST(Server, SilentConnectionsAreClosed) {
  ServerThread server(echo, short_limits());
  auto fresh = RawSocket::connect(server.port());
  auto used = RawSocket::connect(server.port());
  used.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(200, status_of(used.receive_message()));
  EXPECT_TRUE(fresh.peer_closed(2));
  EXPECT_TRUE(used.peer_closed(2));
}

Task<void> answer_largely(ServerStream& stream, std::atomic<int>& code) {
  const Result<void> sent = co_await stream.respond({}, std::string(64u << 20, 'x'));
  code = sent ? -1 : static_cast<int>(sent.error().code);
}

TEST(Server, AClientThatDoesNotReadIsCutOff) {
  std::atomic<int> code{-2};
  ServerThread server([&](ServerStream& stream) { return answer_largely(stream, code); },
                      short_limits());
  auto client = RawSocket::connect(server.port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(wait_until([&] { return code == static_cast<int>(ErrorCode::deadline_exceeded); }));
}

TEST(Server, ASlowReaderGetsEverything) {
  std::atomic<int> code{-2};
  ServerThread server([&](ServerStream& stream) { return answer_largely(stream, code); });
  auto client = RawSocket::connect(server.port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  std::this_thread::sleep_for(100ms);
  const std::string answer = client.receive_message(10);
  EXPECT_EQ(64u << 20, testing::body_of(answer).size());
  EXPECT_TRUE(wait_until([&] { return code == -1; }));
}

// ---- limits, listening, draining

TEST(Server, RefusesConnectionsBeyondTheLimit) {
  ServerLimits limits;
  limits.connections = 2;
  ServerThread server(echo, limits);
  auto first = RawSocket::connect(server.port());
  auto second = RawSocket::connect(server.port());
  ASSERT_TRUE(wait_until([&] { return server.server().connections() == 2; }));
  auto third = RawSocket::connect(server.port());
  EXPECT_TRUE(third.peer_closed());
  first.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(200, status_of(first.receive_message()));
}

TEST(Server, ListensOnAUnixSocketOnlyItsOwnerMayUse) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("gh-net-" + std::to_string(::getpid()) + ".sock"))
          .string();
  ListenAddress address;
  address.unix_path = path;
  for (int round = 0; round < 2; ++round) {
    ServerThread server(echo, {}, address);
    struct stat file{};
    ASSERT_EQ(0, ::stat(path.c_str(), &file));
    EXPECT_EQ(0600u, file.st_mode & 0777);
    auto client = RawSocket::connect_unix(path);
    client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ("GET /a ", testing::body_of(client.receive_message()));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Server, ListenNamesTheAddressItCannotHave) {
  ServerThread first(echo);
  Loop loop;
  ListenAddress taken;
  taken.port = first.port();
  Server second(loop, taken, {}, echo);
  const Result<void> listening = second.listen();
  ASSERT_FALSE(listening);
  EXPECT_NE(std::string::npos,
            listening.error().describe().find("127.0.0.1:" + std::to_string(first.port())));
  ListenAddress name;
  name.host = "localhost";
  Server third(loop, name, {}, echo);
  EXPECT_EQ(ErrorCode::invalid_argument, third.listen().error().code);
}

Task<void> answer_slowly(ServerStream& stream, Gate& gate) {
  ++gate.waiting;
  co_await gate.loop.sleep(300ms);
  const Result<void> sent = co_await stream.respond({}, "slow");
  if (sent) ++gate.finished;
}

TEST(Server, DrainFinishesWhatRunsAndClosesWhatIsIdle) {
  std::unique_ptr<Gate> gate;
  ServerThread server([&](ServerStream& stream) { return answer_slowly(stream, *gate); });
  gate = std::make_unique<Gate>(server.loop());
  auto busy = RawSocket::connect(server.port());
  auto idle = RawSocket::connect(server.port());
  idle.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(200, status_of(idle.receive_message()));
  busy.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(wait_until([&] { return server.server().active_requests() == 1; }));
  server.run([&] { server.server().drain(); });
  EXPECT_TRUE(idle.peer_closed());
  const std::string answer = busy.receive_all();
  EXPECT_EQ("slow", testing::body_of(answer));
  EXPECT_NE(std::string::npos, answer.find("Connection: close")) << answer;
  EXPECT_TRUE(wait_until([&] { return server.server().connections() == 0; }));
  EXPECT_EQ(0u, server.server().active_requests());
}

TEST(Server, CloseAllEndsWhatDrainWaitsFor) {
  std::unique_ptr<Gate> gate;
  ServerThread server([&](ServerStream& stream) { return wait_until_gone(stream, *gate); });
  gate = std::make_unique<Gate>(server.loop());
  auto client = RawSocket::connect(server.port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(wait_until([&] { return gate->waiting == 1; }));
  server.run([&] { server.server().drain(); });
  EXPECT_EQ(1u, server.server().active_requests());
  server.run([&] { server.server().close_all(); });
  EXPECT_TRUE(wait_until([&] { return server.server().connections() == 0; }));
  EXPECT_EQ(1, gate->finished);
}

// Clients that each send one request on a connection of their own while the server drains: whoever
// got connected gets an answer.
TEST(Server, DrainUnderLoadDropsNoRequest) {
  ServerThread server(echo);
  std::atomic<bool> stop{false};
  std::atomic<int> sent{0};
  std::atomic<int> answered{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      auto client = RawSocket::connect(server.port());
      while (!stop) {
        ++sent;
        client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
        const std::string answer = client.receive_message(2);
        if (answer.empty()) {  // closed while idle, before the request: not dropped, never taken
          --sent;
          return;
        }
        ++answered;
        if (answer.find("Connection: close") != std::string::npos) return;
      }
    });
  }
  std::this_thread::sleep_for(100ms);
  server.run([&] { server.server().drain(); });
  EXPECT_TRUE(wait_until([&] { return server.server().connections() == 0; }));
  stop = true;
  for (auto& client : clients) client.join();
  EXPECT_GT(answered, 100);
  EXPECT_EQ(sent, answered);
}

}  // namespace
}  // namespace gatehouse::net
