// Everything that is read from the vault's files, from any bytes: no crash, and what is accepted is
// written back the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vault/envelope.h"
#include "vault/format.h"

using namespace gatehouse::vault;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  SegmentHeader segment;
  for (const auto kind : {FileKind::segment, FileKind::keys}) {
    if (const auto header = parse_segment_header(bytes, kind)) {
      segment = *header;
      GH_CHECK(
          encode(*header, kind) ==
          bytes.substr(0, kind == FileKind::segment ? segment_header_bytes : keys_header_bytes));
    }
    if (const auto number = parse_file_name(bytes, kind))
      GH_CHECK(file_name(*number, kind) == bytes);
  }
  if (const auto frame = parse_frame_header(bytes, segment)) {
    GH_CHECK(encode(*frame, segment) == bytes.substr(0, frame_header_bytes));
    GH_CHECK(frame->body_bytes() % frame_alignment == 0);
  }
  if (const auto closing = parse_closing(bytes, segment))
    GH_CHECK(encode(*closing, segment) == bytes);
  if (const auto slot = parse_slot(bytes)) GH_CHECK(encode(*slot) == bytes);
  KeyRing ring;
  (void)parse_identity(bytes, ring);  // only that it comes back
  (void)parse_record_id(bytes);
  GH_CHECK(encode_subjects(parse_subjects(bytes)).size() <= size);
  const auto canonical = canonical_subject(bytes);
  GH_CHECK(canonical_subject(canonical) == canonical);
  return 0;
}
