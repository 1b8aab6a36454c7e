// The log over HTTP as a stranger sees it, on a real socket. Whole trees are read by another
// program in tests/interop.
#include "api/log_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "base/clock.h"
#include "base/id.h"
#include "base/random.h"
#include "crypto/crypto.h"
#include "ledger/ledger.h"

namespace gatehouse::api {
namespace {

class LogServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        std::filesystem::temp_directory_path() / ("log_server_test." + make_uuid7(clock_, random_));
    std::filesystem::create_directories(directory_);
    ledger::Options options;
    options.directory = directory_ / "log";
    options.origin = "example.org/log";
    options.segment_bytes = 1u << 20;
    std::array<std::byte, 32> seed{};
    ledger_ = ledger::Ledger::open(options, crypto::SigningKey::from_seed(seed), clock_).value();
    append(300);
  }
  void TearDown() override {
    server_.reset();
    ledger_.reset();
    std::filesystem::remove_all(directory_);
  }

  void append(int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(ledger_->append("entry", [](auto) {}));
    ASSERT_TRUE(ledger_->checkpoint_now());
  }

  void serve(LogServerOptions options = {}) {
    options.directory = directory_ / "log";
    server_ = LogServer::start(std::move(options)).value();
  }

  // The whole answer to one request on a connection of its own.
  std::string ask(const std::string& request) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    GH_CHECK(fd >= 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::send(fd, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    std::string answer;
    std::array<char, 16'384> piece;
    ssize_t got = 0;
    while ((got = ::recv(fd, piece.data(), piece.size(), 0)) > 0)
      answer.append(piece.data(), static_cast<std::size_t>(got));
    ::close(fd);
    return answer;
  }
  std::string request(const std::string& method, const std::string& target,
                      const std::string& more = "") {
    return ask(method + ' ' + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + more +
               "\r\n");
  }
  std::string get(const std::string& target, const std::string& more = "") {
    return request("GET", target, more);
  }
  static std::string status(const std::string& answer) { return answer.substr(9, 3); }
  static std::string body(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }
  static std::string field(const std::string& answer, const std::string& name) {
    const auto at = answer.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const auto begin = at + 4 + name.size();
    return answer.substr(begin, answer.find("\r\n", begin) - begin);
  }

  SystemClock clock_;
  SystemRandom random_;
  std::filesystem::path directory_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<LogServer> server_;
};

TEST_F(LogServerTest, ServesCheckpointAndTiles) {
  serve();
  const auto checkpoint = get("/checkpoint");
  EXPECT_EQ(status(checkpoint), "200");
  EXPECT_EQ(field(checkpoint, "Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(field(checkpoint, "Cache-Control"), "no-cache");
  EXPECT_TRUE(body(checkpoint).starts_with("example.org/log\n300\n"));
  const auto full = get("/tile/0/000");
  EXPECT_EQ(status(full), "200");
  EXPECT_EQ(field(full, "Content-Type"), "application/octet-stream");
  EXPECT_EQ(field(full, "Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(field(full, "Content-Encoding"), "");
  EXPECT_EQ(body(full).size(), 8192u);
  EXPECT_EQ(body(get("/tile/0/001.p/44")).size(), 44u * 32);
  EXPECT_EQ(body(get("/tile/1/000.p/1")).size(), 32u);
}

TEST_F(LogServerTest, AnswersHeadWithoutABody) {
  serve();
  const auto head = request("HEAD", "/tile/0/000");
  EXPECT_EQ(status(head), "200");
  EXPECT_EQ(field(head, "Content-Length"), "8192");
  EXPECT_EQ(body(head), "");
}

TEST_F(LogServerTest, SaysWhenNothingChanged) {
  serve();
  for (const char* target : {"/checkpoint", "/tile/0/000"}) {
    const auto etag = field(get(target), "ETag");
    ASSERT_EQ(etag.size(), 34u);
    for (const auto& tags : {etag, "W/" + etag, "\"x\", " + etag, std::string("*")}) {
      const auto again = get(target, "If-None-Match: " + tags + "\r\n");
      EXPECT_EQ(status(again), "304") << tags;
      EXPECT_EQ(body(again), "");
    }
    EXPECT_EQ(status(get(target, "If-None-Match: \"x\"\r\n")), "200");
  }
  const auto etag = field(get("/checkpoint"), "ETag");
  append(1);
  EXPECT_EQ(status(get("/checkpoint", "If-None-Match: " + etag + "\r\n")), "200");
}

TEST_F(LogServerTest, ServesNothingElse) {
  serve();
  for (const char* target :
       {"/", "/log.vkey", "/lock", "/wal/next", "/wal/0000000000000000.wal", "/tmp/checkpoint",
        "/tile/0/0", "/tile/0/000/", "/tile/0/000.p/44", "/checkpoint/", "//checkpoint",
        "/checkpoint?x=1", "/%63heckpoint", "/tile/../checkpoint", "/tile/0/../../log.vkey",
        "/tile/0/002", "/tile/63/000", "/tile/64/000", "/log/checkpoint"}) {
    const auto expected = std::string_view(target) == "/tile/0/000.p/44" ? "200" : "404";
    EXPECT_EQ(status(get(target)), expected) << target;
  }
  const auto posted = request("POST", "/checkpoint", "Content-Length: 0\r\n");
  EXPECT_EQ(status(posted), "405");
  EXPECT_EQ(field(posted, "Allow"), "GET, HEAD");
}

TEST_F(LogServerTest, EntriesOnlyWhenTheyAreToBe) {
  serve();
  EXPECT_EQ(status(get("/tile/entries/000")), "404");
  serve({.directory = {}, .listen = {}, .prefix = {}, .entries = true, .tls = {}});
  const auto bundle = get("/tile/entries/000");
  EXPECT_EQ(status(bundle), "200");
  EXPECT_EQ(body(bundle).size(), 256u * 7);
  EXPECT_EQ(field(bundle, "Cache-Control"), "private, max-age=31536000, immutable");
  EXPECT_EQ(body(get("/tile/entries/001.p/44")).size(), 44u * 7);
}

TEST_F(LogServerTest, APrefixIsPartOfTheName) {
  serve({.directory = {}, .listen = {}, .prefix = "/logs/eu", .tls = {}});
  EXPECT_EQ(status(get("/logs/eu/checkpoint")), "200");
  for (const char* target :
       {"/checkpoint", "/logs/eucheckpoint", "/logs/eu", "/logs/eu//checkpoint"})
    EXPECT_EQ(status(get(target)), "404") << target;
}

TEST_F(LogServerTest, TilesOfAnEarlierCheckpointStay) {
  serve();
  const auto earlier = body(get("/tile/0/001.p/44"));
  append(400);  // tile 001 is full by now and its partial ones are gone
  ASSERT_FALSE(std::filesystem::exists(directory_ / "log/tile/0/001.p"));
  EXPECT_EQ(body(get("/tile/0/001.p/44")), earlier);
}

TEST_F(LogServerTest, AnswersOnTheirWayAreBounded) {
  serve({.directory = {}, .listen = {}, .prefix = {}, .answer_bytes = 8191, .tls = {}});
  const auto refused = get("/tile/0/000");
  EXPECT_EQ(status(refused), "503");
  EXPECT_EQ(field(refused, "Retry-After"), "1");
  EXPECT_EQ(status(get("/checkpoint")), "200");
}

TEST_F(LogServerTest, NeedsALog) {
  LogServerOptions options;
  options.directory = directory_ / "nothing";
  const auto started = LogServer::start(std::move(options));
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace gatehouse::api
