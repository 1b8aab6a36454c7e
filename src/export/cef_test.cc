#include "export/cef.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "export/facts.h"
#include "export/test_events.h"

namespace gatehouse::exporter {
namespace {

using namespace testing;

std::string header(std::string_view text) {
  std::string out;
  append_cef_header(out, text);
  return out;
}

std::string value(std::string_view text) {
  std::string out;
  append_cef_value(out, text);
  return out;
}

bool has(const std::string& message, const std::string& pair) {
  return (message + ' ').find(' ' + pair + ' ') != std::string::npos ||
         (message + ' ').find('|' + pair + ' ') != std::string::npos;
}

TEST(Cef, TheHeaderEscapesBackslashAndPipe) {
  EXPECT_EQ(header("a|b\\c=d"), "a\\|b\\\\c=d");
  EXPECT_EQ(header("a\r\nb\x01"), "a  b ");
}

TEST(Cef, AValueEscapesBackslashAndEquals) {
  EXPECT_EQ(value("a|b\\c=d"), "a|b\\\\c\\=d");
  EXPECT_EQ(value("a\r\nb\nc\rd\te"), "a\\nb\\nc\\nd e");
}

TEST(Cef, AMessageHasTheFieldsOfTheDictionary) {
  const std::string message = cef_message(decided({{"effect", "forbid"},
                                                   {"problem", "blocked"},
                                                   {"status", 403},
                                                   {"policies", {"no-secrets"}},
                                                   {"purpose", "a=b"},
                                                   {"content", {{"bytes", 12}}},
                                                   {"findings", two_findings()}}),
                                          source);
  EXPECT_TRUE(message.starts_with(
      "CEF:0|Gatehouse|Gatehouse|1.2.3|request.decided|A call by user ada to model gpt was "
      "forbidden|6|rt=1795455830123 externalId=0193a000-0000-7000-8000-0000000000aa dvchost=gw-1 "))
      << message;
  for (const char* pair : {"cat=request.decided",
                           "src=203.0.113.7",
                           "spt=51234",
                           "suser=ada",
                           "suid=gh_abc",
                           "spriv=user",
                           "act=forbid",
                           "outcome=failure",
                           "reason=blocked",
                           "in=12",
                           "app=openai",
                           "request=chat.completions",
                           "requestContext=a\\=b",
                           "cs1Label=Subject",
                           "cs1=gpt",
                           "cs2Label=Provider",
                           "cs2=sim",
                           "cs3Label=Policies",
                           "cs3=no-secrets",
                           "cs4Label=Findings",
                           "cs4=aws-key, email",
                           "cs6Label=Snapshot",
                           "cs6=sha256:ab",
                           "cn1Label=Ledger Index",
                           "cn1=5",
                           "cn2Label=HTTP Status",
                           "cn2=403"})
    EXPECT_TRUE(has(message, pair)) << pair << "\n" << message;
}

TEST(Cef, AnIpv6CallerHasAFieldOfItsOwn) {
  const std::string message = cef_message(
      event({{"type", "message.refused"}, {"actor", {{"peer", "[2001:db8::1]:443"}}}}), source);
  EXPECT_TRUE(has(message, "c6a2=2001:db8::1")) << message;
  EXPECT_TRUE(has(message, "spt=443"));
  EXPECT_EQ(message.find(" src="), std::string::npos);
}

TEST(Cef, ValuesAreCutAtTheDictionarysLengths) {
  const std::string long_text(5'000, 'x');
  const std::string message =
      cef_message(event({{"type", "request.refused"}, {"data", {{"problem", long_text}}}}), source);
  EXPECT_TRUE(has(message, "reason=" + std::string(1'023, 'x')));
}

// What a reader sees that undoes the escaping.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      out += text[at];
    } else {
      const char next = text[++at];
      out += next == 'n' ? '\n' : next;
    }
  }
  return out;
}

RC_GTEST_PROP(Cef, AValueComesBackAsItWas, (const std::string& text)) {
  std::string plain;
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) plain += c;
  RC_ASSERT(unescaped(value(plain)) == plain);
}

// Headers have six fields before the extension, whatever is in a type.
RC_GTEST_PROP(Cef, AMessageIsOneLineAndItsHeaderHasSevenPipes, (const std::string& text)) {
  Record record = decided();
  record.type = text;
  record.actor["id"] = text;
  record.data["reason"] = text;
  const std::string message = cef_message(record, source);
  RC_ASSERT(message.find('\n') == std::string::npos);
  RC_ASSERT(message.find('\r') == std::string::npos);
  const std::string head = message.substr(0, message.find("rt=1795455830123"));
  int pipes = 0;
  for (std::size_t at = 0; at < head.size(); ++at) {
    if (head[at] == '\\') {
      ++at;
    } else if (head[at] == '|') {
      ++pipes;
    }
  }
  RC_ASSERT(pipes == 7);
}

TEST(Peer, OnlyNetworkAddressesAreAddresses) {
  EXPECT_EQ(parse_peer("203.0.113.7:51234").ip, "203.0.113.7");
  EXPECT_EQ(parse_peer("[::1]:1").ip, "::1");
  for (const char* text : {"", "unix", "host:1", "1.2.3.4", "1.2.3.4:99999", "1.2.3.4:", ":1"})
    EXPECT_TRUE(parse_peer(text).ip.empty()) << text;
}

}  // namespace
}  // namespace gatehouse::exporter
