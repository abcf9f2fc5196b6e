// qip route through the built command: one response, the list, and the export into a folder, a tar
// archive, and a WARC file; and that all of them are what the server sends.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <string>

#include "spec-tests/component_folder.hpp"

namespace qip {
namespace {

namespace fs = std::filesystem;

using Files = std::map<std::string, std::string>;  // contents by relative path

// The input inside <p>; an input that begins with '!' traps, and one with '~' never ends.
std::string wrap_text(const std::string& more = "") {
  return wat::module(more + wat::input() + wat::output() + wat::data(131072, "<p>") +
                     wat::data(190000, "</p>") +
                     wat::entry("(local $first i32)"
                                "(local.set $first (i32.load8_u (i32.const 1024)))"
                                "(if (i32.eq (local.get $first) (i32.const 33)) (then "
                                "(unreachable)))"
                                "(if (i32.eq (local.get $first) (i32.const 126)) (then (loop $e "
                                "(br $e))))"
                                "(memory.copy (i32.const 131075) (i32.const 1024) (local.get "
                                "$size))"
                                "(memory.copy (i32.add (i32.const 131075) (local.get $size)) "
                                "(i32.const 190000) (i32.const 4))"
                                "(i32.add (local.get $size) (i32.const 7))"));
}

// A form that is complete at once.
std::string form_text() {
  const auto part = [](const std::string& name, int64_t at) {
    return wat::value(name + "_ptr", at) + wat::value(name + "_size", 0);
  };
  return wat::module(wat::input() + wat::output() + part("input_key", 200000) +
                     part("input_label", 200100) + part("error_message", 200200) +
                     wat::entry("(i32.const 0)"));
}

class RouteCommand : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_.path("site")); }

  void put(const std::string& name, std::string_view bytes) const {
    fs::create_directories(fs::path(folder_.path(name)).parent_path());
    folder_.put(name, bytes);
  }
  void put_component(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(folder_.path(name)).parent_path());
    folder_.build(name, text);
  }
  // Pages of many kinds, with recipes, a form and a component.
  void put_site() const {
    put("site/index.md", "home");
    put("site/about.html", "<h1>about</h1>");
    put("site/docs/index.html", "<body>docs</body>");
    put("site/docs/guide.md", "guide");
    put("site/docs-a.txt", "text");
    put("site/img/dot.png", std::string("\x89PNG\r\n\x1a\n\0\0", 10));
    put("site/a b/\xC3\xBC.txt", "umlaut");
    put("site/" + std::string(120, 'l') + "/" + std::string(110, 'n') + ".html", "long");
    put("site/large.bin", std::string(3'000'000, 'L'));
    put("site/empty", "");
    put("site/contact.html", "<body><qip-form name=\"contact\"></qip-form></body>");
    put_component("site/_recipes/text/markdown/10-wrap", wrap_text());
    put_component("site/_forms/contact", form_text());
    put_component("site/_components/tools/echo", wat::echo());
    for (const char* made : {"site/_recipes/text/markdown/10-wrap", "site/_forms/contact",
                             "site/_components/tools/echo"}) {
      fs::remove(folder_.path(std::string(made) + ".wat"));
    }
  }

  ProcessResult route(Strings arguments, int timeout_ms = 60'000) const {
    arguments.insert(arguments.begin(), "route");
    return folder_.qip(std::move(arguments), "", timeout_ms);
  }

  // Everything below a folder, hidden names included; folders end with '/'.
  Files tree(const std::string& name) const {
    Files found;
    if (!folder_.has(name)) return found;
    for (const auto& item : fs::recursive_directory_iterator(folder_.path(name))) {
      const std::string file = fs::relative(item.path(), folder_.path(name)).string();
      if (item.is_symlink()) {
        found[file] = "(link)";
      } else if (item.is_directory()) {
        found[file + "/"] = "";
      } else {
        found[file] = folder_.get(name + "/" + file);
      }
    }
    return found;
  }
  static Files without_folders(Files files) {
    std::erase_if(files, [](const auto& file) { return file.first.back() == '/'; });
    return files;
  }

  ComponentFolder folder_{"qip-route"};
};

// Exit 1, nothing on stdout, exactly this line on stderr.
testing::AssertionResult failed_with(const ProcessResult& result, const std::string& line) {
  if (result.exit_code == 1 && result.output.empty() && result.error == line + "\n") {
    return testing::AssertionSuccess();
  }
  return unlike_expected(result) << "\nwanted: " << line;
}

// Equal names and contents; contents may be large, so only names are shown.
testing::AssertionResult same_files(const Files& found, const Files& wanted) {
  for (const auto& [name, contents] : wanted) {
    const auto file = found.find(name);
    if (file == found.end()) return testing::AssertionFailure() << "without " << name;
    if (file->second != contents) {
      return testing::AssertionFailure()
             << name << " is " << testing::PrintToString(file->second.substr(0, 200));
    }
  }
  for (const auto& [name, contents] : found) {
    if (!wanted.contains(name)) return testing::AssertionFailure() << "also " << name;
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult same_bytes(const std::string& found, const std::string& wanted) {
  return same_files({{"bytes", found}}, {{"bytes", wanted}});
}

// --- get and head --------------------------------------------------------------------------------

TEST_F(RouteCommand, GetWritesTheBodyToStdoutAndHeadersToStderr) {
  put_site();
  const ProcessResult result = route({"get", "site", "/about"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "<h1>about</h1>");
  const std::string etag = "ETag: \"";
  ASSERT_TRUE(holds(result.error,
                    {"Content-Type: text/html; charset=utf-8\n", etag, "Content-Length: 14\n"}));
  const size_t begin = result.error.find(etag) + etag.size();
  EXPECT_EQ(result.error.find_first_not_of("0123456789abcdef", begin), begin + 32);
  EXPECT_EQ(result.error.substr(begin + 32, 2), "\"\n");
}

TEST_F(RouteCommand, HeadWritesTheHeadersOfGetAndNoBody) {
  put_site();
  for (const char* path : {"/", "/about", "/img/dot.png", "/large.bin", "/empty"}) {
    const ProcessResult get = route({"get", "site", path});
    const ProcessResult head = route({"head", "site", path});
    EXPECT_EQ(head.exit_code, 0) << path;
    EXPECT_EQ(head.output, "") << path;
    EXPECT_EQ(head.error, get.error) << path;
  }
}

TEST_F(RouteCommand, GetRunsTheChainOfTheSourceType) {
  put_site();
  for (const char* path : {"/docs/guide", "/docs/guide.md", "/docs/guide?query", "/docs/guid%65"}) {
    const ProcessResult result = route({"get", "site", path});
    EXPECT_EQ(result.output, "<p>guide</p>") << path;
    EXPECT_TRUE(holds(result.error, {"Content-Type: text/html; charset=utf-8\n"})) << path;
  }
}

TEST_F(RouteCommand, GetSendsBytesAsTheyAre) {
  put_site();
  for (const char* name : {"img/dot.png", "large.bin", "docs-a.txt"}) {
    EXPECT_TRUE(same_bytes(route({"get", "site", std::string("/") + name}).output,
                           folder_.get(std::string("site/") + name)));
  }
  EXPECT_EQ(route({"get", "site", "/empty"}).output, "");
  EXPECT_EQ(route({"get", "site", "/a%20b/%C3%BC.txt"}).output, "umlaut");
}

TEST_F(RouteCommand, OptionsNameTheFolders) {
  put("site/page.md", "text <qip-form name=\"x/y\"></qip-form>");
  put_component("recipes/text/markdown/10-wrap", wrap_text());
  put_component("forms/x/y", form_text());
  put_component("parts/echo", wat::echo());
  const Strings folders = {"--recipes", "recipes", "--forms", "forms", "--components", "parts"};
  const auto get = [&](const std::string& path) {
    Strings arguments = {"get", "site", path};
    arguments.insert(arguments.end(), folders.begin(), folders.end());
    return route(arguments);
  };
  EXPECT_TRUE(holds(get("/page").output, {"<p>text <qip-form", "[\"x/y\","}));
  EXPECT_EQ(get("/components/echo.wasm").output, folder_.get("parts/echo.wasm"));
  EXPECT_EQ(get("/_qip/forms/x/y.wasm").output, folder_.get("forms/x/y.wasm"));
}

TEST_F(RouteCommand, ModeDevAddsTheReloadScriptToPages) {
  put_site();
  EXPECT_EQ(route({"get", "site", "/about"}).output, "<h1>about</h1>");
  EXPECT_TRUE(holds(route({"get", "site", "/about", "--mode", "dev"}).output,
                    {"<h1>about</h1>", "<script", "/_qip/reload"}));
  EXPECT_EQ(route({"get", "site", "/docs-a.txt", "--mode", "dev"}).output, "text");
  EXPECT_TRUE(failed_with(route({"get", "site", "/about", "--mode", "fast"}),
                          "invalid mode \"fast\" (expected dev or prod)"));
}

TEST_F(RouteCommand, UnknownPathIsNotFound) {
  put_site();
  for (const char* action : {"get", "head"}) {
    for (const char* path : {"/missing", "/index", "/docs/index", "/_recipes", "/_qip/none.js",
                             "/_recipes/text/markdown/10-wrap.wasm", "/%252e%252e/etc/passwd"}) {
      EXPECT_TRUE(failed_with(route({action, "site", path}), "404 Not Found")) << path;
    }
  }
}

TEST_F(RouteCommand, UncleanPathIsARedirect) {
  put_site();
  const std::map<std::string, std::string> locations = {
      {"//about", "/about"},
      {"/x/../about?q=1", "/about?q=1"},
      {"/../../etc/passwd", "/etc/passwd"},
      {"/%2e%2e/docs/", "/docs/"},
  };
  for (const auto& [path, location] : locations) {
    const ProcessResult result = route({"get", "site", path});
    EXPECT_EQ(result.exit_code, 0) << path;
    EXPECT_EQ(result.output, "") << path;
    EXPECT_EQ(result.error, "Location: " + location + "\n");
  }
}

TEST_F(RouteCommand, BrokenTargetIsABadRequest) {
  put_site();
  for (const char* path : {"about", "/%", "/%zz", "/%00", "*", ""}) {
    EXPECT_TRUE(failed_with(route({"get", "site", path}), "400 Bad Request")) << path;
  }
  EXPECT_TRUE(
      failed_with(route({"get", "site", "/" + std::string(9000, 'x')}), "414 URI Too Long"));
}

TEST_F(RouteCommand, FailureIsToldAndNothingWritten) {
  put_site();
  put("site/trap.md", "!");
  put("site/form.html", "<qip-form name=\"none\">");
  EXPECT_TRUE(failed(route({"get", "site", "/trap"}), {"10-wrap.wasm", "unreachable"}));
  EXPECT_TRUE(failed(route({"head", "site", "/trap"}), {"10-wrap.wasm", "unreachable"}));
  EXPECT_TRUE(failed_with(route({"get", "site", "/form"}),
                          "qip-form name \"none\" has no matching module in --forms"));
  const ProcessResult verbose = route({"get", "-v", "site", "/trap"});
  EXPECT_EQ(verbose.exit_code, 1);
  EXPECT_EQ(verbose.output, "");
  EXPECT_TRUE(holds(verbose.error, {"10-wrap.wasm", "\n"}));
}

TEST_F(RouteCommand, LimitsHold) {
  put_site();
  put("site/endless.md", "~");
  EXPECT_TRUE(failed(route({"get", "site", "/endless", "--timeout-ms", "30"}), {"30ms"}));
  EXPECT_TRUE(failed(route({"get", "site", "/endless", "--fuel", "100000"}), {"fuel"}));
  EXPECT_TRUE(failed(route({"get", "site", "/", "--max-output", "3"}), {"10-wrap.wasm"}));
}

TEST_F(RouteCommand, SiteThatDoesNotLoadIsAnError) {
  put("site/about.html", "a");
  put("site/about.md", "b");
  for (const char* action : {"get", "head"}) {
    EXPECT_TRUE(failed(route({action, "site", "/about"}),
                       {"duplicate route path \"/about\" for \"about.html\" and \"about.md\""}));
  }
  EXPECT_TRUE(failed(route({"list", "site"}), {"duplicate route path"}));
  EXPECT_TRUE(failed(route({"export", "site", "-o", "out"}), {"duplicate route path"}));
  EXPECT_FALSE(folder_.has("out"));
  EXPECT_TRUE(failed(route({"get", "none", "/"}), {"Invalid content directory"}));
  EXPECT_TRUE(failed(route({"get", "site/about.md", "/"}),
                     {"Invalid content directory", "is not a directory"}));
}

TEST_F(RouteCommand, WrongUseIsToldInALine) {
  for (const Strings& arguments :
       {Strings{}, Strings{"get"}, Strings{"get", "site"}, Strings{"get", "site", "/", "/"},
        Strings{"list"}, Strings{"list", "site", "/"}, Strings{"export", "-o", "out"}}) {
    EXPECT_TRUE(failed(route(arguments), {"Usage: qip route"}));
  }
  EXPECT_TRUE(failed(route({"put", "site", "/"}), {"qip route has no \"put\""}));
  EXPECT_TRUE(failed(route({"get", "site", "/", "-o", "out"}), {"qip route export"}));
  EXPECT_TRUE(failed(route({"list", "site", "--tar"}), {"qip route export"}));
  EXPECT_TRUE(failed(route({"export", "site"}), {"-o"}));
  EXPECT_TRUE(failed(route({"export", "site", "-o", "-"}), {"--tar or --warc"}));
  EXPECT_TRUE(failed(route({"export", "site", "-o", "x", "--tar", "--warc"}),
                     {"--tar and --warc exclude each other"}));
  EXPECT_TRUE(failed(route({"export", "site", "-o", "x", "--warc", "--host", "a b"}),
                     {"Invalid host: a b"}));
  EXPECT_EQ(tree(".").size(), 1u) << "only the site";
}

// --- list ----------------------------------------------------------------------------------------

TEST_F(RouteCommand, ListIsEveryCanonicalPathSorted) {
  put_site();
  const std::string longest = "/" + std::string(120, 'l') + "/" + std::string(110, 'n');
  const std::vector<std::pair<std::string, std::string>> wanted = {
      {"/", "text/html"},
      {"/_qip/forms/contact.wasm", "application/wasm"},
      {"/a%20b/%C3%BC.txt", "text/plain"},
      {"/about", "text/html"},
      {"/components/tools/echo.wasm", "application/wasm"},
      {"/contact", "text/html"},
      {"/docs", "text/html"},
      {"/docs-a.txt", "text/plain"},
      {"/docs/guide", "text/html"},
      {"/empty", "application/octet-stream"},
      {"/img/dot.png", "image/png"},
      {"/large.bin", "application/octet-stream"},
      {longest, "text/html"},
  };
  std::string text;
  for (const auto& [path, type] : wanted) {
    text += "GET  " + path + "  " + type + "\nHEAD " + path + "  " + type + "\n";
  }
  EXPECT_TRUE(succeeded(route({"list", "site"}), text));
}

TEST_F(RouteCommand, ListTellsTheDeclaredTypeAndRunsNoEntry) {
  put("site/a.md", "!");
  put("site/b.txt", "!");
  put("site/c.csv", "~");
  put_component("recipes/text/markdown/10-wrap", wrap_text());
  put_component("recipes/text/plain/10-wrap", wrap_text());
  put_component("recipes/text/csv/10-wrap",
                wrap_text(wat::content_type("output", "application/json")));
  EXPECT_TRUE(succeeded(route({"list", "site", "--recipes", "recipes"}),
                        "GET  /a  text/html\nHEAD /a  text/html\n"
                        "GET  /b.txt  text/plain\nHEAD /b.txt  text/plain\n"
                        "GET  /c.csv  application/json\nHEAD /c.csv  application/json\n"));
  EXPECT_TRUE(succeeded(route({"list", "site"}),
                        "GET  /a  text/markdown\nHEAD /a  text/markdown\n"
                        "GET  /b.txt  text/plain\nHEAD /b.txt  text/plain\n"
                        "GET  /c.csv  text/csv\nHEAD /c.csv  text/csv\n"));
}

TEST_F(RouteCommand, ListOfNothingIsEmpty) {
  EXPECT_TRUE(succeeded(route({"list", "site"}), ""));
}

// --- export into a folder ------------------------------------------------------------------------

constexpr const char* kScripts[] = {"_qip/qip-component.js", "_qip/qip-form.js",
                                    "_qip/qip-worker.js"};

TEST_F(RouteCommand, ExportWritesEveryPageUnderAStaticServersName) {
  put_site();
  EXPECT_TRUE(succeeded(route({"export", "site", "-o", "out"}), ""));
  Files files = without_folders(tree("out"));
  for (const char* script : kScripts) {
    EXPECT_GT(files[script].size(), 100u) << script;
    EXPECT_EQ(files[script], route({"get", "site", std::string("/") + script}).output);
    files.erase(script);
  }
  EXPECT_TRUE(holds(files["contact.html"], {"customElements.define(\"qip-form\"", "</body>"}));
  files.erase("contact.html");
  const Files wanted = {
      {"index.html", "<p>home</p>"},
      {"about.html", "<h1>about</h1>"},
      {"docs/index.html", "<body>docs</body>"},
      {"docs/guide.html", "<p>guide</p>"},
      {"docs-a.txt", "text"},
      {"img/dot.png", folder_.get("site/img/dot.png")},
      {"a b/\xC3\xBC.txt", "umlaut"},
      {std::string(120, 'l') + "/" + std::string(110, 'n') + ".html", "long"},
      {"large.bin", std::string(3'000'000, 'L')},
      {"empty", ""},
      {"_qip/forms/contact.wasm", folder_.get("site/_forms/contact.wasm")},
      {"components/tools/echo.wasm", folder_.get("site/_components/tools/echo.wasm")},
  };
  EXPECT_TRUE(same_files(files, wanted));
}

TEST_F(RouteCommand, ExportWithoutElementsHasNoScripts) {
  put("site/index.html", "plain");
  EXPECT_TRUE(succeeded(route({"export", "site", "-o", "out"}), ""));
  EXPECT_TRUE(same_files(tree("out"), (Files{{"index.html", "plain"}})));
}

TEST_F(RouteCommand, ExportOfNothingMakesAnEmptyFolder) {
  EXPECT_TRUE(succeeded(route({"export", "site", "-o", "out"}), ""));
  EXPECT_TRUE(folder_.has("out"));
  EXPECT_TRUE(same_files(tree("out"), Files{}));
}

TEST_F(RouteCommand, ExportReplacesItsFilesAndLeavesOthers) {
  put("site/a.txt", "new");
  put("site/b/c.txt", "new");
  put("out/a.txt", "old and longer");
  put("out/kept.txt", "kept");
  put("out/b/kept.txt", "kept");
  EXPECT_TRUE(succeeded(route({"export", "site", "-o", "out/"}), ""));
  EXPECT_TRUE(same_files(tree("out"), (Files{{"a.txt", "new"},
                                             {"kept.txt", "kept"},
                                             {"b/", ""},
                                             {"b/c.txt", "new"},
                                             {"b/kept.txt", "kept"}})));
}

TEST_F(RouteCommand, ExportedFilesAreReadable) {
  put("site/a.txt", "text");
  ASSERT_EQ(folder_.shell("umask 022; \"$COMMAND\" route export site -o out").exit_code, 0);
  struct stat status;
  ASSERT_EQ(stat(folder_.path("out/a.txt").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0644u);
  ASSERT_EQ(stat(folder_.path("out").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0755u);
}

TEST_F(RouteCommand, ExportTellsEveryFailureAndWritesTheRest) {
  put_site();
  put("site/trap.md", "!");
  put("site/docs/bad.html", "<qip-form>");
  const ProcessResult result = route({"export", "site", "-o", "out"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "");
  EXPECT_TRUE(holds(result.error, {"2 pages failed:\n  /docs/bad: <qip-form> tag is missing",
                                   "\n  /trap: ", "10-wrap.wasm", "unreachable"}));
  EXPECT_FALSE(folder_.has("out/trap.html"));
  EXPECT_FALSE(folder_.has("out/docs/bad.html"));
  EXPECT_EQ(folder_.get("out/docs/guide.html"), "<p>guide</p>");
  EXPECT_TRUE(same_bytes(folder_.get("out/large.bin"), folder_.get("site/large.bin")));
}

TEST_F(RouteCommand, TwoPagesOfOneNameAreAnErrorBeforeAnythingIsWritten) {
  put("site/docs/index.txt", "no index");
  put("site/docs/index.md", "one");
  put("site/docs/index.html.md", "other");
  put_component("recipes/text/markdown/10-wrap", wrap_text());
  for (const Strings& format : {Strings{"-o", "out"}, Strings{"--tar", "-o", "out.tar"}}) {
    Strings arguments = {"export", "site", "--recipes", "recipes"};
    arguments.insert(arguments.end(), format.begin(), format.end());
    EXPECT_TRUE(failed_with(route(arguments),
                            "/docs and /docs/index.html would both be written to docs/index.html"));
  }
  EXPECT_FALSE(folder_.has("out"));
  EXPECT_FALSE(folder_.has("out.tar"));
  // Their addresses differ.
  EXPECT_TRUE(
      succeeded(route({"export", "site", "--recipes", "recipes", "--warc", "-o", "out.warc"}), ""));
}

TEST_F(RouteCommand, PageThatIsAlsoAFolderIsAnError) {
  put("site/docs.md", "as text");
  put("site/docs-b.txt", "between them");
  put("site/docs/guide.md", "below");
  put("out/kept.txt", "kept");
  EXPECT_TRUE(failed_with(route({"export", "site", "-o", "out"}),
                          "/docs and /docs/guide would both be written to docs"));
  EXPECT_TRUE(same_files(tree("out"), (Files{{"kept.txt", "kept"}})));
}

TEST_F(RouteCommand, ExportIntoTheContentIsRefused) {
  put("site/a.txt", "text");
  put("site/sub/b.txt", "text");
  put("site/_recipes/none.txt", "");
  const Files before = tree(".");
  for (const char* out : {"site", "site/", "site/out", "site/sub", "site/sub/out", "./site/../site",
                          "site/_recipes", "site/_recipes/out"}) {
    EXPECT_TRUE(failed(route({"export", "site", "-o", out}),
                       {"lies inside a folder that the site is made of"}))
        << out;
  }
  for (const char* out : {"site/x.tar", "site/sub/x.tar", "site/a.txt"}) {
    EXPECT_TRUE(failed(route({"export", "site", "--tar", "-o", out}), {"lies inside a folder"}))
        << out;
  }
  EXPECT_TRUE(same_files(tree("."), before));
}

TEST_F(RouteCommand, ExportIntoAFolderThatHoldsTheContentDoesNotReplaceIt) {
  put("work/site/page.html", "page");
  put("work/site/site/page.html", "would replace the page above");
  const Files before = tree("work/site");
  EXPECT_TRUE(
      failed(route({"export", "work/site", "-o", "work"}), {"work/site", "lies inside a folder"}));
  EXPECT_TRUE(same_files(tree("work/site"), before));
}

TEST_F(RouteCommand, LinksBelowTheOutputAreNotFollowed) {
  put("site/a/b.txt", "new");
  put("site/c.txt", "new");
  put("outside/b.txt", "old");
  put("outside/c.txt", "old");
  fs::create_directories(folder_.path("out"));
  fs::create_directory_symlink("../outside", folder_.path("out/a"));
  EXPECT_TRUE(failed(route({"export", "site", "-o", "out"}), {"out/a"}));
  fs::remove(folder_.path("out/a"));
  fs::create_symlink("../outside/c.txt", folder_.path("out/c.txt"));
  EXPECT_TRUE(succeeded(route({"export", "site", "-o", "out"}), ""));
  EXPECT_TRUE(same_files(tree("outside"), (Files{{"b.txt", "old"}, {"c.txt", "old"}})));
  EXPECT_TRUE(same_files(tree("out"), (Files{{"a/", ""}, {"a/b.txt", "new"}, {"c.txt", "new"}})));
}

TEST_F(RouteCommand, OutputThatCannotBeWrittenIsAnError) {
  put("site/a/b.txt", "text");
  put("file", "no folder");
  put("out/a", "no folder");
  EXPECT_TRUE(failed(route({"export", "site", "-o", "file"}), {"file: not a directory"}));
  EXPECT_TRUE(failed(route({"export", "site", "-o", "none/out"}), {"none: no such file"}));
  EXPECT_TRUE(failed(route({"export", "site", "-o", "out"}), {"out/a: not a directory"}));
  EXPECT_TRUE(failed(route({"export", "site", "--tar", "-o", "none/x.tar"}), {"none/x.tar"}));
  EXPECT_TRUE(failed(route({"export", "site", "--tar", "-o", "/dev/full"}), {"no space left"}));
  EXPECT_TRUE(same_files(tree("out"), (Files{{"a", "no folder"}})));
}

TEST_F(RouteCommand, InterruptedExportWritesNothing) {
  put("site/endless.md", "~");
  put("site/more.md", "~");
  put("site/some.txt", "text");
  put_component("recipes/text/markdown/10-wrap", wrap_text());
  // The signal comes when the temporary file is there, and lets the page that runs end.
  for (const std::string format : {"-o out", "--tar -o out.tar"}) {
    const ProcessResult result = folder_.shell(
        "\"$COMMAND\" route export site --recipes recipes -j 1 --timeout-ms 3000 " + format +
        " & until ls -d .qip-*.tmp out/.qip-*.tmp 2>/dev/null | grep -q .; do sleep 0.02; done;"
        " kill -TERM $!; wait $!");
    EXPECT_EQ(result.exit_code, 130) << result.error;
    EXPECT_TRUE(holds(result.error, {"interrupted: nothing was written\n"}));
  }
  EXPECT_FALSE(folder_.has("out"));
  for (const auto& [name, contents] : tree(".")) {
    EXPECT_EQ(name.find(".tar"), std::string::npos) << name;
    EXPECT_EQ(name.find(".tmp"), std::string::npos) << name;
  }
}

// --- tar -----------------------------------------------------------------------------------------

TEST_F(RouteCommand, TarHoldsWhatTheFolderHolds) {
  put_site();
  EXPECT_TRUE(succeeded(route({"export", "site", "-o", "out"}), ""));
  EXPECT_TRUE(succeeded(route({"export", "site", "--tar", "-o", "out.tar"}), ""));
  fs::create_directory(folder_.path("unpacked"));
  const ProcessResult unpacked = folder_.shell("tar -xf out.tar -C unpacked");
  EXPECT_TRUE(succeeded(unpacked, ""));
  EXPECT_TRUE(same_files(tree("unpacked"), tree("out")));
}

TEST_F(RouteCommand, TarEntriesAreInOrderWithoutUserAndTime) {
  put_site();
  EXPECT_TRUE(succeeded(route({"export", "site", "--tar", "-o", "out.tar"}), ""));
  const ProcessResult listed =
      folder_.shell("TZ=UTC tar --numeric-owner --quoting-style=literal -tvf out.tar | tr -s ' '");
  const std::string longest = std::string(120, 'l') + "/" + std::string(110, 'n') + ".html";
  const std::string before = "-rw-r--r-- 0/0 ";
  std::string names;
  for (size_t at = 0; at < listed.output.size();) {
    const std::string line = listed.output.substr(at, listed.output.find('\n', at) - at);
    at += line.size() + 1;
    EXPECT_EQ(line.substr(0, before.size()), before);
    const size_t date = line.find(" 1970-01-01 00:00 ");
    ASSERT_NE(date, std::string::npos) << line;
    names += line.substr(date + 18) + "\n";
  }
  EXPECT_EQ(names,
            "index.html\n_qip/forms/contact.wasm\na b/\xC3\xBC.txt\nabout.html\n"
            "components/tools/echo.wasm\ncontact.html\ndocs/index.html\ndocs-a.txt\n"
            "docs/guide.html\nempty\nimg/dot.png\nlarge.bin\n" +
                longest + "\n_qip/qip-component.js\n_qip/qip-form.js\n_qip/qip-worker.js\n");
}

// --- WARC ----------------------------------------------------------------------------------------

struct WarcRecord {
  std::map<std::string, std::string> fields;
  std::string head;  // of HTTP
  std::string body;
};

// The records of a file, in order; a file that is not well-formed fails the test.
std::vector<WarcRecord> read_warc(const std::string& text) {
  std::vector<WarcRecord> records;
  size_t at = 0;
  while (at < text.size()) {
    WarcRecord record;
    EXPECT_EQ(text.substr(at, 10), "WARC/1.1\r\n");
    const size_t end = text.find("\r\n\r\n", at);
    for (at += 10; at < end;) {
      const std::string line = text.substr(at, text.find("\r\n", at) - at);
      const size_t colon = line.find(": ");
      record.fields[line.substr(0, colon)] = line.substr(colon + 2);
      at += line.size() + 2;
    }
    const size_t length = std::stoul(record.fields["Content-Length"]);
    const std::string block = text.substr(end + 4, length);
    at = end + 4 + length;
    EXPECT_EQ(text.substr(at, 4), "\r\n\r\n");
    at += 4;
    const size_t head = record.fields["WARC-Type"] == "response" ? block.find("\r\n\r\n") + 4 : 0;
    record.head = block.substr(0, head);
    record.body = block.substr(head);
    records.push_back(record);
  }
  return records;
}

TEST_F(RouteCommand, WarcHoldsAResponseForEveryPage) {
  put_site();
  EXPECT_TRUE(succeeded(route({"export", "site", "--warc", "-o", "out.warc"}), ""));
  const std::vector<WarcRecord> records = read_warc(folder_.get("out.warc"));
  ASSERT_EQ(records.size(), 1u + 13 + 3);
  EXPECT_EQ(records[0].fields.at("WARC-Type"), "warcinfo");
  for (size_t i = 1; i < records.size(); i++) {
    const WarcRecord& record = records[i];
    const std::string uri = record.fields.at("WARC-Target-URI");
    ASSERT_EQ(uri.substr(0, 16), "http://qip.local");
    const ProcessResult get = route({"get", "site", uri.substr(16)});
    EXPECT_TRUE(same_bytes(record.body, get.output)) << uri;
    EXPECT_EQ(record.head.substr(0, 17), "HTTP/1.1 200 OK\r\n");
    for (size_t at = 0; at < get.error.size();) {
      const std::string line = get.error.substr(at, get.error.find('\n', at) - at);
      at += line.size() + 1;
      EXPECT_TRUE(holds(record.head, {line + "\r\n"})) << uri;
    }
    EXPECT_EQ(record.fields.at("WARC-Date"), "1970-01-01T00:00:00Z");
    EXPECT_EQ(record.fields.at("WARC-Warcinfo-ID"), records[0].fields.at("WARC-Record-ID"));
    const std::string payload = folder_.put("payload", record.body);
    const std::string block = folder_.put("block", record.head + record.body);
    const ProcessResult sums = folder_.shell("sha256sum payload block | cut -c1-64");
    EXPECT_EQ("sha256:" + sums.output.substr(0, 64), record.fields.at("WARC-Payload-Digest"));
    EXPECT_EQ("sha256:" + sums.output.substr(65, 64), record.fields.at("WARC-Block-Digest"));
  }
}

TEST_F(RouteCommand, WarcTakesHostAndDate) {
  put("site/a.txt", "text");
  const auto exported = [&](const std::string& before, const std::string& after) {
    return folder_.shell(before + " \"$COMMAND\" route export site --warc -o - " + after);
  };
  const ProcessResult result = exported("SOURCE_DATE_EPOCH=951782400", "--host docs.example:8080");
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const std::vector<WarcRecord> records = read_warc(result.output);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].fields.at("WARC-Target-URI"), "http://docs.example:8080/a.txt");
  EXPECT_EQ(records[1].fields.at("WARC-Date"), "2000-02-29T00:00:00Z");
  for (const char* date : {"soon", "-1", "253402300800", "1e9"}) {
    EXPECT_TRUE(failed(exported(std::string("SOURCE_DATE_EPOCH=") + date, ""),
                       {std::string("Invalid SOURCE_DATE_EPOCH: ") + date}));
  }
}

// --- Archives in general -------------------------------------------------------------------------

TEST_F(RouteCommand, ArchiveDoesNotDependOnTheNumberOfThreads) {
  put_site();
  for (int i = 0; i < 300; i++) {
    put("site/many/page" + std::to_string(i) + ".md",
        std::string(static_cast<size_t>(i * 37), 'x'));
  }
  for (const std::string format : {"--tar", "--warc"}) {
    const ProcessResult first = route({"export", "site", format, "-o", "-", "-j", "1"});
    ASSERT_EQ(first.exit_code, 0) << first.error;
    ASSERT_GT(first.output.size(), 3'000'000u);
    for (const char* threads : {"2", "7"}) {
      EXPECT_TRUE(same_bytes(route({"export", "site", format, "-o", "-", "-j", threads}).output,
                             first.output));
    }
    EXPECT_TRUE(succeeded(route({"export", "site", format, "-o", "out.archive"}), ""));
    EXPECT_TRUE(same_bytes(folder_.get("out.archive"), first.output));
  }
  for (const char* threads : {"1", "2", "7"}) {
    EXPECT_TRUE(succeeded(
        route({"export", "site", "-j", threads, "-o", std::string("out-") + threads}), ""));
  }
  EXPECT_TRUE(same_files(tree("out-2"), tree("out-1")));
  EXPECT_TRUE(same_files(tree("out-7"), tree("out-1")));
}

// While the first page is made, all others could be opened.
TEST_F(RouteCommand, PagesThatWaitHoldFewFilesOpen) {
  put("site/a.md", "slow");
  put_component("recipes/text/markdown/10-slow",
                wat::module(wat::input() + wat::output() +
                            wat::entry("(local $i i32) (loop $again"
                                       "  (local.set $i (i32.add (local.get $i) (i32.const 1)))"
                                       "  (br_if $again (i32.lt_u (local.get $i) "
                                       "(i32.const 100000000))))"
                                       "(memory.copy (i32.const 131072) (i32.const 1024) "
                                       "(local.get $size)) (local.get $size)")));
  const ProcessResult result = folder_.shell(
      "for i in $(seq 60); do truncate -s 1100000 site/f$i.bin; done; ulimit -n 40;"
      "\"$COMMAND\" route export site --recipes recipes --timeout-ms 60000 --tar -o - -j 7 |"
      " tar -t | wc -l",
      120'000);
  EXPECT_TRUE(succeeded(result, "61\n"));
}

TEST_F(RouteCommand, ArchiveIsWrittenOnlyIfEveryPageCouldBeMade) {
  put_site();
  put("site/trap.md", "!");
  put("out.tar", "old");
  for (const std::string format : {"--tar", "--warc"}) {
    const ProcessResult streamed = route({"export", "site", format, "-o", "-"});
    EXPECT_EQ(streamed.exit_code, 1);
    EXPECT_EQ(streamed.output, "");
    EXPECT_TRUE(holds(streamed.error, {"1 page failed:\n  /trap: "}));
    EXPECT_EQ(route({"export", "site", format, "-o", "out.tar"}).exit_code, 1);
    EXPECT_EQ(folder_.get("out.tar"), "old");
  }
  for (const auto& [name, contents] : tree(".")) {
    EXPECT_EQ(name.find(".tmp"), std::string::npos) << name;
  }
}

TEST_F(RouteCommand, ArchiveGoesThroughALinkAndIntoAPipe) {
  put("site/a.txt", "text");
  put("real/old.tar", "old");
  fs::create_symlink("real/old.tar", folder_.path("link.tar"));
  EXPECT_TRUE(succeeded(route({"export", "site", "--tar", "-o", "link.tar"}), ""));
  EXPECT_TRUE(fs::is_symlink(folder_.path("link.tar")));
  EXPECT_EQ(folder_.shell("tar -tf real/old.tar").output, "a.txt\n");
  EXPECT_EQ(folder_.shell("\"$COMMAND\" route export site --tar -o /dev/stdout | tar -tf -").output,
            "a.txt\n");
  EXPECT_EQ(folder_
                .shell("\"$COMMAND\" route export site --tar -o - >> real/old.tar; "
                       "tar -tif real/old.tar")
                .output,
            "a.txt\na.txt\n");
}

// --- The server ----------------------------------------------------------------------------------

// Starts the server, fetches every path of the list, and ends it.
constexpr const char* kFetchAll = R"(
server=$(dirname "$COMMAND")/qip-dev
"$server" site --mode prod -p auto 2>log &
trap 'kill $!' EXIT
for _ in $(seq 200); do
  port=$(sed -n 's/.*listening on http:..127.0.0.1:\([0-9]*\).*/\1/p' log)
  [ -n "$port" ] && break
  sleep 0.05
done
[ -n "$port" ] || { cat log >&2; exit 1; }
mkdir got
number=0
while read -r path; do
  curl -s --path-as-is -D got/$number.head -o got/$number.body "http://127.0.0.1:$port$path" || exit 1
  touch got/$number.body
  number=$((number + 1))
done < paths
)";

// The fields of a head that are about the page, sorted; the rest is about the connection.
Files page_fields(const std::string& head) {
  Files fields;
  for (size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::string line = head.substr(at, head.find("\r\n", at) - at);
    at += line.size() + 2;
    const size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string name = line.substr(0, colon);
    if (name != "Date" && name != "Connection" && name != "Keep-Alive") {
      fields[name] = line.substr(colon + 2);
    }
  }
  return fields;
}

TEST_F(RouteCommand, ExportIsByteForByteWhatTheServerSends) {
  const fs::path server = fs::absolute(qip_path()).parent_path() / "qip-dev";
  if (!fs::exists(server)) GTEST_SKIP() << "there is no qip-dev beside the command";
  put_site();
  EXPECT_TRUE(succeeded(route({"export", "site", "--warc", "-o", "out.warc"}), ""));
  const std::vector<WarcRecord> records = read_warc(folder_.get("out.warc"));
  std::string paths;
  for (size_t i = 1; i < records.size(); i++) {
    paths += records[i].fields.at("WARC-Target-URI").substr(16) + "\n";
  }
  put("paths", paths);
  const ProcessResult fetched = folder_.shell(kFetchAll, 60'000);
  ASSERT_EQ(fetched.exit_code, 0) << fetched.error;
  for (size_t i = 1; i < records.size(); i++) {
    const std::string got = "got/" + std::to_string(i - 1);
    const std::string head = folder_.get(got + ".head");
    EXPECT_EQ(head.substr(0, 17), records[i].head.substr(0, 17));
    EXPECT_EQ(page_fields(head), page_fields(records[i].head))
        << records[i].fields.at("WARC-Target-URI");
    EXPECT_TRUE(same_bytes(folder_.get(got + ".body"), records[i].body))
        << records[i].fields.at("WARC-Target-URI");
  }
}

}  // namespace
}  // namespace qip
