// How functions and imports are named in messages.
#include "host/module_text.hpp"

#include <gtest/gtest.h>

#include <string>

#include "host/test_modules.hpp"
#include "loader/loader.hpp"

namespace qip {
namespace {

using namespace qip::test;

Module valid_module(const ModuleBuilder& builder) {
  Result<Module, LoadError> module = decode(builder.bytes());
  EXPECT_TRUE(module.ok()) << describe(module.error());
  Result<ValidatedModule, LoadError> validated = validate(std::move(module.value()));
  EXPECT_TRUE(validated.ok()) << describe(validated.error());
  return validated.value().module();
}

TEST(FunctionText, AFunctionWithoutANameIsANumber) {
  EXPECT_EQ(function_text(valid_module(ModuleBuilder().function("", {}, {}, {})), 0), "function 0");
}

TEST(FunctionText, TheNameSectionComesBeforeTheExport) {
  ModuleBuilder builder;
  builder.function("exported", {}, {}, {}).function("", {}, {}, {}).function("f", {}, {}, {});
  builder.function_name(0, "inner");
  const Module module = valid_module(builder);
  EXPECT_EQ(function_text(module, 0), "function 0 \"inner\"");
  EXPECT_EQ(function_text(module, 1), "function 1");
  EXPECT_EQ(function_text(module, 2), "function 2 \"f\"");
}

TEST(FunctionText, AnExportOfAnotherKindGivesNoName) {
  ModuleBuilder builder;
  builder.memory(1).function("", {}, {}, {});
  EXPECT_EQ(function_text(valid_module(builder), 0), "function 0");
}

TEST(FunctionText, NamesCannotDisturbTheTerminalOrTheSentence) {
  ModuleBuilder builder;
  builder.function("a\x1b[2J\n\" \u202E\u0085", {}, {}, {});
  EXPECT_EQ(function_text(valid_module(builder), 0),
            "function 0 \"a\\1b[2J\\0a\\22 \\u{202e}\\c2\\85\"");
}

TEST(FunctionText, LongNamesAreCut) {
  ModuleBuilder builder;
  builder.function(std::string(50'000, 'x'), {}, {}, {});
  EXPECT_LT(function_text(valid_module(builder), 0).size(), 150);
}

TEST(ImportsText, NamesTheFirstAndCountsTheOthers) {
  ModuleBuilder builder;
  builder.import_function("env", "print");
  EXPECT_EQ(imports_text(valid_module(builder)), "env.print (function)");
  builder.import_global("env", "base").import_global("env", "top");
  EXPECT_EQ(imports_text(valid_module(builder)), "env.print (function) and 2 more");
}

TEST(ImportsText, NamesAreEscapedAndCut) {
  ModuleBuilder builder;
  builder.import_global("e\nv", std::string(50'000, 'x'));
  const std::string text = imports_text(valid_module(builder));
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_LT(text.size(), 300);
}

}  // namespace
}  // namespace qip
