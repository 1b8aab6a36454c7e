// The part of ONNX Runtime's C interface that is used here, in our own words.
//
// Facts from the public header onnxruntime_c_api.h of version 1.24 (API version 24): where a
// function stands in the table OrtApi, its arguments, the numbers of the enumerations. The table
// only grows, so a place is the same in every version that has it; all of these are in API version
// 11 (ONNX Runtime 1.11, 2022) and were tried with 1.32 (tests/onnx).
//
// Functions that may fail give a status, null where they did not.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gatehouse::onnx::ort {

constexpr std::uint32_t api_version = 11;

struct Status;
struct Env;
struct SessionOptions;
struct Session;
struct RunOptions;
struct Value;
struct MemoryInfo;
struct TypeInfo;
struct TensorInfo;
struct Allocator;

struct ApiBase {
  const void* const* (*get_api)(std::uint32_t version);  // the table; null: not that version
  const char* (*get_version)();
};

// Enumerations, by number.
constexpr int log_warning = 2;
constexpr int log_error = 3;
constexpr int optimize_all = 99;
constexpr int device_allocator = 0;
constexpr int default_memory = 0;
constexpr int element_float32 = 1;
constexpr int element_int32 = 6;
constexpr int element_int64 = 7;

using Logger = void (*)(void* parameter, int severity, const char* category, const char* id,
                        const char* place, const char* message);

// A function and its place in the table.
template <std::size_t place, class Signature>
struct Function;
template <std::size_t place, class R, class... Arguments>
struct Function<place, R(Arguments...)> {
  static R call(const void* const* table, Arguments... arguments) {
    return reinterpret_cast<R (*)(Arguments...)>(const_cast<void*>(table[place]))(arguments...);
  }
};

using GetErrorMessage = Function<2, const char*(const Status*)>;
using CreateEnvWithLogger = Function<4, Status*(Logger, void*, int, const char*, Env**)>;
using CreateSessionFromArray =
    Function<8, Status*(const Env*, const void*, std::size_t, const SessionOptions*, Session**)>;
using Run =
    Function<9, Status*(Session*, const RunOptions*, const char* const*, const Value* const*,
                        std::size_t, const char* const*, std::size_t, Value**)>;
using CreateSessionOptions = Function<10, Status*(SessionOptions**)>;
using SetOptimizationLevel = Function<23, Status*(SessionOptions*, int)>;
using SetIntraOpThreads = Function<24, Status*(SessionOptions*, int)>;
using SetInterOpThreads = Function<25, Status*(SessionOptions*, int)>;
using GetInputCount = Function<30, Status*(const Session*, std::size_t*)>;
using GetOutputCount = Function<31, Status*(const Session*, std::size_t*)>;
using GetInputType = Function<33, Status*(const Session*, std::size_t, TypeInfo**)>;
using GetOutputType = Function<34, Status*(const Session*, std::size_t, TypeInfo**)>;
using GetInputName = Function<36, Status*(const Session*, std::size_t, Allocator*, char**)>;
using GetOutputName = Function<37, Status*(const Session*, std::size_t, Allocator*, char**)>;
using CreateRunOptions = Function<39, Status*(RunOptions**)>;
using SetTerminate = Function<46, Status*(RunOptions*)>;
using CreateTensor = Function<49, Status*(const MemoryInfo*, void*, std::size_t,
                                          const std::int64_t*, std::size_t, int, Value**)>;
using GetTensorData = Function<51, Status*(Value*, void**)>;
using CastToTensorInfo = Function<55, Status*(const TypeInfo*, const TensorInfo**)>;
using GetElementType = Function<60, Status*(const TensorInfo*, int*)>;
using GetDimensionCount = Function<61, Status*(const TensorInfo*, std::size_t*)>;
using GetDimensions = Function<62, Status*(const TensorInfo*, std::int64_t*, std::size_t)>;
using GetTypeAndShape = Function<65, Status*(const Value*, TensorInfo**)>;
using CreateCpuMemoryInfo = Function<69, Status*(int, int, MemoryInfo**)>;
using AllocatorFree = Function<76, Status*(Allocator*, void*)>;
using GetDefaultAllocator = Function<78, Status*(Allocator**)>;
using ReleaseEnv = Function<92, void(Env*)>;
using ReleaseStatus = Function<93, void(Status*)>;
using ReleaseMemoryInfo = Function<94, void(MemoryInfo*)>;
using ReleaseSession = Function<95, void(Session*)>;
using ReleaseValue = Function<96, void(Value*)>;
using ReleaseRunOptions = Function<97, void(RunOptions*)>;
using ReleaseTypeInfo = Function<98, void(TypeInfo*)>;
using ReleaseTensorInfo = Function<99, void(TensorInfo*)>;
using ReleaseSessionOptions = Function<100, void(SessionOptions*)>;
using AddSessionConfig = Function<130, Status*(SessionOptions*, const char*, const char*)>;

}  // namespace gatehouse::onnx::ort
