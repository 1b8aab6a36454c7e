#include "witness/server.h"

#include <chrono>
#include <latch>

#include "base/log.h"
#include "ledger/witness_protocol.h"
#include "net/tls.h"

namespace gatehouse::witness {

namespace {

constexpr std::string_view plain_text = "text/plain; charset=utf-8";
constexpr std::chrono::seconds drain_time{2};

net::ResponseHead head_of(int status, std::string_view content_type) {
  net::ResponseHead head;
  head.status = status;
  head.fields.add("Content-Type", std::string(content_type));
  return head;
}

net::Task<void> refuse(net::ServerStream& client, int status, std::string reason) {
  auto head = head_of(status, plain_text);
  if (status == 405) head.fields.add("Allow", "POST");
  (void)co_await client.respond(std::move(head), std::move(reason) + '\n');
}

int status_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::resource_exhausted:
      return 413;
    case ErrorCode::deadline_exceeded:
      return 408;
    default:
      return 400;
  }
}

void note_in_log(const WitnessAnswer& answer) {
  if (answer.status == 200) {
    log_debug("witness: cosigned", {{"log", answer.origin}, {"size", answer.size}});
  } else if (answer.status == 422) {
    // A log that contradicts itself: whoever runs it, or this witness, wants to know.
    log_error("witness: a checkpoint that does not follow from the last one was refused",
              {{"log", answer.origin}, {"size", answer.size}, {"reason", answer.reason}});
  } else if (answer.status != 409) {
    log_warning("witness: a checkpoint was refused",
                {{"log", answer.origin}, {"status", answer.status}, {"reason", answer.reason}});
  }
}

}  // namespace

Result<std::unique_ptr<WitnessServer>> WitnessServer::start(const WitnessConfig& config,
                                                            const Clock& clock) {
  std::unique_ptr<WitnessServer> out(new WitnessServer());
  WitnessServer& self = *out;
  auto identity = WitnessIdentity::derive(config.name, config.secret);
  self.prefix_ = config.prefix;
  self.verifier_key_ = to_string(identity.cosigner);
  GH_ASSIGN(self.state_, WitnessState::open(self.disk_, config.data.string(), std::move(identity),
                                            config.logs, clock));
  std::shared_ptr<net::TlsContext> tls;
  if (!config.tls_certificate.empty()) {
    GH_ASSIGN(tls, net::TlsContext::server(config.tls_certificate, config.tls_key));
  }
  self.server_ = std::make_unique<net::Server>(
      self.loop_, config.listen, config.limits,
      [&self](net::ServerStream& client) { return self.handle(client); }, std::move(tls));
  GH_TRY(self.server_->listen());
  self.thread_ = std::thread([&self] { self.loop_.run(); });
  return out;
}

WitnessServer::~WitnessServer() {
  stop();
}

std::uint16_t WitnessServer::port() const {
  return server_->port();
}

std::string WitnessServer::verifier_key() const {
  return verifier_key_;
}

void WitnessServer::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] { server_->drain(); });
  const auto end = std::chrono::steady_clock::now() + drain_time;
  while (server_->active_requests() > 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::latch closed(1);
  loop_.post([&] {
    server_->close_all();
    closed.count_down();
  });
  closed.wait();
  loop_.stop();
  thread_.join();
}

net::Task<void> WitnessServer::handle(net::ServerStream& client) {
  constexpr std::string_view suffix = "/checkpoint";
  std::string_view path = client.request().path();
  if (!path.starts_with(prefix_)) return refuse(client, 404, "there is nothing here");
  path.remove_prefix(prefix_.size());
  if (path == "/add-checkpoint") {
    if (client.request().method == "POST") return add_checkpoint(client);
    return refuse(client, 405, "add-checkpoint is a POST");
  }
  const bool is_read = client.request().method == "GET" && path.size() == 65 + suffix.size() &&
                       path.ends_with(suffix);
  if (is_read) return give_checkpoint(client, std::string(path.substr(1, 64)));
  return refuse(client, 404, "there is nothing here");
}

net::Task<void> WitnessServer::add_checkpoint(net::ServerStream& client) {
  const auto body = co_await client.read_body(ledger::max_add_checkpoint_bytes);
  if (!body) {
    co_await refuse(client, status_of(body.error()), body.error().message);
    co_return;
  }
  WitnessAnswer answer;
  const auto ran = co_await loop_.run_blocking([&] { answer = state_->add_checkpoint(*body); });
  if (!ran) {
    co_await refuse(client, 503, "the witness is busy; try again");
    co_return;
  }
  note_in_log(answer);
  (void)co_await client.respond(head_of(answer.status, answer.content_type),
                                std::move(answer.body));
}

net::Task<void> WitnessServer::give_checkpoint(net::ServerStream& client, std::string origin_hash) {
  auto note = state_->latest(origin_hash);
  if (!note) {
    co_await refuse(client, 404, "this witness has never cosigned a checkpoint of that log");
    co_return;
  }
  auto head = head_of(200, plain_text);
  head.fields.add("Cache-Control", "no-cache");
  (void)co_await client.respond(std::move(head), std::move(*note));
}

}  // namespace gatehouse::witness
