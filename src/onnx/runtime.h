// ONNX Runtime, loaded when it is wanted: nothing of it is linked, and a machine without it runs
// Gatehouse all the same. Found through its stable C interface: the function OrtGetApiBase, and a
// table of functions that later versions only add to.
//
// A Runtime is shared by the sessions made with it. It is thread-safe, and so is a Session: several
// threads may run it at once. A library that was loaded stays until the process ends.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"

namespace gatehouse::onnx {

class Runtime {
 public:
  // `path` of the library, or empty: the usual names, where the system looks for libraries.
  static Result<std::shared_ptr<const Runtime>> load(const std::string& path);

  const std::string& version() const;  // "1.32.0"

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  explicit Runtime(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

enum class ElementType : std::uint8_t { other, float32, int32, int64 };

// One input or output of a model. A dimension is -1 where it is not fixed.
struct Port {
  std::string name;
  ElementType type = ElementType::other;
  bool is_tensor = false;
  std::vector<std::int64_t> shape;
};

// A tensor of [1, values.size()].
struct Row {
  std::string name;
  ElementType type = ElementType::int64;
  std::vector<std::int64_t> values;
};

class Session {
 public:
  // `threads` work on one run; 1: only the caller's.
  static Result<Session> create(std::shared_ptr<const Runtime> runtime, std::string_view model,
                                int threads);

  const std::vector<Port>& inputs() const;
  const std::vector<Port>& outputs() const;

  // The values of a float output, and its shape. Ends early with `cancelled` when stopped.
  struct Output {
    std::vector<float> values;
    std::vector<std::int64_t> shape;
  };
  Result<Output> run(std::vector<Row>& inputs, const std::string& output,
                     const std::stop_token& stop) const;

  struct Impl;

 private:
  explicit Session(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace gatehouse::onnx
