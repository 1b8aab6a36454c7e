// Journal files that somebody forged, cut or put in the wrong place: reading ends with records or
// with a refusal, and where it ends without a refusal, writing goes on and loses nothing.
//
// Input: pieces, each a length byte and content. The first byte of a piece says what becomes of it:
// a record sealed as it should be, the same under another number, bytes as they are, or a new file.
#include <fcntl.h>

#include <cstdint>
#include <cstdlib>

#include "ledger/fake_disk.h"
#include "provenance/journal.h"
#include "provenance/record.h"
#include "provenance/test_outputs.h"

namespace {

using namespace gatehouse;
using namespace gatehouse::provenance;

const std::string directory = "/journal";

std::string big_endian(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t at = bytes; at-- > 0;) out += static_cast<char>(value >> (8 * at));
  return out;
}

class Forger {
 public:
  explicit Forger(const Keys& keys) : keys_(keys) { begin_file(0); }

  void add(std::string_view piece) {
    const auto how = piece.empty() ? 0u : static_cast<unsigned char>(piece.front());
    if (!piece.empty()) piece.remove_prefix(1);
    switch (how % 8) {
      case 0:
        content_ += piece;
        break;
      case 1:
        finish_file();
        begin_file(how < 128 ? next_ : next_ + how);
        break;
      case 2:
        append(piece, next_ + how / 8);
        break;
      case 3:
        if (!piece.empty()) content_.resize(content_.size() - content_.size() % how);
        break;
      default:
        append(piece, next_);
        ++next_;
    }
  }
  void write_to(ledger::Disk& disk) {
    finish_file();
    if (!ledger::make_directories(disk, directory)) std::abort();
    for (const auto& [name, content] : files_) {
      auto file = ledger::File::open(disk, directory + '/' + name, O_RDWR | O_CREAT, 0600);
      if (!file || !file->write_at(bytes_of(content), 0)) std::abort();
    }
  }

 private:
  void begin_file(std::uint64_t first) {
    name_ = to_hex(bytes_of(big_endian(first, 8))) + ".log";
    content_ =
        "GHPRVJ01" + big_endian(keys_.name(), 8) + big_endian(first, 8) + std::string(8, '\0');
  }
  void finish_file() { files_[name_] = content_; }
  void append(std::string_view record, std::uint64_t number) {
    const auto sealed =
        crypto::seal(keys_.journal(), bytes_of(record), bytes_of(big_endian(number, 8)), random_);
    content_ += big_endian(sealed.size(), 4) + sealed;
  }

  const Keys& keys_;
  SeededRandom random_{1};
  std::map<std::string, std::string> files_;
  std::string name_;
  std::string content_;
  std::uint64_t next_ = 0;
};

std::uint64_t count_records(ledger::Disk& disk, const Keys& keys, Result<JournalEnd>& end) {
  std::uint64_t records = 0;
  end = read_journal(disk, directory, keys, 0, [&](std::uint64_t, std::string_view encoded) {
    ++records;
    if (const auto output = decode_output(encoded); output && encode(*output) != encoded)
      std::abort();
    return Result<void>{};
  });
  return records;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Keys keys = provenance::testing::keys_of("fuzz");
  Forger forger(keys);
  for (std::string_view rest(reinterpret_cast<const char*>(data), size); !rest.empty();) {
    const std::size_t length = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    forger.add(rest.substr(0, length));
    rest.remove_prefix(std::min(length, rest.size()));
  }
  ledger::MemoryDisk disk;
  forger.write_to(disk);
  Result<JournalEnd> end;
  const auto before = count_records(disk, keys, end);
  if (!end) return 0;
  SeededRandom random(2);
  auto writer = JournalWriter::open(disk, directory, keys, random, *end);
  if (!writer || !writer->append({"one", "another"})) std::abort();
  if (count_records(disk, keys, end) != before + 2 || !end) std::abort();
  return 0;
}
