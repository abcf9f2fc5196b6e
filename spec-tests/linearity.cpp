// Shows that decoding, validating and translating are linear in the bytes of a module: for each
// shape that has broken some engine, time(2n) / time(n) and code bytes per module byte.
//
//   linearity            prints one line a shape and a verdict; exit status 1 if one fails
//
// Bounds: the ratio at most kMaxRatio, the code at most kMaxCodeFactor times the module plus a
// constant. Times are CPU times of this process, the smallest of several runs; a shape that fails
// is measured again, up to kAttempts times, so that a busy machine does not fail the check.
#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "loader/impl_limits.hpp"
#include "loader/loader.hpp"
#include "spec-tests/wasm_bytes.hpp"
#include "vm/code.hpp"

namespace qip {
namespace {

constexpr double kMaxRatio = 2.5;
constexpr double kMaxCodeFactor = 16;
// For the shapes beyond the classic twelve, some of which are made to need the most code.
constexpr double kMaxCodeFactorBeyond = 32;
constexpr size_t kClassicShapes = 12;
constexpr uint64_t kCodeConstant = 64 << 10;
constexpr int kRuns = 5;
constexpr int kAttempts = 4;
// n is chosen so that the module of size n has about this many bytes: well above timer noise.
constexpr uint64_t kTargetBytes = 256 << 10;
// One function may not be larger than the limit; shapes of one function stay below half of it.
static_assert(kTargetBytes * 2 < kMaxFunctionBytes);

using Bytes = std::vector<uint8_t>;

struct Shape {
  const char* name;
  uint64_t bytes_per_unit;  // about, to choose n
  uint64_t max_n;           // of 2n, because of a limit; 0: none
  Bytes (*make)(uint64_t n);
};

Bytes one_function_module(const WasmBytes& body) {
  return WasmModuleBytes()
      .section(kTypeSection, one_type(false))
      .section(kFunctionSection, one_function())
      .section(kCodeSection, one_body(body))
      .bytes();
}

// n functions with the same body, of type () -> ().
Bytes many_functions_module(uint64_t n, const WasmBytes& body) {
  WasmBytes functions;
  WasmBytes code;
  functions.unsigned_leb(n);
  code.unsigned_leb(n);
  for (uint64_t i = 0; i < n; ++i) {
    functions.byte(0);
    code.sized(body);
  }
  return WasmModuleBytes()
      .section(kTypeSection, one_type(false))
      .section(kFunctionSection, functions)
      .section(kCodeSection, code)
      .bytes();
}

// --- The shapes ----------------------------------------------------------------------------------

// Functions that declare many more locals than they have bytes.
Bytes locals(uint64_t n) {
  return many_functions_module(n, WasmBytes().raw({1, 100, 0x7F, 0x20, 0, 0x1A, 0x0B}));
}

// Half the bytes are groups of one local, half are reads of locals far apart.
Bytes local_groups(uint64_t n) {
  WasmBytes body;
  body.unsigned_leb(n);
  for (uint64_t i = 0; i < n; ++i) body.raw({1, static_cast<uint8_t>(0x7C + i % 4)});
  for (uint64_t i = 0; i < n; ++i) body.byte(0x20).unsigned_leb((i * 7919) % n).byte(0x1A);
  return one_function_module(body.byte(0x0B));
}

// n nested blocks and one table with all of them as targets.
Bytes br_table(uint64_t n) {
  WasmBytes body;
  body.byte(0).repeat(n, {0x02, 0x40}).raw({0x41, 0, 0x0E}).unsigned_leb(n);
  for (uint64_t i = 0; i < n; ++i) body.unsigned_leb(i);
  body.byte(0).repeat(n + 1, {0x0B});
  return one_function_module(body);
}

Bytes empty_loops(uint64_t n) {
  return one_function_module(WasmBytes().byte(0).repeat(n, {0x03, 0x40, 0x0B}).byte(0x0B));
}

Bytes if_chain(uint64_t n) {
  WasmBytes body;
  body.byte(0).repeat(n, {0x41, 1, 0x04, 0x40, 0x01, 0x05}).repeat(n + 1, {0x0B});
  return one_function_module(body);
}

Bytes constants(uint64_t n) {
  return one_function_module(WasmBytes().byte(0).repeat(n, {0x41, 1, 0x1A}).byte(0x0B));
}

Bytes calls(uint64_t n) {
  return one_function_module(WasmBytes().byte(0).repeat(n, {0x10, 0}).byte(0x0B));
}

Bytes exports(uint64_t n) {
  WasmBytes section;
  section.unsigned_leb(n);
  for (uint64_t i = 0; i < n; ++i) section.name("export" + std::to_string(i)).raw({0, 0});
  return WasmModuleBytes()
      .section(kTypeSection, one_type(false))
      .section(kFunctionSection, one_function())
      .section(kExportSection, section)
      .section(kCodeSection, one_body(WasmBytes().raw({0, 0x0B})))
      .bytes();
}

Bytes data_segments(uint64_t n) {
  WasmBytes section;
  section.unsigned_leb(n);
  for (uint64_t i = 0; i < n; ++i) section.raw({0, 0x41, 0, 0x0B, 1, 7});
  return WasmModuleBytes()
      .section(kMemorySection, WasmBytes().raw({1, 0, 1}))
      .section(kDataSection, section)
      .bytes();
}

Bytes types(uint64_t n) {
  WasmBytes section;
  section.unsigned_leb(n);
  for (uint64_t i = 0; i < n; ++i) {
    section.raw({0x60, 4});
    for (uint64_t k = 0; k < 4; ++k) section.byte(static_cast<uint32_t>(0x7C + ((i >> k) & 3)));
    section.byte(0);
  }
  return WasmModuleBytes().section(kTypeSection, section).bytes();
}

Bytes functions(uint64_t n) {
  return many_functions_module(n, WasmBytes().raw({0, 0x0B}));
}

Bytes drops(uint64_t n) {
  return one_function_module(WasmBytes().raw({0, 0x00}).repeat(n, {0x1A}).byte(0x0B));
}

// Beyond the classic twelve: what a translator with pending operands could get wrong.

// n reads of a local wait on the stack while it is written n times.
Bytes pending_reads(uint64_t n) {
  WasmBytes body;
  body.raw({1, 1, 0x7F}).repeat(n, {0x20, 0}).repeat(n, {0x41, 5, 0x21, 0}).repeat(n, {0x1A});
  return one_function_module(body.byte(0x0B));
}

// The same with a block between each write, so that every label sees n waiting values.
Bytes pending_reads_at_labels(uint64_t n) {
  WasmBytes body;
  body.raw({1, 1, 0x7F}).repeat(n, {0x20, 0}).repeat(n, {0x02, 0x40, 0x0B}).repeat(n, {0x1A});
  return one_function_module(body.byte(0x0B));
}

// n waiting reads of memory, then n writes.
Bytes pending_loads(uint64_t n) {
  WasmBytes body;
  body.byte(0).repeat(n, {0x41, 0, 0x28, 2, 0});
  body.repeat(n, {0x41, 0, 0x41, 1, 0x36, 2, 0}).repeat(n, {0x1A});
  return WasmModuleBytes()
      .section(kTypeSection, one_type(false))
      .section(kFunctionSection, one_function())
      .section(kMemorySection, WasmBytes().raw({1, 0, 1}))
      .section(kCodeSection, one_body(body.byte(0x0B)))
      .bytes();
}

Bytes deep_operands(uint64_t n) {
  WasmBytes body;
  body.byte(0).repeat(n, {0x41, 1}).repeat(n - 1, {0x6A}).raw({0x1A, 0x0B});
  return one_function_module(body);
}

// A chain of sums on one local: everything wants to fuse with everything.
Bytes arithmetic_chain(uint64_t n) {
  WasmBytes body;
  body.raw({1, 2, 0x7F, 0x20, 0});
  for (uint64_t i = 0; i < n; ++i) body.raw({0x20, 1, static_cast<uint8_t>(0x6A + i % 3)});
  return one_function_module(body.raw({0x21, 0, 0x0B}));
}

// n nested loops, all of which jump back at their end.
Bytes nested_loops(uint64_t n) {
  WasmBytes body;
  body.raw({1, 1, 0x7F}).repeat(n, {0x03, 0x40}).repeat(n, {0x20, 0, 0x0D, 0, 0x0B});
  return one_function_module(body.byte(0x0B));
}

// Branches that carry values past an operand that must go: each needs its moves.
Bytes branches_with_values(uint64_t n) {
  WasmBytes body;
  body.byte(0).raw({0x02, 0x7F, 0x41, 9, 0x41, 1});
  for (uint64_t i = 0; i < n; ++i) body.raw({0x41, 0, 0x0D, 0});
  return one_function_module(body.raw({0x0C, 0, 0x0B, 0x1A, 0x0B}));
}

// The same with kArity values at once: a branch of four bytes may move them all, but not by an
// instruction each.
Bytes branches_of_high_arity(uint64_t n) {
  constexpr uint32_t kArity = 100;
  WasmBytes types;
  types.raw({2, 0x60, 0, 0, 0x60, 0, kArity}).repeat(kArity, {0x7F});
  WasmBytes body;
  body.byte(0).raw({0x02, 1, 0x41, 9}).repeat(kArity, {0x41, 1});
  body.repeat(n, {0x41, 0, 0x0D, 0}).raw({0x0C, 0, 0x0B}).repeat(kArity, {0x1A}).byte(0x0B);
  return WasmModuleBytes()
      .section(kTypeSection, types)
      .section(kFunctionSection, one_function())
      .section(kCodeSection, one_body(body))
      .bytes();
}

Bytes global_initialisers(uint64_t n) {
  WasmBytes section;
  section.unsigned_leb(n);
  for (uint64_t i = 0; i < n; ++i) section.raw({0x7F, 0, 0x41, 1, 0x0B});
  return WasmModuleBytes().section(kGlobalSection, section).bytes();
}

Bytes custom_sections(uint64_t n) {
  WasmModuleBytes module;
  for (uint64_t i = 0; i < n; ++i) module.section(0, WasmBytes().name("x"));
  return module.bytes();
}

constexpr Shape kShapes[] = {
    {"locals", 9, 0, locals},
    {"local groups x local.get", 6, kMaxLocals, local_groups},
    {"br_table x blocks", 6, 0, br_table},
    {"empty loops", 3, 0, empty_loops},
    {"if chain", 7, 0, if_chain},
    {"constants", 3, 0, constants},
    {"calls", 2, 0, calls},
    {"exports", 16, 0, exports},
    {"data segments", 6, kMaxSegments, data_segments},
    {"types", 7, 0, types},
    {"functions", 4, 0, functions},
    {"drops", 1, 0, drops},
    {"pending reads", 7, kMaxOperandHeight, pending_reads},
    {"pending reads at labels", 6, kMaxOperandHeight, pending_reads_at_labels},
    {"pending loads", 13, kMaxOperandHeight, pending_loads},
    {"deep operands", 3, kMaxOperandHeight, deep_operands},
    {"arithmetic chain", 3, 0, arithmetic_chain},
    {"nested loops", 7, 0, nested_loops},
    {"branches with values", 4, 0, branches_with_values},
    {"branches of high arity", 4, 0, branches_of_high_arity},
    {"global initialisers", 5, 0, global_initialisers},
    {"custom sections", 4, 0, custom_sections},
};

// --- Measuring -----------------------------------------------------------------------------------

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Measurement {
  double seconds = 0;  // negative: the module did not load
  uint64_t module_bytes = 0;
  uint64_t code_bytes = 0;
  std::string error;
};

Measurement load_once(const Bytes& bytes) {
  Measurement result;
  result.module_bytes = bytes.size();
  Bytes copy = bytes;  // decode() takes the bytes over; copying is not what is measured
  const double start = cpu_seconds();
  auto module = decode(std::move(copy));
  if (!module) return {-1, 0, 0, describe(module.error())};
  auto validated = validate(std::move(module.value()));
  if (!validated) return {-1, 0, 0, describe(validated.error())};
  auto code = translate(std::move(validated.value()));
  if (!code) return {-1, 0, 0, describe(code.error())};
  result.seconds = cpu_seconds() - start;
  result.code_bytes = code.value()->size_bytes();
  return result;
}

// The smallest time: noise only ever adds.
Measurement measure(const Bytes& bytes) {
  Measurement best = load_once(bytes);
  for (int i = 1; i < kRuns && best.seconds >= 0; ++i) {
    best.seconds = std::min(best.seconds, load_once(bytes).seconds);
  }
  return best;
}

bool check(const Shape& shape, double max_code_factor) {
  uint64_t n = kTargetBytes / shape.bytes_per_unit;
  if (shape.max_n != 0) n = std::min(n, shape.max_n / 2);
  const Bytes small_bytes = shape.make(n);
  const Bytes large_bytes = shape.make(2 * n);
  double ratio = 0;
  Measurement small;
  Measurement large;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    small = measure(small_bytes);
    large = measure(large_bytes);
    if (small.seconds < 0 || large.seconds < 0) {
      std::printf("%-26s does not load: %s\n", shape.name,
                  (small.seconds < 0 ? small : large).error.c_str());
      return false;
    }
    // The ratio per byte, brought back to a doubling: encodings of numbers grow a little.
    const double growth =
        static_cast<double>(large.module_bytes) / static_cast<double>(small.module_bytes);
    ratio = large.seconds / small.seconds * 2 / growth;
    if (ratio <= kMaxRatio) break;
  }
  const bool code_ok = static_cast<double>(large.code_bytes) <=
                       max_code_factor * static_cast<double>(large.module_bytes) + kCodeConstant;
  std::printf("%-26s n %8llu  %7.2f ms -> %7.2f ms  x%.2f  %6.1f MB/s  code %5.2f x  %s\n",
              shape.name, static_cast<unsigned long long>(n), small.seconds * 1e3,
              large.seconds * 1e3, ratio,
              static_cast<double>(large.module_bytes) / large.seconds / 1e6,
              static_cast<double>(large.code_bytes) / static_cast<double>(large.module_bytes),
              ratio > kMaxRatio ? "NOT LINEAR"
              : !code_ok        ? "CODE TOO LARGE"
                                : "ok");
  std::fflush(stdout);
  return ratio <= kMaxRatio && code_ok;
}

}  // namespace
}  // namespace qip

int main() {
  // Freed memory stays with the process, so that from the second run on no time goes into page
  // faults, which depend on sizes in steps.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  size_t failed = 0;
  size_t number = 0;
  for (const qip::Shape& shape : qip::kShapes) {
    const bool classic = number++ < qip::kClassicShapes;
    failed += qip::check(shape, classic ? qip::kMaxCodeFactor : qip::kMaxCodeFactorBeyond) ? 0 : 1;
  }
  std::printf("linear: %zu shapes, %zu fail (time(2n)/time(n) <= %.1f, code <= %.0f x module)\n",
              number, failed, qip::kMaxRatio, qip::kMaxCodeFactor);
  return failed == 0 ? 0 : 1;
}
