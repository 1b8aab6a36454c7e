#include "ledger/trust_policy.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"

namespace gatehouse::ledger {

namespace {

constexpr std::string_view no_quorum = "none";

bool is_allowed(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet == '\t' || octet == '\n' || (octet >= 0x20 && octet != 0x7f);
}

std::vector<std::string_view> items_of(std::string_view line) {
  std::vector<std::string_view> items;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return items;
    const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    items.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
}

class Parser {
 public:
  explicit Parser(std::string_view file) : file_(file) {}

  Result<TrustPolicy> run(std::string_view bytes) {
    if (bytes.size() > max_policy_bytes) return wrong("the policy is longer than 1 MiB");
    while (!bytes.empty()) {
      ++line_;
      const std::size_t end = bytes.find('\n');
      if (end == std::string_view::npos) {
        return wrong("the last line does not end in a newline; the file may be cut short");
      }
      GH_TRY(take_line(bytes.substr(0, end)));
      bytes.remove_prefix(end + 1);
    }
    if (has_quorum_) return std::move(policy_);
    return wrong("there is no quorum line; \"quorum none\" asks for no witnesses");
  }

 private:
  using Items = std::vector<std::string_view>;

  std::unexpected<Error> wrong(std::string message) const {
    return fail(ErrorCode::invalid_argument, std::move(message),
                fmt::format("{}:{}", file_, line_));
  }
  // Octets that are not text do not go into messages.
  static std::string shown(std::string_view item) { return '"' + printable(item) + '"'; }

  Result<void> take_line(std::string_view line) {
    if (!std::ranges::all_of(line, is_allowed)) {
      return wrong("there is a control character; only tabs are allowed");
    }
    const Items items = items_of(line);
    if (items.empty() || items.front().starts_with('#')) return {};
    if (items.front() == "log") return take_log(items);
    if (items.front() == "witness") return take_witness(items);
    if (items.front() == "group") return take_group(items);
    if (items.front() == "quorum") return take_quorum(items);
    return wrong(shown(items.front()) + " is not log, witness, group or quorum");
  }

  Result<void> take_log(const Items& items);
  Result<void> take_witness(const Items& items);
  Result<void> take_group(const Items& items);
  Result<void> take_quorum(const Items& items);
  Result<AnyVerifierKey> take_key(std::string_view text, std::set<std::string>& seen);
  Result<void> define(std::string_view name, PolicyMember member);
  Result<PolicyMember> take_member(std::string_view name);

  std::string_view file_;
  std::size_t line_ = 0;
  TrustPolicy policy_;
  bool has_quorum_ = false;
  std::map<std::string, PolicyMember, std::less<>> names_;
  std::set<std::string, std::less<>> members_;  // names that are in a group already
  std::set<std::string> log_keys_;
  std::set<std::string> witness_keys_;
};

// Keys are duplicates when they hold the same public key, whatever their names and types.
Result<AnyVerifierKey> Parser::take_key(std::string_view text, std::set<std::string>& seen) {
  auto key = parse_any_verifier_key(text);
  if (!key) return wrong("the key: " + key.error().message);
  if (key->key.empty()) return wrong("the key holds no public key");
  if (!seen.insert(key->key).second) return wrong("this public key is listed twice");
  return key;
}

Result<void> Parser::take_log(const Items& items) {
  if (items.size() < 2 || items.size() > 3) return wrong("expected: log <vkey> [<url>]");
  if (policy_.logs.size() == max_policy_items) return wrong("there are more than 1024 logs");
  GH_ASSIGN(const AnyVerifierKey any, take_key(items[1], log_keys_));
  PolicyLog log;
  log.vkey = items[1];
  if (any.type == signature_type_ed25519) {
    auto key = parse_verifier_key(items[1]);
    if (!key) return wrong("the key: " + key.error().message);
    log.key = std::move(*key);
  }
  if (items.size() == 3) log.url = items[2];
  policy_.logs.push_back(std::move(log));
  return {};
}

Result<void> Parser::take_witness(const Items& items) {
  if (items.size() < 3 || items.size() > 4) {
    return wrong("expected: witness <name> <vkey> [<url>]");
  }
  if (policy_.witnesses.size() == max_policy_items) {
    return wrong("there are more than 1024 witnesses");
  }
  GH_TRY(define(items[1], {.is_group = false, .index = policy_.witnesses.size()}));
  GH_ASSIGN(const AnyVerifierKey any, take_key(items[2], witness_keys_));
  PolicyWitness witness;
  witness.name = items[1];
  witness.vkey = items[2];
  if (any.type == signature_type_cosignature) {
    auto key = parse_cosigner_key(items[2]);
    if (!key) return wrong("the key: " + key.error().message);
    witness.key = std::move(*key);
  } else if (any.type != signature_type_ml_dsa_cosignature) {
    return wrong("the key is not one of a witness (type 0x04 or 0x06)");
  }
  if (items.size() == 4) witness.url = items[3];
  policy_.witnesses.push_back(std::move(witness));
  return {};
}

Result<void> Parser::take_group(const Items& items) {
  if (items.size() < 4) return wrong("expected: group <name> all|any|<k> <name>…");
  if (policy_.groups.size() == max_policy_items) return wrong("there are more than 1024 groups");
  PolicyGroup group;
  group.name = items[1];
  for (std::size_t i = 3; i < items.size(); ++i) {
    GH_ASSIGN(const PolicyMember member, take_member(items[i]));
    group.members.push_back(member);
  }
  if (items[2] == "all") {
    group.threshold = group.members.size();
  } else if (items[2] == "any") {
    group.threshold = 1;
  } else {
    const auto threshold = parse_uint(items[2]);
    if (!threshold || *threshold < 1 || *threshold > group.members.size()) {
      return wrong(fmt::format("{} is not all, any or a number from 1 to the {} members",
                               shown(items[2]), group.members.size()));
    }
    group.threshold = static_cast<std::size_t>(*threshold);
  }
  GH_TRY(define(items[1], {.is_group = true, .index = policy_.groups.size()}));
  policy_.groups.push_back(std::move(group));
  return {};
}

Result<void> Parser::take_quorum(const Items& items) {
  if (items.size() != 2) return wrong("expected: quorum <name>|none");
  if (std::exchange(has_quorum_, true)) return wrong("there is a second quorum line");
  if (items[1] == no_quorum) return {};
  const auto found = names_.find(items[1]);
  if (found == names_.end()) {
    return wrong(shown(items[1]) + " is not a witness or a group defined above");
  }
  policy_.quorum = found->second;
  return {};
}

Result<void> Parser::define(std::string_view name, PolicyMember member) {
  if (name == no_quorum) return wrong("\"none\" cannot be a name");
  if (names_.emplace(name, member).second) return {};
  return wrong(shown(name) + " is defined twice");
}

Result<PolicyMember> Parser::take_member(std::string_view name) {
  const auto found = names_.find(name);
  if (found == names_.end()) {
    return wrong(shown(name) + " is not a witness or a group defined above");
  }
  if (!members_.emplace(name).second) {
    return wrong(shown(name) + " is a member of a group already");
  }
  return found->second;
}

// Whether each group is satisfied, in order: members stand before their group.
std::vector<bool> satisfied_groups(const TrustPolicy& policy, const std::vector<bool>& cosigned) {
  std::vector<bool> satisfied;
  for (const PolicyGroup& group : policy.groups) {
    const auto count = std::ranges::count_if(group.members, [&](const PolicyMember& member) {
      return member.is_group ? satisfied[member.index] : cosigned[member.index];
    });
    satisfied.push_back(static_cast<std::size_t>(count) >= group.threshold);
  }
  return satisfied;
}

}  // namespace

Result<TrustPolicy> parse_trust_policy(std::string_view bytes, std::string_view file) {
  return Parser(file).run(bytes);
}

bool is_quorum(const TrustPolicy& policy, const std::vector<std::size_t>& witnesses) {
  const std::optional<PolicyMember> quorum = policy.quorum;
  if (!quorum) return true;
  std::vector<bool> cosigned(policy.witnesses.size());
  for (const std::size_t witness : witnesses) cosigned.at(witness) = true;
  return quorum->is_group ? satisfied_groups(policy, cosigned)[quorum->index]
                          : cosigned[quorum->index];
}

std::vector<std::size_t> quorum_witnesses(const TrustPolicy& policy) {
  std::vector<std::size_t> witnesses;
  std::vector<PolicyMember> open;
  if (policy.quorum) open.push_back(*policy.quorum);
  while (!open.empty()) {
    const PolicyMember member = open.back();
    open.pop_back();
    if (!member.is_group) {
      witnesses.push_back(member.index);
      continue;
    }
    const auto& members = policy.groups[member.index].members;
    open.insert(open.end(), members.begin(), members.end());
  }
  std::ranges::sort(witnesses);
  return witnesses;
}

Result<std::vector<WitnessedBy>> cosignatures_of(const Note& note, const TrustPolicy& policy) {
  std::vector<CosignerKey> keys;
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < policy.witnesses.size(); ++i) {
    const std::optional<CosignerKey>& key = policy.witnesses[i].key;
    if (!key) continue;
    keys.push_back(*key);
    positions.push_back(i);
  }
  GH_ASSIGN(const auto held, verify_cosignatures(note, keys));
  std::vector<WitnessedBy> out;
  for (const HeldCosignature& one : held) {
    out.push_back({.witness = positions[one.cosigner], .time = one.time});
  }
  std::ranges::sort(out, {}, &WitnessedBy::witness);
  return out;
}

Result<WitnessedCheckpoint> open_witnessed(std::string_view note_bytes, const TrustPolicy& policy) {
  GH_ASSIGN(const Note note, parse_note(note_bytes));
  GH_ASSIGN(auto checkpoint, parse_checkpoint(note.text));
  std::vector<VerifierKey> keys;
  for (const PolicyLog& log : policy.logs) {
    if (log.key && log.key->name == checkpoint.origin) keys.push_back(*log.key);
  }
  if (keys.empty()) {
    return fail(ErrorCode::permission_denied,
                fmt::format("the policy knows no log {}", checkpoint.origin));
  }
  GH_ASSIGN(const std::size_t not_by_logs, verify_note(note, keys));
  WitnessedCheckpoint out;
  out.checkpoint = std::move(checkpoint);
  const auto signer = std::ranges::find_if(keys, [&](const VerifierKey& key) {
    return std::ranges::any_of(note.signatures, [&](const NoteSignature& signature) {
      return signature.name == key.name && signature.key_id == key.id;
    });
  });
  out.log = to_string(*signer);
  GH_ASSIGN(out.witnesses, cosignatures_of(note, policy));
  std::vector<std::size_t> positions;
  positions.reserve(out.witnesses.size());
  for (const WitnessedBy& by : out.witnesses) positions.push_back(by.witness);
  out.quorum = is_quorum(policy, positions);
  out.unknown_signatures = not_by_logs - std::min(not_by_logs, out.witnesses.size());
  return out;
}

std::string describe_quorum(const TrustPolicy& policy, const std::vector<WitnessedBy>& witnesses) {
  std::string cosigned;
  std::string missing;
  for (std::size_t i = 0; i < policy.witnesses.size(); ++i) {
    const bool has =
        std::ranges::any_of(witnesses, [&](const WitnessedBy& by) { return by.witness == i; });
    std::string& list = has ? cosigned : missing;
    list += (list.empty() ? "" : ", ") + printable(policy.witnesses[i].name);
  }
  return fmt::format("{} of {} witnesses cosigned it{}{}{}{}", witnesses.size(),
                     policy.witnesses.size(), cosigned.empty() ? "" : ": ", cosigned,
                     missing.empty() ? "" : "; missing: ", missing);
}

}  // namespace gatehouse::ledger
