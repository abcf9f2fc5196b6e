// The shape of a recipes folder: every rule and every text, the order of a chain, and what it says
// that it makes.
#include "host/site/recipes.hpp"

#include "host/pipeline.hpp"
#include "host/site/test_site.hpp"

namespace qip {
namespace {

using test::echo_builder;
using test::echo_component;
using test::TestFolder;
using test::operator+;

class RecipesTest : public testing::Test {
 protected:
  Result<Recipes, HostError> load() const {
    Result<SiteFolder, std::string> folder = SiteFolder::open(root_.path(), "recipes");
    if (!folder.ok()) return file_error(folder.error());
    const auto listing = folder.value().list();
    if (!listing.ok()) return file_error(listing.error());
    const RunLimits limits{.time = std::chrono::milliseconds(500)};
    ModuleSet modules(limits);
    return load_recipes(folder.value(), listing.value(), modules, limits);
  }
  Recipes recipes() const {
    Result<Recipes, HostError> loaded = load();
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    return loaded.ok() ? std::move(loaded.value()) : Recipes();
  }
  std::string error() const {
    const Result<Recipes, HostError> loaded = load();
    return loaded.ok() ? "" : loaded.error().message;
  }
  // The error if only this file were there.
  std::string error_of(const std::string& name) {
    root_.put(name, echo_component());
    std::string text = error();
    root_.remove(name);
    return text;
  }
  // The file names of a chain, in order.
  static std::vector<std::string> names(const RecipeChain& chain) {
    std::vector<std::string> all;
    for (const Stage& stage : chain.stages) {
      all.push_back(stage.component.path.substr(stage.component.path.rfind('/') + 1));
    }
    return all;
  }
  ContentType declared() const { return recipes().begin()->second.declared_output; }

  TestFolder root_;
};

using Names = std::vector<std::string>;

TEST_F(RecipesTest, AChainRunsInTheOrderOfItsNumbers) {
  root_.put("text/markdown/20-b.wasm", echo_component());
  root_.put("text/markdown/05-z.wasm", echo_component("text/markdown"));
  root_.put("text/markdown/99-a.wasm", echo_component("text/html"));
  root_.put("text/markdown/00-c.wasm", echo_component(nullptr, "text/html"));
  root_.put("image/svg+xml/10-x.wasm", echo_component());
  const Recipes loaded = recipes();
  ASSERT_EQ(loaded.size(), 2u);
  const RecipeChain& chain = loaded.at("text/markdown");
  EXPECT_EQ(names(chain), (Names{"00-c.wasm", "05-z.wasm", "20-b.wasm", "99-a.wasm"}));
  EXPECT_EQ(names(loaded.at("image/svg+xml")), Names{"10-x.wasm"});
  EXPECT_EQ(chain.stages[1].component.path, root_.path("text/markdown/05-z.wasm"));
  ASSERT_EQ(chain.digests.size(), 4u);
  Xxh3 digest;
  digest.update(echo_component("text/markdown"));
  EXPECT_EQ(chain.digests[1], digest.digest());
}

TEST_F(RecipesTest, AnEmptyFolderHasNone) {
  EXPECT_TRUE(recipes().empty());
}

TEST_F(RecipesTest, OtherFilesAreIgnored) {
  root_.put("README.md", "x");
  root_.put("text/markdown/notes.txt", "x");
  root_.put("text/markdown/10-A.WASM", "no module");
  root_.put("text/markdown/10-a.wasm.bak", "no module");
  root_.put("a/b/c/d/e.wat", "x");
  EXPECT_TRUE(recipes().empty());
}

TEST_F(RecipesTest, ADashDisablesAComponentUnread) {
  root_.put("text/markdown/-10-a.wasm", "no module");
  EXPECT_TRUE(recipes().empty());
  root_.put("text/markdown/10-b.wasm", echo_component());
  EXPECT_EQ(names(recipes().at("text/markdown")), Names{"10-b.wasm"});
}

TEST_F(RecipesTest, ADisabledNameIsChecked) {
  EXPECT_EQ(error_of("text/markdown/-a0-x.wasm"),
            "invalid recipe filename \"text/markdown/-a0-x.wasm\": "
            "filename prefix must be two digits");
  EXPECT_EQ(error_of("text/markdown/--10-x.wasm"),
            "invalid recipe filename \"text/markdown/--10-x.wasm\": "
            "filename prefix must be two digits");
  EXPECT_EQ(error_of("text/markdown/-99-wrap.wasm"), "");
}

TEST_F(RecipesTest, AFileAtAnotherDepthIsAnError) {
  for (const std::string name : {"top.wasm", "text/10-a.wasm", "text/markdown/x/10-a.wasm"}) {
    EXPECT_EQ(error_of(name), "recipe path \"" + name + "\" must match <type>/<subtype>/<file>");
  }
}

TEST_F(RecipesTest, AFolderThatIsNoTypeIsAnError) {
  for (const std::string name : {"text/*/10-a.wasm", "te xt/plain/10-a.wasm", "text/é/10-a.wasm",
                                 "text/plain;q=1/10-a.wasm"}) {
    EXPECT_EQ(error_of(name), "recipe path \"" + name + "\" must match <type>/<subtype>/<file>");
  }
}

TEST_F(RecipesTest, BadNamesAreErrors) {
  const std::pair<const char*, const char*> rows[] = {
      {"a0-x", "filename prefix must be two digits"},
      {"1-x", "filename prefix must be two digits"},
      {"0x-x", "filename prefix must be two digits"},
      {"x", "filename prefix must be two digits"},
      {"", "filename prefix must be two digits"},
      {"-", "filename prefix must be two digits"},
      {"10", "filename must match NN-name.wasm"},
      {"100-x", "filename must match NN-name.wasm"},
      {"10_x", "filename must match NN-name.wasm"},
      {"10-", "recipe name must not be empty"},
      {"-10-", "recipe name must not be empty"},
      {"10-\xc3\xa9", "filename must be ASCII"},
      {"\xd9\xa1\xd9\xa0-x", "filename must be ASCII"}};
  for (const auto& [name, text] : rows) {
    const std::string path = "text/markdown/" + std::string(name) + ".wasm";
    EXPECT_EQ(error_of(path), "invalid recipe filename \"" + path + "\": " + text);
  }
}

TEST_F(RecipesTest, TwoEnabledOfOneNumberAreAnError) {
  root_.put("text/markdown/42-a.wasm", echo_component());
  root_.put("text/markdown/42-b.wasm", "no module");
  EXPECT_EQ(error(),
            "duplicate recipe prefix for text/markdown: 42 in \"text/markdown/42-a.wasm\" and "
            "\"text/markdown/42-b.wasm\"");
  root_.remove("text/markdown/42-b.wasm");
  root_.put("text/markdown/-42-b.wasm", "no module");
  root_.put("text/html/42-b.wasm", echo_component());
  EXPECT_EQ(error(), "");
}

TEST_F(RecipesTest, TypesAreInLowerCase) {
  root_.put("Text/Markdown/01-a.wasm", echo_component());
  root_.put("text/markdown/02-b.wasm", echo_component());
  const Recipes loaded = recipes();
  ASSERT_EQ(loaded.size(), 1u);
  EXPECT_EQ(names(loaded.at("text/markdown")), (Names{"01-a.wasm", "02-b.wasm"}));
  root_.put("Text/markdown/02-c.wasm", echo_component());
  EXPECT_EQ(error(),
            "duplicate recipe prefix for text/markdown: 02 in \"text/markdown/02-b.wasm\" and "
            "\"Text/markdown/02-c.wasm\"");
}

TEST_F(RecipesTest, NamesAreCheckedBeforeAnythingIsCompiled) {
  root_.put("a/b/10-a.wasm", "no module");
  root_.put("text/markdown/zz.wasm", echo_component());
  EXPECT_TRUE(error().starts_with("invalid recipe filename")) << error();
}

TEST_F(RecipesTest, AModuleThatDoesNotCompileIsAnError) {
  root_.put("text/markdown/10-a.wasm", "no module");
  EXPECT_TRUE(error().starts_with("wasm module \"" + root_.path("text/markdown/10-a.wasm") +
                                  "\" could not be compiled: "))
      << error();
}

TEST_F(RecipesTest, AModuleWithImportsIsAnError) {
  root_.put("text/markdown/10-a.wasm",
            test::ModuleBuilder().import_function("env", "f").memory(1).bytes());
  EXPECT_TRUE(error().starts_with(root_.path("text/markdown/10-a.wasm") + ": ")) << error();
  EXPECT_NE(error().find("imports env.f"), std::string::npos) << error();
}

// A tile component cannot take text; check_chain() knows.
TEST_F(RecipesTest, ComponentsThatDoNotFitAreAnError) {
  test::ModuleBuilder tile;
  tile.memory(2).value("input_ptr", 0).value("input_bytes_cap", 65'536);
  tile.function("tile_rgba32float_64x64", {test::kF32, test::kF32}, {}, {});
  root_.put("text/markdown/10-a.wasm", echo_component());
  root_.put("text/markdown/20-b.wasm", tile.bytes());
  EXPECT_NE(error().find("20-b.wasm"), std::string::npos) << error();
}

TEST_F(RecipesTest, DeclaredOutputIsThatOfTheLastThatDeclares) {
  root_.put("text/x/10-a.wasm", echo_component(nullptr, "text/html"));
  EXPECT_EQ(declared(), ContentType("text/html"));
  root_.put("text/x/20-b.wasm", echo_component());
  EXPECT_EQ(declared(), ContentType("text/html"));
  root_.put("text/x/30-c.wasm", echo_component(nullptr, "image/svg+xml"));
  EXPECT_EQ(declared(), ContentType("image/svg+xml"));
}

TEST_F(RecipesTest, NothingIsDeclaredByASilentChain) {
  root_.put("text/x/10-a.wasm", echo_component("text/x"));
  EXPECT_EQ(declared(), ContentType());
}

TEST_F(RecipesTest, ATypeEndsWhereItemsOrNothingComeOut) {
  root_.put("text/x/10-a.wasm", echo_component(nullptr, "text/html"));
  test::ModuleBuilder items;
  items.memory(1).value("input_ptr", 0).value("input_utf8_cap", 100);
  items.value("output_ptr", 0).value("output_i32_cap", 10);
  items.function("run", {test::kI32}, {test::kI32}, test::i32_const(1));
  root_.put("text/x/20-b.wasm", items.bytes());
  EXPECT_EQ(declared(), ContentType());

  test::ModuleBuilder empty;
  empty.memory(1).value("input_ptr", 0).value("input_utf8_cap", 100);
  empty.value("output_ptr", 0).value("output_utf8_cap", 0);
  empty.function("run", {test::kI32}, {test::kI32}, test::i32_const(0));
  root_.put("text/x/20-b.wasm", empty.bytes());
  EXPECT_EQ(declared(), ContentType());
}

TEST_F(RecipesTest, AComponentThatNeverAnswersDelaysNoLongerThanTheLimit) {
  test::ModuleBuilder endless;
  endless.memory(1).function("input_ptr", {}, {test::kI32},
                             test::loop_forever() + test::i32_const(0));
  endless.value("input_utf8_cap", 1)
      .function("run", {test::kI32}, {test::kI32}, test::local_get(0));
  root_.put("text/x/10-a.wasm", endless.bytes());
  EXPECT_EQ(declared(), ContentType());
}

// The entry is not run while a site is loaded, nor is a start function.
TEST_F(RecipesTest, NothingButValuesRuns) {
  root_.put(
      "text/x/10-a.wasm",
      echo_builder(nullptr, "text/html").function("_start", {}, {}, test::unreachable()).bytes());
  EXPECT_EQ(declared(), ContentType("text/html"));
}

}  // namespace
}  // namespace qip
