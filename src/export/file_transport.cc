// Events appended to a file, one JSON object a line, for receivers that follow files. fdatasync is
// the confirmation. A file that has reached `rotate` bytes becomes NAME.1, the older ones move up,
// and of these `keep` are kept. A line that a crash has cut is taken off again before the first
// write; its entry comes again whole.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/descriptor.h"
#include "base/os.h"
#include "export/transport.h"

namespace gatehouse::exporter {
namespace {

class FileTransport final : public Transport {
 public:
  explicit FileTransport(const Config& config) : config_(config) {}

  net::Task<Delivery> send(std::span<const Item> items) override {
    std::string lines;
    for (const Item& item : items) lines += item.payload;
    const auto written = write(lines);
    if (written) co_return Delivery{Verdict::accepted, {}, {}, 0};
    file_.close();  // what of it is there is looked at again
    co_return Delivery{Verdict::retry, written.error().describe(), {}, 0};
  }

  net::Task<Delivery> confirm() override { co_return Delivery{Verdict::accepted, {}, {}, 0}; }

 private:
  Result<void> write(std::string_view lines) {
    if (!file_) GH_TRY(open());
    if (size_ > 0 && size_ + lines.size() > config_.rotate) {
      GH_TRY(rotate());
      GH_TRY(open());
    }
    while (!lines.empty()) {
      const auto written = ::write(file_.get(), lines.data(), lines.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return failure("cannot write");
      size_ += static_cast<std::uint64_t>(written);
      lines.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fdatasync(file_.get()) != 0) return failure("cannot sync");
    return {};
  }

  Result<void> open() {
    std::error_code error;
    std::filesystem::create_directories(config_.path.parent_path(), error);
    file_ = Descriptor(::open(config_.path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    if (!file_) return failure("cannot open");
    struct stat status{};
    if (::fstat(file_.get(), &status) != 0) return failure("cannot look at");
    if (!S_ISREG(status.st_mode))
      return fail(ErrorCode::failed_precondition, "is no regular file", config_.path.string());
    size_ = static_cast<std::uint64_t>(status.st_size);
    return cut_torn_line();
  }

  Result<void> cut_torn_line() {
    std::uint64_t whole = size_;
    char byte = 0;
    while (whole > 0) {
      if (::pread(file_.get(), &byte, 1, static_cast<off_t>(whole - 1)) != 1)
        return failure("cannot read");
      if (byte == '\n') break;
      --whole;
    }
    if (whole == size_) return {};
    if (::ftruncate(file_.get(), static_cast<off_t>(whole)) != 0) return failure("cannot shorten");
    size_ = whole;
    return {};
  }

  std::filesystem::path numbered(std::size_t number) const {
    return config_.path.string() + '.' + std::to_string(number);
  }

  Result<void> rotate() {
    file_.close();
    std::error_code error;
    for (std::size_t number = config_.keep; number > 1; --number) {
      if (!std::filesystem::exists(numbered(number - 1), error)) continue;
      std::filesystem::rename(numbered(number - 1), numbered(number), error);
      if (error) return fail(ErrorCode::unavailable, error.message(), numbered(number).string());
    }
    std::filesystem::rename(config_.path, numbered(1), error);
    if (error) return fail(ErrorCode::unavailable, error.message(), numbered(1).string());
    return {};
  }

  std::unexpected<Error> failure(std::string_view action) const {
    return std::unexpected(os_error(errno, action, config_.path.string()));
  }

  const Config& config_;
  Descriptor file_;
  std::uint64_t size_ = 0;
};

}  // namespace

std::unique_ptr<Transport> make_file_transport(const Config& config) {
  return std::make_unique<FileTransport>(config);
}

}  // namespace gatehouse::exporter
