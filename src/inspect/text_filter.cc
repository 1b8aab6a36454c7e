// A channel's filter: a plain run, or JSON.
#include <algorithm>
#include <tuple>

#include "inspect/json_text.h"

namespace gatehouse::inspect {

struct TextFilter::Impl {
  Impl(Scanner& scanner, const FilterPlan& filter_plan, TextForm form)
      : plan(filter_plan), plain(scanner.impl(), plan, tally) {
    GH_CHECK(plan.placeholders != nullptr || (plan.redact.none() && !plan.restore));
    if (form == TextForm::json) {
      json = std::make_unique<JsonText>(scanner.impl(), plan, tally);
    } else {
      plain.begin({}, 0, false);
    }
  }

  // Two matchers report, each in its own time: put in order what they found.
  void sort_findings() {
    const auto place = [](const Finding& f) {
      return std::tuple(f.span.begin, f.span.end, f.rule);
    };
    std::sort(tally.findings.begin(), tally.findings.end(),
              [place](const Finding& a, const Finding& b) { return place(a) < place(b); });
  }

  FilterPlan plan;
  FilterTally tally;
  SubText plain;
  std::unique_ptr<JsonText> json;  // null: the channel is plain
};

TextFilter::TextFilter(Scanner& scanner, FilterPlan plan, TextForm form)
    : impl_(std::make_unique<Impl>(scanner, plan, form)) {}
TextFilter::~TextFilter() = default;
TextFilter::TextFilter(TextFilter&&) noexcept = default;

std::string TextFilter::feed(std::string_view text) {
  std::string out;
  if (text.empty()) return out;
  if (impl_->json) {
    impl_->json->feed(text, out);
  } else {
    impl_->plain.feed(text);
    impl_->plain.advance(out, false);
  }
  return out;
}

std::string TextFilter::finish() {
  std::string out;
  if (impl_->json) {
    impl_->json->finish(out);
  } else {
    impl_->plain.advance(out, true);
  }
  impl_->sort_findings();
  return out;
}

std::size_t TextFilter::held() const {
  return impl_->json ? impl_->json->held() : impl_->plain.held();
}

const std::vector<Finding>& TextFilter::findings() const {
  return impl_->tally.findings;
}
std::size_t TextFilter::restored() const {
  return impl_->tally.restored;
}
std::size_t TextFilter::found() const {
  return impl_->tally.redacted + impl_->tally.watched;
}

Filtered filter_text(Scanner& scanner, const FilterPlan& plan, TextForm form,
                     std::string_view text) {
  TextFilter filter(scanner, plan, form);
  Filtered result;
  result.text = filter.feed(text);
  result.text += filter.finish();
  result.findings = filter.findings();
  result.restored = filter.restored();
  result.changed = result.text != text;
  return result;
}

}  // namespace gatehouse::inspect
