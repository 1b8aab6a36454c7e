// See mcp_news.h.
#include "gateway/mcp_news.h"

#include "gateway/mcp_desk.h"

namespace gatehouse::gateway {

bool is_for_ledger(const mcp::Catalogue::News& news, bool trust_on_first_use) {
  return news.standing == mcp::Standing::changed ||
         (news.standing == mcp::Standing::unreviewed && trust_on_first_use);
}

Result<void> record_tool_news(ControlPlane& control, std::string_view server,
                              const mcp::Catalogue::News& news, std::string_view facts) {
  auto& catalogue = control.mcp().catalogue();
  // Somebody else may have decided meanwhile.
  if (catalogue.standing_of(server, news.tool) != news.standing) return {};
  if (news.standing == mcp::Standing::unreviewed) {
    GH_TRY(control.registry().review_tool(server, news.tool, news.digest, "first use", facts));
    catalogue.set_pin(server, news.tool, news.digest, "");
  } else {
    GH_TRY(control.registry().tool_changed(server, news.tool, news.digest, "gateway", facts));
  }
  catalogue.note_told(server, news);
  return {};
}

}  // namespace gatehouse::gateway
