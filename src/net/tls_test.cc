#include "net/tls.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>

#include "net_test_support.h"

namespace gatehouse::net {
namespace {

using namespace std::chrono_literals;
using testing::LoopThread;
using testing::RawSocket;
using testing::ServerThread;
using testing::wait_until;

// A self-signed certificate, made here, in files that go away with it.
class Certificate {
 public:
  explicit Certificate(const std::string& subject_alternative_names) {
    static int number = 0;
    directory_ = std::filesystem::temp_directory_path() /
                 ("gh-tls-" + std::to_string(::getpid()) + "-" + std::to_string(number++));
    std::filesystem::create_directories(directory_);
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3'600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                                subject_alternative_names.c_str());
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    FILE* file = std::fopen(path().c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
    file = std::fopen(key_path().c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~Certificate() { std::filesystem::remove_all(directory_); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  std::string path() const { return directory_ / "certificate.pem"; }
  std::string key_path() const { return directory_ / "key.pem"; }

 private:
  std::filesystem::path directory_;
};

Task<void> echo(ServerStream& stream) {
  Result<std::string> body = co_await stream.read_body(32u << 20);
  if (!body) co_return stream.abort();
  (void)co_await stream.respond({}, std::move(*body));
}

Task<void> ask_into(ClientPool& pool, Endpoint endpoint, std::string body, int times,
                    Result<std::string>& got) {
  for (int i = 0; i < times; ++i) {
    RequestHead head;
    head.method = "POST";
    head.target = "/";
    auto stream = co_await pool.request(endpoint, std::move(head), body, nullptr);
    if (!stream) {
      got = std::unexpected(stream.error());
      co_return;
    }
    got = co_await (*stream)->read_all(32u << 20);
  }
}

struct TlsPair {
  TlsPair(const Certificate& served, const std::string& trusted) {
    auto server_context = TlsContext::server(served.path(), served.key_path());
    EXPECT_TRUE(server_context) << server_context.error().describe();
    auto client_context = TlsContext::client(trusted);
    EXPECT_TRUE(client_context) << client_context.error().describe();
    server = std::make_unique<ServerThread>(echo, ServerLimits{}, ListenAddress{}, *server_context);
    client.run([&] { pool.emplace(client.loop(), ClientLimits{}, *client_context); });
  }
  ~TlsPair() {
    client.run([&] { pool.reset(); });
  }
  Result<std::string> ask(const std::string& host, std::string body, int times = 1) {
    Endpoint endpoint;
    endpoint.host = host;
    endpoint.port = server->port();
    endpoint.tls = true;
    Result<std::string> got = fail(ErrorCode::internal, "not asked");
    client.run_task([&] { return ask_into(*pool, endpoint, std::move(body), times, got); });
    return got;
  }
  std::unique_ptr<ServerThread> server;
  LoopThread client;
  std::optional<ClientPool> pool;
};

TEST(Tls, CarriesRequestsOnOneConnection) {
  const Certificate certificate("DNS:localhost,IP:127.0.0.1");
  TlsPair pair(certificate, certificate.path());
  const auto got = pair.ask("localhost", "hello", 3);
  ASSERT_TRUE(got) << got.error().describe();
  EXPECT_EQ("hello", *got);
  EXPECT_EQ(1u, pair.server->server().connections());
  const auto by_address = pair.ask("127.0.0.1", "again");
  ASSERT_TRUE(by_address) << by_address.error().describe();
}

TEST(Tls, CarriesLargeBodies) {
  const Certificate certificate("DNS:localhost");
  TlsPair pair(certificate, certificate.path());
  std::string body(10u << 20, 'x');
  for (std::size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
  const auto got = pair.ask("localhost", body);
  ASSERT_TRUE(got) << got.error().describe();
  EXPECT_EQ(body, *got);
}

TEST(Tls, ResumesSessions) {
  const Certificate certificate("DNS:localhost");
  TlsPair pair(certificate, certificate.path());
  for (int i = 0; i < 3; ++i) {
    const auto got = pair.ask("localhost", "hello");
    ASSERT_TRUE(got) << got.error().describe();
    pair.client.run([&] { pair.pool->close_idle(); });
  }
}

TEST(Tls, RefusesACertificateForAnotherName) {
  const Certificate certificate("DNS:other.example");
  TlsPair pair(certificate, certificate.path());
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const auto got = pair.ask(host, "secret");
    ASSERT_FALSE(got);
    EXPECT_EQ(ErrorCode::unavailable, got.error().code);
    EXPECT_NE(std::string::npos, got.error().describe().find("certificate"))
        << got.error().describe();
  }
}

TEST(Tls, RefusesACertificateNobodyTrusts) {
  const Certificate certificate("DNS:localhost");
  const Certificate other("DNS:localhost");
  TlsPair pair(certificate, other.path());
  const auto got = pair.ask("localhost", "secret");
  ASSERT_FALSE(got);
  EXPECT_EQ(ErrorCode::unavailable, got.error().code);
}

TEST(Tls, NamesTheFileThatIsWrong) {
  const Certificate one("DNS:a");
  const Certificate two("DNS:b");
  auto missing = TlsContext::server("/no/such/file.pem", one.key_path());
  ASSERT_FALSE(missing);
  EXPECT_NE(std::string::npos, missing.error().describe().find("/no/such/file.pem"));
  auto mismatch = TlsContext::server(one.path(), two.key_path());
  ASSERT_FALSE(mismatch);
  EXPECT_NE(std::string::npos, mismatch.error().describe().find(two.key_path()));
  auto no_ca = TlsContext::client("/no/such/ca.pem");
  ASSERT_FALSE(no_ca);
  EXPECT_NE(std::string::npos, no_ca.error().describe().find("/no/such/ca.pem"));
}

TEST(Tls, AnHttpsUpstreamNeedsAContext) {
  LoopThread thread;
  std::optional<ClientPool> pool;
  Endpoint endpoint;
  endpoint.host = "127.0.0.1";
  endpoint.tls = true;
  testing::ScriptedUpstream upstream([](RawSocket&, int) {});
  endpoint.port = upstream.port();
  Result<std::string> got = std::string();
  thread.run([&] { pool.emplace(thread.loop(), ClientLimits{}, nullptr); });
  thread.run_task([&] { return ask_into(*pool, endpoint, "x", 1, got); });
  EXPECT_FALSE(got);
  thread.run([&] { pool.reset(); });
}

TEST(Tls, PlainBytesAndSilenceDoNotHoldTheServer) {
  const Certificate certificate("DNS:localhost");
  auto context = TlsContext::server(certificate.path(), certificate.key_path());
  ASSERT_TRUE(context);
  ServerLimits limits;
  limits.header_timeout = 300ms;
  ServerThread server(echo, limits, {}, *context);
  auto plain = RawSocket::connect(server.port());
  plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  plain.receive_all(2);
  auto silent = RawSocket::connect(server.port());
  EXPECT_TRUE(silent.peer_closed(2));
  EXPECT_TRUE(wait_until([&] { return server.server().connections() == 0; }));
}

TEST(Tls, SilentClientsDoNotKeepOthersOut) {
  const Certificate certificate("IP:127.0.0.1");
  TlsPair pair(certificate, certificate.path());
  std::vector<RawSocket> silent;
  for (int i = 0; i < 300; ++i) silent.push_back(RawSocket::connect(pair.server->port()));
  EXPECT_EQ("hello", pair.ask("127.0.0.1", "hello").value());
  EXPECT_TRUE(silent.front().peer_closed());
}

}  // namespace
}  // namespace gatehouse::net
