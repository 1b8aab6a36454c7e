#include "net/byte_client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "base/descriptor.h"
#include "net/address.h"
#include "net/server.h"
#include "net_test_support.h"

namespace gatehouse::net {
namespace {

using namespace std::chrono_literals;
using testing::LoopThread;

// A listener whose one connection does what the test says, on a thread of its own.
class Peer {
 public:
  explicit Peer(std::function<void(int connection)> act) {
    ListenAddress address;
    address.host = "127.0.0.1";
    listener_ = Descriptor(open_listener(address).value());
    thread_ = std::thread([this, act = std::move(act)] {
      int connection = -1;
      while (connection < 0) connection = ::accept(listener_.get(), nullptr, nullptr);
      act(connection);
      ::close(connection);
    });
  }
  ~Peer() { thread_.join(); }
  Endpoint endpoint() const {
    Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = bound_port(listener_.get());
    return endpoint;
  }

 private:
  Descriptor listener_;
  std::thread thread_;
};

std::size_t read_to_end(int connection) {
  std::size_t total = 0;
  char bytes[4096];
  for (;;) {
    const auto got = ::read(connection, bytes, sizeof(bytes));
    if (got <= 0) return total;
    total += static_cast<std::size_t>(got);
  }
}

using Finished = Result<ByteClient::End>;

Task<void> send_and_finish(Loop& loop, Endpoint endpoint, std::string bytes, Milliseconds timeout,
                           Finished& finished) {
  auto client = co_await ByteClient::connect(loop, endpoint, nullptr, 5s);
  if (!client) {
    finished = std::unexpected(client.error());
    co_return;
  }
  if (auto written = co_await (*client)->write(bytes, 5s); !written) {
    finished = std::unexpected(written.error());
    co_return;
  }
  finished = co_await (*client)->finish(timeout);
}

Finished talk(const Endpoint& endpoint, std::string bytes, Milliseconds timeout = 5s) {
  LoopThread thread;
  Finished finished = fail(ErrorCode::internal, "not ended");
  thread.run_task([&] {
    return send_and_finish(thread.loop(), endpoint, std::move(bytes), timeout, finished);
  });
  return finished;
}

TEST(ByteClient, APeerThatReadsToTheEndHasReadEverything) {
  std::size_t got = 0;
  Finished finished = fail(ErrorCode::internal, "");
  {
    const Peer peer([&](int connection) { got = read_to_end(connection); });
    finished = talk(peer.endpoint(), std::string(1u << 20, 'x'));
  }
  ASSERT_TRUE(finished) << finished.error().describe();
  EXPECT_EQ(*finished, ByteClient::End::read);
  EXPECT_EQ(got, 1u << 20);
}

TEST(ByteClient, APeerThatClosesWithBytesUnreadHasNotReadEverything) {
  const Peer peer([](int) { std::this_thread::sleep_for(300ms); });
  const auto finished = talk(peer.endpoint(), std::string(1'000, 'x'));
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, ErrorCode::data_loss);
}

TEST(ByteClient, APeerThatLeftBeforeTheBytesCameHasNotReadThem) {
  const Peer peer([](int) {});
  EXPECT_FALSE(talk(peer.endpoint(), std::string(1'000, 'x')));
}

TEST(ByteClient, OfAPeerThatDoesNotCloseOnlyItsSystemIsKnown) {
  const Peer peer([](int) { std::this_thread::sleep_for(1'500ms); });
  const auto finished = talk(peer.endpoint(), "abc", 500ms);
  ASSERT_TRUE(finished) << finished.error().describe();
  EXPECT_EQ(*finished, ByteClient::End::acknowledged);
}

TEST(ByteClient, NobodyThereIsUnavailable) {
  Endpoint endpoint;
  endpoint.host = "127.0.0.1";
  {
    ListenAddress address;
    address.host = "127.0.0.1";
    const Descriptor listener(open_listener(address).value());
    endpoint.port = bound_port(listener.get());
  }
  const auto finished = talk(endpoint, "abc");
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace gatehouse::net
