// Secrets from outside. Blocking (a command may take its whole limit): for start and reload, not
// for loop threads.
//
// Invariants
//   1. Every buffer a secret passes through is wiped before it is freed.
//   2. A command is run without a shell, with no descriptor of ours but the pipe, in its own
//      process group, and is killed with its group and reaped before load_secret() returns.
//   3. No error message contains any byte of the secret.
#include "base/secret.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/os.h"

namespace gatehouse {
namespace {

constexpr std::size_t max_secret_bytes = 65'536;
constexpr std::chrono::milliseconds reap_interval{5};

using Deadline = std::chrono::steady_clock::time_point;

std::unexpected<Error> too_slow() {
  return fail(ErrorCode::deadline_exceeded, "the command did not end in time");
}

void wipe(std::string& text) {
  text.resize(text.capacity());
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

Result<Secret> secret_from(std::string& raw) {
  std::string_view value = raw;
  while (value.ends_with('\n') || value.ends_with('\r')) value.remove_suffix(1);
  Secret secret{std::string(value)};
  wipe(raw);
  if (secret.empty()) return fail(ErrorCode::invalid_argument, "the secret is empty");
  return secret;
}

Result<Secret> secret_from_file(const std::string& path) {
  Result<std::string> content = read_file(path, max_secret_bytes);
  if (!content) return std::unexpected(std::move(content).error());
  return secret_from(*content);
}

Result<Secret> secret_from_environment(const std::string& name) {
  // Nothing in this program sets a variable once threads run.
  const char* const value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
  if (value == nullptr)
    return fail(ErrorCode::not_found, "the environment variable '" + name + "' is not set");
  std::string copy(value);
  return secret_from(copy);
}

// A child process in a process group of its own; killed and reaped when dropped.
class Child {
 public:
  explicit Child(pid_t id) : id_(id) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (id_ <= 0) return;
    ::kill(-id_, SIGKILL);
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
  }

  Result<void> wait_for_success(Deadline deadline) {
    int status = 0;
    while (true) {
      const pid_t done = ::waitpid(id_, &status, WNOHANG);
      if (done == id_) break;
      if (done < 0 && errno != EINTR) return std::unexpected(os_error(errno, "wait for command"));
      if (std::chrono::steady_clock::now() >= deadline) return too_slow();
      std::this_thread::sleep_for(reap_interval);
    }
    id_ = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return fail(ErrorCode::unavailable,
                WIFEXITED(status)
                    ? "the command ended with status " + std::to_string(WEXITSTATUS(status))
                    : "the command was ended by signal " + std::to_string(WTERMSIG(status)));
  }

 private:
  pid_t id_;
};

struct SpawnSettings {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;

  explicit SpawnSettings(int standard_output) {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files, standard_output, STDOUT_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
};

Result<pid_t> spawn(std::vector<std::string> words, int standard_output) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const SpawnSettings settings(standard_output);
  pid_t id = 0;
  const int failure =
      ::posix_spawnp(&id, argv[0], &settings.files, &settings.attributes, argv.data(), environ);
  if (failure != 0) return std::unexpected(os_error(failure, "run '" + words[0] + "'"));
  return id;
}

// Appends to `out` (which has room for the limit and one byte more, so it never moves) until the
// other side closes.
Result<void> read_to_end(int pipe, std::string& out, Deadline deadline) {
  char buffer[4096];
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wanted{pipe, POLLIN, 0};
    const int ready = left.count() <= 0 ? 0 : ::poll(&wanted, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return too_slow();
    const ssize_t got = ::read(pipe, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(os_error(errno, "read from command"));
    if (got == 0) return {};
    const auto count = static_cast<std::size_t>(got);
    const bool fits = count <= max_secret_bytes - out.size();
    if (fits) out.append(buffer, count);
    ::explicit_bzero(buffer, sizeof buffer);
    if (!fits)
      return fail(ErrorCode::resource_exhausted, "the command printed more than 65536 bytes");
  }
}

Result<Secret> secret_from_command(std::vector<std::string> words,
                                   std::chrono::milliseconds limit) {
  if (words.empty() || words[0].empty())
    return fail(ErrorCode::invalid_argument, "the command is empty");
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(os_error(errno, "make a pipe"));
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  const Deadline deadline = std::chrono::steady_clock::now() + limit;
  GH_ASSIGN(const pid_t id, spawn(std::move(words), writing.get()));
  Child child(id);
  writing.close();

  std::string printed;
  printed.reserve(max_secret_bytes);
  Result<void> outcome = read_to_end(reading.get(), printed, deadline);
  if (outcome) outcome = child.wait_for_success(deadline);
  if (!outcome) {
    wipe(printed);
    return std::unexpected(std::move(outcome).error());
  }
  return secret_from(printed);
}

Result<Secret> load_from(const std::string& source, const ConfigNode& node,
                         std::chrono::milliseconds command_limit) {
  if (source == "command") {
    GH_ASSIGN(std::vector<std::string> words, node.as_strings());
    return secret_from_command(std::move(words), command_limit);
  }
  GH_ASSIGN(const std::string name, node.as_string());
  return source == "file" ? secret_from_file(name) : secret_from_environment(name);
}

}  // namespace

Secret::~Secret() {
  wipe(value_);
}

Result<Secret> load_secret(const ConfigNode& node, std::chrono::milliseconds command_limit) {
  const auto members = node.members();
  const bool known =
      members.size() == 1 &&
      (members[0].first == "file" || members[0].first == "env" || members[0].first == "command");
  if (!known)
    return std::unexpected(
        node.error("expected exactly one of {file: PATH}, {env: NAME}, {command: [argv…]}"));
  Result<Secret> secret = load_from(members[0].first, members[0].second, command_limit);
  if (secret || secret.error().context.starts_with(node.where())) return secret;
  return std::unexpected(std::move(secret).error().within(members[0].second.where()));
}

}  // namespace gatehouse
