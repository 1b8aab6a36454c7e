// The HTTP/1.1 client and its pool. An Exchange is one request and its answer; it is the
// ClientStream the caller holds, and owns its connection until the body is complete, when the
// connection goes back to the pool at once. Loop thread only.
#include "net/client.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "net/address.h"
#include "net/blocking_pool.h"
#include "net/mailbox.h"
#include "net/parser.h"
#include "net/signal.h"
#include "net/stream.h"
#include "net/tls_session.h"
#include "net/wire.h"

namespace gatehouse::net {
namespace {

constexpr std::size_t kInputBuffer = 36u << 10;  // a head and a body of 32 KiB in one read
constexpr int kInterimLimit = 8;                 // 1xx answers before the real one
constexpr std::size_t kBodyReserve = 1u << 20;
constexpr std::size_t kBodyPadding = 64;           // for JSON readers that look past the end
constexpr std::int64_t kAddressesKeptMs = 10'000;  // how long a name's addresses are believed
constexpr Milliseconds kLeastConnectTime{500};     // for each of several addresses

struct Host;

// An open connection, busy with one exchange or idle in its host's list.
struct ClientConnection {
  ClientConnection(Loop& loop, Host& h, std::shared_ptr<Stream> s);
  ~ClientConnection();
  void rest(Milliseconds idle_timeout);  // into the pool
  void wake();                           // out of it

  Host& host;
  std::shared_ptr<Stream> stream;
  Deadline expiry;
  // Whether it looks fit for a request after its rest.
  bool is_fit() const;

  bool reused = false;

 private:
  std::int64_t resting_since_ms_ = 0;
  static void drop(void* self);
};

struct Host {
  Endpoint endpoint;
  std::string authority;
  std::vector<std::unique_ptr<ClientConnection>> idle;  // the most recently used last
  std::size_t open = 0;                                 // connected or connecting
  std::vector<SocketAddress> addresses;
  std::int64_t addresses_until_ms = 0;
  TlsSession::Resumption session;

  void forget(ClientConnection* connection) {
    std::erase_if(idle, [&](const auto& each) { return each.get() == connection; });
  }
};

}  // namespace

struct ClientPool::Impl {
  Impl(Loop& l, ClientLimits lim, std::shared_ptr<TlsContext> t)
      : loop(l), limits(lim), tls(std::move(t)) {}

  Host& host(const Endpoint& endpoint);
  std::unique_ptr<ClientConnection> take_idle(Host& host);
  void give_back(std::unique_ptr<ClientConnection> connection);
  void close_idle();

  Loop& loop;
  ClientLimits limits;
  std::shared_ptr<TlsContext> tls;
  std::map<Endpoint, Host> hosts;
  bool closed = false;
};

namespace {

// ---- connections

ClientConnection::ClientConnection(Loop& loop, Host& h, std::shared_ptr<Stream> s)
    : host(h), stream(std::move(s)), expiry(loop, drop, this) {
  ++host.open;
}

ClientConnection::~ClientConnection() {
  stream->unwatch();
  stream->close();
  --host.open;
}

void ClientConnection::rest(Milliseconds idle_timeout) {
  resting_since_ms_ = coarse_now_ms();
  expiry.arm(idle_timeout);
  stream->watch(drop, this);
}

void ClientConnection::wake() {
  expiry.disarm();
  stream->unwatch();
  reused = true;
}

// Bytes nobody asked for are not an answer to what comes next. After a longer rest the socket is
// asked too: the end of the connection may have come a moment ago.
bool ClientConnection::is_fit() const {
  constexpr std::int64_t kShortRestMs = 1'000;
  if (coarse_now_ms() - resting_since_ms_ > kShortRestMs) return stream->is_quiet();
  return !stream->closed() && !stream->input_ended() && stream->input().empty();
}

void ClientConnection::drop(void* self) {
  auto* connection = static_cast<ClientConnection*>(self);
  connection->host.forget(connection);
}

}  // namespace

Host& ClientPool::Impl::host(const Endpoint& endpoint) {
  const auto found = hosts.find(endpoint);
  if (found != hosts.end()) return found->second;
  Host made;
  made.authority = endpoint.authority();
  made.endpoint = endpoint;
  return hosts.emplace(endpoint, std::move(made)).first->second;
}

std::unique_ptr<ClientConnection> ClientPool::Impl::take_idle(Host& host) {
  while (!host.idle.empty()) {
    std::unique_ptr<ClientConnection> connection = std::move(host.idle.back());
    host.idle.pop_back();
    connection->wake();
    if (connection->is_fit()) return connection;
  }
  return nullptr;
}

void ClientPool::Impl::give_back(std::unique_ptr<ClientConnection> connection) {
  Host& host = connection->host;
  const Stream& stream = *connection->stream;
  if (closed || stream.closed() || stream.input_ended() || !stream.input().empty() ||
      host.idle.size() >= limits.idle_connections)
    return;
  ClientConnection& resting = *connection;
  host.idle.push_back(std::move(connection));
  resting.rest(limits.idle_timeout);
}

void ClientPool::Impl::close_idle() {
  for (auto& [endpoint, host] : hosts) host.idle.clear();
}

namespace {

// ---- one exchange

class Exchange final : public ClientStream {
 public:
  Exchange(std::shared_ptr<ClientPool::Impl> pool, Host& host, CancelSource* cancel);
  ~Exchange() override;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Up to the answer's head.
  Task<Result<void>> run(const RequestHead& request, const std::string& body);

  const ResponseHead& head() const override { return answer_.head; }
  Task<Result<bool>> read_some(std::string& out) override;
  Task<Result<std::string>> read_all(std::size_t max_bytes) override;

 private:
  Task<Result<void>> connect();
  Task<Result<void>> find_addresses();
  Task<Result<void>> connect_to(SocketAddress address, Milliseconds timeout);
  Task<Result<void>> secure(Milliseconds timeout);
  Task<Result<void>> send(const RequestHead& request, const std::string& body);
  Task<Result<void>> receive_head(bool to_head);
  Checked<bool> take_head(bool to_head, std::size_t& scanned, int& interim);
  Result<void> lost(IoStatus status, std::string_view what);
  Checked<void> take_body(std::string& out);
  Result<void> body_ended(IoStatus status);
  Milliseconds connect_time_left() const;
  Stream& stream() { return *connection_->stream; }
  void complete();
  void fail_closed();
  void cancelled();
  std::unexpected<Error> cancelled_error() const {
    return fail(ErrorCode::cancelled, "cancelled", host_.authority);
  }

  std::shared_ptr<ClientPool::Impl> pool_;
  Host& host_;
  CancelSource* cancel_;
  std::unique_ptr<ClientConnection> connection_;
  std::shared_ptr<Stream> connecting_;
  std::shared_ptr<Signal> resolved_;
  std::int64_t connect_until_ms_ = 0;
  ValidResponse answer_;
  std::optional<ChunkedDecoder> chunked_;
  std::uint64_t body_left_ = 0;
  bool cancelled_ = false;
  bool answer_began_ = false;
  bool send_failed_ = false;
  bool nothing_sent_ = false;  // it failed before the first byte
  bool done_ = false;
};

Exchange::Exchange(std::shared_ptr<ClientPool::Impl> pool, Host& host, CancelSource* cancel)
    : pool_(std::move(pool)), host_(host), cancel_(cancel) {
  if (cancel_ != nullptr) cancel_->on_cancel([this] { cancelled(); });
}

Exchange::~Exchange() {
  if (cancel_ != nullptr && !done_) cancel_->on_cancel({});
}

void Exchange::cancelled() {
  cancelled_ = true;
  if (resolved_) resolved_->raise();
  if (connecting_) connecting_->close();
  if (connection_) connection_->stream->close();
}

void Exchange::fail_closed() {
  connection_.reset();
}

Task<Result<void>> Exchange::run(const RequestHead& request, const std::string& body) {
  connection_ = pool_->take_idle(host_);
  for (;;) {
    if (cancelled_) co_return cancelled_error();
    if (!connection_) GH_CO_TRY(co_await connect());
    Result<void> result = co_await send(request, body);
    if (result) {
      result = co_await receive_head(request.method == "HEAD");
    }
    if (result) co_return result;
    // A kept-alive connection may have been closed by the other side just before it was used. Once,
    // and on a new connection: `reused` is false there. Never when the kernel has taken a byte: the
    // upstream may have done what was asked, and who asked decides whether to ask again.
    const bool again = connection_->reused && nothing_sent_ && !answer_began_ && !cancelled_ &&
                       result.error().code == ErrorCode::data_loss;
    fail_closed();
    if (!again) co_return result;
  }
}

// ---- connecting

// Counts a connection that is still being made.
struct Connecting {
  Host& host;
  ~Connecting() { --host.open; }
};

Milliseconds Exchange::connect_time_left() const {
  return Milliseconds(std::max<std::int64_t>(connect_until_ms_ - coarse_now_ms(), 0));
}

Task<Result<void>> Exchange::connect() {
  if (host_.open >= pool_->limits.connections)
    co_return fail(ErrorCode::resource_exhausted, "too many connections are open", host_.authority);
  ++host_.open;
  const Connecting counted{host_};
  connect_until_ms_ = coarse_now_ms() + pool_->limits.connect_timeout.count();
  GH_CO_TRY(co_await find_addresses());
  const std::vector<SocketAddress> addresses = host_.addresses;
  Result<void> result = fail(ErrorCode::unavailable, "no address", host_.authority);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto share = connect_time_left() / static_cast<int>(addresses.size() - i);
    result = co_await connect_to(addresses[i], std::max(share, kLeastConnectTime));
    if (result || cancelled_ || connect_time_left().count() == 0) break;
  }
  if (cancelled_) co_return cancelled_error();
  if (!result) {
    host_.addresses.clear();
    // Nothing was sent: whoever asks may try another upstream.
    co_return fail(ErrorCode::unavailable, result.error().describe(), host_.authority);
  }
  co_return result;
}

Task<Result<void>> Exchange::find_addresses() {
  const Endpoint& endpoint = host_.endpoint;
  if (!host_.addresses.empty() && coarse_now_ms() < host_.addresses_until_ms)
    co_return Result<void>{};
  Result<std::vector<SocketAddress>> found = fail(ErrorCode::unavailable, "not resolved");
  if (!endpoint.unix_path.empty()) {
    const auto address = unix_address(endpoint.unix_path);
    if (!address) co_return std::unexpected(address.error());
    found = std::vector{*address};
  } else if (const auto numeric = numeric_address(endpoint.host, endpoint.port)) {
    found = std::vector{*numeric};
  } else {
    resolved_ = std::make_shared<Signal>(pool_->loop);
    auto answer = std::make_shared<Result<std::vector<SocketAddress>>>(found);
    auto job = [answer, signal = resolved_, mailbox = mailbox_of(pool_->loop), host = endpoint.host,
                port = endpoint.port]() mutable {
      auto addresses = resolve_name(host, port);
      mailbox->post([answer, signal = std::move(signal), got = std::move(addresses)]() mutable {
        *answer = std::move(got);
        signal->raise();
      });
    };
    auto resolvers = shared_resolver_pool();
    if (!resolvers->submit(std::move(job)))
      co_return fail(ErrorCode::unavailable, "too many names are being resolved", host_.authority);
    const std::shared_ptr<Signal> signal = resolved_;
    const bool in_time = co_await signal->wait(connect_time_left());
    resolved_.reset();
    if (cancelled_) co_return cancelled_error();
    if (!in_time)
      co_return fail(ErrorCode::unavailable, "the name was not resolved in time", host_.authority);
    found = std::move(*answer);
  }
  if (!found) co_return std::unexpected(std::move(found).error());
  host_.addresses = std::move(*found);
  host_.addresses_until_ms = coarse_now_ms() + kAddressesKeptMs;
  co_return Result<void>{};
}

Task<Result<void>> Exchange::connect_to(SocketAddress address, Milliseconds timeout) {
  const std::size_t buffer = std::max(kInputBuffer, pool_->limits.header_bytes);
  auto started = Stream::start_connecting(pool_->loop, address.storage, address.size, buffer);
  if (!started) co_return std::unexpected(std::move(started).error());
  connecting_ = std::move(*started);
  const std::shared_ptr<Stream> stream = connecting_;
  Result<void> result = co_await stream->connected(timeout);
  if (result && host_.endpoint.tls) {
    result = co_await secure(std::max(connect_time_left(), kLeastConnectTime));
  }
  connecting_.reset();
  if (!result) {
    stream->close();
    co_return result;
  }
  connection_ = std::make_unique<ClientConnection>(pool_->loop, host_, stream);
  co_return Result<void>{};
}

Task<Result<void>> Exchange::secure(Milliseconds timeout) {
  if (!pool_->tls)
    co_return fail(ErrorCode::failed_precondition, "no TLS context for an https upstream",
                   host_.authority);
  auto session = TlsSession::client(*pool_->tls, host_.endpoint.host, host_.session);
  if (!session) co_return std::unexpected(std::move(session).error());
  const std::shared_ptr<Stream> stream = connecting_;
  stream->read_deadline().arm(timeout);
  Result<void> result = co_await stream->handshake(std::move(*session));
  stream->read_deadline().disarm();
  if (!result) host_.session.reset();
  co_return result;
}

// ---- asking

Task<Result<void>> Exchange::send(const RequestHead& request, const std::string& body) {
  std::string head;
  head.reserve(512);
  const Framing framing{body.empty() ? Framing::Kind::none : Framing::Kind::length, body.size()};
  write_request_head(head, request, host_.endpoint.base_path, host_.authority, framing);
  Stream::Parts parts;
  parts[0] = {head.data(), head.size()};
  parts[1] = {const_cast<char*>(body.data()), body.size()};  // NOLINT: iovec is not const-correct
  const std::uint64_t taken_before = stream().bytes_taken();
  send_failed_ = false;
  const IoStatus status =
      co_await stream().write(parts, body.empty() ? 1 : 2, pool_->limits.read_timeout);
  nothing_sent_ = stream().bytes_taken() == taken_before;
  if (cancelled_) co_return cancelled_error();
  if (status == IoStatus::ok) co_return Result<void>{};
  if (status == IoStatus::deadline)
    co_return fail(ErrorCode::deadline_exceeded, "the upstream does not read", host_.authority);
  // Some servers answer (413, say) and close while we still send: what they said may be here.
  send_failed_ = true;
  co_return Result<void>{};
}

Task<Result<void>> Exchange::receive_head(bool to_head) {
  stream().read_deadline().arm(pool_->limits.first_byte_timeout);
  std::size_t scanned = 0;
  int interim = 0;
  for (;;) {
    if (!stream().input().empty()) {
      answer_began_ = true;
      const Checked<bool> whole = take_head(to_head, scanned, interim);
      if (!whole)
        co_return fail(ErrorCode::invalid_argument, std::string(whole.error().reason),
                       host_.authority);
      if (*whole) break;
    }
    const IoStatus status = co_await stream().more_input();
    if (cancelled_) co_return cancelled_error();
    if (status != IoStatus::ok) co_return lost(status, "no answer");
  }
  stream().read_deadline().disarm();
  body_left_ = answer_.framing.length;
  if (answer_.framing.kind == Framing::Kind::chunked)
    chunked_.emplace(ChunkedDecoder::Trailers::drop);
  if (answer_.framing.kind == Framing::Kind::none) complete();
  co_return Result<void>{};
}

// True when answer_ is the final head; interim ones are skipped.
Checked<bool> Exchange::take_head(bool to_head, std::size_t& scanned, int& interim) {
  const HeadLimits limits{pool_->limits.header_bytes, 200};
  for (;;) {
    const std::string_view input = stream().input();
    if (input.empty()) return false;
    const Checked<std::size_t> size = find_head(input, scanned, limits);
    if (!size) return std::unexpected(size.error());
    if (*size == 0) return false;
    Checked<ValidResponse> parsed = parse_response(input.substr(0, *size), limits, to_head);
    if (!parsed) return std::unexpected(parsed.error());
    stream().consume(*size);
    if (parsed->head.status >= 200) {
      answer_ = std::move(*parsed);
      return true;
    }
    if (++interim > kInterimLimit) return std::unexpected(Refused{502, "too many interim answers"});
  }
}

Result<void> Exchange::lost(IoStatus status, std::string_view what) {
  if (status == IoStatus::deadline)
    return fail(ErrorCode::deadline_exceeded, std::string(what) + " in time", host_.authority);
  std::string message = "the connection was lost: ";
  message += what;
  if (!stream().failure().empty()) message += " (" + stream().failure() + ")";
  return fail(ErrorCode::data_loss, std::move(message), host_.authority);
}

// ---- the answer's body

Checked<void> Exchange::take_body(std::string& out) {
  Stream& from = stream();
  if (chunked_) {
    const Checked<std::size_t> used = chunked_->feed(from.input(), out);
    if (!used) return std::unexpected(used.error());
    from.consume(*used);
    if (chunked_->done()) complete();
    return {};
  }
  const std::string_view input = from.input();
  const bool to_end = answer_.framing.kind == Framing::Kind::until_close;
  const std::size_t taken =
      to_end ? input.size() : std::min<std::uint64_t>(input.size(), body_left_);
  out.append(input.substr(0, taken));
  from.consume(taken);
  if (to_end) return {};
  body_left_ -= taken;
  if (body_left_ == 0) complete();
  return {};
}

// The body is whole: the connection is free for others before the caller has even looked at it.
void Exchange::complete() {
  done_ = true;
  if (cancel_ != nullptr) cancel_->on_cancel({});
  if (TlsSession* tls = stream().tls())
    if (auto resumption = tls->resumption()) host_.session = std::move(resumption);
  if (answer_.keep_alive && !send_failed_) {
    pool_->give_back(std::move(connection_));
  } else {
    connection_.reset();
  }
}

Result<void> Exchange::body_ended(IoStatus status) {
  if (status == IoStatus::eof && answer_.framing.kind == Framing::Kind::until_close) {
    complete();
    return {};
  }
  Result<void> result = lost(status, "the answer was cut short");
  fail_closed();
  return result;
}

Task<Result<bool>> Exchange::read_some(std::string& out) {
  if (done_) co_return false;
  if (cancelled_) co_return cancelled_error();
  if (!connection_)
    co_return fail(ErrorCode::data_loss, "the answer was cut short", host_.authority);
  const std::size_t before = out.size();
  for (;;) {
    if (const Checked<void> taken = take_body(out); !taken) {
      fail_closed();
      co_return fail(ErrorCode::data_loss, std::string(taken.error().reason), host_.authority);
    }
    if (out.size() > before) co_return true;
    if (done_) co_return false;
    stream().read_deadline().arm(pool_->limits.read_timeout);
    const IoStatus status = co_await stream().more_input();
    if (cancelled_) {
      fail_closed();
      co_return cancelled_error();
    }
    stream().read_deadline().disarm();
    if (status == IoStatus::ok) continue;
    GH_CO_TRY(body_ended(status));
    co_return false;
  }
}

Task<Result<std::string>> Exchange::read_all(std::size_t max_bytes) {
  std::string body;
  const bool known = answer_.framing.kind == Framing::Kind::length;
  if (!done_ && known && body_left_ > max_bytes) {
    fail_closed();
    co_return fail(ErrorCode::resource_exhausted, "the answer is too large", host_.authority);
  }
  body.reserve(std::min<std::uint64_t>(body_left_, kBodyReserve) + kBodyPadding);
  for (;;) {
    const Result<bool> more = co_await read_some(body);
    if (!more) co_return std::unexpected(more.error());
    if (body.size() > max_bytes) {
      fail_closed();
      co_return fail(ErrorCode::resource_exhausted, "the answer is too large", host_.authority);
    }
    if (!*more) co_return body;
  }
}

Task<Result<std::unique_ptr<ClientStream>>> make_request(std::shared_ptr<ClientPool::Impl> pool,
                                                         const Endpoint& endpoint,
                                                         const RequestHead& head,
                                                         const std::string& body,
                                                         CancelSource* cancel) {
  Host& host = pool->host(endpoint);
  auto exchange = std::make_unique<Exchange>(std::move(pool), host, cancel);
  GH_CO_TRY(co_await exchange->run(head, body));
  std::unique_ptr<ClientStream> stream = std::move(exchange);
  co_return stream;
}

}  // namespace

// ---- ClientPool

ClientPool::ClientPool(Loop& loop, ClientLimits limits, std::shared_ptr<TlsContext> tls)
    : impl_(std::make_shared<Impl>(loop, limits, std::move(tls))) {}

ClientPool::~ClientPool() {
  impl_->closed = true;
  impl_->close_idle();
}

[[clang::coro_wrapper]] Task<Result<std::unique_ptr<ClientStream>>> ClientPool::request(
    const Endpoint& endpoint, const RequestHead& head, const std::string& body,
    CancelSource* cancel) {
  return make_request(impl_, endpoint, head, body, cancel);
}

void ClientPool::close_idle() {
  impl_->close_idle();
}

}  // namespace gatehouse::net
