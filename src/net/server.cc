// The HTTP/1.1 server. A Connection is the ServerStream of its requests, one after the other; its
// coroutine serve() owns it. The Impl knows its connections without owning them. Loop thread only,
// but for the two counters.
#include "net/server.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "base/exception.h"
#include "base/log.h"
#include "net/address.h"
#include "net/parser.h"
#include "net/stream.h"
#include "net/tls_session.h"
#include "net/wire.h"

namespace gatehouse::net {
namespace {

constexpr std::size_t kInputBuffer = 36u << 10;  // a head and a body of 32 KiB in one read
constexpr std::size_t kHandshakesInFlight = 256;
constexpr std::size_t kBodyReserve = 1u << 20;  // trust in an announced length goes this far
constexpr std::size_t kBodyPadding = 64;        // for JSON readers that look past the end
constexpr std::size_t kLingerBytes = 64u << 20;
constexpr Milliseconds kLingerTime{2'000};
constexpr Milliseconds kDrainGrace{500};  // for a connection that has not asked anything yet

iovec part_of(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};  // NOLINT: iovec is not const-correct
}

class Counter {
 public:
  void add(int by) { value_.fetch_add(static_cast<std::size_t>(by), std::memory_order_relaxed); }
  std::size_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> value_{0};
};

class Connection;

// A connection's place among the TLS handshakes under way.
struct Handshake : ListLink {
  Handshake(Connection& c, ListLink& all, std::size_t& n) : connection(c), count(n) {
    link_before(all);
    ++count;
  }
  ~Handshake() { --count; }
  Connection& connection;
  std::size_t& count;
};

}  // namespace

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
  Impl(Loop& l, ListenAddress a, ServerLimits lim, Handler h, std::shared_ptr<TlsContext> t)
      : loop(l), address(std::move(a)), limits(lim), handler(std::move(h)), tls(std::move(t)) {}

  void arrived(int descriptor, const sockaddr_storage& peer);
  void make_room_for_handshake();
  std::vector<std::shared_ptr<Connection>> open_connections();

  Loop& loop;
  ListenAddress address;
  ServerLimits limits;
  Handler handler;
  std::shared_ptr<TlsContext> tls;
  std::function<void(const Refusal&)> refused;
  std::shared_ptr<Acceptor> acceptor;
  std::uint16_t port = 0;
  bool draining = false;
  ListLink handshakes;  // those under way, the oldest first
  std::size_t handshake_count = 0;
  ListLink connections;
  Counter connection_count;
  Counter active_count;
  DateLine date;
};

namespace {

class Connection final : public ServerStream,
                         public ListLink,
                         public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Server::Impl> server, std::shared_ptr<Stream> stream,
             std::string peer);
  ~Connection() override;

  static Task<void> serve(std::shared_ptr<Connection> self);
  void drain();
  void close_now();

  const RequestHead& request() const override { return request_.head; }
  const std::string& peer() const override { return peer_; }
  const PeerCertificate* certificate() const override {
    return certificate_ ? &*certificate_ : nullptr;
  }
  Task<Result<std::string>> read_body(std::size_t max_bytes) override;
  Task<Result<void>> respond(ResponseHead head, std::string body) override;
  void begin(ResponseHead head) override;
  Task<Result<void>> write(std::string bytes) override;
  Task<Result<void>> end() override;
  void abort() override;
  bool responded() const override { return bytes_sent_; }
  CancelSource& disconnected() override { return gone_; }

 private:
  enum class Answer { none, begun, complete, aborted };

  Task<bool> start_tls();
  Task<bool> read_request();
  Task<void> handle_request();
  Task<bool> finish_request();
  Task<void> refuse(Refused refused);
  void fail_request(const std::exception_ptr& thrown);
  Task<void> linger();
  Task<Result<void>> send(std::string_view first, std::string_view second, std::string_view third,
                          std::string_view fourth);
  void reset_request();
  void discard_buffered_body();
  Checked<void> take_body(std::string& body);
  Result<void> body_interrupted(IoStatus status);
  Framing answer_framing(int status, std::uint64_t length) const;
  Persistence persistence() const;
  bool has_answer_body(int status) const;
  void lost();
  static void client_gone(void* self);

  std::shared_ptr<Server::Impl> server_;
  std::shared_ptr<Stream> stream_;
  std::string peer_;
  std::optional<PeerCertificate> certificate_;
  CancelSource gone_;
  ValidRequest request_;
  std::optional<ChunkedDecoder> chunked_;
  std::uint64_t body_left_ = 0;
  bool body_done_ = true;
  bool body_asked_ = false;
  bool idle_ = true;
  bool fresh_ = true;  // no request yet
  bool keep_alive_ = true;
  bool bytes_sent_ = false;  // of the answer
  bool chunked_answer_ = false;
  bool bodiless_answer_ = false;  // HEAD, 204, 304: what is written goes nowhere
  Answer answer_ = Answer::none;
  std::string head_out_;  // reused; holds a begun answer's head until the first write
};

// ---- life

Connection::Connection(std::shared_ptr<Server::Impl> server, std::shared_ptr<Stream> stream,
                       std::string peer)
    : server_(std::move(server)), stream_(std::move(stream)), peer_(std::move(peer)) {
  link_before(server_->connections);
  server_->connection_count.add(1);
}

Connection::~Connection() {
  stream_->close();
  server_->connection_count.add(-1);
}

Task<void> Connection::serve(std::shared_ptr<Connection> self) {
  if (self->server_->tls) {
    const bool secured = co_await self->start_tls();
    if (!secured) co_return;
  }
  for (;;) {
    const bool read = co_await self->read_request();
    if (!read) break;
    co_await self->handle_request();
    const bool open = co_await self->finish_request();
    if (!open) break;
  }
  self->stream_->close();
}

Task<bool> Connection::start_tls() {
  server_->make_room_for_handshake();
  const Handshake place(*this, server_->handshakes, server_->handshake_count);
  stream_->read_deadline().arm(server_->limits.header_timeout);
  auto session = TlsSession::server(*server_->tls);
  const Result<void> secured = co_await stream_->handshake(std::move(session));
  if (!secured) co_return false;
  auto shown = stream_->tls()->peer_certificate();
  if (!shown) co_return false;
  certificate_ = std::move(*shown);
  co_return true;
}

void Connection::close_now() {
  stream_->close();
  gone_.cancel();
}

// An idle connection is closed, unless a request is on its way in already; a new one gets a moment.
void Connection::drain() {
  if (!idle_ || stream_->has_unread_bytes()) return;
  if (fresh_) {
    stream_->read_deadline().arm(kDrainGrace);
  } else {
    stream_->close();
  }
}

// ---- reading a request

void Connection::reset_request() {
  request_ = ValidRequest{};
  chunked_.reset();
  body_left_ = 0;
  body_done_ = true;
  body_asked_ = false;
  bytes_sent_ = false;
  chunked_answer_ = false;
  bodiless_answer_ = false;
  answer_ = Answer::none;
}

// False: the connection is over (closed, or refused and answered).
Task<bool> Connection::read_request() {
  const ServerLimits& limits = server_->limits;
  const HeadLimits head_limits{limits.header_bytes, limits.header_count};
  Deadline& deadline = stream_->read_deadline();
  reset_request();
  idle_ = true;
  deadline.arm(!fresh_             ? limits.idle_timeout
               : server_->draining ? kDrainGrace
                                   : limits.header_timeout);
  std::size_t scanned = 0;
  std::size_t head_size = 0;
  for (;;) {
    const std::string_view input = stream_->input();
    if (!input.empty()) {
      if (idle_ && !fresh_) deadline.arm(limits.header_timeout);
      idle_ = false;
      const Checked<std::size_t> found = find_head(input, scanned, head_limits);
      if (!found) {
        co_await refuse(found.error());
        co_return false;
      }
      head_size = *found;
      if (head_size > 0) break;
    }
    const IoStatus status = co_await stream_->more_input();
    if (status == IoStatus::deadline && !idle_)
      co_await refuse({408, "the request did not arrive in time"});
    if (status != IoStatus::ok) co_return false;
  }
  deadline.disarm();
  fresh_ = false;
  Checked<ValidRequest> parsed = parse_request(stream_->input().substr(0, head_size), head_limits);
  if (!parsed) {
    co_await refuse(parsed.error());
    co_return false;
  }
  stream_->consume(head_size);
  request_ = std::move(*parsed);
  if (request_.framing.kind == Framing::Kind::chunked)
    chunked_.emplace(ChunkedDecoder::Trailers::refuse);
  body_done_ = request_.framing.kind == Framing::Kind::none;
  body_left_ = request_.framing.length;
  keep_alive_ = request_.keep_alive && !server_->draining;
  co_return true;
}

Task<void> Connection::refuse(Refused refused) {
  if (server_->refused)
    server_->refused(Refusal{refused.status, std::string(refused.reason), peer_});
  keep_alive_ = false;
  idle_ = false;
  ResponseHead head;
  head.status = refused.status;
  head.fields.add("Content-Type", "application/json");
  const std::string body = refusal_body(refused.reason);
  head_out_.clear();
  write_response_head(head_out_, head, {Framing::Kind::length, body.size()}, Persistence::close,
                      server_->date.now());
  const Result<void> sent = co_await send(head_out_, body, {}, {});
  if (sent) co_await linger();
}

// Lets the client read the answer before the connection goes: closing a socket with unread input
// sends a reset, which may overtake the answer.
Task<void> Connection::linger() {
  stream_->shut_down_output();
  stream_->read_deadline().arm(kLingerTime);
  std::size_t drained = 0;
  while (drained < kLingerBytes) {
    drained += stream_->input().size();
    stream_->consume(stream_->input().size());
    const IoStatus status = co_await stream_->more_input();
    if (status != IoStatus::ok) break;
  }
}

// ---- handling

Task<void> Connection::handle_request() {
  server_->active_count.add(1);
  stream_->watch(client_gone, this);
  Task<void> handling = server_->handler(*this);
  try {
    co_await std::move(handling);
  } catch (...) {
    fail_request(std::current_exception());
  }
  stream_->unwatch();
  gone_.on_cancel({});
  server_->active_count.add(-1);
}

// A bug that some request has found costs that request, not all the others.
void Connection::fail_request(const std::exception_ptr& thrown) {
  log_error("a request ended with an exception", {{"exception", describe(thrown)}});
  if (answer_ != Answer::none) abort();
}

void Connection::client_gone(void* self) {
  static_cast<Connection*>(self)->lost();
}

void Connection::lost() {
  keep_alive_ = false;
  gone_.cancel();
}

// True: the connection can take another request.
Task<bool> Connection::finish_request() {
  if (gone_.cancelled() || stream_->closed()) co_return false;
  if (answer_ == Answer::aborted) co_return false;
  if (answer_ == Answer::begun) {
    abort();
    co_return false;
  }
  if (answer_ == Answer::none) {
    co_await refuse({500, "no answer was made"});
    co_return false;
  }
  discard_buffered_body();
  if (keep_alive_ && body_done_ && !server_->draining) co_return true;
  if (!body_done_ || stream_->has_unread_bytes()) co_await linger();
  co_return false;
}

void Connection::discard_buffered_body() {
  std::string ignored;
  if (!body_done_ && !take_body(ignored)) keep_alive_ = false;
}

// ---- the request's body

Checked<void> Connection::take_body(std::string& body) {
  if (chunked_) {
    const Checked<std::size_t> used = chunked_->feed(stream_->input(), body);
    if (!used) return std::unexpected(used.error());
    stream_->consume(*used);
    body_done_ = chunked_->done();
    return {};
  }
  const std::string_view input = stream_->input();
  const std::size_t taken = std::min<std::uint64_t>(input.size(), body_left_);
  body.append(input.substr(0, taken));
  stream_->consume(taken);
  body_left_ -= taken;
  body_done_ = body_left_ == 0;
  return {};
}

Result<void> Connection::body_interrupted(IoStatus status) {
  keep_alive_ = false;
  if (status == IoStatus::deadline)
    return fail(ErrorCode::deadline_exceeded, "the body did not arrive in time");
  if (status == IoStatus::full) return fail(ErrorCode::invalid_argument, "a chunk is malformed");
  lost();
  return fail(ErrorCode::cancelled, "the client left");
}

Task<Result<std::string>> Connection::read_body(std::size_t max_bytes) {
  if (std::exchange(body_asked_, true))
    co_return fail(ErrorCode::failed_precondition, "the body was read already");
  const std::size_t limit = std::min(max_bytes, server_->limits.body_bytes);
  std::string body;
  if (body_done_) co_return body;
  if (!chunked_ && body_left_ > limit) {
    keep_alive_ = false;
    co_return fail(ErrorCode::resource_exhausted, "the body is too large");
  }
  body.reserve(std::min<std::uint64_t>(body_left_, kBodyReserve) + kBodyPadding);
  stream_->read_deadline().arm(server_->limits.body_timeout);
  if (request_.expects_continue && stream_->input().empty()) {
    GH_CO_TRY(co_await send("HTTP/1.1 100 Continue\r\n\r\n", {}, {}, {}));
    bytes_sent_ = false;  // an interim answer: the real one is still to come
  }
  for (;;) {
    if (auto taken = take_body(body); !taken) {
      keep_alive_ = false;
      co_return fail(ErrorCode::invalid_argument, std::string(taken.error().reason));
    }
    if (body.size() > limit) {
      keep_alive_ = false;
      co_return fail(ErrorCode::resource_exhausted, "the body is too large");
    }
    if (body_done_) break;
    const IoStatus status = co_await stream_->more_input();
    if (status != IoStatus::ok) {
      Result<void> interrupted = body_interrupted(status);
      co_return std::unexpected(std::move(interrupted).error());
    }
  }
  stream_->read_deadline().disarm();
  stream_->start_reading();
  co_return body;
}

// ---- the answer

bool Connection::has_answer_body(int status) const {
  return request_.head.method != "HEAD" && status >= 200 && status != 204 && status != 304;
}

Persistence Connection::persistence() const {
  if (!keep_alive_) return Persistence::close;
  return request_.minor_version == 0 ? Persistence::keep_alive : Persistence::implied;
}

Framing Connection::answer_framing(int status, std::uint64_t length) const {
  if (status < 200 || status == 204 || status == 304) return {};
  return {Framing::Kind::length, length};
}

Task<Result<void>> Connection::respond(ResponseHead head, std::string body) {
  const bool nothing_left = answer_ == Answer::begun && !bytes_sent_;
  if (answer_ != Answer::none && !nothing_left)
    co_return fail(ErrorCode::failed_precondition, "the request was answered already");
  discard_buffered_body();
  if (!body_done_ || server_->draining) keep_alive_ = false;
  answer_ = Answer::complete;
  head_out_.clear();
  write_response_head(head_out_, head, answer_framing(head.status, body.size()), persistence(),
                      server_->date.now());
  const bool with_body = has_answer_body(head.status);
  const std::string_view body_part = with_body ? std::string_view(body) : std::string_view();
  Result<void> sent = co_await send(head_out_, body_part, {}, {});
  co_return sent;
}

void Connection::begin(ResponseHead head) {
  if (answer_ != Answer::none) return;
  answer_ = Answer::begun;
  discard_buffered_body();
  bodiless_answer_ = !has_answer_body(head.status);
  chunked_answer_ = !bodiless_answer_ && request_.minor_version >= 1;
  const bool needs_close = !chunked_answer_ && !bodiless_answer_;
  if (needs_close || !body_done_ || server_->draining) keep_alive_ = false;
  head_out_.clear();
  Framing framing;
  if (chunked_answer_) framing.kind = Framing::Kind::chunked;
  if (needs_close) framing.kind = Framing::Kind::until_close;
  write_response_head(head_out_, head, framing, persistence(), server_->date.now());
}

Task<Result<void>> Connection::write(std::string bytes) {
  if (answer_ != Answer::begun)
    co_return fail(ErrorCode::failed_precondition, "write() without begin()");
  const std::string head = std::exchange(head_out_, {});
  std::string chunk_size;
  std::string_view line_end;
  if (bodiless_answer_) bytes.clear();
  if (chunked_answer_ && !bytes.empty()) {
    write_chunk_size(chunk_size, bytes.size());
    line_end = "\r\n";
  }
  Result<void> sent = co_await send(head, chunk_size, bytes, line_end);
  co_return sent;
}

Task<Result<void>> Connection::end() {
  if (answer_ != Answer::begun)
    co_return fail(ErrorCode::failed_precondition, "end() without begin()");
  answer_ = Answer::complete;
  const std::string head = std::exchange(head_out_, {});
  const std::string_view last = chunked_answer_ ? "0\r\n\r\n" : "";
  Result<void> sent = co_await send(head, last, {}, {});
  co_return sent;
}

// Ended by a reset where the framing has no end mark, so that no client takes it for complete.
void Connection::abort() {
  const bool looks_complete = answer_ == Answer::begun && !chunked_answer_ && !bodiless_answer_;
  answer_ = Answer::aborted;
  keep_alive_ = false;
  if (looks_complete) {
    stream_->reset();
  } else {
    stream_->close();
  }
}

Task<Result<void>> Connection::send(std::string_view first, std::string_view second,
                                    std::string_view third, std::string_view fourth) {
  if (gone_.cancelled()) co_return fail(ErrorCode::cancelled, "the client left");
  Stream::Parts parts;
  std::size_t count = 0;
  for (const std::string_view part : {first, second, third, fourth})
    if (!part.empty()) parts[count++] = part_of(part);
  if (count == 0) co_return Result<void>{};
  bytes_sent_ = true;
  const IoStatus status = co_await stream_->write(parts, count, server_->limits.write_timeout);
  if (status == IoStatus::ok) co_return Result<void>{};
  stream_->close();
  lost();
  if (status == IoStatus::deadline)
    co_return fail(ErrorCode::deadline_exceeded, "the client does not read its answer");
  co_return fail(ErrorCode::cancelled, "the client left");
}

}  // namespace

// ---- Server

void Server::Impl::arrived(int descriptor, const sockaddr_storage& peer) {
  if (connection_count.get() >= limits.connections) {
    ::close(descriptor);
    return;
  }
  auto stream =
      Stream::adopt(loop, descriptor, peer.ss_family, std::max(kInputBuffer, limits.header_bytes));
  auto connection =
      std::make_shared<Connection>(shared_from_this(), std::move(stream), describe_address(peer));
  loop.spawn(Connection::serve(std::move(connection)));
}

// Handshakes cost memory, and whoever connects can begin one and fall silent. The one that has
// taken longest goes: a client that means it needs milliseconds.
void Server::Impl::make_room_for_handshake() {
  if (handshake_count < kHandshakesInFlight || !handshakes.linked()) return;
  auto* const oldest = static_cast<Handshake*>(handshakes.next);
  oldest->unlink();
  oldest->connection.close_now();
}

std::vector<std::shared_ptr<Connection>> Server::Impl::open_connections() {
  std::vector<std::shared_ptr<Connection>> open;
  for (ListLink* link = connections.next; link != &connections; link = link->next)
    open.push_back(static_cast<Connection*>(link)->shared_from_this());
  return open;
}

Server::Server(Loop& loop, ListenAddress address, ServerLimits limits, Handler handler,
               std::shared_ptr<TlsContext> tls)
    : impl_(std::make_shared<Impl>(loop, std::move(address), limits, std::move(handler),
                                   std::move(tls))) {}

Server::~Server() {
  drain();
  close_all();
}

void Server::on_refused(std::function<void(const Refusal&)> callback) {
  impl_->refused = std::move(callback);
}

Result<void> Server::listen() {
  GH_ASSIGN(const int descriptor, open_listener(impl_->address));
  impl_->port = bound_port(descriptor);
  impl_->acceptor =
      Acceptor::start(impl_->loop, descriptor,
                      [weak = std::weak_ptr(impl_)](int accepted, const sockaddr_storage& peer) {
                        if (auto impl = weak.lock()) {
                          impl->arrived(accepted, peer);
                        } else {
                          ::close(accepted);
                        }
                      });
  return {};
}

std::uint16_t Server::port() const {
  return impl_->port;
}
std::size_t Server::connections() const {
  return impl_->connection_count.get();
}
std::size_t Server::active_requests() const {
  return impl_->active_count.get();
}

void Server::drain() {
  if (std::exchange(impl_->draining, true)) return;
  if (auto acceptor = std::exchange(impl_->acceptor, nullptr)) {
    acceptor->close();
    if (!impl_->address.unix_path.empty()) ::unlink(impl_->address.unix_path.c_str());
  }
  for (const auto& connection : impl_->open_connections()) connection->drain();
}

void Server::close_all() {
  for (const auto& connection : impl_->open_connections()) connection->close_now();
}

}  // namespace gatehouse::net
