// The classifier together with a calibration of the same model: what policies and reports ask for.
// Immutable; shared by all threads.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "classify/calibration.h"
#include "classify/classifier.h"

namespace gatehouse::classify {

// The names of the classifier's heads in calibrations.
inline constexpr std::string_view jailbreak_head = "jailbreak";
inline constexpr std::string_view injection_head = "injection";

// A score, and how rare one this high is among benign texts of this length.
struct Risk {
  double score = 0;
  double p_value = 1;
};

struct Risks {
  Risk jailbreak;
  Risk injection;
};

class CalibratedClassifier {
 public:
  // Both as compiled in.
  static Result<std::shared_ptr<const CalibratedClassifier>> builtin();
  // failed_precondition when the calibration is of another model or lacks a head.
  static Result<std::shared_ptr<const CalibratedClassifier>> make(
      std::shared_ptr<const Classifier> classifier, Calibration calibration);

  // One pass for both heads.
  Risks judge(std::string_view text) const;

  const Classifier& classifier() const { return *classifier_; }
  const Calibration& calibration() const { return calibration_; }

  CalibratedClassifier(std::shared_ptr<const Classifier> classifier, Calibration calibration);
  CalibratedClassifier(const CalibratedClassifier&) = delete;
  CalibratedClassifier& operator=(const CalibratedClassifier&) = delete;
  ~CalibratedClassifier() = default;

 private:
  std::shared_ptr<const Classifier> classifier_;
  Calibration calibration_;
  const HeadCalibration* jailbreak_ = nullptr;  // into calibration_; made there, never moved
  const HeadCalibration* injection_ = nullptr;
};

// The calibration compiled into the program (rules/models/injection-3.calibration).
Result<Calibration> builtin_calibration();

}  // namespace gatehouse::classify
