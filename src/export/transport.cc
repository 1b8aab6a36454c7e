// Which transport a type has.
#include "export/transport.h"

namespace gatehouse::exporter {

Result<std::unique_ptr<Transport>> make_transport(net::Loop& loop, const Config& config,
                                                  const Source& source, const Clock& clock) {
  if (config.type == Type::ocsf_file) return make_file_transport(config);
  if (config.type == Type::cef_syslog) return make_syslog_transport(loop, config);
  return make_http_transport(loop, config, source, clock);
}

}  // namespace gatehouse::exporter
