// TLS contexts and sessions over OpenSSL 3.
#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <limits>

#include "net/tls_session.h"

namespace gatehouse::net {
namespace {

constexpr unsigned char kAlpn[] = "\x08http/1.1";
constexpr unsigned kAlpnSize = sizeof(kAlpn) - 1;

std::string openssl_error() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    char line[256];
    ERR_error_string_n(code, line, sizeof(line));
    if (!text.empty()) text += "; ";
    text += line;
  }
  return text.empty() ? "no reason given" : text;
}

int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_size,
                const unsigned char* offered, unsigned offered_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kAlpn, kAlpnSize, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::unique_ptr<TlsContext::Impl> make_context(const SSL_METHOD* method) {
  ERR_clear_error();
  auto impl = std::make_unique<TlsContext::Impl>();
  impl->context.reset(SSL_CTX_new(method));
  SSL_CTX* context = impl->context.get();
  if (context == nullptr) return nullptr;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  return impl;
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(std::max(size, 0L))};
}

Result<std::vector<std::string>> uris_of(X509* certificate) {
  constexpr int most_names = 64;
  std::vector<std::string> uris;
  int critical = 0;
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr));
  if (names == nullptr) {
    if (critical != -1)  // there is one, and it is malformed or there twice
      return fail(ErrorCode::invalid_argument, "the alternative names cannot be read");
    return uris;
  }
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> owned(names, GENERAL_NAMES_free);
  if (sk_GENERAL_NAME_num(names) > most_names)
    return fail(ErrorCode::invalid_argument, "too many alternative names");
  for (int at = 0; at < sk_GENERAL_NAME_num(names); ++at) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, at);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* const uri = name->d.uniformResourceIdentifier;
    uris.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                      static_cast<std::size_t>(ASN1_STRING_length(uri)));
  }
  return uris;
}

Result<WallTime> time_from(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1)
    return fail(ErrorCode::invalid_argument, "the expiry cannot be read");
  return WallTime(std::chrono::seconds(timegm(&parts)));
}

Result<std::optional<PeerCertificate>> read_certificate(X509* certificate) {
  PeerCertificate out;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  GH_CHECK(X509_digest(certificate, EVP_sha256(), digest, &size) == 1);
  out.sha256.assign(reinterpret_cast<const char*>(digest), size);
  GH_ASSIGN(out.uris, uris_of(certificate));
  GH_ASSIGN(out.expires, time_from(X509_get0_notAfter(certificate)));
  out.authority = X509_check_ca(certificate) > 0;
  const std::uint32_t usage = X509_get_key_usage(certificate);
  const bool says_usage = usage != UINT32_MAX;
  out.may_sign = says_usage && (usage & KU_DIGITAL_SIGNATURE) != 0;
  out.signs_certificates = says_usage && (usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0;
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new(BIO_s_mem()), BIO_free);
  GH_CHECK(memory != nullptr);
  X509_NAME_print_ex(memory.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  out.subject = text_of(memory.get());
  (void)BIO_reset(memory.get());
  i2a_ASN1_INTEGER(memory.get(), X509_get0_serialNumber(certificate));
  out.serial = text_of(memory.get());
  ERR_clear_error();
  return out;
}

int clamp_to_int(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

}  // namespace

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::server(const std::string& certificate_file,
                                                       const std::string& key_file,
                                                       const ClientAuthentication& clients) {
  auto impl = make_context(TLS_server_method());
  if (!impl) return fail(ErrorCode::internal, openssl_error(), "TLS");
  SSL_CTX* context = impl->context.get();
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1)
    return fail(ErrorCode::invalid_argument, openssl_error(), certificate_file);
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return fail(ErrorCode::invalid_argument, openssl_error(), key_file);
  if (SSL_CTX_check_private_key(context) != 1)
    return fail(ErrorCode::invalid_argument, "the key does not belong to " + certificate_file,
                key_file);
  static constexpr unsigned char kSessionContext[] = "gatehouse";
  SSL_CTX_set_session_id_context(context, kSessionContext, sizeof(kSessionContext) - 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets only: no state here
  SSL_CTX_set_alpn_select_cb(context, choose_alpn, nullptr);
  if (!clients.ca_file.empty()) {
    if (SSL_CTX_load_verify_locations(context, clients.ca_file.c_str(), nullptr) != 1)
      return fail(ErrorCode::invalid_argument, openssl_error(), clients.ca_file);
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(clients.ca_file.c_str()));
    SSL_CTX_set_verify(context,
                       SSL_VERIFY_PEER | (clients.required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       nullptr);
    // A resumed session would carry a certificate nobody has looked at since.
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
  }
  return std::make_shared<TlsContext>(std::move(impl));
}

Result<std::shared_ptr<TlsContext>> TlsContext::client(const std::string& ca_file) {
  auto impl = make_context(TLS_client_method());
  if (!impl) return fail(ErrorCode::internal, openssl_error(), "TLS");
  SSL_CTX* context = impl->context.get();
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  const int loaded = ca_file.empty()
                         ? SSL_CTX_set_default_verify_paths(context)
                         : SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr);
  if (loaded != 1)
    return fail(ErrorCode::invalid_argument, openssl_error(),
                ca_file.empty() ? "the system's trust store" : ca_file);
  SSL_CTX_set_alpn_protos(context, kAlpn, kAlpnSize);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  return std::make_shared<TlsContext>(std::move(impl));
}

TlsSession::TlsSession(TlsContext& context, bool is_server)
    : ssl_(SSL_new(context.impl().context.get())) {
  GH_CHECK(ssl_ != nullptr);
  from_peer_ = BIO_new(BIO_s_mem());
  to_peer_ = BIO_new(BIO_s_mem());
  GH_CHECK(from_peer_ != nullptr && to_peer_ != nullptr);
  SSL_set_bio(ssl_.get(), from_peer_, to_peer_);
  if (is_server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
}

std::unique_ptr<TlsSession> TlsSession::server(TlsContext& context) {
  return std::unique_ptr<TlsSession>(new TlsSession(context, true));
}

Result<std::unique_ptr<TlsSession>> TlsSession::client(TlsContext& context, const std::string& host,
                                                       const Resumption& resume) {
  std::unique_ptr<TlsSession> session(new TlsSession(context, false));
  SSL* ssl = session->ssl_.get();
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (is_address(host)) {
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) != 1)
      return fail(ErrorCode::invalid_argument, "not an address TLS can verify", host);
  } else if (SSL_set1_host(ssl, host.c_str()) != 1 ||
             SSL_set_tlsext_host_name(ssl, host.c_str()) != 1) {
    return fail(ErrorCode::invalid_argument, "not a name TLS can verify", host);
  }
  if (resume) SSL_set_session(ssl, resume.get());
  return session;
}

void TlsSession::feed(std::string_view ciphertext) {
  GH_CHECK(BIO_write(from_peer_, ciphertext.data(), clamp_to_int(ciphertext.size())) ==
           static_cast<int>(ciphertext.size()));
}

TlsSession::Step TlsSession::handshake() {
  ERR_clear_error();
  return explain(SSL_do_handshake(ssl_.get()));
}

TlsSession::Step TlsSession::read(char* out, std::size_t room, std::size_t& got) {
  got = 0;
  ERR_clear_error();
  const int result = SSL_read_ex(ssl_.get(), out, room, &got);
  return explain(result == 1 ? 1 : 0);
}

bool TlsSession::write(std::string_view plaintext) {
  while (!plaintext.empty()) {
    std::size_t written = 0;
    ERR_clear_error();
    if (SSL_write_ex(ssl_.get(), plaintext.data(), plaintext.size(), &written) != 1) {
      explain(0);
      return false;
    }
    plaintext.remove_prefix(written);
  }
  return true;
}

void TlsSession::shut_down() {
  ERR_clear_error();
  if (SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string_view TlsSession::output() const {
  char* data = nullptr;
  const long size = BIO_get_mem_data(to_peer_, &data);
  return {data, static_cast<std::size_t>(std::max(size, 0L))};
}

void TlsSession::drop_output(std::size_t bytes) {
  char skipped[4096];
  while (bytes > 0) {
    const int got = BIO_read(to_peer_, skipped, clamp_to_int(std::min(bytes, sizeof(skipped))));
    if (got <= 0) return;
    bytes -= static_cast<std::size_t>(got);
  }
}

TlsSession::Resumption TlsSession::resumption() const {
  SSL_SESSION* session = SSL_get1_session(ssl_.get());
  if (session == nullptr || SSL_SESSION_is_resumable(session) != 1) {
    SSL_SESSION_free(session);
    return nullptr;
  }
  return {session, FreeSsl{}};
}

Result<std::optional<PeerCertificate>> TlsSession::peer_certificate() const {
  const std::unique_ptr<X509, void (*)(X509*)> shown(SSL_get1_peer_certificate(ssl_.get()),
                                                     X509_free);
  if (!shown) return std::nullopt;
  if (SSL_get_verify_result(ssl_.get()) != X509_V_OK)
    return fail(ErrorCode::unauthenticated, "the client's certificate was not verified");
  return read_certificate(shown.get());
}

TlsSession::Step TlsSession::explain(int result) {
  if (result == 1) return Step::progress;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Step::want_input;
    case SSL_ERROR_ZERO_RETURN:
      return Step::closed;
    default:
      break;
  }
  error_ = openssl_error();
  const long verified = SSL_get_verify_result(ssl_.get());
  if (verified != X509_V_OK) {
    error_ = "the peer's certificate was refused: ";
    error_ += X509_verify_cert_error_string(verified);
  }
  return Step::failed;
}

}  // namespace gatehouse::net
