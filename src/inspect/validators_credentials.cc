// Validators for credentials: checksums and structure that issuers put into tokens, and for the
// untyped rest a judgement whether a value is a secret at all (rarity.h).
#include <simdjson.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "inspect/checksums.h"
#include "inspect/key_checksums.h"
#include "inspect/rarity.h"
#include "inspect/validators.h"
#include "inspect/word_finder.h"

namespace gatehouse::inspect {
namespace {

bool is_letter(char c) {
  return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t all_if(const Candidate& candidate, bool ok) {
  return ok ? candidate.value.size() : 0;
}

struct Classes {
  std::size_t lower = 0;
  std::size_t upper = 0;
  std::size_t digit = 0;
  std::size_t other = 0;

  explicit Classes(std::string_view text) {
    for (const char c : text) {
      if (is_digit(c))
        ++digit;
      else if (c >= 'a' && c <= 'z')
        ++lower;
      else if (c >= 'A' && c <= 'Z')
        ++upper;
      else
        ++other;
    }
  }
  std::size_t letters() const { return lower + upper; }
};

// Of either alphabet, padded or not; nothing if it is not that.
std::string decode_base64(std::string_view text) {
  std::string standard(text);
  for (char& c : standard) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (standard.size() % 4 != 0) standard += '=';
  return from_base64(standard).value_or(std::string());
}

// The last six characters are the base-62 CRC-32 of the thirty before them (GitHub, npm).
std::size_t crc32_base62(const Candidate& candidate) {
  const std::string_view text = candidate.value;
  if (text.size() < 36) return 0;
  const std::string_view body = text.substr(text.size() - 36, 30);
  return all_if(candidate, base62_crc32(body) == text.substr(text.size() - 6));
}

// Six digits in a row that count up or down: nobody's random token, many a sample's.
bool counts_up_or_down(std::string_view value) {
  if (value.size() < 20 || Classes(value).letters() == 0) return false;
  std::size_t up = 1;
  std::size_t down = 1;
  for (std::size_t i = 1; i < value.size(); ++i) {
    const bool digits = is_digit(value[i]) && is_digit(value[i - 1]);
    up = digits && value[i] == value[i - 1] + 1 ? up + 1 : 1;
    down = digits && value[i] + 1 == value[i - 1] ? down + 1 : 1;
    if (up >= 6 || down >= 6) return true;
  }
  return false;
}

// Four words in a row: "there-are-not-the-tokens-you-look-for".
bool reads_as_words(std::string_view value) {
  std::size_t words = 0;
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t end = std::min(value.find_first_of("-_ ", at), value.size());
    const Classes part(value.substr(at, end - at));
    const std::size_t size = end - at;
    const bool word = size >= 2 && size <= 12 && (part.lower == size || part.upper == size);
    words = word ? words + 1 : 0;
    if (words >= 4) return true;
    at = end + 1;
  }
  return false;
}

// What stands in for a token in documents.
bool is_stand_in(std::string_view value) {
  return is_placeholder(value) || counts_up_or_down(value) || reads_as_words(value);
}

// A typed token: not a placeholder, more than one repeated character, not one long word.
std::size_t token(const Candidate& candidate) {
  const std::string_view value = candidate.value;
  if (is_stand_in(value)) return 0;
  return all_if(candidate, entropy_bits(value) >= 2.5);
}

// Whether a text is a JSON object with a member of this name.
bool has_member(std::string text, std::string_view name) {
  static thread_local simdjson::dom::parser parser;  // keeps its room
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  simdjson::dom::object object;
  return parser.parse(text.data(), text.size(), false).get(object) == simdjson::SUCCESS &&
         object[name].error() == simdjson::SUCCESS;
}

// Header and payload are base64url of JSON objects; the header names an algorithm.
std::size_t jwt(const Candidate& candidate) {
  const std::string_view text = candidate.value;
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || dot > 4096) return 0;
  return all_if(candidate, has_member(decode_base64(text.substr(0, dot)), "alg"));
}

std::size_t bech32_key(const Candidate& candidate) {
  return all_if(candidate, bech32(candidate.value));
}

std::size_t base58check(const Candidate& candidate) {
  return all_if(candidate, base58_key(candidate.value));
}

std::size_t stellar_seed(const Candidate& candidate) {
  return all_if(candidate, stellar_secret_seed(candidate.value));
}

std::size_t matrix_token(const Candidate& candidate) {
  return all_if(candidate, matrix_token_checksum(candidate.value));
}

// Twelve, fifteen, eighteen, twenty-one or twenty-four words (BIP 39), hardly one twice.
std::size_t seed_phrase(const Candidate& candidate) {
  std::vector<std::string_view> words;
  for (std::string_view rest = candidate.value; !rest.empty();) {
    const std::size_t end = std::min(rest.find_first_of(" ,"), rest.size());
    if (end > 0) words.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (words.size() < 12 || words.size() % 3 != 0) return 0;
  std::sort(words.begin(), words.end());
  const auto repeated = words.end() - std::unique(words.begin(), words.end());
  return all_if(candidate, repeated <= 1);
}

// Letters that make no words: "qzxw kjvb hgfq pzmx".
std::size_t rare_letters(const Candidate& candidate) {
  return all_if(candidate, word_rarity(candidate.value) > 5.2);
}

// The text between the BEGIN line and the END line, or the end, is mostly base64.
std::size_t pem(const Candidate& candidate) {
  const std::string_view text = candidate.value;
  const std::size_t begin = text.find("KEY");
  if (begin == std::string_view::npos) return 0;
  for (const std::string_view stand_in : {"FAKE", "EXAMPLE", "DUMMY", "SAMPLE"})
    if (text.substr(0, begin).find(stand_in) != std::string_view::npos) return 0;
  std::string_view body = text.substr(begin);
  const std::size_t dashes = body.find("-----");
  if (dashes == std::string_view::npos) return 0;
  body.remove_prefix(dashes + 5);
  const std::size_t end = body.find("-----END");
  body = body.substr(0, end);
  const auto is_base64 = [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '/' || c == '=';
  };
  if (std::count_if(body.begin(), body.end(), is_base64) < 24) return 0;
  const bool shortened =
      body.find("...") != std::string_view::npos || body.find("***") != std::string_view::npos;
  return all_if(candidate, !shortened && entropy_bits(body) > 3.5);
}

// base64 of "name:secret", both readable.
std::size_t basic_credentials(const Candidate& candidate) {
  const std::string decoded = decode_base64(candidate.value);
  const std::size_t colon = decoded.find(':');
  if (colon == std::string::npos || colon + 1 == decoded.size()) return 0;
  const bool readable =
      std::all_of(decoded.begin(), decoded.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  return all_if(candidate, readable);
}

// The user's id in base64, first part of a Discord bot token.
std::size_t discord_token(const Candidate& candidate) {
  const std::string id = decode_base64(candidate.value.substr(0, candidate.value.find('.')));
  const bool digits =
      id.size() >= 17 && id.size() <= 20 && std::all_of(id.begin(), id.end(), is_digit);
  return all_if(candidate, digits);
}

// base64 of "<ten digits or more>:<random bytes>" (Jira, Confluence and Bitbucket data centre).
std::size_t atlassian_pat(const Candidate& candidate) {
  std::string_view text = candidate.value;
  if (text.starts_with("BBDC-")) text.remove_prefix(5);
  const std::string decoded = decode_base64(text);
  const std::size_t colon = decoded.find(':');
  return all_if(candidate,
                colon != std::string::npos && colon >= 10 && colon <= 14 &&
                    std::all_of(decoded.begin(),
                                decoded.begin() + static_cast<std::ptrdiff_t>(colon), is_digit));
}

std::size_t base64_of_64_bytes(const Candidate& candidate) {
  const auto bytes = from_base64(candidate.value);
  return all_if(candidate, bytes && bytes->size() == 64 && entropy_bits(candidate.value) > 4);
}

// Forty base64 characters that use their whole alphabet (an AWS secret key is no path or hex
// digest).
std::size_t mixed40(const Candidate& candidate) {
  const Classes classes(candidate.value);
  const bool mixed = classes.lower >= 4 && classes.upper >= 4 && classes.digit >= 1;
  return all_if(candidate,
                mixed && entropy_bits(candidate.value) >= 4.2 && !is_stand_in(candidate.value));
}

// Letters and digits both, so that no word and no number passes.
std::size_t mixed(const Candidate& candidate) {
  const Classes classes(candidate.value);
  return all_if(candidate, classes.letters() >= 2 && classes.digit >= 2 &&
                               entropy_bits(candidate.value) >= 3 && !is_stand_in(candidate.value));
}

// What prose and code leave behind a value.
std::string_view without_trailing_punctuation(std::string_view value) {
  while (!value.empty() &&
         std::string_view(".,;:?)'\"`|").find(value.back()) != std::string_view::npos)
    value.remove_suffix(1);
  return value;
}

// Words joined by dashes, dots or underscores: "my-secret-name", "ACCESS_TOKEN"; or one word.
bool is_compound_of_words(std::string_view value) {
  const Classes classes(value);
  const bool joined = value.find_first_of("-_./") != std::string_view::npos;
  if (classes.digit > (joined ? 2 : 0) || classes.letters() < 3) return false;
  const bool only_words = std::all_of(value.begin(), value.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.' || c == '/';
  });
  return only_words && word_rarity(value) < 5.0;
}

// Words joined by dashes, dots, slashes or underscores, numbers of up to five digits among them:
// "github-jenkins-bot-2023", "mistralai/Mistral-7B-v0.1", "/home/ada/project-2024".
bool is_name_with_numbers(std::string_view value) {
  std::size_t letters = 0;
  std::size_t parts = 0;
  for (std::size_t at = 0; at < value.size();) {
    std::size_t end = value.find_first_of("-_./:~", at);
    end = std::min(end, value.size());
    const Classes part(value.substr(at, end - at));
    if (part.other > 0 || part.digit > 5) return false;
    // Digits stand at one end of a part: "v12", "7B", "oauth2".
    std::size_t changes = 0;
    for (std::size_t i = at + 1; i < end; ++i)
      changes += is_digit(value[i]) != is_digit(value[i - 1]);
    if (changes > 1) return false;
    letters += part.letters();
    parts += end > at;
    at = end + 1;
  }
  return parts >= 2 && letters >= 4 && word_rarity(value) < 5.2;
}

// "12/15", "95.5%", "2024-01-15", "8-16": a measure, a date, a range.
bool is_measure(std::string_view value) {
  return value.find_first_not_of("0123456789/.%:,-+") == std::string_view::npos &&
         value.find_first_not_of("0123456789") != std::string_view::npos;
}

// What a name must hold that is about secrets and no secret itself. Without separators.
constexpr std::string_view no_secret_names[] = {
    "tokenizer",       "publickeytoken", "pagetoken",   "synctoken",  "continuation",
    "credentialsid",   "credentialid",   "secretname",  "secretarn",  "secretref",
    "endpoint",        "address",        "persecond",   "perminute",  "expires",
    "expiry",          "expiration",     "timeout",     "minlength",  "maxlength",
    "length",          "policy",         "bucket",      "tokenid",    "tokencount",
    "tokenlimit",      "tokentype",      "tokenurl",    "tokenuri",   "passwordmgr",
    "passwordmanager", "cursor",         "padtoken",    "bostoken",   "eostoken",
    "tokenbucket",     "passwordreset",  "ttl",         "oldpwd",     "tokenized",
    "secretsid",       "secretpath",     "secretfile",  "tokenpath",  "tokenfile",
    "passwordpath",    "passwordfile",   "keypath",     "keyfile",    "pwdump",
    "bypass",          "compass",        "trespass",    "encompass",  "publickey",
    "monkey",          "keyword",        "fingerprint", "integrity",  "checksum",
    "digest",          "sha256",         "commit",      "etag",       "csrf",
    "nonce",           "cachekey",       "keyid",       "primarykey", "foreignkey",
    "sortkey",         "keyframe"};

// A match that begins in the middle of base64: its keyword is chance. Names of that length are
// words.
bool begins_in_base64(const Candidate& candidate) {
  const auto is_base64 = [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '/'; };
  const std::string_view before = candidate.before;
  const std::string_view match = candidate.match;
  std::size_t begin = before.size();
  while (begin > 0 && is_base64(before[begin - 1])) --begin;
  std::size_t end = 0;
  while (end < match.size() && end < 64 && is_base64(match[end])) ++end;
  if (end == 0 || before.size() - begin + end < 24) return false;
  std::string run(before.substr(begin));
  run += match.substr(0, end);
  const Classes classes(run);
  return classes.lower > 0 && classes.upper > 0 && classes.digit > 0 && word_rarity(run) > 5.2;
}

// "$(pwd)", "${PWD}", "$PWD": the working directory of a shell. PHP has passwords in `$pwd`.
bool is_working_directory(const Candidate& candidate) {
  const std::string_view before = candidate.before;
  if (to_lower(candidate.match.substr(0, 3)) != "pwd" || before.empty()) return false;
  if (before.back() == '$') return candidate.match.starts_with("PWD");
  return before.ends_with("$(") || before.ends_with("${") || before.back() == '`';
}

// Whether the identifier that a match begins in, or with, is one of these.
bool names_no_secret(const Candidate& candidate) {
  if (is_working_directory(candidate) || begins_in_base64(candidate)) return true;
  const auto is_name_byte = [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
  };
  std::string_view before = candidate.before;
  std::size_t begin = before.size();
  while (begin > 0 && is_name_byte(before[begin - 1])) --begin;
  std::string name;
  const auto add = [&name](char c) {
    if (is_letter(c)) name += static_cast<char>(c | 0x20);
  };
  for (const char c : before.substr(begin)) add(c);
  std::string_view match = candidate.match.substr(0, 64);
  if (match.starts_with('<')) match.remove_prefix(1);
  // key="PasswordPolicy"
  if (const std::size_t quote = match.find("=\""); quote <= 4 && quote >= 3)
    match.remove_prefix(quote + 2);
  for (const char c : match) {
    if (!is_name_byte(c)) break;
    add(c);
  }
  static const WordFinder parts(no_secret_names);
  return parts.is_any_in(name);
}

// What prose says of a password and is none: "base64-encoded", "SHA256 hashed".
constexpr std::string_view said_of_passwords[] = {
    "base64", "sha1",   "sha-1",  "sha2",   "sha256", "sha-256", "sha512", "md5",  "utf-8", "utf8",
    "bcrypt", "argon2", "pbkdf2", "scrypt", "aes",    "oauth",   "rfc",    "2fa",  "42_",   "ntlm",
    "sha3",   "hmac",   "rsa-",   "iso-",   "iso8",   "ascii",   "ldap",   "win32"};

bool is_said_of_passwords(std::string_view value) {
  const std::string low = to_lower(value.substr(0, 16));
  return std::any_of(std::begin(said_of_passwords), std::end(said_of_passwords),
                     [&](std::string_view word) { return low.starts_with(word); });
}

// "&remember=true": the next pair of a form or an address. "&" alone may be a password's.
bool begins_next_pair(std::string_view text) {
  std::size_t end = 1;
  while (end < text.size() && end < 40 &&
         (is_letter(text[end]) || is_digit(text[end]) || text[end] == '_' || text[end] == '-' ||
          text[end] == '.'))
    ++end;
  return end > 1 && is_letter(text[1]) && end < text.size() && text[end] == '=';
}

// A value up to what HTML or a form put behind it.
std::string_view without_what_follows(std::string_view value) {
  static constexpr std::string_view entities[] = {"&quot;", "&#39;", "&lt;",
                                                  "&gt;",   "&amp;", "&apos;"};
  for (std::size_t at = value.find('&'); at != std::string_view::npos; at = value.find('&', at + 1))
    if (begins_next_pair(value.substr(at)) || std::ranges::any_of(entities, [&](auto entity) {
          return value.substr(at).starts_with(entity);
        }))
      return value.substr(0, at);
  return value;
}

// "!vault", "!Ref": a tag of YAML, whose value comes behind it.
bool is_yaml_tag(std::string_view value) {
  static constexpr std::string_view tags[] = {
      "!binary",    "!cipher",  "!decrypt", "!encrypted",   "!env",  "!env_var",   "!fetch",
      "!file",      "!getatt",  "!include", "!importvalue", "!join", "!reference", "!ref",
      "!secret",    "!secrets", "!select",  "!ssm",         "!str",  "!sub",       "!tag",
      "!transform", "!unsafe",  "!var",     "!vars",        "!vault"};
  return value.starts_with('!') &&
         std::ranges::find(tags, std::string_view(to_lower(value.substr(0, 16)))) != std::end(tags);
}

bool is_path(std::string_view value) {
  return value.find('/') != std::string_view::npos && is_name_with_numbers(value);
}

// "root@server", what a prompt for a password goes on with.
bool is_account_at_host(std::string_view value) {
  const std::size_t at = value.find('@');
  if (at == 0 || at == std::string_view::npos || at + 1 == value.size()) return false;
  return std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || c == '@' || c == '.' || c == '-';
  });
}

// "@@@", "---", "===": what markup and rulers begin with.
bool begins_as_a_rule(std::string_view value) {
  return value.size() >= 3 && !is_letter(value[0]) && !is_digit(value[0]) && value[1] == value[0] &&
         value[2] == value[0];
}

// So much of a value says whether it is a secret: it may be very long, and there may be very many.
constexpr std::size_t most_judged = 256;

// Whether the value of `password = …` is a secret. Anything with a digit or a sign in it, or
// letters that make no word.
bool is_password(const Candidate& candidate, std::string_view value) {
  if (begins_as_a_rule(value) || is_yaml_tag(value)) return false;
  if (value.size() < 4 || is_placeholder(value) || is_code_reference(value)) return false;
  if (is_measure(value) || is_path(value) || names_no_secret(candidate)) return false;
  if (is_account_at_host(value)) return false;
  const Classes classes(value);
  if (classes.digit == value.size()) return value.size() <= 12;
  if (classes.letters() == value.size()) {
    const bool mixed_case = classes.lower >= 2 && classes.upper >= 2 && value.size() >= 8;
    return word_rarity(value) > (mixed_case ? 4.8 : 5.1);
  }
  return !is_compound_of_words(value);
}

std::size_t password_value(const Candidate& candidate) {
  const std::string_view value =
      without_trailing_punctuation(without_what_follows(candidate.value));
  return is_password(candidate, value.substr(0, most_judged)) ? value.size() : 0;
}

// Capitals in the middle of letters that make no words: "NsIdksKJdj".
bool mixes_case_at_random(std::string_view value) {
  const Classes classes(value);
  return classes.letters() == value.size() && value.size() >= 8 && classes.upper >= 2 &&
         classes.lower >= 2 && word_rarity(value) > 5.4;
}

// The same where prose may go on after the keyword: only what is clearly no word.
std::size_t spoken_password(const Candidate& candidate) {
  const std::string_view value =
      without_trailing_punctuation(without_what_follows(candidate.value));
  if (value.size() < 4 || is_placeholder(value) || is_code_reference(value)) return 0;
  if (is_measure(value) || is_path(value) || is_said_of_passwords(value)) return 0;
  if (begins_as_a_rule(value) || is_yaml_tag(value)) return 0;
  const Classes classes(value);
  const bool has_sign = value.find_first_of("!@#$%^&*+=~") != std::string_view::npos;
  if (classes.digit == 0 && !has_sign) return mixes_case_at_random(value) ? value.size() : 0;
  return value.size();
}

// Between the quotes of its own kind, other quotes, brackets and escapes in it; not what code
// joins: "password='" + name1 + "'".
std::size_t quoted_password(const Candidate& candidate) {
  const std::string_view value = candidate.value;
  for (const std::string_view joint : {"'+", "+'", "\"+", "+\"", "'.", ".'", "\".", ".\""})
    if (value.find(joint) != std::string_view::npos) return 0;
  return names_no_secret(candidate) ? 0 : spoken_password(candidate);
}

// Whether nothing but a name, and what sets it, stands before a match in its line.
bool begins_line(std::string_view before) {
  const std::size_t newline = before.rfind('\n');
  if (newline == std::string_view::npos && before.size() >= 64) return false;
  std::string_view line = before.substr(newline + 1);  // npos + 1 is 0
  const auto skip_blanks = [&line] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  };
  skip_blanks();
  for (const std::string_view word : {"export ", "set ", "ENV ", "ARG ", "- ", "$ ", "> "})
    if (line.starts_with(word)) line.remove_prefix(word.size());
  skip_blanks();
  return std::all_of(line.begin(), line.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '-';
  });
}

// The value of `NAME=…` at the beginning of a line, where no shell or reader ends it before a
// blank: up to the next pair or mark-up, and not where it is a call.
std::string_view value_to_blank(std::string_view value) {
  value = without_what_follows(value);
  for (std::size_t at = 1; at < value.size(); ++at) {
    const std::string_view rest = value.substr(at);
    const bool pair = (value[at] == ';' || value[at] == ',') && begins_next_pair(rest);
    if (pair || rest.starts_with("&&") || rest.starts_with("</") || rest.starts_with("<br"))
      return value.substr(0, at);
  }
  const bool bracketed = value.find('(') != std::string_view::npos;
  while (!value.empty() &&
         (std::string_view(".,;:'\"`").find(value.back()) != std::string_view::npos ||
          (value.back() == ')' && !bracketed)))
    value.remove_suffix(1);
  return value;
}

std::size_t line_password(const Candidate& candidate) {
  if (!begins_line(candidate.before)) return 0;
  const std::string_view value = value_to_blank(candidate.value);
  const std::string_view head = value.substr(0, value.find_first_of("([{<"));
  if (!is_password(candidate, head.substr(0, most_judged))) return 0;
  if (head.size() == value.size()) return value.size();
  std::size_t changes = 0;
  for (std::size_t i = 1; i < head.size(); ++i)
    changes += is_digit(head[i]) != is_digit(head[i - 1]);
  const bool has_sign = head.find_first_of("!@#$%^&*+=~") != std::string_view::npos;
  return changes >= 3 || has_sign ? value.size() : 0;
}

// Where only a blank stands between the word and the password: three kinds of characters, a digit
// or a sign among them, and no name of a thing ("OAuth2", "SHA256", "Win32").
std::size_t strong_password(const Candidate& candidate) {
  const std::string_view value =
      without_trailing_punctuation(without_what_follows(candidate.value));
  if (value.size() < 6 || value.size() > 64) return 0;
  const Classes classes(value);
  const bool has_sign = value.find_first_of("!@#$%^&*+=~?_") != std::string_view::npos;
  const int kinds = (classes.lower > 0) + (classes.upper > 0) + (classes.digit > 0) + has_sign;
  if (kinds < 3 || classes.digit == 0) return 0;
  if (is_stand_in(value) || is_code_reference(value) || value.starts_with("0x")) return 0;
  if (is_measure(value) || is_path(value) || is_said_of_passwords(value)) return 0;
  if (is_name_with_numbers(value) || names_no_secret(candidate)) return 0;
  // "Chrome91", "utf8Text": digits at one end or between words of some length.
  std::size_t changes = 0;
  for (std::size_t i = 1; i < value.size(); ++i)
    changes += is_digit(value[i]) != is_digit(value[i - 1]);
  const bool word_and_number = !has_sign && changes <= 1 && word_rarity(value) < 5.0;
  const bool joined_words = word_rarity(value) > 0 && changes < 3 && is_compound_of_words(value);
  return word_and_number || joined_words ? 0 : value.size();
}

// Where the words around say less: also rare letters, or digits and signs in more than one place,
// so that "Release2024Final" and "Logo2x" are none.
std::size_t random_password(const Candidate& candidate) {
  const std::size_t size = strong_password(candidate);
  const std::string_view value = candidate.value.substr(0, size);
  // "Logo2xDark.png"; an address may go on behind a password, "hK7pq2Zw@db.example".
  if (size < 7 || value.substr(0, value.find('@')).find('.') != std::string_view::npos) return 0;
  const Classes classes(value);
  if (classes.lower == 0 || classes.upper == 0) return 0;
  // Stretches of letters of one word's case: "Chrome", "beta", "URL". Random text has short ones.
  std::size_t longest = 0;
  std::size_t stretch = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const bool goes_on = i > 0 && is_letter(value[i]) && is_letter(value[i - 1]) &&
                         (value[i] >= 'a' || value[i - 1] < 'a');
    stretch = is_letter(value[i]) ? (goes_on ? stretch + 1 : 1) : 0;
    longest = std::max(longest, stretch);
  }
  if (value.find_first_of("!@#$%^&*+=~?") != std::string_view::npos && longest <= 4) return size;
  const double rarity = word_rarity(value);  // 0: nowhere three letters together
  return longest <= 4 && (rarity == 0 || rarity > 4.6) ? size : 0;
}

// A default in code for what is called a secret: five characters, no word in lower case, no name.
std::size_t default_secret(const Candidate& candidate) {
  const std::string_view value = candidate.value;
  const Classes classes(value);
  if (value.size() < 5 || classes.digit == value.size() || classes.digit == 0) return 0;
  if (is_stand_in(value) || is_code_reference(value)) return 0;
  if (is_measure(value) || value.find('/') != std::string_view::npos || names_no_secret(candidate))
    return 0;
  return is_compound_of_words(value) || is_name_with_numbers(value) ? 0 : value.size();
}

// Five letters of the alphabet in a row: "KLMNO".
bool spells_the_alphabet(std::string_view value) {
  std::size_t up = 1;
  for (std::size_t i = 1; i < value.size(); ++i) {
    up = is_letter(value[i]) && value[i] == value[i - 1] + 1 ? up + 1 : 1;
    if (up >= 5) return true;
  }
  return false;
}

// Groups of capitals and digits, not all alike, no words.
std::size_t product_key(const Candidate& candidate) {
  const std::string_view value = candidate.value;
  if (spells_the_alphabet(value)) return 0;
  return all_if(candidate, !is_placeholder(value) && entropy_bits(value) >= 3 &&
                               value.find('*') == std::string_view::npos);
}

// A value quoted behind a name that may be a secret's and may not ("api", "key", "auth"): long,
// small and capital letters and digits, rare.
std::size_t rare_value(const Candidate& candidate) {
  const std::string_view value = candidate.value;
  const Classes classes(value);
  const bool mixed = classes.lower >= 3 && classes.upper >= 3 && classes.digit >= 1;
  if (value.size() < 16 || !mixed || is_stand_in(value) || is_code_reference(value)) return 0;
  if (is_measure(value) || is_name_with_numbers(value) || names_no_secret(candidate)) return 0;
  return all_if(candidate, entropy_bits(value) >= 3.6 && word_rarity(value) > 4.8);
}

// The same after `pass:`, which is also what test reports say: "--- PASS: TestReader2".
std::size_t short_password(const Candidate& candidate) {
  const bool report = candidate.match.starts_with("PASS: ") && !candidate.before.ends_with('_');
  return report ? 0 : spoken_password(candidate);
}

// The value of `token: …`, `api_key = …`: long, and rare in its letters and digits.
std::size_t key_value(const Candidate& candidate) {
  const std::string_view value = without_trailing_punctuation(candidate.value);
  if (value.size() < 10 || is_placeholder(value) || is_code_reference(value)) return 0;
  if (is_measure(value) || is_name_with_numbers(value) || names_no_secret(candidate)) return 0;
  const Classes classes(value);
  if (classes.digit == value.size() || is_compound_of_words(value)) return 0;
  if (classes.letters() == value.size() && word_rarity(value) < 5.2) return 0;
  if (classes.digit + classes.upper < 2) return 0;
  return entropy_bits(value) >= 3.0 ? value.size() : 0;
}

// The same in a column of a table, where names and types stand as well: no words in it.
std::size_t rare_key(const Candidate& candidate) {
  const std::size_t size = key_value(candidate);
  const std::string_view value = candidate.value.substr(0, size);
  const Classes classes(value);
  if (size < 16 || classes.digit < 2 || classes.letters() < 2) return 0;
  const bool hex = value.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  const double rarity = word_rarity(value);  // 0: nowhere three letters together
  return hex || rarity == 0 || rarity > 4.8 ? size : 0;
}

// A number, not the whole part of one: "pin: 3.14".
std::size_t pin_code(const Candidate& candidate) {
  const bool whole = candidate.value.data() + candidate.value.size() ==
                     candidate.match.data() + candidate.match.size();
  return all_if(candidate, whole && candidate.value.size() >= 3);
}

// base64 of a PEM private key.
std::size_t base64_pem(const Candidate& candidate) {
  const std::string head = decode_base64(candidate.value.substr(0, 80));
  return all_if(candidate, head.find("PRIVATE KEY-----") != std::string::npos);
}

// The user part of a URL, "name:secret@": the secret is none of the usual stand-ins.
std::size_t url_credentials(const Candidate& candidate) {
  const std::string_view text = candidate.value;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return 0;
  const std::string_view secret = text.substr(colon + 1);
  const bool stand_in =
      secret.size() < 3 || is_placeholder(secret) || secret == text.substr(0, colon);
  return all_if(candidate, !stand_in);
}

constexpr NamedValidator table[] = {
    {"crc32_base62", crc32_base62, "six characters of base-62 CRC-32 at the end"},
    {"token", token, "no placeholder, at least 2.5 bits a character"},
    {"jwt", jwt, "the header is JSON and names an algorithm"},
    {"bech32", bech32_key, "BIP 173 checksum"},
    {"base58check", base58check, "base 58 with a double SHA-256"},
    {"stellar_seed", stellar_seed, "base 32 of a Stellar secret seed with CRC-16"},
    {"matrix_token", matrix_token,
     "six characters of base-62 CRC-32 at the end, as Synapse writes"},
    {"seed_phrase", seed_phrase, "12, 15, 18, 21 or 24 words, hardly one twice"},
    {"rare_letters", rare_letters, "letters that make no words"},
    {"pem", pem, "a body of base64"},
    {"basic_credentials", basic_credentials, "base64 of name:secret"},
    {"atlassian_pat", atlassian_pat, "base64 of ten digits or more and a colon"},
    {"discord_token", discord_token, "begins with a user id in base64"},
    {"base64_of_64_bytes", base64_of_64_bytes, "base64 of exactly 64 bytes"},
    {"mixed40", mixed40, "small and capital letters and digits, at least 4.2 bits a character"},
    {"mixed", mixed, "letters and digits, at least 3 bits a character, no placeholder"},
    {"password_value", password_value, "no placeholder, no word, no code"},
    {"spoken_password", spoken_password, "the same with a digit or a sign"},
    {"short_password", short_password, "the same, not in a test report"},
    {"quoted_password", quoted_password, "the same, not joined from parts by code"},
    {"line_password", line_password, "NAME=value at a line's beginning, to the next blank or pair"},
    {"strong_password", strong_password, "three kinds of characters with a digit, no name"},
    {"random_password", random_password,
     "as strong_password, of seven or more, letters in short stretches, rare or with a sign"},
    {"default_secret", default_secret, "a value with a digit, no word, no name"},
    {"product_key", product_key, "groups of capitals and digits, no stand-in"},
    {"rare_value", rare_value, "16 characters or more, letters of both cases and digits, rare"},
    {"pin_code", pin_code, "a whole number, not a fraction"},
    {"base64_pem", base64_pem, "base64 of a PEM private key"},
    {"key_value", key_value, "ten characters or more, rare in letters or digits"},
    {"rare_key", rare_key, "as key_value, 16 characters or more, letters and digits, no words"},
    {"url_credentials", url_credentials, "name:secret, no stand-in"},
};

}  // namespace

std::span<const NamedValidator> credential_validators() {
  return table;
}

}  // namespace gatehouse::inspect
