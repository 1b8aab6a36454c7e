#include "vault/order.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "base/id.h"
#include "base/text.h"
#include "crypto/crypto.h"

namespace gatehouse::vault {
namespace {

constexpr std::string_view holds_title = "gatehouse-vault-holds 1";
constexpr std::string_view order_title = "gatehouse-vault-order 1";
constexpr std::string_view digest_word = "sha256 ";
constexpr std::array<std::string_view, 4> kinds{"erase", "hold", "release", "prune"};

std::unexpected<Error> malformed() {
  return fail(ErrorCode::data_loss, "the file is damaged");
}

std::string with_digest(std::string text) {
  const auto digest = to_hex(crypto::sha256(bytes_of(text)));
  return text.append(digest_word).append(digest) + "\n";
}

// The lines between the title and the digest.
Result<std::vector<std::string_view>> checked_lines(std::string_view text, std::string_view title) {
  const std::size_t last = digest_word.size() + 2 * sizeof(crypto::Digest) + 1;
  if (text.size() < last) return malformed();
  const auto body = text.substr(0, text.size() - last);
  if (text != with_digest(std::string(body))) return malformed();
  auto lines = split(body, '\n');
  if (lines.size() < 2 || lines.front() != title || !lines.back().empty()) return malformed();
  return std::vector<std::string_view>(lines.begin() + 1, lines.end() - 1);
}

// ID record|subject VALUE SINCE ACTOR REASON, the last two in base64.
std::string line_of(const Hold& hold) {
  return hold.id + (hold.by_subject ? " subject " : " record ") +
         (hold.by_subject ? to_hex(hold.subject) : to_string(hold.record)) + " " + hold.since +
         " " + to_base64(bytes_of(hold.actor)) + " " + to_base64(bytes_of(hold.reason)) + "\n";
}

Result<SubjectHash> parse_subject_hash(std::string_view hex) {
  GH_ASSIGN(const std::string bytes, from_hex(hex));
  SubjectHash hash;
  if (bytes.size() != hash.size()) return malformed();
  std::memcpy(hash.data(), bytes.data(), hash.size());
  return hash;
}

Result<Hold> parse_hold(std::string_view line) {
  const auto words = split(line, ' ');
  if (words.size() != 6 || !is_uuid(words[0])) return malformed();
  Hold hold;
  hold.id = words[0];
  hold.by_subject = words[1] == "subject";
  if (hold.by_subject) {
    GH_ASSIGN(hold.subject, parse_subject_hash(words[2]));
  } else if (words[1] == "record") {
    GH_ASSIGN(hold.record, parse_record_id(words[2]));
  } else {
    return malformed();
  }
  hold.since = words[3];
  GH_ASSIGN(hold.actor, from_base64(words[4]));
  GH_ASSIGN(hold.reason, from_base64(words[5]));
  return hold;
}

Result<void> parse_target(Order& order, std::span<const std::string_view> lines) {
  if (order.kind == Order::Kind::erase) {
    if (lines.empty() || lines.size() > max_erased_at_once) return malformed();
    for (const auto line : lines) {
      GH_ASSIGN(order.records.emplace_back(), parse_record_id(line));
    }
    return {};
  }
  if (lines.size() != 1) return malformed();
  if (order.kind == Order::Kind::prune) {
    const auto number = parse_uint(lines[0]);
    if (!number) return malformed();
    order.segment = *number;
    return {};
  }
  GH_ASSIGN(order.hold, parse_hold(lines[0]));
  return {};
}

}  // namespace

std::string encode(const std::vector<Hold>& holds) {
  std::string text(holds_title);
  text += '\n';
  for (const auto& hold : holds) text += line_of(hold);
  return with_digest(std::move(text));
}

Result<std::vector<Hold>> parse_holds(std::string_view text) {
  GH_ASSIGN(const auto lines, checked_lines(text, holds_title));
  if (lines.size() > max_holds) return malformed();
  std::vector<Hold> holds;
  for (const auto line : lines) {
    GH_ASSIGN(holds.emplace_back(), parse_hold(line));
  }
  return holds;
}

std::string encode(const Order& order) {
  std::string text(order_title);
  text.append("\n").append(kinds[static_cast<std::size_t>(order.kind)]);
  text.append("\n").append(order.event_id);
  text.append("\n").append(to_base64(bytes_of(order.event))).append("\n");
  if (order.kind == Order::Kind::erase) {
    for (const auto& id : order.records) text += to_string(id) + "\n";
  } else if (order.kind == Order::Kind::prune) {
    text += std::to_string(order.segment) + "\n";
  } else {
    text += line_of(order.hold);
  }
  return with_digest(std::move(text));
}

Result<Order> parse_order(std::string_view text) {
  GH_ASSIGN(const auto lines, checked_lines(text, order_title));
  if (lines.size() < 4 || !is_uuid(lines[1])) return malformed();
  Order order;
  const auto kind = std::ranges::find(kinds, lines[0]);
  if (kind == kinds.end()) return malformed();
  order.kind = static_cast<Order::Kind>(kind - kinds.begin());
  order.event_id = lines[1];
  GH_ASSIGN(order.event, from_base64(lines[2]));
  GH_TRY(parse_target(order, std::span(lines).subspan(3)));
  return order;
}

}  // namespace gatehouse::vault
