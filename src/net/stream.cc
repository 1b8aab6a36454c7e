#include "net/stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstring>
#include <system_error>

#include "net/loop_impl.h"
#include "net/tls_session.h"

namespace gatehouse::net {
namespace {

using Protocol = asio::generic::stream_protocol;
using Socket = asio::basic_stream_socket<Protocol, Executor>;

constexpr std::size_t kCiphertextBuffer = 17u << 10;  // one whole TLS record
constexpr std::size_t kRecord = 16u << 10;

// Memory for the one operation of a kind that a stream can have in flight: lives in the stream, so
// that starting an operation allocates nothing.
struct OperationSlot {
  alignas(std::max_align_t) std::byte bytes[256];
  bool used = false;
};

template <class T>
struct SlotAllocator {
  using value_type = T;
  OperationSlot* slot;

  explicit SlotAllocator(OperationSlot* s) : slot(s) {}
  template <class U>
  SlotAllocator(const SlotAllocator<U>& other) : slot(other.slot) {}  // NOLINT: allocator rebind

  T* allocate(std::size_t count) {
    if (!slot->used && count * sizeof(T) <= sizeof(slot->bytes)) {
      slot->used = true;
      return reinterpret_cast<T*>(slot->bytes);
    }
    return static_cast<T*>(::operator new(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t) {
    if (reinterpret_cast<std::byte*>(memory) == slot->bytes) {
      slot->used = false;
    } else {
      ::operator delete(memory);
    }
  }
  template <class U>
  bool operator==(const SlotAllocator<U>& other) const {
    return slot == other.slot;
  }
};

std::string describe(int error_number) {
  return std::generic_category().message(error_number);
}

}  // namespace

struct Stream::Io {
  explicit Io(asio::io_context& context) : socket(context.get_executor()) {}
  Socket socket;
  OperationSlot read_slot;
  OperationSlot write_slot;
};

namespace {

struct ReadDone {
  using allocator_type = SlotAllocator<std::byte>;
  std::shared_ptr<Stream> stream;
  OperationSlot* slot;

  allocator_type get_allocator() const { return allocator_type(slot); }
  void operator()(const boost::system::error_code& error, std::size_t bytes) const {
    const bool end = error == asio::error::eof;
    stream->on_read(end ? 0 : error.value(), end, bytes);
  }
};

struct WriteReady {
  using allocator_type = SlotAllocator<std::byte>;
  std::shared_ptr<Stream> stream;
  OperationSlot* slot;

  allocator_type get_allocator() const { return allocator_type(slot); }
  void operator()(const boost::system::error_code&) const { stream->on_writable(); }
};

}  // namespace

// ---- making

Stream::Stream(Loop& loop, std::size_t buffer)
    : loop_(loop),
      io_(std::make_unique<Io>(loop.impl().context)),
      buffer_(std::make_unique_for_overwrite<char[]>(buffer)),
      capacity_(buffer),
      read_deadline_(loop, read_deadline_passed, this),
      write_deadline_(loop, write_deadline_passed, this),
      probe_(loop, probe_peer, this) {}

Stream::~Stream() = default;

std::shared_ptr<Stream> Stream::adopt(Loop& loop, int descriptor, int family, std::size_t buffer) {
  std::shared_ptr<Stream> stream(new Stream(loop, buffer));
  boost::system::error_code error;
  (void)stream->io_->socket.assign(Protocol(family, 0), descriptor, error);
  if (error) {
    ::close(descriptor);
    stream->closed_ = true;
    stream->input_end_ = IoStatus::failed;
    stream->failure_ = error.message();
  }
  return stream;
}

Result<std::shared_ptr<Stream>> Stream::start_connecting(Loop& loop,
                                                         const sockaddr_storage& address,
                                                         socklen_t size, std::size_t buffer) {
  const int descriptor = ::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return fail(ErrorCode::resource_exhausted, describe(errno), "socket");
  if (address.ss_family != AF_UNIX) {
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  }
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), size) != 0 &&
      errno != EINPROGRESS) {
    const int error_number = errno;
    ::close(descriptor);
    return fail(ErrorCode::unavailable, describe(error_number), "connect");
  }
  return adopt(loop, descriptor, address.ss_family, buffer);
}

// An empty write that must wait: until the socket is writable, which is when it is connected or has
// failed.
Task<Result<void>> Stream::connected(Milliseconds timeout) {
  if (closed_) co_return fail(ErrorCode::unavailable, failure_, "connect");
  pollfd ready{io_->socket.native_handle(), POLLOUT, 0};
  if (::poll(&ready, 1, 0) == 0) {
    Written waiting{*this, {}, 0, timeout};
    waiting.must_wait = true;
    const IoStatus status = co_await waiting;
    if (status == IoStatus::deadline)
      co_return fail(ErrorCode::deadline_exceeded, "no connection in time", "connect");
    if (status != IoStatus::ok) co_return fail(ErrorCode::cancelled, "closed", "connect");
  }
  int error_number = 0;
  socklen_t size = sizeof(error_number);
  ::getsockopt(io_->socket.native_handle(), SOL_SOCKET, SO_ERROR, &error_number, &size);
  if (error_number == 0) co_return Result<void>{};
  fail_with(error_number);
  co_return fail(ErrorCode::unavailable, failure_, "connect");
}

Task<Result<void>> Stream::handshake(std::unique_ptr<TlsSession> session) {
  tls_ = std::move(session);
  ciphertext_ = std::make_unique_for_overwrite<char[]>(kCiphertextBuffer);
  handshaking_ = true;
  for (;;) {
    const TlsSession::Step step = tls_->handshake();
    Written flushed{*this, {}, 0, Milliseconds(10'000)};
    const IoStatus sent = co_await flushed;
    if (step == TlsSession::Step::progress) break;
    if (step != TlsSession::Step::want_input)
      co_return fail(ErrorCode::unavailable, tls_->error(), "TLS handshake");
    if (sent != IoStatus::ok)
      co_return fail(ErrorCode::unavailable, "connection lost", "TLS handshake");
    const IoStatus received = co_await more_input();
    if (received == IoStatus::deadline)
      co_return fail(ErrorCode::deadline_exceeded, "no handshake in time", "TLS handshake");
    if (received == IoStatus::cancelled)
      co_return fail(ErrorCode::cancelled, "closed", "TLS handshake");
    if (received != IoStatus::ok)
      co_return fail(ErrorCode::unavailable, "connection lost", "TLS handshake");
  }
  handshaking_ = false;
  decrypt();
  co_return Result<void>{};
}

// ---- reading

bool Stream::MoreInput::await_ready() {
  if (stream.closed_) {
    stream.read_result_ = IoStatus::cancelled;
    return true;
  }
  stream.read_result_ = stream.input_end_;
  if (stream.input_end_ != IoStatus::ok) return true;
  if (stream.tls_ && !stream.handshaking_ && !stream.read_pending_ && stream.decrypt()) return true;
  stream.read_result_ = stream.input_end_;
  if (stream.input_end_ != IoStatus::ok) return true;
  if (!stream.read_pending_ && !stream.arm_read()) {
    stream.read_result_ = IoStatus::full;
    return true;
  }
  return false;
}

void Stream::MoreInput::await_suspend(std::coroutine_handle<> handle) {
  stream.reader_ = handle;
}

IoStatus Stream::MoreInput::await_resume() {
  return stream.read_result_;
}

Stream::MoreInput::~MoreInput() {
  stream.reader_ = {};
}

void Stream::watch(void (*gone)(void*), void* owner) {
  gone_ = gone;
  gone_owner_ = owner;
  start_reading();
  if (input_ended()) report_gone();
}

void Stream::start_reading() {
  if (closed_ || input_ended() || read_pending_) return;
  if (tls_) decrypt();
  if (input_ended()) return;
  if (!arm_read()) probe_.arm(Milliseconds(0));
}

void Stream::compact() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (begin_ > 0 && capacity_ - end_ < capacity_ / 2) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
}

// False when there is no room.
bool Stream::arm_read() {
  compact();
  asio::mutable_buffer room(buffer_.get() + end_, capacity_ - end_);
  if (tls_) {
    if (room.size() == 0 && !handshaking_) return false;
    room = asio::mutable_buffer(ciphertext_.get(), kCiphertextBuffer);
  }
  if (room.size() == 0) return false;
  read_pending_ = true;
  io_->socket.async_read_some(room, ReadDone{shared_from_this(), &io_->read_slot});
  return true;
}

void Stream::on_read(int error_number, bool end, std::size_t bytes) {
  read_pending_ = false;
  if (closed_) return;
  if (end) {
    input_end_ = tls_ ? IoStatus::truncated : IoStatus::eof;
  } else if (error_number != 0) {
    fail_with(error_number);
  } else if (tls_) {
    tls_->feed({ciphertext_.get(), bytes});
    if (!handshaking_ && !decrypt() && input_end_ == IoStatus::ok) {
      // A record that is not whole yet, or only a session ticket.
      if (reader_ || gone_ != nullptr) arm_read();
      return;
    }
  } else {
    end_ += bytes;
  }
  deliver();
}

// Moves plaintext from the TLS session to the input buffer; true if there was any.
bool Stream::decrypt() {
  compact();
  const std::size_t before = end_;
  while (end_ < capacity_ && input_end_ == IoStatus::ok) {
    std::size_t got = 0;
    const TlsSession::Step step = tls_->read(buffer_.get() + end_, capacity_ - end_, got);
    if (step == TlsSession::Step::progress) {
      end_ += got;
      continue;
    }
    if (step == TlsSession::Step::closed) input_end_ = IoStatus::eof;
    if (step == TlsSession::Step::failed) {
      input_end_ = IoStatus::failed;
      failure_ = tls_->error();
    }
    break;
  }
  if (writer_ == nullptr) flush_tls();  // answers to key updates
  return end_ > before;
}

void Stream::deliver() {
  const std::shared_ptr<Stream> keep = shared_from_this();
  if (reader_) {
    wake_reader(end_ > begin_ || handshaking_ ? IoStatus::ok : input_end_);
    return;
  }
  if (gone_ == nullptr) return;
  if (input_ended()) {
    report_gone();
  } else if (!arm_read()) {
    probe_.arm(kSweepPeriod);
  }
}

void Stream::report_gone() {
  if (auto gone = std::exchange(gone_, nullptr)) gone(gone_owner_);
}

void Stream::wake_reader(IoStatus status) {
  if (!reader_) return;
  read_result_ = status;
  std::exchange(reader_, {}).resume();
}

bool Stream::has_unread_bytes() const {
  if (end_ > begin_) return true;
  if (closed_) return false;
  char byte = 0;
  return ::recv(io_->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool Stream::is_quiet() const {
  if (end_ > begin_ || closed_ || input_ended()) return false;
  char byte = 0;
  return ::recv(io_->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

std::optional<std::size_t> Stream::unacknowledged() const {
  int bytes = 0;
  if (closed_ || ::ioctl(io_->socket.native_handle(), SIOCOUTQ, &bytes) != 0) return std::nullopt;
  return static_cast<std::size_t>(std::max(bytes, 0));
}

// ---- writing

bool Stream::Written::await_ready() {
  if (stream.closed_) {
    status = IoStatus::cancelled;
    return true;
  }
  if (must_wait) return false;
  switch (stream.send(parts, first, count)) {
    case Send::done:
      return true;
    case Send::failed:
      status = IoStatus::failed;
      return true;
    case Send::blocked:
      return false;
  }
  return true;
}

void Stream::Written::await_suspend(std::coroutine_handle<> waiting) {
  handle = waiting;
  stream.writer_ = this;
  stream.write_deadline_.arm(timeout);
  stream.wait_writable();
}

Stream::Written::~Written() {
  if (stream.writer_ == this) {
    stream.writer_ = nullptr;
    stream.write_deadline_.disarm();
  }
}

void Stream::wait_writable() {
  if (write_pending_) return;
  write_pending_ = true;
  io_->socket.async_wait(Socket::wait_write, WriteReady{shared_from_this(), &io_->write_slot});
}

void Stream::on_writable() {
  write_pending_ = false;
  if (closed_ || writer_ == nullptr) return;
  const std::shared_ptr<Stream> keep = shared_from_this();
  if (writer_->must_wait) {
    wake_writer(IoStatus::ok);
    return;
  }
  switch (send(writer_->parts, writer_->first, writer_->count)) {
    case Send::done:
      wake_writer(IoStatus::ok);
      return;
    case Send::failed:
      wake_writer(IoStatus::failed);
      return;
    case Send::blocked:
      wait_writable();
      return;
  }
}

void Stream::wake_writer(IoStatus status) {
  if (writer_ == nullptr) return;
  write_deadline_.disarm();
  Written* writer = std::exchange(writer_, nullptr);
  writer->status = status;
  writer->handle.resume();
}

Stream::Send Stream::send(Parts& parts, std::size_t& first, std::size_t count) {
  return tls_ ? send_encrypted(parts, first, count) : send_plain(parts, first, count);
}

Stream::Send Stream::send_plain(Parts& parts, std::size_t& first, std::size_t count) {
  while (first < count) {
    msghdr message{};
    message.msg_iov = parts.data() + first;
    message.msg_iovlen = count - first;
    const ssize_t sent = ::sendmsg(io_->socket.native_handle(), &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return Send::blocked;
      failure_ = describe(errno);
      return Send::failed;
    }
    auto left = static_cast<std::size_t>(sent);
    bytes_taken_ += left;
    while (first < count && left >= parts[first].iov_len) left -= parts[first++].iov_len;
    if (first < count) {
      parts[first].iov_base = static_cast<char*>(parts[first].iov_base) + left;
      parts[first].iov_len -= left;
    }
  }
  return Send::done;
}

// Encrypts one record's worth at a time, small parts together, and sends it before the next: the
// ciphertext in memory stays bounded and a head travels in one record with its body.
Stream::Send Stream::send_encrypted(Parts& parts, std::size_t& first, std::size_t count) {
  for (;;) {
    if (const Send flushed = flush_tls(); flushed != Send::done) return flushed;
    if (first == count) return Send::done;
    std::array<char, kRecord> record;
    std::size_t size = 0;
    while (first < count && size < record.size()) {
      iovec& part = parts[first];
      const std::size_t taken = std::min(part.iov_len, record.size() - size);
      if (taken > 0) std::memcpy(record.data() + size, part.iov_base, taken);
      size += taken;
      part.iov_base = static_cast<char*>(part.iov_base) + taken;
      part.iov_len -= taken;
      if (part.iov_len == 0) ++first;
    }
    if (!tls_->write({record.data(), size})) {
      failure_ = tls_->error();
      return Send::failed;
    }
  }
}

Stream::Send Stream::flush_tls() {
  for (;;) {
    const std::string_view output = tls_->output();
    if (output.empty()) return Send::done;
    const ssize_t sent =
        ::send(io_->socket.native_handle(), output.data(), output.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return Send::blocked;
      failure_ = describe(errno);
      return Send::failed;
    }
    bytes_taken_ += static_cast<std::size_t>(sent);
    tls_->drop_output(static_cast<std::size_t>(sent));
  }
}

// ---- the end

void Stream::shut_down_output() {
  if (closed_) return;
  if (tls_) {
    tls_->shut_down();
    flush_tls();
  }
  ::shutdown(io_->socket.native_handle(), SHUT_WR);
}

void Stream::close() {
  if (closed_) return;
  if (tls_) {
    tls_->shut_down();
    flush_tls();
  }
  close_socket();
}

void Stream::reset() {
  if (closed_) return;
  const linger now{1, 0};
  ::setsockopt(io_->socket.native_handle(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close_socket();
}

void Stream::close_socket() {
  closed_ = true;
  read_deadline_.disarm();
  write_deadline_.disarm();
  probe_.disarm();
  gone_ = nullptr;
  boost::system::error_code ignored;
  (void)io_->socket.close(ignored);
  if (!reader_ && writer_ == nullptr) return;
  loop_.post([self = shared_from_this()] {
    self->wake_reader(IoStatus::cancelled);
    self->wake_writer(IoStatus::cancelled);
  });
}

void Stream::fail_with(int error_number) {
  input_end_ = IoStatus::failed;
  failure_ = describe(error_number);
}

void Stream::read_deadline_passed(void* self) {
  const auto keep = static_cast<Stream*>(self)->shared_from_this();
  keep->wake_reader(IoStatus::deadline);
}

void Stream::write_deadline_passed(void* self) {
  const auto keep = static_cast<Stream*>(self)->shared_from_this();
  keep->wake_writer(IoStatus::deadline);
}

// The buffer of a watched stream is full, so no read can tell that the peer has gone: ask the
// kernel once a sweep.
void Stream::probe_peer(void* self) {
  const auto keep = static_cast<Stream*>(self)->shared_from_this();
  if (keep->closed_ || keep->gone_ == nullptr || keep->read_pending_) return;
  pollfd peer{keep->io_->socket.native_handle(), POLLRDHUP, 0};
  if (::poll(&peer, 1, 0) == 1) {
    keep->report_gone();
  } else {
    keep->probe_.arm(kSweepPeriod);
  }
}

// ---- Acceptor

struct Acceptor::Io {
  explicit Io(Loop& loop) : listener(loop.impl().context.get_executor()) {}
  asio::posix::basic_stream_descriptor<Executor> listener;
};

Acceptor::Acceptor(Loop& loop, int descriptor, Arrived arrived)
    : io_(std::make_unique<Io>(loop)),
      arrived_(std::move(arrived)),
      out_of_descriptors_(loop, try_again, this) {
  io_->listener.assign(descriptor);
}

Acceptor::~Acceptor() = default;

std::shared_ptr<Acceptor> Acceptor::start(Loop& loop, int descriptor, Arrived arrived) {
  std::shared_ptr<Acceptor> acceptor(new Acceptor(loop, descriptor, std::move(arrived)));
  acceptor->wait();
  return acceptor;
}

void Acceptor::wait() {
  if (waiting_ || !io_->listener.is_open()) return;
  waiting_ = true;
  io_->listener.async_wait(asio::posix::descriptor_base::wait_read,
                           [self = shared_from_this()](const boost::system::error_code& error) {
                             self->waiting_ = false;
                             if (!error) self->on_ready();
                           });
}

void Acceptor::on_ready() {
  constexpr int kBatch = 64;  // then others get their turn
  accept_waiting(kBatch);
  if (!out_of_descriptors_.armed()) wait();
}

void Acceptor::accept_waiting(int most) {
  for (int i = 0; i < most && io_->listener.is_open(); ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    const int descriptor =
        ::accept4(io_->listener.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size,
                  SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      arrived_(descriptor, peer);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      out_of_descriptors_.arm(kSweepPeriod);
      return;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    }
  }
}

void Acceptor::try_again(void* self) {
  const auto keep = static_cast<Acceptor*>(self)->shared_from_this();
  keep->on_ready();
}

void Acceptor::close() {
  if (!io_->listener.is_open()) return;
  constexpr int kQueue = 4'096;  // the longest a listener's queue can be
  accept_waiting(kQueue);
  out_of_descriptors_.disarm();
  boost::system::error_code ignored;
  (void)io_->listener.close(ignored);
}

}  // namespace gatehouse::net
