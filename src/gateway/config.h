// gatehouse.yaml as values. Read once at start and again on reload; immutable afterwards.
// docs/settings.md lists every setting with default and range.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "export/config.h"
#include "gateway/check_types.h"
#include "gateway/config_identity.h"
#include "gateway/config_inspection.h"
#include "gateway/config_limits.h"
#include "gateway/config_log.h"
#include "gateway/config_mcp.h"
#include "gateway/config_provenance.h"
#include "gateway/config_tools.h"
#include "gateway/config_vault.h"
#include "gateway/config_witness.h"
#include "guard/guard.h"
#include "net/client.h"
#include "net/server.h"

namespace gatehouse::gateway {

enum class DialectKind : std::uint8_t { openai, anthropic };
std::string_view to_string(DialectKind kind);

enum class AuditMode : std::uint8_t {
  strict,   // the decision is durable before a byte goes upstream, the outcome before the last byte
            // goes back
  relaxed,  // both are queued in order but not waited for; every answer says so
};
std::string_view to_string(AuditMode mode);

struct ProviderConfig {
  std::string name;
  DialectKind dialect = DialectKind::openai;
  net::Endpoint endpoint;
  std::string url;                           // as written, for messages and the snapshot
  Secret credential;                         // empty: none is sent
  bool inject_usage = true;                  // ask for stream usage even when the client did not
  std::vector<std::string> forward_headers;  // of requests, besides those that always go on
};

struct Config {
  std::filesystem::path file;
  std::string node;
  net::ListenAddress listen;
  std::string tls_certificate;
  std::string tls_key;
  net::ClientAuthentication tls_clients;
  std::string upstream_ca;  // PEM file; empty: the system's trust store
  std::filesystem::path data;
  AuditMode audit = AuditMode::strict;
  Secret secret;  // deployment key: everything sealed or keyed derives from it
  std::string ledger_origin;
  std::filesystem::path last_signed;  // empty: in the data folder
  std::chrono::milliseconds checkpoint_interval{1'000};
  LogServeConfig log_serve;
  ReceiptConfig receipts;
  WitnessSettings witnesses;
  VaultConfig vault;
  ProvenanceConfig provenance;
  std::optional<std::filesystem::path> policies;  // none: the built-in set
  std::optional<std::filesystem::path> rules;
  std::size_t threads = 0;  // 0: one a core
  net::ServerLimits server;
  net::ClientLimits client;
  std::size_t answer_bytes = 32u << 20;  // a whole, not streamed answer
  std::size_t event_bytes = 1u << 20;    // one server-sent event
  std::chrono::milliseconds drain_timeout{30'000};
  std::chrono::milliseconds session_lifetime{24 * 3'600'000};
  std::chrono::milliseconds reconcile_interval{300'000};  // the database against the ledger
  std::map<std::string, ProviderConfig, std::less<>> providers;
  std::vector<exporter::Config> exporters;
  ChecksConfig checks;
  BudgetsConfig budgets;
  InspectionConfig inspection;
  McpConfig mcp;
  std::vector<guard::Config> guards;  // each with a name of its own
  ToolDeclarations tools;
  identity::IdentityConfig identity;

  const guard::Config* find_guard(std::string_view name) const;

  // Where the ledger's last signed size is kept (ledger/last_signed.h).
  std::filesystem::path last_signed_directory() const {
    return last_signed.empty() ? data / "last-signed" : last_signed;
  }
  std::filesystem::path ledger_directory() const { return data / "ledger"; }
  std::filesystem::path vault_directory() const { return data / "vault"; }
  std::filesystem::path provenance_directory() const { return data / "provenance"; }
  std::filesystem::path approvals_directory() const { return data / "approvals"; }
  std::filesystem::path mcp_sessions_file() const { return data / "mcp" / "sessions"; }
  std::filesystem::path database() const { return data / "state.db"; }
  std::filesystem::path snapshots_directory() const { return data / "snapshots"; }
  std::filesystem::path tally_file() const { return data / "budgets.tally"; }
  std::filesystem::path admin_socket() const { return data / "admin.sock"; }
};

// "127.0.0.1:8080", "[::]:8080"
Result<net::ListenAddress> parse_listen(std::string_view text);

// Reads and checks the whole file; the error lists every problem, one a line. Relative paths are
// taken from the folder of the file. When no `secret` is given, data/secret is used and made
// (mode 0600) on first use: only in a data folder that has neither a ledger nor a database.
enum class FirstSecret : std::uint8_t {
  make,
  leave,  // for a check, which must change nothing: `secret` stays empty
};
Result<Config> load_config(const std::filesystem::path& file,
                           FirstSecret first = FirstSecret::make);

}  // namespace gatehouse::gateway
