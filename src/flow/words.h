// Texts as words, and what a word says as a number. Comparing words and not characters is what
// keeps "ann@example.com" from being found in "joann@example.com". Internal to flow/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::flow {

// Lower case, cut at white space and at what separates items, without the punctuation around them.
// An address, an account, a path or a date stays one word.
std::vector<std::string> words_of(std::string_view text);

// Without separators inside: "GB82-WEST" and "gb82west" are one account.
std::string compact(std::string_view word);

// "1,200.50", "£12", "19.5%", "1200": a number; nullopt for what is none. `percent` when it says
// so.
struct Number {
  double value = 0;
  bool percent = false;
};
std::optional<Number> number_of(std::string_view word);
// "two", "twelve", "fifty"
std::optional<double> number_word(std::string_view word);

// Equal as money and counts are: to half a cent, or to nine digits.
bool same_number(double a, double b);

}  // namespace gatehouse::flow
