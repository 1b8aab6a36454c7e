// One connected byte stream, TCP or unix, plain or TLS, with one input buffer, one reader and one
// writer. This is where net/ meets Asio (stream.cc); nothing of Asio shows here. Loop thread only.
//
// Invariants
//   1. At most one read is pending in the loop. It belongs to the stream, not to who waits for it:
//      a waiting coroutine may give up (deadline) and the read stays, so that the end of the peer
//      is seen at once whether or not anybody waits.
//   2. The input buffer never grows. When it is full, reading stops until somebody consumes.
//   3. close() is final: it wakes whoever waits with `cancelled`, later, from the loop.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/deadline.h"
#include "net/loop.h"
#include "net/task.h"

namespace gatehouse::net {

class TlsSession;

enum class IoStatus {
  ok,
  eof,        // the peer has ended its side in order
  truncated,  // TLS: the connection ended without close_notify
  full,       // the input buffer has no room
  deadline,
  cancelled,  // close() was called
  failed,     // the connection broke; Stream::failure() says how
};

class Stream : public std::enable_shared_from_this<Stream> {
 public:
  static constexpr std::size_t kMaxParts = 6;
  using Parts = std::array<iovec, kMaxParts>;

  // A connected, non-blocking socket, which the stream owns from here on.
  static std::shared_ptr<Stream> adopt(Loop& loop, int descriptor, int family, std::size_t buffer);
  // Starts connecting to one address; connected() then waits for it.
  static Result<std::shared_ptr<Stream>> start_connecting(Loop& loop,
                                                          const sockaddr_storage& address,
                                                          socklen_t size, std::size_t buffer);
  Task<Result<void>> connected(Milliseconds timeout);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Makes it a TLS stream; read_deadline() bounds the handshake.
  Task<Result<void>> handshake(std::unique_ptr<TlsSession> session);
  TlsSession* tls() { return tls_.get(); }

  // ---- input
  std::string_view input() const { return {buffer_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t bytes) { begin_ += bytes; }
  Deadline& read_deadline() { return read_deadline_; }

  struct MoreInput {
    Stream& stream;
    bool await_ready();
    void await_suspend(std::coroutine_handle<> handle);
    IoStatus await_resume();
    ~MoreInput();
  };
  // Waits until input() has grown (ok), the input has ended, or read_deadline() has passed.
  MoreInput more_input() { return MoreInput{*this}; }

  // Keeps reading in the background; calls `gone` once, when the peer has ended or broken the
  // connection. Surplus bytes collect in the input buffer.
  void watch(void (*gone)(void*), void* owner);
  void unwatch() { gone_ = nullptr; }
  // A read is pending (or the end was seen): cheap way to notice the end of an idle connection.
  void start_reading();
  bool input_ended() const { return input_end_ != IoStatus::ok; }

  // ---- output
  struct Written {
    Stream& stream;
    Parts parts;
    std::size_t count;
    Milliseconds timeout;
    bool must_wait = false;  // do not try first: wait until writable
    std::size_t first = 0;
    IoStatus status = IoStatus::ok;
    std::coroutine_handle<> handle{};

    bool await_ready();
    void await_suspend(std::coroutine_handle<> waiting);
    IoStatus await_resume() const { return status; }
    ~Written();
  };
  // Writes all parts in order, usually without suspending. The bytes must stay where they are
  // until the await is over. `timeout` is for the whole write.
  Written write(const Parts& parts, std::size_t count, Milliseconds timeout) {
    return Written{*this, parts, count, timeout};
  }

  // ---- the end
  void shut_down_output();  // TLS close_notify and FIN
  void close();
  void reset();  // close with RST, so that a message without an end mark does not look complete
  bool closed() const { return closed_; }
  // Bytes wait in the socket (or the stream) that nobody has read yet.
  bool has_unread_bytes() const;
  // Nothing has come from the peer that was not read: neither bytes nor its end.
  bool is_quiet() const;
  // Bytes the kernel has taken, ever: whether a write that failed had sent anything.
  std::uint64_t bytes_taken() const { return bytes_taken_; }
  // Bytes of a TCP stream, its end included, that the peer's kernel has not acknowledged; nothing
  // when the system does not say.
  std::optional<std::size_t> unacknowledged() const;
  const std::string& failure() const { return failure_; }
  Loop& loop() { return loop_; }

  struct Io;  // the Asio side
  // ---- for stream.cc's completion handlers
  void on_read(int error_number, bool end, std::size_t bytes);
  void on_writable();

 private:
  Stream(Loop& loop, std::size_t buffer);

  enum class Send { done, blocked, failed };
  Send send(Parts& parts, std::size_t& first, std::size_t count);
  Send send_plain(Parts& parts, std::size_t& first, std::size_t count);
  Send send_encrypted(Parts& parts, std::size_t& first, std::size_t count);
  Send flush_tls();
  void wait_writable();

  bool arm_read();
  bool decrypt();
  void compact();
  void deliver();
  void report_gone();
  void wake_reader(IoStatus status);
  void wake_writer(IoStatus status);
  void close_socket();
  void fail_with(int error_number);

  static void read_deadline_passed(void* self);
  static void write_deadline_passed(void* self);
  static void probe_peer(void* self);

  Loop& loop_;
  std::unique_ptr<Io> io_;
  std::unique_ptr<TlsSession> tls_;
  std::unique_ptr<char[]> ciphertext_;

  std::unique_ptr<char[]> buffer_;
  const std::size_t capacity_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;

  bool read_pending_ = false;
  bool write_pending_ = false;
  bool handshaking_ = false;
  bool closed_ = false;
  IoStatus input_end_ = IoStatus::ok;
  std::string failure_;

  std::uint64_t bytes_taken_ = 0;
  std::coroutine_handle<> reader_;
  IoStatus read_result_ = IoStatus::ok;
  Written* writer_ = nullptr;
  void (*gone_)(void*) = nullptr;
  void* gone_owner_ = nullptr;

  Deadline read_deadline_;
  Deadline write_deadline_;
  Deadline probe_;  // for a watched stream whose buffer is full
};

// Accepts connections on a listening socket, which it owns.
class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  // `arrived` gets a connected, non-blocking socket.
  using Arrived = std::function<void(int descriptor, const sockaddr_storage& peer)>;
  static std::shared_ptr<Acceptor> start(Loop& loop, int descriptor, Arrived arrived);
  ~Acceptor();
  void close();  // hands over what the kernel has already accepted, then stops listening

  struct Io;
  void on_ready();

 private:
  Acceptor(Loop& loop, int descriptor, Arrived arrived);
  void wait();
  void accept_waiting(int most);
  static void try_again(void* self);

  std::unique_ptr<Io> io_;
  Arrived arrived_;
  bool waiting_ = false;
  Deadline out_of_descriptors_;
};

}  // namespace gatehouse::net
