// Small whole files. Not for the ledger, which has its own disk interface.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gatehouse {

Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes = 64u << 20);

// Temporary file, fsync, rename, fsync of the directory: afterwards the old or the new content is
// there, whole. `mode` is the permission bits of the new file.
Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content,
                                   unsigned mode = 0600);

// The same for a file that must not be there yet: already_exists when it is, and nothing changed.
// Of several processes that try at once exactly one succeeds.
Result<void> create_file_atomically(const std::filesystem::path& path, std::string_view content,
                                    unsigned mode = 0600);

}  // namespace gatehouse
