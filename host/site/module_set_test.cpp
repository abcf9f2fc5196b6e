// What is compiled once, what again, and what is refused.
#include "host/site/module_set.hpp"

#include "host/site/test_site.hpp"

namespace qip {
namespace {

using test::echo_builder;
using test::echo_component;
using test::TestFolder;
using test::operator+;

class ModuleSetTest : public testing::Test {
 protected:
  void SetUp() override {
    Result<SiteFolder, std::string> folder = SiteFolder::open(root_.path(), "recipes");
    ASSERT_TRUE(folder.ok());
    folder_.emplace(std::move(folder.value()));
  }
  SiteModule loaded(ModuleSet& set, const std::string& name) {
    Result<SiteModule, HostError> module = set.load(*folder_, name);
    EXPECT_TRUE(module.ok()) << module.error().message;
    return module.ok() ? std::move(module.value()) : SiteModule{};
  }
  std::string error(ModuleSet& set, const std::string& name) {
    const Result<SiteModule, HostError> module = set.load(*folder_, name);
    return module.ok() ? "" : module.error().message;
  }

  TestFolder root_;
  std::optional<SiteFolder> folder_;
};

TEST_F(ModuleSetTest, EqualBytesAreCompiledOnce) {
  root_.put("a.wasm", echo_component());
  root_.put("b/c.wasm", echo_component());
  root_.put("other.wasm", echo_component("text/plain"));
  ModuleSet set(RunLimits{});
  const SiteModule a = loaded(set, "a.wasm");
  const SiteModule c = loaded(set, "b/c.wasm");
  const SiteModule other = loaded(set, "other.wasm");
  EXPECT_EQ(a.component.code, c.component.code);
  EXPECT_EQ(a.digest, c.digest);
  EXPECT_NE(a.component.code, other.component.code);
  EXPECT_NE(a.digest, other.digest);
}

TEST_F(ModuleSetTest, EachFileKeepsItsName) {
  root_.put("a.wasm", echo_component());
  root_.put("b/c.wasm", echo_component());
  ModuleSet set(RunLimits{});
  EXPECT_EQ(loaded(set, "a.wasm").component.path, root_.path("a.wasm"));
  EXPECT_EQ(loaded(set, "b/c.wasm").component.path, root_.path("b/c.wasm"));
}

TEST_F(ModuleSetTest, TheDigestIsOfTheFile) {
  const test::Bytes bytes = echo_component();
  root_.put("a.wasm", bytes);
  ModuleSet set(RunLimits{});
  Xxh3 digest;
  digest.update(bytes);
  EXPECT_EQ(loaded(set, "a.wasm").digest, digest.digest());
}

TEST_F(ModuleSetTest, WhatHasNotChangedIsTakenOver) {
  root_.put("a.wasm", echo_component());
  root_.put("b.wasm", echo_component("text/plain"));
  ModuleSet first(RunLimits{});
  const SiteModule a = loaded(first, "a.wasm");
  const SiteModule b = loaded(first, "b.wasm");

  root_.put("b.wasm", echo_component("text/html"));
  ModuleSet second(RunLimits{}, &first);
  EXPECT_EQ(loaded(second, "a.wasm").component.code, a.component.code);
  EXPECT_NE(loaded(second, "b.wasm").component.code, b.component.code);
  second.forget_previous();

  // What the second took over reaches the third.
  ModuleSet third(RunLimits{}, &second);
  EXPECT_EQ(loaded(third, "a.wasm").component.code, a.component.code);
}

TEST_F(ModuleSetTest, WhatIsNoLongerUsedIsLetGo) {
  root_.put("a.wasm", echo_component());
  auto first = std::make_unique<ModuleSet>(RunLimits{});
  const std::weak_ptr<const Code> code = loaded(*first, "a.wasm").component.code;
  ModuleSet second(RunLimits{}, first.get());
  second.forget_previous();
  EXPECT_FALSE(code.expired());
  first.reset();
  EXPECT_TRUE(code.expired());
}

TEST_F(ModuleSetTest, CodeThatCountsFuelIsOtherCode) {
  root_.put("a.wasm", echo_component());
  ModuleSet plain(RunLimits{});
  const SiteModule without = loaded(plain, "a.wasm");
  ModuleSet counting(RunLimits{.fuel = 1'000}, &plain);
  EXPECT_NE(loaded(counting, "a.wasm").component.code, without.component.code);
}

TEST_F(ModuleSetTest, ThePolicyHoldsForWhatIsTakenOver) {
  root_.put("a.wasm",
            echo_builder()
                .function("f", {}, {}, test::i32_const(0) + test::memory_grow() + test::drop())
                .bytes());
  ModuleSet open(RunLimits{});
  loaded(open, "a.wasm");
  RunLimits limits;
  limits.policy.fixed_memory = true;
  ModuleSet fixed(limits, &open);
  EXPECT_TRUE(error(fixed, "a.wasm")
                  .starts_with("Wasm module \"" + root_.path("a.wasm") + "\" rejected by policy: "))
      << error(fixed, "a.wasm");
}

TEST_F(ModuleSetTest, ErrorsNameTheFile) {
  root_.put("text.wasm", "no module");
  root_.put("b\nc.wasm", "no module");
  root_.make_folder("folder.wasm");
  ModuleSet set(RunLimits{});
  const std::string start = "wasm module \"" + root_.path();
  EXPECT_TRUE(error(set, "text.wasm").starts_with(start + "/text.wasm\" could not be compiled: "));
  EXPECT_TRUE(error(set, "b\nc.wasm").starts_with(start + "/b\\x0ac.wasm\" could not be compiled"));
  EXPECT_EQ(error(set, "none.wasm"),
            "Error reading file: open none.wasm: no such file or directory");
  EXPECT_EQ(error(set, "folder.wasm"), "Error reading file: open folder.wasm: not a regular file");
}

TEST_F(ModuleSetTest, ABrokenFileIsNotRemembered) {
  root_.put("a.wasm", "no module");
  ModuleSet first(RunLimits{});
  EXPECT_NE(error(first, "a.wasm"), "");
  root_.put("a.wasm", echo_component());
  ModuleSet second(RunLimits{}, &first);
  loaded(second, "a.wasm");
}

}  // namespace
}  // namespace qip
