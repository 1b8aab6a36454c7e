// The lattice of labels. Pure functions.
//
// Each part is a lattice of its own: confidentiality and integrity are chains (join is max, and
// untrusted is the top of integrity because it restricts most), categories are sets under union,
// origin is the diamond none < human, ai < mixed. A product of lattices is a lattice.
#include "label/label.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/json.h"

namespace gatehouse {
namespace {

template <class T>
struct Name {
  T value;
  std::string_view text;
};

constexpr std::array<Name<Confidentiality>, 4> confidentiality_names{{
    {Confidentiality::public_, "public"},
    {Confidentiality::internal, "internal"},
    {Confidentiality::confidential, "confidential"},
    {Confidentiality::restricted, "restricted"},
}};

constexpr std::array<Name<Integrity>, 3> integrity_names{{
    {Integrity::trusted, "trusted"},
    {Integrity::unverified, "unverified"},
    {Integrity::untrusted, "untrusted"},
}};

constexpr std::array<Name<Origin>, 4> origin_names{{
    {Origin::none, "none"},
    {Origin::human, "human"},
    {Origin::ai, "ai"},
    {Origin::mixed, "mixed"},
}};

template <class T>
std::string_view name_of(T value, std::span<const Name<T>> names) {
  const auto found =
      std::ranges::find_if(names, [value](const Name<T>& name) { return name.value == value; });
  GH_CHECK(found != names.end());
  return found->text;
}

template <class T>
Result<T> value_of(std::string_view text, std::span<const Name<T>> names) {
  std::string known;
  for (const Name<T>& name : names) {
    if (name.text == text) return name.value;
    known += (known.empty() ? "" : ", ") + std::string(name.text);
  }
  return fail(ErrorCode::invalid_argument, "expected one of: " + known);
}

Origin join(Origin a, Origin b) {
  if (a == b || b == Origin::none) return a;
  return a == Origin::none ? b : Origin::mixed;
}

}  // namespace

Label join(const Label& a, const Label& b) {
  Label joined;
  joined.confidentiality = std::max(a.confidentiality, b.confidentiality);
  joined.categories = a.categories;
  joined.categories.insert(b.categories.begin(), b.categories.end());
  joined.integrity = std::max(a.integrity, b.integrity);
  joined.origin = join(a.origin, b.origin);
  return joined;
}

bool flows_to(const Label& from, const Label& to) {
  return from.confidentiality <= to.confidentiality && from.integrity <= to.integrity &&
         join(from.origin, to.origin) == to.origin &&
         std::ranges::includes(to.categories, from.categories);
}

Label label_of_call(std::uint64_t credentials, std::uint64_t personal) {
  Label label;
  label.confidentiality = Confidentiality::internal;
  label.integrity = Integrity::unverified;
  label.origin = Origin::human;
  if (personal > 0) {
    label.categories.emplace("personal");
    label.confidentiality = Confidentiality::confidential;
  }
  if (credentials > 0) {
    label.categories.emplace("credentials");
    label.confidentiality = Confidentiality::restricted;
  }
  return label;
}

std::string_view to_string(Confidentiality value) {
  return name_of<Confidentiality>(value, confidentiality_names);
}

std::string_view to_string(Integrity value) {
  return name_of<Integrity>(value, integrity_names);
}

std::string_view to_string(Origin value) {
  return name_of<Origin>(value, origin_names);
}

Result<Confidentiality> parse_confidentiality(std::string_view text) {
  return value_of<Confidentiality>(text, confidentiality_names);
}

Result<Integrity> parse_integrity(std::string_view text) {
  return value_of<Integrity>(text, integrity_names);
}

Result<Origin> parse_origin(std::string_view text) {
  return value_of<Origin>(text, origin_names);
}

void append_json(std::string& out, const Label& label) {
  JsonWriter json(out);
  json.begin_object();
  json.key("confidentiality").string(to_string(label.confidentiality));
  json.key("categories").begin_array();
  for (const std::string& category : label.categories) json.string(category);
  json.end_array();
  json.key("integrity").string(to_string(label.integrity));
  json.key("origin").string(to_string(label.origin));
  json.end_object();
}

}  // namespace gatehouse
