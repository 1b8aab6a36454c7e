// What strangers may ask for, and what they get after the publisher has moved on.
#include "ledger/published.h"

#include <gtest/gtest.h>

#include "ledger/memory_log.h"

namespace gatehouse::ledger {
namespace {

PublishedName named(std::string_view text) {
  const auto name = parse_published_name(text);
  GH_CHECK(name.has_value());
  return *name;
}

TEST(Published, OneSpellingForEachResource) {
  EXPECT_EQ(named("checkpoint").kind, PublishedKind::checkpoint);
  EXPECT_EQ(named("tile/0/x001/234.p/5").kind, PublishedKind::tile);
  EXPECT_EQ(named("tile/entries/000").kind, PublishedKind::entries);
  for (const char* name : {"",
                           "/checkpoint",
                           "checkpoint/",
                           "Checkpoint",
                           "log.vkey",
                           "lock",
                           "wal/next",
                           "wal/0000000000000000.wal",
                           "tmp/checkpoint",
                           "tile",
                           "tile/",
                           "tile/0",
                           "tile/0/0",
                           "tile/0/0000",
                           "tile/00/000",
                           "tile/0/000.p/0",
                           "tile/0/000.p/256",
                           "tile/0/000.p/05",
                           "tile/0/000.p",
                           "tile/0/x000/001",
                           "tile/64/000",
                           "tile/-1/000",
                           "tile/0/../../wal/next",
                           "tile/entries/../0/000",
                           "tile/0/000/",
                           "tile//0/000",
                           "tile/0/000?x",
                           "tile/0/%30%30%30"})
    EXPECT_FALSE(parse_published_name(name)) << name;
  EXPECT_FALSE(parse_published_name(std::string_view("tile/0/000\0", 11)));
}

// Everything a client needs for the tree of that size, read by name.
void expect_readable(MemoryDisk& disk, std::uint64_t size) {
  const LogPaths paths("/log");
  for (unsigned level = 0; level < levels_of(size); ++level) {
    const std::uint64_t hashes = hashes_at(level, size);
    for (std::uint64_t at = 0; at < hashes; at += tile_width) {
      const auto width = static_cast<unsigned>(std::min(tile_width, hashes - at));
      const TileName name{.level = level, .index = at / tile_width, .width = width};
      const auto bytes = read_published(disk, paths, test_verifier_key(),
                                        {.kind = PublishedKind::tile, .tile = name});
      ASSERT_TRUE(bytes) << size << ": " << bytes.error().describe();
      ASSERT_EQ(bytes->size(), width * sizeof(Digest)) << to_path(name);
      if (level > 0) continue;
      const TileName bundle{.level = {}, .index = at / tile_width, .width = width};
      const auto entries = read_published(disk, paths, test_verifier_key(),
                                          {.kind = PublishedKind::entries, .tile = bundle});
      ASSERT_TRUE(entries) << size << ": " << entries.error().describe();
      const auto split = split_bundle(*entries, width);
      ASSERT_TRUE(split) << split.error().describe();
      for (unsigned i = 0; i < width; ++i) {
        ASSERT_EQ(std::string((*split)[i]), test_entry(at + i));
        const Digest leaf = leaf_hash((*split)[i]);
        ASSERT_EQ(bytes->substr(i * sizeof(Digest), sizeof(Digest)),
                  text_of(std::as_bytes(std::span(leaf))));
      }
    }
  }
}

TEST(Published, EveryTileOfEveryEarlierCheckpointIsServed) {
  MemoryDisk disk;
  const std::vector<std::uint64_t> sizes{1, 2, 5, 100, 255, 256, 257, 300, 511, 512, 513, 600};
  make_log(disk, 700, sizes);
  for (const std::uint64_t size : sizes) expect_readable(disk, size);
  expect_readable(disk, 700);
  // The publisher did remove what it could.
  std::vector<DirectoryItem> items;
  EXPECT_LT(disk.list("/log/tile/0/000.p", items), 0);
}

TEST(Published, WhatIsNotThereIsNotFound) {
  MemoryDisk disk;
  make_log(disk, 300);
  const LogPaths paths("/log");
  for (const char* name : {"tile/0/002", "tile/0/001", "tile/0/001.p/45", "tile/0/x001/000.p/1",
                           "tile/1/000", "tile/1/000.p/2", "tile/2/000.p/1", "tile/63/000",
                           "tile/entries/001", "tile/entries/001.p/45"}) {
    const auto bytes = read_published(disk, paths, test_verifier_key(), named(name));
    ASSERT_FALSE(bytes) << name;
    EXPECT_EQ(bytes.error().code, ErrorCode::not_found) << name;
  }
}

}  // namespace
}  // namespace gatehouse::ledger
