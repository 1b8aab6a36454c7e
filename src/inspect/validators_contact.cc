// Validators for addresses of people and machines: e-mail, telephone, IP.
#include <algorithm>
#include <array>
#include <cstdint>

#include "inspect/validator_tools.h"

namespace gatehouse::inspect {
namespace {

// Generic top-level domains of more than two letters that carry most mail and pages. Every
// two-letter one is taken for a country.
constexpr std::string_view long_domains[] = {
    "academy", "agency", "app", "art", "asia", "bank", "biz", "blog", "business", "capital", "care",
    "cat", "center", "chat", "cloud", "club", "codes", "com", "community", "company", "consulting",
    "coop", "design", "dev", "digital", "direct", "education", "edu", "email", "energy",
    "engineering", "events", "expert", "finance", "fund", "games", "global", "gov", "group",
    "guide", "health", "host", "house", "info", "ink", "institute", "int", "international", "jobs",
    "land", "law", "legal", "life", "link", "live", "llc", "london", "ltd", "management", "market",
    "media", "mil", "mobi", "money", "museum", "name", "net", "network", "news", "ngo", "one",
    "online", "org", "page", "partners", "photo", "pro", "properties", "pub", "rocks", "run",
    "sale", "school", "science", "services", "shop", "site", "social", "software", "solutions",
    "space", "store", "studio", "support", "systems", "team", "tech", "technology", "tel", "test",
    "today", "tools", "top", "travel", "university", "ventures", "video", "vip", "website", "wiki",
    "work", "world", "xyz", "zone", "berlin", "nyc", "paris", "tokyo", "wien", "hamburg", "koeln",
    "bayern", "swiss", "gmbh", "bio", "example", "lawyer", "church", "photography", "ninja",
    "accountants", "actor", "africa", "apartments", "architect", "associates", "attorney",
    "auction", "audio", "auto", "band", "bar", "beauty", "beer", "best", "bike", "boutique",
    "brussels", "build", "builders", "buzz", "cafe", "camp", "cards", "careers", "cars", "casa",
    "cash", "catering", "charity", "cheap", "city", "claims", "cleaning", "clinic", "clothing",
    "coach", "coffee", "college", "computer", "construction", "contractors", "cool", "credit",
    "dance", "dating", "deals", "delivery", "dental", "dentist", "diamonds", "directory",
    "discount", "doctor", "dog", "domains", "earth", "eco", "engineer", "enterprises", "equipment",
    "estate", "exchange", "express", "faith", "family", "fan", "farm", "fashion", "film",
    "financial", "fit", "fitness", "florist", "foundation", "frl", "fun", "furniture", "fyi",
    "gallery", "garden", "gift", "gifts", "glass", "gold", "golf", "graphics", "green", "haus",
    "healthcare", "help", "holdings", "holiday", "homes", "horse", "hospital", "immo", "immobilien",
    "industries", "insure", "investments", "irish", "jetzt", "jewelry", "kaufen", "kim", "kitchen",
    "lat", "lease", "lgbt", "limited", "loan", "loans", "love", "luxury", "madrid", "marketing",
    "mba", "melbourne", "men", "miami", "mortgage", "moscow", "movie", "navy", "nrw", "okinawa",
    "osaka", "paris", "parts", "party", "pet", "pharmacy", "photos", "physio", "pictures", "pizza",
    "place", "plumbing", "plus", "press", "productions", "property", "quebec", "realty", "recipes",
    "rent", "rentals", "repair", "report", "republican", "rest", "restaurant", "review", "reviews",
    "rio", "ruhr", "saarland", "salon", "scot", "security", "shoes", "singles", "ski", "soccer",
    "solar", "style", "supply", "surf", "surgery", "sydney", "tax", "taxi", "tennis", "theater",
    "tips", "tirol", "tours", "town", "toys", "trade", "training", "vacations", "vet", "villas",
    "vision", "vlaanderen", "vote", "voyage", "wales", "watch", "wedding", "wine", "works", "wtf",
    "yoga", "zuerich", "melbourne", "insurance", "aero",
    // Never delegated, in use inside companies.
    "corp", "internal", "local", "lan", "localdomain", "intranet", "private", "home", "invalid"};

// Endings of files that are no country's: "a@b.js" is a package, not a mailbox.
constexpr std::string_view file_endings[] = {"js", "ts", "hs", "db", "gz", "xz", "py"};

bool is_file_ending(std::string_view domain) {
  return std::find(std::begin(file_endings), std::end(file_endings), domain) !=
         std::end(file_endings);
}

bool known_domain(std::string_view domain) {
  if (domain.size() < 2 || domain.size() > 24) return false;
  std::array<char, 24> buffer;
  std::transform(domain.begin(), domain.end(), buffer.begin(), folded);
  const std::string_view name(buffer.data(), domain.size());
  if (name == "\xd1\x80\xd1\x84") return true;  // the Cyrillic "rf"
  if (!std::all_of(name.begin(), name.end(), is_alpha)) return name.starts_with("xn--");
  if (name.size() == 2) return !is_file_ending(name);
  return std::find(std::begin(long_domains), std::end(long_domains), name) !=
         std::end(long_domains);
}

// What stands behind the @ of a package, an image or a matrix product, and no mailbox: "v4.md",
// "14.0.0-canary", "W.to".
bool is_version_or_symbol(std::string_view label) {
  if (label.size() == 1) return label[0] < 'a' || label[0] > 'z';
  if (folded(label[0]) == 'v') label.remove_prefix(1);
  return std::all_of(label.begin(), label.end(), is_digit);
}

// "https://user:pass@example.com", "https://key@sentry.io": what stands before the host of an
// address. "mailto://" is one of mail all the same.
bool is_in_authority(std::string_view before) {
  const std::size_t slashes = before.rfind("://");
  if (slashes == std::string_view::npos) return false;
  const std::string_view authority = before.substr(slashes + 3);
  return authority.find_first_of("/?#&;,<>()[]{}|\"'` \t\r\n") == std::string_view::npos &&
         !before.substr(0, slashes).ends_with("mailto");
}

// The longest beginning of "local@a.b.c" whose domain is plausible.
std::size_t email(const Candidate& candidate) {
  const std::string_view text = candidate.value;
  std::size_t at = text.rfind('@');
  std::size_t domain = at + 1;
  if (at == std::string_view::npos) {
    at = text.rfind("%40");
    domain = at + 3;
  }
  if (at == std::string_view::npos || at == 0 || at > 64) return 0;
  if (is_in_authority(candidate.before)) return 0;
  const std::string_view local = text.substr(0, at);
  if (local.back() == '.' || local.find("..") != std::string_view::npos) return 0;
  // "\nada@…": the n belongs to the escape.
  if (candidate.before.ends_with('\\') && std::string_view("nrt").find(local[0]) < 3) return 0;
  const std::string_view label = text.substr(domain, text.find('.', domain) - domain);
  if (label.empty() || is_version_or_symbol(label) || (label.size() == 1 && local.size() == 1))
    return 0;
  std::size_t end = text.size();
  while (true) {
    const std::size_t dot = text.substr(0, end).rfind('.');
    if (dot == std::string_view::npos || dot < domain) return 0;
    if (known_domain(text.substr(dot + 1, end - dot - 1))) return end;
    end = dot;
  }
}

// "ada [at] corp [dot] com": the last word is a plausible top-level domain.
std::size_t email_spelled(const Candidate& candidate) {
  const std::string_view text = candidate.value;
  std::size_t begin = text.size();
  while (begin > 0 && is_alpha(text[begin - 1])) --begin;
  return all_if(candidate, known_domain(text.substr(begin)));
}

struct CallingCode {
  std::uint16_t code;
  std::uint8_t least;  // digits of the national number
  std::uint8_t most;
};

// ITU E.164 country calling codes and the lengths in use. Sorted by code.
constexpr CallingCode calling_codes[] = {
    {1, 10, 10},  {7, 10, 10},  {20, 8, 10},  {27, 9, 9},   {30, 10, 10}, {31, 9, 9},
    {32, 8, 9},   {33, 9, 9},   {34, 9, 9},   {36, 8, 9},   {39, 8, 11},  {40, 9, 9},
    {41, 9, 9},   {43, 7, 13},  {44, 9, 10},  {45, 8, 8},   {46, 7, 9},   {47, 8, 8},
    {48, 9, 9},   {49, 7, 12},  {51, 8, 9},   {52, 10, 11}, {53, 8, 8},   {54, 10, 11},
    {55, 10, 11}, {56, 9, 9},   {57, 8, 10},  {58, 10, 10}, {60, 8, 10},  {61, 9, 9},
    {62, 8, 12},  {63, 8, 10},  {64, 8, 10},  {65, 8, 8},   {66, 8, 9},   {81, 9, 10},
    {82, 8, 10},  {84, 9, 10},  {86, 9, 11},  {90, 10, 10}, {91, 10, 10}, {92, 9, 10},
    {93, 9, 9},   {94, 9, 9},   {95, 7, 10},  {98, 10, 10}, {211, 9, 9},  {212, 9, 9},
    {213, 8, 9},  {216, 8, 8},  {218, 8, 9},  {220, 7, 7},  {221, 9, 9},  {222, 8, 8},
    {223, 8, 8},  {224, 8, 9},  {225, 8, 10}, {226, 8, 8},  {227, 8, 8},  {228, 8, 8},
    {229, 8, 10}, {230, 7, 8},  {231, 7, 9},  {232, 8, 8},  {233, 9, 9},  {234, 8, 10},
    {235, 8, 8},  {236, 8, 8},  {237, 9, 9},  {238, 7, 7},  {239, 7, 7},  {240, 9, 9},
    {241, 7, 8},  {242, 9, 9},  {243, 7, 9},  {244, 9, 9},  {245, 7, 9},  {246, 7, 7},
    {248, 7, 7},  {249, 9, 9},  {250, 9, 9},  {251, 9, 9},  {252, 7, 9},  {253, 8, 8},
    {254, 9, 10}, {255, 9, 9},  {256, 9, 9},  {257, 8, 8},  {258, 8, 9},  {260, 9, 9},
    {261, 9, 10}, {262, 9, 9},  {263, 8, 10}, {264, 8, 9},  {265, 7, 9},  {266, 8, 8},
    {267, 7, 8},  {268, 8, 8},  {269, 7, 7},  {290, 4, 5},  {291, 7, 7},  {297, 7, 7},
    {298, 6, 6},  {299, 6, 6},  {350, 8, 8},  {351, 9, 9},  {352, 6, 11}, {353, 7, 10},
    {354, 7, 9},  {355, 8, 9},  {356, 8, 8},  {357, 8, 8},  {358, 6, 11}, {359, 7, 9},
    {370, 8, 8},  {371, 8, 8},  {372, 7, 8},  {373, 8, 8},  {374, 8, 8},  {375, 9, 9},
    {376, 6, 9},  {377, 8, 9},  {378, 6, 10}, {380, 9, 9},  {381, 8, 9},  {382, 8, 8},
    {383, 8, 8},  {385, 8, 9},  {386, 8, 8},  {387, 8, 9},  {389, 8, 8},  {420, 9, 9},
    {421, 9, 9},  {423, 7, 9},  {500, 5, 5},  {501, 7, 7},  {502, 8, 8},  {503, 8, 8},
    {504, 8, 8},  {505, 8, 8},  {506, 8, 8},  {507, 7, 8},  {508, 6, 6},  {509, 8, 8},
    {590, 9, 9},  {591, 8, 8},  {592, 7, 7},  {593, 8, 9},  {594, 9, 9},  {595, 8, 9},
    {596, 9, 9},  {597, 6, 7},  {598, 7, 8},  {599, 7, 8},  {670, 7, 8},  {672, 6, 6},
    {673, 7, 7},  {674, 7, 7},  {675, 7, 8},  {676, 5, 7},  {677, 5, 7},  {678, 5, 7},
    {679, 7, 7},  {680, 7, 7},  {681, 6, 6},  {682, 5, 5},  {683, 4, 7},  {685, 5, 7},
    {686, 8, 8},  {687, 6, 6},  {688, 5, 6},  {689, 6, 8},  {690, 4, 7},  {691, 7, 7},
    {692, 7, 7},  {850, 8, 10}, {852, 8, 8},  {853, 8, 8},  {855, 8, 9},  {856, 8, 10},
    {880, 8, 10}, {886, 8, 9},  {960, 7, 7},  {961, 7, 8},  {962, 8, 9},  {963, 8, 9},
    {964, 8, 10}, {965, 8, 8},  {966, 8, 9},  {967, 7, 9},  {968, 8, 8},  {970, 8, 9},
    {971, 8, 9},  {972, 8, 9},  {973, 8, 8},  {974, 8, 8},  {975, 7, 8},  {976, 8, 8},
    {977, 8, 10}, {992, 9, 9},  {993, 8, 8},  {994, 9, 9},  {995, 9, 9},  {996, 9, 9},
    {998, 9, 9}};

const CallingCode* calling_code(const Digits& digits) {
  for (std::size_t length = 1; length <= 3; ++length) {
    const auto code = static_cast<std::uint16_t>(digits.number(0, length));
    const auto* const found =
        std::lower_bound(std::begin(calling_codes), std::end(calling_codes), code,
                         [](const CallingCode& a, std::uint16_t b) { return a.code < b; });
    if (found != std::end(calling_codes) && found->code == code) return found;
  }
  return nullptr;
}

std::size_t code_length(const CallingCode& code) {
  return code.code < 10 ? 1 : code.code < 100 ? 2 : 3;
}

// "+20 3.0541148", an added line of a table: the one point stands behind a lone digit, and what
// follows is longer than a group.
bool ends_in_fraction(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos || point < 2) return false;
  const std::string_view fraction = text.substr(point + 1);
  return !is_digit(text[point - 2]) && fraction.size() >= 5 &&
         std::ranges::all_of(fraction, is_digit);
}

// "+49 (0)30 1234567", "0044 20 …": the longest beginning with a length the country has.
std::size_t phone_international(const Candidate& candidate) {
  const std::string_view text = candidate.value;
  std::size_t skip = text.front() == '+' ? 1 : 0;
  if (skip == 0 && text.starts_with("00")) skip = 2;
  if (ends_in_fraction(text)) return 0;
  const std::size_t trunk = text.find("(0)");
  for (std::size_t end = text.size(); end > 7; --end) {
    if (!is_digit(text[end - 1])) continue;
    if (end < text.size() && is_digit(text[end])) continue;
    Digits digits(text.substr(skip, end - skip));
    const CallingCode* code = calling_code(digits);
    if (code == nullptr) return 0;
    const std::size_t dropped = trunk != std::string_view::npos && trunk < end ? 1 : 0;
    const std::size_t national = digits.size - code_length(*code) - dropped;
    if (national >= code->least && national <= code->most && !digits.all_equal()) return end;
    if (digits.size < 7) return 0;
  }
  return 0;
}

// North American: area and exchange begin with 2-9, and neither is x11. 555-01xx is kept for
// fiction but is what test data looks like, so it counts.
std::size_t phone_us(const Candidate& candidate) {
  const Digits digits(candidate.value.substr(0, candidate.value.find_first_of("xe#")));
  const std::size_t skip = digits.size == 11 ? 1 : 0;
  if (digits.size != 10 + skip || (skip == 1 && digits[0] != 1)) return 0;
  // "252.227-7013" is a paragraph of a law.
  const std::string_view text = candidate.value.substr(skip == 1 ? 2 : 0);
  if (is_digit(text[0]) && text[3] != text[7]) return 0;
  const int area = digits[skip];
  const int exchange = digits[skip + 3];
  const bool service_area = digits[skip + 1] == 1 && digits[skip + 2] == 1;
  return area >= 2 && exchange >= 2 && !service_area && !digits.all_equal() ? candidate.value.size()
                                                                            : 0;
}

// The groups of digits of a number.
struct Groups {
  std::array<unsigned, 8> value{};
  std::array<std::size_t, 8> width{};
  std::size_t size = 0;

  explicit Groups(std::string_view text) {
    for (std::size_t at = 0; at < text.size() && size < value.size(); ++at) {
      if (!is_digit(text[at])) continue;
      if (at == 0 || !is_digit(text[at - 1])) ++size;
      value[size - 1] = value[size - 1] * 10 + static_cast<unsigned>(text[at] - '0');
      ++width[size - 1];
    }
  }
  bool is_year(std::size_t i) const {
    return i < size && width[i] == 4 && value[i] >= 1900 && value[i] < 2100;
  }
  bool is_small(std::size_t i, unsigned most) const {
    return i < size && width[i] <= 2 && value[i] >= 1 && value[i] <= most;
  }
};

// "2024-01-15", "15/01/2024", "1914-1918", "2020 2021".
bool is_date_or_range(std::string_view text) {
  const Groups groups(text);
  for (std::size_t i = 0; i < groups.size; ++i) {
    if (groups.is_year(i) && groups.is_year(i + 1)) return true;
    if (groups.is_year(i) && groups.is_small(i + 1, 12) && groups.is_small(i + 2, 31)) return true;
    if (groups.is_small(i, 31) && groups.is_small(i + 1, 31) && groups.is_year(i + 2)) return true;
  }
  return false;
}

// What stands in front of the minutes in a log: "11-27 16", "17/06/09 20", "20171223-22".
bool is_day_and_hour(std::string_view text) {
  const Groups groups(text);
  if (groups.size < 2 || text.size() < 3) return false;
  const std::size_t last = groups.size - 1;
  if (groups.width[last] != 2 || groups.value[last] > 23) return false;
  if (last == 1 && groups.width[0] == 8) {
    const unsigned day = groups.value[0];
    return day / 10'000 >= 1900 && day / 10'000 < 2100 &&
           calendar_day(static_cast<int>(day / 10'000), static_cast<int>(day / 100 % 100),
                        static_cast<int>(day % 100));
  }
  if ((last != 2 && last != 3) || text[text.size() - 3] != ' ') return false;
  const std::string_view date = text.substr(0, text.size() - 3);
  const char between = date.size() > 2 ? date[2] : ' ';
  if (between == ' ' || date.size() != 3 * last - 1) return false;
  for (std::size_t at = 0; at < date.size(); ++at)
    if (at % 3 == 2 ? date[at] != between : !is_digit(date[at])) return false;
  return (groups.is_small(last - 2, 12) && groups.is_small(last - 1, 31)) ||
         (groups.is_small(last - 2, 31) && groups.is_small(last - 1, 12));
}

// Columns of a table: their numbers stand two blanks apart. Telephone numbers are typed like that
// too, and begin with a trunk zero or a parenthesis then.
bool is_columns(std::string_view text) {
  return text.contains("  ") && text[0] != '0' && text[0] != '(';
}

// "1299.99", "12 345.67": a sum of money. Two digits behind the only point, and before it digits in
// threes or not grouped at all.
bool is_amount(std::string_view text) {
  if (text.size() < 4 || text[text.size() - 3] != '.') return false;
  const std::string_view whole = text.substr(0, text.size() - 3);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    if (is_digit(whole[at])) continue;
    if (whole[at] != ' ' || (whole.size() - at) % 4 != 0) return false;
  }
  return true;
}

// Names of fields whose values are no telephone number, whatever the field before them is called.
constexpr std::string_view other_fields[] = {"amount", "balance", "bytes",     "cost", "count",
                                             "id",     "price",   "size",      "sum",  "time",
                                             "total",  "ts",      "timestamp", "order"};

// Whether `"account_id": "` and the like stand before: the last word of the name decides.
bool is_other_field(std::string_view before) {
  const auto drop = [&before](std::string_view bytes) {
    before.remove_suffix(before.size() - (before.find_last_not_of(bytes) + 1));
  };
  drop("\"' ");
  if (before.empty() || (before.back() != ':' && before.back() != '=')) return false;
  before.remove_suffix(1);
  drop("\"' ");
  std::array<char, 9> word{};
  std::size_t size = 0;
  while (size < word.size() && !before.empty() && is_alpha(before.back())) {
    const char c = before.back();
    word[word.size() - ++size] = folded(c);
    before.remove_suffix(1);
    if (c != folded(c) && !before.empty() && before.back() == folded(before.back())) break;
  }
  const std::string_view name(word.data() + word.size() - size, size);
  return std::ranges::find(other_fields, name) != std::end(other_fields);
}

// National numbers with a trunk zero: enough digits, and separators that no date or price has.
std::size_t phone_national(const Candidate& candidate) {
  const Digits digits(candidate.value);
  if (digits.size < 8 || digits.size > 13 || digits.all_equal()) return 0;
  return is_date_or_range(candidate.value) ? 0 : candidate.value.size();
}

// Digits alone: a trunk zero, or the shape of a North American, Chinese or Indian mobile number. A
// time in seconds begins with 1.
std::size_t phone_ungrouped(const Candidate& candidate) {
  const Digits digits(candidate.value);
  if (digits.all_equal() || is_other_field(candidate.before)) return 0;
  const bool trunk = digits[0] == 0 && digits[1] != 0 && digits.size <= 12;
  const bool ten = digits.size == 10 && digits[0] >= 2 && (digits[3] >= 2 || digits[0] >= 6);
  const bool eleven = digits.size == 11 && ((digits[0] == 1 && digits[1] >= 2) ||
                                            ((digits[0] == 7 || digits[0] == 8) && digits[1] >= 3));
  const bool nine = digits.size == 9 && digits[0] >= 6;
  return trunk || ten || eleven || nine ? candidate.value.size() : 0;
}

// Five pairs, not part of a longer row of pairs, and not counting up.
std::size_t phone_pairs(const Candidate& candidate) {
  const Groups groups(candidate.value);
  const std::string_view before = candidate.before;
  const bool goes_before = before.size() >= 2 && !is_digit(before.back()) &&
                           is_digit(before[before.size() - 2]) && before.back() == ' ';
  if (groups.size != 5 || goes_before) return 0;
  bool counting = true;
  for (std::size_t i = 1; i < 5; ++i)
    counting = counting && groups.value[i] == groups.value[i - 1] + 1;
  return counting ? 0 : candidate.value.size();
}

// The same, 9 to 11 digits: more is some other list of numbers.
std::size_t phone_trunk(const Candidate& candidate) {
  const Digits digits(candidate.value);
  const bool fits = digits.size >= 9 && digits.size <= 11 && !digits.all_equal();
  return fits ? candidate.value.size() : 0;
}

struct Ipv4 {
  std::array<unsigned, 4> part{};
  bool valid = false;
};

Ipv4 parse_ipv4(std::string_view text) {
  Ipv4 address;
  std::size_t part = 0;
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == '.') {
      if (digits == 0 || ++part > 3) return address;
      digits = 0;
    } else if (is_digit(c)) {
      if (digits == 1 && address.part[part] == 0) return address;  // leading zero
      address.part[part] = address.part[part] * 10 + static_cast<unsigned>(c - '0');
      if (++digits > 3 || address.part[part] > 255) return address;
    } else {
      return address;
    }
  }
  address.valid = part == 3 && digits > 0;
  return address;
}

// Addresses that name nobody: this host, private networks, documentation, multicast, broadcast
// (RFC 6890).
bool is_special(const Ipv4& ip) {
  const auto [a, b, c, d] = ip.part;
  return a == 0 || a == 10 || a == 127 || a >= 224 || (a == 100 && b >= 64 && b < 128) ||
         (a == 169 && b == 254) || (a == 172 && b >= 16 && b < 32) || (a == 192 && b == 168) ||
         (a == 192 && b == 0 && (c == 0 || c == 2)) || (a == 198 && (b == 18 || b == 19)) ||
         (a == 198 && b == 51 && c == 100) || (a == 203 && b == 0 && c == 113);
}

// Public resolvers stand in every manual.
bool is_well_known(const Ipv4& ip) {
  const auto& p = ip.part;
  return (p[0] == p[1] && p[1] == p[2] && p[2] == p[3]) ||
         (p[0] == 8 && p[1] == 8 && p[2] == 4 && p[3] == 4) ||
         (p[0] == 1 && p[1] == 0 && p[2] == 0 && p[3] == 1);
}

// A version ("v1.2.3.4", "version 1.2.3.4") is not an address.
bool looks_like_version(std::string_view before) {
  while (!before.empty() && (before.back() == ' ' || before.back() == '=' || before.back() == ':'))
    before.remove_suffix(1);
  if (before.empty()) return false;
  if (folded(before.back()) == 'v')
    return before.size() == 1 || !is_alpha(before[before.size() - 2]);
  std::array<char, 10> tail{};
  const std::size_t size = std::min(before.size(), tail.size());
  std::transform(before.end() - static_cast<std::ptrdiff_t>(size), before.end(), tail.begin(),
                 folded);
  const std::string_view word(tail.data(), size);
  return word.ends_with("version") || word.ends_with("release") || word.ends_with("firmware") ||
         word.ends_with("build");
}

// Four small numbers are a version or a section nearly always (and one address in five thousand);
// three zeros are a browser's version.
bool is_likely_version(const Ipv4& ip) {
  const auto& p = ip.part;
  const bool object_identifier = p[0] == 2 && p[1] == 5;  // of X.500
  return object_identifier ||
         std::all_of(p.begin(), p.end(), [](unsigned part) { return part < 31; }) ||
         (p[1] == 0 && p[2] == 0 && p[3] == 0);
}

std::size_t ipv4_public(const Candidate& candidate) {
  const Ipv4 ip = parse_ipv4(candidate.value);
  if (!ip.valid || is_special(ip) || is_well_known(ip) || is_likely_version(ip)) return 0;
  if (looks_like_version(candidate.before)) return 0;
  return candidate.value.size();
}

// RFC 4291 text form. Returns the groups, or an empty optional-like count of zero.
struct Ipv6 {
  std::array<unsigned, 8> group{};
  bool valid = false;
};

bool hex_group(std::string_view text, unsigned& value) {
  if (text.empty() || text.size() > 4) return false;
  value = 0;
  for (const char c : text) {
    const char low = folded(c);
    if (!is_digit(c) && (low < 'a' || low > 'f')) return false;
    value = value * 16 + static_cast<unsigned>(is_digit(c) ? c - '0' : low - 'a' + 10);
  }
  return true;
}

// Appends the groups of "a:b:c"; false when one is malformed or there are too many.
bool groups_of(std::string_view text, std::array<unsigned, 8>& groups, std::size_t& count) {
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    if (count == 8 || !hex_group(text.substr(0, colon), groups[count])) return false;
    ++count;
    if (colon == std::string_view::npos) return true;
    text.remove_prefix(colon + 1);
    if (text.empty()) return false;
  }
  return true;
}

Ipv6 parse_ipv6(std::string_view text) {
  Ipv6 address;
  const std::size_t gap = text.find("::");
  std::array<unsigned, 8> tail{};
  std::size_t head_count = 0;
  std::size_t tail_count = 0;
  if (!groups_of(text.substr(0, gap), address.group, head_count)) return address;
  if (gap == std::string_view::npos) {
    address.valid = head_count == 8;
    return address;
  }
  if (!groups_of(text.substr(gap + 2), tail, tail_count) || head_count + tail_count > 7)
    return address;
  std::copy_n(tail.begin(), tail_count,
              address.group.end() - static_cast<std::ptrdiff_t>(tail_count));
  address.valid = true;
  return address;
}

// Eight groups that are large: no counter, no hardware address, no list of small numbers. Such an
// address is one host's whatever it begins with.
bool is_random_address(const Ipv6& ip) {
  return std::count_if(ip.group.begin(), ip.group.end(), [](unsigned g) { return g > 0xff; }) >= 7;
}

// Global unicast (2000::/3) or random, and not 2001:db8::/32: its first group has four digits,
// which hardware addresses and C++ scopes have not.
std::size_t ipv6_public(const Candidate& candidate) {
  const std::string_view text = candidate.value;
  const Ipv6 ip = parse_ipv6(text);
  if (!ip.valid) return 0;
  const bool documentation = ip.group[0] == 0x2001 && ip.group[1] == 0xdb8;
  if ((ip.group[0] & 0xe000) == 0x2000) return documentation ? 0 : text.size();
  return is_random_address(ip) && (ip.group[0] & 0xff00) != 0xff00 ? text.size() : 0;
}

// Beside a word that says so outright ("phone:"), six digits in groups are enough.
std::size_t phone_named(const Candidate& candidate) {
  const Digits digits(candidate.value);
  if (digits.size < 6 || digits.size > 13 || digits.all_equal()) return 0;
  const std::string_view text = candidate.value;
  return all_if(candidate, !is_date_or_range(text) && !is_day_and_hour(text) && !is_columns(text) &&
                               !is_amount(text) && !is_other_field(candidate.before));
}

// A number before "fax" or "mobile": the same, and without groups ten digits.
std::size_t phone_labelled(const Candidate& candidate) {
  const std::string_view text = candidate.value.substr(0, candidate.value.find_first_of("xe"));
  const Digits digits(text);
  if (digits.size < 6 || digits.size > 15 || digits.all_equal()) return 0;
  const bool grouped = text.find_first_of(" .-/(") != std::string_view::npos;
  if (!grouped && digits.size < 9) return 0;
  return is_date_or_range(text) || is_amount(text) ? 0 : candidate.value.size();
}

// "call": said of functions too, so groups have seven digits, and one group is a number as
// telephones have them.
std::size_t phone_call(const Candidate& candidate) {
  const bool grouped = candidate.value.find_first_of(" .-/(") != std::string_view::npos;
  if (!grouped) return phone_ungrouped(candidate);
  const Groups groups(candidate.value);
  const bool even = groups.size >= 2 &&
                    std::all_of(groups.width.begin(),
                                groups.width.begin() + static_cast<std::ptrdiff_t>(groups.size),
                                [](std::size_t width) { return width >= 2; });
  return Digits(candidate.value).size >= 7 && even ? phone_named(candidate) : 0;
}

constexpr NamedValidator table[] = {
    {"phone_labelled", phone_labelled, "as `phone_named`; without groups nine digits or more"},
    {"phone_call", phone_call, "as `phone_named` in groups, as `phone_ungrouped` without"},
    {"phone_named", phone_named,
     "6 to 13 digits, not all equal, no date, range of years or amount"},
    {"email_spelled", email_spelled, "a plausible top-level domain"},
    {"email", email, "a plausible top-level domain; trailing words are cut off"},
    {"phone_international", phone_international, "a calling code and a length it has"},
    {"phone_us", phone_us, "North American area and exchange codes"},
    {"phone_trunk", phone_trunk, "9 to 11 digits, not all equal"},
    {"phone_national", phone_national, "8 to 13 digits, not all equal, no date or range of years"},
    {"phone_ungrouped", phone_ungrouped, "a trunk zero or a mobile number's first digits"},
    {"phone_pairs", phone_pairs, "five pairs, not in a longer row"},
    {"ipv4_public", ipv4_public, "four octets of a public address; not a version number"},
    {"ipv6_public", ipv6_public, "a global unicast address"},
};

}  // namespace

std::span<const NamedValidator> contact_validators() {
  return table;
}

}  // namespace gatehouse::inspect
