// What --max-memory, --fixed-memory and --strict refuse and let pass, and in which words.
#include "host/policy.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "host/files.hpp"
#include "loader/test_modules.hpp"

namespace qip {
namespace {

constexpr uint64_t kPage = 65'536;
constexpr const char* kRejected = "Wasm module \"a.wasm\" rejected by policy: ";

Component component_of(const Bytes& bytes) {
  Result<Component, HostError> component = load_component("a.wasm", bytes);
  EXPECT_TRUE(component.ok()) << component.error().message;
  return std::move(component.value());
}

Policy max_memory(uint64_t bytes) {
  Policy policy;
  policy.max_memory_bytes = bytes;
  return policy;
}
Policy fixed_memory() {
  Policy policy;
  policy.fixed_memory = true;
  return policy;
}
Policy strict() {
  Policy policy;
  policy.strict = true;
  return policy;
}

// The reasons of a refusal; empty: accepted.
std::string reasons(const Bytes& bytes, const Policy& policy) {
  const MaybeError error = check_policy(component_of(bytes), policy);
  if (!error) return "";
  EXPECT_EQ(error->error_class, HostErrorClass::Policy);
  EXPECT_TRUE(begins(error->message, kRejected));
  return error->message.substr(std::string(kRejected).size());
}
std::string reasons(const TestModule& module, const Policy& policy) {
  return reasons(module.bytes(), policy);
}

// --- Modules -------------------------------------------------------------------------------------

Bytes call_of(uint32_t index) {
  return Bytes{0x10} + leb(index);
}
Bytes call_type(uint32_t type) {
  return Bytes{0x41, 0x00, 0x11} + leb(type) + Bytes{0x00};
}
const Bytes kGrow = {0x41, 0x00, 0x40, 0x00, 0x1A};  // i32.const 0, memory.grow, drop

TestModule memory_module(uint32_t minimum, std::optional<uint32_t> maximum) {
  TestModule module;
  module.memories = {maximum ? Bytes{0x01} + leb(minimum) + leb(*maximum)
                             : Bytes{0x00} + leb(minimum)};
  return module;
}

// Functions () -> () with these bodies, a table, and a memory that every policy likes.
TestModule functions_module(const std::vector<Bytes>& bodies) {
  TestModule module = memory_module(1, 1);
  module.types = {function_type("", "")};
  module.tables = {{0x70, 0x00, 0x0A}};
  for (const Bytes& body : bodies) {
    module.functions.push_back({0x00});
    module.bodies.push_back(function_body(body));
  }
  return module;
}

// An active segment of table 0.
Bytes active_elements(const std::vector<uint32_t>& functions) {
  std::vector<Bytes> items;
  for (const uint32_t index : functions) items.push_back(leb(index));
  return Bytes{0x00, 0x41, 0x00, 0x0B} + list_of(items);
}
Bytes export_of(const std::string& name, uint32_t function) {
  return name_bytes(name) + Bytes{0x00} + leb(function);
}
Bytes import_of(const std::string& name, const Bytes& description) {
  return name_bytes("env") + name_bytes(name) + description;
}
// The section that names functions 0, 1, ...
Bytes names_of(const std::vector<std::string>& names) {
  std::vector<Bytes> items;
  for (size_t i = 0; i < names.size(); i++) items.push_back(leb(i) + name_bytes(names[i]));
  return custom_section("name", Bytes{0x01} + sized(list_of(items)));
}

// `count` functions; body_of(i) is the code of function i without its final `end`.
template <class BodyOf>
Bytes large_module(uint32_t count, const BodyOf& body_of, const std::vector<Bytes>& elements = {}) {
  Bytes functions = leb(count);
  functions.resize(functions.size() + count, 0x00);
  Bytes code = leb(count);
  for (uint32_t i = 0; i < count; i++) {
    const Bytes body = function_body(body_of(i));
    code.insert(code.end(), body.begin(), body.end());
  }
  return kPreamble + section(SectionId::Type, list_of({function_type("", "")})) +
         section(SectionId::Function, functions) +
         section(SectionId::Table, list_of({{0x70, 0x00, 0x0A}})) +
         section(SectionId::Element, list_of(elements)) + section(SectionId::Code, code);
}

// --- No policy -----------------------------------------------------------------------------------

TEST(Policy, WithoutFlagsEverythingPasses) {
  TestModule module = functions_module({call_of(0) + kGrow});
  module.memories = {{0x00, 0x01}};
  EXPECT_EQ(reasons(module, Policy{}), "");
}

TEST(Policy, LoadingChecksThePolicyOfTheLimits) {
  RunLimits limits;
  limits.policy = max_memory(kPage);
  const Result<Component, HostError> component =
      load_component("a.wasm", memory_module(2, 2).bytes(), limits);
  ASSERT_FALSE(component.ok());
  EXPECT_EQ(component.error().error_class, HostErrorClass::Policy);
}

// --- Memory --------------------------------------------------------------------------------------

TEST(MaxMemory, TheLimitItselfPasses) {
  EXPECT_EQ(reasons(memory_module(3, 3), max_memory(3 * kPage)), "");
}

TEST(MaxMemory, OneByteLessIsTooLittle) {
  EXPECT_EQ(reasons(memory_module(3, 3), max_memory(3 * kPage - 1)),
            "memory[0] initial size 3 pages exceeds --max-memory 196607 bytes; "
            "memory[0] maximum 3 pages exceeds --max-memory 196607 bytes");
}

TEST(MaxMemory, OnePageMoreThanTheLimitIsTooMuch) {
  EXPECT_EQ(reasons(memory_module(1, 4), max_memory(3 * kPage)),
            "memory[0] maximum 4 pages exceeds --max-memory 196608 bytes");
}

TEST(MaxMemory, AMissingMaximumIsRefused) {
  EXPECT_EQ(reasons(memory_module(1, std::nullopt), max_memory(3 * kPage)),
            "memory[0] has no declared maximum");
  EXPECT_EQ(reasons(memory_module(4, std::nullopt), max_memory(3 * kPage)),
            "memory[0] initial size 4 pages exceeds --max-memory 196608 bytes; "
            "memory[0] has no declared maximum");
}

TEST(MaxMemory, TheWholeAddressSpaceDoesNotWrap) {
  const TestModule module = memory_module(65'536, 65'536);
  EXPECT_EQ(reasons(module, max_memory(uint64_t{1} << 32)), "");
  EXPECT_EQ(reasons(module, max_memory((uint64_t{1} << 32) - 1)),
            "memory[0] initial size 65536 pages exceeds --max-memory 4294967295 bytes; "
            "memory[0] maximum 65536 pages exceeds --max-memory 4294967295 bytes");
  EXPECT_EQ(reasons(module, max_memory(~uint64_t{0})), "");
}

TEST(MaxMemory, ZeroBytesAllowAnEmptyMemoryOnly) {
  EXPECT_EQ(reasons(memory_module(0, 0), max_memory(0)), "");
  EXPECT_EQ(reasons(memory_module(0, 1), max_memory(0)),
            "memory[0] maximum 1 pages exceeds --max-memory 0 bytes");
}

TEST(MaxMemory, ImportedMemoriesCount) {
  TestModule module;
  module.imports = {import_of("memory", {0x02, 0x00, 0x02})};
  EXPECT_EQ(reasons(module, max_memory(kPage)),
            "memory[0] initial size 2 pages exceeds --max-memory 65536 bytes; "
            "memory[0] has no declared maximum");
}

TEST(MaxMemory, AModuleWithoutMemoryPasses) {
  EXPECT_EQ(reasons(TestModule(), max_memory(0)), "");
}

TEST(MaxMemory, SaysNothingAboutGrowthOrRecursion) {
  EXPECT_EQ(reasons(functions_module({call_of(0) + kGrow}), max_memory(kPage)), "");
}

TEST(FixedMemory, CountsEveryMemoryGrow) {
  EXPECT_EQ(reasons(functions_module({kGrow}), fixed_memory()),
            "violates fixed-memory policy: contains memory.grow (1)");
  EXPECT_EQ(reasons(functions_module({kGrow + kGrow, {}, kGrow}), fixed_memory()),
            "violates fixed-memory policy: contains memory.grow (3)");
}

TEST(FixedMemory, AllowsEverythingElse) {
  TestModule module = functions_module({call_of(0) + Bytes{0x3F, 0x00, 0x1A}});  // memory.size
  module.memories = {{0x00, 0x01}};
  module.imports = {import_of("base", {0x03, 0x7F, 0x00})};
  EXPECT_EQ(reasons(module, fixed_memory()), "");
}

// --- Strict --------------------------------------------------------------------------------------

TEST(Strict, AllowsAPlainComponent) {
  TestModule module = functions_module({call_of(1) + call_of(2), call_of(2), {}});
  module.start = 0;
  EXPECT_EQ(reasons(module, strict()), "");
}

TEST(Strict, NeedsAMaximum) {
  EXPECT_EQ(reasons(memory_module(1, std::nullopt), strict()), "memory[0] has no declared maximum");
  EXPECT_EQ(reasons(memory_module(1, 65'536), strict()), "");
  EXPECT_EQ(reasons(TestModule(), strict()), "");
}

TEST(Strict, AllowsNoImport) {
  TestModule module = functions_module({{}});
  module.imports = {import_of("base", {0x03, 0x7F, 0x00})};
  EXPECT_EQ(reasons(module, strict()), "imports env.base (global)");
  module.imports.push_back(import_of("print", {0x00, 0x00}));
  EXPECT_EQ(reasons(module, strict()), "imports env.base (global) and 1 more");
}

TEST(Strict, NamesOfImportsAreEscaped) {
  TestModule module;
  module.imports = {import_of("a\x1b[2J\nb", {0x03, 0x7F, 0x00})};
  const std::string text = reasons(module, strict());
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

TEST(Strict, AllowsNoGrowth) {
  EXPECT_EQ(reasons(functions_module({kGrow}), strict()),
            "violates fixed-memory policy: contains memory.grow (1)");
}

TEST(Policy, AllReasonsComeTogetherEachOnce) {
  TestModule module = functions_module({call_of(1) + kGrow});
  module.memories = {{0x00, 0x02}};
  module.imports = {import_of("print", {0x00, 0x00})};
  EXPECT_EQ(
      reasons(module, Policy{.max_memory_bytes = kPage, .fixed_memory = true, .strict = true}),
      "memory[0] initial size 2 pages exceeds --max-memory 65536 bytes; "
      "memory[0] has no declared maximum; imports env.print (function); "
      "violates fixed-memory policy: contains memory.grow (1); "
      "contains recursion: function 1 calls itself");
}

// --- Recursion by direct calls -------------------------------------------------------------------

TEST(Recursion, AFunctionThatCallsItself) {
  EXPECT_EQ(reasons(functions_module({{}, call_of(1)}), strict()),
            "contains recursion: function 1 calls itself");
}

TEST(Recursion, NamesComeFromTheNameSectionOrTheExports) {
  TestModule module = functions_module({call_of(1), call_of(0)});
  module.exports = {export_of("one", 0), export_of("two", 1)};
  EXPECT_EQ(reasons(module, strict()),
            "contains recursion: function 0 \"one\" -> function 1 \"two\" -> function 0 \"one\"");
  EXPECT_EQ(reasons(module.bytes() + names_of({"even", "odd"}), strict()),
            "contains recursion: function 0 \"even\" -> function 1 \"odd\" -> function 0 \"even\"");
}

TEST(Recursion, NamesAreEscaped) {
  TestModule module = functions_module({call_of(0)});
  module.exports = {export_of("a\n\"; b", 0)};
  EXPECT_EQ(reasons(module, strict()),
            "contains recursion: function 0 \"a\\0a\\22; b\" calls itself");
}

TEST(Recursion, IndicesCountImportedFunctions) {
  TestModule module = functions_module({call_of(1)});
  module.imports = {import_of("print", {0x00, 0x00})};
  EXPECT_EQ(reasons(module, strict()),
            "imports env.print (function); contains recursion: function 1 calls itself");
}

TEST(Recursion, TheWayToTheCycleIsLeftOut) {
  EXPECT_EQ(reasons(functions_module({call_of(1), call_of(2), call_of(3), call_of(2)}), strict()),
            "contains recursion: function 2 -> function 3 -> function 2");
}

TEST(Recursion, CodeThatNothingReachesCounts) {
  TestModule module = functions_module({{}, Bytes{0x00} + call_of(1)});
  module.exports = {export_of("run", 0)};
  EXPECT_EQ(reasons(module, strict()), "contains recursion: function 1 calls itself");
}

TEST(Recursion, TheStartFunctionMayRecurseToo) {
  TestModule module = functions_module({{}, call_of(1)});
  module.start = 1;
  EXPECT_EQ(reasons(module, strict()), "contains recursion: function 1 calls itself");
}

TEST(Recursion, ManyWaysToOneFunctionAreNoCycle) {
  EXPECT_EQ(reasons(functions_module({call_of(1) + call_of(2),
                                      call_of(3),
                                      call_of(3) + call_of(1),
                                      call_of(4) + call_of(4),
                                      {}}),
                    strict()),
            "");
}

TEST(Recursion, ACycleBehindAFinishedPartIsFound) {
  // 0 -> 1; 2 -> 1, 2 -> 3 -> 2
  EXPECT_EQ(
      reasons(functions_module({call_of(1), {}, call_of(1) + call_of(3), call_of(2)}), strict()),
      "contains recursion: function 2 -> function 3 -> function 2");
}

std::vector<Bytes> ring(uint32_t count) {
  std::vector<Bytes> bodies;
  for (uint32_t i = 0; i < count; i++) bodies.push_back(call_of((i + 1) % count));
  return bodies;
}

TEST(Recursion, SixFunctionsAreShown) {
  EXPECT_EQ(reasons(functions_module(ring(6)), strict()),
            "contains recursion: function 0 -> function 1 -> function 2 -> function 3 -> "
            "function 4 -> function 5 -> function 0");
}

TEST(Recursion, OfMoreFunctionsTheRestIsCounted) {
  EXPECT_EQ(reasons(functions_module(ring(7)), strict()),
            "contains recursion: function 0 -> function 1 -> function 2 -> function 3 -> "
            "function 4 -> function 5 -> ... (1 more) -> function 0");
}

// --- Recursion through tables --------------------------------------------------------------------

TEST(Recursion, AFunctionCallsItselfThroughATable) {
  TestModule module = functions_module({call_type(0)});
  module.elements = {active_elements({0})};
  EXPECT_EQ(reasons(module, strict()),
            "contains recursion: function 0 calls itself through a table");
}

TEST(Recursion, FunctionsWithoutAReferenceAreNotReachedThroughATable) {
  TestModule module = functions_module({call_type(0), call_of(0), {}});
  EXPECT_EQ(reasons(module, strict()), "");
  module.elements = {active_elements({2})};
  EXPECT_EQ(reasons(module, strict()), "");
  module.exports = {export_of("run", 0)};
  EXPECT_EQ(reasons(module, strict()), "");
}

TEST(Recursion, ThereThroughATableAndBackByACall) {
  TestModule module = functions_module({call_type(0), call_of(0)});
  module.elements = {active_elements({1})};
  EXPECT_EQ(reasons(module, strict()),
            "contains recursion: function 0 -> function 1 through a table -> function 0");
}

TEST(Recursion, ThereByACallAndBackThroughATable) {
  TestModule module = functions_module({call_of(1), call_type(0)});
  module.elements = {active_elements({0})};
  EXPECT_EQ(reasons(module, strict()),
            "contains recursion: function 0 -> function 1 -> function 0 through a table");
}

TEST(Recursion, ACycleThatIsEnteredAtTheTableSaysSoOnce) {
  // 0 -> table -> 1 -> table: function 0 is not part of the cycle.
  TestModule module = functions_module({call_type(0), call_type(0)});
  module.elements = {active_elements({1})};
  EXPECT_EQ(reasons(module, strict()),
            "contains recursion: function 1 calls itself through a table");
}

TEST(Recursion, TwoTypesOfTables) {
  TestModule module = functions_module({call_type(1), call_type(0)});
  module.types = {function_type("", ""), function_type("", "i")};
  module.functions = {{0x00}, {0x01}};
  module.bodies = {function_body(call_type(1) + Bytes{0x1A}),
                   function_body(call_type(0) + Bytes{0x41, 0x00})};
  module.elements = {active_elements({0, 1})};
  EXPECT_EQ(reasons(module, strict()),
            "contains recursion: function 0 -> function 1 through a table -> function 0 through a "
            "table");
}

TEST(Recursion, AnotherTypeIsNotReached) {
  TestModule module = functions_module({{}});
  module.types = {function_type("", ""), function_type("i", "")};
  module.bodies = {function_body(Bytes{0x41, 0x00} + call_type(1))};
  module.elements = {active_elements({0})};
  EXPECT_EQ(reasons(module, strict()), "");
}

TEST(Recursion, EqualTypesOfDifferentIndexAreReached) {
  TestModule module = functions_module({{}});
  module.types = {function_type("i", ""), function_type("", ""), function_type("", "")};
  module.functions = {{0x01}};
  module.bodies = {function_body(call_type(2))};
  module.elements = {active_elements({0})};
  EXPECT_EQ(reasons(module, strict()),
            "contains recursion: function 0 calls itself through a table");
  module.functions = {{0x02}};
  module.bodies = {function_body(call_type(1))};
  EXPECT_EQ(reasons(module, strict()),
            "contains recursion: function 0 calls itself through a table");
}

TEST(Recursion, PassiveAndDeclarativeSegmentsAndExpressionsGiveReferences) {
  for (const Bytes& segment : {Bytes{0x01, 0x00, 0x01, 0x00}, Bytes{0x03, 0x00, 0x01, 0x00},
                               Bytes{0x05, 0x70, 0x01, 0xD2, 0x00, 0x0B}}) {
    TestModule module = functions_module({call_type(0)});
    module.elements = {segment};
    EXPECT_EQ(reasons(module, strict()),
              "contains recursion: function 0 calls itself through a table");
  }
}

TEST(Recursion, RefFuncInCodeGivesAReference) {
  // Exported, so that code may name it; function 1 puts it into the table.
  TestModule module = functions_module({call_type(0), Bytes{0x41, 0x00, 0xD2, 0x00, 0x26, 0x00}});
  module.exports = {export_of("run", 0)};
  EXPECT_EQ(reasons(module, strict()),
            "contains recursion: function 0 \"run\" calls itself through a table");
}

TEST(Recursion, RefFuncInAGlobalGivesAReference) {
  TestModule module = functions_module({call_type(0)});
  module.globals = {{0x70, 0x00, 0xD2, 0x00, 0x0B}};
  EXPECT_EQ(reasons(module, strict()),
            "contains recursion: function 0 calls itself through a table");
}

// --- Every graph ---------------------------------------------------------------------------------

// A random module of few functions of type 0, 1 (equal to 0) or 2, and what calls what in it.
struct RandomModule {
  static constexpr uint32_t kCount = 5;
  Bytes bytes;
  bool calls[kCount][kCount] = {};

  explicit RandomModule(std::mt19937& random) {
    const auto one_in = [&](uint32_t n) { return random() % n == 0; };
    TestModule module = functions_module({});
    module.types = {function_type("", ""), function_type("", ""), function_type("i", "")};
    uint32_t types[kCount];
    std::vector<uint32_t> referenced;
    for (uint32_t i = 0; i < kCount; i++) {
      types[i] = random() % 3;
      module.functions.push_back(leb(types[i]));
      if (one_in(3)) referenced.push_back(i);
    }
    for (uint32_t caller = 0; caller < kCount; caller++) {
      Bytes code;
      for (uint32_t callee = 0; callee < kCount; callee++) {
        if (!one_in(7)) continue;
        calls[caller][callee] = true;
        code = code + (types[callee] == 2 ? Bytes{0x41, 0x00} : Bytes{}) + call_of(callee);
      }
      for (uint32_t type = 0; type < 3; type++) {
        if (!one_in(9)) continue;
        for (const uint32_t callee : referenced) {
          if ((types[callee] == 2) == (type == 2)) calls[caller][callee] = true;
        }
        code = code + (type == 2 ? Bytes{0x41, 0x00} : Bytes{}) + call_type(type);
      }
      module.bodies.push_back(function_body(code));
    }
    module.elements = {active_elements(referenced)};
    bytes = module.bytes();
  }

  // Whether a function comes back to itself.
  bool recurses() const {
    bool reaches[kCount][kCount];
    std::memcpy(reaches, calls, sizeof calls);
    for (uint32_t k = 0; k < kCount; k++) {
      for (uint32_t i = 0; i < kCount; i++) {
        for (uint32_t j = 0; j < kCount; j++) {
          reaches[i][j] = reaches[i][j] || (reaches[i][k] && reaches[k][j]);
        }
      }
    }
    for (uint32_t i = 0; i < kCount; i++) {
      if (reaches[i][i]) return true;
    }
    return false;
  }

  // Whether every call that the text names is there.
  bool has_cycle(const std::string& text) const {
    std::vector<uint32_t> shown;
    const std::string word = "function ";
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
      shown.push_back(static_cast<uint32_t>(text[at + word.size()] - '0'));
    }
    if (shown.size() == 1) return calls[shown[0]][shown[0]];
    for (size_t i = 1; i < shown.size(); i++) {
      if (!calls[shown[i - 1]][shown[i]]) return false;
    }
    return shown.size() > 2 && shown.front() == shown.back();
  }
};

TEST(Recursion, IsFoundInRandomModulesExactlyWhereItIs) {
  std::mt19937 random(1);
  size_t recursive = 0;
  constexpr size_t kModules = 3'000;
  for (size_t i = 0; i < kModules; i++) {
    const RandomModule module(random);
    const std::string text = reasons(module.bytes, strict());
    ASSERT_EQ(!text.empty(), module.recurses()) << "module " << i << ": " << text;
    if (text.empty()) continue;
    recursive++;
    ASSERT_TRUE(module.has_cycle(text)) << "module " << i << ": " << text;
  }
  EXPECT_GT(recursive, kModules / 5);
  EXPECT_LT(recursive, kModules * 4 / 5);
}

// --- Size ----------------------------------------------------------------------------------------

TEST(Recursion, AChainOfAHundredThousandFunctionsIsNoCycle) {
  constexpr uint32_t kCount = 100'000;
  const auto next = [](uint32_t i) { return i + 1 < kCount ? call_of(i + 1) : Bytes{}; };
  EXPECT_EQ(reasons(large_module(kCount, next), strict()), "");
}

TEST(Recursion, ARingOfAMillionFunctionsNeedsNoNativeStack) {
  constexpr uint32_t kCount = 1'000'000;
  const auto next = [](uint32_t i) { return call_of((i + 1) % kCount); };
  EXPECT_EQ(reasons(large_module(kCount, next), strict()),
            "contains recursion: function 0 -> function 1 -> function 2 -> function 3 -> "
            "function 4 -> function 5 -> ... (999994 more) -> function 0");
}

// Every caller times every target would be 2,500,000,000 edges.
TEST(Recursion, ManyCallersThroughATableTimesManyTargetsStayLinear) {
  constexpr uint32_t kCount = 100'000;
  std::vector<Bytes> targets;
  for (uint32_t i = kCount / 2; i < kCount; i++) targets.push_back(leb(i));
  const Bytes elements = Bytes{0x01, 0x00} + list_of(targets);
  const auto body = [](uint32_t i) { return i < kCount / 2 ? call_type(0) : Bytes{}; };
  EXPECT_EQ(reasons(large_module(kCount, body, {elements}), strict()), "");
}

// --- The components of this repository -----------------------------------------------------------

// put_number() of the first writes its digits by calling itself.
const std::set<std::string> kNotStrict = {"modules/text/markdown/markdown-basic.wasm"};

TEST(Policy, TheComponentsOfThisRepositoryAreStrictButForTheListedOnes) {
  size_t seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("modules")) {
    const std::string path = entry.path().string();
    // Oracles are no components: they import the one that they judge.
    if (!path.ends_with(".wasm") || path.starts_with("modules/oracles/")) continue;
    seen++;
    Result<std::vector<uint8_t>, std::string> bytes = read_module_file(path);
    ASSERT_TRUE(bytes.ok());
    Result<Component, HostError> component = load_component(path, std::move(bytes.value()));
    ASSERT_TRUE(component.ok());
    const MaybeError error = check_policy(component.value(), strict());
    EXPECT_EQ(error.has_value(), kNotStrict.contains(path)) << (error ? error->message : path);
  }
  EXPECT_GT(seen, 0) << "run from the top of the source tree";
}

}  // namespace
}  // namespace qip
