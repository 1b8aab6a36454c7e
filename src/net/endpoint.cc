// URLs of upstreams, as they stand in the configuration.
#include <algorithm>
#include <charconv>

#include "net/client.h"
#include "net/validator.h"

namespace gatehouse::net {
namespace {

std::unexpected<Error> bad_url(std::string_view what, std::string_view url) {
  return fail(ErrorCode::invalid_argument, std::string(what), std::string(url));
}

bool is_name_or_address(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_' || c == ':';
  });
}

bool is_base_path(std::string_view path) {
  return std::ranges::all_of(path, [](char c) {
    return is_token(std::string_view(&c, 1)) ? c != '#' && c != '^' && c != '`' && c != '|'
                                             : c == '/' || c == ':' || c == '@' || c == '=' ||
                                                   c == ',' || c == ';' || c == '(' || c == ')';
  });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view url) {
  Endpoint endpoint;
  std::string_view rest = url;
  if (rest.starts_with("unix:")) {
    endpoint.unix_path = rest.substr(5);
    endpoint.host = "localhost";
    if (endpoint.unix_path.empty() || endpoint.unix_path.size() > 107)
      return bad_url("a unix socket path has 1 to 107 bytes", url);
    return endpoint;
  }
  if (rest.starts_with("https://")) {
    endpoint.tls = true;
    endpoint.port = 443;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return bad_url("expected http://…, https://… or unix:/path", url);
  }

  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  std::string_view path = rest.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (!is_base_path(path)) return bad_url("the path has bytes that are not allowed here", url);
  endpoint.base_path = path;

  if (authority.contains('@')) return bad_url("a URL must not contain credentials", url);
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const auto port = parse_port(authority.substr(colon + 1));
    if (!port) return bad_url("the port is not a number from 1 to 65535", url);
    endpoint.port = *port;
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']'))
    authority = authority.substr(1, authority.size() - 2);
  if (!is_name_or_address(authority)) return bad_url("the host is not a name or an address", url);
  endpoint.host = authority;
  return endpoint;
}

std::string Endpoint::authority() const {
  std::string text = host.contains(':') ? "[" + host + "]" : host;
  const std::uint16_t usual = tls ? 443 : 80;
  if (unix_path.empty() && port != usual) text += ":" + std::to_string(port);
  return text;
}

}  // namespace gatehouse::net
