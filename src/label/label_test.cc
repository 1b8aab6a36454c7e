// The laws of the lattice, over random labels, and the text forms.
#include "label/label.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace rc {

// Few categories, so that random labels overlap often.
template <>
struct Arbitrary<gatehouse::Label> {
  static Gen<gatehouse::Label> arbitrary() {
    using gatehouse::Label;
    return gen::exec([] {
      Label label;
      label.confidentiality = static_cast<gatehouse::Confidentiality>(*gen::inRange(0, 4));
      label.integrity = static_cast<gatehouse::Integrity>(*gen::inRange(0, 3));
      label.origin = static_cast<gatehouse::Origin>(*gen::inRange(0, 4));
      const std::vector<std::string> names = {"personal", "credentials", "health"};
      for (const std::string& name : names)
        if (*gen::arbitrary<bool>()) label.categories.insert(name);
      return label;
    });
  }
};

void showValue(const gatehouse::Label& label, std::ostream& out) {
  std::string text;
  gatehouse::append_json(text, label);
  out << text;
}

}  // namespace rc

namespace gatehouse {
namespace {

RC_GTEST_PROP(LabelLaws, join_is_associative, (const Label& a, const Label& b, const Label& c)) {
  RC_ASSERT(join(a, join(b, c)) == join(join(a, b), c));
}

RC_GTEST_PROP(LabelLaws, join_is_commutative, (const Label& a, const Label& b)) {
  RC_ASSERT(join(a, b) == join(b, a));
}

RC_GTEST_PROP(LabelLaws, join_is_idempotent, (const Label& a)) {
  RC_ASSERT(join(a, a) == a);
}

RC_GTEST_PROP(LabelLaws, bottom_is_the_identity, (const Label& a)) {
  RC_ASSERT(join(Label::bottom(), a) == a);
  RC_ASSERT(flows_to(Label::bottom(), a));
}

RC_GTEST_PROP(LabelLaws, flows_to_is_what_the_door_says, (const Label& a, const Label& b)) {
  RC_ASSERT(flows_to(a, b) == (join(a, b) == b));
}

RC_GTEST_PROP(LabelLaws, flows_to_is_a_partial_order,
              (const Label& a, const Label& b, const Label& c)) {
  RC_ASSERT(flows_to(a, a));
  if (flows_to(a, b) && flows_to(b, a)) RC_ASSERT(a == b);
  if (flows_to(a, b) && flows_to(b, c)) RC_ASSERT(flows_to(a, c));
  const Label above = join(b, c);  // makes the premise of transitivity true by construction
  RC_ASSERT(flows_to(b, above) && flows_to(above, join(above, a)));
  RC_ASSERT(flows_to(b, join(above, a)));
}

RC_GTEST_PROP(LabelLaws, join_is_the_least_upper_bound,
              (const Label& a, const Label& b, const Label& other)) {
  const Label joined = join(a, b);
  RC_ASSERT(flows_to(a, joined) && flows_to(b, joined));
  if (flows_to(a, other) && flows_to(b, other)) RC_ASSERT(flows_to(joined, other));
  const Label upper = join(other, joined);  // always an upper bound of both
  RC_ASSERT(flows_to(joined, upper));
}

RC_GTEST_PROP(LabelLaws, joining_never_loses_a_restriction, (const Label& a, const Label& b)) {
  const Label joined = join(a, b);
  RC_ASSERT(joined.confidentiality >= a.confidentiality);
  RC_ASSERT(joined.integrity >= a.integrity);
  for (const std::string& category : a.categories) RC_ASSERT(joined.categories.contains(category));
}

TEST(Label, different_origins_become_mixed) {
  Label human;
  human.origin = Origin::human;
  Label ai;
  ai.origin = Origin::ai;
  EXPECT_EQ(join(human, ai).origin, Origin::mixed);
  EXPECT_EQ(join(human, human).origin, Origin::human);
  EXPECT_EQ(join(human, Label::bottom()).origin, Origin::human);
  EXPECT_FALSE(flows_to(human, ai));
}

TEST(Label, confidential_data_does_not_flow_to_a_public_place) {
  Label secret;
  secret.confidentiality = Confidentiality::confidential;
  EXPECT_FALSE(flows_to(secret, Label::bottom()));
  EXPECT_TRUE(flows_to(Label::bottom(), secret));
}

TEST(Label, every_name_reads_back) {
  for (const auto value : {Confidentiality::public_, Confidentiality::internal,
                           Confidentiality::confidential, Confidentiality::restricted})
    EXPECT_EQ(parse_confidentiality(to_string(value)), value);
  for (const auto value : {Integrity::trusted, Integrity::unverified, Integrity::untrusted})
    EXPECT_EQ(parse_integrity(to_string(value)), value);
  for (const auto value : {Origin::none, Origin::human, Origin::ai, Origin::mixed})
    EXPECT_EQ(parse_origin(to_string(value)), value);
}

TEST(Label, an_unknown_name_is_refused_with_the_known_ones) {
  const auto parsed = parse_confidentiality("secret");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(parsed.error().message, "expected one of: public, internal, confidential, restricted");
  EXPECT_FALSE(parse_integrity("Trusted"));
  EXPECT_FALSE(parse_origin(""));
}

TEST(Label, of_a_call_rises_with_what_was_found) {
  const auto plain = label_of_call(0, 0);
  EXPECT_EQ(plain.confidentiality, Confidentiality::internal);
  EXPECT_EQ(plain.integrity, Integrity::unverified);
  EXPECT_EQ(plain.origin, Origin::human);
  EXPECT_TRUE(plain.categories.empty());
  EXPECT_EQ(label_of_call(0, 2).confidentiality, Confidentiality::confidential);
  EXPECT_EQ(label_of_call(1, 0).confidentiality, Confidentiality::restricted);
  EXPECT_EQ(label_of_call(1, 1).categories,
            (decltype(plain.categories){"credentials", "personal"}));
  EXPECT_TRUE(flows_to(plain, label_of_call(0, 1)));
  EXPECT_TRUE(flows_to(label_of_call(0, 1), label_of_call(1, 1)));
}

TEST(Label, json_has_a_fixed_order) {
  Label label;
  label.confidentiality = Confidentiality::internal;
  label.categories = {"personal", "a\"b"};
  label.origin = Origin::human;
  std::string out;
  append_json(out, label);
  EXPECT_EQ(out, R"({"confidentiality":"internal","categories":["a\"b","personal"],)"
                 R"("integrity":"trusted","origin":"human"})");
}

RC_GTEST_PROP(Label, json_says_all_of_the_label, (const Label& label)) {
  std::string out;
  append_json(out, label);
  const auto json = nlohmann::json::parse(out);
  Label back;
  back.confidentiality = parse_confidentiality(json["confidentiality"].get<std::string>()).value();
  for (const auto& category : json["categories"]) back.categories.insert(category);
  back.integrity = parse_integrity(json["integrity"].get<std::string>()).value();
  back.origin = parse_origin(json["origin"].get<std::string>()).value();
  RC_ASSERT(back == label);
}

}  // namespace
}  // namespace gatehouse
