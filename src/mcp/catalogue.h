// Definitions of tools, and which of them are in service. A definition is pinned by a digest of all
// of it: name, description, schemas, annotations. One that changes after its review is taken out of
// service by the first list that shows the change, for everybody and at once; one that nobody has
// reviewed was never in.
//
// The Catalogue holds what the ledger says (the fold of mcp.tool.* events) and what the servers
// said last. Thread-safe; no call blocks on anything but its own short lock.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mcp/headers.h"
#include "mcp/json_view.h"

namespace gatehouse::mcp {

struct ToolDefinition {
  std::string name;
  std::string digest;  // "sha256:…" of the definition with its members sorted
  JsonView json;
};

inline constexpr std::size_t most_tools = 10'000;  // of one server

// The tools of one page of tools/list, in its order. A definition that cannot be served (no name,
// a name that is none, no input schema, the name of an earlier one) is left out and counted.
struct ToolPage {
  std::vector<ToolDefinition> tools;
  std::size_t unusable = 0;
};
Result<ToolPage> read_tools(const JsonView& result);

// The digest of one definition.
std::string definition_digest(const JsonView& definition);

enum class Standing : std::uint8_t {
  in_service,
  unreviewed,  // nobody has looked at it
  changed,     // it is not the one that was reviewed
  unknown,     // no list has shown it and nobody has reviewed it
  withdrawn,   // somebody took it out of service
};
std::string_view to_string(Standing standing);

// Stands in the place of the digest a definition changed to.
inline constexpr std::string_view withdrawn_mark = "withdrawn";

class Catalogue {
 public:
  // What a list showed that the ledger does not know yet.
  struct News {
    std::string tool;
    std::string digest;
    Standing standing = Standing::unreviewed;
  };

  // By the ledger: a tool was reviewed with this digest; `changed` is the later one, if any, or
  // withdrawn_mark.
  void set_pin(std::string_view server, std::string_view tool, std::string_view digest,
               std::string_view changed);

  // Takes note of what a server lists. A changed definition is out of service when this returns.
  // Each change is news until note_told(). What was withdrawn is no news.
  std::vector<News> note_list(std::string_view server, const std::vector<ToolDefinition>& tools);
  // It is in the ledger, or need not be.
  void note_told(std::string_view server, const News& news);

  Standing standing_of(std::string_view server, std::string_view tool) const;
  // Of this definition of it: what a list may show.
  Standing standing_of(std::string_view server, std::string_view tool,
                       std::string_view digest) const;

  // What the server listed last under that name, for header checks and reviews.
  struct Listed {
    std::string digest;
    std::string definition;  // JSON
    std::vector<ParameterHeader> headers;
  };
  std::shared_ptr<const Listed> listed(std::string_view server, std::string_view tool) const;
  // Every tool known of a server, listed or pinned, by name.
  struct Entry {
    std::string tool;
    Standing standing = Standing::unreviewed;
    std::string pinned;                    // empty: never reviewed
    std::shared_ptr<const Listed> listed;  // null: not listed since the start
  };
  std::vector<Entry> entries(std::string_view server) const;

 private:
  struct Tool {
    std::string pinned;
    std::string changed;
    std::string told;  // the digest of the last news that were told
    std::shared_ptr<const Listed> listed;
  };
  using Tools = std::map<std::string, Tool, std::less<>>;
  static Standing standing(const Tool& tool);

  mutable std::mutex mutex_;
  std::map<std::string, Tools, std::less<>> servers_;
};

}  // namespace gatehouse::mcp
