// What the ledger's tests share: a directory that goes away, a key, entries, a log made quickly.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "ledger/ledger.h"
#include "ledger/wal.h"

namespace gatehouse::ledger {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ledger-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
  }
  std::string read(const std::string& name) const {
    std::ifstream in(path_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

 private:
  std::filesystem::path path_;
};

inline crypto::SigningKey test_key(unsigned char fill = 7) {
  std::array<std::byte, 32> seed;
  seed.fill(std::byte{fill});
  return crypto::SigningKey::from_seed(seed);
}

// Lengths vary, contents differ.
inline std::string test_entry(std::uint64_t i) {
  return "{\"id\":\"entry-" + std::to_string(i) + "\",\"pad\":\"" + std::string(i * 7 % 300, 'p') +
         "\"}";
}

inline Options options_in(const std::filesystem::path& directory) {
  Options options;
  options.directory = directory;
  options.origin = "log.example/test";
  options.segment_bytes = 1u << 20;
  return options;
}

inline bool wait_until(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return condition();
}

inline std::vector<std::string> read_all(const std::filesystem::path& directory) {
  std::vector<std::string> entries;
  auto reader = EntryReader::open(directory);
  EXPECT_TRUE(reader) << reader.error().describe();
  if (!reader) return entries;
  std::uint64_t index = 0;
  std::string entry;
  while (true) {
    const auto more = reader->next(index, entry);
    EXPECT_TRUE(more) << more.error().describe();
    if (!more || !*more) return entries;
    EXPECT_EQ(index, entries.size());
    entries.push_back(entry);
  }
}

}  // namespace gatehouse::ledger
