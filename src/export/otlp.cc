// See otlp.h.
#include "export/otlp.h"

#include "base/id.h"
#include "base/text.h"
#include "export/facts.h"

namespace gatehouse::exporter {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t trace_id_digits = 32;
constexpr std::size_t span_id_digits = 16;
constexpr int span_kind_client = 3;
constexpr int status_error = 2;

std::string nanoseconds(WallTime time) {
  const auto micros = std::max<std::int64_t>(time.time_since_epoch().count(), 0);
  return std::to_string(micros) + "000";
}

// ---- values

ordered_json text_value(const std::string& text) {
  return {{"stringValue", text}};
}

ordered_json number_value(std::int64_t number) {
  return {{"intValue", std::to_string(number)}};
}

// Any JSON as an AnyValue. The record is bounded in depth, so this is too.
ordered_json any_value(const Json& json) {
  switch (json.type()) {
    case Json::value_t::string:
      return text_value(to_utf8(json.get_ref<const std::string&>()));
    case Json::value_t::boolean:
      return {{"boolValue", json.get<bool>()}};
    case Json::value_t::number_integer:
      return number_value(json.get<std::int64_t>());
    case Json::value_t::number_unsigned:
      if (json.get<std::uint64_t>() <= INT64_MAX) return number_value(json.get<std::int64_t>());
      return text_value(std::to_string(json.get<std::uint64_t>()));
    case Json::value_t::number_float:
      return {{"doubleValue", json.get<double>()}};
    case Json::value_t::array: {
      ordered_json values = ordered_json::array();
      for (const auto& item : json) values.push_back(any_value(item));
      return {{"arrayValue", {{"values", std::move(values)}}}};
    }
    case Json::value_t::object: {
      ordered_json values = ordered_json::array();
      for (const auto& [key, member] : json.items())
        values.push_back({{"key", to_utf8(key)}, {"value", any_value(member)}});
      return {{"kvlistValue", {{"values", std::move(values)}}}};
    }
    default:
      return ordered_json::object();  // null is an AnyValue without a value
  }
}

class Attributes {
 public:
  Attributes& text(const char* key, const std::string& value) {
    if (!value.empty()) list_.push_back({{"key", key}, {"value", text_value(value)}});
    return *this;
  }
  Attributes& number(const char* key, std::optional<std::int64_t> value) {
    if (value) list_.push_back({{"key", key}, {"value", number_value(*value)}});
    return *this;
  }
  Attributes& value(const char* key, const Json& json) {
    list_.push_back({{"key", key}, {"value", any_value(json)}});
    return *this;
  }
  ordered_json take() { return std::move(list_); }

 private:
  ordered_json list_ = ordered_json::array();
};

// ---- ids

// The decision's UUID is the trace; its second half, which is random, the span.
std::string hex_of_id(const std::string& id) {
  std::string hex;
  if (is_uuid(id)) {
    for (const char c : id)
      if (c != '-') hex += c;
    return hex;
  }
  return to_hex(crypto::sha256(bytes_of(id))).substr(0, trace_id_digits);
}

std::string trace_id(const std::string& decision) {
  return hex_of_id(decision);
}

std::string span_id(const std::string& decision) {
  return hex_of_id(decision).substr(trace_id_digits - span_id_digits);
}

std::string decision_of(const Record& record) {
  const std::string decision = text_of(record.data, "decision");
  return decision.empty() ? record.id : decision;
}

// ---- what is common

void add_caller(Attributes& attributes, const Record& record) {
  const Peer peer = parse_peer(text_of(record.actor, "peer"));
  attributes.text("client.address", peer.ip);
  if (!peer.ip.empty()) attributes.number("client.port", peer.port);
  attributes.text("user.id", text_of(record.actor, "id"));
  attributes.text("gatehouse.actor.kind", text_of(record.actor, "kind"));
}

std::string operation_of(const Record& record) {
  std::string route = text_of(record.subject, "route");
  if (route == "chat.completions" || route == "messages" || route == "responses") return "chat";
  if (route == "embeddings" || route == "count_tokens") return route;
  return {};
}

void add_model(Attributes& attributes, const Record& record) {
  attributes.text("gen_ai.operation.name", operation_of(record));
  if (!operation_of(record).empty())
    attributes.text("gen_ai.provider.name", text_of(record.subject, "dialect"));
  attributes.text("gen_ai.request.model", text_of(record.subject, "model"));
}

void add_outcome(Attributes& attributes, const Record& record) {
  attributes.number("gen_ai.usage.input_tokens", number_of(record.data, "input_tokens"));
  attributes.number("gen_ai.usage.output_tokens", number_of(record.data, "output_tokens"));
  if (const auto reason = text_of(record.data, "finish_reason"); !reason.empty())
    attributes.value("gen_ai.response.finish_reasons", Json::array({reason}));
  attributes.number("http.response.status_code", number_of(record.data, "status"));
  attributes.text("error.type", text_of(record.data, "problem"));
}

void add_entry(Attributes& attributes, const Record& record) {
  attributes.text("gatehouse.entry.id", record.id);
  attributes.number("gatehouse.entry.index", static_cast<std::int64_t>(record.index));
}

ordered_json resource(const Source& source, std::string_view node) {
  Attributes attributes;
  attributes.text("service.name", "gatehouse")
      .text("service.version", source.version)
      .text("service.instance.id", std::string(node))
      .text("gatehouse.ledger.origin", source.origin);
  return {{"attributes", attributes.take()}};
}

// The envelope is written with its list empty, and cut where the records go.
Envelope envelope(const Source& source, std::string_view node, const char* resources,
                  const char* scopes, const char* records) {
  const ordered_json scope = {{"name", "gatehouse.export"}, {"version", source.version}};
  ordered_json inner = {{"scope", scope}, {records, ordered_json::array()}};
  ordered_json outer = {{"resource", resource(source, node)},
                        {scopes, ordered_json::array({std::move(inner)})}};
  const std::string whole = to_text(ordered_json{{resources, ordered_json::array({outer})}});
  constexpr std::string_view end = "]}]}]}";
  const std::size_t cut = whole.size() - end.size();
  return {whole.substr(0, cut), whole.substr(cut)};
}

}  // namespace

bool begins_call(const Record& record) {
  return record.type == "request.decided" && text_of(record.data, "problem").empty() &&
         text_of(record.data, "effect") == "permit";
}

CallStart call_start(const Record& record) {
  CallStart start;
  start.id = decision_of(record);
  start.index = record.index;
  start.time = record.time;
  start.operation = operation_of(record);
  start.provider = text_of(record.subject, "dialect");
  start.model = text_of(record.subject, "model");
  return start;
}

std::string otlp_log_record(const Record& record) {
  constexpr int severities[] = {9, 10, 13, 17, 21};  // INFO, INFO2, WARN, ERROR, FATAL
  constexpr const char* names[] = {"INFO", "INFO2", "WARN", "ERROR", "FATAL"};
  const auto grade = static_cast<int>(grade_of(record));
  ordered_json log;
  log["timeUnixNano"] = nanoseconds(record.time);
  log["observedTimeUnixNano"] = nanoseconds(record.time);
  log["severityNumber"] = severities[grade];
  log["severityText"] = names[grade];
  log["eventName"] = to_utf8(record.type);
  Json body = {{"message", summary_of(record)}, {"snapshot", record.snapshot},
               {"actor", record.actor},         {"subject", record.subject},
               {"label", record.label},         {"data", record.data}};
  log["body"] = any_value(body);
  Attributes attributes;
  add_entry(attributes, record);
  add_caller(attributes, record);
  add_model(attributes, record);
  add_outcome(attributes, record);
  log["attributes"] = attributes.take();
  if (is_call(record)) {
    log["traceId"] = trace_id(decision_of(record));
    log["spanId"] = span_id(decision_of(record));
  }
  return to_text(log);
}

std::string otlp_span(const CallStart& start, const Record& end) {
  ordered_json span;
  span["traceId"] = trace_id(start.id);
  span["spanId"] = span_id(start.id);
  span["name"] = start.model.empty() ? start.operation : start.operation + " " + start.model;
  span["kind"] = span_kind_client;
  span["startTimeUnixNano"] = nanoseconds(std::min(start.time, end.time));
  span["endTimeUnixNano"] = nanoseconds(end.time);
  Attributes attributes;
  attributes.text("gen_ai.operation.name", start.operation)
      .text("gen_ai.provider.name", start.provider)
      .text("gen_ai.request.model", start.model);
  add_outcome(attributes, end);
  add_caller(attributes, end);
  attributes.text("gatehouse.provider", text_of(end.subject, "provider"))
      .text("gatehouse.upstream_model", text_of(end.subject, "upstream_model"))
      .text("gatehouse.decision.id", start.id)
      .text("gatehouse.decision.effect",
            end.type == "request.completed" ? "permit" : text_of(end.data, "effect"));
  add_entry(attributes, end);
  span["attributes"] = attributes.take();
  if (const auto problem = text_of(end.data, "problem"); !problem.empty()) {
    span["status"] = {{"code", status_error}, {"message", problem}};
  } else {
    span["status"] = ordered_json::object();
  }
  return to_text(span);
}

Envelope otlp_logs_envelope(const Source& source, std::string_view node) {
  return envelope(source, node, "resourceLogs", "scopeLogs", "logRecords");
}

Envelope otlp_traces_envelope(const Source& source, std::string_view node) {
  return envelope(source, node, "resourceSpans", "scopeSpans", "spans");
}

}  // namespace gatehouse::exporter
