// The share of an answer's sentences that its sources support, against a threshold, or how rare so
// little support is among answers that are supported, against a rate of false positives.
#include <fmt/format.h>

#include "validate/checks.h"
#include "validate/grounding_rate.h"

namespace gatehouse::validate {
namespace {

Outcome failed(const Grounded& grounded, std::string_view why) {
  return {Judgement::failed,
          0,
          fmt::format("{} of {} supported by the sources{}", grounded.supported,
                      count_of(grounded.asked, "sentence"), why),
          {},
          grounded.unsupported};
}

class GroundingCheck : public Check {
 public:
  Outcome run(const Answer& answer, const RequestFacts& facts, const Context&) const override {
    const Sources sources(facts.sources, facts.question);
    if (sources.empty()) return undecided("the request has no sources to compare with");
    return judge(ground(answer, sources));
  }

 private:
  virtual Outcome judge(const Grounded& grounded) const = 0;
};

class ShareCheck final : public GroundingCheck {
 public:
  explicit ShareCheck(double threshold) : threshold_(threshold) {}
  // The share of the beginning may be below and that of the whole above.
  bool judges_beginnings() const override { return threshold_ >= 1; }

 private:
  Outcome judge(const Grounded& grounded) const override {
    const double share = grounded.asked == 0 ? 1
                                             : static_cast<double>(grounded.supported) /
                                                   static_cast<double>(grounded.asked);
    Outcome outcome = share >= threshold_ ? Outcome() : failed(grounded, "");
    outcome.score = share;
    return outcome;
  }

  double threshold_;
};

class RateCheck final : public GroundingCheck {
 public:
  RateCheck(double rate, classify::Calibration calibration)
      : rate_(rate), calibration_(std::move(calibration)) {}
  bool judges_beginnings() const override { return false; }

 private:
  Outcome judge(const Grounded& grounded) const override {
    const double p =
        grounded.asked == 0
            ? 1
            : calibration_.head(grounding_head)->p_value(grounded.lack, grounded.bytes);
    Outcome outcome =
        p > rate_ ? Outcome()
                  : failed(grounded, fmt::format("; so little is rarer than {:g} among answers "
                                                 "that are supported",
                                                 rate_));
    outcome.score = p;
    return outcome;
  }

  double rate_;
  classify::Calibration calibration_;
};

Made make_rate_check(const CheckOptions& options) {
  const auto wrong = [](std::string what, std::string_view option) {
    return fail(ErrorCode::invalid_argument, std::move(what), std::string(option));
  };
  if (options.threshold >= 0) return wrong("cannot stand beside false_positives", "threshold");
  if (options.false_positives >= 1) return wrong("must be below 1", "false_positives");
  auto calibration = options.calibration.empty() ? builtin_grounding_calibration()
                                                 : parse_grounding_calibration(options.calibration);
  if (!calibration) return std::unexpected(std::move(calibration).error().within("calibration"));
  const double smallest = calibration->head(grounding_head)->smallest_p();
  if (options.false_positives < smallest)
    return wrong(fmt::format("this calibration can promise {:.2g} and no less", smallest),
                 "false_positives");
  return std::make_shared<RateCheck>(options.false_positives, *std::move(calibration));
}

}  // namespace

Made make_grounding_check(const CheckOptions& options) {
  if (options.false_positives > 0) return make_rate_check(options);
  if (!options.calibration.empty())
    return fail(ErrorCode::invalid_argument, "needs false_positives", "calibration");
  if (options.threshold > 1) return fail(ErrorCode::invalid_argument, "is above 1", "threshold");
  return std::make_shared<ShareCheck>(options.threshold <= 0 ? 0.7 : options.threshold);
}

}  // namespace gatehouse::validate
