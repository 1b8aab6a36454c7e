// The file of a dictionary: made, read, asked.
#include "inspect/dictionary.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "inspect/dictionary_words.h"
#include "inspect/fold.h"

namespace gatehouse::inspect {
namespace {

constexpr std::string_view format = "gatehouse-dictionary-1";
constexpr std::size_t most_values = 10'000'000;
constexpr std::size_t salt_size = 16;

std::string tagged(char tag, std::string_view text) {
  return std::string(1, tag).append(text);
}

crypto::Digest table_key(const crypto::Digest& key, std::string_view salt) {
  return crypto::hmac_sha256(key, bytes_of(salt));
}

std::string key_check(const crypto::Digest& table) {
  return to_hex(Bytes(crypto::hmac_sha256(table, bytes_of("key check"))).first(8));
}

std::vector<std::uint64_t> hashes(const std::set<std::string>& texts, char tag,
                                  const crypto::ShortHash& hash) {
  std::vector<std::uint64_t> out;
  for (const std::string& text : texts) out.push_back(hash(bytes_of(tagged(tag, text))));
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void append(std::string& file, const std::vector<std::uint64_t>& numbers) {
  static_assert(std::endian::native == std::endian::little);
  file.append(reinterpret_cast<const char*>(numbers.data()),
              numbers.size() * sizeof(std::uint64_t));
}

std::vector<std::uint64_t> numbers_of(std::string_view bytes) {
  std::vector<std::uint64_t> numbers(bytes.size() / sizeof(std::uint64_t));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

Error refusal(std::string_view why) {
  return Error{ErrorCode::invalid_argument, "not a dictionary: " + std::string(why), ""};
}

struct Header {
  DictionarySpec spec;
  std::string salt;
  std::string check;
  std::uint64_t values = 0;
  std::uint64_t prefixes = 0;
  std::uint64_t words = 0;
};

Result<Header> read_header(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || json.size() != 10) return std::unexpected(refusal("no header"));
  const auto text = [&json](const char* key) {
    const auto at = json.find(key);
    return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  const auto count = [&json](const char* key) -> std::uint64_t {
    const auto at = json.find(key);
    return at != json.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
  };
  if (text("format") != format) return std::unexpected(refusal("another format"));
  Header header;
  header.spec.name = text("name");
  header.spec.kind = text("kind");
  GH_ASSIGN(header.spec.category, parse_category(text("category")));
  const auto p_value = json.find("p_value");
  if (p_value == json.end() || !p_value->is_number()) return std::unexpected(refusal("no p_value"));
  header.spec.p_value = p_value->get<double>();
  GH_ASSIGN(header.salt, from_hex(text("salt")));
  header.check = text("key_check");
  header.values = count("values");
  header.prefixes = count("prefixes");
  header.words = count("words");
  const bool in_range = header.values > 0 && header.values <= most_values && header.prefixes > 0 &&
                        header.prefixes <= header.values && header.words > 0 &&
                        header.words <= most_words_of_value && header.spec.p_value > 0 &&
                        header.spec.p_value <= 1 && header.salt.size() == salt_size;
  if (!in_range || !is_rule_name(header.spec.name) || !is_rule_kind(header.spec.kind))
    return std::unexpected(refusal("a header out of range"));
  return header;
}

}  // namespace

crypto::Digest dictionary_key(std::string_view deployment_secret) {
  return crypto::derive_key(bytes_of(deployment_secret), "gatehouse inspect dictionary 1");
}

bool is_rule_name(std::string_view text) {
  return !text.empty() && text.size() <= 48 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_rule_kind(std::string_view text) {
  return !text.empty() && text.size() <= 32 && text.front() >= 'A' && text.front() <= 'Z' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

std::string normal_form(std::string_view value) {
  const std::string folded = fold_characters(value);
  NormalRow row;
  std::size_t letters = 0;
  std::size_t digits = 0;
  for (std::size_t at = 0; at < folded.size();) {
    if (!is_word_byte(folded[at])) {
      ++at;
      continue;
    }
    const Word word = word_at(folded, at);
    if (!row.append(folded, word) || row.words() > most_words_of_value) return {};
    (word.digits ? digits : letters) += word.end - word.begin;
    at = word.end;
  }
  return digits >= 5 || letters >= 4 ? std::string(row.text()) : std::string();
}

Result<BuiltDictionary> build_dictionary(const std::vector<std::string>& values,
                                         const DictionarySpec& spec, const crypto::Digest& key,
                                         Random& random) {
  if (!is_rule_name(spec.name))
    return fail(ErrorCode::invalid_argument, "the name must be small letters, digits and dashes");
  if (!is_rule_kind(spec.kind))
    return fail(ErrorCode::invalid_argument, "the kind must be capitals, digits and underscores");
  if (!(spec.p_value > 0 && spec.p_value <= 1))
    return fail(ErrorCode::invalid_argument, "the p-value must be above 0 and at most 1");
  BuiltDictionary built;
  std::set<std::string> normal;
  std::set<std::string> prefixes;
  std::size_t words = 1;
  for (const std::string& value : values) {
    const std::string form = normal_form(value);
    if (form.empty()) {
      ++built.skipped;
      continue;
    }
    prefixes.insert(std::string(prefix_of(form)));
    // Numbers may be written in more groups than they were given in.
    words = std::max<std::size_t>(
        words, begins_with_digit(form)
                   ? most_words_of_value
                   : 1 + static_cast<std::size_t>(std::ranges::count(form, ' ')));
    if (form.find_first_of("0123456789") != std::string::npos) words = most_words_of_value;
    normal.insert(form);
  }
  if (normal.empty()) return fail(ErrorCode::invalid_argument, "there are no values to look for");
  if (normal.size() > most_values)
    return fail(ErrorCode::invalid_argument, "there are more than 10,000,000 values");
  std::array<std::byte, salt_size> salt;
  random.fill(salt);
  const crypto::Digest table = table_key(key, text_of(salt));
  const crypto::ShortHash hash(table);
  const auto value_hashes = hashes(normal, 'v', hash);
  const auto prefix_hashes = hashes(prefixes, 'p', hash);
  JsonWriter writer(built.file);
  writer.begin_object().key("format").string(format).key("name").string(spec.name);
  writer.key("kind").string(spec.kind).key("category").string(to_string(spec.category));
  writer.key("p_value").number(spec.p_value).key("salt").string(to_hex(salt));
  writer.key("key_check").string(key_check(table)).key("values").number(value_hashes.size());
  writer.key("prefixes").number(prefix_hashes.size()).key("words").number(words).end_object();
  built.file += '\n';
  append(built.file, value_hashes);
  append(built.file, prefix_hashes);
  built.values = value_hashes.size();
  return built;
}

Result<std::shared_ptr<const Dictionary>> Dictionary::parse(std::string_view file,
                                                            const crypto::Digest& key) {
  const std::size_t line = file.substr(0, 4096).find('\n');
  if (line == std::string_view::npos) return std::unexpected(refusal("no header"));
  GH_ASSIGN(const Header header, read_header(file.substr(0, line)));
  const std::string_view body = file.substr(line + 1);
  if (body.size() != (header.values + header.prefixes) * sizeof(std::uint64_t))
    return std::unexpected(refusal("cut short, or something follows"));
  const crypto::Digest table = table_key(key, header.salt);
  if (key_check(table) != header.check)
    return fail(ErrorCode::invalid_argument, "the dictionary was made with another key");
  auto dictionary = std::shared_ptr<Dictionary>(new Dictionary(table));
  dictionary->digest_ = crypto::sha256(bytes_of(file));
  dictionary->rule_ = {"dictionary-" + header.spec.name, header.spec.category, header.spec.kind,
                       "A value of the dictionary " + header.spec.name, header.spec.p_value};
  dictionary->most_words_ = header.words;
  dictionary->values_ = numbers_of(body.substr(0, header.values * sizeof(std::uint64_t)));
  if (!std::ranges::is_sorted(dictionary->values_))
    return std::unexpected(refusal("its hashes are not in order"));
  const std::uint64_t bits = std::bit_ceil(std::max<std::uint64_t>(header.prefixes * 16, 1024));
  dictionary->filter_mask_ = bits - 1;
  dictionary->filter_.resize(bits / 64);
  for (const std::uint64_t hash : numbers_of(body.substr(header.values * sizeof(std::uint64_t)))) {
    const std::uint64_t bit = hash & dictionary->filter_mask_;
    dictionary->filter_[bit / 64] |= std::uint64_t{1} << (bit % 64);
  }
  return dictionary;
}

bool Dictionary::may_begin_with(std::string_view first_word) const {
  std::array<char, most_bytes_of_word + 1> text;
  if (first_word.size() >= text.size()) return false;
  text[0] = 'p';
  std::ranges::copy(first_word, text.begin() + 1);
  const std::uint64_t bit = hash_(bytes_of({text.data(), first_word.size() + 1})) & filter_mask_;
  return (filter_[bit / 64] >> (bit % 64) & 1) != 0;
}

bool Dictionary::contains(std::string_view normal) const {
  std::array<char, most_bytes_of_value + 1> text;
  if (normal.size() >= text.size()) return false;
  text[0] = 'v';
  std::ranges::copy(normal, text.begin() + 1);
  return std::ranges::binary_search(values_, hash_(bytes_of({text.data(), normal.size() + 1})));
}

}  // namespace gatehouse::inspect
