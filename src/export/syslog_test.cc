#include "export/syslog.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace gatehouse::exporter {
namespace {

const WallTime at = parse_time("2026-11-23T17:43:50.123456Z").value();

TEST(Syslog, AMessageHasTheHeaderOfRfc5424) {
  EXPECT_EQ(syslog_message({Grade::info, at, "gw-1", "request.decided"}, "CEF:0|x"),
            "<110>1 2026-11-23T17:43:50.123456Z gw-1 gatehouse - request.decided - CEF:0|x");
  EXPECT_EQ(syslog_message({Grade::critical, at, "", ""}, "x"),
            "<106>1 2026-11-23T17:43:50.123456Z - gatehouse - - - x");
}

TEST(Syslog, HeaderFieldsArePrintableAndShort) {
  const std::string long_id(100, 'm');
  EXPECT_EQ(
      syslog_message({Grade::low, at, "a b\n\xc3\xa4", long_id}, "x"),
      "<109>1 2026-11-23T17:43:50.123456Z a_b___ gatehouse - " + std::string(32, 'm') + " - x");
}

TEST(Syslog, AFrameIsLengthSpaceMessage) {
  std::string out;
  append_octet_frame(out, "\xc3\xa4 x");
  EXPECT_EQ(out, "4 \xc3\xa4 x");
}

TEST(Syslog, WhatIsNoWholeFrameIsNotTaken) {
  for (const char* text : {"", "3", "3 ab", " 3 abc", "x abc", "03 abc", "-3 abc", "99999999999 a",
                           "18446744073709551615 a"}) {
    std::string_view bytes(text);
    EXPECT_FALSE(take_octet_frame(bytes)) << text;
    EXPECT_EQ(bytes, text);
  }
}

RC_GTEST_PROP(Syslog, FramesComeBackAsTheyWere, (const std::vector<std::string>& messages)) {
  std::string stream;
  for (const auto& message : messages)
    if (!message.empty()) append_octet_frame(stream, message);
  std::string_view bytes(stream);
  for (const auto& message : messages) {
    if (message.empty()) continue;
    const auto taken = take_octet_frame(bytes);
    RC_ASSERT(taken == std::string_view(message));
  }
  RC_ASSERT(bytes.empty());
}

// A stream that ends anywhere gives the frames that are whole and nothing else.
RC_GTEST_PROP(Syslog, ACutStreamGivesWholeFramesOnly, (const std::vector<std::string>& messages)) {
  std::string stream;
  std::vector<std::string> sent;
  for (const auto& message : messages) {
    if (message.empty()) continue;
    sent.push_back(message);
    append_octet_frame(stream, message);
  }
  const auto cut = *rc::gen::inRange<std::size_t>(0, stream.size() + 1);
  std::string_view bytes = std::string_view(stream).substr(0, cut);
  std::size_t count = 0;
  while (const auto taken = take_octet_frame(bytes)) {
    RC_ASSERT(count < sent.size());
    RC_ASSERT(*taken == sent[count++]);
  }
}

}  // namespace
}  // namespace gatehouse::exporter
