// Events for the tests of this room, as the gateway writes them.
#pragma once

#include <string>

#include "export/ocsf.h"
#include "export/record.h"

namespace gatehouse::exporter::testing {

inline const Source source{"1.2.3", "example.org/log"};

inline Record event(const Json& entry, std::uint64_t index = 5) {
  Json whole = {{"id", "0193a000-0000-7000-8000-0000000000aa"},
                {"time", "2026-11-23T17:43:50.123456Z"},
                {"node", "gw-1"},
                {"snapshot", "sha256:ab"}};
  whole.update(entry);
  return read_record(index, whole.dump(), WallTime{});
}

inline Json call_subject() {
  return {{"route", "chat.completions"}, {"dialect", "openai"},         {"model", "gpt"},
          {"provider", "sim"},           {"upstream_model", "gpt-4.1"}, {"trust", "external"}};
}

inline Json caller() {
  return {{"kind", "user"}, {"id", "ada"}, {"key", "gh_abc"}, {"peer", "203.0.113.7:51234"}};
}

inline Record decided(const Json& data = {{"effect", "permit"}}, std::uint64_t index = 5) {
  return event({{"type", "request.decided"},
                {"actor", caller()},
                {"subject", call_subject()},
                {"data", data}},
               index);
}

inline Record completed(const Json& data = {}, std::uint64_t index = 6) {
  Json all = {{"decision", "0193a000-0000-7000-8000-0000000000aa"},
              {"status", 200},
              {"finish_reason", "stop"},
              {"input_tokens", 11},
              {"output_tokens", 22}};
  all.update(data.is_object() ? data : Json::object());
  return event({{"id", "0193a000-0000-7000-8000-0000000000bb"},
                {"time", "2026-11-23T17:43:51.000000Z"},
                {"type", "request.completed"},
                {"actor", caller()},
                {"subject", call_subject()},
                {"data", all}},
               index);
}

inline Json two_findings() {
  return Json::array({{{"rule", "aws-key"}, {"category", "credential"}, {"count", 1}, {"p", 1e-9}},
                      {{"rule", "email"}, {"category", "personal"}, {"count", 2}, {"p", 1e-4}}});
}

}  // namespace gatehouse::exporter::testing
