// A desk on a loop of its own, asked one question or many at once.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "guard/guard.h"

namespace gatehouse::guard::testing {

class DeskTest : public ::testing::Test {
 protected:
  DeskTest() : desk_(loop_, clock_, nullptr) {
    config_.timeout = std::chrono::milliseconds(300);
    config_.fingerprint = "one";
  }

  // Asks, and stops the loop when so many verdicts are there. `model`: one of this process.
  static net::Task<void> ask_one(DeskTest& test, std::string text, net::CancelSource* caller,
                                 std::size_t wanted, std::shared_ptr<LocalModel> model = nullptr) {
    const Question question{Direction::request, text, ""};
    test.verdicts_.push_back(
        co_await test.desk_.ask(test.config_, question, caller, std::move(model)));
    if (test.verdicts_.size() == wanted) test.loop_.stop();
  }

  Verdict ask(const std::string& text, std::shared_ptr<LocalModel> model = nullptr) {
    verdicts_.clear();
    loop_.spawn(ask_one(*this, text, nullptr, 1, std::move(model)));
    loop_.run();
    return verdicts_.at(0);
  }

  net::Loop loop_;
  SystemClock clock_;
  Desk desk_;
  Config config_;
  std::vector<Verdict> verdicts_;
};

}  // namespace gatehouse::guard::testing
