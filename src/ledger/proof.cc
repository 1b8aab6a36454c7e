#include "ledger/proof.h"

#include <fmt/core.h>

#include <cstring>

#include "base/text.h"
#include "ledger/log_files.h"
#include "ledger/witnessed.h"

namespace gatehouse::ledger {

namespace {

constexpr std::string_view first_line = "c2sp.org/tlog-proof@v1\n";
constexpr std::size_t max_extra_bytes = 128u << 10;

Error malformed(std::string message) {
  return {ErrorCode::invalid_argument, std::move(message), {}};
}

Result<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::unexpected(malformed("the proof is cut short"));
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

Result<InclusionReceipt> parse_receipt(std::string_view text) {
  if (text.size() > max_note_bytes + max_extra_bytes * 2) {
    return std::unexpected(malformed("the proof is too long"));
  }
  if (!text.starts_with(first_line)) {
    return std::unexpected(malformed("this is not a tlog-proof: its first line is not " +
                                     std::string(trim(first_line))));
  }
  text.remove_prefix(first_line.size());
  InclusionReceipt receipt;
  GH_ASSIGN(std::string_view line, take_line(text));
  if (line.starts_with("extra ")) {
    auto extra = from_base64(line.substr(6));
    if (!extra || extra->size() > max_extra_bytes) {
      return std::unexpected(malformed("the extra line is not base64, or too long"));
    }
    receipt.extra = std::move(*extra);
    GH_ASSIGN(line, take_line(text));
  }
  const auto index =
      line.starts_with("index ") ? parse_uint(line.substr(6)) : std::optional<std::uint64_t>();
  if (!index || std::to_string(*index) != line.substr(6)) {
    return std::unexpected(malformed("the proof has no proper index line"));
  }
  receipt.index = *index;
  while (true) {
    GH_ASSIGN(line, take_line(text));
    if (line.empty()) break;
    const auto bytes = from_base64(line);
    Digest hash;
    if (!bytes || bytes->size() != hash.size()) {
      return std::unexpected(malformed("a hash is not base64 of 32 bytes"));
    }
    if (receipt.hashes.size() == max_proof_hashes) {
      return std::unexpected(malformed("the proof has too many hashes"));
    }
    std::memcpy(hash.data(), bytes->data(), hash.size());
    receipt.hashes.push_back(hash);
  }
  receipt.checkpoint = text;
  GH_TRY(parse_note(receipt.checkpoint));
  return receipt;
}

std::string to_string(const InclusionReceipt& receipt) {
  std::string out(first_line);
  if (receipt.extra) out += "extra " + to_base64(bytes_of(*receipt.extra)) + '\n';
  out += fmt::format("index {}\n", receipt.index);
  for (const Digest& hash : receipt.hashes) out += to_base64(hash) + '\n';
  out += '\n';
  return out + receipt.checkpoint;
}

namespace {

Result<void> check_entry(const InclusionReceipt& receipt, const Checkpoint& checkpoint,
                         std::string_view entry) {
  auto included = check_inclusion(receipt.index, checkpoint.size, leaf_hash(entry), receipt.hashes,
                                  checkpoint.root);
  if (included) return {};
  return fail(ErrorCode::invalid_argument,
              "the entry is not the one this proof is for: " + included.error().message);
}

}  // namespace

Result<Checkpoint> check_receipt(const InclusionReceipt& receipt, const VerifierKey& log,
                                 std::string_view entry) {
  GH_ASSIGN(auto opened, open_checkpoint(receipt.checkpoint, log));
  GH_TRY(check_entry(receipt, opened.checkpoint, entry));
  return std::move(opened.checkpoint);
}

Result<WitnessedCheckpoint> check_witnessed_receipt(const InclusionReceipt& receipt,
                                                    const TrustPolicy& policy,
                                                    std::string_view entry) {
  GH_ASSIGN(auto opened, open_witnessed(receipt.checkpoint, policy));
  if (!opened.quorum) {
    return fail(ErrorCode::permission_denied, "the checkpoint does not have the policy's quorum: " +
                                                  describe_quorum(policy, opened.witnesses));
  }
  GH_TRY(check_entry(receipt, opened.checkpoint, entry));
  return opened;
}

Result<InclusionReceipt> make_receipt(Disk& disk, const std::string& directory,
                                      std::uint64_t index) {
  const LogPaths paths(directory);
  GH_ASSIGN(const VerifierKey key, read_verifier_key(disk, paths.verifier_key));
  InclusionReceipt receipt;
  receipt.index = index;
  GH_ASSIGN(receipt.checkpoint, checkpoint_for(disk, paths, key, index));
  auto opened = open_checkpoint(receipt.checkpoint, key);
  if (!opened) return fail(ErrorCode::data_loss, opened.error().message, paths.checkpoint);
  const Checkpoint& checkpoint = opened->checkpoint;
  if (index >= checkpoint.size) {
    return fail(
        ErrorCode::failed_precondition,
        fmt::format("no checkpoint covers entry {} yet; the last one covers {} entries. Try "
                    "again in a second; if no gateway runs, its next start signs one",
                    index, checkpoint.size));
  }
  const Subtrees subtrees = stored_subtrees(disk, paths, checkpoint.size);
  GH_ASSIGN(receipt.hashes, inclusion_proof(index, checkpoint.size, subtrees));
  return receipt;
}

}  // namespace gatehouse::ledger
