// A decision is derived again and is the same; whatever single thing in its event is changed shows.
#include "gateway/replay.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "base/random.h"
#include "crypto/crypto.h"
#include "gateway/snapshot.h"
#include "gateway/snapshot_sources.h"
#include "gateway/test_support.h"

namespace gatehouse::gateway {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using Outcome = Replayed::Outcome;

class Folder {
 public:
  Folder() {
    SystemRandom random;
    path = std::filesystem::temp_directory_path() /
           ("replay_test." + make_uuid7(SystemClock(), random));
    std::filesystem::create_directory(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path path;
};

// A log of a key, a model and a snapshot, with the built-in policies and rules as its sources.
class ReplayTest : public ::testing::Test {
 protected:
  ReplayTest() {
    SnapshotSources sources(folder_.path);
    EXPECT_TRUE(sources.keep(policies_->source()));
    EXPECT_TRUE(sources.keep(testing::builtin_rules()->source()));
    const ordered_json contents = {
        {"policies", policies_->digest()},
        {"rules", "sha256:" + to_hex(testing::builtin_rules()->digest())},
        {"providers", {{{"name", "sim"}, {"dialect", "openai"}, {"url", "http://x"}}}}};
    digest_ = "sha256:" + to_hex(crypto::sha256(bytes_of(contents.dump())));
    feed({{"type", "key.created"},
          {"data",
           {{"id", "01900000-0000-7000-8000-000000000001"},
            {"prefix", "gh_1"},
            {"hash", std::string(64, 'a')},
            {"principal_kind", "user"},
            {"principal_id", "ada"},
            {"attributes", {{"team", "red"}}},
            {"created", "2026-11-23T10:00:00.000000Z"},
            {"expires", ""}}}});
    feed(model("external"));
    feed({{"type", "snapshot.activated"},
          {"snapshot", digest_},
          {"data", {{"reason", "start"}, {"state_index", 2}, {"contents", contents}}}});
  }

  static ordered_json model(const std::string& trust) {
    return {{"type", "model.added"},
            {"data",
             {{"name", "gpt"},
              {"provider", "sim"},
              {"upstream_name", "up"},
              {"trust", trust},
              {"created", "2026-11-23T10:00:00.000000Z"}}}};
  }
  void feed(const ordered_json& entry) { ASSERT_TRUE(replayer_.feed(next_++, entry.dump())); }
  // Personal data to an external model: the built-in set has it redacted.
  json decided() const {
    return {{"type", "request.decided"},
            {"id", "01a2145e-0000-7000-8000-000000000001"},
            {"node", "gw"},
            {"snapshot", digest_},
            {"actor", {{"kind", "user"}, {"id", "ada"}, {"key", "gh_1"}, {"peer", "10.0.0.1:5"}}},
            {"subject",
             {{"route", "chat.completions"},
              {"dialect", "openai"},
              {"model", "gpt"},
              {"provider", "sim"},
              {"upstream_model", "up"},
              {"trust", "external"}}},
            {"label", json::parse(R"({"confidentiality":"confidential","categories":["personal"],)"
                                  R"("integrity":"unverified","origin":"human"})")},
            {"data",
             {{"effect", "permit"},
              {"policies", json::array()},
              {"obligations", json::array()},
              {"findings", json::array({finding()})},
              {"stream", false},
              {"uninspectable", false}}}};
  }
  static json finding() {
    for (const auto& rule : testing::builtin_rules()->rules())
      if (rule.category == inspect::Category::personal)
        return {{"rule", rule.id}, {"category", "personal"}, {"count", 1}, {"p", rule.p_value}};
    return {};
  }
  // What is recorded is what was derived: the event as the walk would have written it.
  json honest() {
    json event = decided();
    const Label label = label_of_call(0, 1);
    std::string text;
    append_json(text, label);
    event["label"] = json::parse(text);
    const auto first = replayer_.replay(next_, event.dump());
    EXPECT_TRUE(first) << first.error().describe();
    for (const auto& difference : first->differences)
      event["data"][difference.member] = json::parse(difference.derived);
    return event;
  }
  Replayed replay(const json& event) {
    auto replayed = replayer_.replay(next_, event.dump());
    EXPECT_TRUE(replayed) << replayed.error().describe();
    return replayed ? *replayed : Replayed{};
  }
  ErrorCode failure(const json& event) {
    const auto replayed = replayer_.replay(next_, event.dump());
    EXPECT_FALSE(replayed);
    return replayed ? ErrorCode::internal : replayed.error().code;
  }

  Folder folder_;
  std::shared_ptr<const policy::PolicySet> policies_ = *policy::PolicySet::builtin();
  Replayer replayer_{folder_.path};
  std::string digest_;
  std::uint64_t next_ = 0;
};

TEST_F(ReplayTest, an_honest_event_is_the_same) {
  const json event = honest();
  EXPECT_EQ(replay(event).outcome, Outcome::same);
  EXPECT_EQ(event["data"]["effect"], "permit");
  EXPECT_NE(event["data"]["obligations"].dump().find("redact"), std::string::npos);
}

TEST_F(ReplayTest, each_thing_that_is_changed_shows) {
  const json event = honest();
  const std::vector<std::pair<json::json_pointer, json>> changes = {
      {json::json_pointer("/actor/id"), "eve"},
      {json::json_pointer("/actor/kind"), "service"},
      {json::json_pointer("/actor/key"), "gh_2"},
      {json::json_pointer("/subject/model"), "other"},
      {json::json_pointer("/subject/provider"), "sam"},
      {json::json_pointer("/subject/upstream_model"), "down"},
      {json::json_pointer("/subject/trust"), "internal"},
      {json::json_pointer("/subject/dialect"), "anthropic"},
      {json::json_pointer("/label/confidentiality"), "public"},
      {json::json_pointer("/data/effect"), "forbid"},
      {json::json_pointer("/data/problem"), "blocked"},
      {json::json_pointer("/data/policies"), json::array({"made-up"})},
      {json::json_pointer("/data/obligations"), json::array()},
      {json::json_pointer("/data/errors"), json::array({"x"})},
      {json::json_pointer("/data/shadow"), json::array({"x"})},
      {json::json_pointer("/data/findings"), json::array()},
      {json::json_pointer("/data/findings/0/rule"), "made-up"},
      {json::json_pointer("/data/findings/0/category"), "credentials"},
      {json::json_pointer("/data/findings/0/p"), 0.5},
  };
  for (const auto& [where, value] : changes) {
    json changed = event;
    changed[where] = value;
    EXPECT_EQ(replay(changed).outcome, Outcome::differs) << where.to_string();
  }
}

TEST_F(ReplayTest, what_came_after_the_snapshot_does_not_matter) {
  const json event = honest();
  feed({{"type", "model.removed"},
        {"data", {{"name", "gpt"}, {"removed", "2026-11-24T10:00:00.000000Z"}}}});
  feed(model("internal"));
  feed({{"type", "key.revoked"},
        {"data",
         {{"id", "01900000-0000-7000-8000-000000000001"},
          {"revoked", "2026-11-24T10:00:00.000000Z"}}}});
  EXPECT_EQ(replay(event).outcome, Outcome::same);
}

TEST_F(ReplayTest, what_is_altered_makes_a_difference_undetermined) {
  json event = honest();
  event["data"]["altered"] = {"tools"};
  EXPECT_EQ(replay(event).outcome, Outcome::same_as_recorded);
  event["data"]["effect"] = "forbid";
  EXPECT_EQ(replay(event).outcome, Outcome::undetermined);
}

TEST_F(ReplayTest, what_is_missing_or_tampered_with_is_refused) {
  const json event = honest();
  EXPECT_EQ(failure({{"type", "request.completed"}}), ErrorCode::invalid_argument);
  EXPECT_EQ(failure("text"), ErrorCode::data_loss);
  json other = event;
  other["snapshot"] = "sha256:" + std::string(64, '0');
  EXPECT_EQ(failure(other), ErrorCode::data_loss);
}

TEST_F(ReplayTest, a_source_that_was_changed_or_is_gone_is_not_used) {
  const auto file = folder_.path / policies_->digest().substr(7);
  ASSERT_TRUE(write_file_atomically(file, policies_->source() + " "));
  EXPECT_EQ(failure(decided()), ErrorCode::data_loss);
  std::filesystem::remove(file);
  EXPECT_EQ(failure(decided()), ErrorCode::not_found);
  ASSERT_TRUE(write_file_atomically(file, policies_->source()));
  EXPECT_TRUE(replayer_.replay(next_, decided().dump()));
}

TEST_F(ReplayTest, a_snapshot_of_an_earlier_version_cannot_be_used) {
  json event = honest();
  const ordered_json contents = {{"policies", "sha256:1"}};
  const std::string digest = "sha256:" + to_hex(crypto::sha256(bytes_of(contents.dump())));
  feed({{"type", "snapshot.activated"},
        {"snapshot", digest},
        {"data", {{"reason", "start"}, {"contents", contents}}}});
  event["snapshot"] = digest;
  EXPECT_EQ(failure(event), ErrorCode::failed_precondition);
}

TEST(SnapshotSources, keeps_what_it_is_given_and_notices_changes) {
  const Folder folder;
  const auto where = folder.path / "snapshots";
  const std::string name = to_hex(crypto::sha256(bytes_of("text")));
  ASSERT_TRUE(SnapshotSources(where).keep("text"));
  EXPECT_EQ(SnapshotSources::read(where, "sha256:" + name), "text");
  ASSERT_TRUE(write_file_atomically(where / name, "tExt"));
  EXPECT_EQ(SnapshotSources::read(where, name).error().code, ErrorCode::data_loss);
  set_log_level(LogLevel::off);
  ASSERT_TRUE(SnapshotSources(where).keep("text"));
  EXPECT_EQ(SnapshotSources::read(where, name), "text");
  EXPECT_EQ(SnapshotSources::read(where, std::string(64, '0')).error().code, ErrorCode::not_found);
  EXPECT_EQ(SnapshotSources::read(where, "../secret").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(SnapshotSources(where).keep(std::string(max_source_bytes + 1, 'x')).error().code,
            ErrorCode::resource_exhausted);
}

TEST(SnapshotSources, reads_back_the_files_of_a_set) {
  const auto files = parse_sources((*policy::PolicySet::builtin())->source());
  ASSERT_TRUE(files);
  const auto again = policy::PolicySet::parse(*files);
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->digest(), (*policy::PolicySet::builtin())->digest());
  EXPECT_EQ(parse_sources("1:a:2:bc")->at(0).second, "bc");
  EXPECT_TRUE(parse_sources("")->empty());
  for (const char* wrong : {"1", "1:a", "1:a:", "1:a:3:bc", "x:a:1:b", "-1:a:1:b", "1:a1:b",
                            "99999999999999999999:a:1:b", "1:a:2:bcd"})
    EXPECT_EQ(parse_sources(wrong).error().code, ErrorCode::data_loss) << wrong;
}

// ---- what would have been -------------------------------------------------------------------

class WhatIfTest : public ReplayTest {
 protected:
  using Files = std::vector<std::pair<std::string, std::string>>;

  static std::shared_ptr<const policy::PolicySet> with(const std::string& more) {
    Files files = (*policy::PolicySet::builtin())->files();
    files.emplace_back("90-more.cedar", more);
    auto set = policy::PolicySet::parse(files);
    EXPECT_TRUE(set) << set.error().describe();
    return *set;
  }
  WhatIf what_if(const json& event, const std::string& more) {
    DecisionCache before(policies_);
    DecisionCache after(with(more));
    auto found = replayer_.what_if(next_, event.dump(), before, after);
    EXPECT_TRUE(found) << found.error().describe();
    return found ? *found : WhatIf{};
  }
};

TEST_F(WhatIfTest, nothing_changes_under_the_same_policies) {
  const WhatIf found = what_if(honest(), "");
  EXPECT_FALSE(found.changed());
  EXPECT_FALSE(found.incomplete);
  EXPECT_TRUE(found.before.permit);
  EXPECT_EQ(found.principal, "user:ada");
  EXPECT_EQ(found.route, "chat.completions");
}

TEST_F(WhatIfTest, a_forbid_an_obligation_and_what_they_are_because_of) {
  const WhatIf stopped = what_if(
      honest(),
      R"(@id("no-red") forbid (principal, action, resource) when { principal has team && principal.team == "red" };)");
  EXPECT_TRUE(stopped.changed());
  EXPECT_FALSE(stopped.after.permit);
  EXPECT_EQ(stopped.because(), std::vector<std::string>{"no-red"});

  const WhatIf owed = what_if(
      honest(),
      R"(@id("mask") @redact_answer("personal") permit (principal, action == Gatehouse::Action::"infer", resource);)");
  EXPECT_TRUE(owed.changed());
  EXPECT_TRUE(owed.after.permit);
  EXPECT_EQ(owed.because(), std::vector<std::string>{"mask"});
  // A shadow changes no decision.
  EXPECT_FALSE(
      what_if(honest(), R"(@shadow("true") forbid (principal, action, resource);)").changed());
}

TEST_F(WhatIfTest, the_cause_is_what_forbids_or_what_no_longer_permits) {
  using Names = std::vector<std::string>;
  const auto because = [](bool before, Names were, bool after, Names are) {
    WhatIf one;
    one.before.permit = before;
    one.before.determining = std::move(were);
    one.after.permit = after;
    one.after.determining = std::move(are);
    return one.because();
  };
  EXPECT_EQ(because(false, {"stops"}, true, {"opens"}), Names{"stops"});
  EXPECT_EQ(because(false, {}, true, {"opens"}), Names{"opens"});
  EXPECT_EQ(because(true, {"opens"}, false, {}), Names{"opens"});
  EXPECT_EQ(because(true, {"a", "b"}, true, {"a", "c"}), (Names{"c", "b"}));
  EXPECT_EQ(because(true, {"a"}, true, {"a"}), Names{"a"});
}

TEST_F(WhatIfTest, what_is_not_known_of_the_caller_is_said) {
  json event = honest();
  event["actor"]["key"] = "gh_nobody";
  EXPECT_TRUE(what_if(event, "").incomplete);
  event = honest();
  event["data"]["altered"] = {"purpose"};
  EXPECT_TRUE(what_if(event, "").incomplete);
}

// As the gateway writes it.
std::string written(const std::string& id, const std::string& peer, const std::string& content,
                    const std::string& more = "") {
  return R"({"id":")" + id +
         R"(","time":"2026-11-26T21:24:07.930071Z","type":"request.decided","node":"gw",)" +
         R"("actor":{"kind":"user","id":"ada","key":"gh_1","peer":")" + peer +
         R"("},"subject":{"route":"chat.completions","dialect":"openai","model":"gpt"},"data":{)" +
         R"("effect":"permit","purpose":"a \"content\":{\"sha256\":\"0\" b",)" +
         R"("content":{"sha256":")" + content + R"(","bytes":12})" + more + "}}";
}

TEST(RecordedFacts, leave_out_what_no_answer_depends_on) {
  const std::string id = "01a219be-8c78-7f9d-9afb-306334a5b04a";
  const auto facts = recorded_facts(written(id, "10.0.0.1:5", "ab"));
  ASSERT_TRUE(facts);
  EXPECT_EQ(recorded_facts(written("01a219be-8c79-7000-8000-000000000000", "10.0.0.1:65000", "cd")),
            facts);
  // An hour later, an address, anything else.
  EXPECT_NE(recorded_facts(written("01a219f5-7af8-7f9d-9afb-306334a5b04a", "10.0.0.1:5", "ab")),
            facts);
  EXPECT_NE(recorded_facts(written(id, "10.0.0.2:5", "ab")), facts);
  EXPECT_NE(recorded_facts(written(id, "10.0.0.1:5", "ab", R"(,"stream":true)")), facts);
  // A week later it is the same hour again.
  EXPECT_EQ(recorded_facts(written("01a23dcb-2478-7f9d-9afb-306334a5b04a", "10.0.0.1:5", "ab")),
            facts);
}

TEST(RecordedFacts, are_not_told_where_they_may_depend_on_the_moment) {
  const std::string id = "01a219be-8c78-7f9d-9afb-306334a5b04a";
  EXPECT_FALSE(recorded_facts(written(id, "10.0.0.1:5", "ab", R"(,"scope":{})")));
  EXPECT_FALSE(recorded_facts(written("no-uuid", "10.0.0.1:5", "ab")));
  EXPECT_FALSE(recorded_facts(R"({"type":"request.completed"})"));
  EXPECT_FALSE(recorded_facts(""));
  // Where the content is written otherwise it stays, and no two are taken for the same.
  EXPECT_NE(recorded_facts(written(id, "10.0.0.1:5", "x")),
            recorded_facts(written(id, "10.0.0.1:5", "y")));
}

// Whatever member of the event changes, the facts do, or the answer is the same.
TEST_F(WhatIfTest, other_facts_wherever_the_answer_is_another) {
  const auto entry_of = [](const ordered_json& event) {
    ordered_json sorted;
    for (const char* name :
         {"id", "time", "type", "node", "actor", "subject", "label", "snapshot", "data"})
      if (event.contains(name)) sorted[name] = event[name];
    return sorted.dump();
  };
  ordered_json event = ordered_json::parse(honest().dump());
  event["time"] = "2026-11-26T21:24:07.930071Z";
  event["actor"] = {{"kind", "user"}, {"id", "ada"}, {"key", "gh_1"}, {"peer", "10.0.0.1:5"}};
  event["data"]["content"] = {{"sha256", "ab"}, {"bytes", 12}};
  const auto facts = recorded_facts(entry_of(event));
  ASSERT_TRUE(facts);
  for (const auto& [place, value] : ordered_json(event).flatten().items()) {
    ordered_json changed = event.flatten();
    changed[place] = value.is_string() ? json("x") : value.is_boolean() ? json(!value) : json(7);
    const bool is_left_out = place == "/time" || place.starts_with("/data/content/");
    const auto others = recorded_facts(entry_of(changed.unflatten()));
    if (!is_left_out) EXPECT_TRUE(!others || *others != *facts) << place;
  }
}

}  // namespace
}  // namespace gatehouse::gateway
