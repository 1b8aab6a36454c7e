// Validators for numbers that states outside Europe give to people, and for those of American
// health care and banks. Each as its authority publishes it.
#include <algorithm>
#include <array>
#include <cstdint>

#include "inspect/validator_tools.h"

namespace gatehouse::inspect {
namespace {

// ── the Middle East and Africa ───────────────────────────────────────────────────────────────────

std::size_t il_identity(const Candidate& candidate) {
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 9 && !d.all_equal() && luhn(d));
}

std::size_t ae_emirates_id(const Candidate& candidate) {
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 15 && d.number(0, 3) == 784 && d.number(3, 4) >= 1900 &&
                               d.number(3, 4) < 2100 && luhn(d));
}

// Saudi Arabia: 1 for citizens, 2 for residents.
std::size_t sa_identity(const Candidate& candidate) {
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 10 && (d[0] == 1 || d[0] == 2) && !d.all_equal() && luhn(d));
}

std::size_t kw_civil_id(const Candidate& candidate) {
  static constexpr int weights[] = {2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 12 && d[0] >= 1 && d[0] <= 3 && month_and_day(d, 3, 5) &&
                               11 - weighted_sum(d, weights) % 11 == d[11]);
}

// Egypt: century, day of birth, governorate. How the last digit checks is not published.
std::size_t eg_national_id(const Candidate& candidate) {
  const Digits d(candidate.value);
  const std::uint64_t place = d.number(7, 2);
  const bool known = (place >= 1 && place <= 4) || (place >= 11 && place <= 19) ||
                     (place >= 21 && place <= 29) || (place >= 31 && place <= 35) || place == 88;
  return all_if(candidate,
                d.size == 14 && (d[0] == 2 || d[0] == 3) && month_and_day(d, 3, 5) && known);
}

std::size_t ir_national_code(const Candidate& candidate) {
  static constexpr int weights[] = {10, 9, 8, 7, 6, 5, 4, 3, 2};
  const Digits d(candidate.value);
  const int rest = weighted_sum(d, weights) % 11;
  return all_if(candidate, d.size == 10 && !d.all_equal() && d[9] == (rest < 2 ? rest : 11 - rest));
}

// ── Asia ─────────────────────────────────────────────────────────────────────────────────────────

std::size_t jp_my_number(const Candidate& candidate) {
  static constexpr int weights[] = {6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
  const Digits d(candidate.value);
  const int rest = weighted_sum(d, weights) % 11;
  return all_if(candidate, d.size == 12 && !d.all_equal() && d[11] == (rest < 2 ? 0 : 11 - rest));
}

// Taiwan: the letter is two digits by the order of districts.
std::size_t tw_national_id(const Candidate& candidate) {
  static constexpr std::string_view order = "ABCDEFGHJKLMNPQRSTUVXYWZIO";
  static constexpr int weights[] = {8, 7, 6, 5, 4, 3, 2, 1};
  const Alnum text(candidate.value);
  if (text.size != 10 || !text.is_number(1, 9)) return 0;
  const std::size_t place = order.find(text.byte[0]);
  if (place == std::string_view::npos || std::string_view("1289").find(text.byte[1]) > 3) return 0;
  const int letter = static_cast<int>(place) + 10;
  int sum = letter / 10 + 9 * (letter % 10) + text.value(9);
  for (std::size_t i = 0; i < 8; ++i) sum += text.value(i + 1) * weights[i];
  return all_if(candidate, sum % 10 == 0);
}

// Hong Kong: one or two letters, six digits, and a character that makes the sum a multiple of 11.
std::size_t hk_identity(const Candidate& candidate) {
  const Alnum text(candidate.value);
  const std::size_t letters = text.size - std::min<std::size_t>(text.size, 7);
  if (letters < 1 || letters > 2 || !text.is_number(letters, 6)) return 0;
  if (!is_alpha(text.byte[0]) || !is_alpha(text.byte[letters - 1])) return 0;
  const char last = text.byte[text.size - 1];
  if (is_alpha(last) && last != 'A') return 0;
  int sum = letters == 1 ? 9 * 36 + 8 * text.value(0) : 9 * text.value(0) + 8 * text.value(1);
  for (std::size_t i = 0; i < 6; ++i) sum += (7 - static_cast<int>(i)) * text.value(letters + i);
  return all_if(candidate, (sum + text.value(text.size - 1)) % 11 == 0);
}

// Malaysia: day of birth and a place of birth that is given out.
std::size_t my_identity(const Candidate& candidate) {
  const Digits d(candidate.value);
  const std::uint64_t place = d.number(6, 2);
  const bool known = (place >= 1 && place <= 16) || (place >= 21 && place <= 68) ||
                     (place >= 71 && place <= 93 && place != 73 && place != 80 && place != 81) ||
                     place >= 98;
  return all_if(candidate, d.size == 12 && month_and_day(d, 2, 4) && known);
}

// Indonesia: province, district, day of birth (women add 40).
std::size_t id_nik(const Candidate& candidate) {
  const Digits d(candidate.value);
  const std::uint64_t province = d.number(0, 2);
  const bool known = (province >= 11 && province <= 21) || (province >= 31 && province <= 36) ||
                     (province >= 51 && province <= 53) || (province >= 61 && province <= 65) ||
                     (province >= 71 && province <= 76) || (province >= 81 && province <= 82) ||
                     (province >= 91 && province <= 97);
  const int day = static_cast<int>(d.number(6, 2)) % 40;
  return all_if(candidate, d.size == 16 && known && d.number(12, 4) != 0 &&
                               calendar_day(2000, static_cast<int>(d.number(8, 2)), day));
}

// Vietnam: a province's code, then century and sex.
std::size_t vn_citizen_id(const Candidate& candidate) {
  static constexpr std::uint8_t provinces[] = {
      1,  2,  4,  6,  8,  10, 11, 12, 14, 15, 17, 19, 20, 22, 24, 25, 26, 27, 30, 31, 33,
      34, 35, 36, 37, 38, 40, 42, 44, 45, 46, 48, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66,
      67, 68, 70, 72, 74, 75, 77, 79, 80, 82, 83, 84, 86, 87, 89, 91, 92, 93, 94, 95, 96};
  const Digits d(candidate.value);
  return all_if(candidate,
                d.size == 12 && d[3] <= 3 &&
                    std::binary_search(std::begin(provinces), std::end(provinces), d.number(0, 3)));
}

// Sri Lanka: year and day of the year (women add 500), in the old form and the new.
std::size_t lk_nic(const Candidate& candidate) {
  const Digits d(candidate.value);
  const std::size_t at = d.size == 12 ? 4 : 2;
  const std::uint64_t day = d.number(at, 3) % 500;
  const bool old_form = d.size == 9 && candidate.value.size() == 10;
  const bool new_form = d.size == 12 && d.number(0, 4) >= 1900 && d.number(0, 4) < 2100;
  return all_if(candidate, (old_form || new_form) && day >= 1 && day <= 366);
}

// Pakistan: a division's digit, and not all the same.
std::size_t pk_cnic(const Candidate& candidate) {
  const Digits d(candidate.value);
  return all_if(candidate,
                d.size == 13 && d[0] >= 1 && d[0] <= 8 && d.number(5, 7) != 0 && !d.all_equal());
}

// India: state, permanent account number, and a check character mod 36.
std::size_t in_gstin(const Candidate& candidate) {
  const Alnum text(candidate.value);
  if (text.size != 15 || !text.is_number(0, 2)) return 0;
  const int state = text.value(0) * 10 + text.value(1);
  if (state < 1 || (state > 38 && state != 97 && state != 99)) return 0;
  int sum = 0;
  for (std::size_t i = 0; i < 14; ++i) {
    const int product = text.value(i) * (i % 2 == 0 ? 1 : 2);
    sum += product / 36 + product % 36;
  }
  return all_if(candidate, (36 - sum % 36) % 36 == text.value(14));
}

// ── Latin America ────────────────────────────────────────────────────────────────────────────────

bool andean_check(const Digits& d) {
  static constexpr int weights[] = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
  const int rest = 11 - weighted_sum(d, weights) % 11;
  return d.size == 11 && rest % 11 == d[10];
}

std::size_t ar_cuit(const Candidate& candidate) {
  const Digits d(candidate.value);
  const std::uint64_t kind = d.number(0, 2);
  const bool known = kind == 20 || (kind >= 23 && kind <= 27) || kind == 30 || kind == 33 ||
                     kind == 34 || kind == 50 || kind == 51 || kind == 55;
  return all_if(candidate, known && andean_check(d));
}

std::size_t pe_ruc(const Candidate& candidate) {
  static constexpr int weights[] = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
  const Digits d(candidate.value);
  const std::uint64_t kind = d.number(0, 2);
  const bool known = kind == 10 || kind == 15 || kind == 16 || kind == 17 || kind == 20;
  const int check = (11 - weighted_sum(d, weights) % 11) % 10;
  return all_if(candidate, d.size == 11 && known && check == d[10]);
}

// Chile: weights 2 to 7 from the right, mod 11; ten is K.
std::size_t cl_rut(const Candidate& candidate) {
  const Alnum text(candidate.value);
  if (text.size < 8 || text.size > 9 || !text.is_number(0, text.size - 1)) return 0;
  int sum = 0;
  for (std::size_t i = 0; i + 1 < text.size; ++i)
    sum += text.value(text.size - 2 - i) * (2 + static_cast<int>(i % 6));
  return all_if(candidate,
                text.byte[text.size - 1] == "0K987654321"[static_cast<std::size_t>(sum % 11)]);
}

std::size_t co_nit(const Candidate& candidate) {
  static constexpr int primes[] = {3, 7, 13, 17, 19, 23, 29, 37, 41, 43};
  const Digits d(candidate.value);
  if (d.size < 9 || d.size > 11 || d.all_equal()) return 0;
  int sum = 0;
  for (std::size_t i = 0; i + 1 < d.size; ++i) sum += d[d.size - 2 - i] * primes[i];
  return all_if(candidate,
                '0' + d[d.size - 1] == "01987654321"[static_cast<std::size_t>(sum % 11)]);
}

// Ecuador: a province, then Luhn; the third digit of people is below six.
std::size_t ec_cedula(const Candidate& candidate) {
  const Digits d(candidate.value);
  const std::uint64_t province = d.number(0, 2);
  const bool known = (province >= 1 && province <= 24) || province == 30;
  return all_if(candidate, d.size == 10 && known && d[2] < 6 && luhn(d));
}

std::size_t uy_cedula(const Candidate& candidate) {
  static constexpr int weights[] = {2, 9, 8, 7, 6, 3, 4};
  const Digits d(candidate.value);
  return all_if(candidate,
                d.size == 8 && !d.all_equal() && (10 - weighted_sum(d, weights) % 10) % 10 == d[7]);
}

std::size_t ve_rif(const Candidate& candidate) {
  static constexpr int weights[] = {3, 2, 7, 6, 5, 4, 3, 2};
  static constexpr std::string_view letters = "VEJPG";
  const Alnum text(candidate.value);
  if (text.size != 10 || !text.is_number(1, 9)) return 0;
  const std::size_t letter = letters.find(text.byte[0]);
  if (letter == std::string_view::npos) return 0;
  const int sum =
      4 * (static_cast<int>(letter) + 1) + weighted_sum(Digits(text.view().substr(1)), weights);
  return all_if(candidate, text.byte[9] == "00987654321"[static_cast<std::size_t>(sum % 11)]);
}

std::size_t luhn11(const Candidate& candidate) {
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 11 && !d.all_equal() && luhn(d));
}

// Mexico: CURP (day of birth, state, check digit), RFC of people (mod 11), CLABE of banks.
bool mexican_day(const Alnum& text, std::size_t at) {
  return text.is_number(at, 6) && month_and_day(Digits(text.view().substr(at, 6)), 2, 4);
}
std::size_t mx_curp(const Candidate& candidate) {
  const Alnum text(candidate.value);
  if (text.size != 18 || !is_digit(text.byte[17]) || !mexican_day(text, 4)) return 0;
  int sum = 0;
  for (std::size_t i = 0; i < 17; ++i) {
    // The alphabet has an N with tilde behind N.
    const int value = text.value(i) + (text.byte[i] > 'N' ? 1 : 0);
    sum += value * (18 - static_cast<int>(i));
  }
  return all_if(candidate, (10 - sum % 10) % 10 == text.value(17));
}
std::size_t mx_rfc(const Candidate& candidate) {
  static constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ";
  const Alnum text(candidate.value);
  if (text.size != 13 || !mexican_day(text, 4)) return 0;
  int sum = 0;
  for (std::size_t i = 0; i < 12; ++i)
    sum += static_cast<int>(alphabet.find(text.byte[i])) * (13 - static_cast<int>(i));
  return all_if(candidate, text.byte[12] == "0A987654321"[static_cast<std::size_t>(sum % 11)]);
}
std::size_t mx_clabe(const Candidate& candidate) {
  static constexpr int weights[] = {3, 7, 1, 3, 7, 1, 3, 7, 1, 3, 7, 1, 3, 7, 1, 3, 7};
  const Digits d(candidate.value);
  if (d.size != 18 || d.all_equal()) return 0;
  int sum = 0;
  for (std::size_t i = 0; i < 17; ++i) sum += d[i] * weights[i] % 10;
  return all_if(candidate, (10 - sum % 10) % 10 == d[17]);
}

// Brazil: PIS or NIS of workers, the health card, the driving licence.
std::size_t br_pis(const Candidate& candidate) {
  static constexpr int weights[] = {3, 2, 9, 8, 7, 6, 5, 4, 3, 2};
  const Digits d(candidate.value);
  const int rest = weighted_sum(d, weights) % 11;
  return all_if(candidate, d.size == 11 && !d.all_equal() && d[10] == (rest < 2 ? 0 : 11 - rest));
}
std::size_t br_cns(const Candidate& candidate) {
  static constexpr int weights[] = {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
  const Digits d(candidate.value);
  const bool kind = d[0] == 1 || d[0] == 2 || d[0] >= 7;
  return all_if(candidate,
                d.size == 15 && kind && !d.all_equal() && weighted_sum(d, weights) % 11 == 0);
}
std::size_t br_driving_licence(const Candidate& candidate) {
  static constexpr int falling[] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
  static constexpr int rising[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const Digits d(candidate.value);
  if (d.size != 11 || d.all_equal()) return 0;
  const int first = weighted_sum(d, falling) % 11;
  int second = weighted_sum(d, rising) % 11;
  if (first > 9) second -= 2;
  if (second < 0) second += 11;
  return all_if(candidate, d[9] == (first > 9 ? 0 : first) && d[10] == (second > 9 ? 0 : second));
}

// ── the United States ────────────────────────────────────────────────────────────────────────────

// The word that says ZIP is the last one before the number: no ending of a file's name ("x.zip"),
// and on its line.
std::size_t us_zip(const Candidate& candidate) {
  if (Digits(candidate.value).size < 5) return 0;
  std::string_view before = candidate.before;
  const std::size_t line = before.find_last_of("\r\n");
  const bool cut = line != std::string_view::npos;
  if (cut) before.remove_prefix(line + 1);
  const auto begins = [before](std::size_t at, std::string_view word) {
    return std::ranges::equal(before.substr(at, word.size()), word, {}, folded);
  };
  for (std::size_t at = before.size(); at-- > 0;)
    if (begins(at, "zip") || begins(at, "post"))
      return all_if(candidate, at == 0 || before[at - 1] != '.');
  return all_if(candidate, !cut);
}

std::size_t us_routing(const Candidate& candidate) {
  static constexpr int weights[] = {3, 7, 1, 3, 7, 1, 3, 7, 1};
  const Digits d(candidate.value);
  const std::uint64_t bank = d.number(0, 2);
  const bool known =
      bank <= 12 || (bank >= 21 && bank <= 32) || (bank >= 61 && bank <= 72) || bank == 80;
  return all_if(candidate,
                d.size == 9 && known && !d.all_equal() && weighted_sum(d, weights) % 10 == 0);
}

// Prefixes that the campuses of the IRS never used.
std::size_t us_ein(const Candidate& candidate) {
  static constexpr std::uint8_t unused[] = {0,  7,  8,  9,  17, 18, 19, 28, 29,
                                            49, 69, 70, 78, 79, 89, 96, 97};
  const Digits d(candidate.value);
  return all_if(candidate,
                d.size == 9 && d.number(2, 7) != 0 && !d.all_equal() &&
                    !std::binary_search(std::begin(unused), std::end(unused), d.number(0, 2)));
}

// A provider's number is Luhn with 80840, the issuer, before it.
std::size_t us_npi(const Candidate& candidate) {
  const Digits d(candidate.value);
  if (d.size != 10 || (d[0] != 1 && d[0] != 2) || d.all_equal()) return 0;
  Digits whole("80840");
  std::copy_n(d.digit.begin(), 10, whole.digit.begin() + 5);
  whole.size = 15;
  return all_if(candidate, luhn(whole));
}

std::size_t us_dea(const Candidate& candidate) {
  const Alnum text(candidate.value);
  if (text.size != 9 || !text.is_number(2, 7)) return 0;
  const int odd = text.value(2) + text.value(4) + text.value(6);
  const int even = text.value(3) + text.value(5) + text.value(7);
  return all_if(candidate, (odd + 2 * even) % 10 == text.value(8));
}

// ── Australia and New Zealand ────────────────────────────────────────────────────────────────────

std::size_t au_abn(const Candidate& candidate) {
  static constexpr int weights[] = {10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19};
  const Digits d(candidate.value);
  return all_if(candidate,
                d.size == 11 && d[0] != 0 && (weighted_sum(d, weights) - weights[0]) % 89 == 0);
}
std::size_t au_acn(const Candidate& candidate) {
  static constexpr int weights[] = {8, 7, 6, 5, 4, 3, 2, 1};
  const Digits d(candidate.value);
  return all_if(candidate,
                d.size == 9 && !d.all_equal() && (10 - weighted_sum(d, weights) % 10) % 10 == d[8]);
}
std::size_t au_ihi(const Candidate& candidate) {
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 16 && d.number(0, 5) == 80036 && luhn(d));
}

// New Zealand: IRD with a second row of weights; NHI with letters but I and O.
std::size_t nz_ird(const Candidate& candidate) {
  static constexpr int first[] = {3, 2, 7, 6, 5, 4, 3, 2};
  static constexpr int second[] = {7, 4, 3, 2, 5, 2, 7, 6};
  const Digits given(candidate.value);
  if (given.size < 8 || given.size > 9) return 0;
  Digits d(std::string_view{});
  std::copy_n(given.digit.begin(), given.size, d.digit.begin() + (given.size == 8 ? 1 : 0));
  d.size = 9;
  if (d.number(0, 9) < 10'000'000 || d.number(0, 9) > 150'000'000) return 0;
  int check = (11 - weighted_sum(d, first) % 11) % 11;
  if (check == 10) check = (11 - weighted_sum(d, second) % 11) % 11;
  return all_if(candidate, check == d[8]);
}
std::size_t nz_nhi(const Candidate& candidate) {
  static constexpr std::string_view letters = "ABCDEFGHJKLMNPQRSTUVWXYZ";
  const Alnum text(candidate.value);
  if (text.size != 7 || !text.is_number(3, 2)) return 0;
  const auto value = [&text](std::size_t i) {
    return is_digit(text.byte[i]) ? text.value(i)
                                  : static_cast<int>(letters.find(text.byte[i])) + 1;
  };
  int sum = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    if (is_alpha(text.byte[i]) && letters.find(text.byte[i]) > 23) return 0;
    sum += value(i) * (7 - static_cast<int>(i));
  }
  const bool old_form = is_digit(text.byte[5]) && is_digit(text.byte[6]) && sum % 11 != 0 &&
                        (11 - sum % 11) % 10 == text.value(6);
  const bool new_form =
      is_alpha(text.byte[5]) && is_alpha(text.byte[6]) && 23 - sum % 23 == value(6);
  return all_if(candidate, old_form || new_form);
}

constexpr NamedValidator table[] = {
    {"il_identity", il_identity, "Luhn"},
    {"ae_emirates_id", ae_emirates_id, "784, year and Luhn"},
    {"sa_identity", sa_identity, "Luhn"},
    {"kw_civil_id", kw_civil_id, "weights mod 11 and date"},
    {"eg_national_id", eg_national_id, "date and governorate"},
    {"ir_national_code", ir_national_code, "weights mod 11"},
    {"jp_my_number", jp_my_number, "weights mod 11"},
    {"tw_national_id", tw_national_id, "weights mod 10"},
    {"hk_identity", hk_identity, "weights mod 11"},
    {"my_identity", my_identity, "date and place of birth"},
    {"id_nik", id_nik, "province and date"},
    {"vn_citizen_id", vn_citizen_id, "province, century and sex"},
    {"lk_nic", lk_nic, "day of the year"},
    {"pk_cnic", pk_cnic, "division"},
    {"in_gstin", in_gstin, "state and mod 36 character"},
    {"ar_cuit", ar_cuit, "kind and weights mod 11"},
    {"pe_ruc", pe_ruc, "kind and weights mod 11"},
    {"cl_rut", cl_rut, "weights mod 11"},
    {"co_nit", co_nit, "primes mod 11"},
    {"ec_cedula", ec_cedula, "province and Luhn"},
    {"uy_cedula", uy_cedula, "weights mod 10"},
    {"ve_rif", ve_rif, "weights mod 11"},
    {"luhn11", luhn11, "eleven digits and Luhn"},
    {"mx_curp", mx_curp, "weights mod 10 and date"},
    {"mx_rfc", mx_rfc, "weights mod 11 and date"},
    {"mx_clabe", mx_clabe, "weights mod 10"},
    {"br_pis", br_pis, "weights mod 11"},
    {"br_cns", br_cns, "weights mod 11"},
    {"br_driving_licence", br_driving_licence, "two mod 11 digits"},
    {"us_routing", us_routing, "weights mod 10 and Federal Reserve district"},
    {"us_zip", us_zip, "the word on its line, and no ending of a file's name"},
    {"us_ein", us_ein, "prefixes in use"},
    {"us_npi", us_npi, "Luhn with the issuer's number"},
    {"us_dea", us_dea, "weights mod 10"},
    {"au_abn", au_abn, "weights mod 89"},
    {"au_acn", au_acn, "weights mod 10"},
    {"au_ihi", au_ihi, "80036 and Luhn"},
    {"nz_ird", nz_ird, "two rows of weights mod 11"},
    {"nz_nhi", nz_nhi, "weights mod 11 or 23"},
};

}  // namespace

std::span<const NamedValidator> world_validators() {
  return table;
}

}  // namespace gatehouse::inspect
