// Administration over the gateway's own listener: /admin/… for principals that are identified, each
// call decided by the policies as any other. On the worker's loop thread; the work itself is done
// beside it (administration_desk.h).
#pragma once

#include "gateway/administration.h"
#include "gateway/stages.h"

namespace gatehouse::gateway {

// The whole way of such a call, after identify.
net::Task<Verdict> administer(Worker& worker, net::ServerStream& client, Exchange& exchange);

// What the calls of administration share with those of approvals.
std::string_view surface_of(const Exchange& exchange);
AdministrationQuestion administration_question(const Exchange& exchange, std::string_view action,
                                               const AdministrationMatter& matter);
// Who acts, as events name it: "user:ada".
std::string actor_name(const identity::Principal& principal);
// A body of at most `most` bytes that is not nested deeply.
net::Task<std::expected<std::string, ApiError>> small_body(net::ServerStream& client,
                                                           std::size_t most);
// Records exchange.decision as administration.decided; afterwards only an outcome may follow.
net::Task<Verdict> record_administration(Worker& worker, Exchange& exchange,
                                         const AdministrationQuestion& question);
// And what came of it.
net::Task<Verdict> record_administered(Worker& worker, Exchange& exchange, int status);

}  // namespace gatehouse::gateway
