// Example texts of rule files. Tokens that look alive would trip push protection wherever the rules
// are kept, so a file writes {{alnum:36}} where a token has its random body, and {{}} to break up a
// literal. The same file gives the same texts everywhere: the bytes come from a hash of rule and
// example. « and » mark the span that must be found.
#include <array>
#include <functional>

#include "base/text.h"
#include "crypto/crypto.h"
#include "inspect/checksums.h"
#include "inspect/rule_source.h"

namespace gatehouse::inspect {
namespace {

constexpr std::size_t max_example = 64 * 1024;
constexpr std::string_view upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view digits = "0123456789";

// Bytes from SHA-256 in counter mode over the seed.
class SeededBytes {
 public:
  explicit SeededBytes(std::string_view seed) : seed_(seed) {}

  unsigned next() {
    if (at_ == block_.size()) {
      block_ = crypto::sha256(bytes_of(seed_), bytes_of(std::to_string(counter_++)));
      at_ = 0;
    }
    return std::to_integer<unsigned>(block_[at_++]);
  }
  std::string from(std::string_view alphabet, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += alphabet[next() % alphabet.size()];
    return out;
  }

 private:
  std::string seed_;
  std::uint64_t counter_ = 0;
  crypto::Digest block_{};
  std::size_t at_ = block_.size();
};

std::string alphabet_of(std::string_view name) {
  const std::string alnum = std::string(upper) + std::string(lower) + std::string(digits);
  if (name == "alnum") return alnum;
  if (name == "upper") return std::string(upper);
  if (name == "lower") return std::string(lower);
  if (name == "digits") return std::string(digits);
  if (name == "hex") return "0123456789abcdef";
  if (name == "HEX") return "0123456789ABCDEF";
  if (name == "base32") return std::string(upper) + "234567";
  if (name == "lower-alnum") return std::string(lower) + std::string(digits);
  if (name == "upper-alnum") return std::string(upper) + std::string(digits);
  if (name == "base64") return alnum + "+/";
  if (name == "base64url") return alnum + "-_";
  return {};
}

std::string uuid(SeededBytes& bytes) {
  std::string out;
  for (const std::size_t part : {8, 4, 4, 4, 12}) {
    if (!out.empty()) out += '-';
    out += bytes.from("0123456789abcdef", part);
  }
  out[14] = '4';
  out[19] = 'a';
  return out;
}

std::string jwt(SeededBytes& bytes, std::size_t payload) {
  return to_base64url(bytes_of(R"({"alg":"HS256","typ":"JWT"})")) + "." +
         to_base64url(bytes_of("{\"sub\":\"" + bytes.from(lower, payload) + "\"}")) + "." +
         bytes.from(alphabet_of("base64url"), 43);
}

// A PEM body of so many lines.
std::string pem_lines(SeededBytes& bytes, std::size_t lines) {
  std::string out = "MII";
  for (std::size_t i = 0; i < lines; ++i) {
    out += bytes.from(alphabet_of("base64"), i == 0 ? 61 : 64);
    out += '\n';
  }
  return out;
}

// One template's text; empty when the name is unknown.
Result<std::string> expand_template(std::string_view inside, SeededBytes& bytes) {
  const std::size_t colon = inside.find(':');
  const std::string_view name = inside.substr(0, colon);
  const auto count = colon == std::string_view::npos ? std::optional<std::uint64_t>(0)
                                                     : parse_uint(inside.substr(colon + 1));
  if (name.empty()) return std::string();
  if (count && *count <= 16'384) {
    const auto size = static_cast<std::size_t>(*count);
    if (const std::string alphabet = alphabet_of(name); !alphabet.empty() && size > 0)
      return bytes.from(alphabet, size);
    if (name == "uuid") return uuid(bytes);
    if (name == "jwt") return jwt(bytes, size);
    if (name == "pem") return pem_lines(bytes, size);
    if (name == "crc-token") {
      const std::string body = bytes.from(alphabet_of("alnum"), 30);
      return body + base62_crc32(body);
    }
    if (name == "base64-of") return to_base64(bytes_of(bytes.from(lower, size)));
    if (name == "bytes64") return to_base64(bytes_of(bytes.from(alphabet_of("alnum"), size)));
  }
  return fail(ErrorCode::invalid_argument,
              "unknown template {{" + std::string(inside) + "}} in an example");
}

// Takes « and » out of the text.
Result<Example> take_marks(std::string text) {
  constexpr std::string_view open = "\xc2\xab";
  constexpr std::string_view close = "\xc2\xbb";
  const std::size_t begin = text.find(open);
  if (begin == std::string::npos) return Example{std::move(text), std::nullopt};
  text.erase(begin, open.size());
  const std::size_t end = text.find(close);
  if (end == std::string::npos || end < begin)
    return fail(ErrorCode::invalid_argument, "an example opens a mark and does not close it");
  text.erase(end, close.size());
  return Example{std::move(text), Span{begin, end}};
}

}  // namespace

Result<Example> expand_example(std::string_view text, std::string_view seed) {
  SeededBytes bytes(seed);
  std::string out;
  while (true) {
    const std::size_t open = text.find("{{");
    out += text.substr(0, open);
    if (open == std::string_view::npos) break;
    const std::size_t close = text.find("}}", open);
    if (close == std::string_view::npos)
      return fail(ErrorCode::invalid_argument, "an example opens {{ and does not close it");
    GH_ASSIGN(const std::string part,
              expand_template(text.substr(open + 2, close - open - 2), bytes));
    out += part;
    text.remove_prefix(close + 2);
    if (out.size() > max_example)
      return fail(ErrorCode::invalid_argument, "an example is too long");
  }
  return take_marks(std::move(out));
}

}  // namespace gatehouse::inspect
