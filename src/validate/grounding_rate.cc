// See grounding_rate.h.
#include "validate/grounding_rate.h"

#include <algorithm>

#include "base/text.h"
#include "validate/words.h"

namespace gatehouse::validate {

std::string_view builtin_grounding_text();  // generated from rules/models

Grounded ground(const Answer& answer, const Sources& sources) {
  Grounded grounded;
  double lack = 0;
  for (std::size_t choice = 0; choice < answer.choices.size(); ++choice) {
    const std::string_view text = answer.choices[choice].text;
    grounded.bytes += text.size();
    for (const auto sentence : sentences_of(text)) {
      const auto support = sources.support(sentence);
      if (support < 0) continue;
      ++grounded.asked;
      lack += 1 - std::min(1.0, support);
      if (support >= enough_support) {
        ++grounded.supported;
        continue;
      }
      const auto begin = static_cast<std::size_t>(sentence.data() - text.data());
      grounded.unsupported.push_back({{choice, std::nullopt}, {begin, begin + sentence.size()}});
    }
  }
  if (grounded.asked > 0) grounded.lack = lack / static_cast<double>(grounded.asked);
  return grounded;
}

crypto::Digest grounding_digest() {
  return crypto::sha256(bytes_of(grounding_detector));
}

Result<classify::Calibration> parse_grounding_calibration(std::string_view text) {
  GH_ASSIGN(auto calibration, classify::Calibration::parse(text));
  GH_TRY(calibration.check_made_for(grounding_detector, grounding_digest()));
  if (!calibration.head(grounding_head))
    return fail(ErrorCode::failed_precondition, "the calibration is not one of grounding");
  return calibration;
}

Result<classify::Calibration> builtin_grounding_calibration() {
  return parse_grounding_calibration(builtin_grounding_text());
}

}  // namespace gatehouse::validate
