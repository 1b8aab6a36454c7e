// Events in the body of a POST: OCSF one JSON object a line, OTLP in its envelope. An answer of 2xx
// is the confirmation. One request at a time, so that the receiver gets them in order.
#include <utility>

#include "export/otlp.h"
#include "export/transport.h"
#include "net/client.h"

namespace gatehouse::exporter {
namespace {

constexpr std::size_t largest_answer = 64u << 10;

bool is_otlp(Type type) {
  return type == Type::otlp_logs || type == Type::otlp_traces;
}

net::ClientLimits limits_of(const Config& config) {
  net::ClientLimits limits;
  limits.connections = 2;
  limits.idle_connections = 1;
  limits.connect_timeout = std::min(config.timeout, limits.connect_timeout);
  limits.first_byte_timeout = config.timeout;
  limits.read_timeout = config.timeout;
  return limits;
}

class HttpTransport final : public Transport {
 public:
  HttpTransport(net::Loop& loop, const Config& config, const Source& source, const Clock& clock,
                std::shared_ptr<net::TlsContext> tls)
      : config_(config),
        source_(source),
        clock_(clock),
        pool_(loop, limits_of(config), std::move(tls)),
        endpoint_(config.endpoint) {
    // The whole path stands in the target, so that one without an end slash stays without.
    head_.method = "POST";
    head_.target = std::exchange(endpoint_.base_path, "");
    if (config.type == Type::otlp_logs) head_.target += "/v1/logs";
    if (config.type == Type::otlp_traces) head_.target += "/v1/traces";
    if (head_.target.empty()) head_.target = "/";
    head_.fields.add("Content-Type",
                     is_otlp(config.type) ? "application/json" : "application/x-ndjson");
    head_.fields.add("User-Agent", "gatehouse/" + source.version);
    if (!config.credential.empty())
      head_.fields.add("Authorization",
                       config.scheme + ' ' + std::string(config.credential.reveal()));
  }

  net::Task<Delivery> send(std::span<const Item> items) override {
    const std::string body = body_of(items);
    auto answer = co_await pool_.request(endpoint_, head_, body, nullptr);
    if (!answer) co_return Delivery{Verdict::retry, answer.error().describe(), {}, 0};
    auto text = co_await (*answer)->read_all(largest_answer);
    Delivery delivery = judge_status((*answer)->head().status);
    if (delivery.verdict == Verdict::accepted) {
      // 2xx stands, whatever comes after it; only OTLP says more.
      if (text && is_otlp(config_.type)) note_partial_success(delivery, *text);
      co_return delivery;
    }
    if (text && !text->empty()) delivery.error += ": " + quote_answer(*text);
    if (const auto after = (*answer)->head().fields.find("retry-after"))
      delivery.wait = parse_retry_after(*after, clock_.wall());
    co_return delivery;
  }

  net::Task<Delivery> confirm() override { co_return Delivery{Verdict::accepted, {}, {}, 0}; }

 private:
  std::string body_of(std::span<const Item> items) const {
    Envelope envelope;
    if (config_.type == Type::otlp_logs) envelope = otlp_logs_envelope(source_, items[0].node);
    if (config_.type == Type::otlp_traces) envelope = otlp_traces_envelope(source_, items[0].node);
    std::string body = envelope.prefix;
    for (std::size_t at = 0; at < items.size(); ++at) {
      if (at > 0 && is_otlp(config_.type)) body += ',';
      body += items[at].payload;
    }
    return body + envelope.suffix;
  }

  static void note_partial_success(Delivery& delivery, std::string_view answer) {
    PartialSuccess partial = parse_partial_success(answer);
    delivery.rejected = partial.rejected;
    delivery.error = std::move(partial.message);
  }

  const Config& config_;
  const Source& source_;
  const Clock& clock_;
  net::ClientPool pool_;
  net::Endpoint endpoint_;
  net::RequestHead head_;
};

}  // namespace

Result<std::unique_ptr<Transport>> make_http_transport(net::Loop& loop, const Config& config,
                                                       const Source& source, const Clock& clock) {
  std::shared_ptr<net::TlsContext> tls;
  if (config.endpoint.tls) {
    GH_ASSIGN(tls, net::TlsContext::client(config.ca));
  }
  return std::make_unique<HttpTransport>(loop, config, source, clock, std::move(tls));
}

}  // namespace gatehouse::exporter
