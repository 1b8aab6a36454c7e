#include "ledger/tile.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace gatehouse::ledger {
namespace {

TEST(Tile, KnownPaths) {
  EXPECT_EQ(to_path({.level = 0, .index = 0}), "tile/0/000");
  EXPECT_EQ(to_path({.level = 1, .index = 1000}), "tile/1/x001/000");
  EXPECT_EQ(to_path({.level = {}, .index = 1234067}), "tile/entries/x001/x234/067");
  EXPECT_EQ(to_path({.level = 2, .index = 7, .width = 5}), "tile/2/007.p/5");
}

TEST(Tile, PathsRoundTripAndHaveOneSpelling) {
  EXPECT_TRUE(rc::check("round trip", [] {
    TileName name;
    if (*rc::gen::arbitrary<bool>()) name.level = *rc::gen::inRange(0u, 64u);
    name.index = *rc::gen::inRange<std::uint64_t>(0, max_tree_size / 1000);
    name.width = *rc::gen::inRange(1u, 257u);
    const auto parsed = parse_tile_path(to_path(name));
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(*parsed == name);
  }));
  for (std::string_view bad : {"",
                               "tile",
                               "tile/",
                               "tile/0",
                               "tile/0/",
                               "tile/0/0",
                               "tile/0/0000",
                               "tile/00/000",
                               "tile/64/000",
                               "tile/-1/000",
                               "tile/0/x000/000",
                               "tile/0/001/000",
                               "tile/0/x001",
                               "tile/0/000.p",
                               "tile/0/000.p/",
                               "tile/0/000.p/0",
                               "tile/0/000.p/256",
                               "tile/0/000.p/01",
                               "tile/0/000.p/1/2",
                               "tile/entry/000",
                               "tile/0/000/",
                               "tile//000",
                               "/tile/0/000",
                               "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
                               "tile/0/0a0",
                               "tile/0/../000"}) {
    EXPECT_FALSE(parse_tile_path(bad)) << bad;
  }
}

TEST(Tile, LevelsAndWidths) {
  EXPECT_EQ(levels_of(0), 0u);
  EXPECT_EQ(levels_of(1), 1u);
  EXPECT_EQ(levels_of(255), 1u);
  EXPECT_EQ(levels_of(256), 2u);
  EXPECT_EQ(levels_of(70'000), 3u);
  EXPECT_EQ(hashes_at(0, 70'000) / 256, 273u);
  EXPECT_EQ(hashes_at(0, 70'000) % 256, 112u);
  EXPECT_EQ(hashes_at(1, 70'000) % 256, 17u);
  EXPECT_EQ(hashes_at(2, 70'000) % 256, 1u);
}

TEST(Tile, HashesRoundTrip) {
  const std::vector<Digest> hashes{leaf_hash("a"), leaf_hash("b")};
  const std::string bytes = encode_tile(hashes);
  EXPECT_EQ(bytes.size(), 64u);
  EXPECT_EQ(decode_tile(bytes, 2).value(), hashes);
  EXPECT_FALSE(decode_tile(bytes, 1));
  EXPECT_FALSE(decode_tile(bytes, 3));
  EXPECT_FALSE(decode_tile(bytes.substr(1), 2));
}

TEST(Bundle, RoundTripAndLimits) {
  std::string bundle;
  append_to_bundle(bundle, "first");
  append_to_bundle(bundle, std::string(65'535, 'x'));
  const auto entries = split_bundle(bundle, 2);
  ASSERT_TRUE(entries) << entries.error().describe();
  EXPECT_EQ((*entries)[0], "first");
  EXPECT_EQ((*entries)[1].size(), 65'535u);
  EXPECT_FALSE(split_bundle(bundle, 1));
  EXPECT_FALSE(split_bundle(bundle, 3));
  EXPECT_FALSE(split_bundle(bundle.substr(0, bundle.size() - 1), 2));
  EXPECT_FALSE(split_bundle(bundle + "\n", 2));
  EXPECT_FALSE(split_bundle(std::string(2, '\0'), 1)) << "an empty entry";
  EXPECT_TRUE(split_bundle("", 0));
}

}  // namespace
}  // namespace gatehouse::ledger
