// The questions of one loop thread: places, waiting, deadlines, the cache. See guard.h.
#include <deque>
#include <list>
#include <unordered_map>

#include "base/log.h"
#include "crypto/crypto.h"
#include "guard/guard.h"
#include "guard/local_model.h"
#include "net/mailbox.h"

namespace gatehouse::guard {
namespace {

using Key = std::string;  // digest of direction, text, and what stands before it

Key key_of(const Question& question) {
  crypto::Sha256Stream digest;
  const auto add = [&](std::string_view text) {
    const std::string size = std::to_string(text.size()) + ':';
    digest.update(bytes_of(size));
    digest.update(bytes_of(text));
  };
  add(to_string(question.direction));
  add(question.text);
  add(question.before);
  return to_hex(digest.finish());
}

// The latest verdicts, least recently used out first.
class Cache {
 public:
  std::optional<Verdict> find(const Key& key, SteadyTime now, std::chrono::milliseconds lifetime) {
    const auto known = places_.find(key);
    if (known == places_.end()) return std::nullopt;
    if (now - known->second->since > lifetime) {
      entries_.erase(known->second);
      places_.erase(known);
      return std::nullopt;
    }
    entries_.splice(entries_.begin(), entries_, known->second);
    Verdict verdict = known->second->verdict;
    verdict.cached = true;
    return verdict;
  }

  void put(Key key, Verdict verdict, SteadyTime now, std::size_t most) {
    if (most == 0 || places_.contains(key)) return;
    while (entries_.size() >= most) {
      places_.erase(entries_.back().key);
      entries_.pop_back();
    }
    entries_.push_front({key, std::move(verdict), now});
    places_.emplace(std::move(key), entries_.begin());
  }

 private:
  struct Entry {
    Key key;
    Verdict verdict;
    SteadyTime since;
  };
  std::list<Entry> entries_;
  std::unordered_map<Key, std::list<Entry>::iterator> places_;
};

// A question on its way: what can end it early.
struct Asking {
  explicit Asking(net::Loop& loop) : place(std::make_shared<net::Completion<bool>>(loop)) {}

  net::CancelSource cancel;  // of the request under way
  std::shared_ptr<net::Completion<bool>> place;
  bool place_settled = false;
  Failure ended_by = Failure::none;

  void settle_place(bool given) {
    if (place_settled) return;
    place_settled = true;
    place->complete(given);
  }
  void end(Failure why) {
    if (ended_by != Failure::none) return;
    ended_by = why;
    settle_place(false);
    cancel.cancel();
  }
};

net::Task<void> end_in_time(net::Loop& loop, std::weak_ptr<Asking> asking,
                            std::chrono::milliseconds timeout) {
  co_await loop.sleep(timeout);
  if (const auto still = asking.lock()) still->end(Failure::timeout);
}

// One guard: its connections, its places, its cache.
struct Guard {
  Guard(net::Loop& loop, const Config& config, std::shared_ptr<net::TlsContext> tls)
      : pool(loop, limits(config), std::move(tls)) {}

  static net::ClientLimits limits(const Config& config) {
    net::ClientLimits limits;
    limits.connect_timeout = config.timeout;
    limits.first_byte_timeout = config.timeout;
    limits.read_timeout = config.timeout;
    return limits;
  }

  void give_back_place() {
    while (!waiting.empty()) {
      const auto next = std::move(waiting.front());
      waiting.pop_front();
      if (next->place_settled) continue;
      next->settle_place(true);  // the place goes on to it
      return;
    }
    --taken;
  }

  net::ClientPool pool;
  Cache cache;
  std::size_t taken = 0;
  std::deque<std::shared_ptr<Asking>> waiting;
};

net::RequestHead head_of(const Config& config) {
  net::RequestHead head;
  head.method = "POST";
  head.target = request_target(config);
  head.fields.add("Content-Type", "application/json");
  head.fields.add("Accept", "application/json");
  head.fields.add("Accept-Encoding", "identity");
  if (!config.credential.empty())
    head.fields.add("Authorization", "Bearer " + std::string(config.credential.reveal()));
  return head;
}

Verdict failed(Failure failure) {
  Verdict verdict;
  verdict.failure = failure;
  return verdict;
}

Verdict verdict_of(const Config& config, Result<onnx::Reading> reading) {
  if (!reading) {
    if (reading.error().code == ErrorCode::resource_exhausted) return failed(Failure::too_long);
    log_warning("a guard's model gives no reading",
                {{"guard", config.name}, {"problem", reading.error().message}});
    return failed(Failure::unreadable);
  }
  Verdict verdict;
  verdict.flagged = reading->harmful;
  verdict.score = reading->score;
  verdict.windows = reading->windows;
  verdict.windows_of = reading->windows_of;
  take_categories(verdict, reading->labels);
  return verdict;
}

// A text that a local model reads: what the thread of the model and the loop share. The members
// belong to the loop thread.
struct Inference {
  explicit Inference(net::Loop& loop)
      : done(std::make_shared<net::Completion<Result<onnx::Reading>>>(loop)) {}

  void settle(Result<onnx::Reading> reading) {
    if (settled) return;
    settled = true;
    done->complete_here(std::move(reading));
  }

  std::shared_ptr<net::Completion<Result<onnx::Reading>>> done;
  std::stop_source stop;
  bool settled = false;
};

}  // namespace

struct Desk::Impl {
  Impl(net::Loop& on, const Clock& time, std::shared_ptr<net::TlsContext> with_tls)
      : loop(on), clock(time), tls(std::move(with_tls)) {}

  Guard& guard_of(const Config& config, const LocalModel* local) {
    auto& guard = guards[local != nullptr ? local->identity() : config.fingerprint];
    if (!guard) guard = std::make_unique<Guard>(loop, config, tls);
    return *guard;
  }

  net::Task<Failure> take_place(Guard& guard, const Config& config,
                                std::shared_ptr<Asking> asking) {
    if (guard.taken < config.concurrency) {
      ++guard.taken;
      asking->place_settled = true;
      co_return Failure::none;
    }
    if (guard.waiting.size() >= config.waiting) co_return Failure::busy;
    guard.waiting.push_back(asking);
    const bool given = co_await asking->place->wait();
    if (!given) co_return asking->ended_by;
    if (asking->ended_by == Failure::none) co_return Failure::none;
    guard.give_back_place();  // it came in the moment the time was over
    co_return asking->ended_by;
  }

  // With a place.
  net::Task<Verdict> exchange(Guard& guard, const Config& config, const std::string& body,
                              Asking& asking) {
    const auto head = head_of(config);
    const auto why = [&](Failure otherwise) {
      return failed(asking.ended_by != Failure::none ? asking.ended_by : otherwise);
    };
    auto answer = co_await guard.pool.request(config.endpoint, head, body, &asking.cancel);
    if (!answer) {
      const bool late = answer.error().code == ErrorCode::deadline_exceeded;
      co_return why(late ? Failure::timeout : Failure::unreachable);
    }
    const int status = (*answer)->head().status;
    auto text = co_await (*answer)->read_all(config.answer_bytes);
    if (!text) co_return why(Failure::unreadable);
    if (status < 200 || status >= 300) co_return failed(Failure::refused);
    auto verdict = read_answer(config, *text);
    if (verdict) co_return std::move(*verdict);
    log_warning("a guard's answer cannot be read",
                {{"guard", config.name}, {"problem", verdict.error().message}});
    co_return failed(Failure::unreadable);
  }

  // The model's own threads read; this one waits, at most until the asking is ended.
  net::Task<Verdict> infer(const Config& config, LocalModel& local, std::string text,
                           std::shared_ptr<Asking> asking) {
    const auto inference = std::make_shared<Inference>(loop);
    asking->cancel.on_cancel([inference, box = net::mailbox_of(loop)] {
      inference->stop.request_stop();
      box->post([inference] { inference->settle(fail(ErrorCode::cancelled, "ended")); });
    });
    // The loop may be gone before the model has read: its mailbox then drops the answer.
    const bool taken =
        local.read(std::move(text), inference->stop.get_token(),
                   [inference, box = net::mailbox_of(loop)](Result<onnx::Reading> reading) {
                     box->post([inference, reading = std::move(reading)]() mutable {
                       inference->settle(std::move(reading));
                     });
                   });
    if (!taken) co_return failed(Failure::busy);
    auto reading = co_await inference->done->wait();
    if (asking->ended_by != Failure::none) co_return failed(asking->ended_by);
    co_return verdict_of(config, std::move(reading));
  }

  // The guard over HTTP.
  net::Task<Verdict> send(Guard& guard, const Config& config, Question question,
                          std::shared_ptr<Asking> asking) {
    const std::string body = request_body(config, question);
    const Failure no_place = co_await take_place(guard, config, asking);
    if (no_place != Failure::none) co_return failed(no_place);
    Verdict verdict = co_await exchange(guard, config, body, *asking);
    guard.give_back_place();
    co_return verdict;
  }

  net::Task<Verdict> ask(const Config& config, Question question, net::CancelSource* caller,
                         std::shared_ptr<LocalModel> local) {
    if (config.type == Type::onnx) question.before = {};  // it reads a text by itself
    if (question.text.size() + question.before.size() > config.text_bytes)
      co_return failed(Failure::too_long);
    if (config.type == Type::onnx && local == nullptr) co_return failed(Failure::unreachable);
    Guard& guard = guard_of(config, local.get());
    const auto began = clock.steady();
    Key key = key_of(question);
    if (auto known = guard.cache.find(key, began, config.cache_lifetime))
      co_return std::move(*known);
    const auto asking = std::make_shared<Asking>(loop);
    if (caller != nullptr) {
      caller->on_cancel([weak = std::weak_ptr(asking)] {
        if (const auto still = weak.lock()) still->end(Failure::cancelled);
      });
    }
    loop.spawn(end_in_time(loop, asking, config.timeout));
    Verdict verdict = local != nullptr
                          ? co_await infer(config, *local, std::string(question.text), asking)
                          : co_await send(guard, config, question, asking);
    if (caller != nullptr) caller->on_cancel({});
    const auto now = clock.steady();
    verdict.took = std::chrono::duration_cast<std::chrono::milliseconds>(now - began);
    if (!verdict.failed()) guard.cache.put(std::move(key), verdict, now, config.cache_entries);
    co_return verdict;
  }

  net::Loop& loop;
  const Clock& clock;
  std::shared_ptr<net::TlsContext> tls;
  std::map<std::string, std::unique_ptr<Guard>, std::less<>> guards;
};

Desk::Desk(net::Loop& loop, const Clock& clock, std::shared_ptr<net::TlsContext> tls)
    : impl_(std::make_shared<Impl>(loop, clock, std::move(tls))) {}
Desk::~Desk() = default;

net::Task<Verdict> Desk::ask(const Config& config, Question question, net::CancelSource* caller,
                             std::shared_ptr<LocalModel> local) {
  return impl_->ask(config, question, caller, std::move(local));
}

}  // namespace gatehouse::guard
