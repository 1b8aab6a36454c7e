// Decode: the body arrives and its channels are found.
#include "gateway/body_error.h"
#include "gateway/stages.h"

namespace gatehouse::gateway {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool escape = text[at] == '%' && at + 2 < text.size() && hex_digit(text[at + 1]) >= 0 &&
                        hex_digit(text[at + 2]) >= 0;
    if (escape) {
      decoded += static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
      at += 2;
    } else {
      decoded += text[at];
    }
  }
  return decoded;
}

// The query goes on to the provider, so it is a text of the call like any other.
void add_query(Exchange& exchange) {
  const auto query = exchange.head->query();
  if (query.empty()) return;
  const auto& text = exchange.decoded.emplace_back(percent_decoded(query));
  exchange.channels.push_back({{}, text, TextRole::fixed, false});
}

}  // namespace

net::Task<Verdict> decode(Worker& worker, net::ServerStream& client, Exchange& exchange) {
  auto body = co_await client.read_body(exchange.snapshot->config->server.body_bytes);
  if (!body) co_return std::unexpected(body_error(body.error()));
  exchange.body = std::move(*body);
  const StageTimer timer(worker, exchange, Stage::decode);
  Result<void> decoded;
  if (is_large(exchange.body)) {
    GH_STAGE(co_await beside_the_loop(worker, [&exchange, &decoded] {
      JsonWalker walker;
      decoded = exchange.dialect->decode(walker, exchange);
    }));
  } else {
    decoded = exchange.dialect->decode(worker.walker, exchange);
  }
  if (!decoded) co_return refuse(Problem::bad_request, decoded.error().describe());
  add_query(exchange);
  co_return Verdict{};
}

}  // namespace gatehouse::gateway
