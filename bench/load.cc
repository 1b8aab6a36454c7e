// load: the benchmark's client. Closed loop over N keep-alive connections on one thread and one
// core: each connection sends the same request as soon as its answer is whole. Measures every
// answer from the first byte sent to the last byte received, and of streams the time to the first
// text. Also measures what a durable write costs here (--fdatasync). Prints one JSON object.
//
// It knows just enough HTTP/1.1 to find the end of an answer, and stops at the first answer that is
// not 200: a benchmark of errors means nothing.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Micros = std::chrono::duration<double, std::micro>;

struct Options {
  int port = 0;
  std::string path = "/";
  std::string headers;
  std::string body;
  std::size_t connections = 1;
  double seconds = 3;
  double warmup = 0.3;
  std::string first_text;  // what stands before the first text of a stream; empty: not measured
  std::string sync_file;
};

[[noreturn]] void die(std::string_view why) {
  std::fprintf(stderr, "load: %.*s\n", static_cast<int>(why.size()), why.data());
  std::exit(1);
}

// Finds the end of one answer after the other in the bytes of a connection.
class AnswerReader {
 public:
  explicit AnswerReader(const std::string& first_text) : first_text_(first_text) {}

  // True when `bytes` completed the answer; nothing may follow it.
  bool feed(std::string_view bytes) {
    while (!bytes.empty() && state_ != State::done) {
      switch (state_) {
        case State::head:
          read_head(bytes);
          break;
        case State::whole:
          take(bytes, State::done);
          break;
        case State::chunk_size:
          read_chunk_size(bytes);
          break;
        case State::chunk:
          take(bytes, State::chunk_end);
          break;
        case State::chunk_end:
          skip_line(bytes, State::chunk_size);
          break;
        case State::trailer:
          skip_line(bytes, State::done);
          break;
        case State::done:
          break;
      }
    }
    if (!bytes.empty()) die("bytes after the end of an answer");
    return state_ == State::done;
  }
  void begin() {
    state_ = State::head;
    text_seen_ = false;
    tail_.clear();
  }
  bool text_seen() const { return text_seen_; }

 private:
  enum class State { head, whole, chunk_size, chunk, chunk_end, trailer, done };

  // A line or head that came in pieces is put together in line_.
  bool complete(std::string_view& bytes, std::string_view end) {
    const std::size_t before = line_.size();
    line_ += bytes;
    const std::size_t from = before > end.size() ? before - end.size() : 0;
    const std::size_t at = line_.find(end, from);
    if (at == std::string::npos) {
      bytes = {};
      return false;
    }
    bytes.remove_prefix(at + end.size() - before);
    line_.resize(at);
    return true;
  }

  void read_head(std::string_view& bytes) {
    if (!complete(bytes, "\r\n\r\n")) return;
    if (!line_.starts_with("HTTP/1.1 200 ")) die("answer is " + line_.substr(0, 200));
    std::transform(line_.begin(), line_.end(), line_.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    const std::size_t length = line_.find("\r\ncontent-length:");
    if (length != std::string::npos) {
      remaining_ = std::strtoull(line_.c_str() + length + 17, nullptr, 10);
      state_ = remaining_ == 0 ? State::done : State::whole;
    } else {
      state_ = State::chunk_size;
    }
    line_.clear();
  }

  void read_chunk_size(std::string_view& bytes) {
    if (!complete(bytes, "\r\n")) return;
    remaining_ = std::strtoull(line_.c_str(), nullptr, 16);
    state_ = remaining_ == 0 ? State::trailer : State::chunk;
    line_.clear();
  }

  void skip_line(std::string_view& bytes, State next) {
    if (!complete(bytes, "\r\n")) return;
    line_.clear();
    state_ = next;
  }

  void take(std::string_view& bytes, State next) {
    const std::size_t count = std::min<std::size_t>(remaining_, bytes.size());
    if (!first_text_.empty() && !text_seen_) look_for_text(bytes.substr(0, count));
    bytes.remove_prefix(count);
    remaining_ -= count;
    if (remaining_ == 0) state_ = next;
  }

  void look_for_text(std::string_view data) {
    tail_ += data;
    for (std::size_t at = 0; (at = tail_.find(first_text_, at)) != std::string::npos;) {
      at += first_text_.size();
      if (at < tail_.size() && tail_[at] != '"') text_seen_ = true;
    }
    if (tail_.size() > first_text_.size()) tail_.erase(0, tail_.size() - first_text_.size() - 1);
  }

  const std::string& first_text_;
  State state_ = State::head;
  std::uint64_t remaining_ = 0;
  std::string line_;
  std::string tail_;
  bool text_seen_ = false;
};

struct Connection {
  int socket = -1;
  AnswerReader reader;
  Clock::time_point sent;
  bool text_noted = false;
};

struct Measured {
  std::vector<double> whole;  // microseconds
  std::vector<double> first_text;
  double seconds = 0;
};

int connect_to(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
    die("cannot connect");
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return socket;
}

void send_request(Connection& connection, const std::string& request) {
  connection.sent = Clock::now();
  connection.text_noted = false;
  connection.reader.begin();
  for (std::size_t at = 0; at < request.size();) {
    const ssize_t count =
        ::send(connection.socket, request.data() + at, request.size() - at, MSG_NOSIGNAL);
    if (count <= 0) die("cannot send");
    at += static_cast<std::size_t>(count);
  }
}

Measured run(const Options& options, const std::string& request) {
  const int poll = ::epoll_create1(0);
  std::vector<Connection> connections;
  connections.reserve(options.connections);
  for (std::size_t i = 0; i < options.connections; ++i) {
    connections.push_back({connect_to(options.port), AnswerReader(options.first_text), {}, false});
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, connections.back().socket, &event);
  }
  Measured measured;
  std::vector<char> buffer(256 << 10);
  const auto start = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double>(options.warmup));
  const auto end = start + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double>(options.seconds));
  for (Connection& connection : connections) send_request(connection, request);
  std::vector<epoll_event> events(options.connections);
  for (auto now = Clock::now(); now < end;) {
    const int ready = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), 5'000);
    if (ready <= 0) die("no answer for five seconds");
    for (int i = 0; i < ready; ++i) {
      Connection& connection = connections[events[static_cast<std::size_t>(i)].data.u64];
      const ssize_t count = ::recv(connection.socket, buffer.data(), buffer.size(), 0);
      if (count <= 0) die("the connection was closed");
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
      const bool whole = connection.reader.feed(bytes);
      now = Clock::now();
      const double micros = Micros(now - connection.sent).count();
      if (connection.reader.text_seen() && !connection.text_noted) {
        connection.text_noted = true;
        if (now >= start) measured.first_text.push_back(micros);
      }
      if (!whole) continue;
      if (now >= start) measured.whole.push_back(micros);
      if (now < end) send_request(connection, request);
    }
  }
  measured.seconds = options.seconds;
  for (const Connection& connection : connections) ::close(connection.socket);
  ::close(poll);
  return measured;
}

double percentile(std::vector<double>& values, double part) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::size_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

// One 512-byte record appended inside a file that has its blocks already, as a log does it.
std::vector<double> measure_sync(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (descriptor < 0) die("cannot open " + file);
  const std::vector<char> zeros(1 << 20);
  const std::vector<char> record(512, 'x');
  if (::pwrite(descriptor, zeros.data(), zeros.size(), 0) < 0 || ::fsync(descriptor) != 0)
    die("cannot write " + file);
  std::vector<double> times;
  for (int i = 0; i < 1'000; ++i) {
    const auto before = Clock::now();
    if (::pwrite(descriptor, record.data(), record.size(), i * 512) < 0 ||
        ::fdatasync(descriptor) != 0)
      die("cannot sync " + file);
    times.push_back(Micros(Clock::now() - before).count());
  }
  ::close(descriptor);
  ::unlink(file.c_str());
  return times;
}

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const char* value = argv[i + 1];
    if (name == "--port")
      options.port = std::atoi(value);
    else if (name == "--path")
      options.path = value;
    else if (name == "--header")
      options.headers += std::string(value) + "\r\n";
    else if (name == "--connections")
      options.connections = std::strtoull(value, nullptr, 10);
    else if (name == "--seconds")
      options.seconds = std::atof(value);
    else if (name == "--warmup")
      options.warmup = std::atof(value);
    else if (name == "--first-text")
      options.first_text = value;
    else if (name == "--fdatasync")
      options.sync_file = value;
    else if (name == "--body") {
      std::ifstream file(value, std::ios::binary);
      options.body.assign(std::istreambuf_iterator<char>(file), {});
    } else
      die("unknown option " + std::string(name));
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  if (!options.sync_file.empty()) {
    std::vector<double> times = measure_sync(options.sync_file);
    std::printf("{\"p50\":%.1f,\"p99\":%.1f}\n", percentile(times, 0.5), percentile(times, 0.99));
    return 0;
  }
  const std::string request =
      "POST " + options.path + " HTTP/1.1\r\nHost: bench\r\n" + options.headers +
      "Content-Type: application/json\r\nContent-Length: " + std::to_string(options.body.size()) +
      "\r\n\r\n" + options.body;
  Measured measured = run(options, request);
  std::printf(
      "{\"requests\":%zu,\"rps\":%.1f,\"p50\":%.1f,\"p99\":%.1f,\"texts\":%zu,\"text_p50\":%.1f,"
      "\"text_p99\":%.1f}\n",
      measured.whole.size(), static_cast<double>(measured.whole.size()) / measured.seconds,
      percentile(measured.whole, 0.5), percentile(measured.whole, 0.99), measured.first_text.size(),
      percentile(measured.first_text, 0.5), percentile(measured.first_text, 0.99));
  return 0;
}
