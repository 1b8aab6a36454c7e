// gatehouse audit verify|copy|prove: what an auditor runs, offline, against a ledger directory. The
// reading verbs (show, tail, find) are in audit_read.cc, check and salt in audit_check.cc.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "cli/audit_check.h"
#include "cli/audit_common.h"
#include "cli/audit_policy.h"
#include "cli/audit_read.h"
#include "cli/audit_serve.h"
#include "cli/verbs.h"
#include "ledger/copy.h"
#include "ledger/disk.h"
#include "ledger/proof.h"
#include "ledger/query.h"
#include "ledger/verify.h"

namespace gatehouse::cli {
namespace {

using nlohmann::ordered_json;

struct AuditOptions {
  std::vector<std::string> where;  // [DIR], [DIR] ID or [DIR] DEST
  KeyOptions key;
  std::string remember;
  std::string policy_file;
  std::string proof_file;
  std::string entry_file;
  bool as_json = false;
};

// ---- verify ---------------------------------------------------------------------------------

void print_people(const ledger::VerifyReport& report, bool first_run,
                  const std::optional<ledger::TrustPolicy>& policy) {
  std::cout << "ok: every byte of " << report.files << " files is as it should be\n"
            << "  log         " << report.verifier_key << '\n'
            << "  checkpoint  " << report.checkpoint.size << " entries, root "
            << to_base64(report.checkpoint.root) << '\n';
  if (report.entries_after_checkpoint > 0) {
    std::cout << "  since then  " << report.entries_after_checkpoint
              << " entries, recorded but not signed yet\n";
  }
  if (report.witnessed) {
    std::cout << "  witnessed   " << report.witnessed->checkpoint.size << " entries"
              << (policy ? "" : "; give --policy to verify by whom") << '\n';
    if (policy) print_witnesses(*policy, report.witnessed->witnesses);
  }
  if (report.remembered_size) {
    std::cout << "  remembered  the checkpoint of " << *report.remembered_size
              << " entries is a part of this log\n";
  }
  if (first_run) std::cout << "  remembered  first run: nothing to compare with\n";
  if (report.writer_running) {
    std::cout << "  note        the log is being written to; what came after the checkpoint was "
                 "looked at only in part\n";
  }
  for (const std::string& note : report.notes)
    std::cout << "  note        " << printable(note) << '\n';
}

ordered_json to_json(const ledger::VerifyReport& report, bool first_run,
                     const std::optional<ledger::TrustPolicy>& policy) {
  ordered_json out = {{"ok", true},
                      {"log", report.verifier_key},
                      {"size", report.checkpoint.size},
                      {"root", to_base64(report.checkpoint.root)},
                      {"entries_after_checkpoint", report.entries_after_checkpoint},
                      {"files", report.files},
                      {"writer_running", report.writer_running},
                      {"notes", report.notes}};
  if (report.witnessed) {
    out["witnessed"] = {{"size", report.witnessed->checkpoint.size},
                        {"root", to_base64(report.witnessed->checkpoint.root)}};
    if (policy)
      out["witnessed"]["witnesses"] = witnesses_json(*policy, report.witnessed->witnesses);
  }
  if (report.remembered_size) out["remembered"] = {{"size", *report.remembered_size}};
  if (first_run) out["remembered"] = nullptr;
  return out;
}

// Absent at the first run, when the file is not there yet.
Result<std::optional<std::string>> read_remembered(const std::string& file) {
  auto remembered = read_file(file, ledger::max_note_bytes);
  if (remembered) return std::move(*remembered);
  if (remembered.error().code == ErrorCode::not_found) return std::nullopt;
  return std::unexpected(std::move(remembered).error());
}

int verify(const AuditOptions& options) {
  auto key = key_from(options.key);
  if (!key) return report(key.error());
  const auto policy = policy_from(options.policy_file);
  if (!policy) return report(policy.error());
  ledger::VerifyOptions how{
      .key = std::move(*key), .remembered = {}, .policy = *policy ? &**policy : nullptr};
  bool first_run = false;
  if (!options.remember.empty()) {
    auto remembered = read_remembered(options.remember);
    if (!remembered) return report(remembered.error());
    first_run = !*remembered;
    how.remembered = std::move(*remembered).value_or("");
    if (!first_run && how.remembered.empty())
      return report({ErrorCode::invalid_argument, "the file is empty: it holds no checkpoint",
                     options.remember});
  }
  ledger::RealDisk disk;
  const auto found = ledger::verify_log(disk, directory_of(options.where), how);
  if (!found && found.error().code != ErrorCode::data_loss) return report(found.error());
  if (!found) return wrong(found.error(), options.as_json);
  if (options.as_json) {
    std::cout << to_json(*found, first_run, *policy).dump() << '\n';
  } else {
    print_people(*found, first_run, *policy);
  }
  if (options.remember.empty()) return 0;
  const auto stored = write_file_atomically(options.remember, found->checkpoint_note, 0644);
  return stored ? 0 : report(stored.error());
}

// ---- copy -----------------------------------------------------------------------------------

int copy(AuditOptions options) {
  const std::string target = options.where.back();
  options.where.pop_back();
  const auto copied = ledger::copy_log(directory_of(options.where), target);
  if (!copied) return report(copied.error());
  if (options.as_json) {
    std::cout << ordered_json{{"size", copied->size}, {"new_files", copied->new_files}}.dump()
              << '\n';
  } else {
    std::cout << "copied " << copied->size << " entries to " << printable(target) << " ("
              << copied->new_files << " new files)\n";
  }
  return 0;
}

// ---- prove ----------------------------------------------------------------------------------

std::string default_proof_file(const ledger::FoundEntry& found, const std::string& reference) {
  return (is_uuid(reference) ? reference : "entry-" + std::to_string(found.index)) + ".tlog-proof";
}

int prove(AuditOptions options) {
  const std::string reference = options.where.back();
  options.where.pop_back();
  const std::string directory = directory_of(options.where);
  const auto found = ledger::find_entry(directory, reference);
  if (!found) return report(found.error());
  ledger::RealDisk disk;
  const auto receipt = ledger::make_receipt(disk, directory, found->index);
  if (!receipt) return report(receipt.error());
  const std::string proof_file =
      options.proof_file.empty() ? default_proof_file(*found, reference) : options.proof_file;
  const std::string entry_file =
      options.entry_file.empty() ? entry_file_beside(proof_file) : options.entry_file;
  for (const auto& [path, bytes] :
       {std::pair(proof_file, to_string(*receipt)), std::pair(entry_file, found->entry)}) {
    if (const auto written = write_file_atomically(path, bytes, 0644); !written) {
      return report(written.error());
    }
  }
  if (options.as_json) {
    std::cout << ordered_json{{"index", found->index}, {"proof", proof_file}, {"entry", entry_file}}
                     .dump()
              << '\n';
  } else {
    std::cout << "entry " << found->index << ": proof in " << proof_file << ", entry in "
              << entry_file << '\n';
  }
  return 0;
}

}  // namespace

std::string directory_of(const std::vector<std::string>& where) {
  std::string directory = where.empty() ? "./var/ledger" : where.front();
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  return directory;
}

void add_audit(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<AuditOptions>();
  auto* audit = app.add_subcommand("audit", "Verify, read and prove what the ledger recorded");
  audit->require_subcommand(1);

  auto* verify_verb = audit->add_subcommand(
      "verify", "Derive every hash again and compare every byte; exit 1 names what is wrong");
  verify_verb->add_option("DIR", options->where, "Ledger directory (./var/ledger)")->expected(0, 1);
  add_key_options(*verify_verb, options->key);
  add_policy_option(*verify_verb, options->policy_file);
  verify_verb->add_option("--remember", options->remember,
                          "Compare with the checkpoint in this file, then store the present one");
  verify_verb->add_flag("--json", options->as_json, "Print JSON");
  verify_verb->callback([options, &exit] { exit = verify(*options); });

  auto* copy_verb = audit->add_subcommand(
      "copy", "Copy what the last checkpoint covers, also beside a running gateway");
  copy_verb
      ->add_option("DEST", options->where,
                   "[DIR] and the folder to make, or an earlier copy of the same log")
      ->required()
      ->expected(1, 2);
  copy_verb->add_flag("--json", options->as_json, "Print JSON");
  copy_verb->callback([options, &exit] { exit = copy(*options); });

  auto* prove_verb = audit->add_subcommand("prove", "Write a .tlog-proof for one entry");
  prove_verb->add_option("ID", options->where, "[DIR] and the entry's id or index")
      ->required()
      ->expected(1, 2);
  prove_verb->add_option("-o,--output", options->proof_file, "Proof file (ID.tlog-proof)");
  prove_verb->add_option("--entry", options->entry_file, "Entry file (beside the proof)");
  prove_verb->add_flag("--json", options->as_json, "Print JSON");
  prove_verb->callback([options, &exit] { exit = prove(*options); });

  add_audit_check(*audit, exit);
  add_audit_read(*audit, exit);
  add_audit_resume(*audit, exit);
  add_audit_serve(*audit, exit);
  add_audit_state(*audit, exit);
  add_audit_replay(*audit, exit);
}

}  // namespace gatehouse::cli
