// See meter.h.
#include "limits/meter.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace gatehouse::limits {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::sys_days;

std::int64_t micros_of(WallTime time) {
  return time.time_since_epoch().count();
}

std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
  const std::int64_t quotient = value / by;
  return value % by < 0 ? quotient - 1 : quotient;
}

constexpr int months_of_year = 12;

std::int64_t month_of(WallTime time) {
  const std::chrono::year_month_day date(floor<days>(time));
  return std::int64_t{static_cast<int>(date.year())} * months_of_year +
         static_cast<int>(static_cast<unsigned>(date.month())) - 1;
}

WallTime begin_of_month(std::int64_t month) {
  const auto year = std::chrono::year(static_cast<int>(floor_divide(month, months_of_year)));
  const auto in_year =
      static_cast<unsigned>(month - floor_divide(month, months_of_year) * months_of_year);
  return sys_days(year / std::chrono::month(in_year + 1) / 1);
}

}  // namespace

Meter::Meter(const Window& window, WallTime now)
    : window_(window),
      latest_(part_at(now)),
      amounts_(window.kind == Window::Kind::sliding ? parts_of_window + 1 : 1) {}

// Of a part of a sliding window, in microseconds; rounded up, so that 60 are never less than one.
std::int64_t Meter::width() const {
  const std::int64_t whole = std::chrono::microseconds(window_.length).count();
  return (whole + parts_of_window - 1) / parts_of_window;
}

std::int64_t Meter::part_at(WallTime time) const {
  switch (window_.kind) {
    case Window::Kind::sliding:
      return floor_divide(micros_of(time), width());
    case Window::Kind::day:
      return floor<days>(time).time_since_epoch().count();
    case Window::Kind::month:
      return month_of(time);
    case Window::Kind::forever:
      return 0;
  }
  return 0;
}

WallTime Meter::end_of(std::int64_t part) const {
  switch (window_.kind) {
    case Window::Kind::sliding:
      return WallTime(std::chrono::microseconds((part + parts_of_window + 1) * width()));
    case Window::Kind::day:
      return sys_days(days(part + 1));
    default:
      return begin_of_month(part + 1);
  }
}

std::int64_t& Meter::amount_of(std::int64_t part) {
  const auto size = static_cast<std::int64_t>(amounts_.size());
  return amounts_[static_cast<std::size_t>(part - floor_divide(part, size) * size)];
}

std::int64_t Meter::advance(WallTime now) {
  const std::int64_t part = part_at(now);
  if (part <= latest_) return latest_;
  const auto size = static_cast<std::int64_t>(amounts_.size());
  const std::int64_t new_parts = std::min(part - latest_, size);
  for (std::int64_t at = part - new_parts + 1; at <= part; ++at)
    used_ -= std::exchange(amount_of(at), 0);
  latest_ = part;
  return latest_;
}

std::int64_t Meter::used(WallTime now) {
  advance(now);
  return used_;
}

Meter::Ticket Meter::charge(std::int64_t amount, WallTime now) {
  const std::int64_t part = advance(now);
  amount = std::clamp<std::int64_t>(amount, 0, most_used - used_);
  amount_of(part) += amount;
  used_ += amount;
  return {part, resets_};
}

void Meter::correct(const Ticket& ticket, std::int64_t by) {
  const auto size = static_cast<std::int64_t>(amounts_.size());
  if (ticket.resets != resets_ || ticket.part <= latest_ - size || ticket.part > latest_) return;
  std::int64_t& booked = amount_of(ticket.part);
  by = std::clamp(by, -booked, most_used - used_);
  booked += by;
  used_ += by;
}

void Meter::reset(WallTime now) {
  std::ranges::fill(amounts_, 0);
  latest_ = part_at(now);
  used_ = 0;
  ++resets_;
}

std::optional<WallTime> Meter::fits_at(std::int64_t amount, std::int64_t most, WallTime now) {
  std::int64_t over = used(now) + amount - most;
  if (over <= 0) return now;
  if (amount > most || window_.kind == Window::Kind::forever) return std::nullopt;
  const auto size = static_cast<std::int64_t>(amounts_.size());
  for (std::int64_t part = latest_ - size + 1; part <= latest_; ++part) {
    over -= amount_of(part);
    if (over <= 0) return end_of(part);
  }
  return std::nullopt;
}

std::optional<WallTime> Meter::empty_at(WallTime now) {
  if (used(now) == 0) return now;
  if (window_.kind == Window::Kind::forever) return std::nullopt;
  std::int64_t part = latest_;
  while (amount_of(part) == 0) --part;  // used_ > 0: there is one
  return end_of(part);
}

std::vector<std::pair<std::int64_t, std::int64_t>> Meter::parts() const {
  std::vector<std::pair<std::int64_t, std::int64_t>> booked;
  const auto size = static_cast<std::int64_t>(amounts_.size());
  for (std::int64_t part = latest_ - size + 1; part <= latest_; ++part) {
    const auto at = static_cast<std::size_t>(part - floor_divide(part, size) * size);
    if (amounts_[at] != 0) booked.emplace_back(part, amounts_[at]);
  }
  return booked;
}

void Meter::restore(const std::vector<std::pair<std::int64_t, std::int64_t>>& parts) {
  std::ranges::fill(amounts_, 0);
  used_ = 0;
  const auto size = static_cast<std::int64_t>(amounts_.size());
  for (const auto& [part, amount] : parts) latest_ = std::max(latest_, part);
  for (const auto& [part, amount] : parts) {
    if (part <= latest_ - size) continue;
    const std::int64_t booked = std::clamp<std::int64_t>(amount, 0, most_used - used_);
    amount_of(part) += booked;
    used_ += booked;
  }
}

}  // namespace gatehouse::limits
