// A channel's filter: a plain run, or JSON.
#include <algorithm>
#include <tuple>

#include "inspect/json_text.h"

namespace gatehouse::inspect {

struct TextFilter::Impl {
  Impl(Scanner& scanner, const FilterPlan& filter_plan, TextForm form)
      : plan(filter_plan), plain(scanner.impl(), plan, tally) {
    GH_CHECK(plan.placeholders != nullptr || !plan.restore);
    GH_CHECK(plan.placeholders != nullptr || plan.masks != nullptr || plan.redact.none());
    if (form == TextForm::json) {
      json = std::make_unique<JsonText>(scanner.impl(), plan, tally);
    } else {
      plain.begin({}, 0, false);
    }
  }

  void feed(std::string_view text, std::string& out) {
    if (json) {
      json->feed(text, out);
    } else {
      plain.feed(text);
    }
  }

  void finish(std::string& out) {
    if (json) {
      json->finish(out);
    } else {
      plain.advance(out, true);
    }
    sort_findings();
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
  impl_->feed(text, out);
  if (!impl_->json) impl_->plain.advance(out, false);
  return out;
}

std::string TextFilter::finish() {
  std::string out;
  impl_->finish(out);
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
  TextFilter::Impl filter(scanner, plan, form);
  Filtered result;
  filter.feed(text, result.text);
  filter.finish(result.text);
  result.findings = std::move(filter.tally.findings);
  result.restored = filter.tally.restored;
  result.changed = result.text != text;
  return result;
}

}  // namespace gatehouse::inspect
