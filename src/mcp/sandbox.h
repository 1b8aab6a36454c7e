// Starts a program of the configuration so that it can do little besides answering: docs/mcp.md
// says what it may still do.
#pragma once

#include "base/result.h"
#include "mcp/stdio.h"

namespace gatehouse::mcp {

// Starts options.command with `channel` as standard input and output and nothing else open; what it
// writes to standard error goes to ours. The process ends when the calling thread does. Returns
// its id. Error unavailable: a part of the sandbox cannot be had here, or there is no such program;
// then nothing runs.
//
// The sandbox (options.sandbox): namespaces of its own for mounts, processes, IPC, host name and,
// unless options.network, network; the whole file system read-only, /tmp its own and empty,
// `hidden` and home folders covered, `writable` and `readable` let through; no new privileges; no
// system calls that reach out of it (seccomp); limits on memory, processes and files.
Result<int> start_sandboxed(const StdioOptions& options, int channel);

}  // namespace gatehouse::mcp
