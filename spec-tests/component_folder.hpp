// Components for tests: a temporary folder that builds them from text, and what a run of the
// command must look like.
//
// Promises: the folder and everything in it is gone at the end; a component is built once.
// Assumes: wat2wasm in PATH; the command is $QIP, else build/qip; one thread.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec-tests/process.hpp"

namespace qip {

using Strings = std::vector<std::string>;

class ComponentFolder {
 public:
  explicit ComponentFolder(const std::string& name) {
    folder_ = std::filesystem::temp_directory_path() / (name + "-XXXXXX");
    EXPECT_NE(mkdtemp(folder_.data()), nullptr) << folder_;
  }
  ~ComponentFolder() { std::filesystem::remove_all(folder_); }
  ComponentFolder(const ComponentFolder&) = delete;
  ComponentFolder& operator=(const ComponentFolder&) = delete;

  const std::string& path() const { return folder_; }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  bool has(const std::string& name) const { return std::filesystem::exists(path(name)); }

  // Writes a file and returns its path.
  std::string put(const std::string& name, std::string_view bytes) const {
    std::ofstream file(path(name), std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    EXPECT_TRUE(file.good()) << path(name);
    return path(name);
  }
  std::string get(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // NAME.wasm from a module in text format, with a name section. Returns its path.
  std::string build(const std::string& name, const std::string& text) const {
    const std::string built = path(name + ".wasm");
    if (std::filesystem::exists(built)) {
      EXPECT_EQ(get(name + ".wat"), text) << "two components of one name";
      return built;
    }
    const std::string source = put(name + ".wat", text);
    const ProcessResult made = run_process({"wat2wasm", "--debug-names", source, "-o", built});
    EXPECT_EQ(made.exit_code, 0) << made.error << text;
    return built;
  }

  // Runs the command inside the folder.
  ProcessResult qip(Strings arguments, std::string_view input = "x", int timeout_ms = 20000) const {
    arguments.insert(arguments.begin(), command());
    ProcessOptions options;
    options.input = input;
    options.timeout_ms = timeout_ms;
    options.working_directory = folder_;
    return run_process(arguments, options);
  }
  // The same through a shell, where $COMMAND is the command.
  ProcessResult shell(const std::string& script, int timeout_ms = 20000) const {
    ProcessOptions options;
    options.timeout_ms = timeout_ms;
    options.working_directory = folder_;
    options.extra_environment = {"COMMAND=" + command()};
    return run_process({"/bin/bash", "-c", script}, options);
  }

 private:
  static std::string command() { return std::filesystem::absolute(qip_path()).string(); }
  std::string folder_;
};

// --- What a run must look like -------------------------------------------------------------------

inline testing::AssertionResult unlike_expected(const ProcessResult& result) {
  const auto shown = [](const std::string& text) {
    return testing::PrintToString(text.substr(0, 2000));
  };
  return testing::AssertionFailure()
         << "exit " << result.exit_code << " signal " << result.signal
         << (result.timed_out ? ", cut off by the test's time limit" : "")
         << "\nstdout: " << shown(result.output) << "\nstderr: " << shown(result.error);
}

// Exit 0, exactly this on stdout, nothing on stderr.
inline testing::AssertionResult succeeded(const ProcessResult& result, std::string_view output) {
  if (result.exit_code == 0 && result.output == output && result.error.empty()) {
    return testing::AssertionSuccess();
  }
  return unlike_expected(result) << "\nwanted: " << testing::PrintToString(output);
}

// Exit 1, exactly this on stdout, and one line on stderr, without control characters, that holds
// every part. (A sanitizer's report would be many lines.)
inline testing::AssertionResult failed(const ProcessResult& result, const Strings& parts,
                                       std::string_view output = "") {
  if (result.exit_code != 1 || result.output != output) {
    return unlike_expected(result) << "\nwanted: exit 1";
  }
  const std::string& error = result.error;
  if (error.size() < 2 || error.find('\n') + 1 != error.size()) {
    return unlike_expected(result) << "\nwanted: one line on stderr";
  }
  for (const char byte : error.substr(0, error.size() - 1)) {
    if (static_cast<unsigned char>(byte) < 0x20) {
      return unlike_expected(result) << "\nwanted: no control characters";
    }
  }
  for (const std::string& part : parts) {
    if (error.find(part) == std::string::npos) {
      return unlike_expected(result) << "\nwanted on stderr: " << part;
    }
  }
  return testing::AssertionSuccess();
}

inline testing::AssertionResult holds(const std::string& text, const Strings& parts) {
  for (const std::string& part : parts) {
    if (text.find(part) != std::string::npos) continue;
    return testing::AssertionFailure() << "without " << testing::PrintToString(part) << ":\n"
                                       << text;
  }
  return testing::AssertionSuccess();
}

// --- Components in the text format ---------------------------------------------------------------

// Four pages. Buffers of 64 KiB: input at 1024, output at 131072. The rest from 196608 is free.
namespace wat {

inline std::string value(const std::string& name, int64_t number) {
  return "(func (export \"" + name + "\") (result i32) (i32.const " + std::to_string(number) + "))";
}

inline std::string input(const std::string& kind = "utf8", int64_t capacity = 65536) {
  return "(memory (export \"memory\") 4 4)" + value("input_ptr", 1024) +
         value("input_" + kind + "_cap", capacity);
}

inline std::string output(const std::string& kind = "utf8", int64_t capacity = 65536) {
  return value("output_ptr", 131072) + value("output_" + kind + "_cap", capacity);
}

// A string literal of any bytes.
inline std::string literal(std::string_view bytes) {
  static const char* const digits = "0123456789abcdef";
  std::string text = "\"";
  for (const char byte : bytes) {
    text += '\\';
    text += digits[static_cast<unsigned char>(byte) >> 4];
    text += digits[static_cast<unsigned char>(byte) & 15];
  }
  return text + "\"";
}

inline std::string data(int64_t address, std::string_view bytes) {
  return "(data (i32.const " + std::to_string(address) + ") " + literal(bytes) + ")";
}

// The export pair of a content type; direction: "input" or "output".
inline std::string content_type(const std::string& direction, std::string_view type) {
  const int64_t address = direction == "input" ? 200000 : 201000;
  return data(address, type) + value(direction + "_content_type_ptr", address) +
         value(direction + "_content_type_size", static_cast<int64_t>(type.size()));
}

// An entry of type (i32) -> result; $size is its parameter.
inline std::string entry(const std::string& body, const std::string& name = "render",
                         const std::string& result = "i32") {
  return "(func (export \"" + name + "\") (param $size i32) (result " + result + ")\n" + body + ")";
}

// Copies the input to the output.
inline const std::string kCopy =
    "(memory.copy (i32.const 131072) (i32.const 1024) (local.get $size)) (local.get $size)";

inline std::string module(const std::string& parts) {
  return "(module " + parts + ")";
}

// UTF-8 in and out, gives its input back.
inline std::string echo(const std::string& more = "") {
  return module(more + input() + output() + entry(kCopy));
}

}  // namespace wat
}  // namespace qip
