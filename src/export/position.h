// How far an exporter has come, kept in <data>/export/NAME.position:
//
//   gatehouse-export 1
//   ORIGIN        of the log
//   NEXT          first entry that the receiver has not confirmed
//   REPLAY        first entry that must be read again after a restart, at most NEXT
//   DIGEST        SHA-256 of the entry NEXT - 1, 64 hexadecimal digits; "-" when NEXT is 0
//
// The digest tells another log of the same name, or an older copy of this one, from the log that
// was exported.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gatehouse::exporter {

struct Position {
  std::string origin;
  std::uint64_t next = 0;
  std::uint64_t replay = 0;
  std::string digest;  // empty when next is 0
};

std::string format_position(const Position& position);
Result<Position> parse_position(std::string_view text);

std::filesystem::path position_file(const std::filesystem::path& data, std::string_view name);
// Nothing when there is no such file.
Result<std::optional<Position>> load_position(const std::filesystem::path& file);
Result<void> save_position(const std::filesystem::path& file, const Position& position);

// Whether `position` is one of the log in `ledger`, of which `durable` entries are durable.
Result<void> check_position(const Position& position, const std::filesystem::path& ledger,
                            std::string_view origin, std::uint64_t durable);

}  // namespace gatehouse::exporter
