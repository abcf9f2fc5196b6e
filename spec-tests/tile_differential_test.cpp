// Image filters against the reference in V8: a part of `make image-differential`.
//
// Promises: byte for byte the same files, on images that follow from a fixed seed.
// Assumes: the repository's root as current folder, wat2wasm in PATH; the command is $QIP, else
// build/qip. Without node the test is skipped. Bounded: few and small images where sanitizers make
// everything slow.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "spec-tests/process.hpp"

namespace qip {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kIsSlow = true;
#elif defined(__has_feature)
constexpr bool kIsSlow =
    __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer);
#else
constexpr bool kIsSlow = false;
#endif

TEST(TileDifferential, random_images_and_filters_give_the_bytes_that_another_engine_gives) {
  if (run_process({"node", "--version"}).exit_code != 0) {
    GTEST_SKIP() << "needs node, the other engine";
  }
  const char* const qip = getenv("QIP");
  std::vector<std::string> command = {"node", "spec-tests/tile_differential.mjs", "--qip",
                                      qip != nullptr ? qip : "build/qip"};
  const std::vector<std::string> size =
      kIsSlow ? std::vector<std::string>{"--images", "2", "--max-side", "100"}
              : std::vector<std::string>{"--images", "20", "--max-side", "200"};
  command.insert(command.end(), size.begin(), size.end());
  ProcessOptions options;
  options.timeout_ms = 300'000;
  const ProcessResult run = run_process(command, options);
  EXPECT_EQ(run.exit_code, 0) << run.output << run.error;
  EXPECT_NE(run.output.find(", 0 differences"), std::string::npos) << run.output;
}

}  // namespace
}  // namespace qip
