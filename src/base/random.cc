// Randomness from the kernel, one page of it in stock per thread.
//
// Invariants
//   1. A byte is handed out once and then zeroed in the stock.
//   2. The page is MADV_WIPEONFORK: a forked child finds an empty stock, so parent and child never
//      hand out the same bytes (a repeated nonce would break AES-GCM).
#include "base/random.h"

#include <sys/mman.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/result.h"

namespace gatehouse {
namespace {

void fill_from_kernel(std::byte* out, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::getrandom(out, size, 0);
    if (got < 0 && errno == EINTR) continue;
    GH_CHECK(got > 0);
    out += got;
    size -= static_cast<std::size_t>(got);
  }
}

class Stock {
 public:
  Stock() {
    void* page =
        ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    GH_CHECK(page != MAP_FAILED);
    GH_CHECK(::madvise(page, sizeof(Page), MADV_WIPEONFORK) == 0);
    page_ = static_cast<Page*>(page);
  }
  ~Stock() {
    ::explicit_bzero(page_, sizeof(Page));
    ::munmap(page_, sizeof(Page));
  }
  Stock(const Stock&) = delete;
  Stock& operator=(const Stock&) = delete;

  void take(std::span<std::byte> out) {
    if (out.size() > page_->left) {
      fill_from_kernel(page_->bytes, sizeof page_->bytes);
      page_->left = sizeof page_->bytes;
    }
    page_->left -= out.size();
    std::byte* const taken = page_->bytes + page_->left;
    std::memcpy(out.data(), taken, out.size());
    ::explicit_bzero(taken, out.size());
  }

  static constexpr std::size_t largest_take = 256;

 private:
  struct Page {
    std::size_t left;
    std::byte bytes[1024];
  };
  Page* page_ = nullptr;
};

}  // namespace

void SystemRandom::fill(std::span<std::byte> out) {
  if (out.empty()) return;
  if (out.size() > Stock::largest_take) return fill_from_kernel(out.data(), out.size());
  thread_local Stock stock;
  stock.take(out);
}

void SeededRandom::fill(std::span<std::byte> out) {
  const std::lock_guard lock(mutex_);
  while (!out.empty()) {
    const std::uint64_t word = engine_();
    const std::size_t count = std::min(out.size(), sizeof word);
    std::memcpy(out.data(), &word, count);
    out = out.subspan(count);
  }
}

}  // namespace gatehouse
