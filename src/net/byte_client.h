// A connection to one peer as plain bytes, for protocols that are not HTTP and where only we speak
// (syslog): TCP or a unix socket, plain or TLS. Loop thread only.
//
// What a peer has taken is known only at the end: finish() ends our side and waits for the peer's
// end. A peer that reads up to our end and then closes has read everything; one that dies or closes
// with bytes unread resets the connection instead. TCP's acknowledgement alone says only that the
// peer's kernel has the bytes.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "net/client.h"
#include "net/deadline.h"
#include "net/loop.h"
#include "net/task.h"
#include "net/tls.h"

namespace gatehouse::net {

class Stream;

class ByteClient {
 public:
  // Resolves, connects and, for endpoint.tls, shakes hands and verifies the peer's name. The time
  // is for all of it. Error: unavailable.
  static Task<Result<std::unique_ptr<ByteClient>>> connect(Loop& loop, Endpoint endpoint,
                                                           std::shared_ptr<TlsContext> tls,
                                                           Milliseconds timeout);
  ~ByteClient();  // closes

  // Until the kernel has taken all. `bytes` must stay until then. Errors: deadline_exceeded,
  // data_loss (the connection broke: how much arrived is not known).
  Task<Result<void>> write(const std::string& bytes, Milliseconds timeout);

  // False when the peer has ended or broken the connection. What it said is dropped.
  bool is_open();

  enum class End : std::uint8_t {
    read,          // the peer has read everything and closed
    acknowledged,  // the peer's kernel has everything; the peer did not close in time
  };
  // The end of it, once. Error data_loss: not everything arrived, or nobody knows.
  Task<Result<End>> finish(Milliseconds timeout);

 private:
  explicit ByteClient(std::shared_ptr<Stream> stream);
  std::shared_ptr<Stream> stream_;
};

}  // namespace gatehouse::net
