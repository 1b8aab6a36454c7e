// What of the gateway has to do with exporters: starting them, their metrics, what they say of
// themselves. They read the ledger's files and touch nothing on the walk.
#include "gateway/gateway.h"

namespace gatehouse::gateway {
namespace {

exporter::Log log_of(const Config& config, ledger::Ledger& ledger) {
  return {config.ledger_directory(), config.data, config.ledger_origin,
          [&ledger] { return ledger.stats().size; }};
}

}  // namespace

void Gateway::start_exporters(const Clock& clock, Random& random) {
  exporters_ = std::make_unique<exporter::Exporters>(
      config_->exporters, log_of(*config_, control_->ledger()), clock, random);
  for (std::size_t which = 0; which < exporters_->size(); ++which) add_export_metrics(which);
}

void Gateway::add_export_metrics(std::size_t which) {
  const auto status = exporters_->status(which);
  const Metrics::Labels labels{{"exporter", status.name}, {"type", status.type}};
  using Value = double (*)(const exporter::Status&);
  const auto add = [&](Metrics::Kind kind, const char* name, const char* help, Value value) {
    metrics_->add_reading(kind, name, help, labels, [exporters = exporters_.get(), which, value] {
      return value(exporters->status(which));
    });
  };
  const auto gauge = Metrics::Kind::gauge;
  const auto counter = Metrics::Kind::counter;
  add(gauge, "gatehouse_export_position", "Entries a receiver has confirmed, from the first on",
      [](const exporter::Status& one) { return static_cast<double>(one.position); });
  add(gauge, "gatehouse_export_backlog_entries", "Durable entries a receiver has not confirmed",
      [](const exporter::Status& one) { return static_cast<double>(one.backlog); });
  add(gauge, "gatehouse_export_oldest_unsent_seconds", "Age of the oldest of them",
      [](const exporter::Status& one) { return one.oldest_unsent_age; });
  add(gauge, "gatehouse_export_halted", "1 when an exporter has given up until a restart",
      [](const exporter::Status& one) { return one.state == "halted" ? 1.0 : 0.0; });
  add(counter, "gatehouse_export_sent_total", "Entries a receiver has confirmed",
      [](const exporter::Status& one) { return static_cast<double>(one.sent); });
  add(counter, "gatehouse_export_errors_total", "Attempts that failed",
      [](const exporter::Status& one) { return static_cast<double>(one.errors); });
  add(counter, "gatehouse_export_skipped_total", "Entries a receiver refused for good",
      [](const exporter::Status& one) { return static_cast<double>(one.skipped); });
  add(counter, "gatehouse_export_rejected_total", "Records a receiver accepted and threw away",
      [](const exporter::Status& one) { return static_cast<double>(one.rejected); });
}

std::string Gateway::export_status() const {
  return exporter::status_json(exporters_->status());
}

std::string remembered_export_status(const Config& config, ledger::Ledger& ledger) {
  return exporter::status_json(
      exporter::remembered_status(config.exporters, log_of(config, ledger)));
}

}  // namespace gatehouse::gateway
