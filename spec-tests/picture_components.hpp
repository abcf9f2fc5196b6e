// What the tests of components for pictures share: a run of a chain, and what came out of it.
//
// Assumes: the working directory is the root of the repository; the command is $QIP or build/qip.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec-tests/picture.hpp"
#include "spec-tests/process.hpp"

namespace qip {

// Components below modules/ by name, and uniforms of the one before: "?key=value".
using Chain = std::vector<std::string>;

inline ProcessResult run(const Chain& chain, std::string_view input) {
  std::vector<std::string> argv = {qip_path(), "run", "--strict", "--timeout-ms", "60000"};
  for (const std::string& part : chain)
    argv.push_back(part.starts_with("?") ? part : "modules/" + part + ".wasm");
  return run_process(argv, input, 90000);
}

inline std::string output_of(const Chain& chain, std::string_view input) {
  const ProcessResult result = run(chain, input);
  EXPECT_EQ(result.exit_code, 0) << chain.front() << ": " << result.error;
  EXPECT_EQ(result.error, "");
  return result.output;
}

inline Picture picture_of(const Chain& chain, std::string_view input) {
  const std::optional<Picture> picture = from_bmp(output_of(chain, input));
  EXPECT_TRUE(picture.has_value()) << chain.back() << " gave no BMP";
  return picture.value_or(Picture(1, 1, {1, 2, 3, 4}));
}

// The component refuses the input: a trap, one line of text, no output, no crash.
inline testing::AssertionResult traps(const Chain& chain, std::string_view input) {
  const ProcessResult result = run(chain, input);
  const bool is_trap = result.exit_code == 1 && result.output.empty() && !result.timed_out &&
                       result.error.find("wasm error: unreachable") != std::string::npos;
  if (is_trap) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << chain.back() << ": exit " << result.exit_code << " signal " << result.signal << ", "
         << result.output.size() << " bytes, " << result.error;
}

}  // namespace qip
