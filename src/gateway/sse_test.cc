#include "gateway/sse.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <vector>

namespace gatehouse::gateway {
namespace {

struct Read {
  std::vector<SseEvent> events;
  bool failed = false;
};

Read read_all(const std::vector<std::string>& pieces, std::size_t limit = 1 << 20) {
  SseFramer framer(limit);
  Read read;
  for (const auto& piece : pieces) {
    framer.feed(piece);
    while (true) {
      auto event = framer.next();
      if (!event) read.failed = true;
      if (!event || !*event) break;
      read.events.push_back(**event);
    }
    if (read.failed) return read;
  }
  if (auto rest = framer.rest()) read.events.push_back(*rest);
  return read;
}

TEST(SseFramer, ReadsNameDataAndRaw) {
  const auto read = read_all({"event: ping\ndata: {\"a\":1}\n\n"});
  ASSERT_EQ(read.events.size(), 1u);
  EXPECT_EQ(read.events[0].name, "ping");
  EXPECT_EQ(read.events[0].data, "{\"a\":1}");
  EXPECT_EQ(read.events[0].raw, "event: ping\ndata: {\"a\":1}\n\n");
}

TEST(SseFramer, TakesAllLineEndings) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const auto read = read_all({"event:x" + end + "data:1" + end + end + "data: 2" + end + end});
    ASSERT_EQ(read.events.size(), 2u) << testing::PrintToString(end);
    EXPECT_EQ(read.events[0].name, "x");
    EXPECT_EQ(read.events[0].data, "1");
    EXPECT_EQ(read.events[1].data, "2");
  }
}

TEST(SseFramer, JoinsDataLines) {
  EXPECT_EQ(read_all({"data: a\ndata: b\ndata\n\n"}).events.at(0).data, "a\nb\n");
}

TEST(SseFramer, CommentIsAnEventWithoutData) {
  const auto read = read_all({": keep-alive\n\ndata: 1\n\n"});
  ASSERT_EQ(read.events.size(), 2u);
  EXPECT_FALSE(read.events[0].has_data);
  EXPECT_EQ(read.events[0].raw, ": keep-alive\n\n");
}

TEST(SseFramer, GivesWhatStandsAtTheEnd) {
  const auto read = read_all({"data: 1\n\ndata: 2"});
  ASSERT_EQ(read.events.size(), 2u);
  EXPECT_EQ(read.events[1].data, "2");
}

TEST(SseFramer, RefusesAnEventOverTheLimitHoweverItIsCut) {
  const std::string large = "data: " + std::string(100, 'x') + "\n\n";
  const std::string small = "data: 1\n\n";
  EXPECT_TRUE(read_all({small + large}, 64).failed);
  EXPECT_TRUE(read_all({small, large.substr(0, 50), large.substr(50)}, 64).failed);
  EXPECT_FALSE(
      read_all({small + small + small + small + small + small + small + small}, 64).failed);
}

TEST(SseFramer, DropsOneByteOrderMarkAtTheBeginning) {
  const std::string mark = "\xef\xbb\xbf";
  const std::vector<std::vector<std::string>> streams{
      {mark + "data: 1\n\n"},
      {mark.substr(0, 1), mark.substr(1, 1), mark.substr(2) + "data: 1\n\n"}};
  for (const auto& pieces : streams) {
    const auto read = read_all(pieces);
    ASSERT_EQ(read.events.size(), 1u);
    EXPECT_EQ(read.events[0].data, "1");
    EXPECT_EQ(read.events[0].raw, "data: 1\n\n");
  }
  EXPECT_TRUE(read_all({mark + mark + "data: 1\n\n"}).events.at(0).has_unknown);
  EXPECT_TRUE(read_all({"data: 1\n\n" + mark + "data: 2\n\n"}).events.at(1).has_unknown);
}

TEST(SseFramer, SaysWhichEventsHaveUnknownFields) {
  EXPECT_FALSE(read_all({"id: 1\nretry: 2\nevent: x\n: c\ndata: 1\n\n"}).events.at(0).has_unknown);
  EXPECT_TRUE(read_all({"data: 1\nDATA: 2\n\n"}).events.at(0).has_unknown);
  EXPECT_TRUE(read_all({"anything\n\n"}).events.at(0).has_unknown);
}

TEST(SseFramer, EveryCutGivesTheSameEvents) {
  EXPECT_TRUE(rc::check("cutting does not matter", [] {
    const auto text = *rc::gen::container<std::string>(
        rc::gen::element('\r', '\n', ':', ' ', 'd', 'a', 't', 'e', '{', '1'));
    const std::string stream = "data: 1\r\n\r\n" + text + "\n\ndata: 2\n\n";
    const auto cuts =
        *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 5));
    std::vector<std::string> pieces;
    std::size_t at = 0;
    for (const auto size : cuts) {
      if (at >= stream.size()) break;
      pieces.push_back(stream.substr(at, size));
      at += size;
    }
    if (at < stream.size()) pieces.push_back(stream.substr(at));
    const auto whole = read_all({stream});
    const auto parts = read_all(pieces);
    RC_ASSERT(parts.events.size() == whole.events.size());
    std::string raw;
    for (std::size_t each = 0; each < whole.events.size(); ++each) {
      RC_ASSERT(parts.events[each].raw == whole.events[each].raw);
      RC_ASSERT(parts.events[each].data == whole.events[each].data);
      raw += whole.events[each].raw;
    }
    RC_ASSERT(raw.starts_with(stream));  // rest() may add a blank line, nothing is lost
  }));
}

TEST(AppendEvent, SplitsDataAtNewlines) {
  std::string out;
  append_event(out, "x", "a\nb");
  EXPECT_EQ(out, "event: x\ndata: a\ndata: b\n\n");
}

}  // namespace
}  // namespace gatehouse::gateway
