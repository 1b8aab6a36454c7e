// Memory for coroutine frames: one stock a thread, sorted by size in steps of 128 bytes, a few
// dozen frames of each. What does not fit goes to the allocator. Under a sanitizer everything does,
// so that a frame used after its end is seen.
#include <array>
#include <new>
#include <vector>

#include "net/task.h"

namespace gatehouse::net::detail {
namespace {

constexpr std::size_t step = 128;
constexpr std::size_t largest = 4'096;
constexpr std::size_t kept_of_a_size = 64;

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) || \
    __has_feature(thread_sanitizer)
constexpr bool keeps_frames = false;
#else
constexpr bool keeps_frames = true;
#endif

constexpr std::size_t class_of(std::size_t bytes) {
  return (bytes + step - 1) / step;
}

class Stock {
 public:
  ~Stock() {
    for (auto& shelf : shelves_)
      for (void* const memory : shelf) ::operator delete(memory);
    closed = true;
  }

  void* take(std::size_t size_class) {
    auto& shelf = shelves_[size_class];
    if (shelf.empty()) return ::operator new(size_class * step);
    void* const memory = shelf.back();
    shelf.pop_back();
    return memory;
  }

  void give(void* memory, std::size_t size_class) {
    auto& shelf = shelves_[size_class];
    if (shelf.capacity() == 0) shelf.reserve(kept_of_a_size);
    if (shelf.size() < kept_of_a_size) {
      shelf.push_back(memory);
    } else {
      ::operator delete(memory);
    }
  }

  // A loop that ends after its thread's stock still frees frames.
  static thread_local bool closed;

 private:
  std::array<std::vector<void*>, largest / step + 1> shelves_;
};

thread_local bool Stock::closed = false;

Stock& stock() {
  thread_local Stock own;
  return own;
}

}  // namespace

void* take_frame(std::size_t bytes) {
  if (!keeps_frames || bytes > largest) return ::operator new(bytes);
  // Whole steps in any case: it may end up in the stock of another thread.
  if (Stock::closed) return ::operator new(class_of(bytes) * step);
  return stock().take(class_of(bytes));
}

void give_frame(void* memory, std::size_t bytes) noexcept {
  if (!keeps_frames || bytes > largest || Stock::closed) {
    ::operator delete(memory);
    return;
  }
  stock().give(memory, class_of(bytes));
}

}  // namespace gatehouse::net::detail
