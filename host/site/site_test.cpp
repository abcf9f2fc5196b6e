// A site as a whole: what its four folders come to, what it refuses, and what a second generation
// has in common with the first.
#include "host/site/site.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "host/site/elements.hpp"
#include "host/site/test_site.hpp"

namespace qip {
namespace {

using test::echo_component;
using test::TestFolder;
using Names = std::vector<std::string>;
using SharedSite = std::shared_ptr<const Site>;

class SiteTest : public testing::Test {
 protected:
  SiteTest() {
    options_.content = root_.path("site");
    root_.make_folder("site");
  }
  void put(const std::string& name, std::string_view text = "x") {
    root_.put("site/" + name, text);
  }
  void put(const std::string& name, const test::Bytes& bytes) { root_.put("site/" + name, bytes); }
  std::string path(const std::string& name) const { return root_.path("site/" + name); }

  SharedSite load(const Site* previous = nullptr) const {
    Result<SharedSite, HostError> site = Site::load(options_, previous);
    EXPECT_TRUE(site.ok()) << site.error().message;
    return site.ok() ? std::move(site.value()) : nullptr;
  }
  std::string error() const {
    const Result<SharedSite, HostError> site = Site::load(options_);
    return site.ok() ? "" : site.error().message;
  }
  static std::string file_at(const Site& site, std::string_view path) {
    const Route* const route = site.find(path);
    return route == nullptr ? "404" : route->file;
  }
  static Names listed(const Site& site) {
    Names paths;
    for (const Route* route : site.listed()) paths.push_back(route->path);
    return paths;
  }

  TestFolder root_;
  SiteOptions options_;
};

TEST_F(SiteTest, FindsExactlyThenWithTheSlashRemovedOrAdded) {
  put("index.md");
  put("about.html");
  put("docs/index.md");
  put("docs/guide.md");
  put("img.png");
  const SharedSite site = load();
  for (const char* at : {"/", "/index.md"}) EXPECT_EQ(file_at(*site, at), "index.md") << at;
  for (const char* at : {"/about", "/about/", "/about.html", "/about.html/"}) {
    EXPECT_EQ(file_at(*site, at), "about.html") << at;
  }
  for (const char* at : {"/docs", "/docs/", "/docs/index.md", "/docs/index.md/"}) {
    EXPECT_EQ(file_at(*site, at), "docs/index.md") << at;
  }
  EXPECT_EQ(file_at(*site, "/docs/guide"), "docs/guide.md");
  EXPECT_EQ(file_at(*site, "/img.png"), "img.png");
  for (const char* at : {"/index", "/docs/index", "/missing", "/about//", "about", "/ABOUT", "/img",
                         "/../site/about.html", "/about.html\xff"}) {
    EXPECT_EQ(file_at(*site, at), "404") << at;
  }
  EXPECT_EQ(file_at(*site, std::string("/about\0", 7)), "404");
}

TEST_F(SiteTest, AnEmptyFolderIsASite) {
  const SharedSite site = load();
  EXPECT_EQ(site->path_count(), 0u);
  EXPECT_EQ(site->recipe_count(), 0u);
  EXPECT_EQ(site->form_count(), 0u);
  EXPECT_TRUE(site->listed().empty());
  EXPECT_FALSE(site->has_forms());
  EXPECT_EQ(site->form("x"), nullptr);
  EXPECT_EQ(file_at(*site, "/"), "404");
}

TEST_F(SiteTest, RoutesAreListedByPathAndNumberedWithScriptsLast) {
  put("b.html");
  put("a/index.md");
  put("index.md");
  put("_forms/contact.wasm", echo_component());
  put("_components/snake.wasm");
  const SharedSite site = load();
  EXPECT_EQ(listed(*site),
            (Names{"/", "/_qip/forms/contact.wasm", "/a", "/b", "/components/snake.wasm"}));
  EXPECT_EQ(site->path_count(), 2u + 3u + 2u + 1u + 1u);
  ASSERT_EQ(site->routes().size(), 5 + built_in_scripts().size());
  for (size_t i = 0; i < site->routes().size(); i++) {
    EXPECT_EQ(site->routes()[i].number, i);
    EXPECT_EQ(site->routes()[i].kind == RouteKind::Script, i >= 5) << i;
  }
}

TEST_F(SiteTest, ChainsAreChosenByTheTypeOfTheSource) {
  put("a.md");
  put("b.markdown");
  put("c.html");
  put("_recipes/text/markdown/10-a.wasm", echo_component(nullptr, "text/html"));
  put("_recipes/application/wasm/10-b.wasm", echo_component());
  put("d.wasm");
  put("_components/e.wasm");
  const SharedSite site = load();
  EXPECT_EQ(site->recipe_count(), 2u);
  const Route* const markdown = site->find("/a");
  ASSERT_NE(markdown->chain, nullptr);
  EXPECT_EQ(markdown->media_type, "text/markdown");
  EXPECT_EQ(markdown->chain->declared_output, ContentType("text/html"));
  EXPECT_EQ(site->find("/b")->chain, markdown->chain);
  EXPECT_EQ(site->find("/c")->chain, nullptr);
  EXPECT_NE(site->find("/d.wasm")->chain, nullptr);
  EXPECT_EQ(site->find("/components/e.wasm")->chain, nullptr);
}

TEST_F(SiteTest, OwnFoldersAreNoContent) {
  for (const char* folder : {"_recipes", "_forms", "_components"}) {
    put(std::string(folder) + "/note.txt");
    put("docs/" + std::string(folder) + "/note.txt");
  }
  root_.make_folder("other");
  options_.recipes = options_.forms = options_.components = root_.path("other");
  const Names found = listed(*load());
  EXPECT_EQ(found, (Names{"/docs/_components/note.txt", "/docs/_forms/note.txt",
                          "/docs/_recipes/note.txt"}));
}

TEST_F(SiteTest, OptionsReplaceOwnFolders) {
  put("_recipes/top.wasm");  // wrong, but not looked at
  root_.put("r/text/markdown/10-a.wasm", echo_component());
  options_.recipes = root_.path("r");
  EXPECT_EQ(load()->recipe_count(), 1u);
  options_.recipes.reset();
  EXPECT_EQ(error(), "recipe path \"top.wasm\" must match <type>/<subtype>/<file>");
}

TEST_F(SiteTest, FormsAreNamedByTheirPaths) {
  put("_forms/contact.wasm", echo_component());
  put("_forms/nested/sign.up.wasm", echo_component("text/plain"));
  put("_forms/README.md");
  put("_forms/X.WASM", "no module");
  const SharedSite site = load();
  EXPECT_EQ(site->form_count(), 2u);
  EXPECT_TRUE(site->has_forms());
  ASSERT_NE(site->form("contact"), nullptr);
  ASSERT_NE(site->form("nested/sign.up"), nullptr);
  EXPECT_EQ(site->form("contact.wasm"), nullptr);
  EXPECT_EQ(site->form("X"), nullptr);
  Xxh3 digest;
  digest.update(echo_component());
  EXPECT_EQ(site->form("contact")->digest, digest.digest());
  const Route* const route = site->find("/_qip/forms/nested/sign.up.wasm");
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(route->kind, RouteKind::Form);
  EXPECT_EQ(route->media_type, "application/wasm");
  EXPECT_TRUE(site->folder_of(*route).open_file(route->file).ok());
}

TEST_F(SiteTest, AFormMustCompileAndBeSealed) {
  put("_forms/a.wasm", "no module");
  EXPECT_TRUE(
      error().starts_with("wasm module \"" + path("_forms/a.wasm") + "\" could not be compiled: "))
      << error();
  put("_forms/a.wasm", test::ModuleBuilder().import_function("env", "f").memory(1).bytes());
  EXPECT_TRUE(error().starts_with(path("_forms/a.wasm") + ": Wasm module could not be "
                                                          "instantiated: "))
      << error();
}

TEST_F(SiteTest, ComponentsAreOnlyPassedOn) {
  put("_components/games/snake.wasm", "no module at all");
  put("_components/snake.wat");
  const SharedSite site = load();
  const Route* const route = site->find("/components/games/snake.wasm");
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(route->kind, RouteKind::Component);
  EXPECT_EQ(route->media_type, "application/wasm");
  EXPECT_TRUE(site->folder_of(*route).stamp(route->file).ok());
  EXPECT_EQ(file_at(*site, "/components/snake.wat"), "404");
}

TEST_F(SiteTest, BuiltInScriptsHaveRoutes) {
  const SharedSite site = load();
  for (const BuiltInScript& script : built_in_scripts()) {
    const Route* const route = site->find("/_qip/" + std::string(script.name));
    ASSERT_NE(route, nullptr) << script.name;
    EXPECT_EQ(route->kind, RouteKind::Script);
    EXPECT_EQ(route->file, script.name);
    EXPECT_EQ(route->media_type, "text/javascript");
  }
}

TEST_F(SiteTest, TwoRoutesForOnePathAreAnErrorWhateverTheyAre) {
  put("a.html");
  put("a.md");
  EXPECT_EQ(error(), "duplicate route path \"/a\" for \"a.html\" and \"a.md\"");
  root_.remove("site/a.md");

  put("components/x.wasm");
  put("_components/x.wasm");
  EXPECT_EQ(error(),
            "duplicate route path \"/components/x.wasm\" for \"components/x.wasm\" and \"" +
                path("_components/x.wasm") + "\"");
  root_.remove("site/components");

  put("_qip/forms/f.wasm");
  put("_forms/f.wasm", echo_component());
  EXPECT_EQ(error(),
            "duplicate route path \"/_qip/forms/f.wasm\" for \"_qip/forms/f.wasm\" and \"" +
                path("_forms/f.wasm") + "\"");
  root_.remove("site/_qip");

  put("_qip/qip-form.js");
  EXPECT_EQ(error(),
            "duplicate route path \"/_qip/qip-form.js\" for \"_qip/qip-form.js\" and "
            "\"built-in qip-form.js\"");
  root_.remove("site/_qip");
  put("_qip/reload.md");
  EXPECT_EQ(error(),
            "duplicate route path \"/_qip/reload\" for \"_qip/reload.md\" and "
            "\"built-in reload\"");
  root_.remove("site/_qip");
  put("_qip/other.js");
  EXPECT_EQ(error(), "");
}

TEST_F(SiteTest, ErrorsOfEveryFolderAreTold) {
  const std::pair<std::optional<std::string> SiteOptions::*, const char*> folders[] = {
      {&SiteOptions::recipes, "recipes"},
      {&SiteOptions::forms, "forms"},
      {&SiteOptions::components, "components"}};
  root_.put("file", "x");
  for (const auto& [folder, role] : folders) {
    options_.*folder = root_.path("none");
    EXPECT_EQ(error(), "Invalid " + std::string(role) + " directory: open " + root_.path("none") +
                           ": no such file or directory");
    options_.*folder = root_.path("file");
    EXPECT_EQ(error(), "Invalid " + std::string(role) + " directory: \"" + root_.path("file") +
                           "\" is not a directory");
    options_.*folder = std::nullopt;
  }
  for (const std::string role : {"recipe", "form", "component"}) {
    root_.make_folder("site/_" + role + "s");
    ASSERT_EQ(mkfifo(path("_" + role + "s/pipe.wasm").c_str(), 0600), 0);
    EXPECT_EQ(error(), role + " entry \"pipe.wasm\" must be a regular file");
    root_.remove("site/_" + role + "s");
  }
  options_.content = root_.path("file");
  EXPECT_EQ(error(),
            "Invalid content directory: \"" + root_.path("file") + "\" is not a directory");
}

TEST_F(SiteTest, NamesThatAreNoPathsAreErrorsEverywhere) {
  put("a\\b");
  EXPECT_EQ(error(), "content path \"a\\b\" must not contain backslash");
  root_.remove("site/a\\b");
  put("_forms/a\xff.wasm", echo_component());
  EXPECT_EQ(error(), "form path \"a\\xff.wasm\" must be valid UTF-8");
  root_.remove("site/_forms");
  put("_components/a\nb.wasm");
  EXPECT_EQ(error(), "component path \"a\\x0ab.wasm\" is not canonical");
}

TEST_F(SiteTest, OwnFoldersDoNotLeadOutside) {
  root_.put("outside/text/markdown/10-a.wasm", echo_component());
  root_.link("../outside", "site/_recipes");
  EXPECT_EQ(error(),
            "Invalid recipes directory: open " + path("_recipes") + ": leads outside the folder");
  // Named by the user, the same folder is right.
  options_.recipes = path("_recipes");
  EXPECT_EQ(load()->recipe_count(), 1u);
}

TEST_F(SiteTest, OwnFoldersMustBeFolders) {
  put("_forms");
  EXPECT_EQ(error(), "Invalid forms directory: \"" + path("_forms") + "\" is not a directory");
}

TEST_F(SiteTest, ASecondGenerationCompilesOnlyWhatChanged) {
  put("_recipes/text/markdown/10-a.wasm", echo_component());
  put("_recipes/text/markdown/20-b.wasm", echo_component("text/markdown"));
  put("_forms/f.wasm", echo_component(nullptr, "text/plain"));
  put("a.md");
  const SharedSite first = load();
  put("_recipes/text/markdown/20-b.wasm", echo_component("text/plain"));
  const SharedSite second = load(first.get());
  const auto code = [](const Site& site, size_t stage) {
    return site.find("/a")->chain->stages[stage].component.code;
  };
  EXPECT_EQ(code(*first, 0), code(*second, 0));
  EXPECT_NE(code(*first, 1), code(*second, 1));
  EXPECT_EQ(first->form("f")->component.code, second->form("f")->component.code);
}

TEST_F(SiteTest, AGenerationDoesNotNeedTheOneBefore) {
  put("_recipes/text/markdown/10-a.wasm", echo_component());
  put("a.md");
  SharedSite site = load();
  for (int i = 0; i < 3; i++) site = load(site.get());
  EXPECT_EQ(site->find("/a")->chain->stages.size(), 1u);
}

TEST_F(SiteTest, AGenerationStaysWhatItIs) {
  put("a.md");
  const SharedSite first = load();
  put("b.md");
  root_.remove("site/a.md");
  const SharedSite second = load(first.get());
  EXPECT_EQ(file_at(*first, "/a"), "a.md");
  EXPECT_EQ(file_at(*first, "/b"), "404");
  EXPECT_EQ(file_at(*second, "/a"), "404");
  EXPECT_EQ(file_at(*second, "/b"), "b.md");
}

TEST_F(SiteTest, SurroundingsAreFormsAndMode) {
  put("a.md");
  const auto surroundings = [this] { return load()->surroundings(); };
  std::set<Xxh3Digest> seen;
  const auto is_new = [&] { return seen.insert(surroundings()).second; };
  EXPECT_TRUE(is_new());
  put("b.md");
  put("_components/c.wasm");
  put("_recipes/text/markdown/10-a.wasm", echo_component());
  EXPECT_FALSE(is_new());
  options_.mode = SiteMode::Dev;
  EXPECT_TRUE(is_new());
  put("_forms/f.wasm", echo_component());
  EXPECT_TRUE(is_new());
  put("_forms/f.wasm", echo_component("text/plain"));
  EXPECT_TRUE(is_new());
  std::filesystem::rename(path("_forms/f.wasm"), path("_forms/g.wasm"));
  EXPECT_TRUE(is_new());
  put("_forms/f.wasm", echo_component("text/plain"));
  EXPECT_TRUE(is_new());
  root_.remove("site/_forms/g.wasm");
  EXPECT_FALSE(is_new());
}

TEST_F(SiteTest, EveryFolderIsWatchedOnce) {
  put("docs/deep/a.md");
  root_.make_folder("site/empty");
  put("_forms/nested/f.wasm", echo_component());
  root_.put("r/text/markdown/10-a.wasm", echo_component());
  options_.recipes = root_.path("r");
  options_.components = root_.path("r");
  const SharedSite site = load();
  EXPECT_EQ(site->watched(),
            (Names{root_.path("r"), root_.path("r/text"), root_.path("r/text/markdown"),
                   root_.path("site"), path("_forms"), path("_forms/nested"), path("docs"),
                   path("docs/deep"), path("empty")}));
}

TEST_F(SiteTest, LeavesNoDescriptorOpen) {
  put("docs/a.md");
  put("_recipes/text/markdown/10-a.wasm", echo_component());
  const auto descriptors = [] {
    using Entries = std::filesystem::directory_iterator;
    return std::distance(Entries("/proc/self/fd"), Entries());
  };
  const auto before = descriptors();
  {
    SharedSite site = load();
    for (int i = 0; i < 5; i++) site = load(site.get());
  }
  put("docs/a.html");
  EXPECT_NE(error(), "");
  EXPECT_EQ(descriptors(), before);
}

}  // namespace
}  // namespace qip
