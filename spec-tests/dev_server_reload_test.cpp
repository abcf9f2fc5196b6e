// `qip dev` over time: what is remembered, reloads, open pages, and clients beside each other.
//
// No test measures time: waits have limits that guard against hanging only.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "spec-tests/dev_server.hpp"

namespace qip {
namespace {

namespace fs = std::filesystem;

using DevCache = DevServerTest;
using DevReload = DevServerTest;
using DevClients = DevServerTest;

// --- What is remembered --------------------------------------------------------------------------

// How often components ran.
size_t runs(const DevServer& server) {
  return occurrences(server.log(), "module_durations_ms=[");
}

TEST_F(DevCache, ARepeatedRequestRunsNoComponent) {
  put("site/a.md", "a");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  const DevServer server = serve({"--recipes", "recipes", "-v"});
  const HttpResponse first = server.get("/a");
  // A file that was just written is read again for a moment, and then recognised by its metadata.
  EXPECT_TRUE(eventually([&] {
    const HttpResponse again = server.get("/a");
    EXPECT_EQ(steady_fields(again), steady_fields(first));
    EXPECT_EQ(again.body, first.body);
    return contains(server.log(), "cache=hit");
  }));
  for (const char* path : {"/a", "/a.md", "/a/"}) {
    EXPECT_TRUE(answers(server.get(path), 200, first.body));
  }
  EXPECT_EQ(runs(server), 1u) << server.log();
  EXPECT_TRUE(server.has_logged("dev: GET /a.md status=200 duration_ms="));
  EXPECT_TRUE(server.has_logged(" cache=hit etag=" + first.field("etag")));
}

TEST_F(DevCache, EqualContentIsMadeOnce) {
  put("site/a.md", "same");
  put("site/b.md", "same");
  put("site/c.md", "other");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  const DevServer server = serve({"--recipes", "recipes", "-v"});
  EXPECT_EQ(server.get("/a").body, server.get("/b").body);
  EXPECT_NE(server.get("/a").body, server.get("/c").body);
  EXPECT_EQ(runs(server), 2u) << server.log();
}

TEST_F(DevCache, EveryWayOfEditingAFileIsNoticed) {
  for (const char* mode : {"dev", "prod"}) {
    fs::remove_all(folder_.path("site"));
    put("site/a.md", "first");
    put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
    const DevServer server = serve({"--recipes", "recipes", "-v", "--mode", mode});
    const auto served = [&] {
      const std::string body = server.get("/a").body;
      return body.substr(0, body.find('>') + 1);
    };
    const auto is_remembered = [&] {
      const size_t hits = occurrences(server.log(), "cache=hit");
      return eventually([&] {
        served();
        return occurrences(server.log(), "cache=hit") > hits;
      });
    };
    EXPECT_EQ(served(), "<first>");
    ASSERT_TRUE(is_remembered());
    put("site/a.md", "secon");  // equal size
    EXPECT_EQ(served(), "<secon>") << mode;
    ASSERT_TRUE(is_remembered());
    replace("site/a.md", "third");  // another file of equal size
    EXPECT_EQ(served(), "<third>") << mode;
    ASSERT_TRUE(is_remembered());
    // Equal size, and the time is put back.
    const auto time = fs::last_write_time(folder_.path("site/a.md"));
    put("site/a.md", "forth");
    fs::last_write_time(folder_.path("site/a.md"), time);
    EXPECT_EQ(served(), "<forth>") << mode;
    ASSERT_TRUE(is_remembered());
    // In place, one byte.
    const int file = open(folder_.path("site/a.md").c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(pwrite(file, "F", 1, 0), 1);
    close(file);
    EXPECT_EQ(served(), "<Forth>") << mode;
    put("site/a.md", "");
    EXPECT_EQ(served(), "<>") << mode;
    put("site/a.md", "longer than before");
    EXPECT_EQ(served(), "<longer than before>") << mode;
  }
}

TEST_F(DevCache, ManyEditsInARowAreEachSeenByTheNextRequest) {
  put("site/a.txt", "0000");
  put("site/a.md", "0000");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  const DevServer server = serve({"--recipes", "recipes", "--mode", "prod"});
  for (int i = 1000; i < 1200; i++) {
    const std::string text = std::to_string(i);
    put("site/a.txt", text);
    put("site/a.md", text);
    ASSERT_TRUE(answers(server.get("/a.txt"), 200, text));
    ASSERT_TRUE(answers(server.get("/a"), 200, "<" + text + ">"));
  }
}

TEST_F(DevCache, ATouchedFileKeepsItsTag) {
  put("site/a.txt", "a");
  const DevServer server = serve();
  const std::string tag = server.get("/a.txt").field("etag");
  put("site/a.txt", "a");
  EXPECT_EQ(server.get("/a.txt", {"If-None-Match: " + tag}).status, 304);
}

TEST_F(DevCache, WithoutRoomNothingIsRemembered) {
  put("site/a.md", "a");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  const DevServer server =
      serve({"--recipes", "recipes", "--mode", "prod", "-v", "--cache-max", "0"});
  for (int i = 0; i < 5; i++) EXPECT_TRUE(answers(server.get("/a"), 200, "<a>"));
  EXPECT_EQ(runs(server), 5u) << server.log();
}

TEST_F(DevCache, ErrorsAreNotRemembered) {
  put("site/a.md", "!");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  const DevServer server = serve({"--recipes", "recipes", "-v"});
  EXPECT_EQ(server.get("/a").status, 500);
  EXPECT_EQ(server.get("/a").status, 500);
  EXPECT_EQ(occurrences(server.log(), "dev: GET /a error="), 2u) << server.log();
  put("site/a.md", "fine");
  EXPECT_TRUE(answers_with(server.get("/a"), 200, {"<fine>"}));
}

TEST_F(DevCache, EqualRequestsAtOnceAreMadeOnce) {
  put("site/a.md", "a");
  // Endless work, so that all requests come while it runs.
  put("site/endless.md", "~");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  const DevServer server = serve({"--recipes", "recipes", "--timeout-ms", "1500", "-j", "2"});
  // The stamp of a file can be relied on a moment after it was written.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  std::vector<HttpConnection> waiting;
  for (int i = 0; i < 30; i++) {
    waiting.emplace_back(server.port());
    waiting.back().send(DevServer::request_text("/endless"));
  }
  std::string body;
  for (HttpConnection& connection : waiting) {
    const HttpResponse response = connection.receive();
    EXPECT_EQ(response.status, 500);
    if (body.empty()) body = response.body;
    EXPECT_EQ(response.body, body) << "made again: another time stamp or message";
  }
}

// --- Reloading -----------------------------------------------------------------------------------

TEST_F(DevReload, ByHangUpNewFilesAreServedAndOldOnesAreNot) {
  put("site/a.txt", "a");
  put("site/old.txt", "old");
  const DevServer server = serve({"--mode", "prod"});
  put("site/new.txt", "new");
  remove("site/old.txt");
  EXPECT_TRUE(answers(server.get("/new.txt"), 404, kNotFound));
  server.reload();
  EXPECT_TRUE(answers(server.get("/new.txt"), 200, "new"));
  EXPECT_TRUE(answers(server.get("/old.txt"), 404, kNotFound));
  EXPECT_TRUE(server.has_logged(
      "dev: reloaded reason=signal_hup paths=2 recipe_mimes=0 forms=0 duration_ms="));
}

TEST_F(DevReload, ByHangUpComponentsAndFormsAreReadAgain) {
  put("site/a.md", "a");
  put("site/page.html", "<qip-form name=contact></qip-form>");
  put_component("recipes/text/markdown/10-stamp", stamp_text("1", "1"));
  put_component("forms/contact", form_text());
  const DevServer server = serve({"--recipes", "recipes", "--forms", "forms", "--mode", "prod"});
  EXPECT_TRUE(answers(server.get("/a"), 200, "1a1"));
  const std::string tag = server.get("/page").field("etag");
  const std::string other_form = form_text(wat::data(210000, "other"));
  put_component("recipes/text/markdown/10-stamp", stamp_text("2", "2"));
  put_component("forms/contact", other_form);
  put_component("forms/nested/more", form_text());
  EXPECT_TRUE(answers(server.get("/a"), 200, "1a1")) << "prod looks at recipes by itself";
  EXPECT_EQ(server.get("/page").field("etag"), tag);
  server.reload();
  EXPECT_TRUE(answers(server.get("/a"), 200, "2a2"));
  EXPECT_NE(server.get("/page").field("etag"), tag);
  EXPECT_TRUE(answers(server.get("/_qip/forms/contact.wasm"), 200, component(other_form)));
  EXPECT_EQ(server.get("/_qip/forms/nested/more.wasm").status, 200);
  EXPECT_TRUE(server.has_logged("recipe_mimes=1 forms=2"));
}

TEST_F(DevReload, AFailureKeepsTheOldStateAndSaysWhy) {
  put("site/about.md", "a");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  for (const char* mode : {"dev", "prod"}) {
    const bool is_dev = std::string(mode) == "dev";
    const DevServer server = serve({"--recipes", "recipes", "--mode", mode});
    const std::string before = server.get("/about").body;
    put("site/about.html", "conflict");
    server.reload();
    const std::string message =
        "duplicate route path \"/about\" for \"about.html\" and \"about.md\"";
    EXPECT_TRUE(server.has_logged("dev: reload failed reason=signal_hup error=" + message));
    for (const char* path : {"/about", "/missing", "//about", "/_qip/qip-form.js"}) {
      const HttpResponse response = server.get(path);
      EXPECT_EQ(response.field("x-qip-reload-error"), is_dev ? message : "") << path;
    }
    EXPECT_EQ(server.get("/about").body, before);
    EXPECT_TRUE(answers(server.get("/about.html"), 404, kNotFound));
    remove("site/about.html");
    server.reload();
    EXPECT_EQ(server.get("/about").count("x-qip-reload-error"), 0u);
    EXPECT_EQ(server.get("/about").body, before);
  }
}

TEST_F(DevReload, AMessageInAFieldIsPrintableAndOneLine) {
  put("site/a.txt", "a");
  const DevServer server = serve();
  put("site/x\r\nEvil: yes\r\n\r\n\xC3\xA9.txt", "b");
  const HttpResponse response = server.get("/a.txt");
  EXPECT_TRUE(answers(response, 200, "a"));
  EXPECT_EQ(response.count("evil"), 0u);
  const std::string message = response.field("x-qip-reload-error");
  EXPECT_TRUE(contains(message, "is not canonical")) << message;
  for (const char c : message) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << message;
  EXPECT_FALSE(contains(server.log(), "\nEvil"));
}

TEST_F(DevReload, EveryErrorOfAStartIsAnErrorOfAReload) {
  put("site/a.txt", "a");
  put_component("recipes/text/markdown/42-a", wat::echo());
  fs::create_directories(folder_.path("forms"));
  const DevServer server = serve({"--recipes", "recipes", "--forms", "forms"});
  const auto fails_with = [&](const std::string& name, const std::string& message) {
    put(name, component(wat::echo()));
    const HttpResponse response = server.get("/a.txt");
    EXPECT_TRUE(answers(response, 200, "a"));
    EXPECT_TRUE(contains(response.field("x-qip-reload-error"), message))
        << response.field("x-qip-reload-error");
    remove(name);
    EXPECT_EQ(server.get("/a.txt").field("x-qip-reload-error"), "") << name;
  };
  fails_with("recipes/text/markdown/42-b.wasm",
             "duplicate recipe prefix for text/markdown: 42 in ");
  fails_with("recipes/text/markdown/a0-x.wasm", "filename prefix must be two digits");
  fails_with("recipes/text/markdown/10.wasm", "filename must match NN-name.wasm");
  fails_with("recipes/top.wasm", "recipe path \"top.wasm\" must match <type>/<subtype>/<file>");
  put("forms/broken.wasm", "no module");
  EXPECT_TRUE(contains(server.get("/a.txt").field("x-qip-reload-error"), "could not be compiled"));
  remove("forms/broken.wasm");
  EXPECT_EQ(server.get("/a.txt").count("x-qip-reload-error"), 0u);
  EXPECT_TRUE(server.has_logged("dev: auto-reload failed reason=recipe_change error="));
}

TEST_F(DevReload, InDevModeEveryEditOfARecipeIsSeenByTheVeryNextRequest) {
  put("site/a.md", "a");
  put_component("recipes/text/markdown/10-stamp", stamp_text("odd", ""));
  const std::string odd = component(stamp_text("odd", ""));
  const std::string even = component(stamp_text("eve", ""));
  ASSERT_EQ(odd.size(), even.size());
  const DevServer server = serve({"--recipes", "recipes"});
  for (int i = 0; i < 60; i++) {
    const bool is_odd = i % 2 == 1;
    // In place, or as a new file.
    if (i % 3 == 0) {
      put("recipes/text/markdown/10-stamp.wasm", is_odd ? odd : even);
    } else {
      replace("recipes/text/markdown/10-stamp.wasm", is_odd ? odd : even);
    }
    ASSERT_TRUE(answers_with(server.get("/a"), 200, {is_odd ? "odda" : "evea"})) << i;
  }
  EXPECT_TRUE(server.has_logged("dev: reloaded reason=recipe_change"));
}

TEST_F(DevReload, InDevModeFilesFoldersAndFormsComeAndGoByThemselves) {
  put("site/a.md", "a");
  fs::create_directories(folder_.path("recipes"));
  fs::create_directories(folder_.path("forms"));
  const DevServer server = serve({"--recipes", "recipes", "--forms", "forms"});
  for (int i = 0; i < 10; i++) {
    put("site/new/deep/b.txt", "b");
    ASSERT_TRUE(answers(server.get("/new/deep/b.txt"), 200, "b")) << i;
    fs::rename(folder_.path("site/new"), folder_.path("site/moved"));
    ASSERT_TRUE(answers(server.get("/moved/deep/b.txt"), 200, "b")) << i;
    ASSERT_TRUE(answers(server.get("/new/deep/b.txt"), 404, kNotFound)) << i;
    put("site/moved/deep/c.txt", "c");
    ASSERT_TRUE(answers(server.get("/moved/deep/c.txt"), 200, "c")) << i;
    fs::remove_all(folder_.path("site/moved"));
    ASSERT_TRUE(answers(server.get("/moved/deep/b.txt"), 404, kNotFound)) << i;
    put_component("recipes/text/markdown/10-stamp", stamp_text("<p>", "</p>"));
    ASSERT_TRUE(answers_with(server.get("/a"), 200, {"<p>a</p>"})) << i;
    fs::rename(folder_.path("recipes/text/markdown/10-stamp.wasm"),
               folder_.path("recipes/text/markdown/-10-stamp.wasm"));
    ASSERT_TRUE(answers(server.get("/a"), 200, "a")) << i;
    fs::remove_all(folder_.path("recipes/text"));
    put_component("forms/contact", form_text());
    ASSERT_EQ(server.get("/_qip/forms/contact.wasm").status, 200) << i;
    remove("forms/contact.wasm");
    ASSERT_EQ(server.get("/_qip/forms/contact.wasm").status, 404) << i;
  }
}

TEST_F(DevReload, InDevModeFoldersThatAreTakenFromTheContentMayAppearLater) {
  put("site/a.md", "a");
  const DevServer server = serve();
  EXPECT_TRUE(answers(server.get("/a"), 200, "a"));
  put_component("site/_recipes/text/markdown/10-stamp", stamp_text("<p>", "</p>"));
  EXPECT_TRUE(answers_with(server.get("/a"), 200, {"<p>a</p>"}));
  fs::remove_all(folder_.path("site/_recipes"));
  EXPECT_TRUE(answers(server.get("/a"), 200, "a"));
}

TEST_F(DevReload, ABrokenRecipeIsToldAndTheOldOneServesUntilItIsMended) {
  put("site/a.md", "a");
  put_component("recipes/text/markdown/10-stamp", stamp_text("1", "1"));
  const DevServer server = serve({"--recipes", "recipes"});
  for (int i = 0; i < 5; i++) {
    put("recipes/text/markdown/10-stamp.wasm", "broken");
    const HttpResponse response = server.get("/a");
    EXPECT_TRUE(answers_with(response, 200, {"1a1"}));
    EXPECT_TRUE(contains(response.field("x-qip-reload-error"), "could not be compiled"));
    put_component("recipes/text/markdown/10-stamp", stamp_text("1", "1"));
    EXPECT_EQ(server.get("/a").count("x-qip-reload-error"), 0u);
  }
}

TEST_F(DevReload, ManySignalsAtOnceAreOneReloadOrMore) {
  put("site/a.txt", "a");
  const DevServer server = serve({"--mode", "prod"});
  for (int i = 0; i < 200; i++) server.signal(SIGHUP);
  EXPECT_TRUE(server.has_logged("dev: reloaded reason=signal_hup"));
  EXPECT_TRUE(answers(server.get("/a.txt"), 200, "a"));
}

// --- Open pages ----------------------------------------------------------------------------------

TEST_F(DevReload, AnOpenPageHearsOfEveryEdit) {
  put("site/a.html", "<p>a");
  put_component("recipes/text/css/10-stamp", stamp_text("<", ">"));
  const DevServer server = serve({"--recipes", "recipes"});
  HttpConnection page = server.connect();
  page.send(DevServer::request_text("/_qip/reload"));
  ASSERT_TRUE(page.receive_until("event: state"));
  const HttpResponse head = server.head("/_qip/reload");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.field("content-type"), "text/event-stream");
  EXPECT_EQ(head.field("cache-control"), "no-cache");
  const auto edits = {
      std::function<void()>([&] { put("site/a.html", "<p>b"); }),
      std::function<void()>([&] { put("site/new.html", "<p>new"); }),
      std::function<void()>([&] { put_component("recipes/text/css/10-stamp", wat::echo()); }),
      std::function<void()>([&] { server.signal(SIGHUP); }),
  };
  for (const auto& edit : edits) {
    page.forget();
    edit();
    EXPECT_TRUE(page.receive_until("event: reload\ndata: reload\n\n")) << page.received();
  }
}

TEST_F(DevReload, TheStateTellsWhatAPageHasMissed) {
  put("site/a.txt", "a");
  const DevServer server = serve();
  const auto state = [&] {
    HttpConnection page = server.connect();
    page.send(DevServer::request_text("/_qip/reload"));
    EXPECT_TRUE(page.receive_until("event: state\ndata: "));
    EXPECT_TRUE(page.receive_until("\n\n"));
    const size_t at = page.received().find("event: state\ndata: ");
    page.receive_until("\n\n");
    return page.received().substr(at, page.received().find("\n\n", at) - at);
  };
  const std::string before = state();
  EXPECT_EQ(state(), before);
  server.reload();
  EXPECT_NE(state(), before);
}

TEST_F(DevReload, OpenPagesAreBoundedAndFreedWhenTheyGo) {
  put("site/a.txt", "a");
  const DevServer server = serve();
  for (int round = 0; round < 3; round++) {
    std::vector<HttpConnection> pages;
    for (int i = 0; i < 64; i++) {
      pages.emplace_back(server.port());
      pages.back().send(DevServer::request_text("/_qip/reload"));
      // Those of the last round are found to be gone now and then.
      ASSERT_TRUE(eventually([&] {
        if (pages.back().receive_until("event: state", 2000)) return true;
        pages.pop_back();
        pages.emplace_back(server.port());
        pages.back().send(DevServer::request_text("/_qip/reload"));
        return false;
      })) << round
          << " " << i;
    }
    EXPECT_EQ(server.get("/_qip/reload").status, 503);
    EXPECT_TRUE(answers(server.get("/a.txt"), 200, "a"));
  }
}

TEST_F(DevReload, TheScriptIsInPagesOfDevModeOnly) {
  put("site/a.html", "<html><body><p>a</body></html>");
  put("site/b.txt", "<html><body>text</body></html>");
  put("site/c.svg", "<svg></svg>");
  put("site/d.html", "<p>no end");
  put("site/e.html", "<body>1</body><pre></BODY ></pre></BoDy></html>");
  {
    const DevServer server = serve();
    const std::string body = server.get("/a").body;
    const size_t script = body.find("<script type=\"module\">");
    ASSERT_NE(script, std::string::npos);
    EXPECT_TRUE(contains(body, "EventSource(\"/_qip/reload\")"));
    EXPECT_EQ(body.substr(0, script), "<html><body><p>a");
    EXPECT_TRUE(body.ends_with("</script>\n</body></html>"));
    EXPECT_TRUE(answers(server.get("/b.txt"), 200, "<html><body>text</body></html>"));
    EXPECT_TRUE(answers(server.get("/c.svg"), 200, "<svg></svg>"));
    EXPECT_TRUE(server.get("/d").body.starts_with("<p>no end<script type=\"module\">"));
    EXPECT_TRUE(server.get("/e").body.ends_with("</script>\n</BoDy></html>"));
  }
  {
    const DevServer server = serve({"--mode", "prod"});
    EXPECT_TRUE(answers(server.get("/a"), 200, "<html><body><p>a</body></html>"));
    EXPECT_TRUE(answers(server.get("/_qip/reload"), 404, kNotFound));
  }
}

// --- Clients beside each other -------------------------------------------------------------------

// Twenty pages whose chain never ends, each asked for by a client of its own.
class EndlessPages {
 public:
  explicit EndlessPages(const DevServer& server) {
    for (int i = 0; i < kPages; i++) {
      clients_.emplace_back(server.port());
      clients_.back().send(DevServer::request_text("/endless" + std::to_string(i)));
    }
  }
  static void put(const std::function<void(const std::string&, const std::string&)>& put) {
    for (int i = 0; i < kPages; i++) {
      put("site/endless" + std::to_string(i) + ".md", "~" + std::to_string(i));
    }
  }
  // Nobody has been answered.
  bool all_wait() const {
    return std::all_of(clients_.begin(), clients_.end(), [](const HttpConnection& client) {
      char byte;
      return recv(client.socket(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
    });
  }
  std::vector<HttpConnection>& clients() { return clients_; }

 private:
  static constexpr int kPages = 20;
  std::vector<HttpConnection> clients_;
};

TEST_F(DevClients, EndlessComponentsDoNotDelayAnyOtherChain) {
  EndlessPages::put([&](const std::string& name, const std::string& text) { put(name, text); });
  put("site/static.txt", "static");
  put("site/page.html", "<p>page");
  put("site/cached.md", "cached");
  put("site/other.css", "other");
  put("site/third.csv", "third");
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  put_component("recipes/text/css/10-stamp", stamp_text("css:", ""));
  put_component("recipes/text/csv/10-stamp", stamp_text("csv:", ""));
  for (const char* jobs : {"1", "2"}) {
    // Longer than any test waits.
    const DevServer server = serve(
        {"--recipes", "recipes", "--mode", "prod", "-j", jobs, "--timeout-ms", "600000", "-v"});
    EXPECT_TRUE(eventually([&] {
      EXPECT_TRUE(answers(server.get("/cached"), 200, "<cached>"));
      return contains(server.log(), "cache=hit");
    }));
    const EndlessPages endless(server);
    for (int i = 0; i < 10; i++) {
      EXPECT_TRUE(answers(server.get("/static.txt"), 200, "static"));
      EXPECT_TRUE(answers(server.get("/page"), 200, "<p>page"));
      EXPECT_TRUE(answers(server.get("/cached"), 200, "<cached>"));
      EXPECT_TRUE(answers(server.get("/other.css"), 200, "css:other"));
      EXPECT_TRUE(answers(server.get("/third.csv"), 200, "csv:third"));
      EXPECT_TRUE(answers(server.get("/missing"), 404, kNotFound));
      EXPECT_EQ(server.head("/other.css").status, 200);
      put("site/other.css", "other");  // made again
      server.reload();
    }
    EXPECT_TRUE(endless.all_wait());
  }
}

TEST_F(DevClients, EveryEndlessRequestEndsWithItsTimeLimit) {
  EndlessPages::put([&](const std::string& name, const std::string& text) { put(name, text); });
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  for (const char* jobs : {"1", "3"}) {
    const DevServer server = serve({"--recipes", "recipes", "-j", jobs, "--timeout-ms", "60"});
    EndlessPages endless(server);
    for (HttpConnection& client : endless.clients()) {
      EXPECT_TRUE(answers_with(client.receive(), 500,
                               {"Wasm module exceeded the execution time limit (60ms)"}));
    }
  }
}

TEST_F(DevClients, OneEndlessPageDoesNotDelayTheOthersOfItsChain) {
  put("site/endless.md", "~");
  for (int i = 0; i < 20; i++) put("site/p" + std::to_string(i) + ".md", std::to_string(i));
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  const DevServer server =
      serve({"--recipes", "recipes", "--mode", "prod", "-j", "2", "--timeout-ms", "600000"});
  HttpConnection endless = server.connect();
  endless.send(DevServer::request_text("/endless"));
  for (int i = 0; i < 20; i++) {
    const std::string number = std::to_string(i);
    EXPECT_TRUE(answers(server.get("/p" + number), 200, "<" + number + ">"));
  }
}

TEST_F(DevClients, AClientThatGoesAwayWhileItsComponentRunsLeavesNothingBehind) {
  put("site/a.txt", "a");
  EndlessPages::put([&](const std::string& name, const std::string& text) { put(name, text); });
  put_component("recipes/text/markdown/10-stamp", stamp_text("<", ">"));
  const DevServer server = serve({"--recipes", "recipes", "--timeout-ms", "50"});
  EXPECT_TRUE(answers(server.get("/a.txt"), 200, "a"));
  const size_t before = server.descriptors();
  for (int round = 0; round < 3; round++) {
    EndlessPages endless(server);
    for (HttpConnection& client : endless.clients()) client.reset();
  }
  EXPECT_TRUE(answers(server.get("/a.txt"), 200, "a"));
  EXPECT_TRUE(eventually([&] { return server.descriptors() <= before; })) << server.descriptors();
}

// --- Generations under load ----------------------------------------------------------------------

// Clients that ask for pages all the time, each on one connection, and look at every response.
class Crowd {
 public:
  using Check = std::function<testing::AssertionResult(const HttpResponse&)>;

  Crowd(const DevServer& server, int clients, const Strings& targets, const Check& check) {
    for (int i = 0; i < clients; i++) {
      const std::string request =
          DevServer::request_text(targets[static_cast<size_t>(i) % targets.size()]);
      threads_.emplace_back([this, request, check, port = server.port()] {
        HttpConnection connection(port);
        while (!is_over_.load()) {
          connection.send(request);
          const HttpResponse response = connection.receive();
          const testing::AssertionResult verdict = check(response);
          answered_++;
          if (verdict) continue;
          wrong_++;
          EXPECT_TRUE(verdict);
          break;
        }
      });
    }
  }
  ~Crowd() { end(); }

  void end() {
    is_over_.store(true);
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  uint64_t answered() const { return answered_.load(); }
  uint64_t wrong() const { return wrong_.load(); }

 private:
  std::atomic<bool> is_over_{false};
  std::atomic<uint64_t> answered_{0};
  std::atomic<uint64_t> wrong_{0};
  std::vector<std::thread> threads_;
};

TEST_F(DevReload, UnderAHundredClientsEveryResponseIsOfOneGeneration) {
  constexpr int kClients = 100;
  constexpr int kReloads = 100;
  put("site/a.md", "a");
  put("site/b.md", "b");
  const std::string folder = "recipes/text/markdown/";
  const std::string first[2] = {stamp_text("A", ""), stamp_text("B", "")};
  const std::string second[2] = {stamp_text("", "A"), stamp_text("", "B")};
  std::map<std::string, std::string> tags;  // by body
  for (const char* source : {"a", "b"}) {
    for (int i = 0; i < 2; i++) {
      const std::string stamp = i == 0 ? "A" : "B";
      tags[stamp + source + stamp] =
          tag_of("prod", {source, component(first[i]), component(second[i])});
    }
  }
  const auto is_whole = [&tags](const HttpResponse& response) -> testing::AssertionResult {
    const auto place = tags.find(response.body);
    if (response.status == 200 && response.is_whole && place != tags.end() &&
        response.field("etag") == place->second) {
      return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << response.head << response.body;
  };
  // Everything is remembered after a while; or nothing ever is.
  for (const char* cache : {"67108864", "0"}) {
    put_component(folder + "10-first", first[0]);
    put_component(folder + "20-second", second[0]);
    const DevServer server = serve(
        {"--recipes", "recipes", "--mode", "prod", "--cache-max", cache, "--timeout-ms", "20000"});
    EXPECT_TRUE(is_whole(server.get("/a")));
    EXPECT_TRUE(eventually([&] { return server.descriptors() > 0; }));
    const size_t before = server.descriptors();
    Crowd crowd(server, kClients, {"/a", "/b"}, is_whole);
    for (int i = 1; i <= kReloads; i++) {
      const bool fails = i % 10 == 0;
      put_component(folder + "10-first", first[i % 2]);
      put_component(folder + "20-second", second[i % 2]);
      if (fails) put(folder + "20-again.wasm", "conflict");
      server.reload();
      if (fails) remove(folder + "20-again.wasm");
    }
    EXPECT_TRUE(eventually([&] { return crowd.answered() > 10 * kClients; }));
    crowd.end();
    EXPECT_EQ(crowd.wrong(), 0u);
    const std::string log = server.log();
    EXPECT_EQ(occurrences(log, "dev: reloaded reason=signal_hup"), 90u);
    EXPECT_EQ(occurrences(log, "dev: reload failed reason=signal_hup"), 10u);
    EXPECT_TRUE(eventually([&] { return server.descriptors() <= before; }))
        << before << " became " << server.descriptors();
  }
}

TEST_F(DevReload, InDevModeEditsUnderLoadKeepEveryResponseWhole) {
  put("site/a.md", "a");
  put("site/steady.txt", "steady");
  put_component("recipes/text/markdown/10-stamp", stamp_text("A", "A"));
  const DevServer server = serve({"--recipes", "recipes", "--timeout-ms", "20000"});
  EXPECT_EQ(server.get("/a").status, 200);
  const size_t before = server.descriptors();
  Crowd crowd(server, 30, {"/a", "/steady.txt"}, [](const HttpResponse& response) {
    if (response.status == 200 && response.is_whole &&
        (response.body == "steady" || response.body.starts_with("AaA<script") ||
         response.body.starts_with("BaB<script"))) {
      return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << response.head << response.body;
  });
  for (int i = 0; i < 50; i++) {
    const std::string stamp = i % 2 == 0 ? "B" : "A";
    put_component("recipes/text/markdown/10-stamp", stamp_text(stamp, stamp));
    ASSERT_TRUE(answers_with(server.get("/a"), 200, {stamp + "a" + stamp + "<script"}));
    put("site/new/" + std::to_string(i) + ".txt", "new");
    ASSERT_TRUE(answers(server.get("/new/" + std::to_string(i) + ".txt"), 200, "new"));
    fs::remove_all(folder_.path("site/new"));
  }
  crowd.end();
  EXPECT_EQ(crowd.wrong(), 0u);
  EXPECT_TRUE(eventually([&] { return server.descriptors() <= before; }))
      << before << " became " << server.descriptors();
}

// --- Memory --------------------------------------------------------------------------------------

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define QIP_TEST_HAS_SANITIZER 1
#endif
#endif

TEST_F(DevCache, MemoryIsBoundedHoweverManyPagesAreAskedFor) {
  constexpr int kPages = 2'000;
#if defined(QIP_TEST_HAS_SANITIZER) || defined(__SANITIZE_ADDRESS__)
  constexpr uint64_t kMostGrowth = uint64_t{600} << 20;  // freed memory is held back on purpose
#else
  constexpr uint64_t kMostGrowth = uint64_t{40} << 20;
#endif
  for (int i = 0; i < kPages; i++) {
    put("site/p" + std::to_string(i) + ".md", "page " + std::to_string(i));
    put("site/s" + std::to_string(i) + ".txt", std::string(20'000, 's') + std::to_string(i));
  }
  // 60 KB each: 160 MB in all.
  put_component("recipes/text/markdown/10-stamp", stamp_text("", std::string(60'000, '.')));
  const DevServer server =
      serve({"--recipes", "recipes", "--mode", "prod", "--cache-max", "1048576"});
  EXPECT_EQ(server.get("/p0").status, 200);
  const uint64_t before = server.resident_bytes();
  HttpConnection connection = server.connect();
  for (int i = 0; i < kPages; i++) {
    const std::string number = std::to_string(i);
    connection.send(DevServer::request_text("/p" + number));
    const HttpResponse page = connection.receive();
    ASSERT_EQ(page.status, 200);
    ASSERT_EQ(page.body.size(), 5 + number.size() + 60'000);
    ASSERT_TRUE(page.body.starts_with("page " + number + "."));
    connection.send(DevServer::request_text("/s" + number + ".txt"));
    ASSERT_EQ(connection.receive().body.size(), 20'000 + number.size());
    connection.send(DevServer::request_text("/missing" + number));
    ASSERT_EQ(connection.receive().status, 404);
  }
  EXPECT_LT(server.resident_bytes(), before + kMostGrowth);
}

}  // namespace
}  // namespace qip
