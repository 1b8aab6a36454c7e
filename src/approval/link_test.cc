// Signed links: what was made is read again, and nothing else is.
#include "approval/link.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace gatehouse::approval {
namespace {

const WallTime now{std::chrono::seconds(1'800'000'000)};

class LinkTest : public testing::Test {
 protected:
  std::string make(std::chrono::seconds lifetime = std::chrono::hours(1)) {
    return make_link(key_, {"ap_1", "d1", "user:bob", {}, now + lifetime}, random_);
  }
  SystemRandom random_;
  crypto::Digest key_ = link_key(crypto::sha256(bytes_of("approvals")));
};

TEST_F(LinkTest, WhatWasMadeIsRead) {
  const auto link = read_link(key_, make(), now);
  ASSERT_TRUE(link) << link.error().describe();
  EXPECT_EQ(link->approval, "ap_1");
  EXPECT_EQ(link->digest, "d1");
  EXPECT_EQ(link->principal, "user:bob");
  EXPECT_EQ(link->id.size(), 24u);
  EXPECT_NE(read_link(key_, make(), now)->id, link->id) << "each is another";
}

TEST_F(LinkTest, NothingOfItCanBeChanged) {
  const auto text = make();
  for (std::size_t at = 0; at < text.size(); ++at) {
    auto changed = text;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(read_link(key_, changed, now)) << at;
    EXPECT_FALSE(read_link(key_, text.substr(0, at), now)) << at;
  }
  EXPECT_FALSE(read_link(key_, text + "A", now));
  EXPECT_FALSE(read_link(link_key(crypto::sha256(bytes_of("other"))), text, now));
  EXPECT_FALSE(read_link(key_, std::string(longest_link + 1, 'A'), now));
}

TEST_F(LinkTest, ItEnds) {
  const auto text = make(std::chrono::seconds(60));
  EXPECT_TRUE(read_link(key_, text, now + std::chrono::seconds(59)));
  EXPECT_FALSE(read_link(key_, text, now + std::chrono::seconds(60)));
}

}  // namespace
}  // namespace gatehouse::approval
