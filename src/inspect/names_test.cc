#include "inspect/names.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <filesystem>

#include "inspect/detector_test_support.h"
#include "inspect/tools/names_data.h"

namespace gatehouse::inspect {
namespace {

const NameDetector& detector() {
  static const auto instance = builtin_name_detector();
  return static_cast<const NameDetector&>(*instance);
}

std::vector<std::string> found(std::string_view text, NameKind kind) {
  std::vector<std::string> out;
  for (const NameSpan& span : detector().spans(text))
    if (span.kind == kind) out.emplace_back(text.substr(span.begin, span.end - span.begin));
  return out;
}
std::vector<std::string> people(std::string_view text) {
  return found(text, NameKind::person);
}
std::vector<std::string> addresses(std::string_view text) {
  return found(text, NameKind::address);
}
using Strings = std::vector<std::string>;

TEST(Names, PeopleInSentences) {
  EXPECT_EQ(people("My name is John Smith and I live in Paris."), Strings{"John Smith"});
  EXPECT_EQ(people("my name is john smith"), Strings{"john smith"});
  EXPECT_EQ(people("Yesterday Priya Sharma called Mr. O'Brien."),
            (Strings{"Priya Sharma", "O'Brien"}));
  EXPECT_EQ(people("Please ask Anne-Marie Dubois about it."), Strings{"Anne-Marie Dubois"});
  EXPECT_EQ(people("I met Jan van der Berg in Utrecht."), Strings{"Jan van der Berg"});
}

TEST(Names, PeopleInMailAndRecords) {
  EXPECT_EQ(people("Dear Fatima,\n\nthank you.\n\nBest regards,\nThomas Müller"),
            (Strings{"Fatima", "Thomas Müller"}));
  EXPECT_EQ(people(R"({"name": "Wei Zhang", "age": 41})"), Strings{"Wei Zhang"});
  EXPECT_EQ(people(R"({"first_name":"Olga","last_name":"Ivanova"})"), (Strings{"Olga", "Ivanova"}));
  EXPECT_EQ(people("Patient: Maria Garcia Lopez\nDate: 2024-01-02"), Strings{"Maria Garcia Lopez"});
}

TEST(Names, Addresses) {
  EXPECT_EQ(addresses("I live at 221B Baker Street, London NW1 6XE."),
            Strings{"221B Baker Street, London NW1 6XE"});
  EXPECT_EQ(addresses("Send it to 1600 Pennsylvania Avenue NW, Washington, DC 20500 please."),
            Strings{"1600 Pennsylvania Avenue NW, Washington, DC 20500"});
  EXPECT_EQ(addresses("Meine Adresse ist Hauptstraße 12, 10115 Berlin."),
            Strings{"Hauptstraße 12, 10115 Berlin"});
  EXPECT_EQ(addresses("Mon adresse est 12 rue de la Paix, 75002 Paris."),
            Strings{"12 rue de la Paix, 75002 Paris"});
  EXPECT_EQ(addresses("ship to P.O. Box 1234, Springfield, IL 62701"),
            Strings{"P.O. Box 1234, Springfield, IL 62701"});
}

// What the model does not know to be the end of one.
TEST(Names, EndsAreCompleted) {
  EXPECT_EQ(people("It was directed by Keith Sandoval Jr. in 2001."), Strings{"Keith Sandoval Jr"});
  EXPECT_EQ(people("I met Vanessa Hope at the fair."), Strings{"Vanessa Hope"});
  EXPECT_EQ(addresses("Meet me at 126 Paturoa Road, Nordheim BY 72721 on Friday."),
            Strings{"126 Paturoa Road, Nordheim BY 72721"});
  EXPECT_EQ(addresses("The office is at 42 Salter Street, Quorn 51890, second floor."),
            Strings{"42 Salter Street, Quorn 51890"});
  EXPECT_EQ(addresses("I moved to 5 Mill Lane in 2019."), Strings{"5 Mill Lane"});
}

TEST(Names, OrdinaryTextHasNone) {
  for (const std::string_view text :
       {"The quick brown fox jumps over the lazy dog.", "Error 404: Page Not Found at line 12",
        "Please open Settings and choose Privacy, then click Save.",
        "const std::size_t size = text.size(); return size + 1;",
        "Usage: tar [OPTION...] [FILE]... see the manual for Version 2.0",
        "my password is x, card 4111 1111 1111 1111, ssn 536904399",
        "What is the name of the variable?", "On Monday we tested Windows, Linux and Docker.",
        "See his book on Refactoring, chapter 3."})
    EXPECT_TRUE(people(text).empty() && addresses(text).empty()) << text;
}

// Numbers beside capitals, hosts, readings of clocks and counters, what programs call things.
TEST(Names, LogsHaveNone) {
  for (
      const std::string_view text :
      {R"(10.2.33.4 - - [27/Nov/2026:18:37:11 +0000] "GET /items/7?page=3 HTTP/1.1" 200 68836 "-" "Mozilla/5.0")",
       R"(203.0.113.9 - - [27/Nov/2026:09:01:02 +0000] "POST /v1/pay HTTP/2" 201 512 "-" "curl/8.5")",
       "11-27 16:13:38.811  1702  2395 D DisplayManagerService: ready=true,policy=3",
       "11-27 16:13:46.146  2227  2227 I StatusBarWindowView: suspend",
       "2026-11-27 20:59:31,510 1372 INFO orders.BlockScanner: Served block 4711 to /10.1.2.3",
       "2026-11-27 00:05:41.352 2931 INFO compute.manager [req-3ea4052c-895d-4b64-acfc] done",
       "[10.30 16:49:08] browser.exe - proxy.corp.example:5070 close, 445 bytes sent, 5174 bytes",
       "Nov 27 18:22:57 build-10-105-162-178 QQ[10018]: report: 0x80039B7",
       "Address change detected. Old: node-41/10.190.173.170:9000 New: node-41:9000",
       "signal 15, code=0, errno=0, address=0x000001b0", "REPORT : 7008 5003 150111 240",
       "kernel: pages 1471315, act 449877, throt 0, cleaned 0", "exit code 7, retry code 45",
       "| code | 20 | 45 | 66 |", "2005.07.15 R36-M0-NE-C:J05-U11 RAS KERNEL INFO"})
    EXPECT_TRUE(people(text).empty() && addresses(text).empty()) << text;
}

// What says so stands in the address, or leads to it.
TEST(Names, AddressesInRecordsAndInSmallLetters) {
  EXPECT_EQ(addresses("ship it to 12 main st, boston"), Strings{"12 main st, boston"});
  EXPECT_EQ(addresses("zip: 90210"), Strings{"90210"});
  EXPECT_EQ(addresses(R"({"level":"INFO","street":"Hauptstraße 12"})"), Strings{"Hauptstraße 12"});
  EXPECT_EQ(addresses("He lives at Sokolská 1475, Hrotovice."),
            Strings{"Sokolská 1475, Hrotovice"});
}

TEST(Names, PlacesOnlyWhereAskedFor) {
  auto model = NameModel::parse(builtin_name_model());
  ASSERT_TRUE(model);
  const NameDetector with(std::move(*model), true);
  EXPECT_EQ(with.rules().size(), 3U);
  EXPECT_EQ(detector().rules().size(), 2U);
  const std::string_view text = "She moved from Paris to Germany.";
  EXPECT_TRUE(find_all(detector(), text).empty());
  EXPECT_EQ(find_all(with, text).size(), 2U);
}

TEST(Names, TheModelIsReadAsItIsWritten) {
  const std::string text(builtin_name_model());
  const auto model = NameModel::parse(text);
  ASSERT_TRUE(model) << model.error().describe();
  EXPECT_EQ(model->serialize(), text);
  EXPECT_FALSE(model->card.empty());
}

TEST(Names, ADamagedModelIsRefused) {
  const std::string text(builtin_name_model());
  EXPECT_FALSE(NameModel::parse(""));
  EXPECT_FALSE(NameModel::parse("gatehouse-names 1" + text.substr(text.find('\n'))));
  EXPECT_FALSE(NameModel::parse("gatehouse-names 2\nend\n"));
  EXPECT_FALSE(NameModel::parse("gatehouse-names 2\nfilter given 99999999999\nend\n"));
  EXPECT_FALSE(NameModel::parse("gatehouse-names 2\nweights first 12\nAAAA\nend\n"));
  EXPECT_FALSE(NameModel::parse("gatehouse-names 2\nthreshold: 1 x 2\nend\n"));
  EXPECT_FALSE(NameModel::parse(std::string_view(text).substr(0, text.size() / 2)));
}

rc::Gen<std::string> any_text() {
  static const std::vector<std::string> pieces = {"my name is ",
                                                  "John",
                                                  " ",
                                                  "Smith",
                                                  ", ",
                                                  "\n",
                                                  "12",
                                                  "Main Street",
                                                  "Berlin",
                                                  "10115",
                                                  "the ",
                                                  "van ",
                                                  "-",
                                                  "'",
                                                  ". ",
                                                  "Mr. ",
                                                  "Dear ",
                                                  "P.O. Box ",
                                                  "Apt. 4",
                                                  "\"name\": \"",
                                                  "\"",
                                                  "Müller",
                                                  "Straße ",
                                                  "\xE2\x80\x99",
                                                  "\xC3",
                                                  "\xE2",
                                                  "\xF0\x9F\x98\x80",
                                                  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                                  "                              ",
                                                  "Иван",
                                                  "x",
                                                  "@",
                                                  "lives at ",
                                                  "Anna Maria "};
  return rc::gen::map(
      rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, pieces.size())),
      [](const std::vector<std::size_t>& which) {
        std::string text;
        for (const std::size_t i : which) text += pieces[i];
        return text;
      });
}

void expect_same(const std::vector<Match>& a, const std::vector<Match>& b) {
  RC_ASSERT(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    RC_ASSERT(a[i].begin == b[i].begin);
    RC_ASSERT(a[i].end == b[i].end);
    RC_ASSERT(a[i].rule == b[i].rule);
  }
}

std::vector<std::pair<std::size_t, std::size_t>> places(const std::vector<Match>& matches) {
  std::vector<std::pair<std::size_t, std::size_t>> out;
  for (const Match& match : matches) out.emplace_back(match.begin, match.end);
  return out;
}

RC_GTEST_PROP(Names, AStreamFindsWhatTheWholeDoes, ()) {
  const std::string text = *any_text();
  const std::size_t step = *rc::gen::inRange<std::size_t>(1, 40);
  expect_same(find_all(detector(), text), testing::find_streamed(detector(), text, step));
}

RC_GTEST_PROP(Names, WhatStandsBehindAWallChangesNothing, ()) {
  const std::string before = *any_text();
  const std::string behind = "the " + *any_text();
  const std::string wall(40, ' ');
  auto apart = find_all(detector(), before);
  for (Match match : find_all(detector(), behind)) {
    match.begin += before.size() + wall.size();
    match.end += before.size() + wall.size();
    apart.push_back(match);
  }
  expect_same(find_all(detector(), before + wall + behind), apart);
}

RC_GTEST_PROP(Names, LongRowsOfNamesAreFoundInAStreamToo, ()) {
  std::string text = "Participants: ";
  const auto count = *rc::gen::inRange(1, 120);
  const std::vector<std::string> names = {"John ",  "Anna ",   "Smith ",
                                          "Maria ", "Müller ", "12 Main Street "};
  for (int i = 0; i < count; ++i) text += *rc::gen::elementOf(names);
  const std::size_t step = *rc::gen::inRange<std::size_t>(1, 200);
  expect_same(find_all(detector(), text), testing::find_streamed(detector(), text, step));
}

RC_GTEST_PROP(Names, TheFrontierNeverGoesBackAndStaysNear, ()) {
  const std::string text = *any_text();
  const auto memory = detector().memory();
  const auto reader = detector().reader(memory.get());
  std::size_t last = 0;
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::size_t at = reader->frontier(std::string_view(text).substr(0, size), 0, 0);
    RC_ASSERT(at >= last);
    RC_ASSERT(at <= size);
    RC_ASSERT(size - at <= 2048U);
    last = at;
  }
}

// Where the detector is after a text that goes on.
std::size_t frontier(std::string_view text) {
  const auto memory = detector().memory();
  return detector().reader(memory.get())->frontier(text, 0, 0);
}

TEST(Names, OrdinaryProseIsHardlyHeldBack) {
  std::string text;
  for (int i = 0; i < 20; ++i)
    text += "the reports move slowly because nobody asked for an index, ";
  EXPECT_LE(text.size() - frontier(text), 40U);
}

// A stream may end a step within a wall, again and again.
TEST(Names, StreamsGoOnBehindWalls) {
  const std::string name = "my name is John Smith. ";
  for (const std::string& wall :
       {std::string(200, ' '), std::string(200, ' ') + "x", std::string(199, ' ') + "\n\n",
        std::string(200, 'x'), std::string(200, 'x') + "\u3001 ",
        std::string(70, ' ') + std::string(70, 'x') + std::string(70, ' '),
        std::string(30, ' ') + "John" + std::string(30, ' ') + "Smith",
        std::string(40, '\xFF') + "L&L'L\xF3", "\xCE" + std::string(90, '\xA5') + "\xCE\xCC",
        std::string(32, 'x') + "\xE3", std::string(32, 'x') + "\xE3\x80"}) {
    const std::string text = name + wall + name + wall + "Dear Anna Maria, " + wall;
    const auto whole = find_all(detector(), text);
    EXPECT_GE(whole.size(), 2U);
    for (std::size_t step = 1; step < text.size(); step += 1 + step / 40)
      EXPECT_EQ(places(testing::find_streamed(detector(), text, step)), places(whole)) << step;
  }
}

TEST(Names, LongBlanksAndWordsAreNotHeldBack) {
  const std::string blanks = "Dear John" + std::string(100'000, ' ');
  EXPECT_EQ(frontier(blanks), blanks.size());
  const std::string word = "Dear " + std::string(100'000, 'x');
  EXPECT_LE(word.size() - frontier(word), 4096U);
}

// So many different words that each one pushes others out.
TEST(Names, WhatIsRememberedOfWordsIsRight) {
  const auto model = NameModel::parse(builtin_name_model());
  ASSERT_TRUE(model);
  const NameTagger tagger(*model);
  WordMemory memory;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 9'000; ++i) {
      const std::string word =
          (i % 3 == 0 ? "Anna" : "x") + std::to_string(i * 7919) + (i % 5 == 0 ? "ABCDEFGHIJ" : "");
      const std::string text = "a " + word + (i % 2 == 0 ? "" : " and a lot more text behind it");
      const auto make = [&] { return tagger.describe(word); };
      const WordFacts& facts = memory.find(text, 2, 2 + word.size(), make);
      const WordFacts wanted = make();
      ASSERT_EQ(facts.hash, wanted.hash) << word;
      ASSERT_EQ(facts.traits(), wanted.traits()) << word;
      ASSERT_EQ(facts.flags, wanted.flags) << word;
    }
  }
}

// F1 over people and addresses together; labels in pieces are united as tools/names_data.h says.
double f1(const std::vector<LabelledText>& rows, bool exact) {
  double right = 0;
  double spans = 0;
  double recalled = 0;
  double labels = 0;
  for (const LabelledText& row : rows) {
    const auto all = detector().spans(row.text);
    const auto matches = [&](const NameLabel& label, const NameSpan& span) {
      if (label.kind != span.kind) return false;
      return exact ? label.begin == span.begin && label.end == span.end
                   : label.begin < span.end && span.begin < label.end;
    };
    for (const NameSpan& span : all) {
      if (span.kind == NameKind::location) continue;
      ++spans;
      right +=
          std::ranges::any_of(row.united, [&](const auto& label) { return matches(label, span); });
    }
    for (const NameLabel& label : row.united) {
      if (label.kind == NameKind::location) continue;
      ++labels;
      recalled += std::ranges::any_of(all, [&](const auto& span) { return matches(label, span); });
    }
  }
  const double precision = right / spans;
  const double recall = recalled / labels;
  return 2 * precision * recall / (precision + recall);
}

TEST(Names, DevelopmentDataIsFound) {
  const std::string path =
      GATEHOUSE_SOURCE_DIR "/../shared/data/personal/synthetic_sentences.jsonl";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no development data at " << path;
  const auto rows = read_labelled(path + ":test");
  ASSERT_TRUE(rows) << rows.error().describe();
  EXPECT_GT(rows->size(), 300U);
  EXPECT_GE(f1(*rows, true), 0.75);
  EXPECT_GE(f1(*rows, false), 0.85);
}

}  // namespace
}  // namespace gatehouse::inspect
