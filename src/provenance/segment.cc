// See segment.h: reading.
#include "provenance/segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <limits>
#include <optional>

#include "base/descriptor.h"
#include "base/os.h"
#include "provenance/segment_layout.h"

namespace gatehouse::provenance {
namespace {

constexpr std::string_view suffix = ".seg";
constexpr std::size_t digits = 16;

std::optional<std::uint64_t> hexadecimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<SegmentFile> file_of(const std::string& directory, const std::string& name) {
  if (name.size() != 2 * digits + 1 + suffix.size() || name[digits] != '-' ||
      !name.ends_with(suffix))
    return std::nullopt;
  const auto first = hexadecimal(std::string_view(name).substr(0, digits));
  const auto last = hexadecimal(std::string_view(name).substr(digits + 1, digits));
  if (!first || !last || *last < *first) return std::nullopt;
  return SegmentFile{directory + '/' + name, *first, *last};
}

std::unexpected<Error> damaged(const std::string& path) {
  return fail(ErrorCode::data_loss, "not a whole segment of outputs", path);
}

template <class T>
std::span<const T> part(const unsigned char* data, std::uint64_t offset, std::uint64_t count) {
  return {reinterpret_cast<const T*>(data + offset), count};
}

// Names of models: a length byte and the name, each.
bool read_models(std::string_view bytes, std::vector<std::string>& models) {
  while (!bytes.empty()) {
    const std::size_t length = static_cast<unsigned char>(bytes.front());
    if (length + 1 > bytes.size()) return false;
    models.emplace_back(bytes.substr(1, length));
    bytes.remove_prefix(length + 1);
  }
  return true;
}

}  // namespace

Result<std::vector<SegmentFile>> list_segments(ledger::Disk& disk, const std::string& directory) {
  GH_ASSIGN(const auto items, ledger::list_directory(disk, directory));
  std::vector<SegmentFile> files;
  for (const auto& item : items)
    if (auto file = file_of(directory, item.name)) files.push_back(std::move(*file));
  std::ranges::sort(files, [](const SegmentFile& a, const SegmentFile& b) {
    return a.first != b.first ? a.first < b.first : a.last > b.last;
  });
  return files;
}

Segment::~Segment() {
  if (data_) ::munmap(const_cast<unsigned char*>(data_), size_);
}

Result<std::shared_ptr<const Segment>> Segment::open(const std::string& path, const Keys& keys) {
  const std::shared_ptr<Segment> segment(new Segment);
  GH_TRY(segment->map(path, keys));
  return segment;
}

Result<void> Segment::map(const std::string& path, const Keys& keys) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return std::unexpected(os_error(errno, "open", path));
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return std::unexpected(os_error(errno, "stat", path));
  SegmentFileLayout::Header header;
  if (static_cast<std::uint64_t>(status.st_size) < sizeof(header)) return damaged(path);
  path_ = path;
  void* const mapped = ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ,
                              MAP_SHARED, file.get(), 0);
  if (mapped == MAP_FAILED) return std::unexpected(os_error(errno, "map", path));
  data_ = static_cast<const unsigned char*>(mapped);
  size_ = static_cast<std::uint64_t>(status.st_size);
  std::memcpy(&header, data_, sizeof(header));
  if (header.magic != SegmentFileLayout::Header{}.magic || header.check != header.checked())
    return damaged(path);
  if (header.keys != keys.name())
    return fail(ErrorCode::failed_precondition,
                "these outputs were indexed under another deployment secret", path);
  if (!SegmentFileLayout::is_possible(header, size_)) return damaged(path);
  // What else is read is bounded by the numbers of the header.
  const SegmentFileLayout layout(header);
  if (layout.end != size_) return damaged(path);
  first_ = header.first;
  outputs_ = header.outputs;
  latest_ = WallTime(std::chrono::microseconds(header.latest));
  rows_ = part<OutputRow>(data_, layout.rows, header.outputs);
  terms_ = part<Term>(data_, layout.terms, header.terms);
  bucket_bits_ = header.bucket_bits;
  entry_bytes_ = SegmentFileLayout::entry_bytes(header.bucket_bits);
  buckets_ = part<std::uint32_t>(data_, layout.buckets, (1ull << header.bucket_bits) + 1);
  entries_ = data_ + layout.entries;
  shingle_count_ = header.shingles;
  postings_ = part<unsigned char>(data_, layout.postings, header.postings_bytes);
  dictionary_ = part<DictionaryEntry>(data_, layout.dictionary, header.dictionary);
  const std::string_view models(reinterpret_cast<const char*>(data_ + layout.models),
                                header.models_bytes);
  if (!read_models(models, models_)) return damaged(path);
  return {};
}

OutputInfo Segment::info(std::uint32_t output) const {
  OutputInfo info;
  if (output >= rows_.size()) return info;
  const auto& row = rows_[output];
  info.entry = row.entry;
  info.choice = row.choice;
  if (row.model < models_.size()) info.model = models_[row.model];
  info.words = row.words;
  info.shingles = row.shingles;
  return info;
}

std::span<const Term> Segment::terms(std::uint32_t output) const {
  if (output >= rows_.size()) return {};
  const auto& row = rows_[output];
  if (row.first_term > terms_.size() || row.term_count > terms_.size() - row.first_term) return {};
  return terms_.subspan(row.first_term, row.term_count);
}

std::uint64_t Segment::shingle_entry(std::uint64_t position) const {
  std::uint64_t value = 0;
  std::memcpy(&value, entries_ + position * entry_bytes_, sizeof(value));
  return value & (~0ull >> bucket_bits_);
}

Segment::Range Segment::find_shingle(Shingle shingle) const {
  const auto bucket = shingle >> (shingle_bits - bucket_bits_);
  const std::uint64_t end = std::min<std::uint64_t>(buckets_[bucket + 1], shingle_count_);
  const std::uint64_t begin = std::min<std::uint64_t>(buckets_[bucket], end);
  const auto from = (shingle << output_bits) & (~0ull >> bucket_bits_);
  const auto first_not_below = [this](std::uint64_t low, std::uint64_t high, std::uint64_t value) {
    while (low < high) {
      const auto middle = low + (high - low) / 2;
      if (shingle_entry(middle) < value) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  };
  Range range;
  range.begin = first_not_below(begin, end, from);
  // Most shingles that are asked for stand nowhere, most others once.
  range.end = range.begin;
  const auto last = from | ((1ull << output_bits) - 1);
  if (range.begin < end && shingle_entry(range.begin) <= last)
    range.end = first_not_below(range.begin + 1, end, last + 1);
  return range;
}

std::uint32_t Segment::output_at(std::uint64_t position) const {
  if (position >= shingle_count_) return 0;
  const auto output =
      static_cast<std::uint32_t>(shingle_entry(position) & ((1u << output_bits) - 1));
  return outputs_ == 0 ? 0 : std::min(output, outputs_ - 1);
}

// Terms are hashes, so where one stands can be guessed: a few steps instead of a search through
// all.
Segment::Listed Segment::find_term(Term term) const {
  const std::uint64_t count = dictionary_.size();
  const std::uint64_t guess = static_cast<std::uint64_t>(term) * count >> 32u;
  std::uint64_t low = guess;
  std::uint64_t high = guess;
  for (std::uint64_t step = 16; low > 0 && dictionary_[low].term > term; step *= 4)
    low = step < low ? low - step : 0;
  for (std::uint64_t step = 16; high < count && dictionary_[high].term < term; step *= 4)
    high = std::min(count, high + step);
  const auto near = dictionary_.subspan(low, std::min(count, high + 1) - low);
  const auto found = std::ranges::lower_bound(near, term, {}, &DictionaryEntry::term);
  if (found == near.end() || found->term != term) return {};
  return {.outputs = found->outputs, .begin = found->begin, .listed = found->begin != not_listed};
}

Result<void> Segment::verify() const {
  SegmentFileLayout::Header header;
  std::memcpy(&header, data_, sizeof(header));
  const Bytes body(reinterpret_cast<const std::byte*>(data_) + sizeof(header),
                   size_ - sizeof(header));
  if (crypto::sha256(body) != header.body) return damaged(path_);
  return {};
}

}  // namespace gatehouse::provenance
