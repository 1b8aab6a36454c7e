// One exporter with a real ledger: to a file, and to a receiver that does what the test says.
#include "export/exporter.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "base/text.h"
#include "ledger/test_log.h"
#include "net/server.h"

namespace gatehouse::exporter {
namespace {

using namespace std::chrono_literals;
using ledger::TemporaryDirectory;

bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds limit = 20s) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

std::string entry_number(std::uint64_t number) {
  return R"({"id":"entry-)" + std::to_string(number) +
         R"(","time":"2026-11-23T17:43:50.123456Z","type":"something.new","node":"gw-1"})";
}

// POSTs of lines; refuses or fails as told, keeps the ids of what it took.
class Receiver {
 public:
  Receiver() {
    net::ListenAddress address;
    address.host = "127.0.0.1";
    server_ =
        std::make_unique<net::Server>(loop_, address, net::ServerLimits{},
                                      [this](net::ServerStream& client) { return answer(client); });
    EXPECT_TRUE(server_->listen());
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Receiver() {
    loop_.stop();
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()) + "/"; }
  std::vector<std::string> ids() const {
    const std::lock_guard lock(mutex_);
    return ids_;
  }
  int requests() const { return requests_; }

  // By the body: the status of the answer.
  std::function<int(const std::string&)> status = [](const std::string&) { return 200; };

 private:
  net::Task<void> answer(net::ServerStream& client) {
    auto body = co_await client.read_body(16u << 20);
    ++requests_;
    net::ResponseHead head;
    head.status = body ? status(*body) : 400;
    if (body && head.status == 200) take(*body);
    (void)co_await client.respond(std::move(head), std::string());
  }
  void take(const std::string& body) {
    const std::lock_guard lock(mutex_);
    for (const auto line : split(body, '\n'))
      if (!line.empty()) ids_.push_back(Json::parse(line)["metadata"]["uid"]);
  }

  net::Loop loop_;
  std::unique_ptr<net::Server> server_;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::vector<std::string> ids_;
  std::atomic<int> requests_ = 0;
};

class ExporterTest : public ::testing::Test {
 protected:
  ExporterTest() {
    std::filesystem::create_directories(ledger_path());
    ledger_ =
        ledger::Ledger::open(ledger::options_in(ledger_path()), ledger::test_key(), clock_).value();
    log_ = Log{ledger_path(), directory_.path(), ledger_->origin(),
               [this] { return ledger_->stats().size; }};
  }
  std::filesystem::path ledger_path() const { return directory_.path() / "ledger"; }

  void append(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i)
      ASSERT_TRUE(ledger_->append_and_wait(entry_number(written_++)));
  }
  Config http(const Receiver& receiver) const {
    Config config;
    config.name = "siem";
    config.url = receiver.url();
    config.endpoint = net::Endpoint::parse(config.url).value();
    config.retry_max = 100ms;
    return config;
  }
  std::unique_ptr<Exporter> start(Config config) {
    auto exporter = std::make_unique<Exporter>(std::move(config), log_, clock_, random_);
    exporter->start();
    return exporter;
  }
  static std::vector<std::string> ids(std::uint64_t from, std::uint64_t to) {
    std::vector<std::string> all;
    for (; from < to; ++from) all.push_back("entry-" + std::to_string(from));
    return all;
  }

  TemporaryDirectory directory_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<ledger::Ledger> ledger_;
  Log log_;
  std::uint64_t written_ = 0;
};

TEST_F(ExporterTest, SendsEverythingInOrderAndRemembers) {
  Receiver receiver;
  append(700);
  auto exporter = start(http(receiver));
  ASSERT_TRUE(wait_until([&] { return exporter->status().backlog == 0; }));
  append(3);
  ASSERT_TRUE(wait_until([&] { return exporter->status().position == 703; }));
  exporter->stop(3s);
  EXPECT_EQ(receiver.ids(), ids(0, 703));
  const auto position = load_position(position_file(directory_.path(), "siem")).value();
  EXPECT_EQ(position.value_or(Position{}).next, 703u);
  append(2);
  exporter = start(http(receiver));
  ASSERT_TRUE(wait_until([&] { return exporter->status().position == 705; }));
  EXPECT_EQ(receiver.ids(), ids(0, 705));
}

TEST_F(ExporterTest, OnlyWhatIsDurableIsSent) {
  Receiver receiver;
  append(10);
  log_.durable = [] { return 4; };
  auto exporter = start(http(receiver));
  ASSERT_TRUE(wait_until([&] { return exporter->status().position == 4; }));
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(receiver.ids(), ids(0, 4));
}

TEST_F(ExporterTest, WhatWasReadBeforeAnErrorIsDelivered) {
  Receiver receiver;
  append(600);
  const auto bundle = ledger_path() / "tile" / "entries" / "001";
  ASSERT_TRUE(ledger_->checkpoint_now());
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(bundle); }));
  const auto whole = read_file(bundle).value();
  ASSERT_TRUE(write_file_atomically(bundle, whole.substr(0, whole.size() - 1)));
  Config config = http(receiver);
  config.batch = 1'000;
  auto exporter = start(config);
  ASSERT_TRUE(wait_until([&] { return exporter->status().errors > 2; }));
  EXPECT_EQ(exporter->status().position, 256u);
  EXPECT_EQ(receiver.ids(), ids(0, 256));
  ASSERT_TRUE(write_file_atomically(bundle, whole));
  ASSERT_TRUE(wait_until([&] { return exporter->status().position == 600; }));
  EXPECT_EQ(receiver.ids(), ids(0, 600));
}

TEST_F(ExporterTest, AStopSendsWhatIsThere) {
  Receiver receiver;
  auto exporter = start(http(receiver));
  append(20);
  exporter->stop(3s);
  EXPECT_EQ(receiver.ids(), ids(0, 20));
}

TEST_F(ExporterTest, ARefusedEntryIsFoundAndPassedOverAfterThreeTries) {
  Receiver receiver;
  std::atomic<int> alone = 0;
  receiver.status = [&](const std::string& body) {
    if (body.find("\"entry-37\"") == std::string::npos) return 200;
    alone += split(body, '\n').size() == 2 ? 1 : 0;
    return 422;
  };
  append(100);
  auto exporter = start(http(receiver));
  ASSERT_TRUE(wait_until([&] { return exporter->status().backlog == 0; }));
  auto expected = ids(0, 100);
  expected.erase(expected.begin() + 37);
  EXPECT_EQ(receiver.ids(), expected);
  EXPECT_EQ(alone, 3);
  EXPECT_EQ(exporter->status().skipped, 1u);
  EXPECT_NE(exporter->status().last_error.find("422"), std::string::npos);
}

TEST_F(ExporterTest, AReceiverThatRefusesEverythingIsWaitedFor) {
  Receiver receiver;
  std::atomic<bool> refusing = true;
  receiver.status = [&](const std::string&) { return refusing ? 400 : 200; };
  append(30);
  auto exporter = start(http(receiver));
  ASSERT_TRUE(wait_until([&] { return exporter->status().skipped == 10; }, 60s));
  std::this_thread::sleep_for(1s);
  EXPECT_EQ(exporter->status().skipped, 10u);
  refusing = false;
  ASSERT_TRUE(wait_until([&] { return exporter->status().backlog == 0; }));
  EXPECT_EQ(receiver.ids(), ids(10, 30));
}

TEST_F(ExporterTest, ACredentialThatIsWrongSkipsNothing) {
  Receiver receiver;
  std::atomic<int> status = 401;
  receiver.status = [&](const std::string&) { return status.load(); };
  append(5);
  auto exporter = start(http(receiver));
  ASSERT_TRUE(wait_until([&] { return exporter->status().errors > 5; }));
  EXPECT_EQ(exporter->status().skipped, 0u);
  EXPECT_EQ(exporter->status().state, "retrying");
  EXPECT_GT(exporter->status().oldest_unsent_age, 0.0);
  status = 200;
  ASSERT_TRUE(wait_until([&] { return exporter->status().backlog == 0; }));
  EXPECT_EQ(receiver.ids(), ids(0, 5));
}

TEST_F(ExporterTest, AnotherLogHaltsIt) {
  Receiver receiver;
  append(5);
  const auto file = position_file(directory_.path(), "siem");
  ASSERT_TRUE(save_position(file, {log_.origin, 3, 3, std::string(64, 'a')}));
  auto exporter = start(http(receiver));
  ASSERT_TRUE(wait_until([&] { return exporter->status().state == "halted"; }));
  EXPECT_NE(exporter->status().last_error.find("another log"), std::string::npos);
  exporter->stop(0s);
  ASSERT_TRUE(save_position(file, {log_.origin, 9, 9, std::string(64, 'a')}));
  exporter = start(http(receiver));
  ASSERT_TRUE(wait_until([&] { return exporter->status().state == "halted"; }));
  EXPECT_NE(exporter->status().last_error.find("only 5"), std::string::npos);
  EXPECT_TRUE(receiver.ids().empty());
}

TEST_F(ExporterTest, APositionThatCannotBeReadHaltsIt) {
  Receiver receiver;
  const auto file = position_file(directory_.path(), "siem");
  std::filesystem::create_directories(file.parent_path());
  ASSERT_TRUE(write_file_atomically(file, "nonsense\n"));
  auto exporter = start(http(receiver));
  ASSERT_TRUE(wait_until([&] { return exporter->status().state == "halted"; }));
  EXPECT_NE(exporter->status().last_error.find("siem.position"), std::string::npos);
}

TEST_F(ExporterTest, FromNowBeginsWithWhatComes) {
  Receiver receiver;
  append(5);
  Config config = http(receiver);
  config.from = From::now;
  auto exporter = start(config);
  ASSERT_TRUE(wait_until([&] { return exporter->status().position == 5; }));
  append(2);
  ASSERT_TRUE(wait_until([&] { return exporter->status().position == 7; }));
  EXPECT_EQ(receiver.ids(), ids(5, 7));
}

class FileExporterTest : public ExporterTest {
 protected:
  Config file() const {
    Config config;
    config.name = "file";
    config.type = Type::ocsf_file;
    config.path = directory_.path() / "out" / "events.ndjson";
    config.retry_max = 100ms;
    return config;
  }
  std::string content(const std::string& ending = "") const {
    std::ifstream in(file().path.string() + ending, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  static std::vector<std::string> ids_in(std::string_view text) {
    std::vector<std::string> all;
    for (const auto line : split(text, '\n'))
      if (!line.empty()) all.push_back(Json::parse(line)["metadata"]["uid"]);
    return all;
  }
};

TEST_F(FileExporterTest, WritesLinesAndGoesOnAfterATornOne) {
  append(10);
  auto exporter = start(file());
  ASSERT_TRUE(wait_until([&] { return exporter->status().position == 10; }));
  exporter->stop(3s);
  std::ofstream(file().path, std::ios::app) << R"({"torn)";
  append(5);
  exporter = start(file());
  ASSERT_TRUE(wait_until([&] { return exporter->status().position == 15; }));
  EXPECT_EQ(ids_in(content()), ids(0, 15));
}

TEST_F(FileExporterTest, RotatesAndKeepsAsManyAsConfigured) {
  Config config = file();
  config.rotate = 64u << 10;
  config.keep = 2;
  config.batch = 20;
  append(300);
  auto exporter = start(config);
  ASSERT_TRUE(wait_until([&] { return exporter->status().position == 300; }));
  const auto all = ids_in(content(".2") + content(".1") + content());
  EXPECT_GT(all.size(), 100u);
  EXPECT_EQ(all, ids(300 - all.size(), 300));
  EXPECT_LE(content(".1").size(), config.rotate);
  EXPECT_FALSE(std::filesystem::exists(config.path.string() + ".3"));
}

TEST_F(FileExporterTest, AFileThatCannotBeWrittenIsTriedAgain) {
  append(3);
  std::ofstream(directory_.path() / "out") << "in the way";
  auto exporter = start(file());
  ASSERT_TRUE(wait_until([&] { return exporter->status().errors > 1; }));
  EXPECT_EQ(exporter->status().position, 0u);
  std::filesystem::remove(directory_.path() / "out");
  ASSERT_TRUE(wait_until([&] { return exporter->status().position == 3; }));
  EXPECT_EQ(ids_in(content()), ids(0, 3));
}

TEST(Position, ComesBackAsItWas) {
  const Position position{"example.org/log", 7, 5, std::string(64, 'a')};
  const auto read = parse_position(format_position(position));
  ASSERT_TRUE(read);
  EXPECT_EQ(format_position(*read), format_position(position));
  EXPECT_TRUE(parse_position(format_position({"o", 0, 0, ""})));
}

TEST(Position, WhatIsNoneIsRefused) {
  const std::string digest(64, 'a');
  for (const std::string& text : {std::string(), std::string("gatehouse-export 1\n"),
                                  "gatehouse-export 2\no\n1\n1\n" + digest + "\n",
                                  "gatehouse-export 1\n\n1\n1\n" + digest + "\n",
                                  "gatehouse-export 1\no\n1\n2\n" + digest + "\n",
                                  std::string("gatehouse-export 1\no\n1\n1\n-\n"),
                                  std::string("gatehouse-export 1\no\n1\n1\nab\n"),
                                  "gatehouse-export 1\no\n-1\n0\n" + digest + "\n",
                                  "gatehouse-export 1\no\n0\n0\n" + digest + "\n",
                                  "gatehouse-export 1\no\n1\n1\n" + digest + "\nmore\n"})
    EXPECT_FALSE(parse_position(text)) << text;
}

}  // namespace
}  // namespace gatehouse::exporter
