// Roughly how often each byte stands in prose, code and JSON. Letters of either case together.
#pragma once

#include <algorithm>
#include <array>
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

inline double share_of(const ByteSet& bytes) {
  double sum = 0;
  for (unsigned byte = 0; byte < 256; ++byte)
    if (bytes.test(byte)) sum += byte_shares[byte];
  return std::min(sum, 1.0);
}

}  // namespace gatehouse::inspect
