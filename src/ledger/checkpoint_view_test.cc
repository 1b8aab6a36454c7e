#include "ledger/checkpoint_view.h"

#include <gtest/gtest.h>

#include "base/id.h"
#include "ledger/event.h"
#include "ledger/memory_log.h"

namespace gatehouse::ledger {
namespace {

// 5,000 events, ten a second; every hundredth came to stand seconds after its id was made, as a
// call whose body trickles in.
class View : public ::testing::Test {
 protected:
  void SetUp() override {
    ManualClock clock(WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23)));
    SeededRandom random(1);
    std::vector<std::string> entries;
    for (int i = 0; i < 5000; ++i) {
      Event event;
      event.id = make_uuid7(clock, random);
      event.time = clock.wall();
      event.type = "request.decided";
      event.node = "gw-1";
      event.data = R"({"n":)" + std::to_string(i) + "}";
      ids_.push_back(event.id);
      entries.push_back(serialize(event).value());
      clock.advance(std::chrono::milliseconds(100));
    }
    for (std::size_t i = 0; i + 300 < entries.size(); i += 400) {
      std::rotate(entries.begin() + static_cast<std::ptrdiff_t>(i),
                  entries.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                  entries.begin() + static_cast<std::ptrdiff_t>(i) + 300);
    }
    unknown_ = make_uuid7(clock, random);
    const SystemClock system;
    auto ledger = Ledger::open(options_in(directory_.path()), test_key(), system).value();
    for (auto& entry : entries) EXPECT_TRUE(ledger->append(std::move(entry), [](auto) {}));
    ASSERT_TRUE(ledger->close());
  }

  // What must be there.
  static FoundEntry must(const Result<std::optional<FoundEntry>>& found) {
    GH_CHECK(found.has_value() && found->has_value());
    return **found;
  }

  CheckpointView open() {
    auto view = CheckpointView::open(disk_, directory_.path().string());
    GH_CHECK(view.has_value());
    return std::move(*view);
  }

  TemporaryDirectory directory_;
  RealDisk disk_;
  std::vector<std::string> ids_;
  std::string unknown_;
};

TEST_F(View, FindsEveryEntryByItsId) {
  auto view = open();
  EXPECT_EQ(view.checkpoint().size, ids_.size());
  for (const std::string& id : ids_) {
    const auto found = must(view.find(id));
    EXPECT_EQ(id_of(found.entry), id);
    EXPECT_EQ(view.entry(found.index).value(), found.entry);
  }
}

TEST_F(View, SaysWhatIsNotThere) {
  auto view = open();
  for (const std::string& id :
       {unknown_, std::string("00000000-0000-7000-8000-000000000000"),
        std::string("ffffffff-ffff-7fff-bfff-ffffffffffff"), std::string(), std::string("x"),
        std::string(36, 'g'), ids_[7].substr(0, 35) + "x"}) {
    const auto found = view.find(id);
    ASSERT_TRUE(found) << found.error().describe();
    EXPECT_FALSE(*found) << id;
  }
  EXPECT_EQ(view.entry(5000).error().code, ErrorCode::failed_precondition);
  EXPECT_EQ(view.prove(5000).error().code, ErrorCode::failed_precondition);
}

TEST_F(View, ProvesUnderItsOwnCheckpointWhileTheLogGrows) {
  auto view = open();
  {
    const SystemClock system;
    auto ledger = Ledger::open(options_in(directory_.path()), test_key(), system).value();
    for (std::uint64_t i = 0; i < 1000; ++i)
      ASSERT_TRUE(ledger->append(test_entry(i), [](auto) {}));
    ASSERT_TRUE(ledger->close());
  }
  for (const std::uint64_t index : {0u, 1u, 255u, 256u, 4863u, 4864u, 4999u}) {
    const auto receipt = view.prove(index);
    ASSERT_TRUE(receipt) << receipt.error().describe();
    const auto under = check_receipt(*receipt, test_verifier_key(), view.entry(index).value());
    ASSERT_TRUE(under) << under.error().describe();
    EXPECT_EQ(under->size, 5000u);
  }
}

TEST_F(View, LooksForward) {
  auto view = open();
  const auto is = [](const char* n) {
    return [wanted = std::string(n)](std::string_view entry) { return entry.contains(wanted); };
  };
  const auto found = must(view.find_from(100, 4000, is("\"n\":3500}")));
  EXPECT_TRUE(found.entry.contains("\"n\":3500}"));
  EXPECT_FALSE(*view.find_from(100, 1000, is("\"n\":3500}"))) << "too far";
  EXPECT_FALSE(*view.find_from(4990, 1000, is("\"n\":3500}"))) << "behind the end";
  EXPECT_FALSE(*view.find_from(9000, 1000, is("\"n\":3500}")));
}

TEST(CheckpointView, OfALogThatIsNotThere) {
  RealDisk disk;
  EXPECT_EQ(CheckpointView::open(disk, "/nonexistent").error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace gatehouse::ledger
