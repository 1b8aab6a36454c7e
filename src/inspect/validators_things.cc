// Validators for what is tied to a person without a state's number: vehicles, devices, wallets,
// places, days of birth, papers whose numbers have no check digit.
#include <algorithm>
#include <array>
#include <cstdint>

#include "inspect/validator_tools.h"
#include "inspect/wallets.h"

namespace gatehouse::inspect {
namespace {

// ── vehicles and devices ─────────────────────────────────────────────────────────────────────────

// ISO 3779 letters as North America counts them; the ninth place checks mod 11.
constexpr std::array<int, 26> vin_values = {1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4,
                                            5, 0, 7, 0, 9, 2, 3, 4, 5, 6, 7, 8, 9};

bool vin_shape(const Alnum& text) {
  const auto letters = std::count_if(text.byte.begin(), text.byte.begin() + 17, is_alpha);
  return text.size == 17 && letters >= 3 && letters <= 13 && text.is_number(14, 3);
}

std::size_t vin(const Candidate& candidate) {
  static constexpr int weights[] = {8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2};
  const Alnum text(candidate.value);
  if (!vin_shape(text)) return 0;
  int sum = 0;
  for (std::size_t i = 0; i < 17; ++i)
    sum += weights[i] * (is_digit(text.byte[i])
                             ? text.value(i)
                             : vin_values[static_cast<std::size_t>(text.byte[i] - 'A')]);
  return all_if(candidate, text.byte[8] == "0123456789X"[static_cast<std::size_t>(sum % 11)]);
}

// Elsewhere the ninth place checks nothing.
std::size_t vin_unchecked(const Candidate& candidate) {
  return all_if(candidate, vin_shape(Alnum(candidate.value)));
}

std::size_t imei(const Candidate& candidate) {
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 15 && d[0] != 0 && !d.all_equal() && luhn(d));
}

// A subscriber's number begins with a country code for mobiles: 2 to 7.
std::size_t imsi(const Candidate& candidate) {
  const Digits d(candidate.value);
  return all_if(candidate, d.size == 15 && d[0] >= 2 && d[0] <= 7 && d[0] != 8 && !d.all_equal());
}

std::size_t iccid(const Candidate& candidate) {
  const Digits d(candidate.value);
  return all_if(candidate, d.size >= 18 && d.number(0, 2) == 89 && luhn(d));
}

// Six bytes that one interface has: not a group's, not all alike, not counting up as examples do.
std::size_t mac_address(const Candidate& candidate) {
  std::array<int, 12> nibble{};
  std::size_t size = 0;
  bool letter = false;
  for (const char c : candidate.value) {
    if (!is_digit(c) && !is_alpha(c)) continue;
    if (size == nibble.size()) return 0;
    letter = letter || is_alpha(c);
    nibble[size++] = is_digit(c) ? c - '0' : (folded(c) - 'a' + 10);
  }
  if (size != 12 || !letter || nibble[1] % 2 == 1) return 0;
  const auto byte = [&nibble](std::size_t i) { return nibble[2 * i] * 16 + nibble[2 * i + 1]; };
  bool alike = true;
  bool counting = true;
  for (std::size_t i = 1; i < 6; ++i) {
    const int step = byte(i) - byte(i - 1);
    alike = alike && step == 0;
    counting = counting && step == byte(1) - byte(0);
  }
  // Three groups are also how tables of characters are written.
  const auto most_zeros = candidate.value.size() == 14 ? 5 : 8;
  const bool few = std::count(nibble.begin(), nibble.end(), 0) > most_zeros;
  return all_if(candidate, !alike && !counting && !few);
}

// ── firms and banks ──────────────────────────────────────────────────────────────────────────────

std::size_t lei(const Candidate& candidate) {
  const Alnum text(candidate.value);
  return all_if(candidate, text.size == 20 && text.is_number(18, 2) && mod97_is_one(text.view()));
}

// ISO 3166 codes, as a bank's code has one at its fifth place.
constexpr std::string_view countries =
    "AD AE AF AG AI AL AM AO AR AT AU AW AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BW BY BZ "
    "CA CD CF CG CH CI CL CM CN CO CR CU CV CW CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FK "
    "FM FO FR GA GB GD GE GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IQ "
    "IR IS IT JE JM JO JP KE KG KH KI KM KN KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD "
    "ME MG MK ML MM MN MO MR MS MT MU MV MW MX MY MZ NA NC NE NG NI NL NO NP NZ OM PA PE PF PG PH "
    "PK PL PS PT PW PY QA RO RS RU RW SA SB SC SD SE SG SI SK SL SM SN SO SR SS ST SV SY SZ TC TD "
    "TG TH TJ TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VN VU WS XK YE ZA ZM ZW";

std::size_t bic(const Candidate& candidate) {
  const std::string_view text = candidate.value;
  if (text.size() != 8 && text.size() != 11) return 0;
  const std::size_t at = countries.find(text.substr(4, 2));
  return all_if(candidate, at != std::string_view::npos && at % 3 == 0);
}

// ── wallets ──────────────────────────────────────────────────────────────────────────────────────

std::size_t wallet_base58(const Candidate& candidate) {
  const std::string_view text = candidate.value;
  return all_if(candidate,
                text.size() >= 25 && text.size() <= 36 && base58_check(text, text.front() == 'r'));
}
std::size_t wallet_bech32(const Candidate& candidate) {
  return all_if(candidate, bech32(candidate.value) || bech32m(candidate.value));
}
std::size_t wallet_ethereum(const Candidate& candidate) {
  return all_if(candidate, ethereum_checksum(candidate.value));
}

// ── places and days ──────────────────────────────────────────────────────────────────────────────

// "-12.5" as a number of degrees; only the first 15 digits.
double degrees(std::string_view text) {
  double value = 0;
  double scale = 0;
  for (const char c : text) {
    if (c == '.') scale = 1;
    if (!is_digit(c)) continue;
    value = value * 10 + (c - '0');
    scale *= 10;
  }
  return scale > 1 ? value / scale : value;
}

// Latitude and longitude in one text: both in range, not both zero.
std::size_t coordinates(const Candidate& candidate) {
  const std::string_view text = candidate.value;
  std::array<double, 2> found{};
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size() && count < 2;) {
    if (!is_digit(text[at])) {
      ++at;
      continue;
    }
    const std::size_t end = std::min(text.find_first_not_of("0123456789.", at), text.size());
    found[count++] = degrees(text.substr(at, std::min<std::size_t>(end - at, 15)));
    at = end;
  }
  const bool in_range = count == 2 && found[0] <= 90 && found[1] <= 180;
  return all_if(candidate, in_range && (found[0] > 0 || found[1] > 0));
}

// Beginnings of the months' names in the languages of Europe, in ASCII or UTF-8, small.
constexpr std::string_view months[] = {"jan",
                                       "feb",
                                       "mar",
                                       "apr",
                                       "may",
                                       "jun",
                                       "jul",
                                       "aug",
                                       "sep",
                                       "oct",
                                       "nov",
                                       "dec",
                                       "mai",
                                       "okt",
                                       "dez",
                                       "j\xc3\xa4n",
                                       "m\xc3\xa4r",
                                       "mrz",
                                       "f\xc3\xa9v",
                                       "fev",
                                       "avr",
                                       "juin",
                                       "juil",
                                       "ao\xc3\xbb",
                                       "aou",
                                       "d\xc3\xa9"
                                       "c",
                                       "ene",
                                       "abr",
                                       "ago",
                                       "dic",
                                       "set",
                                       "out",
                                       "gen",
                                       "mag",
                                       "giu",
                                       "lug",
                                       "ott",
                                       "mrt",
                                       "mei",
                                       "maj",
                                       "sty",
                                       "lut",
                                       "kwi",
                                       "cze",
                                       "lip",
                                       "sie",
                                       "wrz",
                                       "pa\xc5\xba",
                                       "lis",
                                       "gru"};

bool is_month(std::string_view word) {
  std::array<char, 4> small{};
  const std::size_t size = std::min(word.size(), small.size());
  std::transform(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(size), small.begin(),
                 folded);
  const std::string_view begin(small.data(), size);
  return std::any_of(std::begin(months), std::end(months),
                     [begin](std::string_view month) { return begin.starts_with(month); });
}

// "19850312": its month and its day the pattern has seen to.
bool is_compact_day(std::string_view text) {
  return text.size() == 8 && std::ranges::all_of(text, is_digit);
}

// The day of a living person's birth, or of one who lived not long ago: day, month and year in any
// order that is used; a month may be a word.
std::size_t birth_date(const Candidate& candidate) {
  const std::string_view text = candidate.value;
  if (is_compact_day(text)) {
    const Digits d(text);
    return all_if(candidate,
                  d.number(0, 4) >= 1890 && d.number(0, 4) <= 2035 && month_and_day(d, 4, 6));
  }
  std::array<unsigned, 3> number{};
  std::array<std::size_t, 3> width{};
  std::size_t count = 0;
  bool named = false;
  for (std::size_t at = 0; at < text.size();) {
    const bool digit = is_digit(text[at]);
    const auto byte = static_cast<unsigned char>(text[at]);
    if (!digit && !is_alpha(text[at]) && byte < 0x80) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_digit(text[end]) == digit &&
           (digit || is_alpha(text[end]) || static_cast<unsigned char>(text[end]) >= 0x80))
      ++end;
    if (!digit) {
      named = named || is_month(text.substr(at, end - at));
    } else if (count < 3 && end - at <= 4) {
      width[count] = end - at;
      for (; at < end; ++at)
        number[count] = number[count] * 10 + static_cast<unsigned>(text[at] - '0');
      ++count;
    } else {
      return 0;
    }
    at = end;
  }
  const auto is_year = [&](std::size_t i) {
    return width[i] == 4 ? number[i] >= 1890 && number[i] <= 2035 : width[i] == 2;
  };
  const auto is_day = [&](std::size_t i) { return number[i] >= 1 && number[i] <= 31; };
  const auto is_number_of_month = [&](std::size_t i) { return number[i] >= 1 && number[i] <= 12; };
  if (count == 2 && named) return all_if(candidate, is_day(0) && is_year(1));
  if (count != 3 || named) return 0;
  const bool year_first = width[0] == 4 && is_year(0) && is_number_of_month(1) && is_day(2);
  const bool year_last = width[0] <= 2 && is_year(2) && is_day(0) && is_day(1) &&
                         (is_number_of_month(0) || is_number_of_month(1));
  return all_if(candidate, year_first || year_last);
}

// A month and a year behind it: when a card expires.
std::size_t card_expiry(const Candidate& candidate) {
  const Digits d(candidate.value);
  const std::uint64_t month = d.number(0, 2);
  const std::uint64_t year = d.number(2, d.size - std::min<std::size_t>(d.size, 2)) % 100;
  return all_if(candidate, (d.size == 4 || d.size == 6) && month >= 1 && month <= 12 &&
                               year >= 10 && year <= 60);
}

// ── papers without a check digit ─────────────────────────────────────────────────────────────────

// A number of a document or an account: digits enough, not all alike, no day and no years.
std::size_t document_number(const Candidate& candidate) {
  const Alnum text(candidate.value);
  const Digits d(candidate.value);
  if (d.size < 4 || d.all_equal() || text.size > 32) return 0;
  const bool is_day = d.size == 8 && candidate.value.size() != text.size &&
                      d.number(0, 4) >= 1900 && d.number(0, 4) < 2100;
  return all_if(candidate, !is_day);
}

// A vehicle's plate: letters and digits both, not a word with a year.
std::size_t licence_plate(const Candidate& candidate) {
  const Alnum text(candidate.value);
  const Digits d(candidate.value);
  const std::size_t letters = text.size - d.size;
  return all_if(candidate, text.size >= 4 && text.size <= 9 && letters >= 1 && d.size >= 1);
}

// 10 to 120 years.
std::size_t age(const Candidate& candidate) {
  const Digits d(candidate.value);
  const std::uint64_t years = d.number(0, 3);
  return all_if(candidate, d.size >= 2 && d.size <= 3 && d[0] != 0 && years <= 120);
}

constexpr NamedValidator table[] = {
    {"vin", vin, "letters and digits, mod 11 at the ninth place"},
    {"vin_unchecked", vin_unchecked, "letters and digits of a vehicle's number"},
    {"imei", imei, "Luhn"},
    {"imsi", imsi, "a mobile country code"},
    {"iccid", iccid, "89 and Luhn"},
    {"mac_address", mac_address, "one interface's address, no example"},
    {"lei", lei, "mod 97"},
    {"bic", bic, "a country at its place"},
    {"wallet_base58", wallet_base58, "double SHA-256 in base 58"},
    {"wallet_bech32", wallet_bech32, "BIP 173 or BIP 350 checksum"},
    {"wallet_ethereum", wallet_ethereum, "EIP-55 capitals"},
    {"coordinates", coordinates, "latitude and longitude in range"},
    {"birth_date", birth_date, "a day between 1890 and 2035"},
    {"card_expiry", card_expiry, "a month and a year"},
    {"document_number", document_number, "four digits or more, no date"},
    {"licence_plate", licence_plate, "letters and digits"},
    {"age", age, "10 to 120"},
};

}  // namespace

std::span<const NamedValidator> thing_validators() {
  return table;
}

}  // namespace gatehouse::inspect
