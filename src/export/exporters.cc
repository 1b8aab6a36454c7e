// See exporters.h.
#include "export/exporters.h"

#include "base/json.h"
#include "export/exporter.h"
#include "export/position.h"

namespace gatehouse::exporter {
namespace {

void append_status(JsonWriter& writer, const Status& status) {
  writer.begin_object();
  writer.key("name").string(status.name);
  writer.key("type").string(status.type);
  writer.key("to").string(status.to);
  writer.key("state").string(status.state);
  writer.key("position").number(status.position);
  writer.key("backlog").number(status.backlog);
  writer.key("sent").number(status.sent);
  writer.key("errors").number(status.errors);
  writer.key("skipped").number(status.skipped);
  writer.key("rejected").number(status.rejected);
  writer.key("oldest_unsent_seconds").number(status.oldest_unsent_age);
  writer.key("last_error").string(status.last_error);
  writer.key("last_error_time").string(status.last_error_time);
  writer.end_object();
}

Status remembered(const Config& config, const Log& log) {
  Status status;
  status.name = config.name;
  status.type = to_string(config.type);
  status.to = config.type == Type::ocsf_file ? config.path.string() : config.url;
  status.state = "stopped";
  const auto position = load_position(position_file(log.data, config.name));
  if (!position) {
    status.last_error = position.error().describe();
  } else {
    status.position = position->value_or(Position{}).next;
  }
  const std::uint64_t durable = log.durable();
  status.backlog = durable - std::min(durable, status.position);
  return status;
}

}  // namespace

Exporters::Exporters(std::vector<Config> configs, Log log, const Clock& clock, Random& random)
    : log_(std::move(log)) {
  for (auto& config : configs)
    exporters_.push_back(std::make_unique<Exporter>(std::move(config), log_, clock, random));
  for (auto& exporter : exporters_) exporter->start();
}

Exporters::~Exporters() = default;

void Exporters::stop(std::chrono::milliseconds grace) {
  for (auto& exporter : exporters_) exporter->ask_to_stop();
  const auto end = std::chrono::steady_clock::now() + grace;
  for (auto& exporter : exporters_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    exporter->stop(std::max(left, std::chrono::milliseconds(0)));
  }
}

Status Exporters::status(std::size_t which) const {
  return exporters_[which]->status();
}

std::vector<Status> Exporters::status() const {
  std::vector<Status> all;
  all.reserve(exporters_.size());
  for (const auto& exporter : exporters_) all.push_back(exporter->status());
  return all;
}

std::vector<Status> remembered_status(const std::vector<Config>& configs, const Log& log) {
  std::vector<Status> all;
  all.reserve(configs.size());
  for (const auto& config : configs) all.push_back(remembered(config, log));
  return all;
}

std::string status_json(const std::vector<Status>& all) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object().key("exporters").begin_array();
  for (const auto& status : all) append_status(writer, status);
  writer.end_array().end_object();
  return json;
}

}  // namespace gatehouse::exporter
