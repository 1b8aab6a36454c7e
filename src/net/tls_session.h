// One TLS connection as a pure transformation: ciphertext in, plaintext out, and back. No sockets.
// OpenSSL works on memory; stream.cc moves the ciphertext. Loop thread only.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/tls.h"

namespace gatehouse::net {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};

struct TlsContext::Impl {
  std::unique_ptr<SSL_CTX, FreeSsl> context;
};

class TlsSession {
 public:
  enum class Step { progress, want_input, closed, failed };
  using Resumption = std::shared_ptr<SSL_SESSION>;

  static std::unique_ptr<TlsSession> server(TlsContext& context);
  // Verifies that the peer's certificate is for `host` (a name or an address).
  static Result<std::unique_ptr<TlsSession>> client(TlsContext& context, const std::string& host,
                                                    const Resumption& resume);

  void feed(std::string_view ciphertext);
  Step handshake();  // progress: complete
  Step read(char* out, std::size_t room, std::size_t& got);
  bool write(std::string_view plaintext);  // false: failed
  void shut_down();                        // queues close_notify
  std::string_view output() const;         // ciphertext to be sent
  void drop_output(std::size_t bytes);
  const std::string& error() const { return error_; }  // what the last failure was
  Resumption resumption() const;                       // client, after some reading
  // The client's, after the handshake; nothing when it showed none. Error: cannot be read.
  Result<std::optional<PeerCertificate>> peer_certificate() const;

 private:
  TlsSession(TlsContext& context, bool is_server);
  Step explain(int result);

  std::unique_ptr<SSL, FreeSsl> ssl_;
  BIO* from_peer_ = nullptr;  // owned by ssl_
  BIO* to_peer_ = nullptr;    // owned by ssl_
  std::string error_;
};

}  // namespace gatehouse::net
