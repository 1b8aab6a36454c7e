// For the property tests: texts that hit rules often, ways to cut them, and two judges that share
// nothing with the code they judge but RE2, the validators and the rules.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/rule_set.h"

namespace gatehouse::inspect::testing {

std::shared_ptr<const RuleSet> builtin_rules();

// How often to try: the whole number, less under sanitizers, which make it ten times slower.
constexpr std::uint64_t tries(std::uint64_t whole) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return whole / 8;
#endif
#endif
  return whole;
}

// What the work takes of this thread's processor, so that others on the machine do not count.
double processor_seconds(const std::function<void()>& work);

// Texts made of words, numbers, token fragments, whole and cut examples of rules, keywords,
// placeholders, separators and bytes that are not ASCII or not UTF-8.
class TextMaker {
 public:
  TextMaker(std::uint64_t seed, const RuleSet& rules);
  std::string text(std::size_t pieces);
  // Valid JSON whose strings and numbers are such texts, escaped in various ways.
  std::string json(unsigned depth);
  std::vector<std::string_view> cut(std::string_view text);
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : engine_() % limit; }

 private:
  std::string piece();
  std::string json_string(std::string_view text);

  std::mt19937_64 engine_;
  std::vector<std::string> examples_;
};

// The canonical search done the slow way: each rule tried at each byte, then the choice.
std::vector<Match> find_the_slow_way(const RuleSet& rules, std::string_view text, Categories which);

// Whether some continuation makes `text` a valid JSON document (strings need not be UTF-8).
bool is_json_prefix(std::string_view text);

}  // namespace gatehouse::inspect::testing
