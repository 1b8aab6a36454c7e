// See snapshot_sources.h.
#include "gateway/snapshot_sources.h"

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/crypto.h"

namespace gatehouse::gateway {
namespace {

std::string digest_of(std::string_view bytes) {
  return to_hex(crypto::sha256(bytes_of(bytes)));
}

// "<bytes>:" and then so many bytes.
Result<std::string_view> take_text(std::string_view& rest) {
  constexpr std::size_t longest_number = 10;
  const auto wrong = [] {
    return fail(ErrorCode::data_loss, "not the source of a policy set or a rule set");
  };
  const auto colon = rest.substr(0, longest_number + 1).find(':');
  if (colon == std::string_view::npos) return wrong();
  const auto length = parse_uint(rest.substr(0, colon));
  rest.remove_prefix(colon + 1);
  if (!length || *length > rest.size()) return wrong();
  const std::string_view text = rest.substr(0, *length);
  rest.remove_prefix(*length);
  return text;
}

}  // namespace

Result<void> SnapshotSources::keep(std::string_view bytes) {
  if (bytes.size() > max_source_bytes)
    return fail(ErrorCode::resource_exhausted,
                "the texts of policies or rules are together larger than " +
                    std::to_string(max_source_bytes >> 20) + " MiB",
                folder_.string());
  const std::string digest = digest_of(bytes);
  const std::lock_guard lock(mutex_);
  if (kept_.contains(digest)) return {};
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error)
    return fail(ErrorCode::unavailable, "cannot make the folder: " + error.message(),
                folder_.string());
  const auto there = read(folder_, digest);
  if (!there && there.error().code == ErrorCode::data_loss)
    log_error("a kept source of a snapshot was damaged and is written again",
              {{"file", (folder_ / digest).string()}});
  if (!there) GH_TRY(write_file_atomically(folder_ / digest, bytes, 0600));
  kept_.insert(digest);
  return {};
}

Result<std::string> SnapshotSources::read(const std::filesystem::path& folder,
                                          std::string_view digest) {
  constexpr std::string_view prefix = "sha256:";
  if (digest.starts_with(prefix)) digest.remove_prefix(prefix.size());
  const auto raw = from_hex(digest);
  if (!raw || raw->size() != 32)
    return fail(ErrorCode::invalid_argument, "not a SHA-256 digest", std::string(digest));
  const std::string name = to_lower(digest);
  GH_ASSIGN(std::string bytes, read_file(folder / name, max_source_bytes));
  if (digest_of(bytes) != name)
    return fail(ErrorCode::data_loss,
                "the file was changed: it does not have the digest it is named after",
                (folder / name).string());
  return bytes;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_sources(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> files;
  while (!text.empty()) {
    GH_ASSIGN(const std::string_view name, take_text(text));
    if (!text.starts_with(':'))
      return fail(ErrorCode::data_loss, "not the source of a policy set or a rule set");
    text.remove_prefix(1);
    GH_ASSIGN(const std::string_view content, take_text(text));
    files.emplace_back(name, content);
  }
  return files;
}

}  // namespace gatehouse::gateway
