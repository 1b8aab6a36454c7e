// See config_log.h.
#include "gateway/config_log.h"

#include <algorithm>
#include <cctype>

#include "base/config.h"
#include "base/text.h"
#include "gateway/config.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t longest_prefix = 255;
constexpr std::size_t most_readers = 100;

void read_serve(ConfigReader& ledger, Config& config) {
  const auto node = ledger.child("serve");
  if (!node) return;
  ConfigReader serve(*node);
  auto& log = config.log_serve;
  if (auto listen = parse_listen(serve.required_string("listen"))) {
    log.listen = std::move(*listen);
  } else if (const auto given = node->find("listen")) {
    serve.note(given->error(listen.error().message));
  }
  log.prefix = serve.string("prefix", "");
  if (log.prefix == "/") log.prefix.clear();
  if (!is_url_prefix(log.prefix))
    serve.note(
        node->error("prefix must begin with '/', must not end with it, and consists of "
                    "letters, digits and . _ - between single '/'"));
  log.entries = serve.boolean("entries", false);
  log.connections = static_cast<std::size_t>(
      serve.integer("connections", static_cast<std::int64_t>(log.connections), 1, 10'000));
  if (auto finished = serve.finish(); !finished) ledger.note(finished.error());
}

bool is_principal(std::string_view text) {
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"user:", "service:", "agent:"},
      [&](std::string_view kind) { return text.starts_with(kind) && text.size() > kind.size(); });
}

void read_receipts(ConfigReader& ledger, Config& config) {
  const auto node = ledger.child("receipts");
  if (!node) return;
  ConfigReader receipts(*node);
  config.receipts.readers = receipts.strings("readers");
  if (config.receipts.readers.size() > most_readers)
    receipts.note(node->error("readers: at most 100"));
  for (const auto& reader : config.receipts.readers) {
    if (!is_principal(reader))
      receipts.note(node->error("readers: expected a principal such as service:audit, not \"" +
                                printable(reader) + "\""));
  }
  if (auto finished = receipts.finish(); !finished) ledger.note(finished.error());
}

}  // namespace

bool is_url_prefix(std::string_view text) {
  if (text.empty()) return true;
  if (text.front() != '/' || text.size() > longest_prefix) return false;
  return std::ranges::all_of(split(text.substr(1), '/'), [](std::string_view segment) {
    return !segment.empty() && segment != "." && segment != ".." &&
           std::ranges::all_of(segment, [](unsigned char c) {
             return std::isalnum(c) || c == '.' || c == '_' || c == '-';
           });
  });
}

void read_log_settings(ConfigReader& ledger, Config& config) {
  read_serve(ledger, config);
  read_receipts(ledger, config);
}

}  // namespace gatehouse::gateway
