#include "net/client.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "net_test_support.h"

namespace gatehouse::net {
namespace {

using namespace std::chrono_literals;
using testing::LoopThread;
using testing::RawSocket;
using testing::ScriptedUpstream;
using testing::ServerThread;
using testing::wait_until;

struct Outcome {
  Result<ResponseHead> head = fail(ErrorCode::internal, "not asked");
  Result<std::string> body = fail(ErrorCode::internal, "not read");
};

Task<void> ask_into(ClientPool& pool, Endpoint endpoint, RequestHead head, std::string body,
                    CancelSource* cancel, Outcome& outcome) {
  auto stream = co_await pool.request(endpoint, head, body, cancel);
  if (!stream) {
    outcome.head = std::unexpected(stream.error());
    co_return;
  }
  outcome.head = (*stream)->head();
  outcome.body = co_await (*stream)->read_all(100u << 20);
}

// A pool on its own loop thread, asked synchronously.
class Client {
 public:
  explicit Client(ClientLimits limits = {}, std::shared_ptr<TlsContext> tls = nullptr) {
    thread_.run([&] { pool_.emplace(thread_.loop(), limits, std::move(tls)); });
  }
  ~Client() {
    thread_.run([&] { pool_.reset(); });
  }
  Outcome ask(const Endpoint& endpoint, const std::string& method, const std::string& target,
              const std::string& body = "", CancelSource* cancel = nullptr) {
    Outcome outcome;
    thread_.run_task([&] {
      RequestHead head;
      head.method = method;
      head.target = target;
      head.fields.add("X-Test", "1");
      head.fields.add("Connection", "x-test");  // must not travel
      return ask_into(*pool_, endpoint, std::move(head), body, cancel, outcome);
    });
    return outcome;
  }
  ClientPool& pool() { return *pool_; }
  LoopThread& thread() { return thread_; }

 private:
  LoopThread thread_;
  std::optional<ClientPool> pool_;
};

Endpoint at(std::uint16_t port) {
  Endpoint endpoint;
  endpoint.host = "127.0.0.1";
  endpoint.port = port;
  return endpoint;
}

// Reads one request (head, and body by Content-Length).
std::string read_request(RawSocket& socket) {
  return socket.receive_message(5);
}

const char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// ---- plain exchanges

TEST(Client, SendsAWholeRequestAndReadsTheAnswer) {
  std::string seen;
  Outcome outcome;
  {
    ScriptedUpstream upstream([&](RawSocket& socket, int) {
      seen = read_request(socket);
      socket.send("HTTP/1.1 201 Made\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello");
      socket.receive_all(1);
    });
    Client client;
    Endpoint endpoint = at(upstream.port());
    endpoint.base_path = "/v2";
    outcome = client.ask(endpoint, "POST", "/x?y=z", "body");
  }
  ASSERT_TRUE(outcome.head);
  EXPECT_EQ(201, outcome.head->status);
  EXPECT_EQ("b", outcome.head->fields.find("x-a"));
  EXPECT_FALSE(outcome.head->fields.contains("content-length"));
  EXPECT_EQ("hello", *outcome.body);
  EXPECT_TRUE(seen.starts_with("POST /v2/x?y=z HTTP/1.1\r\nHost: 127.0.0.1:")) << seen;
  EXPECT_NE(std::string::npos, seen.find("Content-Length: 4\r\n")) << seen;
  EXPECT_NE(std::string::npos, seen.find("X-Test: 1\r\n")) << seen;
  EXPECT_EQ(std::string::npos, seen.find("Connection:")) << seen;
  EXPECT_TRUE(seen.ends_with("\r\n\r\nbody")) << seen;
}

TEST(Client, ReusesConnections) {
  ScriptedUpstream upstream([&](RawSocket& socket, int) {
    while (!read_request(socket).empty()) socket.send(kOk);
  });
  Client client;
  for (int i = 0; i < 5; ++i) {
    const Outcome outcome = client.ask(at(upstream.port()), "POST", "/", "body");
    ASSERT_TRUE(outcome.body) << outcome.body.error().describe();
    EXPECT_EQ("ok", *outcome.body);
  }
  EXPECT_EQ(1, upstream.connections());
  client.thread().run([&] { client.pool().close_idle(); });
  EXPECT_TRUE(client.ask(at(upstream.port()), "GET", "/").body);
  EXPECT_EQ(2, upstream.connections());
}

TEST(Client, ReadsEveryFraming) {
  const std::vector<std::pair<std::string, std::string>> answers = {
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello"},
      {"HTTP/1.1 200 OK\r\n\r\nuntil close", "until close"},
      {"HTTP/1.0 200 OK\r\n\r\nold", "old"},
      {"HTTP/1.1 204 No Content\r\n\r\n", ""},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" +
           std::string(kOk),
       "ok"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n",
       "hello"},
  };
  for (const auto& [wire, want] : answers) {
    ScriptedUpstream upstream([&, bytes = wire](RawSocket& socket, int) {
      read_request(socket);
      socket.send(bytes);
    });
    Client client;
    const Outcome outcome = client.ask(at(upstream.port()), "GET", "/");
    ASSERT_TRUE(outcome.body) << wire << outcome.body.error().describe();
    EXPECT_EQ(want, *outcome.body);
  }
}

TEST(Client, ReadsAnswersByteByByte) {
  ScriptedUpstream upstream([&](RawSocket& socket, int) {
    read_request(socket);
    for (const char byte : std::string_view(
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")) {
      socket.send({&byte, 1});
      std::this_thread::sleep_for(200us);
    }
    socket.receive_all(1);
  });
  Client client;
  EXPECT_EQ("hello", *client.ask(at(upstream.port()), "GET", "/").body);
}

TEST(Client, LargeBodiesBothWays) {
  ServerLimits limits;
  limits.body_bytes = 64u << 20;
  ServerThread server(
      [](ServerStream& stream) -> Task<void> {
        Result<std::string> body = co_await stream.read_body(64u << 20);
        if (!body) co_return stream.abort();
        (void)co_await stream.respond({}, std::move(*body));
      },
      limits);
  Client client;
  std::string body(20u << 20, 'x');
  for (std::size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
  const Outcome outcome = client.ask(at(server.port()), "POST", "/", body);
  ASSERT_TRUE(outcome.body) << outcome.body.error().describe();
  EXPECT_EQ(body, *outcome.body);
}

TEST(Client, HeadAnswersHaveNoBody) {
  ScriptedUpstream upstream([&](RawSocket& socket, int) {
    while (!read_request(socket).empty())
      socket.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  });
  Client client;
  for (int i = 0; i < 2; ++i) EXPECT_EQ("", *client.ask(at(upstream.port()), "HEAD", "/").body);
  EXPECT_EQ(1, upstream.connections());
}

TEST(Client, SpeaksOverUnixSockets) {
  ListenAddress address;
  address.unix_path = (std::filesystem::temp_directory_path() /
                       ("gh-net-c-" + std::to_string(::getpid()) + ".sock"))
                          .string();
  ServerThread server(
      [](ServerStream& stream) -> Task<void> {
        const std::string host(stream.request().fields.find("Host").value_or(""));
        (void)co_await stream.respond({}, stream.peer() + " " + host);
      },
      {}, address);
  Client client;
  const auto endpoint = Endpoint::parse("unix:" + address.unix_path);
  ASSERT_TRUE(endpoint);
  EXPECT_EQ("unix localhost", *client.ask(*endpoint, "GET", "/").body);
}

TEST(Client, ResolvesNames) {
  ScriptedUpstream upstream([&](RawSocket& socket, int) {
    read_request(socket);
    socket.send(kOk);
    socket.receive_all(1);
  });
  Client client;
  Endpoint endpoint = at(upstream.port());
  endpoint.host = "localhost";
  const Outcome outcome = client.ask(endpoint, "GET", "/");
  ASSERT_TRUE(outcome.body) << outcome.head.error().describe();
  EXPECT_EQ("ok", *outcome.body);
}

// ---- failures

TEST(Client, NobodyListeningIsUnavailable) {
  std::uint16_t port = 0;
  {
    ScriptedUpstream upstream([](RawSocket&, int) {});
    port = upstream.port();
  }
  Client client;
  const Outcome outcome = client.ask(at(port), "POST", "/", "body");
  ASSERT_FALSE(outcome.head);
  EXPECT_EQ(ErrorCode::unavailable, outcome.head.error().code);
  EXPECT_NE(std::string::npos, outcome.head.error().describe().find(std::to_string(port)));
}

TEST(Client, AnUnknownNameIsUnavailable) {
  Client client;
  Endpoint endpoint = at(80);
  endpoint.host = "no-such-host.invalid";
  EXPECT_EQ(ErrorCode::unavailable, client.ask(endpoint, "GET", "/").head.error().code);
}

TEST(Client, AConnectionThatClosesWhileIdleIsNotUsed) {
  ScriptedUpstream upstream([&](RawSocket& socket, int) {
    read_request(socket);
    socket.send(kOk);
  });
  Client client;
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(client.ask(at(upstream.port()), "POST", "/", "body").body);
    std::this_thread::sleep_for(30ms);
    EXPECT_EQ(i, upstream.connections());
  }
}

// Asks after the loop was busy for a while, so that it has not seen what came meanwhile.
Task<void> ask_after_blocking(ClientPool& pool, Endpoint endpoint, Outcome& outcome) {
  std::this_thread::sleep_for(100ms);
  RequestHead head;
  head.method = "POST";
  head.target = "/";
  return ask_into(pool, std::move(endpoint), std::move(head), "body", nullptr, outcome);
}

// The race: the kept connection is gone already when the request is written.
TEST(Client, RetriesWhenAReusedConnectionTookNothing) {
  std::atomic<int> requests{0};
  ScriptedUpstream upstream([&](RawSocket& socket, int number) {
    read_request(socket);
    ++requests;
    socket.send(kOk);
    if (number > 1) {
      socket.receive_all(1);
      return;
    }
    std::this_thread::sleep_for(30ms);
    socket.reset();
  });
  Client client;
  ASSERT_TRUE(client.ask(at(upstream.port()), "POST", "/", "body").body);
  Outcome second;
  client.thread().run_task(
      [&] { return ask_after_blocking(client.pool(), at(upstream.port()), second); });
  ASSERT_TRUE(second.body) << second.head.error().describe();
  EXPECT_EQ("ok", *second.body);
  EXPECT_EQ(2, requests);
  EXPECT_EQ(2, upstream.connections());
}

// The upstream has read the request and closes without a word: it may have been carried out.
TEST(Client, DoesNotRepeatARequestThatWasSent) {
  std::atomic<int> requests{0};
  ScriptedUpstream upstream([&](RawSocket& socket, int) {
    read_request(socket);
    ++requests;
    socket.send(kOk);
    if (!read_request(socket).empty()) ++requests;
  });
  Client client;
  ASSERT_TRUE(client.ask(at(upstream.port()), "POST", "/", "body").body);
  const Outcome second = client.ask(at(upstream.port()), "POST", "/", "body");
  ASSERT_FALSE(second.head);
  EXPECT_EQ(ErrorCode::data_loss, second.head.error().code);
  EXPECT_EQ(2, requests);
  EXPECT_EQ(1, upstream.connections());
}

TEST(Client, DoesNotRetryOnAFreshConnection) {
  ScriptedUpstream upstream([&](RawSocket& socket, int) { read_request(socket); });
  Client client;
  const Outcome outcome = client.ask(at(upstream.port()), "POST", "/", "body");
  EXPECT_EQ(ErrorCode::data_loss, outcome.head.error().code);
  EXPECT_EQ(1, upstream.connections());
}

TEST(Client, DoesNotRetryOnceTheAnswerBegan) {
  ScriptedUpstream upstream([&](RawSocket& socket, int) {
    read_request(socket);
    socket.send(kOk);
    read_request(socket);
    socket.send("HTTP/1.1 2");
  });
  Client client;
  ASSERT_TRUE(client.ask(at(upstream.port()), "POST", "/", "body").body);
  const Outcome second = client.ask(at(upstream.port()), "POST", "/", "body");
  EXPECT_EQ(ErrorCode::data_loss, second.head.error().code);
  EXPECT_EQ(1, upstream.connections());
}

TEST(Client, ACutBodyIsDataLoss) {
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    ScriptedUpstream upstream([&](RawSocket& socket, int) {
      read_request(socket);
      socket.send(answer);
    });
    Client client;
    const Outcome outcome = client.ask(at(upstream.port()), "GET", "/");
    ASSERT_TRUE(outcome.head) << answer;
    ASSERT_FALSE(outcome.body) << answer;
    EXPECT_EQ(ErrorCode::data_loss, outcome.body.error().code) << answer;
  }
}

TEST(Client, ResetMidBodyIsDataLossEvenWithoutFraming) {
  ScriptedUpstream upstream([&](RawSocket& socket, int) {
    read_request(socket);
    socket.send("HTTP/1.1 200 OK\r\n\r\npart");
    std::this_thread::sleep_for(50ms);
    socket.reset();
  });
  Client client;
  const Outcome outcome = client.ask(at(upstream.port()), "GET", "/");
  ASSERT_TRUE(outcome.head);
  EXPECT_EQ(ErrorCode::data_loss, outcome.body.error().code);
}

TEST(Client, AMalformedAnswerIsInvalid) {
  for (const char* answer :
       {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n"}) {
    ScriptedUpstream upstream([&](RawSocket& socket, int) {
      read_request(socket);
      socket.send(answer);
      socket.receive_all(1);
    });
    Client client;
    const Outcome outcome = client.ask(at(upstream.port()), "GET", "/");
    ASSERT_FALSE(outcome.head) << answer;
    EXPECT_EQ(ErrorCode::invalid_argument, outcome.head.error().code) << answer;
  }
}

TEST(Client, SurplusBytesEndTheConnection) {
  ScriptedUpstream upstream([&](RawSocket& socket, int number) {
    while (!read_request(socket).empty())
      socket.send(number == 1
                      ? std::string(kOk) + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
                      : std::string(kOk));
  });
  Client client;
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = client.ask(at(upstream.port()), "GET", "/");
    ASSERT_TRUE(outcome.body);
    EXPECT_EQ("ok", *outcome.body);
  }
  EXPECT_EQ(2, upstream.connections());
}

TEST(Client, AnEarlyAnswerIsReadThoughTheBodyIsNot) {
  ScriptedUpstream upstream([&](RawSocket& socket, int) {
    socket.receive(1'000);
    socket.send("HTTP/1.1 413 No\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
    socket.shut_down_output();
    socket.receive_all(1);
  });
  Client client;
  const Outcome outcome = client.ask(at(upstream.port()), "POST", "/", std::string(8u << 20, 'x'));
  ASSERT_TRUE(outcome.head) << outcome.head.error().describe();
  EXPECT_EQ(413, outcome.head->status);
}

Task<void> read_limited(ClientPool& pool, Endpoint endpoint, Result<std::string>& got) {
  RequestHead head;
  head.method = "GET";
  head.target = "/";
  auto stream = co_await pool.request(std::move(endpoint), std::move(head), "", nullptr);
  if (stream) got = co_await (*stream)->read_all(3);
}

TEST(Client, ReadAllHasALimit) {
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"}) {
    ScriptedUpstream upstream([&](RawSocket& socket, int) {
      read_request(socket);
      socket.send(answer);
      socket.receive_all(1);
    });
    Client client;
    Result<std::string> got = std::string();
    client.thread().run_task([&] { return read_limited(client.pool(), at(upstream.port()), got); });
    ASSERT_FALSE(got);
    EXPECT_EQ(ErrorCode::resource_exhausted, got.error().code);
  }
}

// ---- deadlines

ClientLimits short_limits() {
  ClientLimits limits;
  limits.connect_timeout = 300ms;
  limits.first_byte_timeout = 300ms;
  limits.read_timeout = 300ms;
  limits.idle_timeout = 300ms;
  return limits;
}

TEST(Client, NoAnswerInTime) {
  ScriptedUpstream upstream([&](RawSocket& socket, int) { socket.receive_all(5); });
  Client client(short_limits());
  const auto before = std::chrono::steady_clock::now();
  const Outcome outcome = client.ask(at(upstream.port()), "GET", "/");
  EXPECT_EQ(ErrorCode::deadline_exceeded, outcome.head.error().code);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 1s);
}

TEST(Client, InterimAnswersDoNotMoveTheDeadline) {
  ScriptedUpstream upstream([&](RawSocket& socket, int) {
    read_request(socket);
    for (int i = 0; i < 6; ++i) {
      socket.send("HTTP/1.1 103 Early Hints\r\n\r\n");
      std::this_thread::sleep_for(150ms);
    }
  });
  Client client(short_limits());
  EXPECT_EQ(ErrorCode::deadline_exceeded,
            client.ask(at(upstream.port()), "GET", "/").head.error().code);
}

TEST(Client, ASilentBodyIsCutOff) {
  ScriptedUpstream upstream([&](RawSocket& socket, int) {
    read_request(socket);
    socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    socket.receive_all(5);
  });
  Client client(short_limits());
  const Outcome outcome = client.ask(at(upstream.port()), "GET", "/");
  ASSERT_TRUE(outcome.head);
  EXPECT_EQ(ErrorCode::deadline_exceeded, outcome.body.error().code);
}

TEST(Client, IdleConnectionsAreClosedInTime) {
  std::atomic<bool> closed{false};
  ScriptedUpstream upstream([&](RawSocket& socket, int) {
    read_request(socket);
    socket.send(kOk);
    closed = socket.peer_closed(3);
  });
  Client client(short_limits());
  ASSERT_TRUE(client.ask(at(upstream.port()), "GET", "/").body);
  EXPECT_TRUE(wait_until([&] { return closed.load(); }));
}

TEST(Client, HasALimitOfConnections) {
  std::atomic<bool> release{false};
  ScriptedUpstream upstream([&](RawSocket& socket, int) {
    read_request(socket);
    wait_until([&] { return release.load(); });
    socket.send(kOk);
    socket.receive_all(1);
  });
  ClientLimits limits;
  limits.connections = 1;
  Client client(limits);
  Outcome first;
  std::thread other([&] { first = client.ask(at(upstream.port()), "GET", "/"); });
  ASSERT_TRUE(wait_until([&] { return upstream.connections() == 1; }));
  const Outcome second = client.ask(at(upstream.port()), "GET", "/");
  EXPECT_EQ(ErrorCode::resource_exhausted, second.head.error().code);
  release = true;
  other.join();
  EXPECT_TRUE(first.body);
}

// ---- cancelling

TEST(Client, CancelClosesTheConnectionAtOnce) {
  std::atomic<bool> asked{false};
  std::atomic<bool> closed{false};
  ScriptedUpstream upstream([&](RawSocket& socket, int number) {
    read_request(socket);
    if (number == 2) {
      socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    }
    asked = true;
    closed = socket.peer_closed(5);
  });
  Client client;
  for (const bool mid_body : {false, true}) {
    asked = closed = false;
    CancelSource cancel;
    Outcome outcome;
    std::thread other([&] { outcome = client.ask(at(upstream.port()), "GET", "/", "", &cancel); });
    ASSERT_TRUE(wait_until([&] { return asked.load(); }));
    std::this_thread::sleep_for(20ms);
    client.thread().run([&] { cancel.cancel(); });
    other.join();
    EXPECT_TRUE(wait_until([&] { return closed.load(); }, 500));
    EXPECT_EQ(mid_body, outcome.head.has_value());
    EXPECT_EQ(ErrorCode::cancelled,
              mid_body ? outcome.body.error().code : outcome.head.error().code);
  }
}

TEST(Client, AlreadyCancelledSendsNothing) {
  ScriptedUpstream upstream([&](RawSocket& socket, int) { socket.receive_all(1); });
  Client client;
  CancelSource cancel;
  cancel.cancel();
  const Outcome outcome = client.ask(at(upstream.port()), "GET", "/", "", &cancel);
  EXPECT_EQ(ErrorCode::cancelled, outcome.head.error().code);
  EXPECT_EQ(0, upstream.connections());
}

TEST(Client, CancellingLaterDoesNotTouchAConnectionThatIsBackInThePool) {
  ScriptedUpstream upstream([&](RawSocket& socket, int) {
    while (!read_request(socket).empty()) socket.send(kOk);
  });
  Client client;
  CancelSource cancel;
  ASSERT_TRUE(client.ask(at(upstream.port()), "GET", "/", "", &cancel).body);
  client.thread().run([&] { cancel.cancel(); });
  ASSERT_TRUE(client.ask(at(upstream.port()), "GET", "/").body);
  EXPECT_EQ(1, upstream.connections());
}

Task<void> drop_unread(ClientPool& pool, Endpoint endpoint) {
  RequestHead head;
  head.method = "GET";
  head.target = "/";
  auto stream = co_await pool.request(std::move(endpoint), std::move(head), "", nullptr);
  EXPECT_TRUE(stream);
}

TEST(Client, AnAnswerDroppedUnreadClosesItsConnection) {
  std::atomic<bool> closed{false};
  ScriptedUpstream upstream([&](RawSocket& socket, int) {
    read_request(socket);
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart");
    closed = socket.peer_closed(5);
  });
  Client client;
  client.thread().run_task([&] { return drop_unread(client.pool(), at(upstream.port())); });
  EXPECT_TRUE(wait_until([&] { return closed.load(); }, 1'000));
}

// ---- the two together: a client that leaves cancels the upstream request

struct Proxy {
  std::optional<ClientPool> pool;
  Endpoint upstream;
  std::atomic<int> ended{0};
};

Task<void> forward(ServerStream& client, Proxy& proxy) {
  RequestHead head = client.request();
  auto upstream =
      co_await proxy.pool->request(proxy.upstream, std::move(head), "", &client.disconnected());
  if (upstream) {
    client.begin((*upstream)->head());
    for (;;) {
      std::string bytes;
      const Result<bool> more = co_await (*upstream)->read_some(bytes);
      if (!more || !*more) break;
      const Result<void> written = co_await client.write(std::move(bytes));
      if (!written) break;
    }
    (void)co_await client.end();
  }
  ++proxy.ended;
}

TEST(Proxy, ALeavingClientCancelsTheUpstreamRequest) {
  for (const bool mid_stream : {false, true}) {
    std::atomic<bool> asked{false};
    std::atomic<bool> closed{false};
    ScriptedUpstream upstream([&](RawSocket& socket, int) {
      read_request(socket);
      if (mid_stream)
        socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
      asked = true;
      closed = socket.peer_closed(5);
    });
    Proxy proxy;
    proxy.upstream = at(upstream.port());
    ServerThread server([&](ServerStream& stream) { return forward(stream, proxy); });
    server.run([&] { proxy.pool.emplace(server.loop(), ClientLimits{}, nullptr); });
    auto client = RawSocket::connect(server.port());
    client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(wait_until([&] { return asked.load(); }));
    if (mid_stream) client.receive(100, 1);
    client.close();
    EXPECT_TRUE(wait_until([&] { return closed.load() && proxy.ended == 1; }, 1'000));
    server.run([&] { proxy.pool.reset(); });
  }
}

}  // namespace
}  // namespace gatehouse::net
