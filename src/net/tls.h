// TLS for both sides, OpenSSL 3 behind it. TLS 1.2 and newer; verification of the peer is on and
// can only be pointed at another CA file, not switched off. Immutable after making; shared.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace gatehouse::net {

// The certificate a client showed, verified up to the configured authorities. RFC 5280.
struct PeerCertificate {
  std::string sha256;               // of the DER, 32 bytes: RFC 8705's thumbprint
  std::vector<std::string> uris;    // of the subject's alternative names
  std::string subject;              // RFC 2253
  std::string serial;               // hex
  bool authority = false;           // a CA certificate
  bool may_sign = false;            // keyUsage has digitalSignature
  bool signs_certificates = false;  // keyUsage has keyCertSign or cRLSign
  WallTime expires;
};

// What to do about clients' certificates.
struct ClientAuthentication {
  std::string ca_file;    // PEM; empty: none are asked for
  bool required = false;  // else who shows none comes in without
};

class TlsContext {
 public:
  // PEM files. Error: which file, and what OpenSSL said.
  static Result<std::shared_ptr<TlsContext>> server(const std::string& certificate_file,
                                                    const std::string& key_file,
                                                    const ClientAuthentication& clients = {});
  // Empty ca_file: the system's trust store.
  static Result<std::shared_ptr<TlsContext>> client(const std::string& ca_file);

  struct Impl;
  explicit TlsContext(std::unique_ptr<Impl> impl);
  ~TlsContext();
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace gatehouse::net
