#include "export/config.h"

#include <gtest/gtest.h>

namespace gatehouse::exporter {
namespace {

Result<Config> read(const std::string& yaml) {
  const auto node = ConfigNode::parse(yaml, "gatehouse.yaml").value();
  return read_config(node, "/etc/gatehouse");
}

std::string problem(const std::string& yaml) {
  const auto config = read(yaml);
  return config ? "accepted" : config.error().describe();
}

bool mentions(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(ExportConfig, HasDefaults) {
  const auto config = read("{name: siem, url: 'https://siem.example.org/in'}").value();
  EXPECT_EQ(config.type, Type::ocsf_http);
  EXPECT_EQ(config.scheme, "Bearer");
  EXPECT_EQ(config.from, From::start);
  EXPECT_EQ(config.batch, 500u);
  EXPECT_TRUE(config.endpoint.tls);
  EXPECT_EQ(config.endpoint.base_path, "/in");
}

TEST(ExportConfig, ASyslogReceiverIsAnAddress) {
  const auto tls = read("{name: s, type: cef-syslog, url: 'tls://[::1]:6514', ca: ca.pem}").value();
  EXPECT_TRUE(tls.endpoint.tls);
  EXPECT_EQ(tls.endpoint.host, "::1");
  EXPECT_EQ(tls.endpoint.port, 6514);
  EXPECT_EQ(tls.ca, "/etc/gatehouse/ca.pem");
  EXPECT_FALSE(read("{name: s, type: cef-syslog, url: 'tcp://h:514'}")->endpoint.tls);
  for (const char* url : {"udp://h:514", "tcp://h", "tcp://[::1]", "https://h:6514",
                          "tls://h:6514/x", "tls://h:0", "tls://u@h:1"})
    EXPECT_TRUE(
        mentions(problem(std::string("{name: s, type: cef-syslog, url: '") + url + "'}"), "url"))
        << url;
}

TEST(ExportConfig, ANameIsAFileName) {
  for (const char* name : {"../x", "A", "a b", "a.b", "''"})
    EXPECT_TRUE(mentions(problem(std::string("{url: 'http://h', name: ") + name + "}"), "name"))
        << name;
}

TEST(ExportConfig, WhatDoesNotBelongToTheTypeIsRefused) {
  EXPECT_TRUE(mentions(problem("{name: f, type: ocsf-file, path: p, url: 'http://h'}"), "url"));
  EXPECT_TRUE(mentions(problem("{name: h, url: 'http://h', path: p}"), "path"));
  EXPECT_TRUE(mentions(problem("{name: f, type: ocsf-file}"), "path"));
  EXPECT_TRUE(mentions(problem("{name: h, type: otlp-logs, url: 'tcp://h:1'}"), "http"));
  EXPECT_TRUE(mentions(problem("{name: h, url: 'unix:/x'}"), "http"));
  EXPECT_TRUE(mentions(problem("{name: h, type: kafka, url: 'http://h'}"), "type"));
}

TEST(ExportConfig, ACredentialCannotBreakOutOfItsHeader) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the test has one thread.
  ASSERT_EQ(::setenv("GATEHOUSE_TEST_TOKEN", "a\r\nX: y", 1), 0);
  EXPECT_TRUE(mentions(
      problem("{name: h, url: 'http://h', credential: {env: GATEHOUSE_TEST_TOKEN}}"), "printable"));
  EXPECT_TRUE(mentions(problem("{name: h, url: 'http://h', scheme: 'a b'}"), "scheme"));
}

}  // namespace
}  // namespace gatehouse::exporter
