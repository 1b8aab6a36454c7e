// Is this text an attack on a model? Two heads, since a user's own words and a text that a tool
// brought are different things: `jailbreak` for attempts to talk a model out of its instructions or
// its rules, `injection` for text inside retrieved documents, mails and tool output that speaks to
// the model instead of being about something.
//
// A score is a log-odds on the training data, nothing to set a threshold on: conformal.h makes it a
// p-value.
//
// The model is linear over hashed words and pieces of words (features.h), read through windows
// (windows.h), one pass over each reading of the text (readings.h): the score is that of its worst.
// Some ten nanoseconds a byte; a text that is plain and hides nothing has one reading, and is not
// copied. Of a text over `most_scored_bytes` only the first and the last half of that are read.
//
// Immutable; shared by all threads.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "classify/model.h"
#include "crypto/crypto.h"

namespace gatehouse::classify {

struct Scores {
  double jailbreak = 0;
  double injection = 0;
};

class Classifier {
 public:
  static constexpr std::size_t most_scored_bytes = std::size_t{16} << 20;

  // The model compiled into the program (rules/models/injection-3.model).
  static Result<std::shared_ptr<const Classifier>> builtin();
  static Result<std::shared_ptr<const Classifier>> load(const std::filesystem::path& path);
  static Result<std::shared_ptr<const Classifier>> parse(std::string_view model);

  Scores score(std::string_view text) const;

  const std::string& name() const { return model_.name; }
  const std::string& date() const { return model_.date; }
  const crypto::Digest& digest() const { return digest_; }  // of the model's file

  Classifier(Model model, const crypto::Digest& digest)
      : model_(std::move(model)), digest_(digest) {}

 private:
  Model model_;
  crypto::Digest digest_;
};

}  // namespace gatehouse::classify
