// The export matrix: {function, immutable global, mutable global} x {each value export} x {missing,
// another kind of export, another type, a wrong function, every dangerous number}, each cell a
// module that is generated here and run by the built command.
//
// The expectation of a cell follows from the rules of the contract, which this file states once per
// export; nothing is taken from what the program says. Of every cell: no signal, no more on stderr
// than one line, nothing on stdout beside an error.
#include <filesystem>
#include <functional>
#include <thread>

#include "spec-tests/component_folder.hpp"
#include "spec-tests/matrix_modules.hpp"

namespace qip {
namespace {

// --- The right module ----------------------------------------------------------------------------

constexpr uint32_t kMemoryBytes = 65536;
constexpr uint32_t kInputPtr = 1024, kOutputPtr = 2048, kCapacity = 64;
constexpr uint32_t kTypePtr = 60000;
const std::string kInput = "hello";
const std::string kType = "text/plain";

struct NamedValue {
  std::string name;
  uint32_t number;
};

// A component that works: it copies its input to its output buffer, or rejects it.
struct Contract {
  std::string name;
  std::vector<NamedValue> values;
  bool is_packed = false;
  uint32_t count = 5;    // what the entry returns: items of output
  bool rejects = false;  // packed: with detail `count`
  std::string encoding;  // "utf8", "bytes" or "i32"
};

Contract counting(const std::string& in, const std::string& out) {
  Contract contract{in + "_to_" + out, {}, false, out == "i32" ? 1u : 5u, false, out};
  contract.values = {{"input_ptr", kInputPtr},
                     {"input_" + in + "_cap", kCapacity},
                     {"output_ptr", kOutputPtr},
                     {"output_" + out + "_cap", kCapacity}};
  return contract;
}

Contract typed() {
  Contract contract = counting("utf8", "utf8");
  contract.name = "typed";
  for (const std::string direction : {"input", "output"}) {
    contract.values.push_back({direction + "_content_type_ptr", kTypePtr});
    contract.values.push_back(
        {direction + "_content_type_size", static_cast<uint32_t>(kType.size())});
  }
  return contract;
}

Contract packed(const std::string& kind, bool rejects) {
  Contract contract{rejects ? "rejects" : "packed_" + kind, {}, true, 5, rejects, kind};
  contract.values = {{"input_ptr", kInputPtr},
                     {"input_" + kind + "_cap", kCapacity},
                     {"output_" + kind + "_cap", kCapacity}};
  if (rejects) contract.values.push_back({"failure_modes_per_input_offset", 2});
  return contract;
}

WasmBytes entry_body(const Contract& contract) {
  WasmBytes body;
  body.byte(0x41).signed_leb(kOutputPtr).byte(0x41).signed_leb(kInputPtr);
  body.raw({0x20, 0, 0xFC, 0x0A, 0, 0});  // memory.copy for the parameter's length
  if (!contract.is_packed) {
    return body.byte(0x41).signed_leb(static_cast<int32_t>(contract.count));
  }
  const uint64_t high = contract.rejects ? uint64_t{1} << 63 : uint64_t{kOutputPtr} << 32;
  return body.byte(0x42).signed_leb(static_cast<int64_t>(high | contract.count));
}

// One cell: `name` exported in this way, all other values rightly in the same style.
struct Cell {
  const Contract& contract;
  std::string name;
  Style style;
  Fault fault;
  uint32_t number;

  std::string text() const {
    return contract.name + ": " + name + " as " + style_text(style) + ", fault " +
           fault_text(fault) + ", " + std::to_string(number);
  }
};

std::string module_of(const Cell& cell) {
  MatrixModule module;
  module.export_memory("memory").data(kTypePtr, kType);
  bool found = false;
  for (const NamedValue& value : cell.contract.values) {
    const bool is_it = value.name == cell.name;
    found = found || is_it;
    module.value(value.name, cell.style, is_it ? cell.number : value.number,
                 is_it ? cell.fault : Fault::None);
  }
  if (!found) module.value(cell.name, cell.style, cell.number, cell.fault);
  module.function("render", {kTypeI32}, {cell.contract.is_packed ? kTypeI64 : kTypeI32},
                  entry_body(cell.contract));
  return module.bytes();
}

// --- What has to come of it ----------------------------------------------------------------------

struct Expected {
  bool succeeds = true;
  std::string output;        // of a success: all of stdout
  Strings messages;          // of a failure: parts of the line on stderr
  bool shows_early = false;  // the failure is plain without any input
};

Expected success(const std::string& output) {
  return {true, output, {}, false};
}
Expected late_failure(const std::string& message) {
  return {false, "", {message}, false};
}
Expected early_failure(Strings messages) {
  return {false, "", std::move(messages), true};
}

// What stdout holds after these bytes of output.
std::string printed(const Contract& contract, const std::string& bytes) {
  if (contract.encoding == "bytes") return bytes;
  if (contract.encoding == "utf8") return bytes + "\n";
  std::string lines;
  for (size_t i = 0; i + 4 <= bytes.size(); i += 4) {
    char line[16];
    snprintf(line, sizeof line, "%02x%02x%02x%02x\n", bytes[i + 3] & 255, bytes[i + 2] & 255,
             bytes[i + 1] & 255, bytes[i] & 255);
    lines += line;
  }
  return lines;
}

uint64_t output_bytes(const Contract& contract) {
  return uint64_t{contract.count} * (contract.encoding == "i32" ? 4 : 1);
}

// The first `count` bytes of the output of a component whose buffers are right.
std::string right_output(const Contract& contract) {
  return printed(contract, kInput.substr(0, output_bytes(contract)));
}

bool is_inside(uint64_t pointer, uint64_t size) {
  return pointer + size <= kMemoryBytes;
}

// The rules that hold for every value export which is there, but not a number of 32 bits.
Expected type_fault(const std::string& name, Fault fault) {
  switch (fault) {
    case Fault::Parameter:
      return early_failure({name + "() call failed: "});
    case Fault::NoResult:
      return early_failure({name + "() returned 0 values, want 1"});
    case Fault::TwoResults:
      return early_failure({name + "() returned 2 values, want 1"});
    case Fault::Trap:
      return early_failure({name + "() call failed: ", "wasm error: unreachable"});
    default:
      return early_failure({"Wasm module must export " + name + " as global or function"});
  }
}

bool is_absence(Fault fault) {
  return fault == Fault::Missing || fault == Fault::Memory || fault == Fault::Table;
}

// A pointer decides nothing until there is something to copy; its range is then checked in 64 bits.
Expected input_ptr(const Cell& cell) {
  if (is_absence(cell.fault)) {
    return early_failure({"Wasm module must export input_ptr as global or function"});
  }
  if (cell.fault != Fault::None) return type_fault(cell.name, cell.fault);
  if (!is_inside(cell.number, kInput.size())) return late_failure("Could not write input");
  if (cell.contract.rejects || cell.number == kInputPtr) return success("");  // not asked for
  // The entry copies from where the input should have been.
  return success(printed(cell.contract, std::string(output_bytes(cell.contract), '\0')));
}

// A capacity is compared with the input's length, and nothing else.
Expected input_capacity(const Cell& cell) {
  if (is_absence(cell.fault)) {
    return early_failure(
        {"Wasm module must export input_utf8_cap or input_bytes_cap as global or function"});
  }
  if (cell.fault != Fault::None) return type_fault(cell.name, cell.fault);
  if (kInput.size() > cell.number) return late_failure("Input is too large");
  return success(right_output(cell.contract));
}

// Without output_ptr there is no output. With a packed result nobody looks at it.
Expected output_ptr(const Cell& cell) {
  if (cell.contract.is_packed) return success(right_output(cell.contract));
  if (is_absence(cell.fault)) {
    return success("Ran: " + std::to_string(cell.contract.count) + "\n");
  }
  if (cell.fault != Fault::None) {
    Expected expected = type_fault(cell.name, cell.fault);
    expected.shows_early = false;  // it is read after the call
    return expected;
  }
  if (!is_inside(cell.number, output_bytes(cell.contract))) {
    return late_failure("Could not read output");
  }
  return success(printed(cell.contract, std::string(output_bytes(cell.contract), '\0')));
}

// A capacity is compared with the count that the entry returns. 0: no output.
Expected output_capacity(const Cell& cell) {
  const Contract& contract = cell.contract;
  if (is_absence(cell.fault)) {
    return contract.is_packed
               ? early_failure({"Wasm module must export ", "output_utf8_cap", "output_bytes_cap"})
               : early_failure({"Wasm module must export output_utf8_cap or output_i32_cap or "
                                "output_bytes_cap as global or function"});
  }
  if (cell.fault != Fault::None) return type_fault(cell.name, cell.fault);
  if (cell.number == 0 && !contract.is_packed) {
    return success("Ran: " + std::to_string(contract.count) + "\n" + printed(contract, ""));
  }
  if (contract.count > cell.number) {
    return late_failure("Module returned more bytes than its stated capacity");
  }
  if (!is_inside(kOutputPtr, output_bytes(contract))) return late_failure("Could not read output");
  return success(right_output(contract));
}

// Both exports of a pair or none; bytes inside the memory; exactly one MIME type.
Expected content_type(const Cell& cell) {
  const std::string direction = cell.name.substr(0, cell.name.find('_'));
  const std::string pair = direction + "_content_type_";
  const std::string wrapper = "invalid " + direction + " content type metadata: ";
  if (is_absence(cell.fault)) {
    return early_failure(
        {wrapper + "module must export both " + pair + "ptr and " + pair + "size together"});
  }
  if (cell.fault != Fault::None) {
    Expected expected = type_fault(cell.name, cell.fault);
    expected.messages.push_back(wrapper);
    return expected;
  }
  const bool is_size = cell.name == pair + "size";
  const uint64_t pointer = is_size ? kTypePtr : cell.number;
  const uint64_t size = is_size ? cell.number : kType.size();
  if (size == 0) {
    return early_failure({wrapper + "module export " + pair + "size must be non-empty"});
  }
  if (!is_inside(pointer, size)) {
    return early_failure({wrapper + "failed to read " + direction + " bytes from module memory"});
  }
  if (pointer == kTypePtr && size == kType.size()) return success(right_output(cell.contract));
  return early_failure({wrapper});  // what lies there is no MIME type
}

// N modes for each offset: detail / N is the offset, detail % N the mode.
Expected failure_modes(const Cell& cell) {
  if (is_absence(cell.fault)) {
    return late_failure(
        "render returned failure but failure_modes_per_input_offset is not exported");
  }
  if (cell.fault != Fault::None) return type_fault(cell.name, cell.fault);
  const std::string message = ": component rejected input";
  if (cell.number == 0) return late_failure(message + "\n");
  const std::string offset =
      message + " at input offset " + std::to_string(cell.contract.count / cell.number);
  if (cell.number == 1) return late_failure(offset + "\n");
  return late_failure(offset + " with mode " + std::to_string(cell.contract.count % cell.number) +
                      "\n");
}

struct Rule {
  std::function<Expected(const Cell&)> expect;
  std::vector<uint32_t> numbers;
};

// Sizes and pointers that lie just inside, just outside, that end at 2^32 or wrap around it, and
// -1.
Rule rule_for(const Contract& contract, const std::string& name) {
  const uint32_t size = static_cast<uint32_t>(output_bytes(contract));
  if (name == "input_ptr") {
    return {input_ptr,
            {0, kMemoryBytes - 5, kMemoryBytes - 4, kMemoryBytes, 0x7FFFFFFF, 0x80000000, 0u - 6,
             0u - 5, 0u - 4, 0xFFFFFFFF}};
  }
  if (name.starts_with("input_") && name.ends_with("_cap")) {
    return {input_capacity,
            {0, 4, 5, kMemoryBytes - kInputPtr, kMemoryBytes, 0x7FFFFFFF, 0x80000000,
             0u - kInputPtr, 0u - kInputPtr + 1, 0xFFFFFFFF}};
  }
  if (name == "output_ptr") {
    return {output_ptr,
            {0, kMemoryBytes - size, kMemoryBytes - size + 1, kMemoryBytes, 0x7FFFFFFF, 0x80000000,
             0u - size - 1, 0u - size, 0u - size + 1, 0xFFFFFFFF}};
  }
  if (name.starts_with("output_") && name.ends_with("_cap")) {
    std::vector<uint32_t> numbers = {contract.count - 1,  contract.count, kMemoryBytes,
                                     0x3FFFFFFF,          0x40000000,     0x40000001,
                                     0x7FFFFFFF,          0x80000000,     0u - kOutputPtr,
                                     0u - kOutputPtr + 1, 0xFFFFFFFF};
    if (!contract.is_packed) numbers.push_back(0);
    return {output_capacity, numbers};
  }
  if (name.ends_with("_content_type_ptr")) {
    const uint32_t length = static_cast<uint32_t>(kType.size());
    return {content_type,
            {0, kTypePtr, kMemoryBytes - length, kMemoryBytes - length + 1, kMemoryBytes,
             0x80000000, 0u - length - 1, 0u - length, 0u - length + 1, 0xFFFFFFFF}};
  }
  if (name.ends_with("_content_type_size")) {
    return {content_type,
            {0, 4, 10, 11, kMemoryBytes - kTypePtr, kMemoryBytes - kTypePtr + 1, kMemoryBytes,
             0x80000000, 0u - kTypePtr, 0u - kTypePtr + 1, 0xFFFFFFFF}};
  }
  return {failure_modes, {0, 1, 2, 5, 6, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF}};
}

// --- Running a cell ------------------------------------------------------------------------------

const ComponentFolder& folder() {
  static const ComponentFolder made("qip-matrix");
  return made;
}

bool is_sanitized() {
#if defined(__SANITIZE_ADDRESS__)
  return true;
#elif defined(__has_feature)
  return __has_feature(address_sanitizer);
#else
  return false;
#endif
}

// Thousands of processes: looking for leaks at the end of each would double their time, and every
// path that is taken here is also taken where leaks are looked for.
ProcessResult command(Strings arguments, std::string_view input = kInput) {
  static const std::string program = std::filesystem::absolute(qip_path());
  arguments.insert(arguments.begin(), program);
  ProcessOptions options;
  options.input = input;
  options.working_directory = folder().path();
  options.extra_environment = {"ASAN_OPTIONS=detect_leaks=0"};
  return run_process(arguments, options);
}

// Each of them with cell.wasm, all at the same time.
std::vector<ProcessResult> commands(const std::vector<Strings>& all) {
  std::vector<ProcessResult> results(all.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < all.size(); i++) {
    threads.emplace_back([&results, &all, i] {
      Strings arguments = all[i];
      arguments.push_back("cell.wasm");
      results[i] = command(std::move(arguments));
    });
  }
  for (std::thread& thread : threads) thread.join();
  return results;
}

void expect_run(const Expected& expected, const ProcessResult& result) {
  if (expected.succeeds) {
    EXPECT_TRUE(succeeded(result, expected.output));
  } else {
    Strings messages = expected.messages;
    messages.push_back("cell.wasm: ");
    EXPECT_TRUE(failed(result, messages));
  }
}

// Planning never refuses what runs, and refuses what no input could make run.
void expect_plan(const Expected& expected, const ProcessResult& result) {
  EXPECT_EQ(result.signal, 0) << result.error;
  if (expected.succeeds) {
    EXPECT_EQ(result.exit_code, 0) << result.error;
    EXPECT_EQ(result.error, "");
  } else if (expected.shows_early) {
    EXPECT_EQ(result.exit_code, 1) << result.output;
    EXPECT_TRUE(holds(result.error, expected.messages));
  }
}

// Inspection explains every module; that something is wrong with it is no failure of inspecting.
void expect_explained(const Expected& expected, const ProcessResult& result) {
  EXPECT_EQ(result.exit_code, 0) << result.signal << result.error;
  EXPECT_EQ(result.error, "");
  EXPECT_TRUE(holds(result.output, {"contract: "}));
  if (!expected.succeeds && expected.shows_early) {
    EXPECT_TRUE(holds(result.output, expected.messages));
  }
}

// Cells that one `qip check` looks at together.
class CheckedCells {
 public:
  void add(const std::string& text, std::string_view module, const Expected& expected) {
    const std::string name = "checked-" + std::to_string(cells_.size()) + ".wasm";
    folder().put(name, module);
    cells_.push_back({name, text, expected});
  }

  // A capacity of 4 GiB is a claim, not a reason to take that much memory or time.
  void expect_checked() const {
    Strings arguments = {"check"};
    for (const CheckedCell& cell : cells_) arguments.push_back(cell.name);
    const ProcessResult result = command(arguments);
    EXPECT_FALSE(result.timed_out);
    EXPECT_EQ(result.signal, 0) << result.error;
    EXPECT_EQ(result.error, "");
    bool any_breach = false;
    for (const CheckedCell& cell : cells_) {
      const std::string report = report_on(cell.name, result.output);
      const bool has_breach = report.find("\n  FAIL ") != std::string::npos;
      EXPECT_NE(report, "") << cell.text << "\n" << result.output;
      if (cell.expected.shows_early) {
        EXPECT_TRUE(has_breach) << cell.text << "\n" << report;
      }
      any_breach = any_breach || has_breach;
    }
    EXPECT_EQ(result.exit_code, any_breach ? 1 : 0);
    // The peak of a child is never told to be less than what the test process has at that time.
    if (!is_sanitized()) {
      EXPECT_LT(result.peak_kilobytes, command({"version"}).peak_kilobytes + 64 * 1024);
    }
  }

 private:
  struct CheckedCell {
    std::string name;
    std::string text;
    Expected expected;
  };

  // Its lines of the whole report; an empty line stands between two modules.
  static std::string report_on(const std::string& name, const std::string& all) {
    const size_t start = all.starts_with(name + ": ") ? 0 : all.find("\n\n" + name + ": ");
    if (start == std::string::npos) return "";
    return all.substr(start, all.find("\n\n", start + 2) - start);
  }

  std::vector<CheckedCell> cells_;
};

// Planned and inspected as well, except that with the sanitizers, which make a start of the program
// ten times as slow, this is done for functions only.
void run_cell(const Cell& cell, CheckedCells& checked) {
  SCOPED_TRACE(cell.text());
  const std::string module = module_of(cell);
  folder().put("cell.wasm", module);
  const Expected expected = rule_for(cell.contract, cell.name).expect(cell);
  const bool is_function = cell.style == Style::Function;
  const bool is_planned = is_function || !is_sanitized();
  const std::vector<ProcessResult> results =
      is_planned ? commands({{"run"}, {"run", "--dry-run"}, {"inspect"}}) : commands({{"run"}});
  expect_run(expected, results[0]);
  if (is_planned) {
    expect_plan(expected, results[1]);
    expect_explained(expected, results[2]);
  }
  if (is_function) checked.add(cell.text(), module, expected);  // runs each many times
}

struct Column {
  Contract contract;
  std::string name;
};
void PrintTo(const Column& column, std::ostream* out) {
  *out << column.contract.name << " " << column.name;
}

class ExportMatrix : public testing::TestWithParam<Column> {};

uint32_t right_number(const Contract& contract, const std::string& name) {
  for (const NamedValue& value : contract.values) {
    if (value.name == name) return value.number;
  }
  return kOutputPtr;
}

TEST_P(ExportMatrix, NumbersOfEverySize) {
  const auto& [contract, name] = GetParam();
  CheckedCells checked;
  for (const Style style : kStyles) {
    for (const uint32_t number : rule_for(contract, name).numbers) {
      run_cell({contract, name, style, Fault::None, number}, checked);
    }
  }
  checked.expect_checked();
}

TEST_P(ExportMatrix, MissingOrOfAnotherKind) {
  const auto& [contract, name] = GetParam();
  CheckedCells checked;
  for (const Style style : kStyles) {
    for (const Fault fault : kAbsences) {
      run_cell({contract, name, style, fault, right_number(contract, name)}, checked);
    }
  }
  checked.expect_checked();
}

TEST_P(ExportMatrix, OfAnotherType) {
  const auto& [contract, name] = GetParam();
  CheckedCells checked;
  for (const Style style : kStyles) {
    for (const Fault fault : kWrongTypes) {
      run_cell({contract, name, style, fault, right_number(contract, name)}, checked);
    }
  }
  for (const Fault fault : kWrongFunctions) {
    run_cell({contract, name, Style::Function, fault, right_number(contract, name)}, checked);
  }
  checked.expect_checked();
}

std::vector<Column> columns() {
  std::vector<Column> all;
  for (const Contract& contract :
       {counting("utf8", "utf8"), counting("bytes", "bytes"), counting("utf8", "i32"),
        packed("utf8", false), packed("bytes", false)}) {
    for (const NamedValue& value : contract.values) all.push_back({contract, value.name});
    if (contract.is_packed) all.push_back({contract, "output_ptr"});
  }
  for (const NamedValue& value : typed().values) {
    if (value.name.find("content_type") != std::string::npos) all.push_back({typed(), value.name});
  }
  all.push_back({packed("utf8", true), "failure_modes_per_input_offset"});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Column, ExportMatrix, testing::ValuesIn(columns()), [](const auto& info) {
  return info.param.contract.name + "_" + info.param.name;
});

// A count as large as its type allows, below a capacity as large as its type allows.
TEST(ExportMatrixCounts, CountsBeyondTheMemoryCannotBeRead) {
  for (Contract contract : {counting("utf8", "utf8"), counting("bytes", "bytes"),
                            counting("utf8", "i32"), packed("utf8", false)}) {
    const std::string name = contract.values.back().name;
    for (const uint32_t count : {kMemoryBytes, 0x3FFFFFFFu, 0x40000000u, 0x40000001u, 0x7FFFFFFFu,
                                 0x80000000u, 0xFFFFFFFFu}) {
      contract.count = count;
      for (const Style style : kStyles) {
        SCOPED_TRACE(contract.name + " of " + std::to_string(count));
        folder().put("cell.wasm", module_of({contract, name, style, Fault::None, 0xFFFFFFFF}));
        expect_run(late_failure("Could not read output"), command({"run", "cell.wasm"}));
      }
    }
  }
}

// --- Detection -----------------------------------------------------------------------------------

// The kind that `qip inspect` names: the word behind "contract:".
std::string detected_kind(const ProcessResult& result) {
  const size_t label = result.output.find("contract:");
  if (label == std::string::npos) return "no contract line in " + result.output;
  const size_t start = result.output.find_first_not_of(' ', label + 9);
  return result.output.substr(start, result.output.find_first_of(",: \n", start) - start);
}

WasmBytes number(int64_t value) {
  return WasmBytes().byte(0x41).signed_leb(value);
}

// A shape that another contract than Content is known by.
struct Shape {
  std::string kind;
  std::vector<NamedValue> values;
  // Adds what is no value export, leaving out the name `without`.
  void (*add_rest)(MatrixModule& module, const std::string& without);
};

void add_tile(MatrixModule& module, const std::string&) {
  module.export_memory("memory");
  module.function("tile_rgba32float_64x64", {kTypeF32, kTypeF32}, {}, WasmBytes());
}
void add_old_tile(MatrixModule& module, const std::string&) {
  module.export_memory("memory");
  module.function("tile_rgba_f32_64x64", {kTypeF32, kTypeF32}, {}, WasmBytes());
}
void add_form(MatrixModule& module, const std::string&) {
  module.export_memory("memory");
  module.function("render", {kTypeI32}, {kTypeI32}, number(0));
}
void add_interactive(MatrixModule& module, const std::string& without) {
  if (without != "memory") module.export_memory("memory");
  if (without != "render") module.function("render", {kTypeI32}, {kTypeI32}, number(16));
  if (without != "tick") {
    module.function("tick", {kTypeI64}, {kTypeI64}, WasmBytes().raw({0x42, 0}));
  }
  for (const std::string name : {"render_width_px", "render_height_px"}) {
    if (without != name) module.function(name, {}, {kTypeI32}, number(2));
  }
}

const std::vector<NamedValue> kContentValues = {{"input_ptr", kInputPtr},
                                                {"input_utf8_cap", kCapacity},
                                                {"output_ptr", kOutputPtr},
                                                {"output_utf8_cap", kCapacity}};

std::vector<NamedValue> form_values() {
  std::vector<NamedValue> values = kContentValues;
  for (const char* name : {"input_key_ptr", "input_key_size", "input_label_ptr", "input_label_size",
                           "error_message_ptr", "error_message_size"}) {
    values.push_back({name, 0});
  }
  return values;
}

std::vector<Shape> shapes() {
  const std::vector<NamedValue> tile = {{"input_ptr", 0}, {"input_bytes_cap", kMemoryBytes}};
  std::vector<NamedValue> frame = kContentValues;
  frame.push_back({"output_rgba8_srgb_bytes", 16});
  return {{"Tile", tile, add_tile},
          {"Tile", tile, add_old_tile},
          {"Form", form_values(), add_form},
          {"Interactive", frame, add_interactive}};
}

// The kind that is detected. No command may crash, whatever the module is; what fails prints
// nothing beside its message.
std::string calm_kind() {
  const std::vector<ProcessResult> results = commands({{"inspect"}, {"run"}, {"run", "--dry-run"}});
  const ProcessResult& inspected = results[0];
  EXPECT_EQ(inspected.exit_code, 0) << inspected.error;
  EXPECT_EQ(inspected.error, "");
  const ProcessResult& run = results[1];
  if (run.exit_code == 0) {
    EXPECT_EQ(run.error, "");
  } else {
    EXPECT_TRUE(failed(run, {"cell.wasm"}));
  }
  EXPECT_EQ(results[2].signal, 0) << results[2].error;
  EXPECT_FALSE(results[2].timed_out);
  const std::string kind = detected_kind(inspected);
  if (kind != "none") {
    EXPECT_TRUE(holds(inspected.output, {kind + ", because it exports "}));
  }
  return kind;
}

// Detection looks at which exports there are, not at what they say.
TEST(DetectionMatrix, NumbersDecideNothing) {
  for (const Shape& shape : shapes()) {
    for (const NamedValue& changed : shape.values) {
      for (const Style style : kStyles) {
        for (const uint32_t bad : {kMemoryBytes + 1, 0xFFFFFFF0u, 0xFFFFFFFFu}) {
          SCOPED_TRACE(shape.kind + " " + changed.name + " as " + style_text(style) + " " +
                       std::to_string(bad));
          MatrixModule module;
          shape.add_rest(module, "");
          for (const NamedValue& value : shape.values) {
            module.value(value.name, style, value.name == changed.name ? bad : value.number);
          }
          folder().put("cell.wasm", module.bytes());
          EXPECT_EQ(calm_kind(), shape.kind);
        }
      }
    }
  }
}

// The kind of `shape` if `changed` is exported with this fault; every message is looked at.
std::string kind_with(const Shape& shape, const std::string& changed, Style style, Fault fault) {
  MatrixModule module;
  shape.add_rest(module, changed);
  bool is_value = false;
  for (const NamedValue& value : shape.values) {
    is_value = is_value || value.name == changed;
    module.value(value.name, style, value.number, value.name == changed ? fault : Fault::None);
  }
  if (!is_value) module.value(changed, style, 0, fault);
  folder().put("cell.wasm", module.bytes());
  return calm_kind();
}

bool decides(const Shape& shape, const std::string& name) {
  const bool belongs_to_content = name == "input_ptr" || name == "input_utf8_cap" ||
                                  name == "output_ptr" || name == "output_utf8_cap" ||
                                  name == "input_bytes_cap";
  return shape.kind != "Tile" && !belongs_to_content;
}

// A tile function alone makes a Tile. Form and Interactive need each of their own exports.
TEST(DetectionMatrix, WhatAShapeIsKnownByMustBeThere) {
  for (const Shape& shape : shapes()) {
    for (const NamedValue& value : shape.values) {
      for (const Fault fault : kAbsences) {
        SCOPED_TRACE(shape.kind + " " + value.name + ", " + fault_text(fault));
        const std::string kind = kind_with(shape, value.name, Style::Function, fault);
        if (decides(shape, value.name)) {
          EXPECT_NE(kind, shape.kind);
        } else if (shape.kind == "Tile") {
          EXPECT_EQ(kind, "Tile");
        }
      }
    }
  }
}

TEST(DetectionMatrix, InteractiveFunctionsMustBeFunctions) {
  const Shape shape = shapes().back();
  for (const std::string name : {"render", "tick", "render_width_px", "render_height_px"}) {
    for (const Fault fault : kAbsences) {
      EXPECT_NE(kind_with(shape, name, Style::Function, fault), "Interactive") << name;
    }
    EXPECT_NE(kind_with(shape, name, Style::ImmutableGlobal, Fault::None), "Interactive") << name;
    EXPECT_NE(kind_with(shape, name, Style::MutableGlobal, Fault::None), "Interactive") << name;
  }
  EXPECT_NE(kind_with(shape, "memory", Style::Function, Fault::Missing), "Interactive");
}

// Whatever detection makes of it: one of its own words, and no harm.
TEST(DetectionMatrix, WrongTypesDoNoHarm) {
  struct Way {
    Style style;
    Fault fault;
  };
  std::vector<Way> ways;
  for (const Style style : kStyles) {
    for (const Fault fault : {Fault::I64, Fault::ExternRef}) ways.push_back({style, fault});
  }
  for (const Fault fault : kWrongFunctions) ways.push_back({Style::Function, fault});
  for (const Shape& shape : shapes()) {
    for (const NamedValue& value : shape.values) {
      for (const auto& [style, fault] : ways) {
        SCOPED_TRACE(shape.kind + " " + value.name + " as " + style_text(style) + ", " +
                     fault_text(fault));
        const std::string kind = kind_with(shape, value.name, style, fault);
        if (shape.kind == "Tile") {
          EXPECT_EQ(kind, "Tile");
        } else {
          EXPECT_TRUE(kind == shape.kind || kind == "Content" || kind == "none") << kind;
        }
      }
    }
  }
}

TEST(DetectionMatrix, TileFunctionsMustBeFunctions) {
  for (const std::string name : {"tile_rgba32float_64x64", "tile_rgba_f32_64x64"}) {
    for (const Fault fault : {Fault::None, Fault::Memory, Fault::Table}) {
      MatrixModule module;
      module.export_memory("memory").value("input_ptr", Style::Function, 0);
      module.value("input_bytes_cap", Style::Function, kMemoryBytes);
      module.value(name, Style::ImmutableGlobal, 0, fault);
      folder().put("cell.wasm", module.bytes());
      EXPECT_EQ(calm_kind(), "none") << name << fault_text(fault);
    }
  }
}

// Order: Tile, then Interactive, then Form, then Content; none of them runs for it.
TEST(DetectionMatrix, ATileFunctionWinsOverEverything) {
  for (const Shape& shape : shapes()) {
    if (shape.kind == "Tile") continue;
    MatrixModule module;
    shape.add_rest(module, "");
    for (const NamedValue& value : shape.values) {
      module.value(value.name, Style::Function, value.number);
    }
    module.function("tile_rgba32float_64x64", {kTypeF32, kTypeF32}, {}, WasmBytes());
    folder().put("cell.wasm", module.bytes());
    EXPECT_EQ(calm_kind(), "Tile");
  }
}

}  // namespace
}  // namespace qip
