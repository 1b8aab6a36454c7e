#include <gtest/gtest.h>

#include "base/text.h"
#include "identity/identity.h"
#include "identity/rules.h"

namespace gatehouse::identity {
namespace {

constexpr const char* noon = "2026-11-23T12:00:00.000000Z";

class KeyIndexTest : public testing::Test {
 protected:
  crypto::Digest hash_key_ = crypto::sha256(bytes_of("key-hash key"));
  SeededRandom random_{5};
  std::string key_ = generate_key(random_);
  WallTime now_ = parse_time(noon).value();

  store::KeyRecord record_of(const std::string& key) const {
    store::KeyRecord record;
    record.id = "01900000-0000-7000-8000-000000000001";
    record.prefix = key.substr(0, 11);
    record.hash = to_hex(crypto::hmac_sha256(Bytes(hash_key_), bytes_of(key)));
    record.principal_kind = "agent";
    record.principal_id = "helper";
    record.attributes = {{"team", "research"}};
    record.created = noon;
    return record;
  }
  KeyIndex index_of(const std::vector<store::KeyRecord>& records) const {
    auto index = KeyIndex::build(records, hash_key_);
    EXPECT_TRUE(index) << index.error().describe();
    return std::move(*index);
  }
  std::string refusal(const KeyIndex& index, std::string_view presented) const {
    const auto who = index.authenticate(presented, now_);
    if (who) return "accepted";
    EXPECT_EQ(who.error().code, ErrorCode::unauthenticated);
    return who.error().describe();
  }
};

TEST_F(KeyIndexTest, a_key_speaks_for_its_principal) {
  const KeyIndex index = index_of({record_of(key_), record_of(generate_key(random_))});
  EXPECT_EQ(index.size(), 2u);
  const auto who = index.authenticate(key_, now_);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->kind, PrincipalKind::agent);
  EXPECT_EQ(who->id, "helper");
  EXPECT_EQ(who->attributes.at(0).second, "research");
  EXPECT_EQ(who->key_prefix, key_.substr(0, 11));
}

TEST_F(KeyIndexTest, no_key_and_a_malformed_key_are_told_apart) {
  const KeyIndex index = index_of({record_of(key_)});
  EXPECT_TRUE(refusal(index, "").starts_with("No API key was sent."));
  for (const std::string& wrong : {std::string("sk-") + "proj-1234567890abcdef", key_ + " ",
                                   key_.substr(1), "Bearer " + key_}) {
    const std::string message = refusal(index, wrong);
    EXPECT_TRUE(message.starts_with("The API key is malformed.")) << message;
    EXPECT_EQ(message.find(wrong.substr(0, 8)), std::string::npos) << "never repeated";
  }
}

TEST_F(KeyIndexTest, only_the_prefix_of_an_unknown_key_is_shown) {
  const KeyIndex index = index_of({record_of(key_)});
  std::string other = key_;
  other.back() = other.back() == 'a' ? 'b' : 'a';
  EXPECT_EQ(refusal(index, other), "API key " + key_.substr(0, 11) + "… is not known here.");
  EXPECT_EQ(refusal(KeyIndex(), key_), "API key " + key_.substr(0, 11) + "… is not known here.");
}

TEST_F(KeyIndexTest, another_hash_key_knows_nobody) {
  const auto index = KeyIndex::build({record_of(key_)}, crypto::sha256(bytes_of("another")));
  EXPECT_FALSE(index->authenticate(key_, now_));
}

TEST_F(KeyIndexTest, a_key_expires_at_its_moment) {
  store::KeyRecord record = record_of(key_);
  record.expires = format_time(now_ + std::chrono::microseconds(1));
  EXPECT_EQ(refusal(index_of({record}), key_), "accepted");
  record.expires = noon;
  EXPECT_EQ(refusal(index_of({record}), key_),
            "API key " + key_.substr(0, 11) + "… expired at 2026-11-23T12:00:00.000000Z.");
}

TEST_F(KeyIndexTest, a_revoked_key_says_since_when) {
  store::KeyRecord record = record_of(key_);
  record.revoked = "2026-11-20T08:00:00.000000Z";
  record.expires = noon;
  EXPECT_EQ(refusal(index_of({record}), key_),
            "API key " + key_.substr(0, 11) + "… is revoked since 2026-11-20T08:00:00.000000Z.");
}

TEST_F(KeyIndexTest, damaged_records_are_refused) {
  const auto code_with = [this](auto change) {
    store::KeyRecord record = record_of(key_);
    change(record);
    const auto index = KeyIndex::build({record}, hash_key_);
    return index ? "built" : std::string(to_string(index.error().code));
  };
  EXPECT_EQ(code_with([](auto& key) { key.hash = "12"; }), "data_loss");
  EXPECT_EQ(code_with([](auto& key) { key.hash[0] = 'x'; }), "data_loss");
  EXPECT_EQ(code_with([](auto& key) { key.expires = "soon"; }), "data_loss");
  EXPECT_EQ(code_with([](auto& key) { key.principal_kind = "robot"; }), "invalid_argument");
  EXPECT_FALSE(KeyIndex::build({record_of(key_), record_of(key_)}, hash_key_));
}

}  // namespace
}  // namespace gatehouse::identity
