// Bytes that lie in a log directory and may be anything: bundles, tiles, tile paths, segments. The
// second half feeds a segment whose header and digests are right, so that the fuzzer gets past
// them.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ledger/tile.h"
#include "ledger/wal.h"

namespace ledger = gatehouse::ledger;

namespace {

void check_bundle(std::string_view bytes) {
  for (const unsigned width : {1u, 3u, 256u}) {
    const auto entries = ledger::split_bundle(bytes, width);
    if (!entries) continue;
    std::string again;
    for (const std::string_view entry : *entries) ledger::append_to_bundle(again, entry);
    if (again != bytes) std::abort();
  }
}

void check_segment(std::string_view bytes) {
  const ledger::Digest id = ledger::leaf_hash("log");
  const ledger::Digest salt = ledger::leaf_hash("salt");
  std::string segment = encode(ledger::SegmentHeader{
      .first = 0, .segment_bytes = ledger::min_segment_bytes, .log_id = id, .salt = salt});
  std::uint64_t index = 0;
  // The input as entries of a few frames, then raw behind them.
  while (bytes.size() > 2 && segment.size() < 4096 && (bytes.front() & 1) != 0) {
    const std::size_t length =
        std::min<std::size_t>(1 + static_cast<unsigned char>(bytes[1]), bytes.size() - 2);
    const std::string_view entry = bytes.substr(2, length);
    const ledger::Digest leaf = ledger::leaf_hash(entry);
    std::string payload;
    ledger::append_to_bundle(payload, entry);
    std::string frame =
        ledger::encode_frame_header(salt, index, index, payload.size(), std::span(&leaf, 1));
    frame += payload;
    frame.resize(ledger::frame_bytes(payload.size()), '\0');
    segment += frame;
    ++index;
    bytes.remove_prefix(2 + length);
  }
  segment += bytes.substr(0, ledger::min_segment_bytes - segment.size());
  segment.resize(ledger::min_segment_bytes, '\0');
  const auto parsed = ledger::parse_segment(segment, id);
  if (!parsed || parsed->end < index) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto name = ledger::parse_tile_path(bytes)) {
    if (to_path(*name) != bytes) std::abort();
  }
  (void)ledger::decode_tile(bytes, static_cast<unsigned>(size / 32));
  (void)ledger::parse_segment(bytes, ledger::leaf_hash("log"));
  check_bundle(bytes);
  if (size <= 65'535) check_segment(bytes);
  return 0;
}
