// What policies say of one person and one approval: for which of the roles it needs they may
// decide. Reads an exchange that must outlive it; any thread.
#pragma once

#include <set>
#include <string>

#include "approval/approval.h"
#include "gateway/administer.h"

namespace gatehouse::gateway {

class ApprovalAsking {
 public:
  // Of the principal of the exchange, by `surface` where it is another than the exchange's own.
  explicit ApprovalAsking(const Exchange& exchange, std::string_view surface = {});

  // They asked for it, or it was asked in their name.
  bool is_own(const approval::Record& record) const;
  struct Answer {
    std::set<std::string> roles;  // for which they may decide
    policy::Decision decision;    // a permit where there is any such role
  };
  Answer ask(const approval::Record& record) const;

  const std::string& name() const { return name_; }  // "user:bob"
  AdministrationQuestion question(const AdministrationMatter& matter) const;

 private:
  const Exchange& exchange_;
  std::string_view surface_;
  std::string name_;
};

}  // namespace gatehouse::gateway
