// What administration refuses. The calls themselves are driven through the binary in tests/e2e.
#include "api/admin.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/id.h"
#include "gateway/administer_directory.h"
#include "gateway/administration.h"
#include "identity/standing.h"

namespace gatehouse::api {
namespace {

class AdminTest : public ::testing::Test {
 protected:
  AdminTest() {
    folder_ =
        std::filesystem::temp_directory_path() / ("admin_test." + make_uuid7(clock_, random_));
    auto config = std::make_shared<gateway::Config>();
    config->node = "gw-1";
    config->data = folder_;
    config->secret = Secret(std::string(32, 's'));
    config->ledger_origin = "example.org/log";
    config->providers["sim"];
    control_ = gateway::ControlPlane::open(*config, clock_, random_).value();
    admin_ = std::make_unique<Admin>(*control_, std::move(config), Admin::Hook(), Admin::Hook());
  }
  ~AdminTest() override {
    admin_.reset();
    control_.reset();
    std::filesystem::remove_all(folder_);
  }
  AdminReply post(std::string_view path, std::string_view body) {
    return admin_->handle("POST", path, body, "cli:root");
  }
  AdminReply scim(std::string_view method, std::string_view where, const nlohmann::json& body,
                  const std::vector<std::string>& asked = {}) {
    return admin_->handle(method, "/scim/v2" + std::string(where), body.dump(), "service:okta",
                          asked);
  }
  std::string made(std::string_view where, const nlohmann::json& body,
                   const std::vector<std::string>& asked = {}) {
    const auto reply = scim("POST", where, body, asked);
    EXPECT_EQ(reply.status, 201) << reply.body;
    return nlohmann::json::parse(reply.body).value("id", "");
  }
  bool is_suspended(std::string_view principal) {
    const auto state = control_->registry().state();
    const auto directory = identity::Directory::build(state).value();
    return identity::Standing::build(state, directory)->principals().contains(principal);
  }
  void expect_refused(std::string_view path, std::string_view body, std::string_view why) {
    const auto reply = post(path, body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_NE(reply.body.find(why), std::string::npos) << body << ": " << reply.body;
  }

  SystemClock clock_;
  SystemRandom random_;
  std::filesystem::path folder_;
  std::unique_ptr<gateway::ControlPlane> control_;
  std::unique_ptr<Admin> admin_;
};

TEST_F(AdminTest, a_lifetime_that_is_no_number_makes_no_key) {
  for (const char* lifetime : {"\"60\"", "60.5", "null", "[60]", "true", "18446744073709551615",
                               "99999999999999999999", "0", "-5"}) {
    const std::string body =
        std::string(R"({"principal":"user:ada","lifetime_seconds":)") + lifetime + "}";
    expect_refused("/admin/keys", body, "lifetime");
  }
  EXPECT_TRUE(control_->registry().list_keys()->empty());
  EXPECT_EQ(post("/admin/keys", R"({"principal":"user:ada","lifetime_seconds":60})").status, 200);
  EXPECT_FALSE(control_->registry().list_keys()->at(0).expires.empty());
  EXPECT_EQ(post("/admin/keys", R"({"principal":"user:bo"})").status, 200);
}

TEST_F(AdminTest, a_body_that_is_nested_very_deep_is_refused) {
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  for (const char* path : {"/admin/tokens", "/admin/keys", "/admin/mcp/list"})
    expect_refused(path, R"({"principal":"user:ada","for":)" + deep + "}", "nested");
  const auto reply = post("/scim/v2/Users", R"({"userName":"ada","name":)" + deep + "}");
  EXPECT_NE(reply.body.find("nested"), std::string::npos) << reply.body;
  expect_refused("/admin/tokens", R"({"principal":"user:[[[","for":"]]\\\"["})", "is a list of");
}

TEST_F(AdminTest, members_that_nobody_knows_are_refused) {
  expect_refused("/admin/keys", R"({"principal":"user:ada","lifetime":60})",
                 R"(unknown member \"lifetime\")");
  expect_refused("/admin/keys/revoke", R"({"key":"gh_x","force":true})", "force");
  expect_refused("/admin/models",
                 R"({"name":"m","provider":"sim","trust":"internal","upstream":"n"})", "upstream");
  expect_refused("/admin/models/remove", R"({"name":"m","all":true})", "all");
  for (const char* body : {"", "[]", "null", "{", "\"x\""})
    expect_refused("/admin/keys", body, "JSON object");
  EXPECT_EQ(control_->ledger().stats().size, 0u);
}

// Whatever the table of rights has, somebody carries out; what it has not, does not exist here
// either.
TEST_F(AdminTest, the_calls_are_those_of_the_table) {
  for (const auto& route : gateway::administration_routes()) {
    if (route.path == "/admin/reload") continue;  // without a gateway there is nothing to reload
    const auto reply = admin_->handle(route.method, route.path, "{}", "cli:root");
    EXPECT_EQ(reply.body.find("no such administrative call"), std::string::npos) << route.path;
    const auto elsewhere = std::string(route.path) + "/x";
    EXPECT_EQ(admin_->handle(route.method, elsewhere, "{}", "cli:root").status, 404) << elsewhere;
  }
  for (const char* path :
       {"/admin", "/admin/", "/admin/vault/", "/admin/vault/dump", "/admin/Keys"})
    EXPECT_EQ(post(path, "{}").status, 404) << path;
}

// A PatchOp of one operation.
nlohmann::json patch(const nlohmann::json& operation) {
  return {{"schemas", nlohmann::json::array({"urn:ietf:params:scim:api:messages:2.0:PatchOp"})},
          {"Operations", nlohmann::json::array({operation})}};
}

nlohmann::json replaced(const nlohmann::json& value) {
  return patch({{"op", "replace"}, {"value", value}});
}

// However the policies came not to be asked about it.
TEST_F(AdminTest, who_has_a_role_changes_only_where_that_was_decided) {
  const std::string role = "gatehouse-administrators";
  const auto ada = made("/Users", {{"userName", "ada"}});
  const nlohmann::json group = {{"displayName", role}};
  EXPECT_EQ(scim("POST", "/Groups", group).status, 409);
  EXPECT_EQ(scim("POST", "/Groups", group, {"gatehouse-operators"}).status, 409);
  const auto admins = "/Groups/" + made("/Groups", group, {role});
  const auto joins = patch(
      {{"op", "add"}, {"path", "members"}, {"value", nlohmann::json::array({{{"value", ada}}})}});
  EXPECT_EQ(scim("PATCH", admins, joins).status, 409);
  EXPECT_EQ(scim("PATCH", admins, replaced({{"displayName", "others"}})).status, 409);
  EXPECT_EQ(scim("PUT", admins, {{"displayName", "others"}}).status, 409);
  EXPECT_EQ(scim("DELETE", admins, {}).status, 409);
  const auto others = "/Groups/" + made("/Groups", {{"displayName", "others"}});
  EXPECT_EQ(scim("PATCH", others, replaced({{"displayName", role}})).status, 409);
  EXPECT_EQ(scim("DELETE", others, {}).status, 204);
  EXPECT_EQ(scim("PATCH", admins, joins, {role}).status, 200);
  EXPECT_EQ(scim("PATCH", "/Users/" + ada, replaced({{"active", false}})).status, 200);
  EXPECT_EQ(scim("PATCH", "/Users/" + ada, replaced({{"active", true}})).status, 409);
  EXPECT_EQ(scim("PATCH", "/Users/" + ada, replaced({{"active", true}}), {role}).status, 200);
  EXPECT_EQ(scim("DELETE", admins, {}, {role}).status, 204);
}

TEST_F(AdminTest, a_path_of_a_directory_has_one_reading) {
  const auto written = gateway::directory_resource("/scim/v2/Groups/019a-01");
  const auto escaped = gateway::directory_resource("/scim/v2/Groups/019a%2D01");
  ASSERT_TRUE(written && escaped);
  EXPECT_EQ(written->kind, "Groups");
  EXPECT_EQ(written->id, "019a-01");
  EXPECT_EQ(escaped->id, written->id);
  EXPECT_EQ(gateway::directory_resource("/scim/v2/Users")->id, "");
  EXPECT_EQ(gateway::directory_resource("/scim/v2/Group%73/1")->kind, "Group%73");
  EXPECT_FALSE(gateway::directory_resource("/scim/v2/Groups/%f"));
  EXPECT_FALSE(gateway::directory_resource("/scim/v2/Groups/%ff"));
}

TEST_F(AdminTest, a_suspended_account_stays_suspended_when_it_is_renamed) {
  const auto ada = "/Users/" + made("/Users", {{"userName", "ada"}});
  EXPECT_EQ(scim("PATCH", ada, replaced({{"active", false}})).status, 200);
  EXPECT_EQ(scim("PATCH", ada, replaced({{"userName", "left"}})).status, 200);
  EXPECT_TRUE(is_suspended("user:ada"));
  EXPECT_TRUE(is_suspended("user:left"));
  EXPECT_EQ(scim("DELETE", ada, {}).status, 204);
  EXPECT_TRUE(is_suspended("user:ada"));
  // Made again, and suspended again: what it was called before is not forgotten.
  const auto again = "/Users/" + made("/Users", {{"userName", "left"}});
  EXPECT_FALSE(is_suspended("user:ada"));
  EXPECT_EQ(scim("PATCH", again, replaced({{"active", false}})).status, 200);
  EXPECT_TRUE(is_suspended("user:ada"));
}

TEST_F(AdminTest, a_directory_does_not_restore_whom_an_operator_suspended) {
  const auto ada = "/Users/" + made("/Users", {{"userName", "ada"}});
  EXPECT_EQ(post("/admin/principals/suspend", R"({"principal":"user:ada"})").status, 200);
  EXPECT_EQ(scim("PATCH", ada, replaced({{"active", false}})).status, 200);
  EXPECT_EQ(scim("PATCH", ada, replaced({{"active", true}})).status, 200);
  EXPECT_TRUE(is_suspended("user:ada"));
}

}  // namespace
}  // namespace gatehouse::api
