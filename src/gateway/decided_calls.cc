// See decided_calls.h.
#include "gateway/decided_calls.h"

#include <string>
#include <utility>

#include "mcp/canonical.h"

namespace gatehouse::gateway {
namespace {

// Each part with its length in front, so that no two calls have one text.
void append_part(std::string& text, std::string_view part) {
  text += std::to_string(part.size());
  text += ':';
  text += part;
}

crypto::Digest digest_of(std::string_view conversation, std::string_view server,
                         std::string_view tool, std::string_view canonical) {
  std::string text;
  for (const auto part : {conversation, server, tool, canonical}) append_part(text, part);
  return crypto::sha256(bytes_of(text));
}

}  // namespace

void DecidedCalls::note(std::string_view conversation, std::string_view server,
                        std::string_view tool, std::string_view arguments, Known known,
                        WallTime now) {
  const auto digest = digest_of(conversation, server, tool, mcp::canonical_json(arguments));
  const std::lock_guard lock(mutex_);
  while (!entries_.empty() && (entries_.size() >= most || entries_.begin()->second.expires <= now))
    forget_oldest();
  entries_.emplace(next_, Entry{digest, std::move(known), now + lifetime});
  by_digest_.emplace(digest, next_++);
}

std::optional<DecidedCalls::Known> DecidedCalls::take(std::string_view conversation,
                                                      std::string_view server,
                                                      std::string_view tool,
                                                      std::string_view arguments, WallTime now) {
  const auto canonical = mcp::canonical_json(arguments);
  const std::lock_guard lock(mutex_);
  if (auto known = take(digest_of(conversation, server, tool, canonical), now)) return known;
  // Nobody declared it: then it is known by the name the client has for it. Whether an approval was
  // for this server, nobody can say.
  for (const auto& name : {std::string(server) + "__" + std::string(tool), std::string(tool)}) {
    auto known = take(digest_of(conversation, "", name, canonical), now);
    if (!known) continue;
    known->approved = false;
    return known;
  }
  return std::nullopt;
}

std::optional<DecidedCalls::Known> DecidedCalls::take(const crypto::Digest& digest, WallTime now) {
  auto [found, end] = by_digest_.equal_range(digest);
  while (found != end) {
    const auto entry = entries_.find(found->second);
    auto known = std::move(entry->second.known);
    const bool holds = entry->second.expires > now;
    entries_.erase(entry);
    found = by_digest_.erase(found);
    if (holds) return known;
  }
  return std::nullopt;
}

void DecidedCalls::forget_oldest() {
  const auto oldest = entries_.begin();
  auto [found, end] = by_digest_.equal_range(oldest->second.digest);
  while (found != end && found->second != oldest->first) ++found;
  by_digest_.erase(found);
  entries_.erase(oldest);
}

}  // namespace gatehouse::gateway
