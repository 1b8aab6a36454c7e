// One ledger entry read for export. The bytes may come from a file that somebody wrote on, so any
// bytes are read: what is no event becomes a record that says so, with the digest of the bytes, and
// goes the same way as the others. Nothing of an entry is passed over.
//
// Bounds, whatever is in the entry: strings are cut at 1,024 bytes, lists and objects after 256
// items, nesting after 16 levels. Pure functions.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "crypto/crypto.h"

namespace gatehouse::exporter {

using Json = nlohmann::json;

inline constexpr std::string_view unreadable_type = "entry.unreadable";

struct Record {
  std::uint64_t index = 0;  // in the log
  std::string id;           // the entry's; of an unreadable one the digest in hexadecimal
  std::string type;
  std::string node;
  std::string snapshot;
  WallTime time{};
  Json actor = Json::object();  // docs/events.md; empty where the entry has none
  Json subject = Json::object();
  Json label = Json::object();
  Json data = Json::object();
  crypto::Digest digest{};  // SHA-256 of the entry
  bool readable = true;
};

// `read_at` stands in for the time of an entry that has none.
Record read_record(std::uint64_t index, std::string_view entry, WallTime read_at);

// A member that is a string, a whole number, a list; otherwise nothing.
std::string text_of(const Json& object, std::string_view key);
std::optional<std::int64_t> number_of(const Json& object, std::string_view key);
const Json& list_of(const Json& object, std::string_view key);  // an empty list when it is none

// JSON as text; ill-formed UTF-8 cannot make it fail.
std::string to_text(const Json& json);
std::string to_text(const nlohmann::ordered_json& json);

}  // namespace gatehouse::exporter
