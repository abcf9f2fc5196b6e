// Every built component, damaged: cut off after every byte, and with every byte set to values that
// mean something (0x00, 0x7f, 0x80, 0xff). The loader must give a verdict, and what it accepts must
// translate and run within its budget; under a sanitizer this is where memory errors would show.
//
// Assumes: it runs in the root of the checkout, where modules/ holds the built components.
// Bounded: kMaxPositions positions per component, evenly spread over larger ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "spec-tests/wasm_bytes.hpp"
#include "vm/instance.hpp"

namespace qip {
namespace {

constexpr size_t kMaxPositions = 1500;

struct Seed {
  std::string name;
  std::vector<uint8_t> bytes;
};

// A module of every section kind, so that the test does not depend on what components use.
Seed every_section() {
  WasmModuleBytes module;
  module.section(kTypeSection, WasmBytes().raw({2, 0x60, 0, 0, 0x60, 2, 0x7F, 0x7E, 1, 0x7F}))
      .section(kFunctionSection, WasmBytes().raw({2, 0, 1}))
      .section(kTableSection, WasmBytes().raw({1, 0x70, 1, 2, 4}))
      .section(kMemorySection, WasmBytes().raw({1, 1, 1, 2}))
      .section(kGlobalSection, WasmBytes().raw({1, 0x7F, 1, 0x41, 42, 0x0B}))
      .section(kExportSection, WasmBytes().byte(2).name("f").raw({0, 0}).name("g").raw({0, 1}))
      .section(kStartSection, WasmBytes().byte(0))
      .section(kElementSection, WasmBytes().raw({1, 0, 0x41, 0, 0x0B, 2, 0, 1}))
      .section(kDataCountSection, WasmBytes().byte(1))
      .section(kCodeSection,
               WasmBytes()
                   .byte(2)
                   .sized(WasmBytes().raw({1,    2, 0x7F, 0x41, 3, 0x21, 0, 0x03, 0x40, 0x20, 0,
                                           0x41, 1, 0x6B, 0x22, 0, 0x0D, 0, 0x0B, 0x0B}))
                   .sized(WasmBytes().raw({0, 0x20, 0, 0x20, 1, 0xA7, 0x6A, 0x28, 2, 0, 0x20, 1,
                                           0x41, 0, 0x11, 1, 0, 0x0B})))
      .section(kDataSection, WasmBytes().raw({1, 0, 0x41, 0, 0x0B, 4, 1, 2, 3, 4}));
  return {"every section", module.bytes()};
}

std::vector<Seed> seeds() {
  std::vector<Seed> list = {every_section()};
  for (const auto& entry : std::filesystem::recursive_directory_iterator("modules")) {
    if (entry.path().extension() != ".wasm") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    list.push_back({entry.path().string(),
                    {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()}});
  }
  return list;
}

// Instantiates without imports and calls every exported function with zeros. Traps are fine.
void run_everything(const std::shared_ptr<const Code>& code) {
  if (!code->module().imports.empty()) return;
  BudgetLimits limits;
  limits.stack_bytes = uint64_t{64} << 10;
  limits.memory_pages = 300;
  limits.table_elements = 10'000;
  Budget budget(limits);
  Store store;
  budget.start_deadline(std::chrono::milliseconds(2));
  const auto instance = instantiate(store, code, {}, budget);
  if (!instance) return;
  for (const Export& item : code->module().exports) {
    FunctionInstance* function = instance.value()->exported_function(item.name);
    if (function == nullptr) continue;
    const std::vector<Value> arguments(function->type->parameters.size());
    std::vector<Value> results(function->type->results.size());
    (void)invoke(budget, *function, arguments, results);
  }
}

// True if the bytes are a module that translates. `run` also executes it.
bool verdict(std::vector<uint8_t> bytes, bool run) {
  Result<Module, LoadError> module = decode(std::move(bytes));
  if (!module) {
    EXPECT_FALSE(module.error().message.empty());
    return false;
  }
  Result<ValidatedModule, LoadError> validated = validate(std::move(module.value()));
  if (!validated) {
    EXPECT_FALSE(validated.error().message.empty());
    return false;
  }
  auto code = translate(std::move(validated.value()));
  if (!code) return false;
  if (run) run_everything(code.value());
  return true;
}

size_t step_for(size_t size) {
  return std::max<size_t>(1, size / kMaxPositions);
}

TEST(Mutation, seeds_are_accepted) {
  for (const Seed& seed : seeds()) EXPECT_TRUE(verdict(seed.bytes, false)) << seed.name;
}

// A prefix may be a module only where a section ends before anything that later ones must supply.
TEST(Mutation, truncations_get_a_verdict) {
  for (const Seed& seed : seeds()) {
    for (size_t size = 0; size < seed.bytes.size(); size += step_for(seed.bytes.size())) {
      const auto end = seed.bytes.begin() + static_cast<std::ptrdiff_t>(size);
      const bool accepted = verdict({seed.bytes.begin(), end}, false);
      if (size < 8) {
        EXPECT_FALSE(accepted) << seed.name << " cut to " << size;
      }
    }
  }
}

TEST(Mutation, changed_bytes_get_a_verdict_and_what_is_accepted_runs) {
  size_t accepted = 0;
  size_t tried = 0;
  for (const Seed& seed : seeds()) {
    for (size_t at = 0; at < seed.bytes.size(); at += step_for(seed.bytes.size())) {
      for (const uint8_t value : {0x00, 0x7F, 0x80, 0xFF}) {
        std::vector<uint8_t> bytes = seed.bytes;
        bytes[at] = value;
        // Running costs up to its deadline, so one position in eight is run.
        accepted += verdict(std::move(bytes), at / step_for(seed.bytes.size()) % 8 == 0);
        ++tried;
      }
    }
  }
  EXPECT_GT(accepted, 0u) << "data and names may change";
  EXPECT_LT(accepted, tried);
}

TEST(Mutation, swapped_and_repeated_sections_get_a_verdict) {
  const std::vector<uint8_t> bytes = every_section().bytes;
  std::vector<std::pair<size_t, size_t>> sections;  // [begin, end); every size is one byte here
  for (size_t at = 8; at < bytes.size(); at += 2 + bytes[at + 1]) {
    sections.emplace_back(at, at + 2 + bytes[at + 1]);
  }
  ASSERT_EQ(sections.back().second, bytes.size());
  const auto append = [&bytes](std::vector<uint8_t>& out, const std::pair<size_t, size_t>& range) {
    out.insert(out.end(), bytes.begin() + static_cast<std::ptrdiff_t>(range.first),
               bytes.begin() + static_cast<std::ptrdiff_t>(range.second));
  };
  for (size_t i = 0; i < sections.size(); ++i) {
    for (size_t j = 0; j < sections.size(); ++j) {
      // Section j is written in the place of i: out of order, or missing and repeated.
      std::vector<uint8_t> out(bytes.begin(), bytes.begin() + 8);
      for (size_t k = 0; k < sections.size(); ++k) append(out, sections[k == i ? j : k]);
      EXPECT_EQ(verdict(out, false), i == j) << i << " becomes " << j;
    }
  }
}

}  // namespace
}  // namespace qip
