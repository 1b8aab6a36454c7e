// A witness' state: what it cosigns survives, and no failure of the disk makes it cosign a fork.
#include "witness/state.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "ledger/checkpoint.h"
#include "ledger/fake_disk.h"
#include "ledger/test_log.h"

namespace gatehouse::witness {
namespace {

using ledger::Digest;
using ledger::test_key;

constexpr std::string_view origin = "log.example/test";

ledger::VerifierKey log_key() {
  return ledger::make_verifier_key(origin, test_key().public_key());
}

WitnessIdentity identity(std::string_view name = "w.example") {
  return WitnessIdentity::derive(name, Secret(std::string(32, 's')));
}

// A history is the entries' names; histories that begin alike are consistent as far as that goes.
using History = std::vector<std::string>;

std::vector<Digest> leaves(const History& history) {
  std::vector<Digest> out;
  out.reserve(history.size());
  for (const std::string& entry : history) out.push_back(ledger::leaf_hash(entry));
  return out;
}

std::string request(std::uint64_t known, const History& history) {
  const auto tree = leaves(history);
  const ledger::Subtrees subtrees = [&](unsigned height, std::uint64_t index) -> Result<Digest> {
    return ledger::root_of(std::span(tree).subspan(index << height, std::size_t{1} << height));
  };
  ledger::AddCheckpointRequest out{.old_size = known, .proof = {}, .checkpoint = {}};
  if (known > 0 && known <= history.size()) {
    out.proof = ledger::consistency_proof(known, history.size(), subtrees).value();
  }
  out.checkpoint = ledger::sign_checkpoint({.origin = std::string(origin),
                                            .size = history.size(),
                                            .root = ledger::root_of(tree),
                                            .extensions = {}},
                                           log_key(), test_key());
  return to_string(out);
}

class State : public ::testing::Test {
 protected:
  Result<std::unique_ptr<WitnessState>> open(ledger::Disk& disk) {
    set_log_level(LogLevel::off);
    return WitnessState::open(disk, directory(), identity(), {log_key()}, clock_);
  }
  std::string directory() const { return (folder_.path() / "state").string(); }

  SystemClock clock_;
  ledger::RealDisk disk_;
  ledger::TemporaryDirectory folder_;
};

TEST_F(State, RemembersOverARestart) {
  ASSERT_TRUE(WitnessState::create(disk_, directory(), identity()));
  {
    auto state = open(disk_).value();
    EXPECT_EQ(state->add_checkpoint(request(0, {"a", "b"})).status, 200);
  }
  auto state = open(disk_).value();
  EXPECT_EQ(state->known_logs(), 1u);
  const auto conflict = state->add_checkpoint(request(0, {"a", "b", "c"}));
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(conflict.body, "2\n");
  EXPECT_EQ(conflict.content_type, "text/x.tlog.size");
  EXPECT_EQ(state->add_checkpoint(request(2, {"a", "x"})).status, 422);
  EXPECT_EQ(state->add_checkpoint(request(2, {"a", "b", "c"})).status, 200);
  const auto note =
      ledger::parse_note(state->latest(ledger::origin_hash(origin)).value_or("")).value();
  EXPECT_EQ(note.signatures.size(), 2u);
  const auto key = identity().cosigner;
  EXPECT_EQ(ledger::verify_cosignatures(note, std::span(&key, 1))->size(), 1u);
}

TEST_F(State, AFolderIsMadeOnceAndBelongsToOneWitness) {
  EXPECT_EQ(open(disk_).error().code, ErrorCode::failed_precondition) << "never made";
  ASSERT_TRUE(WitnessState::create(disk_, directory(), identity()));
  EXPECT_EQ(WitnessState::create(disk_, directory(), identity()).error().code,
            ErrorCode::already_exists);
  const auto other =
      WitnessState::open(disk_, directory(), identity("other.example"), {log_key()}, clock_);
  EXPECT_EQ(other.error().code, ErrorCode::failed_precondition);
  EXPECT_NE(to_string(identity("other.example").cosigner).substr(20),
            to_string(identity().cosigner).substr(20))
      << "one secret, two names, two keys";
  const auto first = open(disk_);
  ASSERT_TRUE(first);
  EXPECT_EQ(open(disk_).error().code, ErrorCode::failed_precondition) << "two on one folder";
}

// Killed after the first checkpoint of a log was stored and before the list of logs was.
TEST_F(State, AFirstCheckpointWithoutItsLineInTheListIsTaken) {
  ASSERT_TRUE(WitnessState::create(disk_, directory(), identity()));
  const std::string empty = folder_.read("state/known");
  {
    auto state = open(disk_).value();
    EXPECT_EQ(state->add_checkpoint(request(0, {"a"})).status, 200);
  }
  const std::string listed = folder_.read("state/known");
  folder_.write("state/known", empty);
  {
    ASSERT_EQ(open(disk_).value()->known_logs(), 1u);
  }
  EXPECT_EQ(folder_.read("state/known"), listed) << "and the list is mended";
}

TEST_F(State, EveryFlippedBitOfTheStateRefuses) {
  ASSERT_TRUE(WitnessState::create(disk_, directory(), identity()));
  {
    auto state = open(disk_).value();
    EXPECT_EQ(state->add_checkpoint(request(0, {"a", "b"})).status, 200);
  }
  const std::string stored = "state/logs/" + ledger::origin_hash(origin);
  for (const std::string& file :
       {std::string("state/known"), std::string("state/witness.vkey"), stored}) {
    const std::string good = folder_.read(file);
    // The log's signature line is not under our seal: a changed name or id makes it a stranger's.
    const std::size_t log_line = file == stored ? good.find("\n\n") + 2 : good.size();
    const std::size_t log_line_end = file == stored ? good.find('\n', log_line) : good.size();
    std::size_t accepted = 0;
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      std::string bad = good;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
      folder_.write(file, bad);
      const bool opened = open(disk_).has_value();
      const bool in_log_line = bit / 8 >= log_line && bit / 8 < log_line_end;
      ASSERT_TRUE(!opened || in_log_line) << file << " bit " << bit;
      if (opened) ++accepted;
    }
    EXPECT_LE(accepted, 8 * (origin.size() + 7)) << file;
    folder_.write(file, good);
  }
  EXPECT_TRUE(open(disk_));
}

// Requests from many threads: whoever wins, each size has one root, and sizes only grow.
TEST_F(State, CompetingHistoriesGetOneRootForASize) {
  ASSERT_TRUE(WitnessState::create(disk_, directory(), identity()));
  auto state = open(disk_).value();
  std::mutex mutex;
  std::map<std::uint64_t, std::string> roots;
  std::atomic<int> cosigned = 0;
  const auto compete = [&](const std::string& name) {
    History history;
    for (int i = 0; i < 12; ++i) {
      history.push_back(name + std::to_string(i));
      const auto answer = state->add_checkpoint(request(history.size() - 1, history));
      if (answer.status != 200) continue;
      ++cosigned;
      const std::string root = to_base64(ledger::root_of(leaves(history)));
      const std::scoped_lock lock(mutex);
      EXPECT_EQ(roots.try_emplace(history.size(), root).first->second, root);
    }
  };
  {
    std::vector<std::jthread> threads;
    for (const char* name : {"a", "b", "c", "d"}) threads.emplace_back(compete, name);
  }
  EXPECT_GT(cosigned, 0);
}

// Every call of the witness to the disk fails in turn, then the power is cut: what was answered is
// there, the state opens, and no size has two cosigned roots.
TEST_F(State, AFailingDiskNeverMakesAFork) {
  using ledger::Call;
  const History base{"a", "b"};
  const History left{"a", "b", "left"};
  const History right{"a", "b", "right"};
  std::mt19937 random(3);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
  std::size_t faults = 0;
  std::size_t refused = 0;
  for (const Call call : {Call::open, Call::pwrite, Call::fsync, Call::rename, Call::close}) {
    bool fired = true;
    for (std::uint64_t nth = 1; fired; ++nth) {
      SCOPED_TRACE(testing::Message() << "call " << static_cast<int>(call) << " number " << nth);
      ledger::MemoryDisk inner;
      ledger::FaultyDisk disk(inner);
      ASSERT_TRUE(WitnessState::create(inner, "/state", identity()));
      const auto open_on = [&](ledger::Disk& on) {
        set_log_level(LogLevel::off);
        return WitnessState::open(on, "/state", identity(), {log_key()}, clock_);
      };
      std::optional<History> signed_last;
      {
        auto state = open_on(disk).value();
        disk.plan(call, nth, EIO);
        // The process goes on after the failure: what it says later must agree with what it said.
        if (state->add_checkpoint(request(0, base)).status == 200) signed_last = base;
        for (const History& next : {left, right, left}) {
          const std::uint64_t known = signed_last ? signed_last->size() : 0;
          if (known == 3 || state->add_checkpoint(request(known, next)).status != 200) continue;
          signed_last = next;
        }
        fired = disk.fired();
        if (fired) ++faults;
        if (fired && (!signed_last || signed_last->size() < 3)) ++refused;
      }
      const auto survivor = inner.after_power_cut(random);
      const auto state = open_on(*survivor);
      ASSERT_TRUE(state) << state.error().describe();
      const auto note = (*state)->latest(ledger::origin_hash(origin));
      if (!signed_last) continue;
      ASSERT_TRUE(note);
      const auto stored =
          ledger::parse_checkpoint(ledger::parse_note(note.value_or(""))->text).value();
      ASSERT_GE(stored.size, signed_last->size());
      if (stored.size == signed_last->size()) {
        EXPECT_EQ(stored.root, ledger::root_of(leaves(*signed_last)));
      }
    }
  }
  EXPECT_GT(faults, 15u);
  EXPECT_GT(refused, 3u);
}

}  // namespace
}  // namespace gatehouse::witness
