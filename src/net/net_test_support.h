// Shared by net's tests: a raw blocking client socket, a raw scripted upstream, and a server on a
// loop of its own thread.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "net/client.h"
#include "net/loop.h"
#include "net/server.h"

namespace gatehouse::net::testing {

// A loop that runs on its own thread until it goes out of scope.
class LoopThread {
 public:
  LoopThread();
  ~LoopThread();
  Loop& loop() { return *loop_; }
  // Runs `work` on the loop's thread and waits for it.
  void run(std::move_only_function<void()> work);
  // Starts the task on the loop's thread and waits until it has ended.
  void run_task(std::move_only_function<Task<void>()> make);
  // Stops the thread; the loop itself lives on until the end.
  void stop();

 private:
  std::unique_ptr<Loop> loop_ = std::make_unique<Loop>();
  std::thread thread_;
};

// A server on its own loop thread.
class ServerThread {
 public:
  explicit ServerThread(Handler handler, ServerLimits limits = {}, ListenAddress address = {},
                        std::shared_ptr<TlsContext> tls = nullptr);
  ~ServerThread();
  std::uint16_t port() const { return port_; }
  Server& server() { return *server_; }
  Loop& loop() { return thread_.loop(); }
  void run(std::move_only_function<void()> work) { thread_.run(std::move(work)); }
  std::vector<Refusal> refusals();

 private:
  LoopThread thread_;
  std::unique_ptr<Server> server_;
  std::vector<Refusal> refusals_;
  std::uint16_t port_ = 0;
};

// A blocking socket with a receive timeout.
class RawSocket {
 public:
  static RawSocket connect(std::uint16_t port);
  static RawSocket connect_unix(const std::string& path);
  explicit RawSocket(int descriptor);
  RawSocket(RawSocket&& other) noexcept;
  ~RawSocket();

  void send(std::string_view bytes);
  // What arrives until the peer closes, or until `seconds` without a byte.
  std::string receive_all(int seconds = 5);
  // One whole answer with Content-Length or chunked framing; "" when the peer closed.
  std::string receive_message(int seconds = 5);
  // At least `count` bytes.
  std::string receive(std::size_t count, int seconds = 5);
  bool peer_closed(int seconds = 5);  // FIN or RST comes, without any more bytes
  void shut_down_output();
  void close();
  void reset();  // RST
  int descriptor() const { return descriptor_; }

 private:
  bool receive_some(std::string& out, int seconds);
  int descriptor_;
  std::string pending_;
};

// A listener whose connections are handled by a blocking script, one thread each.
class ScriptedUpstream {
 public:
  using Script = std::function<void(RawSocket&, int connection_number)>;
  explicit ScriptedUpstream(Script script);
  ~ScriptedUpstream();
  std::uint16_t port() const { return port_; }
  int connections() const { return connections_.load(); }

 private:
  Script script_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<bool> stopping_{false};
  std::thread acceptor_;
  std::vector<std::thread> threads_;
};

int status_of(std::string_view answer);
std::string body_of(std::string_view answer);
bool wait_until(const std::function<bool()>& condition, int milliseconds = 5'000);

}  // namespace gatehouse::net::testing
