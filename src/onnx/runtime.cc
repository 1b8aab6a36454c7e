// See runtime.h.
#include "onnx/runtime.h"

#include <dlfcn.h>

#include <array>

#include "base/log.h"
#include "base/text.h"
#include "onnx/ort_abi.h"

namespace gatehouse::onnx {
namespace {

using Table = const void* const*;

// A thing of the runtime, given back by its own function.
template <class T, class Release>
class Owned {
 public:
  explicit Owned(Table table) : table_(table) {}
  Owned(Owned&& other) noexcept
      : table_(other.table_), pointer_(std::exchange(other.pointer_, nullptr)) {}
  Owned& operator=(Owned&&) = delete;
  ~Owned() {
    if (pointer_ != nullptr) Release::call(table_, pointer_);
  }
  T* get() const { return pointer_; }
  T** out() { return &pointer_; }

 private:
  Table table_;
  T* pointer_ = nullptr;
};

using OwnedEnv = Owned<ort::Env, ort::ReleaseEnv>;
using OwnedMemoryInfo = Owned<ort::MemoryInfo, ort::ReleaseMemoryInfo>;
using OwnedSessionOptions = Owned<ort::SessionOptions, ort::ReleaseSessionOptions>;
using OwnedSession = Owned<ort::Session, ort::ReleaseSession>;
using OwnedRunOptions = Owned<ort::RunOptions, ort::ReleaseRunOptions>;
using OwnedValue = Owned<ort::Value, ort::ReleaseValue>;
using OwnedTypeInfo = Owned<ort::TypeInfo, ort::ReleaseTypeInfo>;
using OwnedTensorInfo = Owned<ort::TensorInfo, ort::ReleaseTensorInfo>;

std::string shown(const char* message) {
  return printable(utf8_prefix(message != nullptr ? message : "", 500));
}

Result<void> check(Table table, ort::Status* status) {
  if (status == nullptr) return {};
  std::string message = shown(ort::GetErrorMessage::call(table, status));
  ort::ReleaseStatus::call(table, status);
  return fail(ErrorCode::failed_precondition, "ONNX Runtime: " + message);
}

void log_line(void*, int severity, const char*, const char*, const char*, const char* message) {
  if (severity >= ort::log_error) {
    log_error("ONNX Runtime", {{"problem", shown(message)}});
  } else {
    log_warning("ONNX Runtime", {{"problem", shown(message)}});
  }
}

ElementType element_type_of(int number) {
  switch (number) {
    case ort::element_float32:
      return ElementType::float32;
    case ort::element_int32:
      return ElementType::int32;
    case ort::element_int64:
      return ElementType::int64;
    default:
      return ElementType::other;
  }
}

Result<void*> open_library(const std::string& path) {
  std::vector<std::string> names{"libonnxruntime.so.1", "libonnxruntime.so"};
  if (!path.empty()) names = {path};
  std::string problems;
  for (const std::string& name : names) {
    // It keeps threads and state of its own: never unloaded.
    if (void* library = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE))
      return library;
    const char* problem = ::dlerror();
    problems += (problems.empty() ? "" : "; ") + shown(problem);
  }
  return fail(ErrorCode::not_found, "ONNX Runtime cannot be loaded (" + problems + ")");
}

}  // namespace

struct Runtime::Impl {
  explicit Impl(Table api) : table(api), env(api), memory(api) {}

  Table table;
  std::string version;
  OwnedEnv env;
  OwnedMemoryInfo memory;
};

Result<std::shared_ptr<const Runtime>> Runtime::load(const std::string& path) {
  GH_ASSIGN(void* const library, open_library(path));
  const auto get_base =
      reinterpret_cast<const ort::ApiBase* (*)()>(::dlsym(library, "OrtGetApiBase"));
  if (get_base == nullptr)
    return fail(ErrorCode::failed_precondition, "the library is not ONNX Runtime: " + path);
  const ort::ApiBase* base = get_base();
  const std::string version = shown(base->get_version());
  const Table table = base->get_api(ort::api_version);
  if (table == nullptr)
    return fail(ErrorCode::failed_precondition,
                "ONNX Runtime " + version + " is too old: at least 1." +
                    std::to_string(ort::api_version) + " is needed");
  auto impl = std::make_shared<Impl>(table);
  impl->version = version;
  GH_TRY(check(table, ort::CreateEnvWithLogger::call(table, log_line, nullptr, ort::log_warning,
                                                     "gatehouse", impl->env.out())));
  GH_TRY(check(table, ort::CreateCpuMemoryInfo::call(table, ort::device_allocator,
                                                     ort::default_memory, impl->memory.out())));
  return std::shared_ptr<const Runtime>(new Runtime(std::move(impl)));
}

const std::string& Runtime::version() const {
  return impl_->version;
}

struct Session::Impl {
  explicit Impl(std::shared_ptr<const Runtime> with)
      : runtime(std::move(with)), table(runtime->impl().table), session(table) {}

  std::shared_ptr<const Runtime> runtime;
  Table table;
  OwnedSession session;
  std::vector<Port> inputs;
  std::vector<Port> outputs;
};

namespace {

Result<std::vector<std::int64_t>> shape_of(Table table, const ort::TensorInfo* info) {
  constexpr std::size_t most_dimensions = 16;
  std::size_t count = 0;
  GH_TRY(check(table, ort::GetDimensionCount::call(table, info, &count)));
  if (count > most_dimensions) return fail(ErrorCode::failed_precondition, "too many dimensions");
  std::vector<std::int64_t> shape(count);
  if (count > 0) GH_TRY(check(table, ort::GetDimensions::call(table, info, shape.data(), count)));
  return shape;
}

Result<Port> read_port(Table table, std::string name, const ort::TypeInfo* type) {
  Port port;
  port.name = std::move(name);
  const ort::TensorInfo* info = nullptr;  // belongs to the type
  GH_TRY(check(table, ort::CastToTensorInfo::call(table, type, &info)));
  if (info == nullptr) return port;
  port.is_tensor = true;
  int element = 0;
  GH_TRY(check(table, ort::GetElementType::call(table, info, &element)));
  port.type = element_type_of(element);
  GH_ASSIGN(port.shape, shape_of(table, info));
  return port;
}

template <class Count, class Name, class Type>
Result<std::vector<Port>> read_ports(Table table, const ort::Session* session) {
  constexpr std::size_t most_ports = 256;
  std::size_t count = 0;
  GH_TRY(check(table, Count::call(table, session, &count)));
  if (count > most_ports) return fail(ErrorCode::failed_precondition, "too many inputs or outputs");
  ort::Allocator* allocator = nullptr;  // the runtime's own
  GH_TRY(check(table, ort::GetDefaultAllocator::call(table, &allocator)));
  std::vector<Port> ports;
  for (std::size_t at = 0; at < count; ++at) {
    char* name = nullptr;
    GH_TRY(check(table, Name::call(table, session, at, allocator, &name)));
    std::string copy = name;
    GH_TRY(check(table, ort::AllocatorFree::call(table, allocator, name)));
    OwnedTypeInfo type(table);
    GH_TRY(check(table, Type::call(table, session, at, type.out())));
    GH_ASSIGN(auto port, read_port(table, std::move(copy), type.get()));
    ports.push_back(std::move(port));
  }
  return ports;
}

// The tensor refers to `row`, or to `narrow` where the model wants 32 bits.
Result<OwnedValue> make_tensor(Table table, const Runtime::Impl& runtime, Row& row,
                               std::vector<std::int32_t>& narrow) {
  const std::array<std::int64_t, 2> shape{1, static_cast<std::int64_t>(row.values.size())};
  void* data = row.values.data();
  std::size_t bytes = row.values.size() * sizeof(std::int64_t);
  int element = ort::element_int64;
  if (row.type == ElementType::int32) {
    narrow.assign(row.values.begin(), row.values.end());
    data = narrow.data();
    bytes = narrow.size() * sizeof(std::int32_t);
    element = ort::element_int32;
  }
  OwnedValue value(table);
  GH_TRY(check(table, ort::CreateTensor::call(table, runtime.memory.get(), data, bytes,
                                              shape.data(), shape.size(), element, value.out())));
  return value;
}

Result<Session::Output> read_output(Table table, ort::Value* value) {
  constexpr std::int64_t most_values = 1'000'000;
  OwnedTensorInfo info(table);
  GH_TRY(check(table, ort::GetTypeAndShape::call(table, value, info.out())));
  int element = 0;
  GH_TRY(check(table, ort::GetElementType::call(table, info.get(), &element)));
  if (element != ort::element_float32)
    return fail(ErrorCode::failed_precondition, "the output is not of 32-bit floats");
  Session::Output output;
  GH_ASSIGN(output.shape, shape_of(table, info.get()));
  std::int64_t count = 1;
  for (const std::int64_t dimension : output.shape) {
    if (dimension < 0 || dimension > most_values || count * dimension > most_values)
      return fail(ErrorCode::failed_precondition, "the output is too large");
    count *= dimension;
  }
  void* data = nullptr;
  GH_TRY(check(table, ort::GetTensorData::call(table, value, &data)));
  const auto* floats = static_cast<const float*>(data);
  output.values.assign(floats, floats + count);
  return output;
}

}  // namespace

Result<Session> Session::create(std::shared_ptr<const Runtime> runtime, std::string_view model,
                                int threads) {
  auto impl = std::make_shared<Impl>(std::move(runtime));
  const Table table = impl->table;
  OwnedSessionOptions options(table);
  GH_TRY(check(table, ort::CreateSessionOptions::call(table, options.out())));
  GH_TRY(check(table, ort::SetOptimizationLevel::call(table, options.get(), ort::optimize_all)));
  GH_TRY(check(table, ort::SetIntraOpThreads::call(table, options.get(), threads)));
  GH_TRY(check(table, ort::SetInterOpThreads::call(table, options.get(), 1)));
  // Its threads wait asleep: the loops need the cores.
  GH_TRY(check(table, ort::AddSessionConfig::call(table, options.get(),
                                                  "session.intra_op.allow_spinning", "0")));
  GH_TRY(check(
      table, ort::CreateSessionFromArray::call(table, impl->runtime->impl().env.get(), model.data(),
                                               model.size(), options.get(), impl->session.out())));
  GH_ASSIGN(impl->inputs, (read_ports<ort::GetInputCount, ort::GetInputName, ort::GetInputType>(
                              table, impl->session.get())));
  GH_ASSIGN(impl->outputs, (read_ports<ort::GetOutputCount, ort::GetOutputName, ort::GetOutputType>(
                               table, impl->session.get())));
  return Session(std::move(impl));
}

const std::vector<Port>& Session::inputs() const {
  return impl_->inputs;
}
const std::vector<Port>& Session::outputs() const {
  return impl_->outputs;
}

Result<Session::Output> Session::run(std::vector<Row>& inputs, const std::string& output,
                                     const std::stop_token& stop) const {
  const Table table = impl_->table;
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped");
  std::vector<OwnedValue> values;
  std::vector<std::vector<std::int32_t>> narrow(inputs.size());
  std::vector<const char*> names;
  std::vector<const ort::Value*> pointers;
  values.reserve(inputs.size());
  for (std::size_t at = 0; at < inputs.size(); ++at) {
    GH_ASSIGN(auto value, make_tensor(table, impl_->runtime->impl(), inputs[at], narrow[at]));
    names.push_back(inputs[at].name.c_str());
    pointers.push_back(value.get());
    values.push_back(std::move(value));
  }
  OwnedRunOptions options(table);
  GH_TRY(check(table, ort::CreateRunOptions::call(table, options.out())));
  OwnedValue result(table);
  const char* output_name = output.c_str();
  ort::Status* status = nullptr;
  {
    const std::stop_callback on_stop(
        stop, [&] { (void)check(table, ort::SetTerminate::call(table, options.get())); });
    status = ort::Run::call(table, impl_->session.get(), options.get(), names.data(),
                            pointers.data(), pointers.size(), &output_name, 1, result.out());
  }
  auto ran = check(table, status);
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped");
  if (!ran) return std::unexpected(std::move(ran).error());
  return read_output(table, result.get());
}

}  // namespace gatehouse::onnx
