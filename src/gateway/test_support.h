// What the tests of this room share: screening a recorded stream, cut in any way.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/dialect.h"
#include "inspect/inspect.h"

namespace gatehouse::gateway::testing {

inline std::shared_ptr<const inspect::RuleSet> builtin_rules() {
  static const auto rules = [] {
    auto loaded = inspect::RuleSet::builtin();
    GH_CHECK(loaded);
    return *loaded;
  }();
  return rules;
}

inline inspect::Categories only(inspect::Category category) {
  inspect::Categories categories;
  categories.set(static_cast<std::size_t>(category));
  return categories;
}

// The placeholders of a conversation in which these values were replaced.
inline inspect::Placeholders known_placeholders() {
  inspect::Placeholders placeholders;
  placeholders.placeholder_for("EMAIL", "ada@example.org");
  placeholders.placeholder_for("PHONE", "+49 30 901820");
  placeholders.placeholder_for("IBAN", "DE89 3704 0044 0532 0130 00");
  placeholders.placeholder_for("NAME", "Ada \"the first\" \\ Löwe\n");
  return placeholders;
}

// Everything one screening needs, with its own scanner.
struct Bench {
  JsonWalker walker;
  inspect::Scanner scanner{builtin_rules()};
  inspect::Placeholders placeholders = known_placeholders();
  inspect::Placeholders masks;

  AnswerPlan plan() {
    masks = {};
    masks.avoid(placeholders);
    AnswerPlan answer;
    answer.walker = &walker;
    answer.scanner = &scanner;
    answer.filter.redact = only(inspect::Category::credentials);
    answer.filter.restore = true;
    answer.filter.placeholders = &placeholders;
    answer.filter.masks = &masks;
    return answer;
  }
};

struct Screened {
  std::string out;
  AnswerFacts facts;
  bool complete = false;
  bool failed = false;
};

// A credential that the rules find, put together here so that it stands in no file.
inline std::string secret() {
  return std::string("AKIA") + "IOSFODNN7" + "QWERTYU";
}

// Feeds `stream` in the given pieces.
inline Screened screen_pieces(const Dialect& dialect, const AnswerPlan& plan,
                              const std::vector<std::string_view>& pieces) {
  auto stream = dialect.open_stream(plan);
  Screened screened;
  for (const auto piece : pieces) {
    if (!stream->feed(piece, screened.out)) screened.failed = true;
    if (screened.failed) break;
  }
  if (!screened.failed && !stream->finish(screened.out)) screened.failed = true;
  screened.facts = stream->facts();
  screened.complete = stream->complete();
  return screened;
}

inline Screened screen_whole(const Dialect& dialect, const AnswerPlan& plan,
                             std::string_view stream) {
  return screen_pieces(dialect, plan, {stream});
}

// The whole stream, cut into two at every byte, and into single bytes, gives the same bytes.
inline void expect_same_for_every_cut(const Dialect& dialect, Bench& bench,
                                      std::string_view stream) {
  const auto whole = screen_whole(dialect, bench.plan(), stream);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    const auto parts =
        screen_pieces(dialect, bench.plan(), {stream.substr(0, cut), stream.substr(cut)});
    ASSERT_EQ(parts.out, whole.out) << "cut at byte " << cut;
    ASSERT_EQ(parts.failed, whole.failed) << "cut at byte " << cut;
  }
  std::vector<std::string_view> bytes;
  for (std::size_t at = 0; at < stream.size(); ++at) bytes.push_back(stream.substr(at, 1));
  ASSERT_EQ(screen_pieces(dialect, bench.plan(), bytes).out, whole.out) << "byte by byte";
}

}  // namespace gatehouse::gateway::testing
