// See issuer_keys.h. Sources are shared with the walks under one mutex, which nobody holds while
// anything is fetched.
#include "identity/issuer_keys.h"

#include <algorithm>

#include "base/log.h"

namespace gatehouse::identity {
namespace {

constexpr std::chrono::milliseconds tick{250};
constexpr std::size_t max_unknown_kids = 1'024;
constexpr std::size_t max_waiting = 1'024;

struct SplitUrl {
  std::string origin;
  std::string target;
};

Result<SplitUrl> split_url(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos || url.find('#') != std::string_view::npos)
    return fail(ErrorCode::invalid_argument, "not a URL that can be fetched", std::string(url));
  const auto path = url.find_first_of("/?", scheme + 3);
  if (path == std::string_view::npos) return SplitUrl{std::string(url), "/"};
  SplitUrl parts{std::string(url.substr(0, path)), std::string(url.substr(path))};
  if (parts.target.front() == '?') parts.target.insert(0, "/");
  return parts;
}

std::string_view without_slash(std::string_view text) {
  while (text.ends_with('/')) text.remove_suffix(1);
  return text;
}

net::ClientLimits limits_of(const IssuerKeysOptions& options) {
  net::ClientLimits limits;
  limits.connect_timeout = options.timeout;
  limits.first_byte_timeout = options.timeout;
  limits.read_timeout = options.timeout;
  limits.idle_connections = 2;
  return limits;
}

}  // namespace

std::vector<std::string> discovery_urls(std::string_view issuer) {
  const auto parts = split_url(issuer);
  if (!parts) return {};
  const std::string path(without_slash(parts->target));
  return {parts->origin + path + "/.well-known/openid-configuration",
          parts->origin + "/.well-known/oauth-authorization-server" + path};
}

struct IssuerKeys::Source {
  KeySource from;
  std::shared_ptr<const JwkSet> keys;
  SteadyTime fetched;
  SteadyTime tried;  // when the last fetch began
  bool ever_tried = false;
  bool fetching = false;
  std::string problem = "not fetched yet";
  std::map<std::string, SteadyTime, std::less<>> unknown;  // kids, and when they were not there
  std::string wanted;                                      // the kid the fetch under way is for
  std::vector<std::function<void()>> waiting;
};

IssuerKeys::IssuerKeys(IssuerKeysOptions options, std::shared_ptr<net::TlsContext> tls,
                       const Clock& clock)
    : clock_(clock),
      options_(options),
      pool_(std::make_unique<net::ClientPool>(loop_, limits_of(options), std::move(tls))) {
  loop_.spawn(keep_fresh());
  thread_ = std::thread([this] { loop_.run(); });
}

IssuerKeys::~IssuerKeys() {
  loop_.stop();
  thread_.join();
}

void IssuerKeys::configure(std::vector<KeySource> sources, IssuerKeysOptions options) {
  const std::lock_guard lock(mutex_);
  options_ = options;
  decltype(sources_) next;
  for (auto& from : sources) {
    auto known = find(from.issuer);
    if (!known || known->from.keys_url != from.keys_url) {
      known = std::make_shared<Source>();
      known->from = std::move(from);
    }
    next.insert_or_assign(known->from.issuer, known);
  }
  sources_ = std::move(next);
  generation_.fetch_add(1, std::memory_order_release);
  for (const auto& [issuer, source] : sources_)
    if (!source->ever_tried) loop_.post([this, source] { start(source); });
}

std::shared_ptr<IssuerKeys::Source> IssuerKeys::find(std::string_view issuer) const {
  const auto found = sources_.find(issuer);
  return found == sources_.end() ? nullptr : found->second;
}

std::shared_ptr<const JwkSet> IssuerKeys::keys_of(std::string_view issuer) const {
  const std::lock_guard lock(mutex_);
  const auto source = find(issuer);
  if (!source || !source->keys) return nullptr;
  if (clock_.steady() - source->fetched > options_.stale_after) return nullptr;
  return source->keys;
}

std::string IssuerKeys::problem_of(std::string_view issuer) const {
  const std::lock_guard lock(mutex_);
  const auto source = find(issuer);
  return source ? source->problem : "not configured";
}

bool IssuerKeys::ask_for(std::string_view issuer, std::string_view kid,
                         std::function<void()> done) {
  const std::lock_guard lock(mutex_);
  const auto source = find(issuer);
  if (!source || source->waiting.size() >= max_waiting) return false;
  const auto now = clock_.steady();
  if (!source->fetching) {
    const auto known = source->unknown.find(kid);
    if (known != source->unknown.end() && now - known->second < options_.negative) return false;
    if (source->ever_tried && now - source->tried < options_.least_interval) return false;
    source->wanted = kid;
    loop_.post([this, source] { start(source); });
  }
  source->waiting.push_back(std::move(done));
  return true;
}

// Loop thread.
void IssuerKeys::start(const std::shared_ptr<Source>& source) {
  {
    const std::lock_guard lock(mutex_);
    if (source->fetching) return;
    source->fetching = true;
    source->ever_tried = true;
    source->tried = clock_.steady();
  }
  loop_.spawn(fetch(source));
}

net::Task<void> IssuerKeys::keep_fresh() {
  while (true) {
    co_await loop_.sleep(tick);
    std::vector<std::shared_ptr<Source>> due;
    {
      const std::lock_guard lock(mutex_);
      const auto now = clock_.steady();
      for (auto& [issuer, source] : sources_) {
        const auto pause = source->problem.empty() ? options_.refresh : options_.least_interval;
        if (!source->fetching && source->ever_tried && now - source->tried >= pause)
          due.push_back(source);
        if (source->keys && now - source->fetched > options_.stale_after) {
          log_error("the keys of an issuer are too old to be used", {{"issuer", issuer}});
          source->keys.reset();
          generation_.fetch_add(1, std::memory_order_release);
        }
      }
    }
    for (const auto& source : due) start(source);
  }
}

net::Task<void> IssuerKeys::fetch(std::shared_ptr<Source> source) {
  const KeySource from = source->from;
  auto keys = co_await get_keys(from);
  settle(*source, std::move(keys));
}

void IssuerKeys::settle(Source& source, Result<JwkSet> keys) {
  std::vector<std::function<void()>> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.steady();
    source.fetching = false;
    waiting.swap(source.waiting);
    if (!keys) {
      if (source.problem != keys.error().describe())
        log_warning("the keys of an issuer could not be fetched",
                    {{"issuer", source.from.issuer}, {"error", keys.error().describe()}});
      source.problem = keys.error().describe();
    } else {
      const bool first = source.keys == nullptr;
      source.problem.clear();
      source.fetched = now;
      source.keys = std::make_shared<const JwkSet>(std::move(*keys));
      generation_.fetch_add(1, std::memory_order_release);
      if (first)
        log_info("the keys of an issuer are here",
                 {{"issuer", source.from.issuer}, {"keys", source.keys->keys().size()}});
      std::erase_if(source.unknown,
                    [&](const auto& one) { return now - one.second >= options_.negative; });
      const auto has = std::ranges::any_of(
          source.keys->keys(), [&](const Jwk& key) { return key.kid == source.wanted; });
      if (!source.wanted.empty() && !has && source.unknown.size() < max_unknown_kids)
        source.unknown.insert_or_assign(source.wanted, now);
    }
    source.wanted.clear();
  }
  for (const auto& done : waiting) done();
}

net::Task<Result<std::string>> IssuerKeys::get(std::string url) {
  GH_CO_ASSIGN(const SplitUrl parts, split_url(url));
  GH_CO_ASSIGN(const auto endpoint, net::Endpoint::parse(parts.origin));
  net::RequestHead head;
  head.method = "GET";
  head.target = parts.target;
  head.fields.add("Accept", "application/json");
  const std::string no_body;
  auto answer = co_await pool_->request(endpoint, head, no_body, nullptr);
  if (!answer) co_return std::unexpected(std::move(answer).error().within(url));
  if ((*answer)->head().status != 200)
    co_return fail(ErrorCode::unavailable,
                   "status " + std::to_string((*answer)->head().status) + " where 200 is expected",
                   url);
  auto body = co_await (*answer)->read_all(max_key_set_bytes);
  if (!body) co_return std::unexpected(std::move(body).error().within(url));
  co_return std::move(*body);
}

net::Task<Result<JwkSet>> IssuerKeys::get_keys(const KeySource& source) {
  std::string url = source.keys_url;
  Error problem{ErrorCode::unavailable, "no discovery document", source.issuer};
  if (url.empty()) {
    for (const std::string& where : discovery_urls(source.issuer)) {
      auto text = co_await get(where);
      if (!text) {
        problem = std::move(text).error();
        continue;
      }
      auto document = parse_object(*text, max_key_set_bytes);
      if (!document) {
        problem = std::move(document).error().within(where);
        continue;
      }
      // RFC 8414 section 3.3: else one issuer could speak for another.
      if (text_member(*document, "issuer") != source.issuer) {
        problem = {ErrorCode::invalid_argument, "the document is of another issuer", where};
        continue;
      }
      url = text_member(*document, "jwks_uri");
      break;
    }
    if (url.empty()) co_return std::unexpected(std::move(problem));
    // Keys over a connection anybody can change would be anybody's keys.
    if (!url.starts_with("https://") && source.issuer.starts_with("https://"))
      co_return fail(ErrorCode::invalid_argument, "the keys are not behind https", url);
  }
  GH_CO_ASSIGN(const std::string text, co_await get(url));
  auto keys = JwkSet::parse(text);
  if (!keys) co_return std::unexpected(std::move(keys).error().within(url));
  co_return std::move(*keys);
}

}  // namespace gatehouse::identity
