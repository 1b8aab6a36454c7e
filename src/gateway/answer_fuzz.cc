// Answers of every dialect, whole and streamed: never a crash, and a stream cut anywhere gives the
// same bytes as the stream in one piece. The first two bytes choose where to cut.
#include <cstdint>

#include "gateway/dialect.h"

using namespace gatehouse;
using namespace gatehouse::gateway;

namespace {

// Made once, before the first input: compiling the rules takes seconds here.
inspect::Scanner& scanner() {
  static inspect::Scanner made = [] {
    const auto rules = inspect::RuleSet::builtin();
    GH_CHECK(rules);
    return inspect::Scanner(*rules);
  }();
  return made;
}

struct Fixture {
  Fixture() {
    placeholders.placeholder_for("EMAIL", "ada@example.org");
    placeholders.placeholder_for("NAME", "A \"quoted\" \\ name\n");
  }
  AnswerPlan plan() {
    AnswerPlan plan;
    plan.walker = &walker;
    plan.scanner = &scanner();
    plan.filter.redact.set();
    plan.filter.restore = true;
    plan.filter.placeholders = &placeholders;
    plan.filter.masks = &masks;
    plan.max_event_bytes = 64 << 10;
    return plan;
  }
  JsonWalker walker;
  inspect::Placeholders placeholders;
  inspect::Placeholders masks;
};

struct Outcome {
  std::string out;
  bool ok = true;
};

Outcome stream(const Dialect& dialect, Fixture& fixture,
               std::initializer_list<std::string_view> pieces) {
  auto screen = dialect.open_stream(fixture.plan());
  Outcome outcome;
  for (const auto piece : pieces)
    outcome.ok = outcome.ok && screen->feed(piece, outcome.out).has_value();
  outcome.ok = outcome.ok && screen->finish(outcome.out).has_value();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  (void)scanner();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t cut = (data[0] | (data[1] << 8)) % (size - 1);
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  for (const Dialect* dialect : {&openai_dialect(), &responses_dialect(), &anthropic_dialect()}) {
    Fixture one;
    const auto whole = stream(*dialect, one, {text});
    Fixture two;
    const auto parts =
        stream(*dialect, two, {text.substr(0, cut), text.substr(std::min(cut, text.size()))});
    GH_CHECK(whole.ok == parts.ok);
    GH_CHECK(whole.out == parts.out);
    Fixture three;
    std::string body(text);
    AnswerFacts facts;
    (void)dialect->screen(three.plan(), body, facts);
  }
  return 0;
}
