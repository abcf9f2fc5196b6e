// `qip dev` against clients and files that mean harm: targets that lead outside, links and special
// files in the content, slow clients, malformed heads, requests within requests, connections that
// end anywhere, components without measure, foreign hosts, and texts meant for the log.
//
// Every case ends with the same question: does the server live, and answer the next request?
// Elsewhere: HEAD, conditions on tags and dates, ranges (dev_server_test.cpp: DevRoutes, DevTags);
// special files at the start, and the addresses that are listened to (DevStart); methods with a
// body (DevRoutes); reloads under a hundred clients, endless components beside other clients, the
// bound of memory (dev_server_reload_test.cpp: DevReload, DevClients, DevCache).
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

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

constexpr std::string_view kSecret = "what lies outside";
constexpr std::string_view kInside = "what is served";
constexpr std::string_view kServerError = "500 internal server error\n";

// A site of one text, beside a secret; tests add to both.
class DevHostileTest : public DevServerTest {
 protected:
  void SetUp() override {
    DevServerTest::SetUp();
    put("site/inside.txt", kInside);
    put("secret.txt", kSecret);
    put("outside/secret.txt", kSecret);
  }

  // A chain for text/markdown, and one page for it.
  void put_chain() const {
    put("site/page.md", "page");
    put_component("recipes/text/markdown/10-stamp", stamp_text("<p>", "</p>"));
  }
  DevServer serve_prod(Strings arguments = {}) const {
    arguments.insert(arguments.begin(), {"--mode", "prod"});
    return serve(std::move(arguments));
  }
};

using DevHostilePaths = DevHostileTest;
using DevHostileFiles = DevHostileTest;
using DevHostileSlow = DevHostileTest;
using DevHostileHeads = DevHostileTest;
using DevHostileBodies = DevHostileTest;
using DevHostileConnections = DevHostileTest;
using DevHostileComponents = DevHostileTest;
using DevHostileHosts = DevHostileTest;
using DevHostileLog = DevHostileTest;

std::string repeated(const std::string& text, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; i++) all += text;
  return all;
}

// It runs, and a client that behaves is served.
testing::AssertionResult lives(const DevServer& server) {
  if (!server.is_running()) return testing::AssertionFailure() << "it has ended\n" << server.log();
  return answers(server.get("/inside.txt"), 200, kInside);
}

// Whatever the answer is, it is not the secret.
testing::AssertionResult keeps_the_secret(const HttpResponse& response) {
  if (!contains(response.head, kSecret) && !contains(response.body, kSecret)) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << response.head << response.body;
}

// The bytes, and a good request right behind them, which must not be answered: there is one
// response, an error, and then the connection ends. `may_be_silent`: there may be no response.
testing::AssertionResult is_refused(const DevServer& server, const std::string& bytes,
                                    bool may_be_silent = false) {
  HttpConnection connection = server.connect();
  connection.send(bytes + DevServer::request_text("/inside.txt"));
  const HttpResponse response = connection.receive();
  const auto failure = [&response](const std::string& what) {
    return testing::AssertionFailure() << what << "\n" << response.head << response.body;
  };
  const bool is_silent = response.status == 0 && may_be_silent;
  if (!is_silent && response.status / 100 != 4 && response.status != 505) {
    return failure("status " + std::to_string(response.status));
  }
  if (!is_silent && !response.is_whole) return failure("cut off");
  if (!connection.receive_end()) return failure("the connection stays open");
  // The library sends the head of some of its own refusals twice: the second one is content.
  const std::string& rest = connection.received();
  const bool is_by_library = response.count("x-content-type-options") == 0;
  if (is_by_library ? contains(rest, "HTTP/1.1 200") : !rest.empty()) {
    return failure("a second response: " + rest);
  }
  if (contains(response.body + rest, kInside)) return failure("the next request is answered");
  return keeps_the_secret(response);
}

// --- Targets (1) ---------------------------------------------------------------------------------

// Where each leads, on this server: location to targets.
const std::map<std::string, Strings>& redirected_targets() {
  static const std::map<std::string, Strings> locations = {
      {"/",
       {"/..", "/../", "/sub/..", "/inside.txt/..", "/%2e./", "/%2e", "//", "/.", "/./",
        "//evil.example/%2e%2e"}},
      {"/secret.txt",
       {"/../secret.txt", "/sub/../../secret.txt", "/./../secret.txt", "/%2e%2e/secret.txt",
        "/%2E%2e/secret.txt", "/.%2e/secret.txt", "/..%2fsecret.txt", "/%2e%2e%2fsecret.txt",
        "/sub%2f..%2f..%2fsecret.txt", "/%2fsecret.txt", "http://localhost/../secret.txt"}},
      {"/etc/passwd", {"/../../../../../../etc/passwd"}},
      {"/outside/secret.txt", {"/../outside/secret.txt"}},
      {"/inside.txt",
       {"/sub/../inside.txt", "/missing/../inside.txt", "//inside.txt", "///inside.txt",
        "/./inside.txt"}},
      {"/sub/deep.txt", {"/sub//deep.txt", "/sub/./deep.txt"}},
      {"/sub/", {"/sub/."}},
      {"/evil.example/", {"//evil.example/", "/%2fevil.example/"}},
      {"/evil.example",
       {"/%2f%2fevil.example", "/.//evil.example", "http://localhost//evil.example"}},
      {"/%5Cevil.example/", {"/\\evil.example/."}},
      {"/evil.example%5C@localhost/", {"//evil.example\\@localhost/"}},
      {"/evil.example?x", {"/a/..//evil.example?x"}},
      {"/?/inside.txt", {"/..?/inside.txt"}},
      {"/x?a=%3Cb%3E%22", {"/../x?a=<b>\""}},
  };
  return locations;
}

// The status of each.
const std::map<int, Strings>& other_targets() {
  static const std::map<int, Strings> targets = {
      {200,
       {"/sub%2fdeep.txt", "/.d", "/.hidden/x", "/%2ed", "/inside.txt?../secret.txt",
        "/inside.txt?%00%zz", "/inside.txt#../secret.txt", "http://localhost/inside.txt",
        "HTTP://localhost/inside.txt", "https://localhost/inside.txt",
        "/inside.txt?" + std::string(8180, 'a')}},
      {400,
       {// Encodings that are none, and what no path holds.
        "/%", "/%4", "/%zz", "/%4z", "/%u002e%u002e/secret.txt", "/inside.txt%", "/%00",
        "/inside.txt%00", "/inside.txt%00.html", "/..%00/secret.txt", "/%0d%0aX-Injected:%20yes",
        "/%0a/..", "/x%0d%0aX-Injected:%20yes/..", "/%7f", "/%1b%5b31m", "/\x01", "/\x1b[31m",
        "/\x7f",
        // Other forms of a target, and what is none.
        "\\..\\secret.txt", "http://localhost/%00", "http://", "http:///inside.txt",
        "http:/inside.txt", "ftp://localhost/inside.txt", "file:///etc/passwd", "*", "inside.txt",
        "../secret.txt", "localhost:80", "?", "#", ".", "%2finside.txt"}},
      {404,
       {// Names like any other.
        "/.../secret.txt", "/..secret.txt", "/..;/secret.txt",
        // Decoded once; backslashes are no slashes.
        "/%252e", "/%252e%252e/secret.txt", "/%252e%252e%252fsecret.txt",
        "/%25252e%25252e/secret.txt", "/..\\secret.txt", "/..\\..\\secret.txt", "/..%5csecret.txt",
        "/%5c..%5csecret.txt", "/inside.txt.", "/inside.txt%20", "/inside.txt::$DATA", "/~",
        // Not UTF-8, or longer than need be.
        "/\xff", "/%ff", "/%c0%ae%c0%ae/secret.txt", "/\xc0\xae\xc0\xae/secret.txt",
        "/..%c0%afsecret.txt", "/%e0%80%ae%e0%80%ae/secret.txt", "/%ed%a0%80", "/%f8%80%80%80%af",
        "/\xef\xbc\x8e\xef\xbc\x8e/secret.txt", "/missing?/../inside.txt",
        "/" + std::string(8191, 'a')}},
      {414,
       {"/" + std::string(8192, 'a'), "/" + std::string(20'000, 'a'),
        "/inside.txt?" + std::string(8181, 'a')}},
  };
  return targets;
}

TEST_F(DevHostilePaths, EveryTargetHasItsOneAnswerAndNoneLeadsOutside) {
  put("site/sub/deep.txt", "deep");
  put("site/.d", "d");
  put("site/.hidden/x", "x");
  for (const char* mode : {"dev", "prod"}) {
    const DevServer server = serve({"--mode", mode});
    for (const auto& [location, targets] : redirected_targets()) {
      for (const std::string& target : targets) {
        const HttpResponse response = server.get(target);
        EXPECT_TRUE(answers(response, 301, "")) << target;
        EXPECT_EQ(response.field("location"), location) << target;
      }
      // No client takes that for another host, and it is the end of the way.
      EXPECT_FALSE(location.starts_with("//") || location.starts_with("/\\")) << location;
      const HttpResponse next = server.get(location);
      EXPECT_TRUE(next.status == 200 || next.status == 404) << location << next.head;
      EXPECT_TRUE(keeps_the_secret(next)) << location;
    }
    for (const auto& [status, targets] : other_targets()) {
      for (const std::string& target : targets) {
        const std::string shown = testing::PrintToString(target.substr(0, 100));
        const HttpResponse response = server.get(target);
        EXPECT_EQ(response.status, status) << shown;
        EXPECT_TRUE(response.is_whole) << shown;
        EXPECT_EQ(response.count("location") + response.count("x-injected"), 0u) << shown;
        EXPECT_EQ(response.closes(), status == 400 || status == 414) << shown;
        EXPECT_TRUE(keeps_the_secret(response)) << shown;
      }
    }
    EXPECT_TRUE(lives(server));
  }
}

TEST_F(DevHostilePaths, ATargetOfDotsOrSlashesOnlyIsCleanedAtOnce) {
  const DevServer server = serve();
  for (const std::string part : {"/", "/.", "/..", "/a/..", "/%2e%2e"}) {
    const HttpResponse response = server.get(repeated(part, 8192 / part.size()));
    EXPECT_EQ(response.status, 301) << part;
    EXPECT_EQ(response.field("location"), "/") << part;
  }
  // A location may be longer than its target, but not without bound.
  EXPECT_EQ(server.get("/./" + std::string(8000, '\\')).status, 414);
  EXPECT_TRUE(lives(server));
}

TEST_F(DevHostilePaths, QueriesOfAnyKindLeaveThePathAlone) {
  const DevServer server = serve();
  for (const std::string& query :
       {repeated("a=b&", 2'000), repeated("&", 8'000), repeated("=", 8'000), repeated("?", 8'000),
        repeated("%", 8'000), std::string("\xff\xfe"), std::string("a=%0d%0aX-Injected:%20yes")}) {
    const HttpResponse response = server.get("/inside.txt?" + query);
    EXPECT_TRUE(answers(response, 200, kInside)) << query.substr(0, 20);
    EXPECT_EQ(response.count("x-injected"), 0u);
  }
  EXPECT_EQ(server.get("/inside.txt?\x01").status, 400);
}

// --- Links and special files (2, 3) --------------------------------------------------------------

TEST_F(DevHostileFiles, ALinkThatLeadsOutsideIsNoContent) {
  const std::map<std::string, std::string> links = {
      {"file", "../secret.txt"},
      {"folder", "../outside"},
      {"far", "../../../../../../../../etc/passwd"},
      {"absolute", folder_.path("secret.txt")},
      {"root", "/"},
      {"magic", "/proc/self/exe"},
      {"around", "../site/../secret.txt"},
  };
  for (const auto& [name, target] : links) {
    for (const std::string role : {"content", "recipe", "form", "component"}) {
      const std::string folder = role == "content" ? "site" : role + "s";
      fs::create_directories(folder_.path(folder));
      Strings arguments = {"site"};
      if (role != "content") arguments.insert(arguments.end(), {"--" + folder, folder});
      fs::create_symlink(target, folder_.path(folder + "/" + name));
      EXPECT_TRUE(failed(refuse(arguments), {role + " entry \"" + name + "\"", "leads outside"}))
          << target;
      remove(folder + "/" + name);
    }
  }
}

TEST_F(DevHostileFiles, LinksInACircleEnd) {
  fs::create_symlink("second", folder_.path("site/first"));
  fs::create_symlink("first", folder_.path("site/second"));
  EXPECT_TRUE(failed(refuse({"site"}), {"content entry \"", "must be a regular file"}));
  for (const char* name : {"site/first", "site/second"}) remove(name);
  // Folders within themselves are looked at once.
  fs::create_directories(folder_.path("site/sub/deep"));
  put("site/sub/deep/x.txt", "x");
  fs::create_symlink(".", folder_.path("site/self"));
  fs::create_symlink("..", folder_.path("site/sub/up"));
  fs::create_symlink("../../sub", folder_.path("site/sub/deep/top"));
  const DevServer server = serve_prod();
  EXPECT_TRUE(answers(server.get("/sub/deep/x.txt"), 200, "x"));
  EXPECT_TRUE(answers(server.get("/self/inside.txt"), 404, kNotFound));
  EXPECT_TRUE(answers(server.get("/sub/up/inside.txt"), 404, kNotFound));
  EXPECT_TRUE(lives(server));
}

TEST_F(DevHostileFiles, ALinkThatStaysInsideIsServed) {
  fs::create_symlink("inside.txt", folder_.path("site/link.txt"));
  put("site/sub/deep.txt", "deep");
  fs::create_symlink("sub", folder_.path("site/other"));
  const DevServer server = serve_prod();
  EXPECT_TRUE(answers(server.get("/link.txt"), 200, kInside));
  EXPECT_TRUE(answers(server.get("/other/deep.txt"), 200, "deep"));
  // Until it leads elsewhere.
  remove("site/link.txt");
  fs::create_symlink("../secret.txt", folder_.path("site/link.txt"));
  EXPECT_TRUE(answers(server.get("/link.txt"), 500, kServerError));
  EXPECT_TRUE(server.has_logged("error=open link.txt: leads outside the folder"));
}

// What a file can turn into after it was found. Each puts itself at the path.
using Replacement = std::function<bool(const std::string& path)>;

const std::map<std::string, Replacement>& replacements() {
  static const std::map<std::string, Replacement> all = {
      {"FIFO", [](const std::string& path) { return mkfifo(path.c_str(), 0666) == 0; }},
      {"folder", [](const std::string& path) { return mkdir(path.c_str(), 0777) == 0; }},
      {"socket",
       [](const std::string& path) {
         sockaddr_un address{};
         address.sun_family = AF_UNIX;
         if (path.size() >= sizeof address.sun_path) return false;
         path.copy(address.sun_path, path.size());
         const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
         const bool is_there =
             bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
         close(fd);
         return is_there;
       }},
      // Endless zeros; needs privileges.
      {"device",
       [](const std::string& path) {
         return mknod(path.c_str(), S_IFCHR | 0666, makedev(1, 5)) == 0;
       }},
      {"link to a file outside",
       [](const std::string& path) { return symlink("../secret.txt", path.c_str()) == 0; }},
      {"link to a folder outside",
       [](const std::string& path) { return symlink("../outside", path.c_str()) == 0; }},
      {"link to a device",
       [](const std::string& path) { return symlink("/dev/zero", path.c_str()) == 0; }},
      {"link to a descriptor",
       [](const std::string& path) { return symlink("/proc/self/fd/0", path.c_str()) == 0; }},
      {"link to itself",
       [](const std::string& path) { return symlink("x.txt", path.c_str()) == 0; }},
      {"link to nothing",
       [](const std::string& path) { return symlink("nothing", path.c_str()) == 0; }},
      {"nothing", [](const std::string&) { return true; }},
  };
  return all;
}

TEST_F(DevHostileFiles, WhateverAFileTurnsIntoIsAnErrorUntilItIsAFileAgain) {
  put("site/x.txt", "x");
  const std::string path = folder_.path("site/x.txt");
  for (const char* mode : {"prod", "dev"}) {
    const DevServer server = serve({"--mode", mode});
    const bool is_prod = mode == std::string("prod");
    for (const auto& [what, make] : replacements()) {
      EXPECT_TRUE(answers(server.get("/x.txt"), 200, "x")) << what;
      fs::remove(path);
      if (!make(path)) {
        put("site/x.txt", "x");
        continue;
      }
      // Twice: an error is not remembered, and neither is what was there before.
      for (int i = 0; i < 2; i++) {
        const HttpResponse response = server.get("/x.txt");
        // In development mode a folder, or nothing, is news that the server follows.
        const bool is_gone = !is_prod && (what == "folder" || what == "nothing");
        EXPECT_EQ(response.status, is_gone ? 404 : 500) << mode << " " << what << response.head;
        EXPECT_TRUE(keeps_the_secret(response)) << what;
        EXPECT_EQ(response.body == kServerError, is_prod) << what;
      }
      EXPECT_TRUE(lives(server)) << what;
      fs::remove_all(path);
      put("site/x.txt", "x");
    }
    EXPECT_TRUE(answers(server.get("/x.txt"), 200, "x"));
  }
}

TEST_F(DevHostileFiles, AFolderThatBecomesALinkLeadsNowhere) {
  put("site/sub/secret.txt", "inside");
  const DevServer server = serve_prod();
  EXPECT_TRUE(answers(server.get("/sub/secret.txt"), 200, "inside"));
  fs::rename(folder_.path("site/sub"), folder_.path("site/moved"));
  fs::create_symlink("../outside", folder_.path("site/sub"));
  EXPECT_TRUE(answers(server.get("/sub/secret.txt"), 500, kServerError));
  EXPECT_TRUE(server.has_logged("error=open sub/secret.txt: leads outside the folder"));
  // And a reload does not take it.
  server.reload();
  EXPECT_TRUE(server.has_logged("dev: reload failed reason=signal_hup"));
  EXPECT_TRUE(answers(server.get("/sub/secret.txt"), 500, kServerError));
  EXPECT_TRUE(lives(server));
}

// Exchanges a file and a link to the secret, and two folders, as fast as it can.
TEST_F(DevHostileFiles, ALinkThatIsSwappedInBetweenCheckAndOpenIsNotFollowed) {
  put("site/sub/secret.txt", "inside");
  put("site/file.txt", "inside");
  // Large files go another way.
  put("site/large.txt", std::string(1'500'000, 'L'));
  put("outside/large.txt", std::string(kSecret) + std::string(1'500'000, 'S'));
  put_component("recipes/text/css/10-stamp", stamp_text("", ""));
  put("site/style.css", "inside");
  fs::create_symlink("../outside", folder_.path("link"));
  fs::create_symlink("../secret.txt", folder_.path("file_link"));
  fs::create_symlink("../outside/large.txt", folder_.path("large_link"));
  const DevServer server = serve_prod({"--recipes", "recipes", "--cache-max", "0"});
  std::atomic<bool> is_over{false};
  std::thread swapper([&] {
    const auto exchange = [&](const char* one, const char* other) {
      renameat2(AT_FDCWD, folder_.path(one).c_str(), AT_FDCWD, folder_.path(other).c_str(),
                RENAME_EXCHANGE);
    };
    while (!is_over.load()) {
      exchange("site/sub", "link");
      exchange("site/file.txt", "file_link");
      exchange("site/large.txt", "large_link");
      exchange("site/style.css", "file_link");
      std::this_thread::yield();
    }
  });
  std::map<int, int> statuses;
  HttpConnection connection = server.connect();
  const Strings paths = {"/sub/secret.txt", "/file.txt", "/large.txt", "/style.css"};
  for (int i = 0; i < 1'200; i++) {
    connection.send(DevServer::request_text(paths[static_cast<size_t>(i) % paths.size()]));
    const HttpResponse response = connection.receive();
    statuses[response.status]++;
    if (!keeps_the_secret(response) || !response.is_whole) {
      ADD_FAILURE() << paths[static_cast<size_t>(i) % paths.size()] << " " << response.head;
      break;
    }
  }
  is_over.store(true);
  swapper.join();
  EXPECT_EQ(statuses[200] + statuses[500], 1'200);
  EXPECT_GT(statuses[200], 0);
  EXPECT_GT(statuses[500], 0) << "nothing was ever swapped in time";
  EXPECT_TRUE(lives(server));
}

TEST_F(DevHostileFiles, AFileThatMayNotBeReadIsAnError) {
  put("site/locked.txt", "locked");
  const DevServer server = serve_prod();
  EXPECT_TRUE(answers(server.get("/locked.txt"), 200, "locked"));
  ASSERT_EQ(chmod(folder_.path("site/locked.txt").c_str(), 0), 0);
  const bool may_read = access(folder_.path("site/locked.txt").c_str(), R_OK) == 0;  // as root
  const HttpResponse response = server.get("/locked.txt");
  EXPECT_TRUE(may_read ? answers(response, 200, "locked") : answers(response, 500, kServerError));
  EXPECT_TRUE(lives(server));
}

TEST_F(DevHostileFiles, AFileThatShrinksWhileItIsSentEndsTheConnection) {
  const std::string large(24'000'000, 'L');
  put("site/large.bin", large);
  const DevServer server = serve_prod();
  EXPECT_TRUE(lives(server));
  const size_t before = server.descriptors();
  HttpConnection client(server.port(), "127.0.0.1", 4096);
  client.send(DevServer::request_text("/large.bin"));
  ASSERT_TRUE(client.receive_until("\r\n\r\nLLLL"));
  fs::resize_file(folder_.path("site/large.bin"), 5);
  const HttpResponse response = client.receive();
  EXPECT_EQ(response.status, 200);
  EXPECT_FALSE(response.is_whole);
  EXPECT_LT(response.body.size(), large.size());
  EXPECT_TRUE(client.receive_end(1)) << "it waits for bytes that will not come";
  EXPECT_TRUE(lives(server));
  EXPECT_TRUE(answers(server.get("/large.bin"), 200, "LLLLL"));
  EXPECT_TRUE(eventually([&] { return server.descriptors() <= before; }));
}

// --- Slow clients (4) ----------------------------------------------------------------------------

// As many as this process may have beside a few others, and at most `wanted`.
size_t possible_connections(size_t wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_max < wanted + 200 ? limit.rlim_max / 2 : wanted;
}

bool has_ended(const HttpConnection& connection) {
  char byte;
  const ssize_t count = recv(connection.socket(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
}

TEST_F(DevHostileSlow, HeadsThatDoNotEndAreCutOffAndDelayNobody) {
  const std::string large(24'000'000, 'L');
  put("site/large.bin", large);
  put_chain();
  const DevServer server = serve_prod({"--recipes", "recipes"});
  EXPECT_TRUE(lives(server));
  const size_t before = server.descriptors();

  std::vector<HttpConnection> silent;
  const size_t count = possible_connections(500);
  for (size_t i = 0; i < count; i++) {
    silent.emplace_back(server.port());
    if (i % 2 == 1) silent.back().send("GET /inside.txt HTTP/1.1\r\nHost: localhost\r\n");
    if (i % 4 == 3) silent.back().shut_sending();  // half a request is none
  }
  // They send a byte now and then, without end: in the line, in a field, one field after another.
  HttpConnection drips[3] = {server.connect(), server.connect(), server.connect()};
  const std::string line = "GET /inside.txt HTTP/1.1\r\nHost: localhost\r\n";
  drips[0].send("GET /");
  drips[1].send(line + "X-Long: ");
  drips[2].send(line);
  const std::string more[3] = {"a", "a", "A:a\r\n"};
  // It takes a byte now and then.
  HttpConnection reader(server.port(), "127.0.0.1", 4096);
  reader.send(DevServer::request_text("/large.bin", {"Connection: close"}));
  std::string taken;
  // It is busy all the time, for longer than a head may take.
  HttpConnection busy = server.connect();

  EXPECT_TRUE(eventually([&] {
    bool all_ended = true;
    for (size_t i = 0; i < 3; i++) {
      if (has_ended(drips[i])) continue;
      all_ended = false;
      drips[i].send(more[i], 1);
    }
    char byte;
    if (recv(reader.socket(), &byte, 1, MSG_DONTWAIT) == 1) taken += byte;
    busy.send(DevServer::request_text("/inside.txt"));
    EXPECT_TRUE(answers(busy.receive(), 200, kInside));
    EXPECT_TRUE(lives(server));
    put("site/page.md", "page");  // made again
    EXPECT_TRUE(answers(server.get("/page"), 200, "<p>page</p>"));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return all_ended;
  })) << "a head may take for ever";
  for (HttpConnection& connection : silent) {
    EXPECT_TRUE(connection.receive_end());
    EXPECT_EQ(connection.received(), "");
  }
  silent.clear();
  // Whoever takes bytes gets them all.
  EXPECT_FALSE(taken.empty());
  EXPECT_TRUE(reader.receive_end());
  taken += reader.received();
  EXPECT_TRUE(taken.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(taken.ends_with("\r\n\r\n" + large)) << taken.size();
  busy.close();
  EXPECT_TRUE(eventually([&] { return server.descriptors() <= before; })) << server.descriptors();
  EXPECT_TRUE(lives(server));
}

TEST_F(DevHostileSlow, SilentClientsCannotKeepEveryPlace) {
  const DevServer server = serve_prod();
  std::vector<HttpConnection> silent;
  const size_t count = possible_connections(1'200);
  for (size_t i = 0; i < count; i++) silent.emplace_back(server.port());
  // At the latest when the first of them are cut off there is a place.
  EXPECT_TRUE(lives(server));
}

// --- Heads (5) -----------------------------------------------------------------------------------

std::string with_fields(const std::string& fields) {
  return "GET /inside.txt HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
}

TEST_F(DevHostileHeads, AHeadThatIsTooLargeIsRefused) {
  const DevServer server = serve_prod();
  const std::string long_line(65536, 'a');
  const std::map<std::string, std::string> cases = {
      {"value of 64 KiB", with_fields("X: " + long_line + "\r\n")},
      {"name of 64 KiB", with_fields(long_line + ": x\r\n")},
      {"value of 33,000 bytes", with_fields("X: " + std::string(33'000, 'a') + "\r\n")},
      {"value of 1 MB", with_fields("X: " + std::string(1'000'000, 'a') + "\r\n")},
      {"10,000 fields", with_fields(repeated("A: b\r\n", 10'000))},
      {"10,000 short fields", with_fields(repeated("A:\r\n", 10'000))},
      {"6,000 short fields", with_fields(repeated("A:\r\n", 6'000))},
      {"cookies", with_fields("Cookie: " + repeated("a=b; ", 10'000) + "\r\n")},
      {"method of 64 KiB", long_line + " /inside.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"target of 64 KiB", "GET /" + long_line + " HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"version of 64 KiB", "GET /inside.txt HTTP/" + long_line + "\r\nHost: localhost\r\n\r\n"},
      {"spaces", "GET " + std::string(65536, ' ') + "/inside.txt HTTP/1.1\r\n\r\n"},
      {"folded lines", with_fields("X: a\r\n" + repeated(" a\r\n", 10'000))},
      {"hosts", with_fields(repeated("Host: localhost\r\n", 1'000))},
  };
  for (const auto& [what, bytes] : cases) {
    EXPECT_TRUE(is_refused(server, bytes)) << what;
    EXPECT_TRUE(lives(server)) << what;
  }
}

TEST_F(DevHostileHeads, AHeadOfUsualSizeIsNot) {
  const DevServer server = serve_prod();
  const std::string fields = repeated("X: " + std::string(100, 'v') + "\r\n", 100);
  EXPECT_TRUE(answers(server.exchange(with_fields(fields)), 200, kInside));
  EXPECT_TRUE(answers(server.exchange(with_fields("X: " + std::string(30'000, 'v') + "\r\n")), 200,
                      kInside));
  EXPECT_TRUE(answers(server.exchange(with_fields("Cookie: a=b; c=\"d\"; ;;=\r\n")), 200, kInside));
  EXPECT_TRUE(answers(server.exchange(with_fields("X:\r\nY:   \t \r\nZ: \xff\r\n")), 200, kInside));
}

TEST_F(DevHostileHeads, AMalformedHeadIsRefused) {
  const DevServer server = serve_prod();
  const std::string line = "GET /inside.txt HTTP/1.1\r\n";
  const std::string host = "Host: localhost\r\n";
  using namespace std::string_literals;
  Strings cases = {
      // Fields.
      with_fields("no colon\r\n"), with_fields("nocolon\r\n"), with_fields(": no name\r\n"),
      with_fields(":\r\n"), with_fields("Space : x\r\n"), with_fields("Tab\t: x\r\n"),
      with_fields("Two words: x\r\n"), with_fields("Quote\"s: x\r\n"), with_fields("Slash/: x\r\n"),
      with_fields("B\xc3\xa4r: x\r\n"), with_fields("Nu\0l: x\r\n"s), with_fields("Esc\x1b: x\r\n"),
      with_fields("X: nu\0l\r\n"s), with_fields("X: \0\r\n"s), with_fields("X: \x01\r\n"),
      with_fields("X: \x1b[31m\r\n"), with_fields("X: \x7f\r\n"),
      // Folded lines.
      with_fields("X: a\r\n b\r\n"), with_fields("X: a\r\n\tb\r\n"), with_fields("X: a\r\n \r\n"),
      with_fields("X:\r\n b\r\n"), line + " X: a\r\n" + host + "\r\n",
      line + "\tX: a\r\n" + host + "\r\n", line + "Host:\r\n localhost\r\n\r\n",
      // Ends of lines.
      with_fields("X: a\n"), with_fields("X: a\r"), with_fields("X: a\rY: b\r\n"),
      with_fields("X: a\nY: b\r\n"), with_fields("X: a\r\r\n"), with_fields("X: a\n\r\n"),
      with_fields("X: a\r\n\r"), "GET /inside.txt HTTP/1.1\n" + host + "\r\n",
      "GET /inside.txt HTTP/1.1\r" + host + "\r\n", "GET /inside.txt HTTP/1.1\nHost: localhost\n\n",
      "GET /inside.txt HTTP/1.1\rHost: localhost\r\r", line + "Host: localhost\n\r\n",
      line + "Host: localhost\r\n\n", line + "Host: localhost\r\r\n\r\n",
      // Hosts.
      line + "\r\n", line + "X: a\r\n\r\n", line + host + host + "\r\n",
      line + host + "Host: evil.example\r\n\r\n", line + "Host: evil.example\r\n" + host + "\r\n",
      line + host + "hOsT: localhost\r\n\r\n", line + "Host: localhost evil.example\r\n\r\n",
      line + "Host: localhost, localhost\r\n\r\n", line + "Host: localhost/\r\n\r\n",
      line + "Host: user@localhost\r\n\r\n", line + "Host: http://localhost\r\n\r\n",
      line + "Host: localhost:80x\r\n\r\n", line + "Host: localhost:80:80\r\n\r\n",
      line + "Host: [::1\r\n\r\n", line + "Host: ::1\r\n\r\n", line + "Host: local\xffhost\r\n\r\n",
      line + "Host : localhost\r\n\r\n"};
  for (const std::string& request_line : Strings{// Its parts, and then its version.
                                                 "GET /inside.txt",
                                                 "GET  /inside.txt HTTP/1.1",
                                                 "GET /inside.txt  HTTP/1.1",
                                                 "GET /inside.txt HTTP/1.1 ",
                                                 "GET\t/inside.txt HTTP/1.1",
                                                 "GET /inside.txt\tHTTP/1.1",
                                                 "GET /inside.txt x HTTP/1.1",
                                                 "GET /inside .txt HTTP/1.1",
                                                 "GET /inside.txt\0 HTTP/1.1"s,
                                                 "GET /ins\0ide.txt HTTP/1.1"s,
                                                 "GET\0 /inside.txt HTTP/1.1"s,
                                                 "G\x01T /inside.txt HTTP/1.1",
                                                 "GET /inside.txt HTTP/1.1\0"s,
                                                 "GET /inside.txt HTTP/1.1x",
                                                 "GET /inside.txt HTTP/11",
                                                 "GET /inside.txt HTTP/1",
                                                 "GET /inside.txt HTTP/0.9",
                                                 "GET /inside.txt HTTP/2.0",
                                                 "GET /inside.txt HTTP/9.9",
                                                 "GET /inside.txt http/1.1",
                                                 "GET /inside.txt HTTPS/1.1",
                                                 "GET /inside.txt XXXX/1.1"}) {
    cases.push_back(request_line + "\r\n" + host + "\r\n");
  }
  for (const std::string& bytes : cases) {
    EXPECT_TRUE(is_refused(server, bytes)) << testing::PrintToString(bytes.substr(0, 200));
  }
  EXPECT_TRUE(lives(server));
}

TEST_F(DevHostileHeads, WhatIsNoRequestAtAllEndsTheConnection) {
  const DevServer server = serve_prod();
  using namespace std::string_literals;
  const Strings cases = {// Half of one, and other protocols.
                         "GET\r\nHost: localhost\r\n\r\n",
                         "\r\nGET\r\n\r\n",
                         " GET /inside.txt HTTP/1.1\r\nHost: localhost\r\n\r\n",
                         "Host: localhost\r\n\r\n",
                         "SSH-2.0-OpenSSH_9.2\r\n\r\n",
                         "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"s,
                         "{\"jsonrpc\": \"2.0\"}\r\n\r\n",
                         "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                         std::string(1'000, '\xff') + "\r\n\r\n"};
  for (const std::string& bytes : cases) {
    EXPECT_TRUE(is_refused(server, bytes, true)) << testing::PrintToString(bytes.substr(0, 200));
  }
  EXPECT_TRUE(lives(server));
}

TEST_F(DevHostileHeads, WhatIsUnusualButClearIsServed) {
  const DevServer server = serve_prod();
  const std::string port = std::to_string(server.port());
  for (const std::string& bytes :
       Strings{// An empty line before it, the old version, names and values of any kind.
               "\r\nGET /inside.txt HTTP/1.1\r\nHost: localhost\r\n\r\n",
               "GET /inside.txt HTTP/1.1\r\nhOST:localhost\r\n\r\n",
               "GET /inside.txt HTTP/1.1\r\nHost: \t localhost \t \r\n\r\n",
               "GET /inside.txt HTTP/1.1\r\nHost: LOCALHOST:" + port + "\r\n\r\n",
               "GET /inside.txt HTTP/1.0\r\n\r\n",
               "GET /inside.txt HTTP/1.0\r\nHost: localhost\r\n\r\n",
               with_fields("!#$%&'*+-.^_`|~09azAZ: x\r\n"), with_fields("X: a\tb\r\n"),
               with_fields("X: : :\r\nX: again\r\n"), with_fields("Content-Length: 0\r\n"),
               with_fields("Connection: keep-alive, x\r\nUpgrade: h2c\r\n")}) {
    EXPECT_TRUE(answers(server.exchange(bytes), 200, kInside)) << bytes;
  }
}

// --- Requests within requests (6) ----------------------------------------------------------------

TEST_F(DevHostileBodies, ARequestThatHasABodyOrMayHaveOneIsRefused) {
  const DevServer server = serve_prod();
  using namespace std::string_literals;
  const Strings cases = {
      // One length.
      "Content-Length: 5\r\n", "Content-Length: 05\r\n", "Content-Length: +5\r\n",
      "Content-Length: -5\r\n", "Content-Length: -0\r\n", "Content-Length: +0\r\n",
      "Content-Length: 00\r\n", "Content-Length: 0x5\r\n", "Content-Length:  0x5\r\n",
      "Content-Length: 5,5\r\n", "Content-Length: 5, 5\r\n", "Content-Length: 0,0\r\n",
      "Content-Length: 5 5\r\n", "Content-Length: 5;\r\n", "Content-Length: 5.0\r\n",
      "Content-Length: 5e0\r\n", "Content-Length: five\r\n", "Content-Length: \xef\xbc\x95\r\n",
      "Content-Length:\r\n", "Content-Length: ,\r\n", "Content-Length: 18446744073709551615\r\n",
      "Content-Length: 18446744073709551616\r\n", "Content-Length: 18446744073709551621\r\n",
      "Content-Length: 9223372036854775808\r\n", "Content-Length: 4294967296\r\n",
      "Content-Length: 4294967301\r\n", "Content-Length: " + std::string(100, '0') + "5\r\n",
      "Content-Length: " + std::string(1'000, '9') + "\r\n", "Content-Length: 0\x0b\r\n",
      "Content-Length: 0\0\r\n"s, "Content-Length : 5\r\n", "Content-Length\t: 5\r\n",
      "Content-Length: 0\r\n 5\r\n", "X: x\r\n Content-Length: 5\r\n",
      "X: x\rContent-Length: 5\r\n", "X: x\nContent-Length: 5\r\n",
      // Two of them.
      "Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 0\r\nContent-Length: 0\r\n",
      "Content-Length: 0\r\nContent-Length: 5\r\n", "Content-Length: 5\r\nContent-Length: 0\r\n",
      "Content-Length: 0\r\ncONTENT-lENGTH: 5\r\n",
      // A coding.
      "Transfer-Encoding: chunked\r\n", "transfer-encoding:chunked\r\n",
      "Transfer-Encoding: CHUNKED\r\n", "Transfer-Encoding : chunked\r\n",
      "Transfer-Encoding\t: chunked\r\n", "Transfer-Encoding: xchunked\r\n",
      "Transfer-Encoding: chunkedx\r\n", "Transfer-Encoding: chunked, chunked\r\n",
      "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: identity, chunked\r\n",
      "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: identity\r\n",
      "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: \"chunked\"\r\n",
      "Transfer-Encoding: chunked;x=y\r\n", "Transfer-Encoding:\r\n",
      "Transfer-Encoding: \x0b, chunked\r\n", "Transfer-Encoding:\r\n chunked\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
      "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
      "X: x\nTransfer-Encoding: chunked\r\n",
      // Both.
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
      "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
      "Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n",
      "Content-Length: 5\r\nTransfer-Encoding : chunked\r\n",
      // A client that asks first.
      "Content-Length: 5\r\nExpect: 100-continue\r\n",
      "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n"};
  for (const char* method : {"GET", "HEAD", "POST"}) {
    for (const std::string& fields : cases) {
      const std::string body = contains(fields, "ncoding") ? "0\r\n\r\n" : "12345";
      const std::string head =
          method + " /inside.txt HTTP/1.1\r\nHost: localhost\r\n"s + fields + "\r\n";
      if (method != std::string("HEAD")) {
        EXPECT_TRUE(is_refused(server, head + body)) << method << " " << fields;
        continue;
      }
      // Its refusal has no body.
      HttpConnection connection = server.connect();
      connection.send(head + body + DevServer::request_text("/inside.txt"));
      EXPECT_EQ(connection.receive(false).status / 100, 4) << fields;
      EXPECT_TRUE(connection.receive_end()) << fields;
      EXPECT_FALSE(contains(connection.received(), kInside)) << fields;
      EXPECT_FALSE(contains(connection.received(), "HTTP/1.1 200")) << fields;
    }
  }
  EXPECT_TRUE(lives(server));
}

TEST_F(DevHostileBodies, OfTheOldVersionAsWell) {
  const DevServer server = serve_prod();
  for (const char* fields :
       {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n",
        "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n",
        "Connection: keep-alive\r\nContent-Length: 5\r\nContent-Length: 0\r\n"}) {
    EXPECT_TRUE(is_refused(server, std::string("GET /inside.txt HTTP/1.0\r\n") + fields + "\r\n"))
        << fields;
  }
}

TEST_F(DevHostileBodies, ALongBodyIsNotReadToItsEnd) {
  const DevServer server = serve_prod();
  std::vector<HttpConnection> clients;
  for (const std::string method : {"GET", "POST", "PUT"}) {
    clients.push_back(server.connect());
    clients.back().send(method +
                        " /inside.txt HTTP/1.1\r\nHost: localhost\r\n"
                        "Content-Length: 1000000000000\r\n\r\n");
    const HttpResponse response = clients.back().receive();
    EXPECT_EQ(response.status, method == "GET" ? 400 : 405);
    EXPECT_TRUE(response.closes());
  }
  // They are told so, and then, whatever they send, nobody listens.
  const std::string piece(1'000, 'b');
  for (HttpConnection& client : clients) {
    EXPECT_TRUE(eventually([&] { return !client.send(piece, 1); }));
  }
  EXPECT_TRUE(lives(server));
}

// --- Connections that end anywhere (8) -----------------------------------------------------------

TEST_F(DevHostileConnections, PipelinedRequestsAreAnsweredInTheirOrder) {
  put_chain();
  put("site/slow.md", "slow");
  put("site/large.bin", std::string(2'000'000, 'L'));
  const DevServer server = serve_prod({"--recipes", "recipes"});
  struct Step {
    std::string request;
    int status;
    std::string body;
  };
  const std::vector<Step> steps = {
      {DevServer::request_text("/slow"), 200, "<p>slow</p>"},
      {DevServer::request_text("/inside.txt"), 200, std::string(kInside)},
      {DevServer::request_text("/missing"), 404, std::string(kNotFound)},
      {DevServer::request_text("/inside.txt", {}, "HEAD"), 200, ""},
      {DevServer::request_text("/inside.txt", {"If-None-Match: *"}), 304, ""},
      {DevServer::request_text("/large.bin"), 200, std::string(2'000'000, 'L')},
      {DevServer::request_text("//page"), 301, ""},
      {DevServer::request_text("/page"), 200, "<p>page</p>"},
      {DevServer::request_text("/page", {}, "DELETE"), 405, ""},
      {DevServer::request_text("/inside.txt", {"Host: localhost"}), 400, "400 bad request\n"},
  };
  std::string all;
  const int rounds = 20;
  for (int i = 0; i < rounds; i++) {
    for (size_t j = 0; j + 1 < steps.size(); j++) all += steps[j].request;
  }
  // The last one is refused, and what is behind it is not read.
  all += steps.back().request + steps[1].request;
  for (const size_t piece : {all.size(), size_t{1'000}, size_t{7}}) {
    HttpConnection connection = server.connect();
    std::thread sender([&] {
      for (size_t at = 0; at < all.size(); at += piece) connection.send(all.substr(at, piece));
    });
    for (int i = 0; i < rounds; i++) {
      for (size_t j = 0; j + 1 < steps.size(); j++) {
        const bool has_body = !steps[j].request.starts_with("HEAD");
        EXPECT_TRUE(answers(connection.receive(has_body), steps[j].status, steps[j].body)) << j;
      }
    }
    EXPECT_TRUE(answers(connection.receive(), 400, steps.back().body));
    EXPECT_TRUE(connection.receive_end());
    EXPECT_EQ(connection.received(), "");
    sender.join();
  }
  EXPECT_TRUE(lives(server));
}

TEST_F(DevHostileConnections, ARequestMayComeInPiecesOfOneByte) {
  put_chain();
  const DevServer server = serve_prod({"--recipes", "recipes"});
  HttpConnection connection = server.connect();
  const int yes = 1;
  setsockopt(connection.socket(), IPPROTO_TCP, 1 /* TCP_NODELAY */, &yes, sizeof yes);
  for (const char* path : {"/page", "/inside.txt"}) {
    for (const char byte : DevServer::request_text(path)) connection.send({&byte, 1});
    EXPECT_EQ(connection.receive().status, 200) << path;
  }
}

TEST_F(DevHostileConnections, AClientThatWillSendNoMoreIsStillAnswered) {
  put_chain();
  const DevServer server = serve_prod({"--recipes", "recipes"});
  for (const char* path : {"/inside.txt", "/page"}) {
    HttpConnection connection = server.connect();
    connection.send(DevServer::request_text(path));
    connection.shut_sending();
    EXPECT_EQ(connection.receive().status, 200) << path;
    EXPECT_TRUE(connection.receive_end()) << path;
  }
}

TEST_F(DevHostileConnections, AnEndAtAnyByteLeavesNothingBehind) {
  put_chain();
  put("site/large.bin", std::string(6'000'000, 'L'));
  const DevServer server = serve({"--recipes", "recipes"});
  EXPECT_TRUE(lives(server));
  EXPECT_EQ(server.get("/page").status, 200);
  const size_t before = server.descriptors();
  for (const char* path : {"/inside.txt", "/page", "/large.bin", "/_qip/reload"}) {
    const std::string request = DevServer::request_text(path);
    for (size_t size = 0; size <= request.size(); size++) {
      HttpConnection closed = server.connect();
      closed.send(request.substr(0, size));
      closed.close();
      HttpConnection broken = server.connect();
      broken.send(request.substr(0, size));
      broken.reset();
    }
    // While the response is on its way, with more requests behind it.
    for (int i = 0; i < 10; i++) {
      for (const bool is_reset : {false, true}) {
        HttpConnection client(server.port(), "127.0.0.1", 4096);
        client.send(request + request + request);
        EXPECT_TRUE(client.receive_until("HTTP/1.1 ")) << path;
        if (is_reset) client.reset();
      }
    }
  }
  EXPECT_TRUE(lives(server));
  // Some that end within a head are noticed when the time for a head is over.
  EXPECT_TRUE(eventually([&] { return server.descriptors() <= before; }))
      << before << " became " << server.descriptors();
}

TEST_F(DevHostileConnections, AStopWhileClientsComeAndGoEndsInPeace) {
  put_chain();
  for (int round = 0; round < 60; round++) {
    DevServer server(folder_, {"site", "--recipes", "recipes"});
    std::atomic<bool> is_over{false};
    std::thread clients([&] {
      while (!is_over.load()) {
        HttpConnection client = server.connect();
        client.send(DevServer::request_text("/page"));
        if (client.receive().status == 0) break;
      }
    });
    server.get("/inside.txt");
    EXPECT_EQ(server.stop(), 0) << server.log();
    is_over.store(true);
    clients.join();
  }
}

TEST_F(DevHostileConnections, ManyConnectionsComeAndGo) {
  const DevServer server = serve_prod();
  EXPECT_TRUE(lives(server));
  const size_t before = server.descriptors();
  for (int round = 0; round < 5; round++) {
    std::vector<HttpConnection> crowd;
    for (int i = 0; i < 200; i++) crowd.emplace_back(server.port());
    for (HttpConnection& each : crowd) each.send(DevServer::request_text("/inside.txt"));
    for (HttpConnection& each : crowd) EXPECT_TRUE(answers(each.receive(), 200, kInside));
    for (size_t i = 0; i < crowd.size(); i += 2) crowd[i].reset();
  }
  EXPECT_TRUE(eventually([&] { return server.descriptors() <= before; }));
  EXPECT_TRUE(lives(server));
}

// --- Components without measure (10) -------------------------------------------------------------

TEST_F(DevHostileComponents, NoOutputMemoryOrDepthIsTooMuchForTheServer) {
  put("site/a.md", "a");
  put("site/other.css", "other");
  put_component("recipes/text/css/10-stamp", stamp_text("css:", ""));
  const auto wide = [](int pages, const std::string& body) {
    const std::string count = std::to_string(pages);
    return wat::module("(memory (export \"memory\") " + count + " 65536)" +
                       wat::value("input_ptr", 1024) + wat::value("input_utf8_cap", 65536) +
                       wat::value("output_ptr", 131072) +
                       wat::value("output_utf8_cap", 2'000'000'000) + wat::entry(body));
  };
  const std::map<std::string, std::string> hogs = {
      {"100 MB of output", wide(1'700,
                                "(memory.fill (i32.const 131072) (i32.const 65) (i32.const "
                                "100000000)) (i32.const 100000000)")},
      {"output beyond memory", wide(4, "(i32.const 100000000)")},
      {"negative output", wide(4, "(i32.const -1)")},
      {"all memory", wide(4,
                          "(loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 256)) "
                          "(i32.const 0)))) (unreachable)")},
      {"touched memory", wide(4,
                              "(local $old i32) (loop $more (local.set $old (memory.grow "
                              "(i32.const 16))) (if (i32.ge_s (local.get $old) (i32.const 0)) "
                              "(then (memory.fill (i32.mul (local.get $old) (i32.const 65536)) "
                              "(i32.const 1) (i32.const 1048576)) (br $more)))) (unreachable)")},
      {"endless fill", wide(400,
                            "(loop $e (memory.fill (i32.const 0) (i32.const 1) (i32.const "
                            "26214400)) (br $e)) (i32.const 0)")},
      {"depth",
       wat::module("(func $deep (param i64 i64) (call $deep (local.get 0) (local.get 1)))" +
                   wat::input() + wat::output() +
                   wat::entry("(call $deep (i64.const 1) (i64.const 2)) (i32.const 0)"))},
      {"endless start", wat::module("(func $start (loop $e (br $e))) (start $start)" +
                                    wat::input() + wat::output() + wat::entry(wat::kCopy))},
      {"endless output pointer",
       wat::module(wat::input() +
                   "(func (export \"output_ptr\") (result i32) (loop $e (br $e)) (i32.const 0))" +
                   wat::value("output_utf8_cap", 10) + wat::entry("(i32.const 1)"))},
      {"trap", wat::module(wat::input() + wat::output() + wat::entry("(unreachable)"))},
  };
  for (const auto& [what, text] : hogs) {
    put_component("recipes/text/markdown/10-hog", text);
    const DevServer server = serve_prod({"--recipes", "recipes", "--cache-max", "0"});
    std::vector<HttpConnection> clients;
    for (int i = 0; i < 8; i++) {
      clients.push_back(server.connect());
      clients.back().send(DevServer::request_text("/a"));
    }
    EXPECT_TRUE(answers(server.get("/other.css"), 200, "css:other")) << what;
    EXPECT_TRUE(lives(server)) << what;
    for (HttpConnection& client : clients) {
      EXPECT_TRUE(answers(client.receive(), 500, kServerError)) << what;
    }
    EXPECT_TRUE(server.has_logged("dev: GET /a error=", clients.size())) << what;
    EXPECT_TRUE(lives(server)) << what;
  }
}

TEST_F(DevHostileComponents, WhatABadComponentHeldIsGivenBack) {
  put("site/a.md", "a");
  put_component(
      "recipes/text/markdown/10-hog",
      wat::module("(memory (export \"memory\") 1700 1700)" + wat::value("input_ptr", 1024) +
                  wat::value("input_utf8_cap", 65536) + wat::value("output_ptr", 131072) +
                  wat::value("output_utf8_cap", 100'000'000) +
                  wat::entry("(memory.fill (i32.const 131072) (i32.const 65) "
                             "(i32.const 100000000)) (i32.const 100000000)")));
  const DevServer server = serve_prod({"--recipes", "recipes", "--timeout-ms", "20000", "-j", "1"});
  EXPECT_TRUE(lives(server));
  const uint64_t before = server.resident_bytes();
  for (int i = 0; i < 20; i++) EXPECT_TRUE(answers(server.get("/a"), 500, kServerError));
  // One instance may stay to be used again; not twenty.
  EXPECT_LT(server.resident_bytes(), before + 800'000'000);
  EXPECT_TRUE(lives(server));
}

// --- Foreign hosts (11) --------------------------------------------------------------------------

TEST_F(DevHostileHosts, AServerOfThisMachineAnswersForItsOwnNamesOnly) {
  put_component("forms/contact", form_text());
  const auto with_host = [](const std::string& host, const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
  };
  for (const char* mode : {"dev", "prod"}) {
    const DevServer server = serve({"--mode", mode, "--forms", "forms"});
    const std::string port = ":" + std::to_string(server.port());
    for (const std::string& host :
         Strings{"localhost", "LocalHost" + port, "127.0.0.1", "127.0.0.1" + port, "[::1]" + port,
                 "site.localhost", "a.b.LOCALHOST" + port, "localhost:", "127.0.0.1:1"}) {
      EXPECT_TRUE(answers(server.exchange(with_host(host, "/inside.txt")), 200, kInside)) << host;
    }
    for (const std::string& host : Strings{"evil.example",
                                           "evil.example" + port,
                                           "localhost.evil.example",
                                           "127.0.0.1.evil.example",
                                           "127.0.0.1.nip.io",
                                           "notlocalhost",
                                           "xlocalhost" + port,
                                           "0.0.0.0",
                                           "192.168.0.1",
                                           "10.0.0.1" + port,
                                           "[::]",
                                           "[::ffff:127.0.0.1]",
                                           "[fe80::1]",
                                           "127.1",
                                           "2130706433",
                                           "0x7f000001",
                                           "127.0.0.1%00",
                                           "localhost%2eevil",
                                           "",
                                           port,
                                           "*"}) {
      for (const char* path :
           {"/inside.txt", "/missing", "/_qip/forms/contact.wasm", "/_qip/reload", "//x", "/%00"}) {
        const HttpResponse response = server.exchange(with_host(host, path));
        EXPECT_TRUE(response.status == 421 || response.status == 400) << host << path;
        EXPECT_TRUE(response.is_whole) << host << path;
        EXPECT_FALSE(contains(response.body, kInside)) << host << path;
        EXPECT_EQ(response.count("etag") + response.count("location"), 0u) << host << path;
      }
    }
    const HttpResponse foreign = server.exchange(with_host("evil.example", "/inside.txt"));
    EXPECT_TRUE(
        answers(foreign, 421, "421 misdirected request: this server answers for localhost only\n"));
    EXPECT_EQ(foreign.field("content-type"), "text/plain; charset=utf-8");
    EXPECT_FALSE(contains(foreign.head, "evil.example"));
    EXPECT_EQ(foreign.field("access-control-allow-origin"), "");
    // Other fields do not say for whom it answers.
    for (const char* field : {"X-Forwarded-Host: localhost", "Forwarded: host=localhost",
                              "Origin: http://localhost", "X-Host: localhost"}) {
      const std::string request = "GET /inside.txt HTTP/1.1\r\nHost: evil.example\r\n";
      EXPECT_EQ(server.exchange(request + field + "\r\n\r\n").status, 421) << field;
    }
    // Nor may another origin read what it answers.
    const HttpResponse cross = server.get("/inside.txt", {"Origin: http://evil.example"});
    EXPECT_EQ(cross.count("access-control-allow-origin"), 0u);
  }
}

TEST_F(DevHostileHosts, AServerOfAnAddressOfItsOwnAnswersForThatToo) {
  {
    const DevServer server = serve_prod({"--bind", "127.0.0.3"});
    const auto status_of = [&](const std::string& host) {
      HttpConnection connection(server.port(), "127.0.0.3");
      connection.send("GET /inside.txt HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
      return connection.receive().status;
    };
    EXPECT_EQ(status_of("127.0.0.3"), 200);
    EXPECT_EQ(status_of("localhost"), 200);
    EXPECT_EQ(status_of("127.0.0.4"), 421);
    EXPECT_EQ(status_of("evil.example"), 421);
  }
  // One that is meant for others has any name.
  const DevServer server = serve_prod({"--bind", "0.0.0.0"});
  EXPECT_TRUE(answers(server.exchange("GET /inside.txt HTTP/1.1\r\nHost: site.example\r\n\r\n"),
                      200, kInside));
}

// --- The log (12) --------------------------------------------------------------------------------

// Each line has its date and time and speaks for itself; no byte moves a cursor or turns a text.
testing::AssertionResult is_honest(const std::string& log) {
  using namespace std::string_literals;
  for (const char byte : log) {
    if ((static_cast<unsigned char>(byte) < 0x20 && byte != '\n') || byte == 0x7f) {
      return testing::AssertionFailure() << testing::PrintToString(log);
    }
  }
  for (const std::string& text : {"\xc2\x9b"s, "\xe2\x80\xae"s, "\xe2\x80\xa8"s, "\xff"s}) {
    if (contains(log, text)) return testing::AssertionFailure() << testing::PrintToString(log);
  }
  for (size_t at = 0; at < log.size();) {
    const size_t end = std::min(log.find('\n', at), log.size());
    const std::string line = log.substr(at, end - at);
    const bool is_dated = line.size() > 25 && line[4] == '-' && line.substr(19, 6) == " dev: ";
    if (!is_dated || line.size() > 2'000) return testing::AssertionFailure() << line;
    at = end + 1;
  }
  return testing::AssertionSuccess();
}

TEST_F(DevHostileLog, NoTextOfAClientStartsALineOrMovesTheCursor) {
  using namespace std::string_literals;
  const DevServer server = serve_prod({"-v"});
  const std::string forged = "2000-01-01 00:00:00 dev: forged";
  // Escapes, turns of the text, and what only looks like them.
  Strings targets = {"/\x1b[2J\x1b[31m",
                     "/\x1b]0;title\x07",
                     "/\b\b\b\b",
                     "/\x7f",
                     "/\t",
                     "/\0x"s,
                     "/\xc2\x9bm",
                     "/\xe2\x80\xaetxt.exe",
                     "/\xff\xfe",
                     "/\xc0\x8a",
                     "/%1b[31m",
                     "/%n%s%x",
                     "/status=200",
                     "http://localhost/\x1b[31m",
                     "/" + std::string(8'000, 'x'),
                     "/" + std::string(40'000, 'x')};
  for (const char* line_end :
       {"\n", "\r", "\r\n", "%0a", "%0d%0a", "\xe2\x80\xa8", "\xe2\x80\xa9"}) {
    targets.push_back("/" + (line_end + forged));
    targets.push_back("*" + (line_end + forged));
  }
  for (const std::string& target : targets) {
    EXPECT_EQ(server.get(target).status / 100, 4) << testing::PrintToString(target.substr(0, 50));
  }
  for (const std::string& method :
       {"G\x1b[31mT"s, "G\nT"s, "G\xe2\x80\xae"s, std::string(5'000, 'M'), "\xff"s, "dev:"s}) {
    server.exchange(DevServer::request_text("/inside.txt", {}, method));
  }
  // Fields are not in it at all.
  for (const std::string& field :
       {"User-Agent: \x1b[31mforged"s, "Referer: forged\r" + forged, "X: a\n" + forged,
        "Cookie: forged=1"s, "If-None-Match: forged"s, "X-Forwarded-For: forged"s}) {
    server.get("/inside.txt", {field});
  }
  server.exchange("GET /inside.txt HTTP/1.1\r\nHost: forged.example\r\n\r\n");
  // Neither are queries, which may hold what is private.
  EXPECT_EQ(server.get("/inside.txt?forged-token").status, 200);
  EXPECT_EQ(server.get("/last").status, 404);
  EXPECT_TRUE(server.has_logged("dev: GET /last status=404"));
  const std::string log = server.log();
  EXPECT_TRUE(is_honest(log));
  EXPECT_FALSE(contains(log, "\n2000"));
  EXPECT_FALSE(contains(log, "forged-token"));
  EXPECT_FALSE(contains(log, "forged.example"));
  EXPECT_FALSE(contains(log, "forged=1"));
  EXPECT_TRUE(lives(server));
}

TEST_F(DevHostileLog, NoTextOfAComponentOrAFileDoes) {
  // The name of a function, whose mark becomes a new line, an escape, a turn of the text.
  std::string module = component(stamp_text("<", ">", "", "evil@@@@2000-01-01"));
  for (size_t at = module.find("@@@@"); at != std::string::npos; at = module.find("@@@@")) {
    module.replace(at, 4, "\n\x1b\r\x7f");
  }
  put("recipes/text/markdown/10-\x1b[31m.wasm", module);
  put("site/bad.md", "!");
  put("site/\xe2\x80\xae"
      "bad.md",
      "!");
  for (const char* mode : {"dev", "prod"}) {
    const DevServer server = serve({"--recipes", "recipes", "--mode", mode});
    for (const char* path : {"/bad", "/%E2%80%AEbad"}) {
      const HttpResponse response = server.get(path);
      EXPECT_EQ(response.status, 500) << path;
      EXPECT_FALSE(contains(response.body, "\x1b"));
      EXPECT_FALSE(contains(response.body, "\xe2\x80\xae"));
    }
    // A message of a reload goes the same way, and into a field as well.
    put("site/\x1b[31m\n.md", "x");
    server.reload();
    remove("site/\x1b[31m\n.md");
    const std::string log = server.log();
    EXPECT_TRUE(contains(log, "unreachable")) << log;
    EXPECT_TRUE(contains(log, "dev: reload failed")) << log;
    EXPECT_FALSE(contains(log, "\n2000")) << log;
    EXPECT_FALSE(log.find_first_of("\x1b\r\x7f") != std::string::npos) << log;
    EXPECT_FALSE(contains(log, "\xe2\x80\xae")) << log;
    EXPECT_TRUE(lives(server));
  }
}

}  // namespace
}  // namespace qip
