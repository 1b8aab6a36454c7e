// TLS for both sides, OpenSSL 3 behind it. TLS 1.2 and newer; verification of the peer is on and
// can only be pointed at another CA file, not switched off. Immutable after making; shared.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace gatehouse::net {

class TlsContext {
 public:
  // PEM files. Error: which file, and what OpenSSL said.
  static Result<std::shared_ptr<TlsContext>> server(const std::string& certificate_file,
                                                    const std::string& key_file);
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
