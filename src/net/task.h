// Task<T>: a lazy coroutine with one awaiter and symmetric transfer. It starts when awaited, lives
// on the loop thread that awaits it and is destroyed by its owner, after which nothing of it runs.
// Rules for those who write coroutines (docs/decisions/2026-11-23-compiler.md has the reasons):
//   1. parameters by value, or by reference to something that outlives the whole call;
//   2. no capturing lambda as a coroutine;
//   3. no lock held across co_await.
// An exception that leaves a coroutine arrives where its task is awaited. Errors that can be
// expected are Results; what is thrown all the same ends at the request it belongs to (server.cc).
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "base/result.h"

namespace gatehouse::net {

template <class T>
class Task;

namespace detail {

// Memory of ended coroutines, kept by size for the next: a request is some twenty frames of a few
// sizes, all on one thread. A frame may be freed on another thread than the one it came from.
void* take_frame(std::size_t bytes);
void give_frame(void* memory, std::size_t bytes) noexcept;

struct PromiseBase {
  static void* operator new(std::size_t bytes) { return take_frame(bytes); }
  static void operator delete(void* memory, std::size_t bytes) noexcept {
    give_frame(memory, bytes);
  }

  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::exception_ptr thrown;

  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) noexcept {
      return self.promise().continuation;
    }
    void await_resume() noexcept {}
  };

  std::suspend_always initial_suspend() noexcept { return {}; }
  FinalAwaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { thrown = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <class U>
  void return_value(U&& v) {
    value.emplace(std::forward<U>(v));
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() {}
};

}  // namespace detail

template <class T = void>
// Not [[clang::coro_return_type]]: libstdc++'s std::function would have to be a coroutine wrapper.
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().continuation = awaiting;
    return handle_;
  }
  T await_resume() {
    if (auto& thrown = handle_.promise().thrown) std::rethrow_exception(std::exchange(thrown, {}));
    // A task that has ended has a value. NOLINTNEXTLINE(bugprone-unchecked-optional-access)
    if constexpr (!std::is_void_v<T>) return std::move(*handle_.promise().value);
  }

 private:
  friend promise_type;
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_;
};

namespace detail {
template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}
}  // namespace detail

}  // namespace gatehouse::net
