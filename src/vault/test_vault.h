// What the tests of this room share: a vault on a disk in memory, and records to put into it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "vault/fake_disk.h"
#include "vault/vault.h"

namespace gatehouse::vault::testing {

inline constexpr WallTime epoch{std::chrono::microseconds(1'790'000'000'000'000)};

inline KeyRing ring_of(std::string_view current, const std::vector<std::string>& older = {}) {
  KeyRing ring;
  ring.current = WrappingKey::derive(current);
  for (const auto& key : older) ring.older.push_back(WrappingKey::derive(key));
  return ring;
}

inline const std::string first_key = "the first vault key, 32 bytes long";
inline const std::string second_key = "the second vault key, 32 bytes too";

// Fills with what a seed says; the same each time.
struct World {
  ManualClock clock{epoch};
  SeededRandom random{7};

  Options options() const {
    Options options;
    options.directory = "/vault";
    options.segment_bytes = 2'048;
    return options;
  }
  Result<std::unique_ptr<Vault>> open(Disk& disk, KeyRing ring) {
    return Vault::open(options(), std::move(ring), clock, random, &disk);
  }
  Result<std::unique_ptr<Vault>> open(Disk& disk) { return open(disk, ring_of(first_key)); }
};

inline RecordId id_of(std::uint64_t number) {
  RecordId id{};
  for (std::size_t i = 0; i < 8; ++i) id[7 - i] = static_cast<std::byte>(number >> (8 * i) & 0xff);
  return id;
}

inline std::string content_of(std::uint64_t number) {
  return "the content of record " + std::to_string(number) + std::string(number * 37 % 500, 'x');
}

inline NewRecord record_of(const Vault& vault, std::uint64_t number, Which which = Which::request) {
  NewRecord record;
  record.id = id_of(number);
  record.which = which;
  record.content = content_of(number);
  record.original_bytes = record.content.size();
  record.time = epoch + std::chrono::seconds(number);
  record.secrets = vault.new_secrets();
  return record;
}

inline Order erase_order(const std::vector<RecordId>& ids) {
  Order order;
  order.kind = Order::Kind::erase;
  order.event = R"({"type":"vault.erased"})";
  order.event_id = "01990000-0000-7000-8000-000000000001";
  order.records = ids;
  return order;
}

inline std::string key_text(const Key& key) {
  return std::string(text_of(key.bytes()));
}

}  // namespace gatehouse::vault::testing
