// How rare so little support is among answers that their sources do support: p-values of the
// grounding check, by a calibration like that of any detector (classify/calibration.h), so that a
// deployment sets the share of good answers that may fall, and not a share of sentences.
//
// An answer's score is what its sentences lack of support, on average; p-values are by its length.
// Pure; immutable.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "classify/calibration.h"
#include "crypto/crypto.h"
#include "validate/grounding.h"
#include "validate/validate.h"

namespace gatehouse::validate {

// What the sources say of an answer's sentences.
struct Grounded {
  std::size_t asked = 0;      // sentences with something to ask about
  std::size_t supported = 0;  // of these
  double lack = 0;            // 0: all of it is supported, 1: nothing; the mean over those asked
  std::uint64_t bytes = 0;    // of the answer's texts
  std::vector<PlacedSpan> unsupported;
};
Grounded ground(const Answer& answer, const Sources& sources);

// Another way to compute `lack` is another detector: calibrations of the one before are refused.
inline constexpr std::string_view grounding_detector = "grounding-1";
inline constexpr std::string_view grounding_head = "lack";
crypto::Digest grounding_digest();

// The calibration compiled into the program (rules/models/grounding-1.calibration).
Result<classify::Calibration> builtin_grounding_calibration();
// From a file's text; failed_precondition when it is of something else.
Result<classify::Calibration> parse_grounding_calibration(std::string_view text);

}  // namespace gatehouse::validate
