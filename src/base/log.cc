// One JSON object a line on standard error: {"time":…,"level":…,"message":…, fields…}. Thread-safe:
// the line is built by the caller, the sink writes it whole under its own lock.
#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cmath>
#include <memory>

#include "base/clock.h"
#include "base/json.h"

namespace gatehouse {
namespace {

// The process's one log. Function-local, so that it exists before the first line from any thread.
spdlog::logger& log_sink() {
  static spdlog::logger logger = [] {
    spdlog::logger made("gatehouse", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made.set_pattern("%v");
    made.flush_on(spdlog::level::trace);
    return made;
  }();
  return logger;
}

spdlog::level::level_enum level_for(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
    case LogLevel::off:
      return "error";
  }
  return "error";
}

struct FieldWriter {
  JsonWriter& json;
  void operator()(std::string_view value) const { json.string(value); }
  void operator()(std::int64_t value) const { json.number(value); }
  void operator()(bool value) const { json.boolean(value); }
  void operator()(double value) const {
    if (std::isfinite(value))
      json.number(value);
    else
      json.null();
  }
};

void write_line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  spdlog::logger& sink = log_sink();
  if (!sink.should_log(level_for(level))) return;
  std::string line;
  JsonWriter json(line);
  json.begin_object();
  json.key("time").string(format_time(SystemClock().wall()));
  json.key("level").string(name_of(level));
  json.key("message").string(message);
  for (const LogField& field : fields) {
    json.key(field.name);
    std::visit(FieldWriter{json}, field.value);
  }
  json.end_object();
  sink.log(level_for(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

void set_log_level(LogLevel level) {
  log_sink().set_level(level_for(level));
}

void log_debug(std::string_view message, std::initializer_list<LogField> fields) {
  write_line(LogLevel::debug, message, fields);
}

void log_info(std::string_view message, std::initializer_list<LogField> fields) {
  write_line(LogLevel::info, message, fields);
}

void log_warning(std::string_view message, std::initializer_list<LogField> fields) {
  write_line(LogLevel::warning, message, fields);
}

void log_error(std::string_view message, std::initializer_list<LogField> fields) {
  write_line(LogLevel::error, message, fields);
}

}  // namespace gatehouse
