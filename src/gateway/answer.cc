// See answer.h.
#include "gateway/answer.h"

#include <algorithm>

#include "base/text.h"

namespace gatehouse::gateway {

AnswerFacts::Content& AnswerFacts::content_of(std::uint64_t choice) {
  const auto known = std::ranges::find(contents, choice, &Content::choice);
  if (known != contents.end()) return *known;
  contents.push_back({choice, {}, false});
  return contents.back();
}

void AnswerFacts::add_content(std::uint64_t choice, std::string_view text, std::size_t most) {
  auto& content = content_of(choice);
  if (content.text.size() < most) content.text += text;
}

namespace {

// A person who names a password for a tool means that password; in a text for people it is masked
// whoever said it first.
inspect::FilterPlan filter_for(const AnswerPlan& plan, inspect::TextForm form) {
  auto filter = plan.filter;
  if (form == inspect::TextForm::json && !plan.content_is_json) filter.spare = plan.own_words;
  return filter;
}

}  // namespace

std::string Channels::feed(const ChannelKey& key, inspect::TextForm form, std::string_view text) {
  auto channel = open_.find(key);
  if (channel == open_.end()) {
    too_many_ = too_many_ || open_.size() >= most_open;
    if (too_many_) return {};
    channel = open_.emplace(key, inspect::TextFilter(*plan_.scanner, filter_for(plan_, form), form))
                  .first;
  }
  return channel->second.feed(text);
}

Channels::Open::iterator Channels::close(Open::iterator channel,
                                         std::vector<std::pair<ChannelKey, std::string>>& rest) {
  auto text = channel->second.finish();
  facts_.findings.add(channel->second.findings());
  facts_.restored += channel->second.restored();
  if (!text.empty()) rest.emplace_back(channel->first, std::move(text));
  return open_.erase(channel);
}

std::vector<std::pair<ChannelKey, std::string>> Channels::finish_choice(std::uint64_t choice) {
  return finish_choices(choice, choice);
}

std::vector<std::pair<ChannelKey, std::string>> Channels::finish_choices(std::uint64_t first,
                                                                         std::uint64_t last) {
  std::vector<std::pair<ChannelKey, std::string>> rest;
  for (auto channel = open_.begin(); channel != open_.end();) {
    const bool ends = first <= channel->first.choice && channel->first.choice <= last;
    channel = ends ? close(channel, rest) : std::next(channel);
  }
  return rest;
}

std::vector<std::pair<ChannelKey, std::string>> Channels::finish_all() {
  std::vector<std::pair<ChannelKey, std::string>> rest;
  for (auto channel = open_.begin(); channel != open_.end();) channel = close(channel, rest);
  return rest;
}

void filter_once(const AnswerPlan& plan, inspect::TextForm form, std::string_view text,
                 JsonSpan inside, std::vector<Splice>& edits, AnswerFacts& facts,
                 std::string* leaves) {
  // Most texts have nothing in them: one scan says so, without a copy.
  const bool may_restore = plan.filter.restore && text.find('[') != std::string_view::npos;
  if (form == inspect::TextForm::plain && !may_restore && plan.scanner->scan(text).empty()) {
    if (leaves != nullptr) *leaves += text;
    return;
  }
  auto filtered = inspect::filter_text(*plan.scanner, filter_for(plan, form), form, text);
  if (leaves != nullptr) *leaves += filtered.text;
  facts.findings.add(filtered.findings);
  facts.restored += filtered.restored;
  if (filtered.changed) edits.push_back(replace_string(inside, filtered.text));
}

void filter_value(const AnswerPlan& plan, std::string_view document, JsonSpan span,
                  std::vector<Splice>& edits, AnswerFacts& facts) {
  const auto raw = document.substr(span.begin, span.end - span.begin);
  if (raw == "{}") return;
  auto filtered = inspect::filter_text(*plan.scanner, filter_for(plan, inspect::TextForm::json),
                                       inspect::TextForm::json, raw);
  facts.findings.add(filtered.findings);
  facts.restored += filtered.restored;
  if (filtered.changed) edits.push_back({span.begin, span.end, std::move(filtered.text)});
}

Splice replace_string(JsonSpan inside, std::string_view text) {
  Splice splice{inside.begin, inside.end, {}};
  append_json_escaped(splice.text, text);
  return splice;
}

std::optional<std::uint64_t> as_count(std::string_view number) {
  return parse_uint(number);
}

bool looks_encoded(std::string_view text) {
  constexpr std::size_t shortest = 256;
  return text.size() >= shortest && std::ranges::all_of(text, [](unsigned char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '+' || c == '/' || c == '=' || c == '-' || c == '_';
         });
}

}  // namespace gatehouse::gateway
