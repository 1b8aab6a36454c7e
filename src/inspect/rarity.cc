#include "inspect/rarity.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"
#include "inspect/placeholders.h"
#include "inspect/word_finder.h"

namespace gatehouse::inspect {
namespace {

// 1.5 × bits of a letter after another, as a hexadecimal digit. Rows: beginning of a word, a…z;
// columns: a…z, end of the word. Counted over the manuals and package documentation of a Debian 12
// machine (73,649 different words, each weighing the root of its count).
constexpr std::string_view pair_bits[27] = {
    "675677887a976886c656898bcbf", "c767cb8c7e9574e7d56489bc9d7", "5a9a4bac59d4ab5ae6695ddb8c6",
    "5d8c5ce57e66bd4be7957defae6", "6ac83bbc4de9bb7bf87b8cdfbf2", "7b7599adafc785c9b457c9a8ae4",
    "6daa56be3fe6bc4bf6876fde8f5", "7c9a4b976ef8a77af67a7cdfcb2", "4cbb3dee5fca9a5cf7977ebf9e4",
    "7767787eeeb67358e865d8faf98", "4b994acc6baa9a48bb7a4cbdcd6", "5aba3a995db8a96ad9698daeae3",
    "5bb84bcd4fc5bc5afd788bef6d5", "38bb3def5fca7b55fd8b7fefaf5", "6c66584c7daac97bfc549aefbd4",
    "a977b98c9ca66387f477677cbd7", "5eaa4cb87fb6bb57f4767fce9f5", "9a9999bb8cc7aaaab8881abbcc5",
    "5b883b9e5f99885af8678acf8f4", "8d7c5cc76fa9bb77dd647ecf9e2", "5d9b4be64fd9bc6af6788fbd8d4",
    "7778798e7fb564a6f555defbdc8", "4cac2cbd4febac7bfb9bcddede5", "4b995cc64fb8c75bf67bbecdce5",
    "6b6959bb5eb98ca4ea84abc99b3", "8bab8cbe8fd88786f968adbfcc1", "4aaa2aa85cb89a6bdb9b9cbd885"};

// A value that is one of these says nothing. Sorted.
constexpr std::string_view stop_words[] = {
    "abc",         "abc123",       "admin",    "api_key",   "apikey",   "auth",       "bearer",
    "blank",       "bool",         "boolean",  "change_me", "changeit", "changeme",   "default",
    "disabled",    "empty",        "enabled",  "false",     "foo",      "foobar",     "hidden",
    "incorrect",   "input",        "int",      "integer",   "invalid",  "key",        "missing",
    "my_password", "mypassword",   "mysecret", "n/a",       "nil",      "none",       "not",
    "null",        "number",       "object",   "optional",  "pass",     "passphrase", "passwd",
    "password",    "prompt",       "pwd",      "redacted",  "required", "secret",     "self",
    "set",         "somepassword", "str",      "string",    "test",     "text",       "this",
    "todo",        "token",        "true",     "undefined", "unknown",  "user",       "username",
    "value",       "var",          "variable", "void",      "wrong",    "yes"};

static_assert(std::ranges::is_sorted(stop_words));

constexpr std::string_view stop_parts[] = {
    "example",    "placeholder", "changeme",   "change_me", "change-me",  "change this", "your_",
    "your-",      "yourpass",    "yourtoken",  "yourkey",   "yoursecret", "redacted",    "insert",
    "replace",    "xxxx",        "dummy",      "goes-here", "goes_here",  "notreal",     "not-real",
    "notasecret", "process.env", "os.environ", "secrets.",  "getenv",     "********",    "....",
    "todo",       "fixme",       "<password",  "n.n.n"};

constexpr std::size_t longest_folded = 128;

bool is_letter(char c) {
  return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
char folded(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

int pair_cost(char before, char c) {
  const auto row = before == 0 ? 0u : static_cast<unsigned>(folded(before) - 'a') + 1;
  const char digit = pair_bits[row][static_cast<unsigned>(folded(c) - 'a')];
  return digit <= '9' ? digit - '0' : digit - 'a' + 10;
}

bool all_of_one_byte(std::string_view text) {
  return text.find_first_not_of(text.front()) == std::string_view::npos;
}

bool is_name(std::string_view text) {
  return !text.empty() && (is_letter(text.front()) || text.front() == '_') &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

// Digits inside the letters: "bat47Fy4", not "v2" or "oauth2".
bool mixes_digits(std::string_view text) {
  std::size_t changes = 0;
  for (std::size_t i = 1; i < text.size(); ++i)
    changes += is_digit(text[i]) != is_digit(text[i - 1]);
  return changes >= 3;
}

// "${X}", "{{x}}", "<x>", "%x%", "$(x)", "$X", "@x@", "#{x}", "[X]"
bool is_template(std::string_view value) {
  const char first = value.front();
  const char last = value.back();
  for (std::size_t at = value.find_first_of("{("); at != std::string_view::npos;
       at = value.find_first_of("{(", at + 1)) {
    const char before = at > 0 ? value[at - 1] : ' ';
    if (before == '$' || (value[at] == '{' && (before == '{' || before == '#'))) return true;
    if (value.substr(at).starts_with("{%")) return true;
  }
  if (first == '<' || (first == '{' && last == '}') || (first == '[' && last == ']')) return true;
  if (first == '$' && is_name(value.substr(1))) return true;
  if (value.size() > 2 && first == '%' && (last == '%' || value[1] == '(')) return true;
  return value == "%s" || value == "%v" || value == "%d";
}

// "**[EMAIL_1]**": a placeholder, and beside it hardly a letter or digit.
bool wraps_placeholder(std::string_view value) {
  const std::size_t at = value.find('[');
  if (at == std::string_view::npos) return false;
  const std::size_t length = placeholder_length(value.substr(at));
  if (length == 0) return wraps_placeholder(value.substr(at + 1));
  const auto counts = [](char c) { return is_letter(c) || is_digit(c); };
  const std::string_view rest = value.substr(at + length);
  return std::count_if(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(at), counts) +
             std::count_if(rest.begin(), rest.end(), counts) <
         4;
}

}  // namespace

double word_rarity(std::string_view text) {
  int cost = 0;
  int pairs = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_letter(text[end])) ++end;
    // A capital after a small letter begins a new word: camelCase.
    char before = 0;
    if (end - at >= 3) {
      for (std::size_t i = at; i < end; ++i) {
        if (i > at && text[i] <= 'Z' && text[i - 1] >= 'a') before = 0;
        cost += pair_cost(before, text[i]);
        ++pairs;
        before = text[i];
      }
    }
    at = std::max(end, at + 1);
  }
  return pairs == 0 ? 0 : cost / 1.5 / pairs;
}

bool is_placeholder(std::string_view value) {
  if (value.empty() || all_of_one_byte(value) || is_template(value)) return true;
  // "****1****2", "ab********cd"
  if (static_cast<std::size_t>(std::count(value.begin(), value.end(), '*')) * 2 >= value.size())
    return true;
  if (wraps_placeholder(value)) return true;
  const std::string low = to_lower(value.substr(0, longest_folded));
  static const WordFinder parts(stop_parts);
  return std::ranges::binary_search(stop_words, std::string_view(low)) || parts.is_any_in(low);
}

bool is_code_reference(std::string_view value) {
  if (value.find("()") != std::string_view::npos || value.find("->") != std::string_view::npos ||
      value.find("::") != std::string_view::npos || value.find("://") != std::string_view::npos)
    return true;
  if (value.find('(') != std::string_view::npos && is_name(value.substr(0, value.find('('))))
    return true;
  if (value.find('[') != std::string_view::npos && is_name(value.substr(0, value.find('['))))
    return true;
  // a.b.c, each a name
  if (value.find('.') == std::string_view::npos) return false;
  for (const std::string_view part : split(value, '.'))
    if (!is_name(part) || word_rarity(part) > 5.0 || mixes_digits(part)) return false;
  return true;
}

}  // namespace gatehouse::inspect
