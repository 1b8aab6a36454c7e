// Who is suspended, and what is known of whom, by what a directory provisioned.
#include "identity/directory.h"

#include <gtest/gtest.h>

#include "identity/standing.h"

namespace gatehouse::identity {
namespace {

class DirectoryTest : public ::testing::Test {
 protected:
  static Account account(std::string id, const std::string& name) {
    Account account;
    account.id = std::move(id);
    account.user_name = name;
    rename(account, "user:" + name);
    return account;
  }
  void provision(const Account& account) { apply("account.provisioned", account_data(account)); }
  void apply(std::string_view type, std::string_view data) {
    const auto applied = state_.apply(state_.next_index(), type, data);
    ASSERT_TRUE(applied) << applied.error().describe();
  }
  bool is_suspended(std::string_view principal) const {
    const auto standing = Standing::build(state_, directory());
    EXPECT_TRUE(standing);
    return standing && standing->principals().contains(principal);
  }
  Directory directory() const { return Directory::build(state_).value(); }

  store::State state_;
};

TEST_F(DirectoryTest, WhoIsSuspendedStaysSoUnderTheNameTheyHad) {
  Account ada = account("1", "ada");
  ada.active = false;
  provision(ada);
  EXPECT_TRUE(is_suspended("user:ada"));
  rename(ada, "user:left");
  rename(ada, "user:long-left");
  provision(ada);
  for (const auto* name : {"user:ada", "user:left", "user:long-left"})
    EXPECT_TRUE(is_suspended(name)) << name;
  ada.removed = true;
  provision(ada);
  EXPECT_TRUE(is_suspended("user:ada"));
  ada.removed = false;
  ada.active = true;
  provision(ada);
  for (const auto* name : {"user:ada", "user:left", "user:long-left"})
    EXPECT_FALSE(is_suspended(name)) << name;
}

TEST_F(DirectoryTest, WhoIsRenamedFirstIsSuspendedUnderBothNames) {
  Account ada = account("1", "ada");
  provision(ada);
  rename(ada, "user:smith");
  provision(ada);
  EXPECT_FALSE(is_suspended("user:ada"));
  ada.active = false;
  provision(ada);
  EXPECT_TRUE(is_suspended("user:ada"));
  EXPECT_TRUE(is_suspended("user:smith"));
}

TEST_F(DirectoryTest, AnActiveAccountOfAFormerNameFreesIt) {
  Account old = account("1", "ada");
  old.active = false;
  rename(old, "user:left");
  provision(old);
  provision(account("2", "ada"));
  EXPECT_FALSE(is_suspended("user:ada"));
  EXPECT_TRUE(is_suspended("user:left"));
}

TEST_F(DirectoryTest, WhomAnOperatorSuspendedTheDirectoryDoesNotRestore) {
  apply("principal.revoked", R"({"principal":"user:ada","revoked":"2026-11-28T00:00:00.000000Z"})");
  Account ada = account("1", "ada");
  provision(ada);
  EXPECT_TRUE(is_suspended("user:ada"));
  rename(ada, "user:smith");
  provision(ada);
  EXPECT_TRUE(is_suspended("user:ada"));
}

TEST_F(DirectoryTest, NamesThatReturnAreFormerNoMore) {
  Account ada = account("1", "ada");
  rename(ada, "user:smith");
  rename(ada, "user:ada");
  EXPECT_EQ(ada.former, std::vector<std::string>{"user:smith"});
  const auto read = account_from(account_data(ada));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->former, ada.former);
}

TEST_F(DirectoryTest, DescribesEverybodyOfAChain) {
  Account ada = account("1", "ada");
  ada.attributes = {{"department", "research"}};
  provision(ada);
  DirectoryGroup group{"g", "staff", "", {"1"}, "", ""};
  apply("group.provisioned", group_data(group));
  Principal principal;
  principal.kind = PrincipalKind::agent;
  principal.id = "helper";
  principal.chain = {{PrincipalKind::user, "ada", {{"team", "red"}}, {"engineers"}}};
  directory().describe(principal);
  EXPECT_TRUE(principal.groups.empty());
  EXPECT_FALSE(principal.described);
  const auto& subject = principal.chain.front();
  EXPECT_EQ(subject.groups, (std::vector<std::string>{"engineers", "staff"}));
  EXPECT_EQ(subject.attributes, (std::vector<std::pair<std::string, std::string>>{
                                    {"department", "research"}, {"team", "red"}}));
}

}  // namespace
}  // namespace gatehouse::identity
