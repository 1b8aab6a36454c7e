// What a log offers to anybody who asks for it by name: C2SP tlog-tiles resources. A name comes
// from outside; it is understood here, and paths are made from what was understood, never from the
// name. Thread-safe.
//
//   checkpoint                        the signed note, replaced as the log grows; the cosigned one
//                                     where there is one (witnessed.h)
//   tile/<level>/<N>[.p/<width>]      never changes
//   tile/entries/<N>[.p/<width>]      never changes
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ledger/disk.h"
#include "ledger/log_files.h"
#include "ledger/tile.h"

namespace gatehouse::ledger {

enum class PublishedKind : std::uint8_t { checkpoint, tile, entries };

struct PublishedName {
  PublishedKind kind = PublishedKind::checkpoint;
  TileName tile{};  // of a tile or bundle
};

// One spelling for each resource; absent for everything else.
std::optional<PublishedName> parse_published_name(std::string_view name);

// The bytes as they are to be served. not_found: the log has no such resource, or not yet.
// A partial tile or bundle that the publisher has replaced is cut from a wider one: whoever holds
// an earlier checkpoint gets every tile that it needs.
Result<std::string> read_published(Disk& disk, const LogPaths& paths, const VerifierKey& log,
                                   const PublishedName& name);

}  // namespace gatehouse::ledger
