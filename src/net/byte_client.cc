// See byte_client.h.
#include "net/byte_client.h"

#include <algorithm>
#include <vector>

#include "net/address.h"
#include "net/blocking_pool.h"
#include "net/mailbox.h"
#include "net/signal.h"
#include "net/stream.h"
#include "net/tls_session.h"

namespace gatehouse::net {
namespace {

constexpr std::size_t input_bytes = 16u << 10;
constexpr Milliseconds least_connect_time{500};

Milliseconds left_until(std::int64_t end_ms) {
  return Milliseconds(std::max<std::int64_t>(end_ms - coarse_now_ms(), 0));
}

using Addresses = Result<std::vector<SocketAddress>>;

// By the system's resolver, on a thread that may block.
Task<Addresses> resolve(Loop& loop, Endpoint endpoint, Milliseconds timeout) {
  auto signal = std::make_shared<Signal>(loop);
  auto answer = std::make_shared<Addresses>(fail(ErrorCode::unavailable, "not resolved"));
  auto job = [answer, signal, mailbox = mailbox_of(loop), endpoint]() mutable {
    auto addresses = resolve_name(endpoint.host, endpoint.port);
    mailbox->post([answer, signal = std::move(signal), got = std::move(addresses)]() mutable {
      *answer = std::move(got);
      signal->raise();
    });
  };
  if (!shared_resolver_pool()->submit(std::move(job)))
    co_return fail(ErrorCode::unavailable, "too many names are being resolved", endpoint.host);
  if (!co_await signal->wait(timeout))
    co_return fail(ErrorCode::unavailable, "the name was not resolved in time", endpoint.host);
  co_return std::move(*answer);
}

Task<Addresses> addresses_of(Loop& loop, Endpoint endpoint, Milliseconds timeout) {
  if (!endpoint.unix_path.empty()) {
    const auto address = unix_address(endpoint.unix_path);
    if (!address) co_return std::unexpected(address.error());
    co_return std::vector{*address};
  }
  if (const auto numeric = numeric_address(endpoint.host, endpoint.port))
    co_return std::vector{*numeric};
  co_return co_await resolve(loop, endpoint, timeout);
}

Task<Result<void>> secure(std::shared_ptr<Stream> stream, Endpoint endpoint,
                          std::shared_ptr<TlsContext> tls, Milliseconds timeout) {
  if (!tls) co_return fail(ErrorCode::failed_precondition, "no TLS context", endpoint.host);
  auto session = TlsSession::client(*tls, endpoint.host, nullptr);
  if (!session) co_return std::unexpected(std::move(session).error());
  stream->read_deadline().arm(timeout);
  Result<void> result = co_await stream->handshake(std::move(*session));
  stream->read_deadline().disarm();
  co_return result;
}

Task<Result<std::shared_ptr<Stream>>> connect_to(Loop& loop, SocketAddress address,
                                                 Endpoint endpoint, std::shared_ptr<TlsContext> tls,
                                                 Milliseconds timeout) {
  auto started = Stream::start_connecting(loop, address.storage, address.size, input_bytes);
  if (!started) co_return std::unexpected(std::move(started).error());
  const std::shared_ptr<Stream> stream = std::move(*started);
  const std::int64_t end_ms = coarse_now_ms() + timeout.count();
  Result<void> result = co_await stream->connected(timeout);
  if (result && endpoint.tls)
    result =
        co_await secure(stream, endpoint, tls, std::max(left_until(end_ms), least_connect_time));
  if (result) co_return stream;
  stream->close();
  co_return std::unexpected(std::move(result).error());
}

// After the peer's end: whether our own end has been acknowledged too. A reset that is on its way
// comes within this time or finds the bytes unacknowledged.
Task<bool> all_acknowledged(std::shared_ptr<Stream> stream) {
  constexpr int looks = 200;
  constexpr Milliseconds between{10};
  for (int look = 0; look < looks; ++look) {
    const auto left = stream->unacknowledged();
    if (!left) co_return false;
    if (*left == 0) co_return true;
    co_await stream->loop().sleep(between);
  }
  co_return false;
}

}  // namespace

ByteClient::ByteClient(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}

ByteClient::~ByteClient() {
  stream_->close();
}

Task<Result<std::unique_ptr<ByteClient>>> ByteClient::connect(Loop& loop, Endpoint endpoint,
                                                              std::shared_ptr<TlsContext> tls,
                                                              Milliseconds timeout) {
  const std::int64_t end_ms = coarse_now_ms() + timeout.count();
  const auto addresses = co_await addresses_of(loop, endpoint, timeout);
  if (!addresses) co_return std::unexpected(addresses.error());
  Error last{ErrorCode::unavailable, "no address", ""};
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    const auto share = left_until(end_ms) / static_cast<int>(addresses->size() - i);
    auto stream = co_await connect_to(loop, (*addresses)[i], endpoint, tls,
                                      std::max(share, least_connect_time));
    if (stream) {
      (*stream)->start_reading();
      co_return std::unique_ptr<ByteClient>(new ByteClient(std::move(*stream)));
    }
    last = stream.error();
  }
  co_return fail(ErrorCode::unavailable, last.describe(), endpoint.authority());
}

Task<Result<void>> ByteClient::write(const std::string& bytes, Milliseconds timeout) {
  const std::shared_ptr<Stream> stream = stream_;
  Stream::Parts parts;
  parts[0] = {const_cast<char*>(bytes.data()), bytes.size()};  // NOLINT: iovec is not const-correct
  const IoStatus status = co_await stream->write(parts, 1, timeout);
  if (status == IoStatus::ok) co_return Result<void>{};
  if (status == IoStatus::deadline)
    co_return fail(ErrorCode::deadline_exceeded, "the peer does not read");
  co_return fail(ErrorCode::data_loss, "the connection broke: " + stream->failure());
}

bool ByteClient::is_open() {
  stream_->consume(stream_->input().size());
  stream_->start_reading();
  return !stream_->closed() && !stream_->input_ended();
}

Task<Result<ByteClient::End>> ByteClient::finish(Milliseconds timeout) {
  const std::shared_ptr<Stream> stream = stream_;
  stream->shut_down_output();
  stream->read_deadline().arm(timeout);
  IoStatus status = IoStatus::ok;
  while (status == IoStatus::ok || status == IoStatus::full) {
    stream->consume(stream->input().size());
    status = co_await stream->more_input();
  }
  stream->read_deadline().disarm();
  const bool ended = status == IoStatus::eof || status == IoStatus::truncated;
  if (status == IoStatus::deadline && stream->unacknowledged() == 0) co_return End::acknowledged;
  if (ended && co_await all_acknowledged(stream)) co_return End::read;
  co_return fail(ErrorCode::data_loss,
                 "the connection ended before the peer had everything: " + stream->failure());
}

}  // namespace gatehouse::net
