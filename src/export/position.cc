// See position.h.
#include "export/position.h"

#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "ledger/ledger.h"

namespace gatehouse::exporter {
namespace {

constexpr std::string_view first_line = "gatehouse-export 1";
constexpr std::size_t largest_file = 4'096;
constexpr std::string_view way_out =
    "; to export this log, stop the gateway, remove the file and set `from` to start or now";

std::unexpected<Error> malformed() {
  return fail(ErrorCode::data_loss, "this is no position of an exporter" + std::string(way_out));
}

}  // namespace

std::string format_position(const Position& position) {
  return std::string(first_line) + '\n' + position.origin + '\n' + std::to_string(position.next) +
         '\n' + std::to_string(position.replay) + '\n' +
         (position.digest.empty() ? "-" : position.digest) + '\n';
}

Result<Position> parse_position(std::string_view text) {
  const auto lines = split(text, '\n');
  if (lines.size() != 6 || lines[0] != first_line || !lines[5].empty()) return malformed();
  const auto next = parse_uint(lines[2]);
  const auto replay = parse_uint(lines[3]);
  if (lines[1].empty() || !next || !replay || *replay > *next) return malformed();
  Position position{std::string(lines[1]), *next, *replay, ""};
  if (*next == 0) return lines[4] == "-" ? Result<Position>(position) : malformed();
  const auto digest = from_hex(lines[4]);
  if (!digest || digest->size() != sizeof(crypto::Digest)) return malformed();
  position.digest = to_lower(lines[4]);
  return position;
}

std::filesystem::path position_file(const std::filesystem::path& data, std::string_view name) {
  return data / "export" / (std::string(name) + ".position");
}

Result<std::optional<Position>> load_position(const std::filesystem::path& file) {
  auto text = read_file(file, largest_file);
  if (!text && text.error().code == ErrorCode::not_found) return std::nullopt;
  if (!text) return std::unexpected(std::move(text).error());
  auto position = parse_position(*text);
  if (!position) return std::unexpected(std::move(position).error().within(file.string()));
  return std::optional(std::move(*position));
}

Result<void> save_position(const std::filesystem::path& file, const Position& position) {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error)
    return fail(ErrorCode::unavailable, "cannot make the folder: " + error.message(),
                file.parent_path().string());
  return write_file_atomically(file, format_position(position));
}

Result<void> check_position(const Position& position, const std::filesystem::path& ledger,
                            std::string_view origin, std::uint64_t durable) {
  if (position.origin != origin)
    return fail(ErrorCode::failed_precondition,
                "the position is of the log " + position.origin + std::string(way_out));
  if (position.next > durable)
    return fail(ErrorCode::failed_precondition,
                "entry " + std::to_string(position.next - 1) +
                    " was exported, but the log has only " + std::to_string(durable) +
                    " entries: it is an older copy or another log" + std::string(way_out));
  if (position.next == 0) return {};
  GH_ASSIGN(auto reader, ledger::EntryReader::open(ledger, position.next - 1));
  std::uint64_t index = 0;
  std::string entry;
  GH_ASSIGN(const bool found, reader.next(index, entry));
  if (!found || to_hex(crypto::sha256(bytes_of(entry))) != position.digest)
    return fail(ErrorCode::failed_precondition,
                "entry " + std::to_string(position.next - 1) +
                    " is not the one that was exported: this is another log" +
                    std::string(way_out));
  return {};
}

}  // namespace gatehouse::exporter
