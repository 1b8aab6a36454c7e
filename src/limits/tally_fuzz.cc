// A tally's file and entries of the ledger that somebody forged or cut: each is refused or taken;
// what was taken is stored and read again as it was.
//
// Input: a file up to the first zero byte, then entries, a zero byte apart.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "limits/tally.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse;
  using namespace gatehouse::limits;
  const WallTime now{std::chrono::microseconds(1'790'000'000'000'000)};
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  auto next = [&rest] {
    const auto end = rest.find('\0');
    const auto piece = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return piece;
  };
  auto tally = Tally::parse(next());
  if (!tally) tally = Tally();
  while (!rest.empty()) (void)tally->apply(tally->next_index(), next());
  const auto text = tally->serialize(now);
  const auto again = Tally::parse(text);
  if (!again || again->next_index() != tally->next_index()) std::abort();
  Book book;
  Book other;
  tally->fill(book, now);
  again->fill(other, now);
  const auto one = book.list(now);
  const auto two = other.list(now);
  if (one.size() != two.size()) std::abort();
  for (std::size_t at = 0; at < one.size(); ++at)
    if (one[at].key != two[at].key || one[at].used != two[at].used) std::abort();
  return 0;
}
