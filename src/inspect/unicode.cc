#include "inspect/unicode.h"

#include <array>
#include <bit>
#include <vector>

#include "inspect/fold_table.h"
#include "inspect/wide_bytes.h"

namespace gatehouse::inspect {
namespace {

constexpr std::array<char, 128> make_ascii() {
  std::array<char, 128> all{};
  for (unsigned c = 0; c < all.size(); ++c) all[c] = static_cast<char>(c);
  return all;
}
constexpr std::array<char, 128> ascii = make_ascii();

// The table by pages: most of them are empty and shared.
class FoldPages {
 public:
  FoldPages() : entries_(page_size) {  // the empty page
    for (const FoldRow& row : fold_rows())
      for (char32_t code = row.first; code <= row.last; ++code)
        put(code, entry(row, code - row.first));
  }

  Folding of(char32_t code) const {
    if (code >= code_limit) return {};
    const std::uint16_t entry =
        entries_[std::size_t{index_[code / page_size]} * page_size + code % page_size];
    if (entry == itself) return {};
    if (entry == nothing) return {Folding::Kind::nothing, {}};
    if (entry < first_text) return {Folding::Kind::text, {&ascii[entry], 1}};
    return {Folding::Kind::text, texts_[entry - first_text]};
  }

 private:
  static constexpr char32_t page_size = 64;
  static constexpr char32_t code_limit = 0xe1000;
  // Entries: a character of ASCII, or one of
  static constexpr std::uint16_t itself = 0;
  static constexpr std::uint16_t nothing = 1;
  static constexpr std::uint16_t first_text = 0x80;

  std::uint16_t entry(const FoldRow& row, char32_t place) {
    if (row.target.empty()) return nothing;
    if (row.target.size() == 1)
      return static_cast<std::uint16_t>(static_cast<char32_t>(row.target[0]) + place);
    texts_.push_back(row.target);
    return static_cast<std::uint16_t>(first_text + texts_.size() - 1);
  }

  void put(char32_t code, std::uint16_t entry) {
    std::uint16_t& page = index_[code / page_size];
    if (page == 0) {
      page = static_cast<std::uint16_t>(entries_.size() / page_size);
      entries_.resize(entries_.size() + page_size);
    }
    entries_[std::size_t{page} * page_size + code % page_size] = entry;
  }

  std::array<std::uint16_t, code_limit / page_size> index_{};
  std::vector<std::uint16_t> entries_;
  std::vector<std::string_view> texts_;
};

[[gnu::always_inline]] inline Bytes is_special(Bytes a) {
  const Bytes low = below(a, 0x09);  // and what is not ASCII
  return any(low, between(a, 0x0e, 0x1f), equal(a, '%'), equal(a, '&'), equal(a, '\\'),
             equal(a, 0x7f));
}
[[gnu::always_inline]] inline Bytes is_quote_or_angle(Bytes a) {
  return any(equal(a, '"'), equal(a, '\''), equal(a, '<'));
}
// A quote with a blank or a sign that adds behind it; `<w`, `<!`. What the text ends with may be.
[[gnu::always_inline]] inline Bytes may_join(Bytes a, Bytes next) {
  const Bytes added = any(below(next, 0x21), equal(next, '+'), equal(next, '.'), equal(next, '&'));
  const Bytes unshown = any(equal(next, '!'), equal(folded(next), 'w'), equal(next, 0));
  return (any(equal(a, '"'), equal(a, '\'')) & added) | (equal(a, '<') & unshown);
}
[[gnu::always_inline]] inline std::size_t special_in(std::string_view text, std::size_t from) {
  for (; from < text.size(); from += wide) {
    const Padded<wide + 1> rest(text, from);
    const Bytes a = load(rest.data());
    const Bytes special = is_special(a);
    if (bits(special | is_quote_or_angle(a)) == 0) continue;
    if (const std::uint32_t found = bits(special | may_join(a, load(rest.data() + 1))); found != 0)
      return std::min(text.size(), from + static_cast<std::size_t>(std::countr_zero(found)));
  }
  return text.size();
}
GH_TARGET_AVX2 std::size_t special_in_avx2(std::string_view text, std::size_t from) {
  return special_in(text, from);
}

}  // namespace

Folding fold_of(char32_t code) {
  static const FoldPages pages;
  return pages.of(code);
}

std::size_t find_special(std::string_view text, std::size_t from) {
  return has_avx2() ? special_in_avx2(text, from) : special_in(text, from);
}

Decoded decode_utf8(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4) return {0, 1};
  char32_t code = lead & (0x7fu >> size);
  for (std::size_t at = 1; at < size; ++at) {
    if (at == text.size()) return {0, 0};
    if (!is_continuation(text[at])) return {0, 1};
    code = code << 6 | (static_cast<unsigned char>(text[at]) & 0x3fu);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool valid = code >= least[size] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return valid ? Decoded{code, size} : Decoded{0, 1};
}

char32_t last_character(std::string_view text) {
  if (text.empty()) return 0;
  std::size_t lead = text.size() - 1;
  while (lead > 0 && text.size() - lead < 4 && is_continuation(text[lead])) --lead;
  if (static_cast<unsigned char>(text[lead]) < 0x80)
    return lead + 1 == text.size() ? static_cast<char32_t>(text[lead]) : 0;
  return decode_utf8(text.substr(lead)).code;
}

void append_utf8(std::string& out, char32_t code) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

}  // namespace gatehouse::inspect
