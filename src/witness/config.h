// The configuration of `gatehouse witness`, a YAML file of its own. docs/witness.md lists it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "ledger/note.h"
#include "net/server.h"

namespace gatehouse::witness {

struct WitnessConfig {
  std::filesystem::path file;
  net::ListenAddress listen;
  std::string tls_certificate;
  std::string tls_key;
  std::string prefix;  // of the paths: "" or "/witness"
  std::string name;    // the key name of the cosignatures
  Secret secret;
  std::filesystem::path data;
  std::vector<ledger::VerifierKey> logs;  // whose checkpoints are cosigned
  net::ServerLimits limits;
};

// Reads and checks the whole file; the error lists every problem, one a line. Relative paths are
// taken from the folder of the file.
Result<WitnessConfig> load_witness_config(const std::filesystem::path& file);

}  // namespace gatehouse::witness
