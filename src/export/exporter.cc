// See exporter.h.
#include "export/exporter.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"

namespace gatehouse::exporter {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t batch_bytes = 4u << 20;
constexpr milliseconds poll_interval{100};  // also how long entries gather
constexpr milliseconds first_wait{500};     // after a failure; doubled with each more
constexpr milliseconds confirm_interval{5'000};
constexpr std::uint64_t most_unconfirmed = 20'000;
constexpr unsigned tries_of_one = 3;  // before a refused entry is passed over
constexpr unsigned most_skips_in_a_row = 10;
constexpr std::chrono::minutes failure_log_interval{1};

// Calls come first.
void lower_priority() {
  constexpr int nice = 10;
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nice);
}

// Between half of `wait` and all of it, so that exporters that failed together do not come back
// together.
milliseconds jittered(milliseconds wait, Random& random) {
  std::uint32_t bits = 0;
  random.fill(std::as_writable_bytes(std::span(&bits, 1)));
  const auto half = wait.count() / 2;
  return milliseconds(wait.count() - half * (bits % 1'024) / 1'024);
}

}  // namespace

Exporter::Exporter(Config config, const Log& log, const Clock& clock, Random& random)
    : config_(std::move(config)),
      log_(log),
      clock_(clock),
      random_(random),
      source_{GATEHOUSE_VERSION, log.origin},
      file_(position_file(log.data, config_.name)) {
  status_.name = config_.name;
  status_.type = to_string(config_.type);
  status_.to = config_.type == Type::ocsf_file ? config_.path.string() : config_.url;
  status_.state = "waiting";
}

Exporter::~Exporter() {
  stop(milliseconds(0));
}

void Exporter::start() {
  thread_ = std::thread([this] {
    lower_priority();
    loop_.spawn(run());
    loop_.run();
  });
}

void Exporter::ask_to_stop() {
  stopping_ = true;
}

void Exporter::stop(milliseconds grace) {
  if (!thread_.joinable()) return;
  ask_to_stop();
  {
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, grace, [this] { return has_ended_; });
  }
  loop_.stop();
  thread_.join();
}

Status Exporter::status() const {
  const std::uint64_t durable = log_.durable();
  const std::lock_guard lock(mutex_);
  Status status = status_;
  status.backlog = durable - std::min(durable, status.position);
  if (status.backlog > 0 && oldest_) {
    const std::chrono::duration<double> age = clock_.wall() - *oldest_;
    status.oldest_unsent_age = std::max(age.count(), 0.0);
  }
  return status;
}

// ---- the whole of it

net::Task<void> Exporter::run() {
  if (auto prepared = prepare(); !prepared) {
    halted(prepared.error());
  } else {
    while (co_await wait_for_entries()) {
      auto read = read_batch();
      // What was read before an error is behind the cursor, so it is delivered first.
      if (!co_await deliver_batch()) break;
      if (read) continue;
      reader_.reset();
      if (!co_await back_off(read.error().describe(), std::nullopt)) break;
    }
  }
  const std::lock_guard lock(mutex_);
  has_ended_ = true;
  ended_.notify_all();
}

void Exporter::halted(const Error& error) {
  log_error("an exporter cannot go on; nothing is sent until it is restarted",
            {{"exporter", config_.name}, {"error", error.describe()}});
  const std::lock_guard lock(mutex_);
  status_.state = "halted";
  status_.last_error = error.describe();
  status_.last_error_time = format_time(clock_.wall());
  ++status_.errors;
}

// ---- where to begin

Result<void> Exporter::prepare() {
  GH_ASSIGN(transport_, make_transport(loop_, config_, source_, clock_));
  GH_TRY(open_position());
  rewind();
  return {};
}

Result<void> Exporter::open_position() {
  const std::uint64_t durable = log_.durable();
  GH_ASSIGN(const auto remembered, load_position(file_));
  if (remembered) {
    GH_TRY(check_position(*remembered, log_.directory, log_.origin, durable));
    position_ = *remembered;
  } else if (config_.from == From::start || durable == 0) {
    position_ = Position{log_.origin, 0, 0, ""};
  } else {
    position_ = Position{log_.origin, durable, durable, ""};
    GH_ASSIGN(auto reader, ledger::EntryReader::open(log_.directory, durable - 1));
    std::uint64_t index = 0;
    std::string entry;
    GH_ASSIGN(const bool found, reader.next(index, entry));
    if (!found) return fail(ErrorCode::data_loss, "the last entry is missing");
    position_.digest = to_hex(crypto::sha256(bytes_of(entry)));
  }
  if (!remembered) GH_TRY(save_position(file_, position_));
  const std::lock_guard lock(mutex_);
  status_.position = position_.next;
  return {};
}

// Back to what the receiver has confirmed.
void Exporter::rewind() {
  cursor_ = position_.replay;
  format_ = make_format(config_.type, source_);
  reader_.reset();
  batch_.clear();
  unconfirmed_.reset();
  unconfirmed_count_ = 0;
}

// ---- reading

bool Exporter::confirm_is_due() const {
  if (!unconfirmed_) return false;
  return stopping_ || unconfirmed_count_ >= most_unconfirmed ||
         clock_.steady() - unconfirmed_since_ >= confirm_interval;
}

// False when it is time to end.
net::Task<bool> Exporter::wait_for_entries() {
  for (;;) {
    if (confirm_is_due() && !co_await confirm()) co_return false;
    if (cursor_ < log_.durable()) co_return true;
    if (stopping_) co_return false;
    {
      const std::lock_guard lock(mutex_);
      if (!unconfirmed_) status_.state = "waiting";
    }
    co_await loop_.sleep(poll_interval);
  }
}

// The next entry that is to be delivered; what is only replayed goes to the format. False when
// there is none yet.
Result<bool> Exporter::read_item(Record& record) {
  std::uint64_t index = 0;
  std::string entry;
  if (!reader_) {
    GH_ASSIGN(reader_, ledger::EntryReader::open(log_.directory, cursor_));
  }
  const std::uint64_t durable = log_.durable();
  while (cursor_ < durable) {
    GH_ASSIGN(const bool found, reader_->next(index, entry));
    if (!found) return false;
    if (index != cursor_)
      return fail(ErrorCode::data_loss, "entry " + std::to_string(cursor_) + " is missing");
    record = read_record(index, entry, clock_.wall());
    ++cursor_;
    if (index >= position_.next) return true;
    format_->replay(record);
  }
  return false;
}

// With an error too, `batch_` has what was read before it.
Result<void> Exporter::read_batch() {
  batch_.clear();
  auto filled = fill_batch();
  const std::lock_guard lock(mutex_);
  if (batch_.empty() || unconfirmed_) return filled;
  oldest_ = batch_.front().time;
  if (failures_ == 0) status_.state = "sending";
  return filled;
}

Result<void> Exporter::fill_batch() {
  std::size_t bytes = 0;
  Record record;
  while (batch_.size() < config_.batch && bytes < batch_bytes) {
    GH_ASSIGN(const bool found, read_item(record));
    if (!found) break;
    Item item;
    item.index = record.index;
    item.id = record.id;
    item.node = record.node;
    item.time = record.time;
    item.digest = record.digest;
    item.payload = format_->make(record);
    item.replay_from = format_->replay_from(record.index + 1);
    bytes += item.payload.size();
    batch_.push_back(std::move(item));
  }
  return {};
}

// ---- sending

// In pieces that become smaller while the receiver refuses them and larger again when it does not.
// False when it is time to end. After a failure that lost what was unconfirmed the batch is gone
// and reading begins again.
net::Task<bool> Exporter::deliver_batch() {
  std::size_t begin = 0;
  std::size_t piece = batch_.size();
  while (begin < batch_.size()) {
    const std::size_t end = std::min(begin + piece, batch_.size());
    const Delivery delivery = co_await send(begin, end);
    if (delivery.verdict == Verdict::accepted || delivery.verdict == Verdict::sent) {
      accepted(begin, end, delivery);
      begin = end;
      piece = std::min(piece * 2, batch_.size());
      continue;
    }
    if (delivery.verdict == Verdict::refused && end - begin > 1) {
      piece = (end - begin) / 2;
      continue;
    }
    if (delivery.verdict == Verdict::refused && may_skip(batch_[begin], delivery)) {
      remember(batch_[begin]);
      begin = end;
      continue;
    }
    const bool lost = unconfirmed_.has_value();
    if (lost) rewind();
    if (!co_await back_off(delivery.error, delivery.wait)) co_return false;
    if (lost) break;
  }
  co_return true;
}

net::Task<Delivery> Exporter::send(std::size_t begin, std::size_t end) {
  std::vector<Item> items;
  for (std::size_t at = begin; at < end; ++at)
    if (!batch_[at].payload.empty()) items.push_back(batch_[at]);
  if (items.empty()) {
    const auto verdict = unconfirmed_ ? Verdict::sent : Verdict::accepted;
    co_return Delivery{verdict, {}, {}, 0};
  }
  co_return co_await transport_->send(items);
}

void Exporter::accepted(std::size_t begin, std::size_t end, const Delivery& delivery) {
  refusals_ = 0;
  skips_in_a_row_ = 0;
  if (delivery.rejected > 0)
    log_warning("a receiver threw events away that it had accepted",
                {{"exporter", config_.name},
                 {"first", batch_[begin].index},
                 {"last", batch_[end - 1].index},
                 {"count", delivery.rejected},
                 {"error", delivery.error}});
  if (delivery.verdict == Verdict::sent) {
    if (!unconfirmed_) unconfirmed_since_ = clock_.steady();
    unconfirmed_ = batch_[end - 1];
    unconfirmed_->payload.clear();
    unconfirmed_count_ += end - begin;
    return;
  }
  say_working();
  remember(batch_[end - 1]);
  const std::lock_guard lock(mutex_);
  status_.sent += end - begin;
  status_.rejected += delivery.rejected;
}

// Whether what was sent has arrived; if not, everything since the last time is sent again. False
// when it is time to end.
net::Task<bool> Exporter::confirm() {
  const Delivery delivery = co_await transport_->confirm();
  if (delivery.verdict != Verdict::accepted) {
    rewind();
    co_return co_await back_off(delivery.error, delivery.wait);
  }
  say_working();
  if (unconfirmed_) remember(*unconfirmed_);
  unconfirmed_.reset();
  const std::lock_guard lock(mutex_);
  status_.sent += std::exchange(unconfirmed_count_, 0);
  co_return true;
}

// A single entry was refused. True when it is to be passed over, which is said and counted.
bool Exporter::may_skip(const Item& item, const Delivery& delivery) {
  if (++refusals_ < tries_of_one || skips_in_a_row_ >= most_skips_in_a_row) return false;
  refusals_ = 0;
  ++skips_in_a_row_;
  log_error("a receiver refuses an entry for good; it is passed over", {{"exporter", config_.name},
                                                                        {"index", item.index},
                                                                        {"entry", item.id},
                                                                        {"error", delivery.error}});
  const std::lock_guard lock(mutex_);
  ++status_.skipped;
  ++status_.errors;
  status_.last_error = delivery.error;
  status_.last_error_time = format_time(clock_.wall());
  return true;
}

// ---- failing and working

// Waits before the next attempt. False when it is time to end.
net::Task<bool> Exporter::back_off(std::string error, std::optional<milliseconds> wait) {
  constexpr unsigned most_doublings = 16;
  const auto grown = first_wait * (1u << std::min(failures_, most_doublings));
  milliseconds left = jittered(std::min<milliseconds>(grown, config_.retry_max), random_);
  if (wait) left = std::max(left, *wait);
  const auto now = clock_.steady();
  if (failures_ == 0 || now - failure_logged_ >= failure_log_interval) {
    failure_logged_ = now;
    log_warning("a receiver does not take events",
                {{"exporter", config_.name}, {"error", error}, {"position", position_.next}});
  }
  ++failures_;
  {
    const std::lock_guard lock(mutex_);
    status_.state = "retrying";
    status_.last_error = std::move(error);
    status_.last_error_time = format_time(clock_.wall());
    ++status_.errors;
  }
  for (; left.count() > 0 && !stopping_; left -= poll_interval)
    co_await loop_.sleep(std::min(left, poll_interval));
  co_return !stopping_;
}

void Exporter::say_working() {
  if (failures_ > 0)
    log_info("a receiver takes events again",
             {{"exporter", config_.name}, {"position", position_.next}});
  failures_ = 0;
  const std::lock_guard lock(mutex_);
  status_.state = "sending";
}

void Exporter::remember(const Item& last) {
  position_.next = last.index + 1;
  position_.replay = last.replay_from;
  position_.digest = to_hex(last.digest);
  if (auto saved = save_position(file_, position_); !saved) {
    // It goes on: after a restart the receiver gets what it has already once more.
    log_error("the position of an exporter cannot be written",
              {{"exporter", config_.name}, {"error", saved.error().describe()}});
    const std::lock_guard lock(mutex_);
    ++status_.errors;
    status_.last_error = saved.error().describe();
    status_.last_error_time = format_time(clock_.wall());
  }
  const std::lock_guard lock(mutex_);
  status_.position = position_.next;
  oldest_.reset();
}

}  // namespace gatehouse::exporter
