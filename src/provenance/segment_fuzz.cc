// A segment file that somebody forged: whatever stands in it, everything that reads segments ends
// and stays inside the file. The keys' name and the check of the header are made right, since both
// can be had without the secret.
//
// The first byte says how the others are used: as changes (where, what) of a real segment, or as
// numbers of a header and the body that goes with them.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/descriptor.h"
#include "ledger/fake_disk.h"
#include "provenance/search.h"
#include "provenance/segment.h"
#include "provenance/segment_layout.h"
#include "provenance/test_outputs.h"

namespace {

using namespace gatehouse;
using namespace gatehouse::provenance;
using Header = SegmentFileLayout::Header;

constexpr std::uint64_t largest = 1u << 16;
constexpr std::size_t real_outputs = 12;

const Keys& keys() {
  static const Keys keys = provenance::testing::keys_of("fuzz");
  return keys;
}

std::string text_of(std::uint64_t number) {
  provenance::testing::Prose prose(number);
  return provenance::testing::joined(prose.words(40));
}

std::string real_segment() {
  const provenance::testing::Folder folder;
  ledger::RealDisk disk;
  std::vector<std::shared_ptr<const Output>> outputs;
  for (std::uint64_t number = 0; number < real_outputs; ++number)
    outputs.push_back(std::make_shared<const Output>(
        provenance::testing::output_of(keys(), text_of(number), number)));
  const auto path = write_segment(disk, folder.path(), keys(), 0, outputs);
  if (!path) std::abort();
  std::ifstream file(*path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void put_header(std::string& bytes, Header header) {
  header.keys = keys().name();
  header.check = header.checked();
  std::memcpy(bytes.data(), &header, sizeof(header));
}

std::string changed_segment(std::string_view changes) {
  static const std::string real = real_segment();
  std::string bytes = real;
  for (; changes.size() >= 3; changes.remove_prefix(3)) {
    const auto where =
        static_cast<unsigned char>(changes[0]) * 256u + static_cast<unsigned char>(changes[1]);
    bytes[where % bytes.size()] = changes[2];
  }
  Header header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  header.magic = Header{}.magic;
  put_header(bytes, header);
  return bytes;
}

std::string invented_segment(std::string_view from) {
  Header header;
  const auto number = [&from] {
    std::uint16_t value = 0;
    const std::size_t length = std::min(sizeof(value), from.size());
    std::memcpy(&value, from.data(), length);
    from.remove_prefix(length);
    return value;
  };
  header.outputs = number() % 512u;
  header.bucket_bits = SegmentFileLayout::bucket_bits_for(header.outputs);
  header.models_bytes = number() % 1'024u;
  header.terms = number() % 4'096u;
  header.shingles = number() % 4'096u;
  header.postings_bytes = number() % 4'096u;
  header.dictionary = number() % 1'024u;
  const SegmentFileLayout layout(header);
  std::string bytes(std::min(layout.end, 16 * largest), '\0');
  std::memcpy(bytes.data() + sizeof(header), from.data(),
              std::min(from.size(), bytes.size() - sizeof(header)));
  // So that far parts have something too.
  for (std::size_t at = sizeof(header) + from.size(); !from.empty() && at < bytes.size(); ++at)
    bytes[at] = from[at * 31 % from.size()];
  put_header(bytes, header);
  return bytes;
}

void read_everything(const Segment& segment) {
  std::uint64_t seen = 0;
  for (std::uint32_t output = 0; output < segment.outputs() + 2 && output < 256; ++output) {
    seen += segment.info(output).model.size();
    for (const auto term : segment.terms(output)) {
      const auto list = segment.find_term(term);
      segment.for_each_posting(list, [&](Segment::Posting posting) {
        if (posting.output >= segment.outputs()) std::abort();
        ++seen;
      });
      if (seen > largest) return;
    }
  }
  for (std::uint64_t shingle = 0; shingle < 1ull << shingle_bits; shingle += 1ull << 33u) {
    const auto range = segment.find_shingle(shingle);
    if (range.end < range.begin) std::abort();
    for (auto at = range.begin; at < range.end && at < range.begin + 64; ++at)
      if (segment.output_at(at) >= segment.outputs()) std::abort();
  }
}

void search_and_merge(const std::shared_ptr<const Segment>& segment) {
  const Searched in{.segments = {segment}, .recent = {}};
  for (const std::uint64_t number : {0, 5}) {
    SearchOptions options;
    options.not_before = WallTime::min();
    (void)search(question_of(keys(), text_of(number), 1'000), in, options);
  }
  ledger::MemoryDisk disk;
  (void)merge_segments(disk, "/merged", keys(), std::vector{segment, segment});
  (void)segment->verify();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto bytes = (data[0] & 1u) != 0 ? invented_segment(rest) : changed_segment(rest);
  const Descriptor file(::memfd_create("segment", MFD_CLOEXEC));
  if (file.get() < 0 ||
      ::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    std::abort();
  const auto segment = Segment::open("/proc/self/fd/" + std::to_string(file.get()), keys());
  if (!segment) return 0;
  read_everything(**segment);
  search_and_merge(*segment);
  return 0;
}
