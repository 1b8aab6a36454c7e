// The implementation of net_test_support.h (named *_test.cc so that it is part of the test binary).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <future>
#include <mutex>

#include "net_test_support.h"

namespace gatehouse::net::testing {
namespace {

std::size_t message_size(std::string_view bytes) {
  const std::size_t head = bytes.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  const std::string_view fields = bytes.substr(0, head + 2);
  const std::size_t body = head + 4;
  if (fields.find("Transfer-Encoding: chunked") != std::string_view::npos) {
    const std::size_t end = bytes.find("0\r\n\r\n", body);
    return end == std::string_view::npos ? 0 : end + 5;
  }
  const std::size_t length = fields.find("Content-Length: ");
  const std::size_t size =
      length == std::string_view::npos
          ? 0
          : static_cast<std::size_t>(std::atoll(std::string(fields.substr(length + 16)).c_str()));
  return bytes.size() >= body + size ? body + size : 0;
}

}  // namespace

LoopThread::LoopThread() : thread_([this] { loop_->run(); }) {}

LoopThread::~LoopThread() {
  stop();
}

void LoopThread::stop() {
  if (!thread_.joinable()) return;
  loop_->stop();
  thread_.join();
}

void LoopThread::run(std::move_only_function<void()> work) {
  std::promise<void> done;
  loop_->post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

namespace {
Task<void> then_set(Task<void> task, std::promise<void>* done) {
  co_await std::move(task);
  done->set_value();
}
}  // namespace

void LoopThread::run_task(std::move_only_function<Task<void>()> make) {
  std::promise<void> done;
  loop_->post([&] { loop_->spawn(then_set(make(), &done)); });
  done.get_future().wait();
}

ServerThread::ServerThread(Handler handler, ServerLimits limits, ListenAddress address,
                           std::shared_ptr<TlsContext> tls) {
  thread_.run([&] {
    server_ = std::make_unique<Server>(thread_.loop(), std::move(address), limits,
                                       std::move(handler), std::move(tls));
    server_->on_refused([this](const Refusal& refusal) { refusals_.push_back(refusal); });
    const Result<void> listening = server_->listen();
    EXPECT_TRUE(listening) << listening.error().describe();
    port_ = server_->port();
  });
}

ServerThread::~ServerThread() {
  thread_.run([&] { server_.reset(); });
}

std::vector<Refusal> ServerThread::refusals() {
  std::vector<Refusal> copy;
  thread_.run([&] { copy = refusals_; });
  return copy;
}

RawSocket::RawSocket(int descriptor) : descriptor_(descriptor) {}
RawSocket::RawSocket(RawSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), pending_(std::move(other.pending_)) {}
RawSocket::~RawSocket() {
  close();
}

RawSocket RawSocket::connect(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(0, ::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
  return RawSocket(descriptor);
}

RawSocket RawSocket::connect_unix(const std::string& path) {
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  EXPECT_EQ(0, ::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
  return RawSocket(descriptor);
}

void RawSocket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the peer has closed: what it said before is what a test looks at
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool RawSocket::receive_some(std::string& out, int seconds) {
  pollfd ready{descriptor_, POLLIN, 0};
  if (::poll(&ready, 1, seconds * 1000) != 1) return false;
  char bytes[65536];
  const ssize_t got = ::recv(descriptor_, bytes, sizeof(bytes), 0);
  if (got <= 0) return false;
  out.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::string RawSocket::receive_all(int seconds) {
  std::string all = std::exchange(pending_, {});
  while (receive_some(all, seconds)) {
  }
  return all;
}

std::string RawSocket::receive_message(int seconds) {
  for (;;) {
    if (const std::size_t size = message_size(pending_)) {
      std::string message = pending_.substr(0, size);
      pending_.erase(0, size);
      return message;
    }
    if (!receive_some(pending_, seconds)) return "";
  }
}

std::string RawSocket::receive(std::size_t count, int seconds) {
  while (pending_.size() < count && receive_some(pending_, seconds)) {
  }
  return std::exchange(pending_, {});
}

bool RawSocket::peer_closed(int seconds) {
  pollfd ready{descriptor_, POLLIN, 0};
  if (!pending_.empty() || ::poll(&ready, 1, seconds * 1000) != 1) return false;
  char byte = 0;
  return ::recv(descriptor_, &byte, 1, 0) <= 0;
}

void RawSocket::shut_down_output() {
  ::shutdown(descriptor_, SHUT_WR);
}

void RawSocket::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void RawSocket::reset() {
  const linger now{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close();
}

ScriptedUpstream::ScriptedUpstream(Script script) : script_(std::move(script)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(0, ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
  EXPECT_EQ(0, ::listen(listener_, 64));
  socklen_t size = sizeof(address);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] {
    for (;;) {
      const int descriptor = ::accept(listener_, nullptr, nullptr);
      if (stopping_ || descriptor < 0) {
        if (descriptor >= 0) ::close(descriptor);
        return;
      }
      const int number = ++connections_;
      threads_.emplace_back([this, descriptor, number] {
        RawSocket socket(descriptor);
        script_(socket, number);
      });
    }
  });
}

ScriptedUpstream::~ScriptedUpstream() {
  stopping_ = true;
  {
    RawSocket::connect(port_);
  }
  acceptor_.join();
  for (auto& thread : threads_) thread.join();
  ::close(listener_);
}

int status_of(std::string_view answer) {
  if (answer.size() < 12 || !answer.starts_with("HTTP/1.1 ")) return 0;
  return std::atoi(std::string(answer.substr(9, 3)).c_str());
}

std::string body_of(std::string_view answer) {
  const std::size_t head = answer.find("\r\n\r\n");
  return head == std::string_view::npos ? "" : std::string(answer.substr(head + 4));
}

bool wait_until(const std::function<bool()>& condition, int milliseconds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  while (std::chrono::steady_clock::now() < until) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

}  // namespace gatehouse::net::testing
