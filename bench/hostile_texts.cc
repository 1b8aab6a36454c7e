#include "hostile_texts.h"

#include <fmt/core.h>

#include <functional>
#include <random>

#include "base/text.h"
#include "inspect/unicode.h"

namespace gatehouse::inspect::testing {
namespace {

// One piece after the other. Pieces may use chance, always the same.
using Random = std::mt19937_64;
using Piece = std::function<std::string(Random&, std::size_t)>;

std::string some(Random& random, std::string_view alphabet, std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += alphabet[random() % alphabet.size()];
  return out;
}

constexpr std::string_view digits = "0123456789";
constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view base64_signs =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view printable =
    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz";

std::string utf8(char32_t code) {
  std::string out;
  append_utf8(out, code);
  return out;
}

std::string sentence(Random& random, std::size_t words) {
  std::string out;
  for (std::size_t i = 0; i < words; ++i)
    out += (i == 0 ? "" : " ") + some(random, letters, 2 + random() % 8);
  return out;
}

std::string base64(std::string_view text) {
  return to_base64(bytes_of(text));
}
std::string hex(std::string_view text) {
  return to_hex(bytes_of(text));
}

std::string percent(std::string_view text) {
  std::string out;
  for (const char c : text) out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

std::string tags(std::string_view text) {
  std::string out;
  for (const char c : text) out += utf8(0xe0000 + static_cast<char32_t>(c));
  return out;
}

std::string spaced(std::string_view text, std::string_view separator) {
  std::string out;
  for (const char c : text) out += std::string(1, c) + std::string(separator);
  return out;
}

std::string card() {
  return "4111 1111 1111 1111";
}

// What one and the same piece makes.
Piece always(std::string piece) {
  return [piece = std::move(piece)](Random&, std::size_t) { return piece; };
}

std::string times(std::string_view piece, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += piece;
  return out;
}

const std::vector<std::pair<std::string, Piece>>& pieces() {
  static const std::vector<std::pair<std::string, Piece>> all = {
      // Encodings.
      {"base64 of words, dots between",
       [](Random& r, std::size_t) { return base64(sentence(r, 3)) + "."; }},
      {"base64 of words, newlines between",
       [](Random& r, std::size_t) { return base64(sentence(r, 8)) + "\n"; }},
      {"base64 of words, one run",
       [](Random& r, std::size_t) { return base64(sentence(r, 5) + times(" ", 12).substr(0, 3)); }},
      {"base64 of 12 letters each",
       [](Random& r, std::size_t) { return base64(some(r, letters, 12)) + " "; }},
      {"base64 signs, one run", [](Random& r, std::size_t) { return some(r, base64_signs, 4096); }},
      {"base64 signs of 16 each",
       [](Random& r, std::size_t) { return some(r, base64_signs, 16) + "."; }},
      {"base64 in base64 in base64",
       [](Random& r, std::size_t) { return base64(base64(base64(sentence(r, 40)))) + " "; }},
      {"base64 of e-mail addresses",
       [](Random& r, std::size_t) { return base64(some(r, letters, 8) + "@corp.example") + ","; }},
      {"base64 of cards", [](Random&, std::size_t) { return base64("card " + card()) + ","; }},
      {"base64 of spaced letters",
       [](Random& r, std::size_t) { return base64(spaced(some(r, letters, 60), " ")) + "\n\n"; }},
      {"letter A", always("A")},
      {"letters of one word",
       [](Random& r, std::size_t) { return some(r, letters, 64); }},
      {"hex of words, one run", [](Random& r, std::size_t) { return hex(sentence(r, 5)); }},
      {"hex of words, spaces between",
       [](Random& r, std::size_t) { return hex(sentence(r, 3)) + " "; }},
      {"hex digits, one run", [](Random& r, std::size_t) { return some(r, hex_digits, 4096); }},
      {"hex pairs of words", [](Random& r, std::size_t) {
         std::string out;
         for (const char c : sentence(r, 5)) out += fmt::format("{:02x} ", c);
         return out;
       }},
      {"hex pairs 0x, short rows", [](Random& r, std::size_t) {
         std::string out;
         for (const char c : some(r, letters, 9)) out += fmt::format("0x{:02x}, ", c);
         return out + "\n";
       }},
      {"hex in hex in hex", [](Random& r, std::size_t) { return hex(hex(hex(sentence(r, 9)))) + " "; }},
      {"percent escapes of words", [](Random& r, std::size_t) { return percent(sentence(r, 5)); }},
      {"percent, tower of %25", always("%25")},
      {"percent, towers of three",
       [](Random& r, std::size_t) { return "%252525" + some(r, hex_digits, 2); }},
      {"percent signs", always("%")},
      {"percent of base64", [](Random& r, std::size_t) { return percent(base64(sentence(r, 4))) + "."; }},
      {"entities, decimal", [](Random& r, std::size_t) {
         std::string out;
         for (const char c : sentence(r, 5)) out += fmt::format("&#{};", static_cast<int>(c));
         return out;
       }},
      {"entities, tower of amp;", always("&amp;")},
      {"entities, one long tower", [](Random&, std::size_t n) { return n == 0 ? "&" : "amp;"; }},
      {"entities cut off", always("&#x")},
      {"ampersands", always("&")},
      {"backslashes", always("\\")},
      {"\\u escapes", [](Random& r, std::size_t) {
         std::string out;
         for (const char c : sentence(r, 5)) out += fmt::format("\\u{:04x}", static_cast<int>(c));
         return out;
       }},
      {"\\u surrogates", always("\\ud83d")},
      // Spaced out.
      {"1 and spaces", always("1 ")},
      {"a and dots", always("a.")},
      {"spaced letters", [](Random& r, std::size_t) { return spaced(some(r, letters, 400), " ") + "\n"; }},
      {"spaced letters, short rows",
       [](Random& r, std::size_t) { return spaced(some(r, letters, 9), "-") + "\n"; }},
      {"spaced digits, rows of 16",
       [](Random& r, std::size_t) { return spaced(some(r, digits, 16), " ") + "\n"; }},
      {"spaced by changing signs", [](Random& r, std::size_t) {
         return spaced(some(r, letters, 9), some(r, "-_.,/|*+:;~", 1));
       }},
      {"separators", always("- ")},
      {"table of single letters", always("| a | b ")},
      // Hidden.
      {"tag characters", [](Random& r, std::size_t) { return tags(sentence(r, 9)); }},
      {"tag characters, rows of 8",
       [](Random& r, std::size_t) { return tags(some(r, letters, 8)) + "x"; }},
      {"variation selectors",
       [](Random& r, std::size_t) { return utf8(0xe0100 + static_cast<char32_t>(r() % 100)); }},
      {"variation selectors, rows of 8", [](Random& r, std::size_t) {
         std::string out = "x";
         for (int i = 0; i < 8; ++i) out += utf8(0xe0150 + static_cast<char32_t>(r() % 26));
         return out;
       }},
      {"zero width between letters",
       [](Random& r, std::size_t) { return some(r, letters, 1) + "\u200b"; }},
      {"zero width only", always("\u200b")},
      {"zero width in an e-mail address",
       [](Random&, std::size_t n) { return n == 0 ? "ada@co" : times("\u200b", 100); }},
      {"soft hyphens only", always("\u00ad")},
      {"directions", always("\u202e\u202d")},
      {"full-width letters",
       [](Random& r, std::size_t) { return utf8(0xff41 + static_cast<char32_t>(r() % 26)); }},
      {"full-width digits",
       [](Random& r, std::size_t) { return utf8(0xff10 + static_cast<char32_t>(r() % 10)); }},
      {"combining marks", always("e\u0301")},
      {"not UTF-8", [](Random& r, std::size_t) { return std::string(1, static_cast<char>(128 + r() % 128)); }},
      {"control characters", always("\x01")},
      {"literals added", [](Random& r, std::size_t) { return some(r, letters, 3) + "\" + \""; }},
      {"literals that are none", [](Random&, std::size_t) { return "a\"" + times(" ", 60) + "+\n"; }},
      {"colours", [](Random& r, std::size_t) { return some(r, letters, 1) + "\x1b[31m"; }},
      {"colours that are none", always("\x1b[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1 ")},
      {"breaks and comments", always("a<wbr><!-- --><!-<wb")},
      // Rules.
      {"digits, one run", [](Random& r, std::size_t) { return some(r, digits, 4096); }},
      {"digits, groups of four", [](Random& r, std::size_t) { return some(r, digits, 4) + " "; }},
      {"digits, groups of two", [](Random& r, std::size_t) { return some(r, digits, 2) + "-"; }},
      {"digits, groups of nine", [](Random& r, std::size_t) { return some(r, digits, 9) + " "; }},
      {"digits and dots", [](Random& r, std::size_t) { return some(r, digits, 3) + "."; }},
      {"digits of one kind", always("4")},
      {"cards", [](Random&, std::size_t) { return card() + " "; }},
      {"hex and colons", [](Random& r, std::size_t) { return some(r, hex_digits, 4) + ":"; }},
      {"password: ", always("password: ")},
      {"password=", always("password=")},
      {"key=", always("key=")},
      {"key=value", [](Random& r, std::size_t) { return "key=" + some(r, letters, 10) + "&"; }},
      {"secret token api key", always("secret token api_key ")},
      {"context words and digits",
       [](Random& r, std::size_t) { return "ssn iban tax id " + some(r, digits, 9) + " "; }},
      {"a@a@a@", always("a@")},
      {"e-mail addresses", [](Random& r, std::size_t) { return some(r, letters, 5) + "@b.co "; }},
      {"local part without end", [](Random& r, std::size_t n) { return n % 50 == 49 ? "@" : some(r, letters, 9) + "."; }},
      {"a long host", [](Random&, std::size_t n) { return n == 0 ? "https://a" : ".a"; }},
      {"hosts", [](Random& r, std::size_t) { return some(r, letters, 3) + ".com"; }},
      {"https://", always("https://")},
      {"links", [](Random& r, std::size_t) { return "![a](https://" + some(r, letters, 9) + ".com/?q="; }},
      {"connection strings", always("postgres://a:b@")},
      {"basic authorization", [](Random& r, std::size_t) { return "Authorization: Basic " + base64(some(r, letters, 9)) + " "; }},
      {"curl -u", always("curl -u ")},
      {"eyJ", always("eyJ")},
      {"eyJ and dots", always("eyJhbGciOiJIUzI1NiJ9.")},
      {"PEM headers", always("-----BEGIN PRIVATE KEY-----\n")},
      {"PEM without end", [](Random& r, std::size_t n) { return n % 300 == 0 ? "-----BEGIN PRIVATE KEY-----\n" : some(r, base64_signs, 64) + "\n"; }},
      {"AKIA", always("AKIA")},
      {"ghp_", always("ghp_")},
      {"sk-", always("sk-")},
      {"AWS keys", [](Random& r, std::size_t) { return "AKIA" + some(r, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16) + " "; }},
      {"dashes", always("-")},
      {"spaces", always(" ")},
      {"newlines", always("\n")},
      {"quotes", always("\"")},
      {"brackets", always("[")},
      {"open braces", always("{\"a\":")},
      // Names and addresses.
      {"names", always("Dr. Anna Schmidt, John Smith and ")},
      {"capitals", [](Random& r, std::size_t) { return some(r, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1) + some(r, letters, 5) + " "; }},
      {"single capitals", always("A. ")},
      {"capitals without spaces", [](Random& r, std::size_t) { return some(r, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1) + some(r, letters, 1); }},
      {"streets", always("12 Main Street, Springfield, IL 62701 ")},
      {"my name is", always("my name is ")},
      {"Chinese", [](Random& r, std::size_t) { return utf8(0x4e00 + static_cast<char32_t>(r() % 5000)); }},
      // Chance.
      {"printable", [](Random& r, std::size_t) { return some(r, printable, 512); }},
      {"bytes", [](Random& r, std::size_t) { return std::string(1, static_cast<char>(r() % 256)); }},
      {"code", always("rm -rf / ; eval(base64_decode(\"aGVsbG8gd29ybGQ=\")); ")},
  };
  return all;
}

}  // namespace

std::vector<HostileText> hostile_texts(std::size_t size, std::string_view word) {
  std::vector<HostileText> out;
  std::uint64_t seed = 0;
  for (const auto& [name, piece] : pieces()) {
    Random random(++seed);
    if (!name.contains(word)) continue;
    std::string text;
    for (std::size_t n = 0; text.size() < size; ++n) text += piece(random, n);
    text.resize(size);
    out.push_back({name, std::move(text)});
  }
  return out;
}

}  // namespace gatehouse::inspect::testing
