#include "inspect/hidden.h"

#include <array>

namespace gatehouse::inspect {
namespace {

enum : std::uint32_t {
  tag_text,
  selector_bytes,
  zero_width_run,
  zero_width_in_word,
  direction,
  long_unseen
};

const std::array<Rule, 6>& hidden_rules() {
  static const std::array<Rule, 6> rules = {{
      {"hidden-tag-characters", Category::smuggling, "HIDDEN",
       "Text in Unicode tag characters, which models read and people do not see", 1e-7},
      {"hidden-variation-selectors", Category::smuggling, "HIDDEN",
       "Bytes in variation selectors, which no character beside them calls for", 1e-7},
      {"hidden-zero-width-run", Category::smuggling, "HIDDEN",
       "Four zero-width characters or more in a row", 1e-5},
      {"hidden-zero-width-in-word", Category::smuggling, "HIDDEN",
       "Zero-width characters between the letters of a word", 1e-3},
      {"hidden-direction-override", Category::smuggling, "HIDDEN",
       "Characters that turn the order of the letters people see", 1e-5},
      {"hidden-long-run", Category::smuggling, "HIDDEN", "16 KiB in which nobody sees anything",
       1e-7},
  }};
  return rules;
}

class HiddenDetector final : public PlainDetector {
 public:
  std::span<const Rule> rules() const override { return hidden_rules(); }
  std::size_t look_back() const override { return 0; }
  std::size_t frontier(std::string_view text, std::size_t /*from*/) const override {
    return text.size();
  }
  void find(std::string_view /*text*/, std::size_t /*from*/, std::size_t /*to*/,
            std::vector<Match>& /*found*/) const override {}
};

bool is_ascii_word(char32_t code) {
  return (code >= '0' && code <= '9') || ((code | 0x20) >= 'a' && (code | 0x20) <= 'z');
}

// The flags of England, Scotland, Wales: a black flag, a few tags, the tag that ends them.
bool is_flag(const HiddenRun& run) {
  return run.before == 0x1f3f4 && run.tags >= 3 && run.tags <= 8 && run.selectors == 0;
}

}  // namespace

std::unique_ptr<const Detector> make_hidden_detector() {
  return std::make_unique<HiddenDetector>();
}

std::optional<std::uint32_t> smuggling_rule(const HiddenRun& run) {
  if (run.wrapper) return std::nullopt;
  if (run.tags > 0 && !is_flag(run)) return tag_text;
  if (run.selectors >= 3) return selector_bytes;
  if (run.overrides > 0) return direction;
  if (run.long_unseen) return long_unseen;
  if (run.zero_width >= 4) return zero_width_run;
  if (run.zero_width > 0 && is_ascii_word(run.before) && is_ascii_word(run.after))
    return zero_width_in_word;
  return std::nullopt;
}

}  // namespace gatehouse::inspect
