// See approval_asking.h.
#include "gateway/approval_asking.h"

#include <algorithm>

namespace gatehouse::gateway {

ApprovalAsking::ApprovalAsking(const Exchange& exchange, std::string_view surface)
    : exchange_(exchange),
      surface_(surface.empty() ? surface_of(exchange) : surface),
      name_(actor_name(exchange.principal)) {}

bool ApprovalAsking::is_own(const approval::Record& record) const {
  return record.call.principal == name_ || std::ranges::count(record.call.acts_for, name_) > 0;
}

AdministrationQuestion ApprovalAsking::question(const AdministrationMatter& matter) const {
  auto question = administration_question(exchange_, "approve", matter);
  question.surface = surface_;
  return question;
}

ApprovalAsking::Answer ApprovalAsking::ask(const approval::Record& record) const {
  Answer answer;
  // A standing one that stands already is decided about by whoever could have given it.
  std::set<std::string> roles;
  for (const auto& quorum : record.quorums) roles.insert(quorum.role);
  for (const auto& [who, theirs] : record.granted_by)
    if (record.standing) roles.insert(theirs.begin(), theirs.end());
  if (roles.empty()) roles.insert("approver");
  const AdministrationMatter matter{record.id.empty() ? std::string() : "approval:" + record.id,
                                    {}};
  const auto& policies = *exchange_.snapshot->policies;
  for (const auto& role : roles) {
    ApprovalQuestion question;
    question.administration = this->question(matter);
    question.role = role;
    question.requester = record.call.principal;
    question.own = is_own(record);
    auto decision = policies.decide(policy_request(question));
    settle_administration(question.administration, policies, decision);
    if (decision.permit) answer.roles.insert(role);
    if (decision.permit || !answer.decision.permit) answer.decision = std::move(decision);
  }
  return answer;
}

}  // namespace gatehouse::gateway
