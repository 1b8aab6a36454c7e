// Control-plane state in memory: the fold of the ledger's state events. It takes and refuses
// exactly what the database takes and refuses (state_test.cc compares the two on random events), so
// it can say what the database should hold. A value; for one thread at a time.
//
// Invariant: state() after apply() of the events below n, in order, is a function of those events
// alone.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace gatehouse::store {

class State {
 public:
  // The same state again, from what a database holds. data_loss: two keys share an id, a prefix or
  // a hash, two models a name, or two tools both names.
  static Result<State> from_records(std::vector<KeyRecord> keys, std::vector<ModelRecord> models,
                                    std::vector<Record> records, std::vector<ToolRecord> tools,
                                    std::uint64_t next_index);

  // One event of ledger index `index`; one below next_index() is skipped, one that is no change of
  // state only moves it. Errors as Store::apply: invalid_argument, not_found, already_exists; then
  // nothing has changed.
  Result<void> apply(std::uint64_t index, std::string_view type, std::string_view data_json);
  // The entries below `next` hold nothing that is not in here.
  void seen_up_to(std::uint64_t next);

  std::uint64_t next_index() const { return next_index_; }
  std::vector<KeyRecord> keys() const;      // by creation, revoked ones included
  std::vector<ModelRecord> models() const;  // by name, removed ones left out
  const std::map<std::string, KeyRecord, std::less<>>& all_keys() const { return keys_; }
  // Of each name the last one, removed or not: what the table holds.
  const std::map<std::string, ModelRecord, std::less<>>& all_models() const { return models_; }
  // Data by name.
  const std::map<std::string, std::string, std::less<>>& records() const { return records_; }
  const std::map<std::string, ToolRecord, std::less<>>& all_tools() const { return tools_; }
  const KeyRecord* find_key_by_prefix(std::string_view prefix) const;

  // Every field of everything as JSON in a fixed order; equal states have equal texts. The
  // index is not in it.
  std::string canonical() const;

  friend bool operator==(const State& a, const State& b) {
    return a.next_index_ == b.next_index_ && a.canonical() == b.canonical();
  }

 private:
  Result<void> add(KeyRecord key);

  std::uint64_t next_index_ = 0;
  std::map<std::string, KeyRecord, std::less<>> keys_;  // by id
  std::map<std::string, std::string, std::less<>> id_of_prefix_;
  std::set<std::string, std::less<>> hashes_;
  std::map<std::string, ModelRecord, std::less<>> models_;  // by name
  std::map<std::string, std::string, std::less<>> records_;
  std::map<std::string, ToolRecord, std::less<>> tools_;  // by ToolRecord::key()
};

// {"name":"value",…}: how the table holds attributes.
std::string attributes_json(const KeyRecord& key);

// Whether events of this type change state.
bool is_state_event(std::string_view type);
// Nearly all entries of a ledger do not; this sees it without parsing them. May say yes wrongly.
bool may_change_state(std::string_view entry);

struct StateEvent {
  std::string type;
  std::string data;  // JSON
};
// The state event in a ledger entry, if it is one. data_loss: the entry is not an event.
Result<std::optional<StateEvent>> state_event_in(std::string_view entry);

// The events, types and data as JSON, whose fold is this state: for a log that begins anew.
std::vector<StateEvent> events_of(const State& state);

}  // namespace gatehouse::store
