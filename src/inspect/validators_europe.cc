// Validators for numbers that European states give to people: identity, tax, social security,
// health. Those of the first hour are in validators_numbers.cc. Each as its authority publishes it.
#include <algorithm>
#include <array>
#include <cstdint>

#include "inspect/validator_tools.h"

namespace gatehouse::inspect {
namespace {

// The digit sum of a product of at most two digits.
int cross_sum(int n) {
  return n / 10 + n % 10;
}

// Estonia and Lithuania: sex and century, day of birth, serial; two rows of weights mod 11.
std::size_t baltic_personal_code(const Candidate& candidate) {
  static constexpr int first[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1};
  static constexpr int second[] = {3, 4, 5, 6, 7, 8, 9, 1, 2, 3};
  const Digits d(candidate.value);
  if (d.size != 11 || d[0] < 1 || d[0] > 8) return 0;
  const int year = 1800 + (d[0] - 1) / 2 * 100 + static_cast<int>(d.number(1, 2));
  if (!calendar_day(year, static_cast<int>(d.number(3, 2)), static_cast<int>(d.number(5, 2))))
    return 0;
  int check = weighted_sum(d, first) % 11;
  if (check == 10) check = weighted_sum(d, second) % 11 % 10;
  return all_if(candidate, check == d[10]);
}

// Latvia: a day of birth and a check digit, or, since 2017, 32 and random digits.
std::size_t lv_personal_code(const Candidate& candidate) {
  static constexpr int weights[] = {10, 5, 8, 4, 2, 1, 6, 3, 7, 9};
  const Digits d(candidate.value);
  if (d.size != 11) return 0;
  if (d.number(0, 2) == 32) return all_if(candidate, !d.all_equal());
  const bool dated = month_and_day(d, 2, 0) && d[6] <= 2;
  return all_if(candidate, dated && (1 + weighted_sum(d, weights)) % 11 % 10 == d[10]);
}

// The states that were Yugoslavia: day of birth with three digits of the year, region, serial.
std::size_t jmbg(const Candidate& candidate) {
  static constexpr int weights[] = {7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
  const Digits d(candidate.value);
  const auto year = d.number(4, 3);
  if (d.size != 13 || (year > 30 && year < 890) || !month_and_day(d, 2, 0)) return 0;
  const int rest = weighted_sum(d, weights) % 11;
  return all_if(candidate, rest != 1 && d[12] == (rest == 0 ? 0 : 11 - rest));
}

std::size_t hr_oib(const Candidate& candidate) {
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 11 && !d.all_equal() && iso7064_mod11_10(d));
}

std::size_t si_tax_number(const Candidate& candidate) {
  static constexpr int weights[] = {8, 7, 6, 5, 4, 3, 2};
  const Digits d(candidate.value);
  if (d.size != 8 || d[0] == 0) return 0;
  const int check = 11 - weighted_sum(d, weights) % 11;
  return all_if(candidate, check != 11 && d[7] == check % 10);
}

// Hungary: tax number of a person, which begins with 8; and the TAJ of the health fund.
std::size_t hu_tax_number(const Candidate& candidate) {
  static constexpr int weights[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 10 && d[0] == 8 && weighted_sum(d, weights) % 11 == d[9]);
}
std::size_t hu_taj(const Candidate& candidate) {
  static constexpr int weights[] = {3, 7, 3, 7, 3, 7, 3, 7};
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 9 && weighted_sum(d, weights) % 10 == d[8]);
}

// Greece: tax number by powers of two; AMKA is a day of birth and Luhn.
std::size_t gr_afm(const Candidate& candidate) {
  static constexpr int weights[] = {256, 128, 64, 32, 16, 8, 4, 2};
  const Digits d(candidate.value);
  return all_if(candidate,
                d.size == 9 && !d.all_equal() && weighted_sum(d, weights) % 11 % 10 == d[8]);
}
std::size_t gr_amka(const Candidate& candidate) {
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 11 && month_and_day(d, 2, 0) && luhn(d));
}

// Ireland: seven digits, a letter by mod 23, and perhaps one letter more that counts nine times.
std::size_t ie_pps(const Candidate& candidate) {
  static constexpr int weights[] = {8, 7, 6, 5, 4, 3, 2};
  const Alnum text(candidate.value);
  if (!text.is_number(0, 7) || text.size < 8 || text.size > 9) return 0;
  if (text.size == 9 && (text.byte[8] < 'A' || text.byte[8] > 'Z')) return 0;
  int sum = weighted_sum(Digits(text.view()), weights);
  if (text.size == 9 && text.byte[8] != 'W' && text.byte[8] != 'T')
    sum += 9 * (text.byte[8] - 'A' + 1);
  return all_if(candidate,
                text.byte[7] == "WABCDEFGHIJKLMNOPQRSTUV"[static_cast<std::size_t>(sum % 23)]);
}

// Iceland: day of birth (firms add 40), serial, check digit, century.
std::size_t is_kennitala(const Candidate& candidate) {
  static constexpr int weights[] = {3, 2, 7, 6, 5, 4, 3, 2};
  const Digits d(candidate.value);
  if (d.size != 10 || (d[9] != 9 && d[9] != 0 && d[9] != 8)) return 0;
  const int day = static_cast<int>(d.number(0, 2)) % 40;
  if (!calendar_day(2000, static_cast<int>(d.number(2, 2)), day)) return 0;
  return all_if(candidate, (11 - weighted_sum(d, weights) % 11) % 11 == d[8]);
}

// Luxembourg: day of birth, serial, then a Luhn and a Verhoeff digit over the same eleven.
std::size_t lu_matricule(const Candidate& candidate) {
  const Digits d(candidate.value);
  if (d.size != 13 || d.number(0, 4) < 1850 || d.number(0, 4) > 2050 || !month_and_day(d, 4, 6))
    return 0;
  Digits by_luhn = d;
  by_luhn.size = 12;
  Digits by_verhoeff = by_luhn;
  by_verhoeff.digit[11] = d.digit[12];
  return all_if(candidate, luhn(by_luhn) && verhoeff(by_verhoeff));
}

// Cyprus: even places by table, odd ones as they are, mod 26 names the letter.
std::size_t cy_tax_code(const Candidate& candidate) {
  static constexpr int table[] = {1, 0, 5, 7, 9, 13, 15, 17, 19, 21};
  const Alnum text(candidate.value);
  if (!text.is_number(0, 8) || text.size != 9) return 0;
  int sum = 0;
  for (std::size_t i = 0; i < 8; ++i) sum += i % 2 == 0 ? table[text.value(i)] : text.value(i);
  return all_if(candidate, text.byte[8] == 'A' + sum % 26);
}

std::size_t ua_tax_number(const Candidate& candidate) {
  static constexpr int weights[] = {-1, 5, 7, 9, 4, 6, 10, 5, 7};
  const Digits d(candidate.value);
  const int sum = weighted_sum(d, weights);
  return all_if(candidate, d.size == 10 && !d.all_equal() && ((sum % 11) + 11) % 11 % 10 == d[9]);
}

// Russia: a person's INN has two check digits, SNILS one of two digits by mod 101.
std::size_t ru_inn(const Candidate& candidate) {
  static constexpr int first[] = {7, 2, 4, 10, 3, 5, 9, 4, 6, 8};
  static constexpr int second[] = {3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8};
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 12 && !d.all_equal() &&
                               weighted_sum(d, first) % 11 % 10 == d[10] &&
                               weighted_sum(d, second) % 11 % 10 == d[11]);
}
std::size_t ru_snils(const Candidate& candidate) {
  static constexpr int weights[] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
  const Digits d(candidate.value);
  const auto check = static_cast<std::uint64_t>(weighted_sum(d, weights) % 101 % 100);
  return all_if(candidate, d.size == 11 && d.number(0, 9) > 1'001'998 && check == d.number(9, 2));
}

// Kazakhstan: day of birth, sex and century, serial; two rows of weights mod 11.
std::size_t kz_iin(const Candidate& candidate) {
  static constexpr int first[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  static constexpr int second[] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2};
  const Digits d(candidate.value);
  if (d.size != 12 || !month_and_day(d, 2, 4) || d[6] > 6) return 0;
  int check = weighted_sum(d, first) % 11;
  if (check == 10) check = weighted_sum(d, second) % 11;
  return all_if(candidate, check == d[11]);
}

std::size_t md_idnp(const Candidate& candidate) {
  static constexpr int weights[] = {7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1};
  const Digits d(candidate.value);
  return all_if(candidate,
                d.size == 13 && (d[0] == 0 || d[0] == 2) && weighted_sum(d, weights) % 10 == d[12]);
}

// Germany: number of the pension fund (area, day of birth, letter of the name), of the health
// fund, and of the identity card as ICAO counts.
std::size_t de_pension_number(const Candidate& candidate) {
  static constexpr int weights[] = {2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1};
  const Alnum text(candidate.value);
  if (text.size != 12 || !text.is_number(0, 8) || !is_alpha(text.byte[8]) || !text.is_number(9, 3))
    return 0;
  const Digits date(text.view().substr(2, 6));
  if (!month_and_day(date, 2, 0)) return 0;
  const int letter = text.byte[8] - 'A' + 1;
  const std::array<int, 12> digits = {text.value(0), text.value(1), text.value(2), text.value(3),
                                      text.value(4), text.value(5), text.value(6), text.value(7),
                                      letter / 10,   letter % 10,   text.value(9), text.value(10)};
  int sum = 0;
  for (std::size_t i = 0; i < 12; ++i) sum += cross_sum(digits[i] * weights[i]);
  return all_if(candidate, sum % 10 == text.value(11));
}
std::size_t de_health_number(const Candidate& candidate) {
  const Alnum text(candidate.value);
  if (text.size != 10 || !is_alpha(text.byte[0]) || !text.is_number(1, 9)) return 0;
  const int letter = text.byte[0] - 'A' + 1;
  int sum = letter / 10 + cross_sum(2 * (letter % 10));
  for (std::size_t i = 1; i < 9; ++i) sum += cross_sum(text.value(i) * (i % 2 == 1 ? 1 : 2));
  return all_if(candidate, sum % 10 == text.value(9));
}
std::size_t icao_document(const Candidate& candidate) {
  static constexpr int weights[] = {7, 3, 1};
  const Alnum text(candidate.value);
  if (text.size != 10 || !is_digit(text.byte[9])) return 0;
  int sum = 0;
  for (std::size_t i = 0; i < 9; ++i) sum += text.value(i) * weights[i % 3];
  return all_if(candidate, sum % 10 == text.value(9));
}

// France: the last three digits of a tax number are the first ten mod 511.
std::size_t fr_tax_number(const Candidate& candidate) {
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 13 && d[0] <= 3 && d.number(0, 10) % 511 == d.number(10, 3));
}

// Britain: taxpayer reference (the first digit checks the rest), Scottish CHI number (a day of
// birth before what an NHS number has), driving licence (five letters of the name, day of birth).
std::size_t uk_utr(const Candidate& candidate) {
  static constexpr int weights[] = {0, 6, 7, 8, 9, 10, 5, 4, 3, 2};
  const Digits d(candidate.value);
  return all_if(
      candidate,
      d.size == 10 && !d.all_equal() &&
          '0' + d[0] == "21987654321"[static_cast<std::size_t>(weighted_sum(d, weights) % 11)]);
}
std::size_t uk_chi(const Candidate& candidate) {
  static constexpr int weights[] = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
  const Digits d(candidate.value);
  return all_if(candidate,
                d.size == 10 && month_and_day(d, 2, 0) && weighted_sum(d, weights) % 11 == 0);
}
std::size_t uk_driving_licence(const Candidate& candidate) {
  const Alnum text(candidate.value);
  if (text.size < 16 || !text.is_number(5, 6)) return 0;
  const std::string_view name = text.view().substr(0, 5);
  const std::size_t letters = name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  if (letters == 0 || name.find_first_not_of('9', std::min<std::size_t>(letters, 5)) < 5) return 0;
  const int month = text.value(6) % 5 * 10 + text.value(7);  // women add 50
  const int day = text.value(8) * 10 + text.value(9);
  return all_if(candidate, calendar_day(2000, month, day));
}

std::size_t it_vat_number(const Candidate& candidate) {
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 11 && d.number(0, 7) != 0 && luhn(d));
}

// Spain: province and number mod 97.
std::size_t es_social_security(const Candidate& candidate) {
  const Digits d(candidate.value);
  if (d.size != 12 || d.number(0, 2) == 0 || d.number(0, 2) > 66) return 0;
  const std::uint64_t number = d.number(2, 8);
  const std::uint64_t base =
      d.number(0, 2) * (number < 10'000'000 ? 10'000'000 : 100'000'000) + number;
  return all_if(candidate, base % 97 == d.number(10, 2));
}

// Poland: tax number, and the identity card with its check digit behind the letters.
std::size_t pl_nip(const Candidate& candidate) {
  static constexpr int weights[] = {6, 5, 7, 2, 3, 4, 5, 6, 7};
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 10 && !d.all_equal() && weighted_sum(d, weights) % 11 == d[9]);
}
std::size_t pl_identity_card(const Candidate& candidate) {
  static constexpr int weights[] = {7, 3, 1, 9, 7, 3, 1, 7, 3};
  const Alnum text(candidate.value);
  if (text.size != 9 || !text.is_number(3, 6)) return 0;
  int sum = 0;
  for (std::size_t i = 0; i < 9; ++i) sum += text.value(i) * weights[i];
  return all_if(candidate, sum % 10 == 0);
}

// Portugal: citizen card (Luhn from the left, letters count 10 to 35), social security by primes.
std::size_t pt_citizen_card(const Candidate& candidate) {
  const Alnum text(candidate.value);
  if (text.size != 12 || !text.is_number(0, 9) || !is_digit(text.byte[11])) return 0;
  int sum = 0;
  for (std::size_t i = 0; i < 12; ++i) {
    const int value = text.value(i) * (i % 2 == 0 ? 2 : 1);
    sum += i % 2 == 0 && value > 9 ? value - 9 : value;
  }
  return all_if(candidate, sum % 10 == 0);
}
std::size_t pt_niss(const Candidate& candidate) {
  static constexpr int weights[] = {29, 23, 19, 17, 13, 11, 7, 5, 3, 2};
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 11 && (d[0] == 1 || d[0] == 2) &&
                               9 - weighted_sum(d, weights) % 10 == d[10]);
}

std::size_t bg_foreigner(const Candidate& candidate) {
  static constexpr int weights[] = {21, 19, 17, 13, 11, 9, 7, 3, 1};
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 10 && !d.all_equal() && weighted_sum(d, weights) % 10 == d[9]);
}

constexpr NamedValidator table[] = {
    {"baltic_personal_code", baltic_personal_code, "two rows of weights mod 11 and date"},
    {"lv_personal_code", lv_personal_code, "weights mod 11 and date, or 32"},
    {"jmbg", jmbg, "weights mod 11 and date"},
    {"hr_oib", hr_oib, "ISO 7064 MOD 11,10"},
    {"si_tax_number", si_tax_number, "weights mod 11"},
    {"hu_tax_number", hu_tax_number, "8 and weights mod 11"},
    {"hu_taj", hu_taj, "weights mod 10"},
    {"gr_afm", gr_afm, "powers of two mod 11"},
    {"gr_amka", gr_amka, "Luhn and date"},
    {"ie_pps", ie_pps, "mod 23 letter"},
    {"is_kennitala", is_kennitala, "weights mod 11, date and century"},
    {"lu_matricule", lu_matricule, "Luhn, Verhoeff and date"},
    {"cy_tax_code", cy_tax_code, "table and mod 26 letter"},
    {"ua_tax_number", ua_tax_number, "weights mod 11"},
    {"ru_inn", ru_inn, "two mod 11 digits"},
    {"ru_snils", ru_snils, "weights mod 101"},
    {"kz_iin", kz_iin, "two rows of weights mod 11 and date"},
    {"md_idnp", md_idnp, "weights mod 10"},
    {"de_pension_number", de_pension_number, "weights mod 10 and date"},
    {"de_health_number", de_health_number, "Luhn over letter and digits"},
    {"icao_document", icao_document, "nine characters and their ICAO 9303 check digit"},
    {"fr_tax_number", fr_tax_number, "mod 511 key"},
    {"uk_utr", uk_utr, "weights mod 11 in front"},
    {"uk_chi", uk_chi, "weights mod 11 and date"},
    {"uk_driving_licence", uk_driving_licence, "name, date and places of digits"},
    {"it_vat_number", it_vat_number, "Luhn"},
    {"es_social_security", es_social_security, "province and mod 97 key"},
    {"pl_nip", pl_nip, "weights mod 11"},
    {"pl_identity_card", pl_identity_card, "weights mod 10"},
    {"pt_citizen_card", pt_citizen_card, "Luhn over digits and letters"},
    {"pt_niss", pt_niss, "primes mod 10"},
    {"bg_foreigner", bg_foreigner, "weights mod 10"},
};

}  // namespace

std::span<const NamedValidator> european_validators() {
  return table;
}

}  // namespace gatehouse::inspect
