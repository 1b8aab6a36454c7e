#include "base/random.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace gatehouse {
namespace {

std::string draw(Random& random, std::size_t size) {
  std::string out(size, '\0');
  random.fill(std::as_writable_bytes(std::span(out)));
  return out;
}

TEST(SystemRandom, never_repeats) {
  SystemRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(seen.insert(draw(random, 16)).second);
}

TEST(SystemRandom, fills_every_byte_of_every_size) {
  SystemRandom random;
  for (const std::size_t size : {0u, 1u, 255u, 256u, 257u, 1024u, 5000u}) {
    std::string touched(size, '\0');
    for (int round = 0; round < 20; ++round) {
      const std::string drawn = draw(random, size);
      for (std::size_t i = 0; i < size; ++i) touched[i] = static_cast<char>(touched[i] | drawn[i]);
    }
    EXPECT_EQ(std::ranges::count(touched, '\0'), 0) << size;
  }
}

TEST(SystemRandom, threads_draw_different_bytes) {
  std::array<std::vector<std::string>, 4> drawn;
  {
    std::vector<std::jthread> threads;
    for (auto& mine : drawn)
      threads.emplace_back([&mine] {
        SystemRandom random;
        for (int i = 0; i < 200; ++i) mine.push_back(draw(random, 16));
      });
  }
  std::set<std::string> all;
  for (const auto& mine : drawn) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 800u);
}

TEST(SystemRandom, a_forked_child_does_not_draw_its_parents_bytes) {
  SystemRandom random;
  draw(random, 1);  // the stock is filled now and would be shared
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const std::string mine = draw(random, 32);
    ::_exit(::write(ends[1], mine.data(), mine.size()) == 32 ? 0 : 1);
  }
  std::string theirs(32, '\0');
  ASSERT_EQ(::read(ends[0], theirs.data(), theirs.size()), 32);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_NE(draw(random, 32), theirs);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(SeededRandom, the_same_seed_gives_the_same_bytes) {
  SeededRandom a(7);
  SeededRandom b(7);
  SeededRandom other(8);
  const std::string drawn = draw(a, 37);
  EXPECT_EQ(drawn, draw(b, 37));
  EXPECT_NE(drawn, draw(other, 37));
  EXPECT_NE(drawn, draw(a, 37));
}

}  // namespace
}  // namespace gatehouse
