// Where the values of a tool call come from. A model that calls a tool puts values into its
// arguments: an account, an amount, a file. Each stands somewhere in the conversation, or it does
// not. Who wrote the place where it stands is who chose it, whatever the model was told:
//
//   user        the person's own words, or the operator's (system prompt)
//   trusted     the result of a tool that is trusted, or a member of a result its tool vouches for
//   unverified  the same of one that is only half trusted
//   untrusted   only in content that anybody may have written
//   derived     nowhere: the model made it, under the influence of all it has read
//
// Pure: no clock, no I/O. A Tracer keeps what it needs of the texts; it is used by one thread at a
// time. How values are compared: README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "label/label.h"

namespace gatehouse::flow {

// Whose words a text of the conversation is.
enum class Author : std::uint8_t {
  user,   // the person or the operator: what stands there is theirs
  tool,   // a tool's result; `integrity` says how far it is trusted
  model,  // the model itself: where a value stands there says nothing about who chose it
};

using FieldTrust = std::map<std::string, Integrity, std::less<>>;

// One text of the conversation, in its order.
struct Passage {
  Author author = Author::tool;
  Integrity integrity = Integrity::untrusted;  // of a tool's result
  Confidentiality confidentiality = Confidentiality::public_;
  std::string_view text;
  const FieldTrust* fields = nullptr;  // of a JSON result: members its tool vouches for
};

// What an argument is for decides how its value is compared.
enum class Kind : std::uint8_t {
  plain,       // a name, an address, a file, an account
  number,      // an amount: may be computed from what the user said
  identifier,  // the key of a record
  time,        // a date, a time, or both
  choice,      // one of a few options
  none,        // is not traced
};

enum class Standing : std::uint8_t { user, trusted, unverified, untrusted, derived };
std::string_view to_string(Standing standing);

// How it was found there.
enum class Match : std::uint8_t {
  none,
  constant,  // true, false, null or empty: names nobody
  exact,     // the same bytes, as a whole
  form,      // the same but for case, spaces, punctuation, the form of a number or a date
  parts,     // its parts were found one by one
  computed,  // from several values: a sum, a share, a time and how long
};
std::string_view to_string(Match match);

struct Trace {
  std::string path;  // "recipient", "attachments.0.file_id"
  Standing standing = Standing::derived;
  Match match = Match::none;
  Integrity integrity = Integrity::untrusted;
  Confidentiality confidentiality = Confidentiality::public_;
};

// Grows with the conversation: what is traced is compared with all that was added before.
class Tracer {
 public:
  static constexpr std::size_t most_values = 512;        // of one call
  static constexpr std::size_t most_words = 1'000'000;   // of the conversation that are compared
  static constexpr std::size_t longest_value = 1 << 20;  // bytes of all arguments of one call

  // `now` is what "tomorrow" is counted from, besides the days the conversation itself names.
  explicit Tracer(WallTime now);
  ~Tracer();
  Tracer(Tracer&&) noexcept;

  void add(const Passage& passage);

  // The join of all passages but the model's own: what a derived value takes.
  Integrity context_integrity() const;
  Confidentiality context_confidentiality() const;

  // A trace for each value in `arguments`, in their order; `kinds` by the names of the members, a
  // member that is not in there is `otherwise`. Error: `arguments` is not one JSON object, or has
  // more or longer values than are traced.
  Result<std::vector<Trace>> trace(std::string_view arguments,
                                   const std::map<std::string, Kind, std::less<>>& kinds,
                                   Kind otherwise = Kind::plain) const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace gatehouse::flow
