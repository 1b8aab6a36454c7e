#include "inspect/row_finder.h"

#include <algorithm>
#include <iterator>
#include <span>

namespace gatehouse::inspect {
namespace {

using Kind = PatternNode::Kind;

constexpr std::size_t most_rows = 8;
constexpr std::size_t enough_of_head = 16;  // bytes: what stands behind tells little more

using Rows = std::vector<ByteRow>;

// Each of the rows with each of the others behind it; nothing where that is too much.
std::optional<Rows> joined(const Rows& heads, const Rows& tails) {
  if (heads.size() * tails.size() > most_rows) return std::nullopt;
  Rows all;
  for (const ByteRow& head : heads) {
    for (const ByteRow& tail : tails) {
      if (head.size() + tail.size() > RowFinder::longest) return std::nullopt;
      all.push_back(head);
      all.back().insert(all.back().end(), tail.begin(), tail.end());
    }
  }
  return all;
}

std::optional<Rows> rows_of_all(std::span<const Pattern> parts);
std::optional<Rows> rows_of_repeat(const Pattern& pattern);

std::optional<Rows> all_rows(const Pattern& pattern) {
  switch (pattern->kind) {
    case Kind::empty:
      return Rows{{}};
    case Kind::bytes:
      return Rows{{pattern->bytes}};
    case Kind::capture:
      return all_rows(pattern->children[0]);
    case Kind::alternate: {
      Rows all;
      for (const Pattern& child : pattern->children) {
        auto rows = all_rows(child);
        if (!rows || all.size() + rows->size() > most_rows) return std::nullopt;
        std::ranges::move(*rows, std::back_inserter(all));
      }
      return all;
    }
    case Kind::concat:
    case Kind::repeat:
      break;
  }
  return pattern->kind == Kind::concat ? rows_of_all(pattern->children) : rows_of_repeat(pattern);
}

std::optional<Rows> rows_of_all(std::span<const Pattern> parts) {
  std::optional<Rows> all = Rows{{}};
  for (const Pattern& part : parts) {
    const auto rows = all_rows(part);
    all = rows ? joined(*all, *rows) : std::nullopt;
    if (!all) return std::nullopt;
  }
  return all;
}

// So many of them, one more, and so on.
std::optional<Rows> rows_of_repeat(const Pattern& pattern) {
  const auto once = all_rows(pattern->children[0]);
  if (!once || pattern->max > RowFinder::longest) return std::nullopt;
  Rows all;
  std::optional<Rows> times = Rows{{}};
  for (std::size_t i = 0; i <= pattern->max; ++i) {
    if (i >= pattern->min) std::ranges::copy(*times, std::back_inserter(all));
    if (all.size() > most_rows) return std::nullopt;
    if (i < pattern->max) times = joined(*times, *once);
    if (!times) return std::nullopt;
  }
  return all;
}

// One row that all of them are; nothing where they differ in length.
std::optional<ByteRow> united(const Rows& rows) {
  ByteRow all = rows.front();
  for (const ByteRow& row : rows) {
    if (row.size() != all.size()) return std::nullopt;
    for (std::size_t i = 0; i < row.size(); ++i) all[i] |= row[i];
  }
  return all;
}

}  // namespace

std::vector<ByteRow> row_heads(std::span<const Pattern> parts) {
  Rows heads = {{}};
  for (const Pattern& part : parts) {
    auto rows = all_rows(part);
    if (rows && heads.size() * rows->size() > most_rows) {
      auto one = united(*rows);
      if (!one) break;
      rows = Rows{std::move(*one)};
    }
    auto longer = rows ? joined(heads, *rows) : std::nullopt;
    if (!longer) break;
    heads = std::move(*longer);
    if (std::ranges::min_element(heads, {}, &ByteRow::size)->size() >= enough_of_head) break;
  }
  if (std::ranges::any_of(heads, &ByteRow::empty)) return {};
  return heads;
}

std::optional<std::vector<ByteRow>> rows_of(const Pattern& pattern) {
  auto rows = all_rows(pattern);
  if (rows && std::ranges::any_of(*rows, &ByteRow::empty)) return std::nullopt;
  return rows;
}

bool may_crowd(const ByteRow& row) {
  ByteSet common = ByteSet().set();
  for (const ByteSet& bytes : row) common &= bytes;
  return common.any();
}

void RowFinder::add(const ByteRow& row, std::uint32_t number, const Anchor& anchor) {
  ByteRow all;
  if (anchor.not_before.any() && 1 + anchor.behind + row.size() <= longest) {
    all.push_back(~anchor.not_before);
    all.resize(1 + anchor.behind, ByteSet().set());
    if (anchor.behind > 0) all[1] = anchor.first;
  }
  const std::size_t anchored = all.size();
  all.insert(all.end(), row.begin(), row.end());

  const auto fits = [&](const std::size_t used) { return used + all.size() <= longest; };
  if (groups_.empty() || std::ranges::none_of(groups_.back().used, fits)) groups_.emplace_back();
  Group& group = groups_.back();
  const auto word =
      static_cast<std::size_t>(std::ranges::find_if(group.used, fits) - group.used.begin());
  const std::size_t first = group.used[word];
  const auto place = [first](std::size_t i) { return std::uint64_t{1} << (first + i); };
  for (std::size_t i = 0; i < all.size(); ++i)
    for (unsigned byte = 0; byte < 256; ++byte)
      if (all[i].test(byte)) group.takes[byte][word] |= place(i);
  group.first[word] |= place(0);
  group.last[word] |= place(all.size() - 1);
  if (anchored > 0) group.before[word] |= place(0);
  for (std::size_t i = 0; i < anchored; ++i) group.anchors[word] |= place(i);
  group.used[word] += all.size();
  group.numbers[word * longest + group.used[word] - 1] = number;
  const ByteSet second = all.size() > 1 ? all[1] : ByteSet().set();
  group.first_bytes = ByteClass(group.first_bytes.bytes() | all[0]);
  group.second_bytes = ByteClass(group.second_bytes.bytes() | second);
}

bool RowFinder::may_open(std::span<const Group> groups, std::string_view text, std::size_t at) {
  const Padded<ByteClass::width + 1> bytes(text, at);
  return std::ranges::any_of(groups, [&](const Group& group) {
    const std::uint64_t first = group.first_bytes.members(bytes.data());
    const std::uint64_t second = group.second_bytes.members(bytes.data() + 1);
    return (first & second) != 0;
  });
}

}  // namespace gatehouse::inspect
