// The smallest proxy that net/ makes: what the gateway does without deciding anything. Only for
// src/net/bench/compare, which measures it against nginx.
//   net_proxy PORT http://127.0.0.1:UPSTREAM_PORT
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "net/client.h"
#include "net/loop.h"
#include "net/server.h"

namespace gatehouse::net {
namespace {

struct Proxy {
  ClientPool pool;
  Endpoint upstream;
};

Task<void> bad_gateway(ServerStream& stream, Error error) {
  ResponseHead head;
  head.status = 502;
  std::string body = error.describe();
  (void)co_await stream.respond(std::move(head), std::move(body));
}

Task<void> relay(ServerStream& client, ClientStream& upstream) {
  client.begin(upstream.head());
  for (;;) {
    std::string bytes;
    const Result<bool> more = co_await upstream.read_some(bytes);
    if (!more) co_return client.abort();
    if (!*more) break;
    const Result<void> written = co_await client.write(std::move(bytes));
    if (!written) co_return;
  }
  (void)co_await client.end();
}

Task<void> forward(Proxy& proxy, ServerStream& client) {
  Result<std::string> body = co_await client.read_body(32u << 20);
  if (!body) co_return;
  RequestHead head = client.request();
  head.fields.remove("Host");
  auto upstream = co_await proxy.pool.request(proxy.upstream, std::move(head), std::move(*body),
                                              &client.disconnected());
  if (!upstream) co_return co_await bad_gateway(client, std::move(upstream).error());
  const auto type = (*upstream)->head().fields.find("Content-Type");
  if (type && type->starts_with("text/event-stream")) co_return co_await relay(client, **upstream);
  Result<std::string> answer = co_await (*upstream)->read_all(32u << 20);
  if (!answer) co_return co_await bad_gateway(client, std::move(answer).error());
  (void)co_await client.respond((*upstream)->head(), std::move(*answer));
}

int serve(int port, const char* url) {
  Loop loop;
  const auto endpoint = Endpoint::parse(url);
  if (!endpoint) {
    std::fprintf(stderr, "%s\n", endpoint.error().describe().c_str());
    return 1;
  }
  Proxy proxy{ClientPool(loop, {}, nullptr), *endpoint};
  ListenAddress address;
  address.port = static_cast<std::uint16_t>(port);
  Server server(loop, address, {}, [&](ServerStream& stream) { return forward(proxy, stream); });
  if (const auto listening = server.listen(); !listening) {
    std::fprintf(stderr, "%s\n", listening.error().describe().c_str());
    return 1;
  }
  loop.run();
  return 0;
}

}  // namespace
}  // namespace gatehouse::net

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: net_proxy PORT UPSTREAM_URL\n");
    return 2;
  }
  return gatehouse::net::serve(std::atoi(argv[1]), argv[2]);
}
