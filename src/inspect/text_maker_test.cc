#include <algorithm>
#include <array>
#include <ctime>
#include <set>
#include <tuple>

#include "base/json.h"
#include "inspect/fold.h"
#include "inspect/property_test_support.h"

namespace gatehouse::inspect::testing {
namespace {

constexpr std::string_view fragments[] = {"the",
                                          "meeting",
                                          "is",
                                          "at",
                                          "noon",
                                          "password",
                                          "my password is ",
                                          "Password:",
                                          "api_key=",
                                          "token",
                                          "secret",
                                          " ",
                                          " ",
                                          " ",
                                          "  ",
                                          "\n",
                                          "\t",
                                          ".",
                                          ",",
                                          ":",
                                          "=",
                                          "\"",
                                          "'",
                                          "/",
                                          "-",
                                          "_",
                                          "@",
                                          "+",
                                          "(",
                                          ")",
                                          "[",
                                          "]",
                                          "[EMAIL_1]",
                                          "[EMAIL_2]",
                                          "[EMAIL_",
                                          "[CREDENTIAL_1]",
                                          "[IBAN_1",
                                          "1",
                                          "4",
                                          "41",
                                          "4111",
                                          "1111",
                                          "555",
                                          "2671",
                                          "2024-01-02",
                                          "DE89",
                                          "3704 0044",
                                          "0532 0130 00",
                                          "GB82",
                                          "bob@",
                                          "example",
                                          ".org",
                                          ".com",
                                          "bob@corp.example",
                                          "ada.lovelace@mail.co.uk",
                                          "ghp_",
                                          "AKIA",
                                          "sk-",
                                          "sk_live_",
                                          "xoxb-",
                                          "eyJ",
                                          "hvs.",
                                          "-----BEGIN ",
                                          "PRIVATE KEY-----",
                                          "-----END ",
                                          "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
                                          "ssn",
                                          "536-90-4399",
                                          "536904399",
                                          "bsn 111222333",
                                          "NHS",
                                          "943 476 5919",
                                          "phone",
                                          "call me",
                                          "+49 30 1234567",
                                          "(415) 555-2671",
                                          "93.184.216.34",
                                          "1.2.3.4",
                                          "2606:2800:220:1:248:1893:25c8:1946",
                                          "postgres://",
                                          "app:s3cr3tpw@",
                                          "db.host/x",
                                          "https://",
                                          "hunter2",
                                          "Summer2024!",
                                          "\xc3\xa9",
                                          "\xe2\x82\xac",
                                          "\xf0\x9f\x98\x80",
                                          "\xe4\xb8\xad",
                                          "\xc3",
                                          "\xff",
                                          "\x80",
                                          "Bearer ",
                                          "Authorization: ",
                                          "key_value-12345",
                                          "0123456789abcdef",
                                          "A1b2C3d4E5f6G7h8I9j0",
                                          "XYZ",
                                          "550e8400-e29b-41d4-a716-446655440000",
                                          "\x01",
                                          "\\",
                                          "{",
                                          "}"};

// A pushdown machine for JSON's grammar, byte by byte.
class JsonPrefix {
 public:
  bool accept(char c) {
    if (in_string_) return string_byte(c);
    if (!token_.empty() && token_byte(c)) return true;
    if (!token_.empty() && !end_token()) return false;
    return structure(c);
  }
  bool may_go_on() const { return true; }

 private:
  bool string_byte(char c) {
    if (hex_ > 0) return --hex_, std::isxdigit(static_cast<unsigned char>(c)) != 0;
    if (escape_) {
      escape_ = false;
      if (c == 'u') hex_ = 4;
      return std::string_view("\"\\/bfnrtu").find(c) != std::string_view::npos;
    }
    if (c == '\\') return escape_ = true;
    if (c != '"') return static_cast<unsigned char>(c) >= 0x20;
    in_string_ = false;
    want_ = key_ ? ':' : 'd';
    return true;
  }
  bool token_byte(char c) {
    if (std::string_view(",]} \n\t\r").find(c) != std::string_view::npos) return false;
    token_ += c;
    return token_.size() < 400;
  }
  bool end_token() {
    const std::string token = std::exchange(token_, {});
    want_ = 'd';
    if (token == "true" || token == "false" || token == "null") return true;
    std::size_t at = 0;
    const auto digits = [&] {
      const std::size_t begin = at;
      while (at < token.size() && std::isdigit(static_cast<unsigned char>(token[at]))) ++at;
      return at - begin;
    };
    if (token[at] == '-') ++at;
    const std::size_t whole = at;
    const std::size_t count = digits();
    if (count == 0 || (count > 1 && token[whole] == '0')) return false;
    if (at < token.size() && token[at] == '.' && (++at, digits() == 0)) return false;
    if (at < token.size() && (token[at] | 0x20) == 'e') {
      ++at;
      if (at < token.size() && (token[at] == '+' || token[at] == '-')) ++at;
      if (digits() == 0) return false;
    }
    return at == token.size();
  }
  bool structure(char c) {
    if (std::string_view(" \n\t\r").find(c) != std::string_view::npos) return true;
    const bool value = want_ == 'v' || want_ == '[';
    if (c == '"' && (value || want_ == 'k' || want_ == '{')) {
      key_ = !value;
      return in_string_ = true;
    }
    if (value && (c == '{' || c == '[')) {
      open_ += c;
      want_ = c;
      return true;
    }
    if (value && (std::isalnum(static_cast<unsigned char>(c)) || c == '-')) {
      token_ = c;
      return true;
    }
    if (c == ':' && want_ == ':') return want_ = 'v';
    if (open_.empty()) return false;
    const bool closes =
        c == (open_.back() == '{' ? '}' : ']') && (want_ == 'd' || want_ == open_.back());
    if (closes) {
      open_.pop_back();
      return want_ = 'd';
    }
    if (c == ',' && want_ == 'd') return want_ = open_.back() == '{' ? 'k' : 'v';
    return false;
  }

  char want_ = 'v';  // v value, k key, : colon, d done (comma or close), { [ just opened
  std::string open_;
  std::string token_;
  bool in_string_ = false;
  bool key_ = false;
  bool escape_ = false;
  int hex_ = 0;
};

}  // namespace

std::shared_ptr<const RuleSet> builtin_rules() {
  static const auto set = [] {
    RuleSetOptions options;
    options.all_locales = true;
    return RuleSet::builtin(options);
  }();
  GH_CHECK(set.has_value());
  return *set;
}

double processor_seconds(const std::function<void()>& work) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  const double start = now();
  work();
  return now() - start;
}

TextMaker::TextMaker(std::uint64_t seed, const RuleSet& rules) : engine_(seed) {
  for (const auto& rule : rules.impl().compiled)
    for (const Example& example : rule->source().must_match)
      if (example.text.size() < 600) examples_.push_back(example.text);
}

std::string TextMaker::piece() {
  switch (below(10)) {
    case 0:
      return examples_[below(examples_.size())];
    case 1: {
      const std::string& whole = examples_[below(examples_.size())];
      const std::size_t begin = below(whole.size());
      return whole.substr(begin, 1 + below(whole.size() - begin));
    }
    case 2: {
      std::string digits;
      for (std::size_t i = 1 + below(18); i > 0; --i) digits += static_cast<char>('0' + below(10));
      return digits;
    }
    case 3: {
      std::string letters;
      for (std::size_t i = 1 + below(40); i > 0; --i) letters += "abcdefXYZ0189_-+/="[below(18)];
      return letters;
    }
    default:
      return std::string(fragments[below(std::size(fragments))]);
  }
}

std::string TextMaker::text(std::size_t pieces) {
  std::string out;
  for (std::size_t i = 0; i < pieces; ++i) {
    out += piece();
    if (below(3) != 0) out += ' ';
  }
  return out;
}

std::vector<std::string_view> TextMaker::cut(std::string_view text) {
  std::vector<std::string_view> parts;
  const std::size_t most = std::size_t{1} << below(8);
  while (!text.empty()) {
    const std::size_t size = std::min(text.size(), 1 + below(most));
    parts.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return parts;
}

std::string TextMaker::json_string(std::string_view text) {
  const std::string clean = to_utf8(text);
  std::string plain = gatehouse::json_string(clean);
  std::string out;
  for (std::size_t i = 0; i < plain.size(); ++i) {  // some letters as escapes
    const auto byte = static_cast<unsigned char>(plain[i]);
    if (byte == '\\') {
      const std::size_t length = plain[i + 1] == 'u' ? 6 : 2;
      out += plain.substr(i, length);
      i += length - 1;
    } else if (i > 0 && i + 1 < plain.size() && byte >= 0x20 && byte < 0x7f && below(12) == 0) {
      char buffer[8];
      std::snprintf(buffer, sizeof buffer, "\\u%04X", byte);
      out += buffer;
    } else {
      out += plain[i];
    }
  }
  if (below(6) == 0) out.insert(1, "\\ud83d\\ude00");
  if (below(10) == 0) out.insert(1, "\\ud83d");
  return out;
}

std::string TextMaker::json(unsigned depth) {
  const std::string space = below(3) == 0 ? " " : "";
  switch (depth == 0 ? below(4) : below(6)) {
    case 0:
      return json_string(text(1 + below(6)));
    case 1:
      return json_string(piece());
    case 2:
      return below(2) == 0 ? "4111111111111111" : std::to_string(below(1'000'000'000)) + ".5e3";
    case 3:
      return below(2) == 0 ? "true" : "null";
    case 4: {
      std::string out = "[" + space;
      for (std::size_t i = below(4), n = 0; n < i; ++n)
        out += (n == 0 ? "" : "," + space) + json(depth - 1);
      return out + "]";
    }
    default: {
      std::string out = "{" + space;
      constexpr std::string_view keys[] = {"name", "password", "api_key", "ssn", "x", "phone"};
      for (std::size_t i = below(4), n = 0; n < i; ++n)
        out += (n == 0 ? "" : ",") +
               (below(2) == 0 ? "\"" + std::string(keys[below(6)]) + "\"" : json_string(piece())) +
               space + ":" + space + json(depth - 1);
      return out + space + "}";
    }
  }
}

namespace {

// Of one category's valid matches those that count.
void choose(const std::vector<Match>& all, std::vector<Match>& chosen) {
  std::size_t next = 0;
  std::set<const Match*> done;
  while (true) {
    const Match* best = nullptr;
    for (const Match& match : all) {
      if (done.contains(&match) || (match.begin < next && match.end < next + 64)) continue;
      const auto key = [](const Match& m) { return std::tuple(m.begin, ~m.end, m.rule); };
      if (best == nullptr || key(match) < key(*best)) best = &match;
    }
    if (best == nullptr) return;
    done.insert(best);
    chosen.push_back(*best);
    chosen.back().begin = std::max(best->begin, next);
    next = best->end;
  }
}

}  // namespace

std::vector<Match> find_the_slow_way(const RuleSet& rules, std::string_view source,
                                     Categories which) {
  FoldedText folded;
  folded.update(source, 0, true);
  const std::string_view text = folded.text();
  std::array<std::vector<Match>, category_count> all;
  const auto add = [&](Match match) {
    const auto category = static_cast<std::size_t>(rules.rules()[match.rule].category);
    if (!which.test(category)) return;
    const Span span = folded.source_of(match.begin, match.end);
    match.begin = span.begin;
    match.end = span.end;
    all[category].push_back(match);
  };
  for (std::uint32_t i = 0; i < rules.impl().compiled.size(); ++i) {
    const auto category = static_cast<std::size_t>(rules.rules()[i].category);
    if (!which.test(category)) continue;
    const CompiledRule& rule = *rules.impl().compiled[i];
    LastMatch last;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (!rule.may_follow(text, at)) continue;
      if (auto match = rule.confirm(text, at, 0, last))
        add({i, match->begin, match->end, match->p_value, {}});
    }
  }
  for (const PlacedDetector& placed : rules.impl().detectors) {
    for (Match& match : find_all(*placed.detector, text)) {
      match.rule += placed.first_rule;
      add(match);
    }
  }
  std::vector<Match> chosen;
  for (const auto& matches : all) choose(matches, chosen);
  return chosen;
}

bool is_json_prefix(std::string_view text) {
  JsonPrefix machine;
  return std::all_of(text.begin(), text.end(), [&machine](char c) { return machine.accept(c); });
}

}  // namespace gatehouse::inspect::testing
