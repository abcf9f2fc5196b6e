// Micro benchmarks of the engine's stages, on the modules named on the command line: decode in
// functions a second (it only locates their code, so bytes would flatter it), validate and
// translate in bytes of module a second, instantiation and invocation in time a call.
//
// Promises: what a stage consumes is copied, and what it made is destroyed, outside the measured
// time. Assumes: the modules have no imports. A kernel is too small to show throughput, so its
// functions are repeated until the module has a megabyte.
#include <benchmark/benchmark.h>
#include <time.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "loader/error.hpp"
#include "loader/loader.hpp"
#include "vm/budget.hpp"
#include "vm/code.hpp"
#include "vm/instance.hpp"
#include "vm/value.hpp"

namespace qip {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t kThroughputBytes = size_t{1} << 20;

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "micro: %s\n", message.c_str());
  std::exit(1);
}

Bytes read_file(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) fail("cannot open " + path);
  Bytes bytes;
  uint8_t buffer[65536];
  for (size_t count = 0; (count = std::fread(buffer, 1, sizeof buffer, file)) > 0;) {
    bytes.insert(bytes.end(), buffer, buffer + count);
  }
  std::fclose(file);
  return bytes;
}

// --- A larger module of real code ----------------------------------------------------------------

// The module was decoded before, so its LEB128 numbers end where they should.
uint64_t read_leb(const Bytes& bytes, size_t* at) {
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    uint8_t byte = bytes[(*at)++];
    value |= uint64_t{byte & 0x7Fu} << shift;
    if ((byte & 0x80) == 0) return value;
  }
}

void append_leb(Bytes& bytes, uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<uint8_t>(value | 0x80));
  bytes.push_back(static_cast<uint8_t>(value));
}

// `contents` is a vector: a count, then the entries. Repeats the entries.
Bytes repeat_entries(const Bytes& contents, uint64_t times) {
  size_t first_entry = 0;
  uint64_t count = read_leb(contents, &first_entry);
  Bytes result;
  append_leb(result, count * times);
  for (uint64_t i = 0; i < times; i++) {
    result.insert(result.end(), contents.begin() + static_cast<ptrdiff_t>(first_entry),
                  contents.end());
  }
  return result;
}

// The same module with every function body there `times` times. The copies call the originals.
Bytes repeat_functions(const Bytes& module, uint64_t times) {
  constexpr size_t kHeaderBytes = 8;
  constexpr uint8_t kFunctionSection = 3;
  constexpr uint8_t kCodeSection = 10;
  Bytes result(module.begin(), module.begin() + kHeaderBytes);
  for (size_t at = kHeaderBytes; at < module.size();) {
    uint8_t id = module[at++];
    size_t size = read_leb(module, &at);
    auto begin = module.begin() + static_cast<ptrdiff_t>(at);
    Bytes contents(begin, begin + static_cast<ptrdiff_t>(size));
    if (id == kFunctionSection || id == kCodeSection) contents = repeat_entries(contents, times);
    result.push_back(id);
    append_leb(result, contents.size());
    result.insert(result.end(), contents.begin(), contents.end());
    at += size;
  }
  return result;
}

Bytes enlarge(const Bytes& module) {
  size_t growth = repeat_functions(module, 2).size() - module.size();
  if (growth == 0) fail("a module without functions");
  return repeat_functions(module, kThroughputBytes / growth + 1);
}

// --- Stages --------------------------------------------------------------------------------------

Module decoded(Bytes bytes) {
  Result<Module, LoadError> result = decode(std::move(bytes));
  if (!result.ok()) fail(describe(result.error()));
  return std::move(result.value());
}

ValidatedModule validated(Bytes bytes) {
  Result<ValidatedModule, LoadError> result = validate(decoded(std::move(bytes)));
  if (!result.ok()) fail(describe(result.error()));
  return std::move(result.value());
}

std::shared_ptr<const Code> translated(Bytes bytes) {
  Result<std::shared_ptr<const Code>, LoadError> result = translate(validated(std::move(bytes)));
  if (!result.ok()) fail(describe(result.error()));
  return result.value();
}

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Measures stage(input) on a fresh copy of the input each time, in processor time, so that a busy
// machine does not count.
template <class Input, class Stage>
void measure_stage(benchmark::State& state, const Input& input, Stage stage) {
  for (auto _ : state) {
    Input copy = input;
    double begin = thread_seconds();
    auto result = stage(std::move(copy));
    double end = thread_seconds();
    if (!result.ok()) fail(describe(result.error()));
    state.SetIterationTime(end - begin);
  }
}

void count_bytes(benchmark::State& state, const Bytes& bytes) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}

void measure_decode(benchmark::State& state, const Bytes& bytes) {
  measure_stage(state, bytes, [](Bytes input) { return decode(std::move(input)); });
  size_t functions = decoded(bytes).functions.size();
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(functions));
}

void measure_validate(benchmark::State& state, const Bytes& bytes) {
  measure_stage(state, decoded(bytes), [](Module input) { return validate(std::move(input)); });
  count_bytes(state, bytes);
}

void measure_translate(benchmark::State& state, const Bytes& bytes) {
  measure_stage(state, validated(bytes),
                [](ValidatedModule input) { return translate(std::move(input)); });
  count_bytes(state, bytes);
}

// A store with one instance, made and freed.
void measure_instantiate(benchmark::State& state, const Bytes& bytes) {
  std::shared_ptr<const Code> code = translated(bytes);
  Budget budget;
  for (auto _ : state) {
    Store store;
    Result<Instance*, InstantiationError> instance = instantiate(store, code, {}, budget);
    if (!instance.ok()) fail(instance.error().message);
    benchmark::DoNotOptimize(instance.value());
  }
}

// --- Calls ---------------------------------------------------------------------------------------

// (module (func (export "f") (param i32) (result i32) (local.get 0)))
const Bytes kIdentityModule = {0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00,   // header
                               0x01, 0x06, 0x01, 0x60, 0x01, 0x7F, 0x01, 0x7F,   // type
                               0x03, 0x02, 0x01, 0x00,                           // function
                               0x07, 0x05, 0x01, 0x01, 'f',  0x00, 0x00,         // export
                               0x0A, 0x06, 0x01, 0x04, 0x00, 0x20, 0x00, 0x0B};  // code

// (module (import "h" "h" (func (param i32) (result i32)))
//   (func (export "f") (param i32) (result i32)
//     (loop (br_if 0 (local.tee 0 (call 0 (local.get 0)))))
//     (local.get 0)))
const Bytes kHostCallModule = {0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00,        // header
                               0x01, 0x06, 0x01, 0x60, 0x01, 0x7F, 0x01, 0x7F,        // type
                               0x02, 0x07, 0x01, 0x01, 'h',  0x01, 'h',  0x00, 0x00,  // import
                               0x03, 0x02, 0x01, 0x00,                                // function
                               0x07, 0x05, 0x01, 0x01, 'f',  0x00, 0x01,              // export
                               0x0A, 0x11, 0x01, 0x0F, 0x00, 0x03, 0x40, 0x20, 0x00, 0x10,  // code
                               0x00, 0x22, 0x00, 0x0D, 0x00, 0x0B, 0x20, 0x00, 0x0B};

Trap count_down(void*, const Value* arguments, Value* results) {
  results[0] = Value::from_i32(arguments[0].i32() - 1);
  return Trap::None;
}

// Invokes the export "f" again and again; one call of it stands for `items`.
void measure_invocations(benchmark::State& state, const Bytes& bytes,
                         std::span<const Extern> imports, Store& store, uint32_t items) {
  Budget budget;
  Result<Instance*, InstantiationError> instance =
      instantiate(store, translated(bytes), imports, budget);
  if (!instance.ok()) fail(instance.error().message);
  FunctionInstance* function = instance.value()->exported_function("f");
  if (function == nullptr) fail("no export is called f");
  const Value argument[] = {Value::from_i32(items)};
  Value result[1];
  for (auto _ : state) {
    Trap trap = invoke(budget, *function, argument, result);
    if (trap != Trap::None) fail(std::string(trap_text(trap)));
    benchmark::DoNotOptimize(result);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * items);
}

void measure_invoke(benchmark::State& state) {
  Store store;
  measure_invocations(state, kIdentityModule, {}, store, 1);
}

void measure_host_call(benchmark::State& state) {
  Store store;
  FuncType type{{ValueType::I32}, {ValueType::I32}};
  FunctionInstance* host = store.add_host_function(type, count_down, nullptr);
  if (host == nullptr) fail("no memory for a host function");
  const Extern imports[] = {Extern::of(host)};
  measure_invocations(state, kHostCallModule, imports, store, 1000);
}

void add_benchmarks(const std::string& path) {
  Bytes small = read_file(path);
  decoded(small);  // ends here if the module is malformed
  Bytes large = enlarge(small);
  std::string name = path.substr(path.rfind('/') + 1);
  benchmark::RegisterBenchmark(("decode/" + name).c_str(), measure_decode, large)->UseManualTime();
  benchmark::RegisterBenchmark(("validate/" + name).c_str(), measure_validate, large)
      ->UseManualTime();
  benchmark::RegisterBenchmark(("translate/" + name).c_str(), measure_translate, large)
      ->UseManualTime();
  benchmark::RegisterBenchmark(("instantiate/" + name).c_str(), measure_instantiate, small);
}

int run_benchmarks(int count, char** arguments) {
  benchmark::Initialize(&count, arguments);
  for (int i = 1; i < count; i++) add_benchmarks(arguments[i]);
  benchmark::RegisterBenchmark("invoke", measure_invoke);
  benchmark::RegisterBenchmark("host_call", measure_host_call);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace
}  // namespace qip

int main(int count, char** arguments) {
  return qip::run_benchmarks(count, arguments);
}
