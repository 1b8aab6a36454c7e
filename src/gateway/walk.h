// The walk of a request: the one path through the gateway. See stages.h for its stages.
#pragma once

#include "gateway/worker.h"
#include "net/server.h"
#include "net/task.h"

namespace gatehouse::gateway {

// Handles one request from its head to the last byte of its answer.
net::Task<void> walk(Worker& worker, net::ServerStream& client);

// A message that was not HTTP enough to become a request: counted and recorded.
void note_refused_message(Worker& worker, const net::Refusal& refusal);

}  // namespace gatehouse::gateway
