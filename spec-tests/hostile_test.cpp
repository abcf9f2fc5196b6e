// Hostile modules through the built command: bombs of a few dozen bytes, files that are no modules,
// and guests that never end. Each must end by itself, with a clear message, in little memory.
//
// Assumes: the command is at $QIP, else build/qip. Time limits are hang bounds, not measurements:
// a run that is cut off by them is the failure.
#include <sys/resource.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "spec-tests/process.hpp"
#include "spec-tests/wasm_bytes.hpp"

namespace qip {
namespace {

constexpr int kHangBoundMs = 20'000;

bool is_sanitized() {
#if defined(__SANITIZE_ADDRESS__)
  return true;
#elif defined(__has_feature)
  return __has_feature(address_sanitizer);
#else
  return false;
#endif
}

class Hostile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / "hostile_XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name) const { return folder_ + "/" + name; }

  std::string write(const std::vector<uint8_t>& bytes) const {
    const std::string path = file("bomb.wasm");
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    return path;
  }

  static ProcessResult qip(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), qip_path());
    return run_process(arguments, {}, kHangBoundMs);
  }
  ProcessResult call(const std::vector<uint8_t>& bytes, const std::string& export_name,
                     const std::string& timeout_ms = "1000") const {
    return qip({"call", "--timeout-ms", timeout_ms, write(bytes), export_name});
  }

  static void expect_small(const ProcessResult& result) {
    EXPECT_FALSE(result.timed_out);
    EXPECT_EQ(result.signal, 0) << result.error;
    if (!is_sanitized()) {
      // A child starts with the peak of its parent.
      rusage own{};
      getrusage(RUSAGE_SELF, &own);
      EXPECT_LT(result.peak_kilobytes, std::max(64L * 1024, own.ru_maxrss + 1)) << result.error;
    }
  }
  static void expect_refused(const ProcessResult& result, const std::string& part_of_message) {
    expect_small(result);
    EXPECT_EQ(result.exit_code, 1) << result.error;
    EXPECT_EQ(result.output, "");
    EXPECT_NE(result.error.find(part_of_message), std::string::npos) << result.error;
    EXPECT_LT(result.error.size(), 2000u) << "one clear message, not a flood";
  }

 private:
  std::string folder_;
};

// The module (func (export "f") body).
std::vector<uint8_t> function_module(const WasmBytes& body, bool returns_i32 = false) {
  return WasmModuleBytes()
      .section(kTypeSection, one_type(returns_i32))
      .section(kFunctionSection, one_function())
      .section(kExportSection, one_function_export("f"))
      .section(kCodeSection, one_body(body))
      .bytes();
}

// --- Declared sizes ------------------------------------------------------------------------------

TEST_F(Hostile, locals_of_two_to_the_32_are_refused) {
  const auto bytes =
      function_module(WasmBytes().raw({1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x7F, 0x0B}));
  EXPECT_LE(bytes.size(), 45u);
  expect_refused(call(bytes, "f"), "locals");
}

TEST_F(Hostile, local_groups_that_add_up_to_more_than_the_limit_are_refused) {
  WasmBytes body;
  body.byte(4);
  for (int i = 0; i < 4; ++i) body.raw({0xFF, 0xFF, 0xFF, 0xFF, 0x03, 0x7B});
  expect_refused(call(function_module(body.byte(0x0B)), "f"), "locals");
}

TEST_F(Hostile, counts_beyond_the_section_are_refused) {
  for (uint8_t id = 1; id <= 11; ++id) {
    if (id == kStartSection) continue;
    for (const uint64_t count : {uint64_t{0xFFFF'FFFF}, uint64_t{1'000'000}, uint64_t{2}}) {
      const auto bytes = WasmModuleBytes().section(id, WasmBytes().unsigned_leb(count)).bytes();
      SCOPED_TRACE("section " + std::to_string(id) + ", count " + std::to_string(count));
      expect_refused(call(bytes, "f"), "malformed");
    }
  }
}

TEST_F(Hostile, names_and_bodies_longer_than_the_file_are_refused) {
  expect_refused(call(WasmModuleBytes()
                          .section(0, WasmBytes().raw({0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 'x'}))
                          .bytes(),
                      "f"),
                 "malformed");
  expect_refused(call(WasmModuleBytes()
                          .section(kTypeSection, one_type(false))
                          .section(kFunctionSection, one_function())
                          .section(kCodeSection, WasmBytes().raw({1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}))
                          .bytes(),
                      "f"),
                 "malformed");
}

TEST_F(Hostile, sections_longer_than_the_file_are_refused) {
  std::vector<uint8_t> bytes = WasmModuleBytes().bytes();
  for (const int value : {0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}) {
    bytes.push_back(static_cast<uint8_t>(value));
  }
  expect_refused(call(bytes, "f"), "malformed");
}

TEST_F(Hostile, a_memory_of_four_gibibytes_costs_only_what_is_touched) {
  // (memory 65536) (func (export "f") (result i32) memory.size)
  const auto bytes = WasmModuleBytes()
                         .section(kTypeSection, one_type(true))
                         .section(kFunctionSection, one_function())
                         .section(kMemorySection, WasmBytes().raw({1, 0}).unsigned_leb(65'536))
                         .section(kExportSection, one_function_export("f"))
                         .section(kCodeSection, one_body(WasmBytes().raw({0, 0x3F, 0, 0x0B})))
                         .bytes();
  const ProcessResult result = call(bytes, "f");
  expect_small(result);
  if (result.exit_code == 0) {
    EXPECT_EQ(result.output, "65536\n");
  } else {
    EXPECT_NE(result.error.find("memory"), std::string::npos) << result.error;
  }
}

TEST_F(Hostile, a_table_of_four_billion_elements_is_refused) {
  const auto bytes =
      WasmModuleBytes()
          .section(kTypeSection, one_type(false))
          .section(kFunctionSection, one_function())
          .section(kTableSection, WasmBytes().raw({1, 0x70, 0}).unsigned_leb(0xFFFF'FFFF))
          .section(kExportSection, one_function_export("f"))
          .section(kCodeSection, one_body(WasmBytes().raw({0, 0x0B})))
          .bytes();
  expect_refused(call(bytes, "f"), "table");
}

TEST_F(Hostile, a_table_is_refused_when_it_grows_beyond_its_limit) {
  // (table 0 funcref) (func (export "f") (result i32) ref.null func i32.const -1 table.grow 0)
  const auto bytes =
      WasmModuleBytes()
          .section(kTypeSection, one_type(true))
          .section(kFunctionSection, one_function())
          .section(kTableSection, WasmBytes().raw({1, 0x70, 0, 0}))
          .section(kExportSection, one_function_export("f"))
          .section(kCodeSection,
                   one_body(WasmBytes().raw({0, 0xD0, 0x70, 0x41, 0x7F, 0xFC, 15, 0, 0x0B})))
          .bytes();
  const ProcessResult result = call(bytes, "f");
  expect_small(result);
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_NE(result.output.find("-1"), std::string::npos) << result.output;
}

// --- Running out ---------------------------------------------------------------------------------

TEST_F(Hostile, unbounded_recursion_ends) {
  expect_refused(call(function_module(WasmBytes().raw({0, 0x10, 0, 0x0B})), "f"), "stack overflow");
}

TEST_F(Hostile, recursion_with_the_largest_frames_ends) {
  expect_refused(call(function_module(
                          WasmBytes().byte(1).unsigned_leb(50'000).byte(0x7B).raw({0x10, 0, 0x0B})),
                      "f"),
                 "stack overflow");
}

TEST_F(Hostile, recursion_ends_on_a_small_machine_stack) {
  const std::string path = write(function_module(WasmBytes().raw({0, 0x10, 0, 0x0B})));
  const ProcessResult result =
      run_process({"/bin/sh", "-c", "ulimit -s 256; exec \"$0\" call \"$1\" f", qip_path(), path},
                  {}, kHangBoundMs);
  expect_refused(result, "stack overflow");
}

TEST_F(Hostile, an_endless_loop_ends_at_its_deadline) {
  // loop br 0 end
  const auto bytes = function_module(WasmBytes().raw({0, 0x03, 0x40, 0x0C, 0, 0x0B, 0x0B}));
  const ProcessResult result = call(bytes, "f", "100");
  expect_refused(result, "exceeded the execution time limit (100ms)");
}

TEST_F(Hostile, an_endless_loop_of_branches_by_table_ends_at_its_deadline) {
  // loop i32.const 7 br_table 0 0 end
  const auto bytes =
      function_module(WasmBytes().raw({0, 0x03, 0x40, 0x41, 7, 0x0E, 1, 0, 0, 0x0B, 0x0B}));
  expect_refused(call(bytes, "f", "100"), "exceeded the execution time limit (100ms)");
}

TEST_F(Hostile, endless_calls_end_at_their_deadline) {
  // A loop whose body is only a call of a function that returns at once.
  const auto bytes =
      WasmModuleBytes()
          .section(kTypeSection, one_type(false))
          .section(kFunctionSection, WasmBytes().raw({2, 0, 0}))
          .section(kExportSection, one_function_export("f"))
          .section(kCodeSection,
                   WasmBytes()
                       .byte(2)
                       .sized(WasmBytes().raw({0, 0x03, 0x40, 0x10, 1, 0x0C, 0, 0x0B, 0x0B}))
                       .sized(WasmBytes().raw({0, 0x0B})))
          .bytes();
  expect_refused(call(bytes, "f", "100"), "exceeded the execution time limit (100ms)");
}

TEST_F(Hostile, exponential_recursion_ends_at_its_deadline) {
  // (func $f (param i32) (if (local.get 0) (then (call $f (local.get 0 - 1)) twice))) from 200
  const auto bytes =
      WasmModuleBytes()
          .section(kTypeSection, WasmBytes().raw({2, 0x60, 0, 0, 0x60, 1, 0x7F, 0}))
          .section(kFunctionSection, WasmBytes().raw({2, 0, 1}))
          .section(kExportSection, one_function_export("f"))
          .section(kCodeSection,
                   WasmBytes()
                       .byte(2)
                       .sized(WasmBytes().raw({0, 0x41, 0xC8, 0x01, 0x10, 1, 0x0B}))
                       .sized(WasmBytes().raw({0,    0x20, 0,    0x04, 0x40, 0x20, 0,
                                               0x41, 0x01, 0x6B, 0x10, 1,    0x20, 0,
                                               0x41, 0x01, 0x6B, 0x10, 1,    0x0B, 0x0B})))
          .bytes();
  expect_refused(call(bytes, "f", "100"), "exceeded the execution time limit (100ms)");
}

TEST_F(Hostile, an_endless_start_function_ends_at_its_deadline) {
  const auto bytes =
      WasmModuleBytes()
          .section(kTypeSection, one_type(false))
          .section(kFunctionSection, one_function())
          .section(kExportSection, one_function_export("f"))
          .section(kStartSection, WasmBytes().byte(0))
          .section(kCodeSection, one_body(WasmBytes().raw({0, 0x03, 0x40, 0x0C, 0, 0x0B, 0x0B})))
          .bytes();
  const ProcessResult called = call(bytes, "f", "100");
  expect_refused(called, "exceeded the execution time limit (100ms)");
}

TEST_F(Hostile, an_endless_start_function_of_a_component_ends_at_its_deadline) {
  // (memory (export "memory") 1) (func $f loop br 0 end) (start $f)
  // (func (export "render") (param i32) (result i32) local.get 0)
  const auto bytes =
      WasmModuleBytes()
          .section(kTypeSection, WasmBytes().raw({2, 0x60, 0, 0, 0x60, 1, 0x7F, 1, 0x7F}))
          .section(kFunctionSection, WasmBytes().raw({2, 0, 1}))
          .section(kMemorySection, WasmBytes().raw({1, 0, 1}))
          .section(kExportSection,
                   WasmBytes().byte(2).name("memory").raw({2, 0}).name("render").raw({0, 1}))
          .section(kStartSection, WasmBytes().byte(0))
          .section(kCodeSection, WasmBytes()
                                     .byte(2)
                                     .sized(WasmBytes().raw({0, 0x03, 0x40, 0x0C, 0, 0x0B, 0x0B}))
                                     .sized(WasmBytes().raw({0, 0x20, 0, 0x0B})))
          .bytes();
  expect_refused(qip({"run", "--timeout-ms", "100", write(bytes)}),
                 "exceeded the execution time limit (100ms)");
}

TEST_F(Hostile, an_endless_value_export_ends_at_its_deadline) {
  // input_utf8_cap never returns.
  const auto bytes =
      WasmModuleBytes()
          .section(kTypeSection, WasmBytes().raw({2, 0x60, 0, 1, 0x7F, 0x60, 1, 0x7F, 1, 0x7F}))
          .section(kFunctionSection, WasmBytes().raw({3, 0, 0, 1}))
          .section(kMemorySection, WasmBytes().raw({1, 0, 1}))
          .section(kExportSection, WasmBytes()
                                       .byte(4)
                                       .name("memory")
                                       .raw({2, 0})
                                       .name("input_utf8_cap")
                                       .raw({0, 0})
                                       .name("input_ptr")
                                       .raw({0, 1})
                                       .name("render")
                                       .raw({0, 2}))
          .section(kCodeSection, WasmBytes()
                                     .byte(3)
                                     .sized(WasmBytes().raw({0, 0x03, 0x7F, 0x0C, 0, 0x0B, 0x0B}))
                                     .sized(WasmBytes().raw({0, 0x41, 0, 0x0B}))
                                     .sized(WasmBytes().raw({0, 0x20, 0, 0x0B})))
          .bytes();
  expect_refused(qip({"run", "--timeout-ms", "100", write(bytes)}),
                 "exceeded the execution time limit (100ms)");
}

TEST_F(Hostile, growing_to_four_gibibytes_page_by_page_ends) {
  // (memory 0) (func (export "f") (result i32)
  //   loop i32.const 1 memory.grow i32.const -1 i32.ne br_if 0 end memory.size)
  const auto bytes =
      WasmModuleBytes()
          .section(kTypeSection, one_type(true))
          .section(kFunctionSection, one_function())
          .section(kMemorySection, WasmBytes().raw({1, 0, 0}))
          .section(kExportSection, one_function_export("f"))
          .section(kCodeSection,
                   one_body(WasmBytes().raw({0, 0x03, 0x40, 0x41, 1, 0x40, 0, 0x41, 0x7F, 0x47,
                                             0x0D, 0, 0x0B, 0x3F, 0, 0x0B})))
          .bytes();
  const ProcessResult result = call(bytes, "f", "10000");
  expect_small(result);
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(result.output, "65536\n");
}

TEST_F(Hostile, bulk_instructions_end_at_the_deadline) {
  // Fills 1 MiB again and again: (loop (memory.fill (0) (1) (1 MiB)) (br 0))
  const auto bytes =
      WasmModuleBytes()
          .section(kTypeSection, one_type(false))
          .section(kFunctionSection, one_function())
          .section(kMemorySection, WasmBytes().raw({1, 0, 16}))
          .section(kExportSection, one_function_export("f"))
          .section(kCodeSection, one_body(WasmBytes()
                                              .raw({0, 0x03, 0x40, 0x41, 0, 0x41, 1, 0x41})
                                              .signed_leb(1 << 20)
                                              .raw({0xFC, 11, 0, 0x0C, 0, 0x0B, 0x0B})))
          .bytes();
  expect_refused(call(bytes, "f", "100"), "exceeded the execution time limit (100ms)");
}

// --- Large but honest ----------------------------------------------------------------------------

TEST_F(Hostile, a_million_nested_blocks_load) {
  WasmBytes body;
  body.byte(0).repeat(1'000'000, {0x02, 0x40}).repeat(1'000'001, {0x0B});
  const ProcessResult result = call(function_module(body), "f", "10000");
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(result.signal, 0);
  EXPECT_EQ(result.exit_code, 0) << result.error;
}

TEST_F(Hostile, a_million_nested_ifs_and_loops_load) {
  WasmBytes body;
  body.byte(0).repeat(500'000, {0x03, 0x40, 0x41, 1, 0x04, 0x40}).repeat(1'000'001, {0x0B});
  const ProcessResult result = call(function_module(body), "f", "10000");
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(result.signal, 0);
  EXPECT_EQ(result.exit_code, 0) << result.error;
}

TEST_F(Hostile, a_hundred_thousand_custom_sections_load) {
  WasmModuleBytes module;
  module.section(kTypeSection, one_type(false))
      .section(kFunctionSection, one_function())
      .section(kExportSection, one_function_export("f"))
      .section(kCodeSection, one_body(WasmBytes().raw({0, 0x0B})));
  for (int i = 0; i < 100'000; ++i) module.section(0, WasmBytes().name("x"));
  const ProcessResult result = call(module.bytes(), "f", "10000");
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(result.exit_code, 0) << result.error;
}

// --- Files that are no modules -------------------------------------------------------------------

TEST_F(Hostile, short_and_wrong_files_are_refused) {
  for (const std::vector<uint8_t>& bytes : {std::vector<uint8_t>{},
                                            {0},
                                            {0, 'a', 's', 'm'},
                                            {0, 'a', 's', 'm', 1, 0, 0},
                                            {0, 'a', 's', 'm', 2, 0, 0, 0},
                                            {0, 'a', 's', 'M', 1, 0, 0, 0},
                                            {'#', '!', '/', 'b', 'i', 'n', '/', 's', 'h', '\n'}}) {
    expect_refused(qip({"run", write(bytes)}), "could not be compiled");
  }
}

TEST_F(Hostile, a_missing_file_and_a_directory_are_refused) {
  expect_refused(qip({"run", file("absent.wasm")}), "absent.wasm");
  expect_refused(qip({"run", file("")}), "directory");
}

TEST_F(Hostile, a_gibibyte_of_zeros_is_refused_in_little_memory) {
  const std::string path = file("zeros.wasm");
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(descriptor, 0);
  ASSERT_EQ(ftruncate(descriptor, off_t{1} << 30), 0);  // a hole: no disk is used
  close(descriptor);
  expect_refused(qip({"run", path}), "zeros.wasm");
}

TEST_F(Hostile, an_endless_device_is_refused_in_little_memory) {
  expect_refused(qip({"run", "/dev/zero"}), "/dev/zero");
}

TEST_F(Hostile, a_pipe_without_a_writer_is_refused) {
  const std::string path = file("pipe.wasm");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  expect_refused(qip({"run", path}), "pipe.wasm");
}

// --- Messages ------------------------------------------------------------------------------------

TEST_F(Hostile, control_characters_of_a_module_never_reach_the_terminal) {
  // (import "\1b[2J" "\07\9b" (func)): an escape sequence and a C1 character (UTF-8 c2 9b).
  const auto bytes = WasmModuleBytes()
                         .section(kTypeSection, one_type(false))
                         .section(2, WasmBytes()
                                         .byte(1)
                                         .name("\x1b[2J")
                                         .name("\x07\xc2\x9b"
                                               "1m")
                                         .raw({0, 0}))
                         .bytes();
  for (const char* command : {"run", "inspect"}) {
    const ProcessResult result = qip({command, write(bytes)});
    expect_small(result);
    for (const std::string& text : {result.output, result.error}) {
      EXPECT_EQ(text.find('\x1b'), std::string::npos) << command;
      EXPECT_EQ(text.find('\x07'), std::string::npos) << command;
      EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos) << command;
    }
  }
}

}  // namespace
}  // namespace qip
