// Validators for numbers with published check digits: payment cards, bank accounts, national and
// tax identifiers. Where the standard's chance of accepting a random number is high, the rule asks
// for context or for the number's own separators.
#include <algorithm>
#include <array>
#include <cstdint>

#include "inspect/validator_tools.h"

namespace gatehouse::inspect {
namespace {

// ISO/IEC 7812 issuer ranges and the lengths they use.
bool card_length_fits(const Digits& d) {
  const auto first = [&d](std::size_t count) { return d.number(0, count); };
  const std::size_t n = d.size;
  if (d[0] == 4) return n == 13 || n == 16 || n == 19;       // Visa
  if (first(2) >= 51 && first(2) <= 55) return n == 16;      // Mastercard
  if (first(4) >= 2221 && first(4) <= 2720) return n == 16;  // Mastercard
  if (first(2) == 34 || first(2) == 37) return n == 15;      // Amex
  if (first(4) == 6011 || first(2) == 65 || (first(3) >= 644 && first(3) <= 649))
    return n >= 16 && n <= 19;                                          // Discover
  if (first(4) >= 3528 && first(4) <= 3589) return n >= 16 && n <= 19;  // JCB
  if (first(2) == 36) return n >= 14 && n <= 19;                        // Diners
  if ((first(3) >= 300 && first(3) <= 305) || first(2) == 38 || first(2) == 39)
    return n >= 14 && n <= 19;                                          // Diners
  if (first(2) == 62 || first(2) == 81) return n >= 16 && n <= 19;      // UnionPay
  if (first(2) == 60 || first(3) == 508) return n == 16;                // RuPay
  if (first(4) >= 2200 && first(4) <= 2204) return n >= 16 && n <= 19;  // Mir
  if (first(2) == 50 || (first(2) >= 56 && first(2) <= 58) || first(2) == 67 || first(4) == 6304)
    return n == 16 || n == 18 || n == 19;  // Maestro
  return false;
}

bool decimal_fraction(std::string_view before) {
  return before.size() >= 2 && before.back() == '.' && is_digit(before[before.size() - 2]);
}

// "blk_-4980916519894289629", "offset=-4111111111111111".
bool is_negative(std::string_view before) {
  return before.size() >= 2 && before.back() == '-' &&
         std::string_view("_=,([").contains(before[before.size() - 2]);
}

// The longest beginning that is a card number: what follows may be its expiry or code.
std::size_t card(const Candidate& candidate) {
  const std::string_view text = candidate.value;
  if (decimal_fraction(candidate.before) || is_negative(candidate.before)) return 0;
  for (std::size_t end = text.size(); end >= 13; --end) {
    if (!is_digit(text[end - 1]) || (end < text.size() && is_digit(text[end]))) continue;
    const Digits digits(text.substr(0, end));
    if (card_length_fits(digits) && luhn(digits) && !digits.all_equal()) return end;
  }
  return 0;
}

// A track of a magnetic stripe: the number ends at ^ or =.
std::size_t card_track(const Candidate& candidate) {
  const std::string_view text = candidate.value;
  const Digits digits(text.substr(0, text.find_first_of("^=")));
  return all_if(candidate, card_length_fits(digits) && luhn(digits) && !digits.all_equal());
}

struct IbanForm {
  std::string_view country;
  // What follows the check digits: so many digits (n), letters (a) or either (c).
  std::string_view account;
};

// SWIFT IBAN registry. Sorted.
constexpr IbanForm iban_forms[] = {
    {"AD", "8n12c"},    {"AE", "19n"},      {"AL", "8n16c"},    {"AT", "16n"},
    {"AZ", "4a20c"},    {"BA", "16n"},      {"BE", "12n"},      {"BG", "4a6n8c"},
    {"BH", "4a14c"},    {"BI", "23n"},      {"BR", "23n1a1c"},  {"BY", "4c4n16c"},
    {"CH", "5n12c"},    {"CR", "18n"},      {"CY", "8n16c"},    {"CZ", "20n"},
    {"DE", "18n"},      {"DJ", "23n"},      {"DK", "14n"},      {"DO", "4c20n"},
    {"EE", "16n"},      {"EG", "25n"},      {"ES", "20n"},      {"FI", "14n"},
    {"FK", "2a12n"},    {"FO", "14n"},      {"FR", "10n11c2n"}, {"GB", "4a14n"},
    {"GE", "2a16n"},    {"GI", "4a15c"},    {"GL", "14n"},      {"GR", "7n16c"},
    {"GT", "24c"},      {"HN", "4a20n"},    {"HR", "17n"},      {"HU", "24n"},
    {"IE", "4a14n"},    {"IL", "19n"},      {"IQ", "4a15n"},    {"IS", "22n"},
    {"IT", "1a10n12c"}, {"JO", "4a4n18c"},  {"KW", "4a22c"},    {"KZ", "3n13c"},
    {"LB", "4n20c"},    {"LC", "4a24c"},    {"LI", "5n12c"},    {"LT", "16n"},
    {"LU", "3n13c"},    {"LV", "4a13c"},    {"LY", "21n"},      {"MC", "10n11c2n"},
    {"MD", "20c"},      {"ME", "18n"},      {"MK", "3n10c2n"},  {"MN", "16n"},
    {"MR", "23n"},      {"MT", "4a5n18c"},  {"MU", "4a19n3a"},  {"NI", "4a20n"},
    {"NL", "4a10n"},    {"NO", "11n"},      {"OM", "3n16c"},    {"PK", "4a16c"},
    {"PL", "24n"},      {"PS", "4a21c"},    {"PT", "21n"},      {"QA", "4a21c"},
    {"RO", "4a16c"},    {"RS", "18n"},      {"RU", "14n15c"},   {"SA", "2n18c"},
    {"SC", "4a20n3a"},  {"SD", "14n"},      {"SE", "20n"},      {"SI", "15n"},
    {"SK", "20n"},      {"SM", "1a10n12c"}, {"SO", "19n"},      {"ST", "21n"},
    {"SV", "4a20n"},    {"TL", "19n"},      {"TN", "20n"},      {"TR", "6n16c"},
    {"UA", "6n19c"},    {"VA", "18n"},      {"VG", "4a16n"},    {"XK", "16n"},
    {"YE", "4a4n18c"}};

struct FormPart {
  std::size_t count = 0;
  char kind = 'c';
};

// Takes the first part off a form that is not empty.
FormPart take_part(std::string_view& form) {
  FormPart part;
  while (is_digit(form.front())) {
    part.count = part.count * 10 + static_cast<std::size_t>(form.front() - '0');
    form.remove_prefix(1);
  }
  part.kind = form.front();
  form.remove_prefix(1);
  return part;
}

std::size_t length_of_form(std::string_view form) {
  std::size_t length = 0;
  while (!form.empty()) length += take_part(form).count;
  return length;
}

// `text` has the form's length.
bool has_form(std::string_view text, std::string_view form) {
  while (!form.empty()) {
    const FormPart part = take_part(form);
    const std::string_view here = text.substr(0, part.count);
    if (part.kind == 'n' && !std::ranges::all_of(here, is_digit)) return false;
    if (part.kind == 'a' && !std::ranges::all_of(here, is_alpha)) return false;
    text.remove_prefix(part.count);
  }
  return true;
}

// "9a19103f-16f7-4668-": the beginning of a UUID.
bool ends_in_group_of_uuid(std::string_view before) {
  const auto is_hex = [](char c) { return is_digit(c) || (folded(c) >= 'a' && folded(c) <= 'f'); };
  return before.size() >= 5 && before.back() == '-' &&
         std::ranges::all_of(before.substr(before.size() - 5, 4), is_hex);
}

// The country's form, then mod 97; what follows is cut off.
std::size_t iban(const Candidate& candidate) {
  const std::string_view text = candidate.value;
  if (text.size() < 15 || ends_in_group_of_uuid(candidate.before)) return 0;
  const std::array<char, 2> letters = {upper(text[0]), upper(text[1])};
  const std::string_view country(letters.data(), 2);
  const auto* const known = std::ranges::lower_bound(iban_forms, country, {}, &IbanForm::country);
  if (known == std::end(iban_forms) || known->country != country) return 0;
  const std::size_t length = 4 + length_of_form(known->account);
  std::array<char, 40> written;
  std::size_t count = 0;
  std::size_t end = 0;
  for (; end < text.size() && count < length; ++end)
    if (is_digit(text[end]) || is_alpha(text[end])) written[count++] = text[end];
  if (count != length || !has_form({written.data() + 4, count - 4}, known->account)) return 0;
  std::rotate(written.begin(), written.begin() + 4,
              written.begin() + static_cast<std::ptrdiff_t>(length));
  return mod97_is_one({written.data(), count}) ? end : 0;
}

// SSA: no 000, 666 or 9xx area, 00 group, 0000 serial; not the numbers of advertisements.
std::size_t us_ssn(const Candidate& candidate) {
  const Digits d(candidate.value);
  if (d.size != 9 || d.all_equal()) return 0;
  const std::uint64_t area = d.number(0, 3);
  const std::uint64_t whole = d.number(0, 9);
  const bool unused =
      area == 0 || area == 666 || area >= 900 || d.number(3, 2) == 0 || d.number(5, 4) == 0;
  const bool famous = whole == 123456789 || whole == 78051120 || whole == 219099999;
  return all_if(candidate, !unused && !famous);
}

// Nine digits beginning with 9, the fourth and fifth in the ranges of taxpayers.
std::size_t us_itin(const Candidate& candidate) {
  const Digits d(candidate.value);
  const std::uint64_t group = d.number(3, 2);
  const bool in_range = (group >= 50 && group <= 65) || (group >= 70 && group <= 88) ||
                        (group >= 90 && group <= 92) || (group >= 94 && group <= 99);
  return all_if(candidate, d.size == 9 && d[0] == 9 && in_range);
}

// DNI or NIE: number mod 23 names the letter.
std::size_t es_nif(const Candidate& candidate) {
  const Alnum text(candidate.value);
  if (text.size != 9) return 0;
  const char lead = text.byte[0];
  std::uint64_t number = Digits(candidate.value).number(0, 8);
  if (lead == 'Y') number += 10'000'000;
  if (lead == 'Z') number += 20'000'000;
  return all_if(candidate, text.byte[8] == "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]);
}

// Odd places by table, even places by order; the sum mod 26 names the last letter. Digits may have
// been replaced by letters (omocodia).
std::size_t it_fiscal_code(const Candidate& candidate) {
  static constexpr int odd[] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  const Alnum text(candidate.value);
  if (text.size != 16) return 0;
  int sum = 0;
  for (std::size_t i = 0; i < 15; ++i) {
    const char c = text.byte[i];
    const int order = is_digit(c) ? c - '0' : c - 'A';
    sum += i % 2 == 0 ? odd[order] : order;
  }
  return all_if(candidate, text.byte[15] == 'A' + sum % 26);
}

// Number mod 97 = 97 - key; 2A and 2B are Corsica.
std::size_t fr_nir(const Candidate& candidate) {
  const Alnum text(candidate.value);
  if (text.size != 15) return 0;
  std::uint64_t number = 0;
  std::uint64_t shift = 0;
  for (std::size_t i = 0; i < 13; ++i) {
    char c = text.byte[i];
    if (c == 'A') shift = 1'000'000;
    if (c == 'B') shift = 2'000'000;
    if (!is_digit(c)) c = '0';
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (!is_digit(text.byte[13]) || !is_digit(text.byte[14])) return 0;
  const auto key = static_cast<std::uint64_t>((text.byte[13] - '0') * 10 + (text.byte[14] - '0'));
  return all_if(candidate, key == 97 - (number - shift) % 97);
}

// One digit stands twice or three times among the first ten; ISO 7064 MOD 11,10.
std::size_t de_tax_id(const Candidate& candidate) {
  const Digits d(candidate.value);
  if (d.size != 11 || d[0] == 0) return 0;
  std::array<int, 10> count{};
  for (std::size_t i = 0; i < 10; ++i) ++count[static_cast<std::size_t>(d[i])];
  const auto repeated = std::count_if(count.begin(), count.end(), [](int n) { return n > 1; });
  const int most = *std::max_element(count.begin(), count.end());
  return all_if(candidate, repeated == 1 && most <= 3 && iso7064_mod11_10(d));
}

// The 11-test: 9,8,…,2,-1.
std::size_t nl_bsn(const Candidate& candidate) {
  static constexpr int weights[] = {9, 8, 7, 6, 5, 4, 3, 2, -1};
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 9 && !d.all_equal() && weighted_sum(d, weights) % 11 == 0);
}

// 97 - the first nine digits mod 97; those born from 2000 on put a 2 before.
std::size_t be_national_number(const Candidate& candidate) {
  const Digits d(candidate.value);
  if (d.size != 11) return 0;
  const std::uint64_t number = d.number(0, 9);
  const std::uint64_t check = d.number(9, 2);
  const bool sums = check == 97 - number % 97 || check == 97 - (2'000'000'000 + number) % 97;
  const auto month = static_cast<int>(d.number(2, 2)) % 20;  // 20 or 40 are added for bis numbers
  return all_if(candidate, sums && month <= 12 && d.number(4, 2) <= 31);
}

std::size_t pl_pesel(const Candidate& candidate) {
  static constexpr int weights[] = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1};
  const Digits d(candidate.value);
  if (d.size != 11 || weighted_sum(d, weights) % 10 != 0) return 0;
  const auto month = static_cast<int>(d.number(2, 2));
  const int century[] = {1900, 2000, 2100, 2200, 1800};
  const int year = century[month / 20] + static_cast<int>(d.number(0, 2));
  return all_if(candidate, calendar_day(year, month % 20, static_cast<int>(d.number(4, 2))));
}

std::size_t pt_nif(const Candidate& candidate) {
  static constexpr int weights[] = {9, 8, 7, 6, 5, 4, 3, 2};
  const Digits d(candidate.value);
  if (d.size != 9 || d[0] == 0 || d[0] == 4) return 0;
  const int rest = weighted_sum(d, weights) % 11;
  return all_if(candidate, d[8] == (rest < 2 ? 0 : 11 - rest) && !d.all_equal());
}

// Luhn over the last ten digits, which begin with a day (or a coordination number: day + 60).
std::size_t se_personal_number(const Candidate& candidate) {
  const Digits d(candidate.value);
  if (d.size != 10 && d.size != 12) return 0;
  const std::size_t skip = d.size - 10;
  Digits last(std::string_view{});
  std::copy_n(d.digit.begin() + static_cast<std::ptrdiff_t>(skip), 10, last.digit.begin());
  last.size = 10;
  const int day = static_cast<int>(last.number(4, 2)) % 60;
  const bool dated = calendar_day(2000, static_cast<int>(last.number(2, 2)), day);
  // "20240116-1030" names a file.
  const bool timestamp = skip == 2 && d[0] == 2 && last.number(6, 2) < 24 && last.number(8, 2) < 60;
  return all_if(candidate, dated && !timestamp && luhn(last));
}

// ddmmyy, a century sign, three digits, and number mod 31.
std::size_t fi_hetu(const Candidate& candidate) {
  const std::string_view text = candidate.value;
  if (text.size() != 11) return 0;
  const Digits d(text.substr(0, 10));
  if (d.size != 9) return 0;
  const bool dated =
      calendar_day(2000, static_cast<int>(d.number(2, 2)), static_cast<int>(d.number(0, 2)));
  return all_if(candidate,
                dated && d.number(6, 3) >= 2 &&
                    upper(text[10]) == "0123456789ABCDEFHJKLMNPRSTUVWXY"[d.number(0, 9) % 31]);
}

// Two check digits, both mod 11.
std::size_t no_birth_number(const Candidate& candidate) {
  static constexpr int first[] = {3, 7, 6, 1, 8, 9, 4, 5, 2, 1};
  static constexpr int second[] = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
  const Digits d(candidate.value);
  if (d.size != 11 || weighted_sum(d, first) % 11 != 0 || weighted_sum(d, second) % 11 != 0)
    return 0;
  const int day = static_cast<int>(d.number(0, 2)) % 40;    // D numbers add 40
  const int month = static_cast<int>(d.number(2, 2)) % 40;  // H numbers add 40
  return all_if(candidate, calendar_day(2000, month, day));
}

// The mod-11 rule was given up in 2007: the day is all there is to check.
std::size_t dk_cpr(const Candidate& candidate) {
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 10 && calendar_day(2000, static_cast<int>(d.number(2, 2)),
                                                        static_cast<int>(d.number(0, 2))));
}

std::size_t uk_nhs(const Candidate& candidate) {
  static constexpr int weights[] = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 10 && !d.all_equal() && weighted_sum(d, weights) % 11 == 0);
}

std::size_t ca_sin(const Candidate& candidate) {
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 9 && d[0] != 0 && d[0] != 8 && !d.all_equal() && luhn(d));
}

int brazil_check(const Digits& d, std::span<const int> weights) {
  const int rest = weighted_sum(d, weights) % 11;
  return rest < 2 ? 0 : 11 - rest;
}

std::size_t br_cpf(const Candidate& candidate) {
  static constexpr int first[] = {10, 9, 8, 7, 6, 5, 4, 3, 2};
  static constexpr int second[] = {11, 10, 9, 8, 7, 6, 5, 4, 3, 2};
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 11 && !d.all_equal() && d[9] == brazil_check(d, first) &&
                               d[10] == brazil_check(d, second));
}

// Since 2026 the first twelve may be letters; each counts as its place in ASCII behind the 0.
std::size_t br_cnpj(const Candidate& candidate) {
  const Alnum text(candidate.value);
  if (text.size != 14 || !text.is_number(12, 2)) return 0;
  const auto value = [&text](std::size_t i) { return text.byte[i] - '0'; };
  const auto check = [&value](std::size_t count) {
    int sum = 0;
    for (std::size_t i = 0; i < count; ++i)
      sum += value(i) * static_cast<int>(2 + (count - 1 - i) % 8);
    const int rest = sum % 11;
    return rest < 2 ? 0 : 11 - rest;
  };
  const bool all_equal =
      std::ranges::all_of(text.view(), [&text](char c) { return c == text.byte[0]; });
  return all_if(candidate, !all_equal && value(12) == check(12) && value(13) == check(13));
}

// Verhoeff; the first digit is 2 to 9; palindromes are not given out.
std::size_t in_aadhaar(const Candidate& candidate) {
  const Digits d(candidate.value);
  if (d.size != 12 || d[0] < 2 || !verhoeff(d)) return 0;
  bool palindrome = true;
  for (std::size_t i = 0; i < 6; ++i) palindrome = palindrome && d[i] == d[11 - i];
  return all_if(candidate, !palindrome);
}

// ISO 7064 MOD 11-2 over 17 digits with a birth day inside.
std::size_t cn_resident_id(const Candidate& candidate) {
  static constexpr int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  const std::string_view text = candidate.value;
  if (text.size() != 18) return 0;
  const Digits d(text.substr(0, 17));
  if (d.size != 17) return 0;
  const bool dated =
      d.number(6, 4) >= 1900 && d.number(6, 4) < 2100 &&
      calendar_day(static_cast<int>(d.number(6, 4)), static_cast<int>(d.number(10, 2)),
                   static_cast<int>(d.number(12, 2)));
  return all_if(
      candidate,
      dated && upper(text[17]) ==
                   "10X98765432"[static_cast<std::size_t>(weighted_sum(d, weights) % 11)]);
}

// Birth day, citizenship 0-2, Luhn.
std::size_t za_id(const Candidate& candidate) {
  const Digits d(candidate.value);
  const bool dated =
      calendar_day(2000, static_cast<int>(d.number(2, 2)), static_cast<int>(d.number(4, 2)));
  return all_if(candidate, d.size == 13 && dated && d[10] <= 2 && luhn(d));
}

std::size_t au_tfn(const Candidate& candidate) {
  static constexpr int weights[] = {1, 4, 3, 7, 5, 8, 6, 9, 10};
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 9 && !d.all_equal() && weighted_sum(d, weights) % 11 == 0);
}

std::size_t au_medicare(const Candidate& candidate) {
  static constexpr int weights[] = {1, 3, 7, 9, 1, 3, 7, 9};
  const Digits d(candidate.value);
  return all_if(candidate,
                d.size == 10 && d[0] >= 2 && d[0] <= 6 && weighted_sum(d, weights) % 10 == d[8]);
}

// The first digit is not zero; both check digits (7·odd - even, then the sum) mod 10.
std::size_t tr_identity(const Candidate& candidate) {
  const Digits d(candidate.value);
  if (d.size != 11 || d[0] == 0) return 0;
  const int odd = d[0] + d[2] + d[4] + d[6] + d[8];
  const int even = d[1] + d[3] + d[5] + d[7];
  const int tenth = ((7 * odd - even) % 10 + 10) % 10;
  return all_if(candidate, d[9] == tenth && d[10] == (odd + even + tenth) % 10);
}

// Two check digits, mod 11 then mod 10 rules of the 1999 law.
std::size_t kr_resident(const Candidate& candidate) {
  static constexpr int weights[] = {2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5};
  const Digits d(candidate.value);
  if (d.size != 13) return 0;
  const bool dated =
      calendar_day(2000, static_cast<int>(d.number(2, 2)), static_cast<int>(d.number(4, 2)));
  const bool kind = d[6] >= 1 && d[6] <= 8;
  return all_if(candidate, dated && kind && (11 - weighted_sum(d, weights) % 11) % 10 == d[12]);
}

// NIE-like letters of Singapore: S, T, F, G, M.
std::size_t sg_nric(const Candidate& candidate) {
  static constexpr int weights[] = {2, 7, 6, 5, 4, 3, 2};
  const Alnum text(candidate.value);
  if (text.size != 9) return 0;
  int sum = weighted_sum(Digits(text.view()), weights);
  const char lead = text.byte[0];
  if (lead == 'T' || lead == 'G') sum += 4;
  if (lead == 'M') sum += 3;
  std::string_view letters = "JZIHGFEDCBA";
  if (lead == 'F' || lead == 'G') letters = "XWUTRQPNMLK";
  if (lead == 'M') letters = "KLJNPQRTUWX";
  const auto index = static_cast<std::size_t>(lead == 'M' ? 10 - sum % 11 : sum % 11);
  return all_if(candidate, text.byte[8] == letters[index]);
}

// Weights 13…2 over the body; check digit mod 11.
std::size_t th_national_id(const Candidate& candidate) {
  static constexpr int weights[] = {13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2};
  const Digits d(candidate.value);
  return all_if(candidate,
                d.size == 13 && d[0] != 0 && (11 - weighted_sum(d, weights) % 11) % 10 == d[12]);
}

// Czech and Slovak: divisible by 11; women add 50 to the month.
std::size_t cz_birth_number(const Candidate& candidate) {
  const Digits d(candidate.value);
  const int month = static_cast<int>(d.number(2, 2)) % 50;
  const bool dated =
      calendar_day(2000, month > 20 ? month - 20 : month, static_cast<int>(d.number(4, 2)));
  return all_if(candidate, d.size == 10 && dated && d.number(0, 10) % 11 == 0);
}

std::size_t ro_cnp(const Candidate& candidate) {
  static constexpr int weights[] = {2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9};
  const Digits d(candidate.value);
  if (d.size != 13 || d[0] == 0) return 0;
  const int rest = weighted_sum(d, weights) % 11;
  const bool dated =
      calendar_day(2000, static_cast<int>(d.number(3, 2)), static_cast<int>(d.number(5, 2)));
  return all_if(candidate, dated && d[12] == (rest == 10 ? 1 : rest));
}

std::size_t bg_egn(const Candidate& candidate) {
  static constexpr int weights[] = {2, 4, 8, 5, 10, 9, 7, 3, 6};
  const Digits d(candidate.value);
  if (d.size != 10) return 0;
  const int month = static_cast<int>(d.number(2, 2)) % 20;
  return all_if(candidate, calendar_day(2000, month, static_cast<int>(d.number(4, 2))) &&
                               weighted_sum(d, weights) % 11 % 10 == d[9]);
}

// A Swiss AHV number is an EAN-13 that begins with 756.
std::size_t ch_ahv(const Candidate& candidate) {
  static constexpr int weights[] = {1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1};
  const Digits d(candidate.value);
  return all_if(candidate,
                d.size == 13 && d.number(0, 3) == 756 && weighted_sum(d, weights) % 10 == 0);
}

// Weights 3,7,9,5,8,4,2,1,6 around the serial; the day is inside.
std::size_t at_social_security(const Candidate& candidate) {
  const Digits d(candidate.value);
  if (d.size != 10 || d[0] == 0) return 0;
  const int sum = 3 * d[0] + 7 * d[1] + 9 * d[2] + 5 * d[4] + 8 * d[5] + 4 * d[6] + 2 * d[7] +
                  1 * d[8] + 6 * d[9];
  const bool dated =
      calendar_day(2000, static_cast<int>(d.number(6, 2)), static_cast<int>(d.number(4, 2)));
  return all_if(candidate, dated && sum % 11 == d[3]);
}

// ICAO 9303: weights 7, 3, 1 over digits and letters, < is 0.
bool mrz_check(std::string_view field, char check) {
  static constexpr int weights[] = {7, 3, 1};
  int sum = 0;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const char c = field[i];
    const int value = is_digit(c) ? c - '0' : c == '<' ? 0 : c - 'A' + 10;
    sum += value * weights[i % 3];
  }
  return check == '0' + sum % 10 || (check == '<' && sum == 0);
}

// The second line of a passport (TD3): number, birth and expiry each with its check digit.
std::size_t mrz_passport(const Candidate& candidate) {
  const std::string_view line = candidate.value;
  const bool ok = line.size() == 44 && mrz_check(line.substr(0, 9), line[9]) &&
                  mrz_check(line.substr(13, 6), line[19]) &&
                  mrz_check(line.substr(21, 6), line[27]);
  return all_if(candidate, ok);
}

constexpr NamedValidator table[] = {
    {"card", card, "issuer range, length and Luhn; what follows is cut off"},
    {"card_track", card_track, "as `card`, up to ^ or ="},
    {"iban", iban,
     "the country's places of digits and letters, and mod 97; what follows is cut off"},
    {"us_ssn", us_ssn, "ranges in use"},
    {"us_itin", us_itin, "ranges in use"},
    {"es_nif", es_nif, "mod 23 letter"},
    {"it_fiscal_code", it_fiscal_code, "control letter"},
    {"fr_nir", fr_nir, "mod 97 key"},
    {"de_tax_id", de_tax_id, "digit pattern and ISO 7064 MOD 11,10"},
    {"nl_bsn", nl_bsn, "11-test"},
    {"be_national_number", be_national_number, "mod 97 and date"},
    {"pl_pesel", pl_pesel, "weights mod 10 and date"},
    {"pt_nif", pt_nif, "weights mod 11"},
    {"se_personal_number", se_personal_number, "Luhn and date"},
    {"fi_hetu", fi_hetu, "mod 31 character and date"},
    {"no_birth_number", no_birth_number, "two mod 11 digits and date"},
    {"dk_cpr", dk_cpr, "date only"},
    {"uk_nhs", uk_nhs, "weights mod 11"},
    {"ca_sin", ca_sin, "Luhn"},
    {"br_cpf", br_cpf, "two mod 11 digits"},
    {"br_cnpj", br_cnpj, "two mod 11 digits over digits and letters"},
    {"in_aadhaar", in_aadhaar, "Verhoeff"},
    {"cn_resident_id", cn_resident_id, "ISO 7064 MOD 11-2 and date"},
    {"za_id", za_id, "Luhn and date"},
    {"au_tfn", au_tfn, "weights mod 11"},
    {"au_medicare", au_medicare, "weights mod 10"},
    {"tr_identity", tr_identity, "two mod 10 digits"},
    {"kr_resident", kr_resident, "weights mod 11 and date"},
    {"sg_nric", sg_nric, "weights mod 11 letter"},
    {"th_national_id", th_national_id, "weights mod 11"},
    {"cz_birth_number", cz_birth_number, "mod 11 and date"},
    {"ro_cnp", ro_cnp, "weights mod 11 and date"},
    {"bg_egn", bg_egn, "weights mod 11 and date"},
    {"ch_ahv", ch_ahv, "EAN-13"},
    {"at_social_security", at_social_security, "weights mod 11 and date"},
    {"mrz_passport", mrz_passport, "three ICAO 9303 check digits"},
};

}  // namespace

std::span<const NamedValidator> number_validators() {
  return table;
}

}  // namespace gatehouse::inspect
