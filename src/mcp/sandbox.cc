// See sandbox.h. Between fork and exec only system calls: the parent has other threads, and what
// they held when it forked stays held here. So everything is prepared before, in Prepared.
//
// Two processes are made. The first enters the new namespaces and waits; the second is the first
// process of the new process namespace and becomes the program. When the first is killed the
// kernel kills the second, and with it everything in its namespace.
#include "mcp/sandbox.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>

#include "base/os.h"

namespace gatehouse::mcp {
namespace {

constexpr int status_descriptor = 3;
constexpr unsigned most_descriptors = ~0u;

// Where the child failed, for words in the parent.
enum class Step : std::uint8_t { none, namespaces, identity, mounts, limits, filter, program };

struct Report {
  Step step = Step::none;
  int error = 0;
};

std::string_view words(Step step) {
  switch (step) {
    case Step::namespaces:
      return "namespaces of its own cannot be had (are user namespaces allowed?)";
    case Step::identity:
      return "its user cannot be mapped";
    case Step::mounts:
      return "its view of the file system cannot be made";
    case Step::limits:
      return "its limits cannot be set";
    case Step::filter:
      return "the filter of system calls cannot be set";
    case Step::program:
      return "the program cannot be started";
    case Step::none:
      break;
  }
  return "it cannot be started";
}

// A path that is let through, and the folders that lead to it.
struct Passage {
  std::string path;
  std::vector<std::string> folders;
  bool writable = false;
  bool is_folder = true;
  int opened = -1;  // in the child, before anything is covered
};

struct Prepared {
  std::vector<char*> arguments;
  std::vector<std::string> environment_texts;
  std::vector<char*> environment;
  std::string uid_map;
  std::string gid_map;
  std::vector<std::string> covered;
  std::vector<Passage> passages;
  bool sandbox = true;
  int namespaces = 0;
  rlim_t memory = 0;
  rlim_t processes = 0;
  pid_t parent = 0;
  int channel = -1;
  int status = -1;
};

// ---- system calls that must not be there ------------------------------------------------------

#if defined(__x86_64__)
constexpr std::uint32_t this_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t this_architecture = AUDIT_ARCH_AARCH64;
#else
#error "the filter of system calls is not written for this architecture"
#endif

constexpr std::array refused_calls{SYS_ptrace,
                                   SYS_process_vm_readv,
                                   SYS_process_vm_writev,
                                   SYS_mount,
                                   SYS_umount2,
                                   SYS_pivot_root,
                                   SYS_chroot,
                                   SYS_move_mount,
                                   SYS_open_tree,
                                   SYS_fsopen,
                                   SYS_fsmount,
                                   SYS_fsconfig,
                                   SYS_fspick,
                                   SYS_mount_setattr,
                                   SYS_unshare,
                                   SYS_setns,
                                   SYS_bpf,
                                   SYS_perf_event_open,
                                   SYS_keyctl,
                                   SYS_add_key,
                                   SYS_request_key,
                                   SYS_userfaultfd,
                                   SYS_kexec_load,
                                   SYS_init_module,
                                   SYS_finit_module,
                                   SYS_delete_module,
                                   SYS_io_uring_setup,
                                   SYS_io_uring_enter,
                                   SYS_io_uring_register,
                                   SYS_open_by_handle_at,
                                   SYS_name_to_handle_at,
                                   SYS_acct,
                                   SYS_swapon,
                                   SYS_swapoff,
                                   SYS_reboot,
                                   SYS_quotactl,
                                   SYS_pidfd_getfd};

constexpr std::uint32_t answer_with(int error) {
  return SECCOMP_RET_ERRNO | (static_cast<std::uint32_t>(error) & SECCOMP_RET_DATA);
}

std::vector<sock_filter> make_filter() {
  std::vector<sock_filter> code;
  const auto load = [&](std::uint32_t offset) {
    code.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
  };
  const auto answer = [&](std::uint32_t what) { code.push_back(BPF_STMT(BPF_RET | BPF_K, what)); };
  load(offsetof(seccomp_data, arch));
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, this_architecture, 1, 0));
  answer(SECCOMP_RET_KILL_PROCESS);
  load(offsetof(seccomp_data, nr));
  // Another numbering of the same calls (x32).
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1));
  answer(SECCOMP_RET_KILL_PROCESS);
  for (const auto number : refused_calls) {
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 1));
    answer(answer_with(EPERM));
  }
  // Its flags are behind a pointer; libraries fall back to clone.
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1));
  answer(answer_with(ENOSYS));
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3));
  load(offsetof(seccomp_data, args[0]));
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWUSER, 0, 1));
  answer(answer_with(EPERM));
  answer(SECCOMP_RET_ALLOW);
  return code;
}

// ---- in the child: system calls only ----------------------------------------------------------

[[noreturn]] void report(int status, Step step) {
  const Report what{step, errno};
  (void)!::write(status, &what, sizeof what);
  ::_exit(127);
}

bool write_file(const char* path, const std::string& text) {
  const int file = ::open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(file);
  return written;
}

bool set_read_only(int folder, const char* path, int flags, bool read_only) {
  mount_attr attributes{};
  (read_only ? attributes.attr_set : attributes.attr_clr) = MOUNT_ATTR_RDONLY;
  return ::syscall(SYS_mount_setattr, folder, path, flags, &attributes, sizeof attributes) == 0;
}

bool cover(const char* path) {
  // What is not there need not be covered.
  return ::mount("gatehouse", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=64m,mode=755") == 0 ||
         errno == ENOENT || errno == ENOTDIR;
}

// /proc/self/fd/N, without a library.
void descriptor_path(int descriptor, char* out) {
  std::memcpy(out, "/proc/self/fd/", 14);
  char digits[12];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + descriptor % 10);
    descriptor /= 10;
  } while (descriptor > 0);
  for (int at = 0; at < count; ++at) out[14 + at] = digits[count - 1 - at];
  out[14 + count] = '\0';
}

bool let_through(const Passage& passage) {
  for (const auto& folder : passage.folders) (void)::mkdir(folder.c_str(), 0755);
  if (passage.is_folder) {
    (void)::mkdir(passage.path.c_str(), 0755);
  } else {
    const int made = ::open(passage.path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    if (made >= 0) ::close(made);
  }
  char source[32];
  descriptor_path(passage.opened, source);
  if (::mount(source, passage.path.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) return false;
  return set_read_only(AT_FDCWD, passage.path.c_str(), AT_RECURSIVE, !passage.writable);
}

bool make_view(Prepared& prepared) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  for (auto& passage : prepared.passages) {
    passage.opened = ::open(passage.path.c_str(), O_PATH | O_CLOEXEC);
    if (passage.opened < 0) return false;
    struct stat status{};
    if (::fstat(passage.opened, &status) != 0) return false;
    passage.is_folder = S_ISDIR(status.st_mode);
  }
  if (!set_read_only(AT_FDCWD, "/", AT_RECURSIVE, true)) return false;
  for (const auto& path : prepared.covered)
    if (!cover(path.c_str())) return false;
  for (const auto& passage : prepared.passages)
    if (!let_through(passage)) return false;
  return true;
}

bool set_limit(__rlimit_resource which, rlim_t value) {
  const rlimit limit{value, value};
  return ::setrlimit(which, &limit) == 0;
}

bool set_limits(const Prepared& prepared) {
  return set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_DATA, prepared.memory) &&
         set_limit(RLIMIT_NPROC, prepared.processes) && set_limit(RLIMIT_NOFILE, 1'024) &&
         set_limit(RLIMIT_FSIZE, 1ull << 30);
}

// Becomes the program.
[[noreturn]] void run_program(const Prepared& prepared, const sock_fprog& filter) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) report(status_descriptor, Step::limits);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::chdir("/") != 0) report(status_descriptor, Step::mounts);
  if (prepared.sandbox) {
    // A /proc of the new process namespace; where the system does not allow one, none.
    if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0 &&
        !cover("/proc"))
      report(status_descriptor, Step::mounts);
    if (!set_limits(prepared)) report(status_descriptor, Step::limits);
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
      report(status_descriptor, Step::filter);
  }
  ::execve(prepared.arguments.front(), prepared.arguments.data(), prepared.environment.data());
  report(status_descriptor, Step::program);
}

[[noreturn]] void enter(Prepared& prepared, const sock_fprog& filter) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != prepared.parent) ::_exit(127);
  ::setsid();
  if (::dup2(prepared.status, status_descriptor) < 0 ||
      ::fcntl(status_descriptor, F_SETFD, FD_CLOEXEC) != 0)
    ::_exit(127);
  if (::dup2(prepared.channel, 0) < 0 || ::dup2(prepared.channel, 1) < 0)
    report(status_descriptor, Step::program);
  if (::syscall(SYS_close_range, status_descriptor + 1, most_descriptors, 0) != 0)
    report(status_descriptor, Step::limits);
  if (!prepared.sandbox) run_program(prepared, filter);
  if (::unshare(prepared.namespaces) != 0) report(status_descriptor, Step::namespaces);
  if (!write_file("/proc/self/setgroups", "deny") ||
      !write_file("/proc/self/uid_map", prepared.uid_map) ||
      !write_file("/proc/self/gid_map", prepared.gid_map))
    report(status_descriptor, Step::identity);
  if (!make_view(prepared)) report(status_descriptor, Step::mounts);
  const pid_t child = ::fork();
  if (child < 0) report(status_descriptor, Step::namespaces);
  if (child == 0) run_program(prepared, filter);
  ::syscall(SYS_close_range, 0, most_descriptors, 0);
  int ended = 0;
  while (::waitpid(child, &ended, 0) < 0 && errno == EINTR) {
  }
  ::_exit(WIFEXITED(ended) ? WEXITSTATUS(ended) : 128);
}

// ---- in the parent ------------------------------------------------------------------------------

void add_passage(Prepared& prepared, const std::filesystem::path& path, bool writable) {
  Passage passage;
  const auto clean = std::filesystem::absolute(path).lexically_normal();
  passage.path = clean.string();
  passage.writable = writable;
  std::filesystem::path folder;
  for (const auto& part : clean.parent_path()) {
    folder /= part;
    if (folder != "/") passage.folders.push_back(folder.string());
  }
  prepared.passages.push_back(std::move(passage));
}

// `options` and what it holds must stay until the child runs.
Prepared prepare(const StdioOptions& options) {
  Prepared prepared;
  for (const auto& argument : options.command)
    prepared.arguments.push_back(const_cast<char*>(argument.c_str()));
  prepared.arguments.push_back(nullptr);
  prepared.environment_texts = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/tmp",
                                "TMPDIR=/tmp"};
  for (const auto& [name, value] : options.environment)
    prepared.environment_texts.push_back(name + "=" + std::string(value.reveal()));
  for (auto& text : prepared.environment_texts) prepared.environment.push_back(text.data());
  prepared.environment.push_back(nullptr);
  prepared.uid_map = "1000 " + std::to_string(::geteuid()) + " 1";
  prepared.gid_map = "1000 " + std::to_string(::getegid()) + " 1";
  prepared.covered = {"/tmp", "/var/tmp", "/dev/shm", "/run", "/sys", "/home", "/root"};
  for (const auto& path : options.hidden) prepared.covered.push_back(path.string());
  for (const auto& path : options.readable) add_passage(prepared, path, false);
  for (const auto& path : options.writable) add_passage(prepared, path, true);
  prepared.sandbox = options.sandbox;
  prepared.namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
                        (options.network ? 0 : CLONE_NEWNET);
  prepared.memory = options.memory_bytes;
  prepared.processes = options.processes;
  prepared.parent = ::getpid();
  return prepared;
}

}  // namespace

Result<int> start_sandboxed(const StdioOptions& options, int channel) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(os_error(errno, "make a pipe"));
  Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  Prepared prepared = prepare(options);
  // Above the numbers the child gives away.
  Descriptor high_status(::fcntl(writing.get(), F_DUPFD_CLOEXEC, 10));
  const Descriptor high_channel(::fcntl(channel, F_DUPFD_CLOEXEC, 10));
  prepared.status = high_status.get();
  prepared.channel = high_channel.get();
  const auto code = make_filter();
  const sock_fprog filter{static_cast<unsigned short>(code.size()),
                          const_cast<sock_filter*>(code.data())};
  const pid_t child = ::fork();
  if (child < 0) return std::unexpected(os_error(errno, "start a process"));
  if (child == 0) enter(prepared, filter);
  writing.close();
  high_status.close();
  Report what;
  const auto count = ::read(reading.get(), &what, sizeof what);
  if (count == 0) return child;  // the pipe closed at exec
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return fail(ErrorCode::unavailable,
              std::string(words(what.step)) + ": " + std::strerror(what.error),
              options.command.front());
}

}  // namespace gatehouse::mcp
