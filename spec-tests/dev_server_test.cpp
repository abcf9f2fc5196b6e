// `qip dev` over real HTTP: starting, routes, media types, chains, tags, what is remembered,
// errors, reloads, forms on pages. Acceptance rows 89 to 95 go through curl.
//
// No test measures time: waits have limits that guard against hanging only.
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <string>

#include "spec-tests/dev_server.hpp"

namespace qip {
namespace {

namespace fs = std::filesystem;

using DevStart = DevServerTest;
using DevRoutes = DevServerTest;
using DevTypes = DevServerTest;
using DevChains = DevServerTest;
using DevTags = DevServerTest;
using DevErrors = DevServerTest;
using DevForms = DevServerTest;
using DevAcceptance = DevServerTest;

// Two items of 32 bits, whatever comes.
std::string items_text() {
  return wat::module(wat::input() + wat::output("i32", 16) +
                     wat::data(131072, std::string("\x01\0\0\0\xEF\xBE\xAD\xDE", 8)) +
                     wat::entry("(i32.const 2)"));
}

// --- Starting ------------------------------------------------------------------------------------

TEST_F(DevStart, ExactlyOneFolderIsServed) {
  EXPECT_TRUE(failed(refuse({}), {"Usage: qip dev"}));
  EXPECT_TRUE(failed(refuse({"site", "site"}), {"Usage: qip dev"}));
}

TEST_F(DevStart, AFolderThatIsNotThereIsNamed) {
  put("file", "x");
  EXPECT_TRUE(failed(refuse({"nothing"}),
                     {"Invalid content directory: ", "nothing", "no such file or directory"}));
  EXPECT_TRUE(failed(refuse({"file"}), {"Invalid content directory: \"file\" is not a directory"}));
  for (const char* role : {"recipes", "forms", "components"}) {
    const std::string option = std::string("--") + role;
    const std::string text = std::string("Invalid ") + role + " directory: ";
    EXPECT_TRUE(failed(refuse({"site", option, "nothing"}),
                       {text, "nothing", "no such file or directory"}));
    EXPECT_TRUE(failed(refuse({"site", option, "file"}), {text + "\"file\" is not a directory"}));
  }
}

TEST_F(DevStart, OptionsWithWrongValuesAreNamed) {
  const std::map<Strings, std::string> cases = {
      {{"--mode", "test"}, "invalid mode \"test\" (expected dev or prod)"},
      {{"--mode", ""}, "invalid mode \"\" (expected dev or prod)"},
      {{"--mode", "de v"}, "invalid mode \"de v\" (expected dev or prod)"},
      {{"--mode", "<b>\x1b[31m"}, "invalid mode \"<b>\\1b[31m\" (expected dev or prod)"},
      {{"-p", "0"}, "Invalid port: 0"},
      {{"-p", "65536"}, "Invalid port: 65536"},
      {{"-p", "-1"}, "Invalid port: -1"},
      {{"-p", "80x"}, "Invalid port: 80x"},
      {{"-p", "4294967376"}, "Invalid port: 4294967376"},
      {{"-p", ""}, "Invalid port: "},
      {{"--bind", ""}, "Invalid bind: "},
      {{"--bind", "example.com"}, "dev server error: invalid address \"example.com\""},
      {{"--bind", "127.0.0.256"}, "dev server error: invalid address \"127.0.0.256\""},
      {{"--timeout-ms", "0"}, "Invalid timeout-ms: 0"},
      {{"--timeout-ms", "x"}, "Invalid timeout-ms: x"},
      {{"--cache-max", "much"}, "Invalid cache-max: much"},
      {{"-j", "0"}, "Invalid jobs: 0"},
      {{"--zzz"}, "flag provided but not defined: -zzz"},
  };
  for (const auto& [options, message] : cases) {
    Strings arguments = {"site"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    EXPECT_TRUE(failed(refuse(arguments), {message})) << options[0];
  }
}

TEST_F(DevStart, AnAddressInUseOrOfAnotherMachineIsAnError) {
  const DevServer server = serve();
  const std::string port = std::to_string(server.port());
  EXPECT_TRUE(failed(
      refuse({"site", "-p", port}),
      {"dev server error: listen 127.0.0.1:" + port + ": bind: ", "address already in use"}));
  EXPECT_TRUE(failed(refuse({"site", "-p", "auto", "--bind", "192.0.2.1"}),
                     {"dev server error: listen 192.0.2.1:"}));
}

TEST_F(DevStart, TheModeIsReadWithoutCaseAndSpace) {
  put("site/a.html", "<p>a");
  for (const char* mode : {"prod", " PROD ", "Prod"}) {
    const DevServer server = serve({"--mode", mode});
    EXPECT_TRUE(answers(server.get("/a"), 200, "<p>a")) << mode;
  }
  for (const char* mode : {"dev", " Dev"}) {
    const DevServer server = serve({"--mode", mode});
    EXPECT_TRUE(answers_with(server.get("/a"), 200, {"<p>a", "/_qip/reload"})) << mode;
  }
}

TEST_F(DevStart, TheLogSaysWhatIsServedWhereAndHowToReload) {
  put("site/index.md", "home");
  put("site/a.txt", "a");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  put_component("recipes/text/css/10-stamp", stamp_text("<", ">"));
  put_component("forms/contact", form_text());
  const DevServer server = serve({"--recipes", "recipes", "--forms", "forms"});
  // `/`, `/index.md`, `/a.txt`, and the form.
  const std::string pid = std::to_string(server.pid());
  EXPECT_TRUE(holds(
      server.log(),
      {"dev: indexed 4 request paths from site\n",
       "dev: loaded 2 recipe mime chains from recipes\n", "dev: loaded 1 form modules from forms\n",
       "dev: listening on " + server.url() + "\n", "dev: reload with: kill -HUP " + pid + "\n"}));
  EXPECT_FALSE(contains(server.log(), "warning"));
  // Date and time.
  EXPECT_EQ(server.log()[4], '-');
  EXPECT_EQ(server.log().substr(19, 6), " dev: ");
}

TEST_F(DevStart, OnlyLoopbackIsListenedToUnlessAskedForWithAWarning) {
  put("site/a.txt", "a");
  {
    const DevServer server = serve();
    // Another address of this machine: nobody is there.
    EXPECT_FALSE(HttpConnection(server.port(), "127.0.0.2").is_open());
  }
  {
    const DevServer server = serve({"--bind", "0.0.0.0"});
    EXPECT_TRUE(contains(server.log(), "dev: warning: 0.0.0.0 can be reached from other machines"));
    HttpConnection other(server.port(), "127.0.0.2");
    other.send(DevServer::request_text("/a.txt"));
    EXPECT_TRUE(answers(other.receive(), 200, "a"));
  }
  for (const char* address : {"localhost", "127.0.0.3"}) {
    const DevServer server = serve({"--bind", address});
    EXPECT_FALSE(contains(server.log(), "warning")) << address;
  }
}

TEST_F(DevStart, AnAddressOfVersionSixIsServed) {
  put("site/a.txt", "a");
  if (!fs::exists("/proc/net/if_inet6")) GTEST_SKIP() << "this machine has no IPv6";
  for (const char* address : {"::1", "[::1]"}) {
    const DevServer server = serve({"--bind", address});
    EXPECT_TRUE(contains(server.log(), "dev: listening on http://[::1]:"));
    EXPECT_FALSE(contains(server.log(), "warning"));
    const std::string url = "http://[::1]:" + std::to_string(server.port());
    EXPECT_TRUE(answers(parse_response(DevServer::curl_bytes(url + "/a.txt")), 200, "a"));
  }
}

TEST_F(DevStart, WithoutItsProgramTheCommandSaysWhatIsMissing) {
  fs::create_directory(folder_.path("alone"));
  fs::copy_file(qip_path(), folder_.path("alone/qip"));
  const ProcessResult result =
      run_process({folder_.path("alone/qip"), "dev", folder_.path("site")});
  EXPECT_TRUE(failed(result, {"qip dev needs the program qip-dev beside qip: ", "alone/qip-dev",
                              "no such file or directory"}));
}

TEST_F(DevStart, InterruptionAndTerminationEndItInPeace) {
  put("site/a.txt", "a");
  for (const int number : {SIGINT, SIGTERM}) {
    DevServer server(folder_, {"site"});
    HttpConnection idle = server.connect();
    idle.send(DevServer::request_text("/a.txt"));
    EXPECT_TRUE(answers(idle.receive(), 200, "a"));
    HttpConnection half = server.connect();
    half.send("GET /a.txt HT");
    EXPECT_EQ(server.stop(number), 0);
    EXPECT_TRUE(idle.receive_end());
  }
}

TEST_F(DevStart, AStopDoesNotWaitForAComponentThatDoesNotEnd) {
  put("site/endless.md", "~");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  DevServer server(folder_, {"site", "--recipes", "recipes", "--timeout-ms", "600000"});
  HttpConnection waiting = server.connect();
  waiting.send(DevServer::request_text("/endless"));
  HttpConnection open_page = server.connect();
  open_page.send(DevServer::request_text("/_qip/reload"));
  EXPECT_TRUE(open_page.receive_until("event: state"));
  EXPECT_EQ(server.stop(), 0);
}

// --- What cannot be started from -----------------------------------------------------------------

TEST_F(DevStart, RecipesWithWrongNamesAreTold) {
  const std::map<std::string, std::string> cases = {
      {"top.wasm", "recipe path \"top.wasm\" must match <type>/<subtype>/<file>"},
      {"text/10-a.wasm", "recipe path \"text/10-a.wasm\" must match <type>/<subtype>/<file>"},
      {"text/markdown/deep/10-a.wasm",
       "recipe path \"text/markdown/deep/10-a.wasm\" must match <type>/<subtype>/<file>"},
      {"text/markdown/a0-x.wasm",
       "invalid recipe filename \"text/markdown/a0-x.wasm\": filename prefix must be two digits"},
      {"text/markdown/1-x.wasm",
       "invalid recipe filename \"text/markdown/1-x.wasm\": filename prefix must be two digits"},
      {"text/markdown/--10-x.wasm",
       "invalid recipe filename \"text/markdown/--10-x.wasm\": filename prefix must be two digits"},
      {"text/markdown/10.wasm",
       "invalid recipe filename \"text/markdown/10.wasm\": filename must match NN-name.wasm"},
      {"text/markdown/100-x.wasm",
       "invalid recipe filename \"text/markdown/100-x.wasm\": filename must match NN-name.wasm"},
      {"text/markdown/10-.wasm",
       "invalid recipe filename \"text/markdown/10-.wasm\": recipe name must not be empty"},
      {"text/markdown/-10-.wasm",
       "invalid recipe filename \"text/markdown/-10-.wasm\": recipe name must not be empty"},
      {"text/markdown/10-\xC3\xA9.wasm", "filename must be ASCII"},
  };
  for (const auto& [name, message] : cases) {
    put("recipes/" + name, component(wat::echo()));
    EXPECT_TRUE(failed(refuse({"site", "--recipes", "recipes"}), {message})) << name;
    fs::remove_all(folder_.path("recipes"));
  }
}

TEST_F(DevStart, TwoRecipesOfOneNumberAreTold) {
  put_component("recipes/text/markdown/42-a", wat::echo());
  put_component("recipes/text/markdown/42-b", wat::echo());
  EXPECT_TRUE(failed(refuse({"site", "--recipes", "recipes"}),
                     {"duplicate recipe prefix for text/markdown: 42 in "
                      "\"text/markdown/42-a.wasm\" and \"text/markdown/42-b.wasm\""}));
  // A recipe that is switched off has no number.
  fs::rename(folder_.path("recipes/text/markdown/42-b.wasm"),
             folder_.path("recipes/text/markdown/-42-b.wasm"));
  const DevServer server = serve({"--recipes", "recipes"});
}

TEST_F(DevStart, ARecipeThatIsNoComponentIsTold) {
  put("recipes/text/markdown/10-text.wasm", "no module");
  EXPECT_TRUE(failed(refuse({"site", "--recipes", "recipes"}),
                     {"wasm module \"recipes/text/markdown/10-text.wasm\" could not be compiled"}));
  put_component("recipes/text/markdown/10-text",
                wat::module("(import \"env\" \"f\" (func))" + wat::input() + wat::output() +
                            wat::entry(wat::kCopy)));
  EXPECT_TRUE(failed(refuse({"site", "--recipes", "recipes"}),
                     {"10-text.wasm", "Wasm module could not be instantiated", "env"}));
}

TEST_F(DevStart, WhatIsNoRegularFileIsTold) {
  for (const std::string role : {"content", "recipe", "form", "component"}) {
    const std::string folder = role == "content" ? "site" : role + "s";
    fs::create_directories(folder_.path(folder));
    Strings arguments = {"site"};
    if (role != "content") arguments.insert(arguments.end(), {"--" + folder, folder});
    ASSERT_EQ(mkfifo(folder_.path(folder + "/pipe").c_str(), 0600), 0);
    EXPECT_TRUE(failed(refuse(arguments), {role + " entry \"pipe\" must be a regular file"}));
    remove(folder + "/pipe");
    fs::create_symlink("nowhere", folder_.path(folder + "/dangling"));
    EXPECT_TRUE(failed(refuse(arguments), {role + " entry \"dangling\" must be a regular file"}));
    remove(folder + "/dangling");
  }
}

TEST_F(DevStart, ContentPathsThatCannotBeAskedForAreTold) {
  const std::map<std::string, std::string> cases = {
      {"a\\b.txt", "must not contain backslash"},
      {"a\xff.txt", "must be valid UTF-8"},
      {"a\nb.txt", "is not canonical"},
  };
  for (const auto& [name, message] : cases) {
    put("site/" + name, "x");
    EXPECT_TRUE(failed(refuse({"site"}), {"content path \"", message})) << name;
    remove("site/" + name);
  }
}

TEST_F(DevStart, TwoFilesForOnePathAreTold) {
  put("site/about.md", "a");
  put("site/about.html", "b");
  EXPECT_TRUE(failed(refuse({"site"}), {"duplicate route path \"/about\" for \"about.html\" and "
                                        "\"about.md\""}));
  remove("site/about.md");
  put("site/about/index.md", "c");
  EXPECT_TRUE(failed(refuse({"site"}), {"duplicate route path \"/about\" for \"about"}));
  fs::remove_all(folder_.path("site/about"));
  put("site/_qip/qip-form.js", "mine");
  EXPECT_TRUE(failed(refuse({"site"}), {"duplicate route path \"/_qip/qip-form.js\""}));
}

TEST_F(DevStart, AFormThatIsNoComponentIsTold) {
  put("forms/notes.txt", "ignored");
  put("forms/contact.wasm", "no module");
  EXPECT_TRUE(failed(refuse({"site", "--forms", "forms"}),
                     {"\"forms/contact.wasm\" could not be compiled"}));
}

TEST_F(DevStart, FoldersInsideTheContentAreTakenAndNotServed) {
  put("site/a.md", "a");
  put("site/_recipes/README.md", "ignored");
  put_component("site/_recipes/text/markdown/10-stamp", stamp_text("<p>", "</p>"));
  put_component("site/_forms/contact", form_text());
  put_component("site/_components/tools/echo", wat::echo());
  const DevServer server = serve({"--mode", "prod"});
  EXPECT_TRUE(answers(server.get("/a"), 200, "<p>a</p>"));
  EXPECT_TRUE(answers(server.get("/_qip/forms/contact.wasm"), 200, component(form_text())));
  EXPECT_TRUE(answers(server.get("/components/tools/echo.wasm"), 200, component(wat::echo())));
  for (const char* path :
       {"/_recipes/README", "/_recipes/README.md", "/_forms/contact.wasm",
        "/_recipes/text/markdown/10-stamp.wasm", "/_components/tools/echo.wasm"}) {
    EXPECT_TRUE(answers(server.get(path), 404, kNotFound)) << path;
  }
}

// --- Routes --------------------------------------------------------------------------------------

TEST_F(DevRoutes, EveryFileAnswersToItsPathsAndToNoOthers) {
  const std::map<std::string, Strings> files = {
      {"INDEX.Markdown", {"/", "/INDEX.Markdown"}},
      {"docs/Index.html", {"/docs", "/docs/", "/docs/Index.html"}},
      {"docs/guide.MD", {"/docs/guide", "/docs/guide/", "/docs/guide.MD"}},
      {"docs/old.htm", {"/docs/old.htm"}},
      {"a.b.markdown", {"/a.b", "/a.b/", "/a.b.markdown"}},
      {".hidden/.d", {"/.hidden/.d", "/.hidden/.d/"}},
      {"tool.wasm", {"/tool.wasm"}},
      {"a b/\xC3\xBC%41.txt", {"/a%20b/%C3%BC%2541.txt", "/a%20b/\xC3\xBC%2541.txt"}},
      {"q?.txt", {"/q%3F.txt"}},
      {"none", {"/none"}},
      {".html", {"/.html"}},
  };
  for (const auto& [name, paths] : files) put("site/" + name, name);
  const DevServer server = serve({"--mode", "prod"});
  for (const auto& [name, paths] : files) {
    for (const std::string& path : paths) {
      EXPECT_TRUE(answers(server.get(path), 200, name)) << path;
      EXPECT_TRUE(answers(server.get(path + "?q=1&r=/../x"), 200, name)) << path;
    }
  }
  for (const char* path : {"/index",     "/INDEX",  "/docs/index", "/docs/Index",
                           "/docs/old",  "/docs/",  "/DOCS",       "/docs/guide.md",
                           "/.hidden",   "/tool",   "/a%20b",      "/a%20b/%C3%BCA.txt",
                           "/q",         "/q?.txt", "/missing",    "/%FF",
                           "/none.html", "/_qip/",  "/_qip",       "/components/"}) {
    if (std::string(path) == "/docs/") continue;
    EXPECT_TRUE(answers(server.get(path), 404, kNotFound)) << path;
  }
}

TEST_F(DevRoutes, OnlyGetAndHeadAreAnswered) {
  put("site/a.txt", "a");
  const DevServer server = serve();
  for (const char* method :
       {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "PROPFIND"}) {
    for (const char* path : {"/a.txt", "/missing"}) {
      const HttpResponse response =
          server.exchange(DevServer::request_text(path, {}, method), true);
      EXPECT_TRUE(answers(response, 405, "")) << method;
      EXPECT_EQ(response.field("allow"), "GET, HEAD");
    }
  }
  // With a body as well, which is not read.
  HttpConnection connection = server.connect();
  connection.send(
      "POST /a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 35\r\n\r\n"
      "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n12");
  EXPECT_EQ(connection.receive().status, 405);
  EXPECT_TRUE(connection.receive_end());
  EXPECT_EQ(connection.received(), "") << "the body was taken for a request";
}

TEST_F(DevRoutes, EveryResponseHasTheFieldsThatKeepItWhatItIs) {
  put("site/a.txt", "a");
  put("site/bad.md", "!");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  const DevServer server = serve({"--recipes", "recipes"});
  const std::map<std::string, int> cases = {
      {"/a.txt", 200}, {"/missing", 404}, {"/bad", 500}, {"//a.txt", 301}, {"/%zz", 400}};
  for (const auto& [path, status] : cases) {
    const HttpResponse response = server.get(path);
    EXPECT_EQ(response.status, status) << path;
    EXPECT_EQ(response.field("x-content-type-options"), "nosniff") << path;
    EXPECT_EQ(response.field("cache-control"), "no-cache") << path;
    EXPECT_EQ(response.field("content-length"), std::to_string(response.body.size())) << path;
    EXPECT_EQ(response.count("date"), 1u) << path;
    EXPECT_EQ(response.count("server"), 0u) << path;
    EXPECT_EQ(response.count("etag"), status == 200 ? 1u : 0u) << path;
    EXPECT_EQ(response.count("x-qip-reload-error"), 0u) << path;
  }
  EXPECT_EQ(server.get("/missing").field("content-type"), "text/plain; charset=utf-8");
}

TEST_F(DevRoutes, HeadIsGetWithoutABody) {
  put("site/a.txt", "a");
  put("site/empty", "");
  put("site/page.html", "<body><qip-form name=contact></qip-form></body>");
  put("site/large.bin", std::string(3'000'000, 'L'));
  put("site/made.md", "made");
  put("site/bad.md", "!");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  put_component("forms/contact", form_text());
  for (const char* mode : {"dev", "prod"}) {
    const DevServer server = serve({"--recipes", "recipes", "--forms", "forms", "--mode", mode});
    for (const char* path : {"/a.txt", "/empty", "/page", "/large.bin", "/made", "/bad", "/missing",
                             "//a.txt", "/%zz", "/_qip/qip-form.js", "/_qip/forms/contact.wasm"}) {
      // HEAD first: nothing is remembered yet.
      const HttpResponse head = server.head(path);
      const HttpResponse get = server.get(path);
      EXPECT_EQ(head.status, get.status) << path;
      EXPECT_EQ(steady_fields(head), steady_fields(get)) << path;
      EXPECT_EQ(get.field("content-length"), std::to_string(get.body.size())) << path;
      HttpConnection connection = server.connect();
      connection.send(DevServer::request_text(path, {"Connection: close"}, "HEAD"));
      EXPECT_TRUE(connection.receive(false).is_whole) << path;
      EXPECT_TRUE(connection.receive_end()) << path;
      EXPECT_EQ(connection.received(), "") << path;
    }
  }
}

TEST_F(DevRoutes, LargeFilesAreSentAsTheyAre) {
  std::string large(5'000'000, '\0');
  for (size_t i = 0; i < large.size(); i++) large[i] = static_cast<char>(i * 2654435761u >> 13);
  put("site/large.bin", large);
  const DevServer server = serve();
  for (int i = 0; i < 3; i++) {
    const HttpResponse response = server.get("/large.bin");
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.body == large);
    EXPECT_EQ(response.field("etag"), tag_of("dev", {large}));
  }
  // An edit of equal size.
  large[4'000'000] ^= 1;
  put("site/large.bin", large);
  EXPECT_TRUE(server.get("/large.bin").body == large);
}

TEST_F(DevRoutes, ConnectionsAreKeptForTheNextRequest) {
  put("site/a.txt", "a");
  put("site/made.md", "made");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  const DevServer server = serve({"--recipes", "recipes", "--mode", "prod"});
  HttpConnection connection = server.connect();
  for (int i = 0; i < 20; i++) {
    connection.send(DevServer::request_text("/a.txt"));
    EXPECT_TRUE(answers(connection.receive(), 200, "a"));
    connection.send(DevServer::request_text("/made"));
    EXPECT_TRUE(answers(connection.receive(), 200, "<made>"));
    connection.send(DevServer::request_text("/missing"));
    EXPECT_TRUE(answers(connection.receive(), 404, kNotFound));
  }
  connection.send(DevServer::request_text("/a.txt", {"Connection: close"}));
  EXPECT_TRUE(answers(connection.receive(), 200, "a"));
  EXPECT_TRUE(connection.receive_end());
}

TEST_F(DevRoutes, AFileThatHasGoneIsAnErrorUntilItIsBackAndAProdServerDoesNotLookForNewOnes) {
  put("site/a.txt", "a");
  const DevServer server = serve({"--mode", "prod"});
  EXPECT_TRUE(answers(server.get("/a.txt"), 200, "a"));
  remove("site/a.txt");
  EXPECT_TRUE(answers(server.get("/a.txt"), 500, "500 internal server error\n"));
  EXPECT_TRUE(server.has_logged("error=open a.txt: no such file or directory"));
  put("site/a.txt", "again");
  EXPECT_TRUE(answers(server.get("/a.txt"), 200, "again"));
  put("site/b.txt", "b");
  EXPECT_TRUE(answers(server.get("/b.txt"), 404, kNotFound));
}

// --- Media types ---------------------------------------------------------------------------------

TEST_F(DevTypes, FollowFromTheExtension) {
  const std::map<std::string, std::string> types = {
      {"html", "text/html; charset=utf-8"},
      {"htm", "text/html; charset=utf-8"},
      {"HTML", "text/html; charset=utf-8"},
      {"css", "text/css; charset=utf-8"},
      {"js", "text/javascript; charset=utf-8"},
      {"mjs", "text/javascript; charset=utf-8"},
      {"json", "application/json"},
      {"xml", "text/xml; charset=utf-8"},
      {"txt", "text/plain; charset=utf-8"},
      {"csv", "text/csv; charset=utf-8"},
      {"md", "text/markdown; charset=utf-8"},
      {"markdown", "text/markdown; charset=utf-8"},
      {"uri", "text/uri-list; charset=utf-8"},
      {"uris", "text/uri-list; charset=utf-8"},
      {"svg", "image/svg+xml"},
      {"png", "image/png"},
      {"gif", "image/gif"},
      {"jpg", "image/jpeg"},
      {"jpeg", "image/jpeg"},
      {"JpEg", "image/jpeg"},
      {"webp", "image/webp"},
      {"avif", "image/avif"},
      {"bmp", "image/bmp"},
      {"ico", "image/vnd.microsoft.icon"},
      {"pdf", "application/pdf"},
      {"wasm", "application/wasm"},
      {"woff", "font/woff"},
      {"woff2", "font/woff2"},
      {"zip", "application/zip"},
      {"sqlite", "application/vnd.sqlite3"},
      {"unknown", "application/octet-stream"},
  };
  for (const auto& [extension, type] : types) put("site/of-" + extension + "." + extension, "x");
  put("site/none", "x");
  put("site/dir.html/plain", "x");
  const DevServer server = serve();
  for (const auto& [extension, type] : types) {
    const HttpResponse response = server.get("/of-" + extension + "." + extension);
    EXPECT_EQ(response.field("content-type"), type) << extension;
  }
  EXPECT_EQ(server.get("/none").field("content-type"), "application/octet-stream");
  EXPECT_EQ(server.get("/dir.html/plain").field("content-type"), "application/octet-stream");
  EXPECT_EQ(server.get("/_qip/qip-form.js").field("content-type"),
            "text/javascript; charset=utf-8");
}

// An icon file of one image, and a bitmap of one pixel.
std::string icon_bytes() {
  return std::string("\0\0\1\0\1\0", 6) + std::string("\1\1\0\0\1\0\x20\0\4\0\0\0\x16\0\0\0", 16) +
         "data";
}
std::string bitmap_bytes() {
  return std::string("BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x20\0", 30) +
         std::string(28, '\0');
}

TEST_F(DevTypes, IconsAndBitmapsAreToldByTheirBytes) {
  put("site/icon", icon_bytes());
  put("site/icon.ico", icon_bytes());
  put("site/picture.dat", bitmap_bytes());
  put("site/broken.dat", bitmap_bytes().substr(0, 20));
  put("site/short", icon_bytes().substr(0, 25));
  put("site/text.txt", "BM is a text");
  const DevServer server = serve();
  const std::map<std::string, std::string> cases = {
      {"/icon", "image/x-icon"},
      {"/icon.ico", "image/x-icon"},
      {"/picture.dat", "image/bmp"},
      {"/broken.dat", "application/octet-stream"},
      {"/short", "application/octet-stream"},
      {"/text.txt", "text/plain; charset=utf-8"},
  };
  for (const auto& [path, type] : cases) {
    EXPECT_EQ(server.get(path).field("content-type"), type) << path;
  }
}

TEST_F(DevTypes, AChainThatDeclaresItsTypeHasTheFirstSay) {
  put("site/a.md", "a");
  put("site/b.csv", "b");
  put("site/c.json", "c");
  put("site/d.pdf", "d");
  put("site/e.xml", "BM");
  const std::string svg = wat::content_type("output", "image/svg+xml");
  put_component("recipes/text/markdown/10-svg", stamp_text("<svg>", "</svg>", svg));
  put_component("recipes/text/csv/10-svg", stamp_text("<svg>", "</svg>", svg));
  // Keeps what is declared before it.
  put_component("recipes/text/csv/20-echo", wat::echo());
  // Declares nothing: the source's type stays.
  put_component("recipes/application/json/10-echo", wat::echo());
  put_component("recipes/application/pdf/10-html",
                stamp_text("<p>", "</p>", wat::content_type("output", "text/html")));
  put_component("recipes/text/xml/10-bitmap",
                wat::module(wat::input() + wat::output("bytes") +
                            wat::data(131072, bitmap_bytes()) + wat::entry("(i32.const 58)")));
  const DevServer server = serve({"--recipes", "recipes"});
  const std::map<std::string, std::string> cases = {
      {"/a", "image/svg+xml"},         {"/b.csv", "image/svg+xml"},
      {"/c.json", "application/json"}, {"/d.pdf", "text/html; charset=utf-8"},
      {"/e.xml", "image/bmp"},
  };
  for (const auto& [path, type] : cases) {
    EXPECT_EQ(server.get(path).field("content-type"), type) << path;
  }
  // The declared page is a page: it gets its script.
  EXPECT_TRUE(contains(server.get("/d.pdf").body, "/_qip/reload"));
  EXPECT_FALSE(contains(server.get("/b.csv").body, "/_qip/reload"));
}

TEST_F(DevTypes, MarkdownThatWentThroughAChainIsHtml) {
  put("site/a.md", "a");
  put("site/b.markdown", "b");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<p>", "</p>"));
  const DevServer server = serve({"--recipes", "recipes", "--mode", "prod"});
  for (const char* path : {"/a", "/a.md", "/a/"}) {
    const HttpResponse response = server.get(path);
    EXPECT_TRUE(answers(response, 200, "<p>a</p>")) << path;
    EXPECT_EQ(response.field("content-type"), "text/html; charset=utf-8") << path;
  }
  EXPECT_TRUE(answers(server.get("/b"), 200, "<p>b</p>"));
}

// --- Chains --------------------------------------------------------------------------------------

TEST_F(DevChains, RunInTheOrderOfTheirNumbersForTheTypeOfTheSource) {
  put("site/a.md", "a");
  put("site/a.css", "c");
  put("site/a.txt", "t");
  put_component("recipes/text/markdown/20-second", stamp_text("2", "2"));
  put_component("recipes/text/markdown/05-first", stamp_text("1", "1"));
  put_component("recipes/text/markdown/99-last", stamp_text("9", "9"));
  put_component("recipes/text/markdown/-10-off", stamp_text("off", "off"));
  put_component("recipes/text/css/10-css", stamp_text("css:", ""));
  put("recipes/text/markdown/-30-broken.wasm", "not read");
  put("recipes/text/markdown/X.WASM", "ignored");
  put("recipes/README.md", "ignored");
  put("recipes/text/markdown/10-source.wat", "ignored");
  const DevServer server = serve({"--recipes", "recipes", "--mode", "prod"});
  EXPECT_TRUE(answers(server.get("/a"), 200, "921a129"));
  EXPECT_TRUE(answers(server.get("/a.css"), 200, "css:c"));
  EXPECT_TRUE(answers(server.get("/a.txt"), 200, "t"));
}

TEST_F(DevChains, ItemsAreSentAsLinesAndNoOutputAsNothing) {
  put("site/a.csv", "x");
  put("site/b.json", "x");
  put_component("recipes/text/csv/10-items", items_text());
  put_component("recipes/application/json/10-count",
                wat::module(wat::input() + wat::entry("(i32.const 42)")));
  const DevServer server = serve({"--recipes", "recipes"});
  EXPECT_TRUE(answers(server.get("/a.csv"), 200, "00000001\ndeadbeef\n"));
  EXPECT_TRUE(answers(server.get("/b.json"), 200, ""));
}

TEST_F(DevChains, NothingIsAddedToTextAndInvalidTextPasses) {
  put("site/a.css", "a\xff");
  put("site/b.css", "");
  put_component("recipes/text/css/10-echo", wat::echo());
  const DevServer server = serve({"--recipes", "recipes"});
  EXPECT_TRUE(answers(server.get("/a.css"), 200, "a\xff"));
  EXPECT_TRUE(answers(server.get("/b.css"), 200, ""));
}

TEST_F(DevChains, TheFirstComponentMustExpectTheTypeOfTheSource) {
  put("site/a.md", "a");
  put("site/b.css", "b");
  const std::string wants_markdown = wat::content_type("input", "text/markdown");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">", wants_markdown));
  put_component("recipes/text/css/10-stamp", stamp_text("<", ">", wants_markdown));
  const DevServer server = serve({"--recipes", "recipes"});
  EXPECT_EQ(server.get("/a").status, 200);
  EXPECT_TRUE(
      answers_with(server.get("/b.css"), 500,
                   {"content type check failed", "text/markdown&quot;, got &quot;text/css"}));
}

TEST_F(DevChains, APictureGoesThroughFilters) {
  // A filter that turns red off, over the whole tile.
  const std::string filter =
      wat::module("(memory (export \"memory\") 4 4)" + wat::value("input_ptr", 1024) +
                  wat::value("input_bytes_cap", 65536) +
                  "(func (export \"tile_rgba32float_64x64\") (param f32 f32) (local $at i32)"
                  "(local.set $at (i32.const 1024)) (loop $next"
                  "  (f32.store (local.get $at) (f32.const 0))"
                  "  (local.set $at (i32.add (local.get $at) (i32.const 16)))"
                  "  (br_if $next (i32.lt_u (local.get $at) (i32.const 66560)))))");
  std::string picture = bitmap_bytes();
  picture.replace(54, 4, "\x10\x20\x30\xff");
  std::string wanted = picture;
  wanted[56] = 0;
  put("site/a.bmp", picture);
  put_component("recipes/image/bmp/10-filter", filter);
  const DevServer server = serve({"--recipes", "recipes"});
  const HttpResponse response = server.get("/a.bmp");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body.substr(54), wanted.substr(54));
  EXPECT_EQ(response.field("content-type"), "image/bmp");
}

// --- Tags and conditional requests ---------------------------------------------------------------

TEST_F(DevTags, FollowFromSourceChainFormsAndModeOnly) {
  const std::string page = "<body><qip-form name=b></qip-form><qip-form name=a></qip-form></body>";
  put("site/plain.txt", "plain");
  put("site/a.md", "a");
  put("site/forms.html", page);
  const std::string first = stamp_text("1", "1");
  const std::string second = stamp_text("2", "2");
  put_component("recipes/text/markdown/10-a", first);
  put_component("recipes/text/markdown/20-b", second);
  put_component("forms/a", form_text(wat::data(210000, "a")));
  put_component("forms/b", form_text(wat::data(210000, "b")));
  put_component("forms/unused", form_text());
  for (const char* mode : {"dev", "prod"}) {
    const DevServer server = serve({"--recipes", "recipes", "--forms", "forms", "--mode", mode});
    EXPECT_EQ(server.get("/plain.txt").field("etag"), tag_of(mode, {"plain"}));
    EXPECT_EQ(server.get("/a").field("etag"),
              tag_of(mode, {"a", component(first), component(second)}));
    EXPECT_EQ(server.get("/a.md").field("etag"), server.get("/a").field("etag"));
    EXPECT_EQ(server.get("/forms").field("etag"),
              tag_of(mode, {page, component(form_text(wat::data(210000, "a"))),
                            component(form_text(wat::data(210000, "b")))}));
    EXPECT_EQ(server.get("/_qip/forms/unused.wasm").field("etag"),
              tag_of(mode, {component(form_text())}));
  }
}

TEST_F(DevTags, AMatchIsAnsweredWithoutABody) {
  put("site/a.txt", "a");
  put("site/large.bin", std::string(2'000'000, 'x'));
  const DevServer server = serve();
  const std::string tag = tag_of("dev", {"a"});
  const std::map<std::string, bool> cases = {
      {tag, true},
      {"W/" + tag, true},
      {"*", true},
      {" \t" + tag + " ", true},
      {"\"x\", " + tag, true},
      {"\"x\",\"y\"," + tag + ",\"z\"", true},
      {"\"x\" , W/" + tag + " , \"z\"", true},
      {", ," + tag, true},
      {"\"\", " + tag, true},
      {"\"a,b\", " + tag, true},
      {"\"x\"", false},
      {"W/\"x\"", false},
      {"\"" + tag.substr(1, 31) + "\"", false},
      {tag.substr(1, 32), false},         // without quotes
      {"\"" + tag.substr(1, 32), false},  // without the second
      {"w/" + tag, false},                // W is a capital
      {"W /" + tag, false},
      {tag + " " + tag, false},  // no comma
      {tag + tag, false},
      {"*, " + tag, false},
      {tag + ", *", false},
      {tag + ", x", false},
      {"**", false},
      {"\"x" + tag, false},
      {"", false},
      {",", false},
  };
  for (const auto& [value, is_match] : cases) {
    const HttpResponse response = server.get("/a.txt", {"If-None-Match: " + value});
    EXPECT_EQ(response.status, is_match ? 304 : 200) << value;
    EXPECT_EQ(response.body, is_match ? "" : "a") << value;
    EXPECT_EQ(response.field("etag"), tag) << value;
    EXPECT_EQ(response.field("cache-control"), "no-cache") << value;
    EXPECT_EQ(server.head("/a.txt", {"If-None-Match: " + value}).status, is_match ? 304 : 200);
  }
  // Several fields are one list.
  EXPECT_EQ(server.get("/a.txt", {"If-None-Match: \"x\"", "if-none-match: " + tag}).status, 304);
  EXPECT_EQ(server.get("/a.txt", {"If-None-Match: " + tag, "If-None-Match: *"}).status, 200);
  // A file that is sent from disk.
  const std::string large = server.get("/large.bin").field("etag");
  EXPECT_EQ(server.get("/large.bin", {"If-None-Match: " + large}).status, 304);
}

TEST_F(DevTags, AfterAMatchTheConnectionGoesOn) {
  put("site/a.txt", "a");
  const DevServer server = serve();
  HttpConnection connection = server.connect();
  for (int i = 0; i < 5; i++) {
    connection.send(DevServer::request_text("/a.txt", {"If-None-Match: *"}));
    EXPECT_EQ(connection.receive().status, 304);
    connection.send(DevServer::request_text("/a.txt"));
    EXPECT_TRUE(answers(connection.receive(), 200, "a"));
  }
}

TEST_F(DevTags, WhatIsNotThereOrFailsIsNoMatch) {
  put("site/bad.md", "!");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  const DevServer server = serve({"--recipes", "recipes"});
  EXPECT_EQ(server.get("/missing", {"If-None-Match: *"}).status, 404);
  EXPECT_EQ(server.get("/bad", {"If-None-Match: *"}).status, 500);
}

TEST_F(DevTags, ConditionsOnDatesAndRangesAreNoPartOfIt) {
  put("site/a.txt", "abcdef");
  const DevServer server = serve();
  for (const char* field :
       {"If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT", "If-Modified-Since: yesterday",
        "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT", "Range: bytes=0-1",
        "Range: bytes=100-200", "Range: bytes=4-2", "Range: bytes=0-0,1-1,2-2,3-3,4-4",
        "Range: bytes=-18446744073709551616", "Range: lines=1", "Range: bytes=0-",
        "If-Range: \"x\"", "If-Match: \"x\"", "If-Unmodified-Since: never"}) {
    EXPECT_TRUE(answers(server.get("/a.txt", {field}), 200, "abcdef")) << field;
  }
}

// --- Errors --------------------------------------------------------------------------------------

TEST_F(DevErrors, InDevModeThePageShowsComponentTrapAndCallStackEscaped) {
  put("site/bad.md", "!");
  put_component("recipes/text/markdown/10-a<b>&c", stamp_text("<", ">", "", "<i>evil</pre>"));
  const DevServer server = serve({"--recipes", "recipes"});
  const HttpResponse response = server.get("/bad");
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.field("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(response.count("etag"), 0u);
  EXPECT_TRUE(
      holds(response.body, {"<title>qip dev error</title>", "<pre>", "10-a&lt;b&gt;&amp;c.wasm",
                            "wasm error: unreachable", "&lt;i&gt;evil&lt;/pre&gt;", "</pre>"}));
  EXPECT_FALSE(contains(response.body, "<b>"));
  EXPECT_FALSE(contains(response.body, "<i>"));
  EXPECT_EQ(occurrences(response.body, "</pre>"), 1u);
  // Date and time of RFC 3339 in the first line of the <pre>, the message behind it.
  const std::string text = response.body.substr(response.body.find("<pre>") + 5);
  EXPECT_EQ(text[10], 'T') << text;
  EXPECT_EQ(text[19], 'Z') << text;
  EXPECT_EQ(text[20], '\n') << text;
  // The log has the whole message.
  EXPECT_TRUE(server.has_logged("dev: GET /bad error="));
  EXPECT_TRUE(server.has_logged("wasm error: unreachable"));
}

TEST_F(DevErrors, InProdModeTheClientIsToldNothing) {
  put("site/bad.md", "!");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  const DevServer server = serve({"--recipes", "recipes", "--mode", "prod"});
  const HttpResponse response = server.get("/bad");
  EXPECT_TRUE(answers(response, 500, "500 internal server error\n"));
  EXPECT_EQ(response.field("content-type"), "text/plain; charset=utf-8");
  EXPECT_TRUE(server.has_logged("10-stamp.wasm: wasm error: unreachable"));
}

TEST_F(DevErrors, ATimeLimitIsTold) {
  put("site/endless.md", "~");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  {
    const DevServer server = serve({"--recipes", "recipes"});
    EXPECT_TRUE(answers_with(server.get("/endless"), 500,
                             {"Wasm module exceeded the execution time limit (500ms)"}));
  }
  {
    const DevServer server = serve({"--recipes", "recipes", "--timeout-ms", "50"});
    EXPECT_TRUE(answers_with(server.get("/endless"), 500,
                             {"Wasm module exceeded the execution time limit (50ms)"}));
  }
}

TEST_F(DevErrors, EveryWayToFailEndsInAPage) {
  put("site/a.md", "a");
  const std::map<std::string, std::string> chains = {
      {wat::module(wat::input("utf8", 0) + wat::output() + wat::entry(wat::kCopy)),
       "Input is too large"},
      {wat::module(wat::input() + wat::output("utf8", 1) + wat::entry("(i32.const 2)")),
       "Module returned more bytes than its stated capacity"},
      {wat::module("(memory (export \"memory\") 1 1)" + wat::value("input_ptr", 0) +
                   wat::value("input_utf8_cap", 10) + wat::value("output_ptr", 65530) +
                   wat::value("output_utf8_cap", 100) + wat::entry("(i32.const 10)")),
       "Could not read output"},
      {wat::module("(func $deep (call $deep))" + wat::input() + wat::output() +
                   wat::entry("(call $deep) (i32.const 0)")),
       "stack overflow"},
      {wat::module(wat::input() + wat::output() +
                   wat::entry("(i32.div_u (i32.const 1) (i32.const 0))")),
       "integer divide by zero"},
      {wat::module("(func $start (unreachable)) (start $start)" + wat::input() + wat::output() +
                   wat::entry(wat::kCopy)),
       "Wasm module could not be instantiated"},
  };
  put_component("recipes/text/markdown/10-fails", wat::echo());
  const DevServer server = serve({"--recipes", "recipes"});
  for (const auto& [text, message] : chains) {
    put_component("recipes/text/markdown/10-fails", text);
    EXPECT_TRUE(answers_with(server.get("/a"), 500, {"<title>qip dev error</title>", message}));
  }
  put_component("recipes/text/markdown/10-fails", wat::echo());
  EXPECT_EQ(server.get("/a").status, 200);
}

// --- Forms and the other elements ----------------------------------------------------------------

TEST_F(DevForms, APageGetsAScriptThatNamesWhereItsFormsAre) {
  const std::string page =
      "<html><body><h1>x</h1><qip-form name=\"contact\"></qip-form>"
      "<QIP-FORM NAME='nested/sign &amp; up'></QIP-FORM>"
      "<qip-form class=a name=contact></qip-form></body></html>";
  put("site/page.html", page);
  put_component("forms/contact", form_text());
  put_component("forms/nested/sign & up", form_text());
  const DevServer server = serve({"--forms", "forms", "--mode", "prod"});
  const std::string script =
      "<script type=\"module\">\n"
      "import { QipForm } from \"/_qip/qip-form.js\";\n"
      "for (const [name, source] of [[\"contact\", \"/_qip/forms/contact.wasm\"], "
      "[\"nested/sign & up\", \"/_qip/forms/nested/sign%20&%20up.wasm\"]]) "
      "QipForm.sources.set(name, source);\n"
      "customElements.define(\"qip-form\", QipForm);\n"
      "</script>\n";
  std::string wanted = page;
  wanted.insert(page.find("</body>"), script);
  EXPECT_TRUE(answers(server.get("/page"), 200, wanted));
  for (const char* path : {"/_qip/forms/contact.wasm", "/_qip/forms/nested/sign%20&%20up.wasm"}) {
    const HttpResponse response = server.get(path);
    EXPECT_TRUE(answers(response, 200, component(form_text()))) << path;
    EXPECT_EQ(response.field("content-type"), "application/wasm") << path;
  }
  for (const char* name :
       {"qip-component.js", "qip-worker.js", "qip-form.js", "qip-play.js", "qip-edit.js"}) {
    const HttpResponse response = server.get(std::string("/_qip/") + name);
    EXPECT_EQ(response.status, 200) << name;
    EXPECT_EQ(response.field("content-type"), "text/javascript; charset=utf-8") << name;
    EXPECT_FALSE(response.body.empty()) << name;
  }
}

TEST_F(DevForms, PlayAndEditHaveScriptsOfTheirOwn) {
  put("site/page.html",
      "<body><qip-edit src=a.wasm></qip-edit><qip-play src=b.wasm></qip-play>"
      "</body>");
  const DevServer server = serve({"--mode", "prod"});
  EXPECT_TRUE(answers(server.get("/page"), 200,
                      "<body><qip-edit src=a.wasm></qip-edit><qip-play src=b.wasm></qip-play>"
                      "<script type=\"module\">\n"
                      "import { QipPlay } from \"/_qip/qip-play.js\";\n"
                      "customElements.define(\"qip-play\", QipPlay);\n"
                      "import { QipEdit } from \"/_qip/qip-edit.js\";\n"
                      "customElements.define(\"qip-edit\", QipEdit);\n"
                      "</script>\n</body>"));
}

TEST_F(DevForms, WhatIsNoTagOrNoPageIsLeftAlone) {
  const std::string page =
      "<!-- <qip-form name=a> --><script>'<qip-form>'</script>"
      "<textarea><qip-form></textarea><title><qip-form></title>"
      "<p title='<qip-form>'>&lt;qip-form&gt; </qip-form><qip-former>";
  put("site/page.html", page);
  put("site/text.txt", "<qip-form name=missing>");
  const DevServer server = serve({"--mode", "prod"});
  EXPECT_TRUE(answers(server.get("/page"), 200, page));
  EXPECT_TRUE(answers(server.get("/text.txt"), 200, "<qip-form name=missing>"));
}

TEST_F(DevForms, WhatIsWrongWithATagIsTold) {
  put("site/none.html", "<qip-form></qip-form>");
  put("site/empty.html", "<qip-form name=' &#32; '></qip-form>");
  put("site/unknown.html", "<qip-form name='<i>&quot;x'></qip-form>");
  put("site/made.md", "<qip-form name=unknown>");
  put_component("recipes/text/markdown/10-echo", wat::echo());
  {
    const DevServer server = serve({"--recipes", "recipes"});
    EXPECT_TRUE(answers_with(server.get("/none"), 500,
                             {"&lt;qip-form&gt; tag is missing required name attribute"}));
    EXPECT_TRUE(answers_with(server.get("/empty"), 500,
                             {"&lt;qip-form&gt; name attribute must not be empty"}));
    EXPECT_TRUE(answers_with(server.get("/unknown"), 500,
                             {"qip-form tags detected, but no form modules are loaded (pass "
                              "--forms &lt;forms_dir&gt;)"}));
  }
  put_component("forms/contact", form_text());
  const DevServer server = serve({"--recipes", "recipes", "--forms", "forms"});
  const HttpResponse response = server.get("/unknown");
  EXPECT_TRUE(answers_with(response, 500,
                           {"qip-form name &quot;&lt;i&gt;", "has no matching module in --forms"}));
  EXPECT_FALSE(contains(response.body, "<i>"));
  EXPECT_TRUE(
      answers_with(server.get("/made"), 500, {"qip-form name &quot;unknown&quot; has no "}));
}

TEST_F(DevForms, ANameCannotEndTheScript) {
  put_component("forms/<", form_text());
  put_component("forms/a\"]]); alert(1);", form_text());
  put("site/page.html",
      "<body><qip-form name='<'></qip-form>"
      "<qip-form name='a\"]]); alert(1);'></qip-form></body>");
  const DevServer server = serve({"--forms", "forms", "--mode", "prod"});
  const std::string body = server.get("/page").body;
  const std::string script = body.substr(body.find("<script"));
  EXPECT_EQ(occurrences(script, "<"), 3u) << script;  // of the script and of the body's end
  EXPECT_FALSE(contains(script, "a\"]]); alert")) << script;
}

// --- Acceptance rows, by curl --------------------------------------------------------------------

TEST_F(DevAcceptance, Row89PathsAndMethods) {
  put("site/index.md", "# home");
  put("site/docs/index.md", "# docs");
  put("site/docs/guide.md", "# guide");
  put("site/about.html", "<h1>about</h1>");
  const DevServer server = serve();
  for (const char* path :
       {"/", "/index.md", "/docs", "/docs/", "/docs/guide", "/about", "/about.html"}) {
    EXPECT_EQ(server.curl(path).status, 200) << path;
  }
  for (const char* path : {"/index", "/docs/index", "/missing"}) {
    EXPECT_TRUE(answers(server.curl(path), 404, kNotFound)) << path;
  }
  EXPECT_EQ(server.curl("/about", {"-X", "POST"}).status, 405);
  const HttpResponse posted = server.curl("/about", {"-d", "name=value"});
  EXPECT_EQ(posted.status, 405);
  EXPECT_EQ(posted.field("allow"), "GET, HEAD");
  EXPECT_EQ(server.curl("/about", {"-I"}).status, 200);
}

TEST_F(DevAcceptance, Row90TagAndNotModified) {
  put("site/about.html", "<h1>about</h1>");
  const DevServer server = serve();
  const std::string tag = tag_of("dev", {"<h1>about</h1>"});
  const HttpResponse first = server.curl("/about.html");
  EXPECT_EQ(first.field("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(first.field("etag"), tag);
  EXPECT_TRUE(first.body.starts_with("<h1>about</h1>"));
  const HttpResponse again = server.curl("/about.html", {"-H", "If-None-Match: " + tag});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.field("etag"), tag);
  EXPECT_EQ(again.body, "");
}

TEST_F(DevAcceptance, Row91NothingOutsideIsServed) {
  put("secret.txt", "secret");
  put("site/about.html", "<h1>about</h1>");
  const DevServer server = serve();
  const HttpResponse outside = server.curl("/../../etc/passwd");
  EXPECT_EQ(outside.status, 301);
  EXPECT_EQ(outside.field("location"), "/etc/passwd");
  EXPECT_EQ(server.curl("/etc/passwd").status, 404);
  const HttpResponse twice = server.curl("//about?x=//y");
  EXPECT_EQ(twice.status, 301);
  EXPECT_EQ(twice.field("location"), "/about?x=//y");
  EXPECT_EQ(server.curl("//about", {"-L"}).status, 301);  // the first of two heads
  EXPECT_TRUE(contains(server.curl("//about", {"-L"}).body, "<h1>about</h1>"));
  EXPECT_EQ(server.curl("/../secret.txt", {"-L"}).status, 301);
  EXPECT_FALSE(contains(server.curl("/../secret.txt", {"-L"}).body, "secret\n"));
}

TEST_F(DevAcceptance, Row92AnEndlessRecipeAndBack) {
  put("site/a.md", "a");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<p>", "</p>"));
  const DevServer server = serve({"--recipes", "recipes"});
  const std::string before = server.curl("/a").body;
  EXPECT_TRUE(before.starts_with("<p>a</p>"));
  put_component(
      "recipes/text/markdown/10-stamp",
      wat::module(wat::input() + wat::output() + wat::entry("(loop $e (br $e)) (i32.const 0)")));
  const HttpResponse endless = server.curl("/a");
  EXPECT_TRUE(answers_with(
      endless, 500,
      {"<title>qip dev error</title>", "Wasm module exceeded the execution time limit (500ms)"}));
  EXPECT_EQ(endless.field("content-type"), "text/html; charset=utf-8");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<p>", "</p>"));
  EXPECT_TRUE(answers(server.curl("/a"), 200, before));
}

TEST_F(DevAcceptance, Row93NewFilesByHangUp) {
  put("site/a.md", "a");
  const DevServer server = serve({"--mode", "prod"});
  put("site/new.md", "new");
  EXPECT_EQ(server.curl("/new").status, 404);
  server.reload();
  EXPECT_TRUE(answers(server.curl("/new"), 200, "new"));
  put("site/new.html", "conflict");
  put("site/other.md", "other");
  server.reload();
  EXPECT_TRUE(answers(server.curl("/new"), 200, "new"));
  EXPECT_EQ(server.curl("/other").status, 404);
  EXPECT_TRUE(server.has_logged("dev: reload failed reason=signal_hup error=duplicate route path"));
}

TEST_F(DevAcceptance, Row94RecipeNames) {
  put("site/a.md", "a");
  const auto start_with = [&](const Strings& names) {
    fs::remove_all(folder_.path("recipes"));
    for (const std::string& name : names) put("recipes/" + name, component(wat::echo()));
    return refuse({"site", "--recipes", "recipes"});
  };
  EXPECT_TRUE(failed(start_with({"text/markdown/42-a.wasm", "text/markdown/42-b.wasm"}),
                     {"duplicate recipe prefix for text/markdown: 42 in "}));
  EXPECT_TRUE(failed(start_with({"text/markdown/a0-x.wasm"}),
                     {"invalid recipe filename \"text/markdown/a0-x.wasm\": filename prefix must "
                      "be two digits"}));
  EXPECT_TRUE(failed(start_with({"top.wasm"}),
                     {"recipe path \"top.wasm\" must match <type>/<subtype>/<file>"}));
  fs::remove_all(folder_.path("recipes"));
  put("recipes/text/markdown/-10-a.wasm", component(stamp_text("<", ">")));
  const DevServer server = serve({"--recipes", "recipes"});
  EXPECT_TRUE(contains(server.log(), "dev: loaded 0 recipe mime chains"));
  EXPECT_TRUE(answers(server.curl("/a"), 200, "a"));
}

TEST_F(DevAcceptance, Row95AFormOnAPage) {
  put("site/page.html", "<html><body><qip-form name=\"contact\"></qip-form></body></html>");
  put("site/missing.html", "<html><body><qip-form name=\"missing\"></qip-form></body></html>");
  put_component("forms/contact", form_text());
  const DevServer server = serve({"--forms", "forms"});
  const std::string body = server.curl("/page").body;
  const size_t end = body.find("</body>");
  EXPECT_LT(body.find("[\"contact\","), end);
  EXPECT_LT(body.find("customElements.define(\"qip-form\""), end);
  EXPECT_FALSE(contains(body, "AGFzbQ")) << "the component is in the page";
  EXPECT_TRUE(answers(server.curl("/_qip/forms/contact.wasm"), 200, component(form_text())));
  EXPECT_EQ(server.curl("/missing").status, 500);
}

}  // namespace
}  // namespace qip
