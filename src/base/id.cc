// UUID version 7. The 12 bits after the version carry the fraction of the millisecond (RFC 9562
// section 6.2, method 3), so that ids sort by time to a quarter of a microsecond; 62 bits are
// random.
#include "base/id.h"

#include <array>

#include "base/text.h"

namespace gatehouse {
namespace {

constexpr std::size_t uuid_length = 36;

bool is_hyphen_position(std::size_t i) {
  return i == 8 || i == 13 || i == 18 || i == 23;
}

bool is_lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

std::string make_uuid7(const Clock& clock, Random& random) {
  return make_uuid7(clock.wall(), random);
}

WallTime time_of_uuid7(std::string_view id) {
  GH_CHECK(is_uuid(id));
  std::uint64_t millis = 0;
  for (const char digit : id.substr(0, 13)) {
    if (digit == '-') continue;
    millis =
        millis << 4 | static_cast<std::uint64_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
  }
  return WallTime(std::chrono::milliseconds(millis));
}

std::string make_uuid7(WallTime time, Random& random) {
  std::array<std::byte, 16> id;
  random.fill(std::span(id).subspan(8));

  const auto micros = static_cast<std::uint64_t>(time.time_since_epoch().count());
  const std::uint64_t millis = micros / 1000;
  const std::uint64_t fraction = micros % 1000 * 4096 / 1000;
  const std::uint64_t head = millis << 16 | 0x7000 | fraction;
  for (std::size_t i = 0; i < 8; ++i) id[i] = static_cast<std::byte>(head >> (56 - 8 * i) & 0xff);
  id[8] = (id[8] & std::byte{0x3f}) | std::byte{0x80};

  const std::string hex = to_hex(id);
  std::string text;
  text.reserve(uuid_length);
  for (const char digit : hex) {
    if (is_hyphen_position(text.size())) text += '-';
    text += digit;
  }
  return text;
}

bool is_uuid(std::string_view text) {
  if (text.size() != uuid_length) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_hyphen_position(i) ? text[i] != '-' : !is_lower_hex(text[i])) return false;
  }
  return true;
}

}  // namespace gatehouse
