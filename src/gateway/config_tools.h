// What operators say about tools: the part of gatehouse.yaml under `tools:`. Plain values, read
// once, immutable afterwards. A tool nobody declared is taken for the worst: its results are
// untrusted and a call of it has consequences. docs/agents.md says how to write a declaration.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "label/label.h"

namespace gatehouse::gateway {

// What an argument decides. Free text informs whoever reads it; everything else chooses something:
// whom a call reaches, how much, what is done.
enum class ArgumentRole : std::uint8_t {
  other,  // not declared: taken for consequential
  recipient,
  destination,
  amount,
  command,
  file,
  identifier,
  time,  // not consequential: when, not what or to whom; where it came from is shown to policies
  secret,
  choice,  // one of a few options
  text,    // not consequential: free text for whoever reads it
  detail,  // not consequential: how much is shown, how it is sorted
};
std::string_view to_string(ArgumentRole role);
bool is_consequential(ArgumentRole role);

struct ToolEffects {
  bool reads = false;
  bool writes = false;
  bool external = false;  // somebody outside sees or feels it: mail, payment, a request to a URL
  bool irreversible = false;  // it cannot be taken back
  friend bool operator==(const ToolEffects&, const ToolEffects&) = default;
};

struct ToolDeclaration {
  std::string server;  // empty: a tool that clients bring themselves
  std::string name;    // "*": every tool of the server that has no declaration of its own
  ToolEffects effects;
  bool declared_effects = false;           // none were given: every call has consequences
  Integrity trust = Integrity::untrusted;  // of what it returns
  Confidentiality clearance = Confidentiality::public_;  // what its arguments may hold
  Label results;  // what its results are, besides what is found in them
  // Members of JSON results that the tool itself vouches for, by their key wherever it stands.
  std::map<std::string, Integrity, std::less<>> fields;
  std::map<std::string, ArgumentRole, std::less<>> arguments;

  // Whether a call changes something, leaves the house or cannot be taken back.
  bool consequential() const;
  ArgumentRole role_of(std::string_view argument) const;
};

// All of them. Immutable.
class ToolDeclarations {
 public:
  // Null: nobody declared it. `server` is empty for tools of chat traffic; there a name may also be
  // "SERVER__NAME", as gateways for tools write it.
  const ToolDeclaration* find(std::string_view server, std::string_view name) const;
  bool empty() const { return all_.empty(); }
  const std::vector<ToolDeclaration>& all() const { return all_; }
  // False when there is one of that server and name already.
  bool add(ToolDeclaration declaration);

 private:
  std::vector<ToolDeclaration> all_;
};

ToolDeclarations read_tools(ConfigReader& root);

}  // namespace gatehouse::gateway
