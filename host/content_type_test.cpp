// Content types: syntax, declarations of hostile guests, and the rules of composition.
#include "host/content_type.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "host/test_modules.hpp"

namespace qip {
namespace {

using namespace qip::test;

// --- Syntax --------------------------------------------------------------------------------------

std::string parsed(std::string_view text) {
  const Result<ContentType, std::string> type = parse_content_type(text);
  return type.ok() ? type.value().value() : "! " + type.error();
}

TEST(ContentTypeSyntax, TypesThatAreValid) {
  for (const char* text : {"text/html", "image/svg+xml", "application/vnd.ms-excel", "a/b", "1/2",
                           "x!#$&-^_.+/y!#$&-^_.+", "application/x-tar"}) {
    EXPECT_EQ(parsed(text), text);
  }
}

TEST(ContentTypeSyntax, IsTrimmedAndLowerCased) {
  EXPECT_EQ(parsed("Text/HTML"), "text/html");
  EXPECT_EQ(parsed(" \t\r\n\v\ftext/html\f\v\n\r\t "), "text/html");
}

TEST(ContentTypeSyntax, ListsParametersAndRangesAreErrors) {
  EXPECT_EQ(parsed("text/html,text/plain"), "! content type must contain exactly one MIME type");
  EXPECT_EQ(parsed("text/html;q=1, text/plain"),
            "! content type must contain exactly one MIME type");
  EXPECT_EQ(parsed("text/html; charset=utf-8"), "! content type must not have parameters");
  EXPECT_EQ(parsed("text/html;"), "! content type must not have parameters");
  for (const char* text : {"*/*", "text/*", "*", "te*xt/html"}) {
    EXPECT_EQ(parsed(text), "! content type must not be a range");
  }
}

TEST(ContentTypeSyntax, BothNamesAreNeeded) {
  for (const std::string text :
       {"", "text", "/", "text/", "/html", "text/html/x", "text//html", "text /html", "text/ html",
        "te\txt/html", ".x/y", "x/-y", "x/+y", "x/y%", "x/y'", "x/(y)", "x/y=z", "x/y~", "x/<y>"}) {
    EXPECT_EQ(parsed(text), "! content type must be type/subtype, not \"" +
                                (text == "te\txt/html" ? "te\\09xt/html" : text) + "\"");
  }
  EXPECT_EQ(parsed(" \n"), "! content type must be type/subtype, not \"\"");
}

TEST(ContentTypeSyntax, MessagesHoldNoControlCharacters) {
  EXPECT_EQ(parsed("text/\x1b[2J"), "! content type must be type/subtype, not \"text/\\1b[2J\"");
  EXPECT_EQ(parsed("text/html\r\nX: y"),
            "! content type must be type/subtype, not \"text/html\\0d\\0aX: y\"");
  EXPECT_EQ(parsed(std::string_view("text/html\0", 10)),
            "! content type must be type/subtype, not \"text/html\\00\"");
  EXPECT_EQ(parsed("text/h\xC3\xA9"),
            "! content type must be type/subtype, not \"text/h\xC3\xA9\"");
}

TEST(ContentTypeSyntax, NamesHaveALimit) {
  const std::string longest(127, 'x');
  EXPECT_EQ(parsed(longest + "/" + longest), longest + "/" + longest);
  EXPECT_TRUE(parsed("a/x" + longest).starts_with("! content type must be type/subtype"));
  EXPECT_TRUE(parsed("x" + longest + "/a").starts_with("! content type must be type/subtype"));
  EXPECT_EQ(parsed(longest + "/" + longest + " "),
            "! content type must not be longer than 255 bytes");
}

// --- Declarations --------------------------------------------------------------------------------

struct Read {
  DeclaredTypes types;
  std::string error;
  HostErrorClass error_class = HostErrorClass::Contract;
};

Read read_types(const ModuleBuilder& builder, const RunLimits& limits = {}) {
  const Result<Component, HostError> component =
      load_component("guest.wasm", builder.bytes(), limits);
  EXPECT_TRUE(component.ok()) << component.error().message;
  TimedBudget budget(limits);
  budget.resume();
  Result<std::unique_ptr<ComponentInstance>, HostError> instance =
      ComponentInstance::create(component.value(), budget);
  EXPECT_TRUE(instance.ok()) << instance.error().message;
  Result<DeclaredTypes, HostError> types = read_declared_types(*instance.value());
  Read read;
  if (types.ok()) {
    read.types = types.value();
  } else {
    read.error = types.error().message;
    read.error_class = types.error().error_class;
  }
  return read;
}

constexpr const char* kDirections[] = {"input", "output"};

std::string pointer_name(const std::string& direction) {
  return direction + "_content_type_ptr";
}
std::string size_name(const std::string& direction) {
  return direction + "_content_type_size";
}
std::string invalid(const std::string& direction) {
  return "guest.wasm: invalid " + direction + " content type metadata: ";
}

ModuleBuilder declaring(const std::string& direction, uint32_t pointer, uint32_t size,
                        std::string_view text = "text/html") {
  ModuleBuilder builder;
  builder.memory(1)
      .data(100, text)
      .value(pointer_name(direction), pointer)
      .value(size_name(direction), size);
  return builder;
}

TEST(DeclaredTypes, NothingDeclaredIsUnspecified) {
  ModuleBuilder builder;
  const Read read = read_types(builder.memory(1));
  EXPECT_EQ(read.error, "");
  EXPECT_EQ(read.types.input, std::nullopt);
  EXPECT_EQ(read.types.output, std::nullopt);
}

TEST(DeclaredTypes, BothDirectionsByFunctionsOrGlobals) {
  for (const bool as_globals : {false, true}) {
    for (const bool is_mutable : {false, true}) {
      ModuleBuilder builder;
      builder.memory(1).data(100, "text/markdown Text/HTML ");
      const auto value = [&](const std::string& name, uint32_t number) {
        if (as_globals) {
          builder.global(name, kI32, is_mutable, i32_const(number));
        } else {
          builder.value(name, number);
        }
      };
      value("output_content_type_size", 11);
      value("output_content_type_ptr", 113);
      value("input_content_type_size", 13);
      value("input_content_type_ptr", 100);
      const Read read = read_types(builder);
      EXPECT_EQ(read.error, "");
      EXPECT_EQ(read.types.input, "text/markdown");
      EXPECT_EQ(read.types.output, "text/html");
    }
  }
}

TEST(DeclaredTypes, OneDirectionAlone) {
  EXPECT_EQ(read_types(declaring("input", 100, 9)).types.input, "text/html");
  EXPECT_EQ(read_types(declaring("input", 100, 9)).types.output, std::nullopt);
  EXPECT_EQ(read_types(declaring("output", 100, 9)).types.input, std::nullopt);
  EXPECT_EQ(read_types(declaring("output", 100, 9)).types.output, "text/html");
}

TEST(DeclaredTypes, MayEndWhereTheMemoryEnds) {
  ModuleBuilder builder;
  builder.memory(1)
      .data(65533, "a/b")
      .value("input_content_type_ptr", 65533)
      .value("input_content_type_size", 3);
  EXPECT_EQ(read_types(builder).types.input, "a/b");
}

TEST(DeclaredTypes, HalfOfAPairIsAnError) {
  for (const std::string direction : kDirections) {
    const std::string expected = invalid(direction) + "module must export both " +
                                 pointer_name(direction) + " and " + size_name(direction) +
                                 " together";
    for (const std::string& present : {pointer_name(direction), size_name(direction)}) {
      ModuleBuilder value, global;
      EXPECT_EQ(read_types(value.memory(1).value(present, 1)).error, expected);
      global.memory(1).global(present, kI32, false, i32_const(1));
      EXPECT_EQ(read_types(global).error, expected);
    }
  }
}

TEST(DeclaredTypes, ExportOfAnotherKindIsNoHalf) {
  for (const std::string direction : kDirections) {
    ModuleBuilder half, alone;
    half.memory(1, pointer_name(direction)).value(size_name(direction), 1);
    alone.memory(1, size_name(direction));
    for (const ModuleBuilder& builder : {half, alone}) {
      EXPECT_EQ(read_types(builder).error, invalid(direction) + "module must export both " +
                                               pointer_name(direction) + " and " +
                                               size_name(direction) + " together");
    }
  }
}

TEST(DeclaredTypes, EmptyIsAnError) {
  for (const std::string direction : kDirections) {
    EXPECT_EQ(read_types(declaring(direction, 100, 0)).error,
              invalid(direction) + "module export " + size_name(direction) +
                  " must be non-empty when present");
  }
}

TEST(DeclaredTypes, OutsideTheMemoryIsAnError) {
  const struct {
    uint32_t pointer, size;
  } rows[] = {{65536, 1},       {65535, 2},        {0, 65537},      {0xFFFFFFFF, 1},
              {0xFFFFFFFF, 2},  {100, 0xFFFFFFFF}, {0, 0xFFFFFFFF}, {0x80000000, 0x80000000},
              {0xFFFFFFF7, 100}};
  for (const std::string direction : kDirections) {
    for (const auto& row : rows) {
      EXPECT_EQ(read_types(declaring(direction, row.pointer, row.size)).error,
                invalid(direction) + "failed to read " + direction + " bytes from module memory")
          << row.pointer << " " << row.size;
    }
  }
}

TEST(DeclaredTypes, WithoutAMemoryIsAnError) {
  ModuleBuilder builder;
  builder.value("input_content_type_ptr", 0).value("input_content_type_size", 1);
  EXPECT_EQ(read_types(builder).error,
            invalid("input") + "failed to read input bytes from module memory");
}

TEST(DeclaredTypes, LongerThanAnyTypeIsAnError) {
  for (const uint32_t size : {256u, 65536u}) {
    EXPECT_EQ(read_types(declaring("input", 0, size)).error,
              invalid("input") + "content type must not be longer than 255 bytes");
  }
}

TEST(DeclaredTypes, SyntaxIsCheckedAndEscaped) {
  EXPECT_EQ(read_types(declaring("output", 100, 10, "text/html,")).error,
            invalid("output") + "content type must contain exactly one MIME type");
  EXPECT_EQ(read_types(declaring("output", 100, 6, "a/\x1b[2J")).error,
            invalid("output") + "content type must be type/subtype, not \"a/\\1b[2J\"");
  EXPECT_EQ(read_types(declaring("input", 200, 2)).error,
            invalid("input") + "content type must be type/subtype, not \"\\00\\00\"");
}

TEST(DeclaredTypes, ValuesOfTheWrongTypeAreErrorsOfTheMetadata) {
  ModuleBuilder wide, taking, trapping;
  wide.memory(1)
      .global("input_content_type_ptr", kI64, false, i64_const(0))
      .value("input_content_type_size", 1);
  EXPECT_EQ(read_types(wide).error, invalid("input") +
                                        "Wasm module must export input_content_type_ptr as global "
                                        "or function of type i32, not i64");
  taking.memory(1)
      .value("output_content_type_ptr", 0)
      .function("output_content_type_size", {kI32}, {kI32}, i32_const(1));
  EXPECT_EQ(
      read_types(taking).error,
      invalid("output") + "output_content_type_size() call failed: it takes 1 parameter, want 0");
  trapping.memory(1)
      .function("input_content_type_ptr", {}, {kI32}, unreachable())
      .value("input_content_type_size", 1);
  const Read read = read_types(trapping);
  EXPECT_TRUE(read.error.starts_with(
      invalid("input") + "input_content_type_ptr() call failed: wasm error: unreachable"))
      << read.error;
  EXPECT_EQ(read.error_class, HostErrorClass::Trap);
}

TEST(DeclaredTypes, EndlessValueEndsWithTheBudget) {
  ModuleBuilder builder;
  builder.memory(1)
      .value("input_content_type_ptr", 0)
      .function("input_content_type_size", {}, {kI32}, loop_forever() + i32_const(1));
  RunLimits limits;
  limits.time = std::chrono::seconds(20);
  limits.fuel = 1000;
  const Read read = read_types(builder, limits);
  EXPECT_EQ(read.error_class, HostErrorClass::Budget);
  EXPECT_TRUE(read.error.starts_with("guest.wasm: input_content_type_size() call failed: "))
      << read.error;
}

TEST(DeclaredTypes, MemoryMayGrowWhileTheyAreRead) {
  ModuleBuilder builder;
  builder.memory(1)
      .data(100, "text/html")
      .value("input_content_type_ptr", 100)
      .function("input_content_type_size", {}, {kI32},
                i32_const(1) + memory_grow() + drop() + i32_const(9));
  EXPECT_EQ(read_types(builder).types.input, "text/html");
}

// --- Composition ---------------------------------------------------------------------------------

std::string accepted(const ContentType& incoming, const ContentType& expected, bool is_first,
                     FirstStageTrust trust) {
  const Result<ContentType, std::string> type =
      accept_content_type(incoming, DeclaredTypes{expected, "out/put"}, is_first, trust);
  if (!type.ok()) return "! " + type.error();
  return type.value() ? *type.value() : "unspecified";
}

TEST(AcceptContentType, WithoutADeclarationEverythingIsAccepted) {
  for (const bool is_first : {true, false}) {
    for (const FirstStageTrust trust : {FirstStageTrust::Trust, FirstStageTrust::None}) {
      EXPECT_EQ(accepted("text/html", std::nullopt, is_first, trust), "text/html");
      EXPECT_EQ(accepted(std::nullopt, std::nullopt, is_first, trust), "unspecified");
    }
  }
}

TEST(AcceptContentType, DeclaredTypeMustMatchExactly) {
  for (const bool is_first : {true, false}) {
    for (const FirstStageTrust trust : {FirstStageTrust::Trust, FirstStageTrust::None}) {
      EXPECT_EQ(accepted("text/html", "text/html", is_first, trust), "text/html");
      EXPECT_EQ(accepted("text/plain", "text/html", is_first, trust),
                "! module expects \"text/html\", got \"text/plain\"");
    }
  }
}

TEST(AcceptContentType, OnlyATrustedFirstStageMakesUpTheType) {
  const char* const unspecified =
      "! module expects \"text/html\" but pipeline content type is unspecified";
  EXPECT_EQ(accepted(std::nullopt, "text/html", true, FirstStageTrust::Trust), "text/html");
  EXPECT_EQ(accepted(std::nullopt, "text/html", true, FirstStageTrust::None), unspecified);
  EXPECT_EQ(accepted(std::nullopt, "text/html", false, FirstStageTrust::Trust), unspecified);
  EXPECT_EQ(accepted(std::nullopt, "text/html", false, FirstStageTrust::None), unspecified);
}

TEST(AcceptContentType, MessagesHoldNoControlCharacters) {
  EXPECT_EQ(accepted("a/\x1b", "text/html", false, FirstStageTrust::None),
            "! module expects \"text/html\", got \"a/\\1b\"");
}

TEST(OutgoingContentType, DeclaredElsePreservedElseUnspecified) {
  const DeclaredTypes declared = {std::nullopt, "text/html"};
  const DeclaredTypes silent = {"text/markdown", std::nullopt};
  for (const bool keeps_type : {true, false}) {
    EXPECT_EQ(outgoing_content_type("text/plain", declared, keeps_type), "text/html");
    EXPECT_EQ(outgoing_content_type(std::nullopt, declared, keeps_type), "text/html");
    EXPECT_EQ(outgoing_content_type(std::nullopt, silent, keeps_type), std::nullopt);
  }
  EXPECT_EQ(outgoing_content_type("text/plain", silent, true), "text/plain");
  EXPECT_EQ(outgoing_content_type("text/plain", silent, false), std::nullopt);
}

}  // namespace
}  // namespace qip
