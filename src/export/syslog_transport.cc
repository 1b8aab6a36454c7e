// Syslog over TCP or TLS. The protocol has no acknowledgement, so one is made of the connection's
// end: now and then our side ends it and waits for the receiver's end, which comes only after the
// receiver has read everything (net/byte_client.h). Until then everything counts as unsent.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "export/transport.h"
#include "net/byte_client.h"

namespace gatehouse::exporter {
namespace {

class SyslogTransport final : public Transport {
 public:
  SyslogTransport(net::Loop& loop, const Config& config, std::shared_ptr<net::TlsContext> tls)
      : loop_(loop), config_(config), tls_(std::move(tls)) {}

  net::Task<Delivery> send(std::span<const Item> items) override {
    // What an ended connection has not confirmed may be lost: the caller must begin again there.
    if (client_ && !client_->is_open()) co_return failed("the receiver ended the connection");
    if (!client_) {
      auto connected =
          co_await net::ByteClient::connect(loop_, config_.endpoint, tls_, config_.timeout);
      if (!connected) co_return failed(connected.error().describe());
      client_ = std::move(*connected);
    }
    std::string bytes;
    for (const Item& item : items) bytes += item.payload;
    const auto written = co_await client_->write(bytes, config_.timeout);
    if (!written) co_return failed(written.error().describe());
    co_return Delivery{Verdict::sent, {}, {}, 0};
  }

  net::Task<Delivery> confirm() override {
    if (!client_) co_return failed("there is no connection");
    const auto client = std::move(client_);
    const auto end = co_await client->finish(std::min(config_.timeout, end_time_));
    if (!end) co_return failed(end.error().describe());
    if (*end == net::ByteClient::End::acknowledged) note_no_end();
    co_return Delivery{Verdict::accepted, {}, {}, 0};
  }

 private:
  Delivery failed(std::string error) {
    client_.reset();
    return {Verdict::retry, std::move(error), {}, 0};
  }

  // It will not end the next one either, so that is not waited for as long.
  void note_no_end() {
    constexpr net::Milliseconds next_time{1'000};
    if (std::exchange(end_time_, next_time) == next_time) return;
    log_warning(
        "the receiver does not end its connection; only its system's acknowledgement is known",
        {{"exporter", config_.name}, {"url", config_.url}});
  }

  net::Loop& loop_;
  const Config& config_;
  std::shared_ptr<net::TlsContext> tls_;
  std::unique_ptr<net::ByteClient> client_;
  net::Milliseconds end_time_{10'000};  // for the receiver's end
};

}  // namespace

Result<std::unique_ptr<Transport>> make_syslog_transport(net::Loop& loop, const Config& config) {
  std::shared_ptr<net::TlsContext> tls;
  if (config.endpoint.tls) {
    GH_ASSIGN(tls, net::TlsContext::client(config.ca));
  }
  return std::make_unique<SyslogTransport>(loop, config, std::move(tls));
}

}  // namespace gatehouse::exporter
