// See format.h.
#include "export/format.h"

#include "export/cef.h"
#include "export/facts.h"
#include "export/otlp.h"
#include "export/span_join.h"
#include "export/syslog.h"

namespace gatehouse::exporter {
namespace {

// Each record on its own.
class PlainFormat final : public Format {
 public:
  PlainFormat(Type type, const Source& source) : type_(type), source_(source) {}

  std::string make(const Record& record) override {
    if (type_ == Type::otlp_logs) return otlp_log_record(record);
    std::string out;
    if (type_ == Type::cef_syslog) {
      const SyslogHeader header{grade_of(record), record.time, record.node, record.type};
      append_octet_frame(out, syslog_message(header, cef_message(record, source_)));
    } else {
      append_ocsf(record, source_, out);
    }
    return out;
  }
  void replay(const Record&) override {}
  std::uint64_t replay_from(std::uint64_t next) const override { return next; }

 private:
  Type type_;
  const Source& source_;
};

class SpanFormat final : public Format {
 public:
  std::string make(const Record& record) override {
    return join_.add(record).value_or(std::string());
  }
  void replay(const Record& record) override { join_.replay(record); }
  std::uint64_t replay_from(std::uint64_t next) const override { return join_.replay_from(next); }

 private:
  SpanJoin join_;
};

}  // namespace

std::unique_ptr<Format> make_format(Type type, const Source& source) {
  if (type == Type::otlp_traces) return std::make_unique<SpanFormat>();
  return std::make_unique<PlainFormat>(type, source);
}

}  // namespace gatehouse::exporter
