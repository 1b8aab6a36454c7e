// Roughly how often bytes stand in prose, code and JSON. Letters of either case together.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "inspect/pattern.h"

namespace gatehouse::inspect {

constexpr std::array<double, 256> make_byte_shares() {
  std::array<double, 256> all{};
  all.fill(0.0005);
  constexpr double letters[] = {.065, .012, .025, .033, .1,   .018, .016, .04,  .058,
                                .002, .007, .035, .02,  .056, .06,  .018, .001, .05,
                                .052, .073, .023, .008, .015, .002, .015, .001};
  for (unsigned i = 0; i < 26; ++i) all['a' + i] = letters[i];
  for (unsigned c = '0'; c <= '9'; ++c) all[c] = 0.006;
  all[' '] = 0.16;
  all['\n'] = 0.02;
  for (const char c : std::string_view(".,\"")) all[static_cast<unsigned char>(c)] = 0.012;
  for (const char c : std::string_view("-_():/=")) all[static_cast<unsigned char>(c)] = 0.008;
  for (const char c : std::string_view("'<>#`*{}[];")) all[static_cast<unsigned char>(c)] = 0.003;
  return all;
}
inline constexpr auto byte_shares = make_byte_shares();

inline double sum_of_shares(const ByteSet& bytes) {
  double sum = 0;
  for (unsigned byte = 0; byte < 256; ++byte)
    if (bytes.test(byte)) sum += byte_shares[byte];
  return sum;
}

inline double share_of(const ByteSet& bytes) {
  return std::min(sum_of_shares(bytes), 1.0);
}

// How often a small letter follows another one, counted in seven million bytes of prose, code and
// mail: row by the first, column by the second; 'a' is always, each letter more half a bit rarer.
inline constexpr std::array<std::string_view, 26> letter_pairs = {
    "tkijuplwkvngjgzkxhhfmmqqmu", "iqnpequxhjtgquiqzklqhszyiv", "grmrhrvhjzijpvfqwjngkuzvoz",
    "jorlerquhvvossjtzmkqlrusoz", "kqjimkotowuklhrmoghjsmokoy", "jtnpijrzfzzmunfszjpkizuzoz",
    "kuqrfumkizylpikrzjkokuvzqv", "fxvsduvzhzyrrrhvzmqkmyxzqz", "lljkljkzwzpikehmvlggvlzqxn",
    "hxntcvxukvrrrthovrhugvuztw", "jrptdqqriztnpjpszpipovnzrv", "hrqjfkssgzvgtshqwrklkpszjx",
    "fkroeqxyiyxnkthgzrkqkxvzoz", "jvihhlgtkvoosnipythgmovzoy", "omkjpinunrokifljzfkjimkttw",
    "hwqofssoizrhrthjwgkikuuxjz", "wzqsrzxxszzoxqwrwqpwawvzzx", "hsmmeolthzmolkhpykjkkpszkz",
    "lvmtgsslizmlppklvrigkuoxnw", "ivpqgryfgzvorshnzilllwpqky", "lkkmiolzkzuhjgrjzgggvyzrzz",
    "fwrucrsxgzwsmsipzvputzwwvz", "gqrpgtugezwqxjgtvjlspvozwz", "ipipioxshzornqrhzuqgxyxopx",
    "oppslrtvmzxnnkhgzojitvozwt", "ivutezssjzrspvnszuqtpywwmr",
};
// Of two small letters.
inline double share_behind(char before, char byte) {
  const char rarity =
      letter_pairs[static_cast<std::size_t>(before - 'a')][static_cast<std::size_t>(byte - 'a')];
  return std::exp2(-0.5 * (rarity - 'a'));
}

}  // namespace gatehouse::inspect
