// Approvals over HTTP: /v1/approvals for programs and the command line, and signed links for
// people. Who may decide is policy's: action `approve`, asked once for each role an approval needs.
// On the worker's loop thread; the desk is asked beside it.
//
//   GET  /v1/approvals                 -> {approvals: […]}: what the caller may decide or asked for
//   GET  /v1/approvals/ID              -> {approval}: with the arguments of the call
//   POST /v1/approvals/ID/approve      {reason}  -> {approval}
//   POST /v1/approvals/ID/deny         {reason}  -> {approval}
//   POST /v1/approvals/ID/withdraw     {reason}  -> {approval}: a standing one
//   POST /v1/approvals/grant           {tool, server, principal, role, lifetime_seconds, reason}
//   GET  /approvals/link/LINK          a page with the call and a form; decides nothing
//   POST /approvals/link/LINK          the form: decision=approve|deny, reason
#pragma once

#include "gateway/stages.h"

namespace gatehouse::gateway {

inline constexpr std::string_view approvals_path = "/v1/approvals";
inline constexpr std::string_view approval_link_prefix = "/approvals/link/";
bool is_approvals_path(std::string_view path);

// The whole way of a call under /v1/approvals, after identify.
net::Task<Verdict> serve_approvals(Worker& worker, net::ServerStream& client, Exchange& exchange);
// The same calls as the command line makes them: `verb` is "list", "show", …; the id is in the
// body.
net::Task<Verdict> serve_approval_verb(Worker& worker, net::ServerStream& client,
                                       Exchange& exchange, std::string_view verb, std::string body);
// The whole way of a link; nobody is identified but by it.
net::Task<Verdict> serve_approval_link(Worker& worker, net::ServerStream& client,
                                       Exchange& exchange);

}  // namespace gatehouse::gateway
