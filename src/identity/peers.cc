// See peers.h.
#include "identity/peers.h"

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "identity/jose.h"

namespace gatehouse::identity {
namespace {

constexpr std::chrono::milliseconds interval{500};
constexpr std::chrono::milliseconds timeout{2'000};
constexpr std::size_t max_answer_bytes = 16u << 20;
constexpr std::size_t nonce_bytes = 16;
constexpr std::string_view scheme = "Gatehouse-Peer ";

std::string signed_with(const crypto::Digest& key, std::string_view purpose,
                        std::string_view text) {
  return to_hex(crypto::hmac_sha256(Bytes(key), bytes_of(std::string(purpose).append(text))));
}

bool same(std::string_view a, std::string_view b) {
  return crypto::equal_constant_time(bytes_of(a), bytes_of(b));
}

net::ClientLimits client_limits() {
  net::ClientLimits limits;
  limits.connect_timeout = timeout;
  limits.first_byte_timeout = timeout;
  limits.read_timeout = timeout;
  limits.idle_connections = 2;
  return limits;
}

}  // namespace

struct Peers::Peer {
  std::string url;
  Standing standing;
  SteadyTime heard;
  bool asking = false;
  std::string problem;
};

Result<SignedRevocations> answer_peer(std::string_view nonce, std::string_view authorization,
                                      const Standing& standing, const crypto::Digest& key) {
  const bool known =
      nonce.size() == 2 * nonce_bytes && authorization.starts_with(scheme) &&
      same(authorization.substr(scheme.size()), signed_with(key, "revocations/", nonce));
  if (!known) return fail(ErrorCode::unauthenticated, "not a node of this deployment");
  SignedRevocations answer;
  JsonWriter json(answer.body);
  json.begin_object().key("nonce").string(nonce);
  json.key("tokens").begin_array();
  for (const auto& id : standing.tokens()) json.string(id);
  json.end_array().key("principals").begin_array();
  for (const auto& principal : standing.principals()) json.string(principal);
  json.end_array().end_object();
  answer.signature = signed_with(key, "answer/", answer.body);
  return answer;
}

Peers::Peers(const crypto::Digest& key, std::shared_ptr<net::TlsContext> tls, const Clock& clock,
             Random& random)
    : key_(key),
      clock_(clock),
      random_(random),
      pool_(std::make_unique<net::ClientPool>(loop_, client_limits(), std::move(tls))) {
  loop_.spawn(follow());
  thread_ = std::thread([this] { loop_.run(); });
}

Peers::~Peers() {
  loop_.stop();
  thread_.join();
}

// A node that was never heard counts as heard now: it has `stale_after` to answer.
void Peers::configure(const std::vector<std::string>& urls, std::chrono::milliseconds stale_after) {
  const std::lock_guard lock(mutex_);
  stale_after_ = stale_after;
  decltype(peers_) next;
  for (const auto& url : urls) {
    const auto known = peers_.find(url);
    auto peer = known == peers_.end() ? std::make_shared<Peer>() : known->second;
    if (known == peers_.end()) peer->heard = clock_.steady();
    peer->url = url;
    next.emplace(url, std::move(peer));
  }
  peers_ = std::move(next);
  count_ = peers_.size();
  generation_.fetch_add(1, std::memory_order_release);
}

Result<void> Peers::check(const Principal& principal, const std::vector<std::string>& ids,
                          WallTime now) const {
  if (count_ == 0) return {};
  const std::lock_guard lock(mutex_);
  for (const auto& [url, peer] : peers_) GH_TRY(peer->standing.check(principal, ids, now));
  return {};
}

Result<void> Peers::fresh() const {
  if (count_ == 0) return {};
  const std::lock_guard lock(mutex_);
  const auto now = clock_.steady();
  for (const auto& [url, peer] : peers_)
    if (now - peer->heard > stale_after_)
      return fail(ErrorCode::unauthenticated,
                  "Whether the credential is revoked cannot be checked: another node of this "
                  "gateway does not answer.");
  return {};
}

net::Task<void> Peers::follow() {
  while (true) {
    co_await loop_.sleep(interval);
    std::vector<std::shared_ptr<Peer>> due;
    {
      const std::lock_guard lock(mutex_);
      for (auto& [url, peer] : peers_)
        if (!std::exchange(peer->asking, true)) due.push_back(peer);
    }
    for (auto& peer : due) loop_.spawn(ask(std::move(peer)));
  }
}

net::Task<void> Peers::ask(std::shared_ptr<Peer> peer) {
  auto revoked = co_await revocations_of(peer->url);
  const std::lock_guard lock(mutex_);
  peer->asking = false;
  const std::string problem = revoked ? "" : revoked.error().describe();
  if (problem != peer->problem) {
    if (revoked) {
      log_info("another node answers again", {{"node", peer->url}});
    } else {
      log_warning("the revocations of another node could not be fetched",
                  {{"node", peer->url}, {"error", problem}});
    }
    peer->problem = problem;
  }
  if (!revoked) co_return;
  peer->heard = clock_.steady();
  if (*revoked == peer->standing) co_return;
  peer->standing = std::move(*revoked);
  generation_.fetch_add(1, std::memory_order_release);
}

net::Task<Result<Standing>> Peers::revocations_of(std::string url) {
  GH_CO_ASSIGN(const auto endpoint, net::Endpoint::parse(url));
  std::array<std::byte, nonce_bytes> drawn{};
  random_.fill(drawn);
  const std::string nonce = to_hex(drawn);
  net::RequestHead head;
  head.method = "GET";
  head.target = std::string(revocations_path) + "?nonce=" + nonce;
  head.fields.add("Authorization", std::string(scheme) + signed_with(key_, "revocations/", nonce));
  const std::string no_body;
  auto answer = co_await pool_->request(endpoint, head, no_body, nullptr);
  if (!answer) co_return std::unexpected(std::move(answer).error());
  if ((*answer)->head().status != 200)
    co_return fail(ErrorCode::unavailable,
                   "status " + std::to_string((*answer)->head().status) + " where 200 is expected");
  const std::string signature((*answer)->head().fields.find("gatehouse-signature").value_or(""));
  GH_CO_ASSIGN(const std::string body, co_await (*answer)->read_all(max_answer_bytes));
  if (!same(signature, signed_with(key_, "answer/", body)))
    co_return fail(ErrorCode::unauthenticated, "not signed with this deployment's secret");
  GH_CO_ASSIGN(const Json document, parse_object(body, max_answer_bytes));
  const auto tokens = texts_member(document, "tokens");
  const auto principals = texts_member(document, "principals");
  if (text_member(document, "nonce") != nonce || !tokens || !principals)
    co_return fail(ErrorCode::invalid_argument, "not the answer to what was asked");
  co_return Standing::of(*tokens, *principals);
}

}  // namespace gatehouse::identity
