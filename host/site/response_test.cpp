// Responses of small sites in a temporary folder: what they are made of, and when they are made
// again.
#include "host/site/response.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "host/site/elements.hpp"
#include "host/site/response_cache.hpp"
#include "host/test_modules.hpp"

namespace qip {
namespace {

namespace fs = std::filesystem;
using namespace test;

constexpr uint32_t kInput = 1024;
constexpr uint32_t kOutput = 131'072;
constexpr uint32_t kCapacity = 65'536;
constexpr uint32_t kTexts = 240'000;

// --- Components ----------------------------------------------------------------------------------

ModuleBuilder with_input() {
  ModuleBuilder module;
  module.memory(4).value("input_ptr", kInput).value("input_utf8_cap", kCapacity);
  return module;
}

ModuleBuilder with_output(std::string_view kind) {
  ModuleBuilder module = with_input();
  module.value("output_ptr", kOutput).value("output_" + std::string(kind) + "_cap", kCapacity);
  return module;
}

Bytes entry_at(ModuleBuilder module, const Bytes& body) {
  return module.function("render", {kI32}, {kI32}, body).bytes();
}

// Puts `prefix` before its input.
Bytes prefixing(std::string_view prefix, ModuleBuilder module = with_output("utf8")) {
  const auto size = static_cast<uint32_t>(prefix.size());
  return entry_at(module.data(kOutput, prefix), i32_const(kOutput + size) + i32_const(kInput) +
                                                    local_get(0) + memory_copy() + local_get(0) +
                                                    i32_const(size) + i32_add());
}

ModuleBuilder& declare(ModuleBuilder& module, const std::string& direction, std::string_view type) {
  const uint32_t at = kTexts + (direction == "input" ? 0u : 200u);
  return module.data(at, type)
      .value(direction + "_content_type_ptr", at)
      .value(direction + "_content_type_size", static_cast<uint32_t>(type.size()));
}

// Traps if its input is empty or begins with '!'; else like prefixing().
Bytes trapping() {
  ModuleBuilder module = with_output("utf8");
  module.function_name(4, "careful<b>");
  const Bytes check = i32_const(kInput) + i32_load8_u() + i32_const('!') + Bytes{0x46, 0x04, 0x40} +
                      unreachable() + Bytes{0x0B};
  return entry_at(module, check + i32_const(kOutput) + i32_const(kInput) + local_get(0) +
                              memory_copy() + local_get(0));
}

Bytes endless() {
  return entry_at(with_output("utf8"), loop_forever() + i32_const(0));
}

// --- Sites ---------------------------------------------------------------------------------------

class Responses : public testing::Test {
 protected:
  Responses() {
    folder_ = (fs::temp_directory_path() / "qip-response-XXXXXX").string();
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    options_.content = folder_ + "/site";
    fs::create_directories(options_.content);
  }
  ~Responses() override { fs::remove_all(folder_); }

  void put(const std::string& name, std::string_view text) const {
    const fs::path path = fs::path(options_.content) / name;
    fs::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    EXPECT_TRUE(file.good()) << path;
  }
  void put(const std::string& name, const Bytes& bytes) const {
    put(name, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  void put_recipe(const std::string& name, const Bytes& bytes) const {
    put("_recipes/" + name + ".wasm", bytes);
  }
  void remove(const std::string& name) const { fs::remove(fs::path(options_.content) / name); }

  // Files that were written before count as old afterwards.
  static void settle() { std::this_thread::sleep_for(std::chrono::milliseconds(80)); }

  void load() {
    Result<std::shared_ptr<const Site>, HostError> site = Site::load(options_, site_.get());
    ASSERT_TRUE(site.ok()) << site.error().message;
    site_ = std::move(site.value());
  }

  const Route& route(const std::string& path) const {
    static const Route kNone;
    const Route* found = site_->find(path);
    EXPECT_NE(found, nullptr) << path;
    return found != nullptr ? *found : kNone;
  }
  SharedResponse find(const std::string& path) { return responder_.find(*site_, route(path)); }
  SharedResponse make(const std::string& path) {
    trace_ = {};
    return responder_.make(*site_, route(path), trace_);
  }
  // As a server does it.
  SharedResponse get(const std::string& path) {
    trace_ = {};
    SharedResponse kept = find(path);
    return kept != nullptr ? kept : make(path);
  }
  std::string body(const std::string& path) { return text_of(*get(path)); }
  static std::string text_of(const SiteResponse& response) {
    return {response.body.begin(), response.body.end()};
  }
  // The message of the error that the path gives.
  std::string error(const std::string& path) {
    const SharedResponse response = get(path);
    EXPECT_EQ(response->status, 500);
    EXPECT_EQ(response->etag, "");
    EXPECT_TRUE(trace_.error);
    return trace_.error ? trace_.error->message : "";
  }

  std::string folder_;
  SiteOptions options_;
  std::shared_ptr<const Site> site_;
  Responder responder_;
  ResponseTrace trace_;
};

Xxh3Digest digest_of(const Bytes& bytes) {
  Xxh3 digest;
  digest.update(bytes);
  return digest.digest();
}

Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

// The construction: a line of text, and the digests of source, components, and forms.
std::string tag_of(std::string_view mode, const std::vector<Bytes>& parts) {
  Bytes text = bytes_of("qip-etag 1 " + std::string(mode) + "\n");
  for (const Bytes& part : parts) {
    const Xxh3Digest digest = digest_of(part);
    text.insert(text.end(), digest.begin(), digest.end());
  }
  std::string tag = "\"";
  for (const uint8_t byte : digest_of(text)) {
    char digits[3];
    snprintf(digits, sizeof digits, "%02x", byte);
    tag += digits;
  }
  return tag + "\"";
}

testing::AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "no " << part << " in:\n" << text;
}

// --- What a response is --------------------------------------------------------------------------

TEST_F(Responses, PlainFileIsSentAsItIs) {
  const std::string binary("\0\xFF\r\n", 4);
  put("data.bin", binary);
  put("about.html", "<h1>about</h1>");
  put("style.css", "p {}");
  put("empty.txt", "");
  load();
  EXPECT_EQ(body("/data.bin"), binary);
  EXPECT_EQ(get("/data.bin")->content_type, "application/octet-stream");
  EXPECT_EQ(body("/about"), "<h1>about</h1>");
  EXPECT_EQ(get("/about")->content_type, "text/html; charset=utf-8");
  EXPECT_EQ(get("/style.css")->content_type, "text/css; charset=utf-8");
  EXPECT_EQ(body("/empty.txt"), "");
  EXPECT_EQ(get("/empty.txt")->status, 200);
  EXPECT_TRUE(trace_.modules.empty());
}

TEST_F(Responses, TagIsMadeOfModeSourceComponentsAndForms) {
  const Bytes first = prefixing("<qip-form name=b><qip-form name='a/x'>");
  const Bytes second = prefixing("2");
  const Bytes form = prefixing("form");
  const Bytes other_form = prefixing("other");
  put("about.html", "<h1>about</h1>");
  put("page.md", "text");
  put("both.html", "<qip-form name=b><qip-form name='a/x'>");
  put_recipe("text/markdown/10-first", first);
  put_recipe("text/markdown/20-second", second);
  put_recipe("text/markdown/-15-off", prefixing("off"));
  put("_forms/b.wasm", form);
  put("_forms/a/x.wasm", other_form);
  put("_forms/unused.wasm", prefixing("unused"));
  for (const SiteMode mode : {SiteMode::Prod, SiteMode::Dev}) {
    options_.mode = mode;
    load();
    const char* text = mode == SiteMode::Dev ? "dev" : "prod";
    EXPECT_EQ(get("/about")->etag, tag_of(text, {bytes_of("<h1>about</h1>")}));
    EXPECT_EQ(get("/both")->etag,
              tag_of(text, {bytes_of("<qip-form name=b><qip-form name='a/x'>"), other_form, form}));
    EXPECT_EQ(get("/page")->etag,
              tag_of(text, {bytes_of("text"), first, second, other_form, form}));
    EXPECT_EQ(get("/_qip/forms/b.wasm")->etag, tag_of(text, {form}));
  }
}

TEST_F(Responses, ChainIsThatOfTheSourceType) {
  put("page.md", "text");
  put("note.txt", "text");
  put_recipe("text/markdown/20-b", prefixing("B"));
  put_recipe("text/markdown/10-a", prefixing("A"));
  load();
  EXPECT_EQ(body("/page"), "BAtext");
  EXPECT_EQ(trace_.modules.size(), 2u);
  EXPECT_EQ(body("/page.md"), "BAtext");
  EXPECT_EQ(body("/note.txt"), "text");
  EXPECT_EQ(trace_.modules.size(), 0u);
}

TEST_F(Responses, ContentTypeIsDeclaredOrFollowsFromTheSource) {
  ModuleBuilder svg = with_output("utf8");
  ModuleBuilder html = with_output("utf8");
  put("page.md", "text");
  put("data.csv", "text");
  put("data.json", "text");
  put("data.txt", "text");
  put_recipe("text/markdown/10-a", prefixing("A"));
  put_recipe("text/csv/10-svg", prefixing("A", declare(svg, "output", "image/svg+xml")));
  put_recipe("application/json/10-html", prefixing("A", declare(html, "output", "text/html")));
  put_recipe("application/json/20-keeps", prefixing("B"));
  put_recipe("text/plain/10-a", prefixing("A"));
  load();
  EXPECT_EQ(get("/page")->content_type, "text/html; charset=utf-8");
  EXPECT_EQ(get("/data.csv")->content_type, "image/svg+xml");
  EXPECT_EQ(get("/data.json")->content_type, "text/html; charset=utf-8");
  EXPECT_EQ(get("/data.txt")->content_type, "text/plain; charset=utf-8");
}

TEST_F(Responses, ChainBeginsWithTheSourceTypeAndTrustsNoComponent) {
  ModuleBuilder fits = with_output("utf8");
  ModuleBuilder wants_other = with_output("utf8");
  put("page.md", "text");
  put("data.csv", "text");
  put_recipe("text/markdown/10-fits", prefixing("A", declare(fits, "input", "text/markdown")));
  put_recipe("text/csv/10-other", prefixing("A", declare(wants_other, "input", "text/markdown")));
  load();
  EXPECT_EQ(body("/page"), "Atext");
  EXPECT_TRUE(contains(error("/data.csv"), "content type check failed"));
  EXPECT_TRUE(contains(error("/data.csv"), "got \"text/csv\""));
}

TEST_F(Responses, ItemsAreLinesOfDigits) {
  put("data.csv", "text");
  put_recipe(
      "text/csv/10-items",
      entry_at(with_output("i32").data(kOutput, std::string("\x01\0\0\0\xEF\xBE\xAD\xDE", 8)),
               i32_const(2)));
  load();
  EXPECT_EQ(body("/data.csv"), "00000001\ndeadbeef\n");
}

TEST_F(Responses, ChainWithoutOutputHasAnEmptyBody) {
  put("page.md", "text");
  put("data.csv", "text");
  put_recipe("text/markdown/10-a", prefixing("A"));
  put_recipe("text/markdown/20-none", entry_at(with_input(), i32_const(7)));
  put_recipe("text/csv/10-none", entry_at(with_input(), i32_const(7)));
  put_recipe("text/csv/20-a", prefixing("A"));
  for (const SiteMode mode : {SiteMode::Prod, SiteMode::Dev}) {
    options_.mode = mode;
    load();
    EXPECT_EQ(body("/page"), "");
    EXPECT_EQ(get("/page")->status, 200);
    EXPECT_EQ(body("/data.csv"), "A") << "the next one gets no bytes";
  }
}

TEST_F(Responses, FormsComponentsAndScriptsAreSentAsTheyAre) {
  const Bytes form = prefixing("form");
  const Bytes component = prefixing("component");
  put("_forms/a/b.wasm", form);
  put("_components/c.wasm", component);
  put_recipe("application/wasm/10-a", prefixing("A"));
  put_recipe("text/javascript/10-a", prefixing("A"));
  options_.mode = SiteMode::Dev;
  load();
  EXPECT_EQ(get("/_qip/forms/a/b.wasm")->body, form);
  EXPECT_EQ(get("/_qip/forms/a/b.wasm")->content_type, "application/wasm");
  EXPECT_EQ(get("/components/c.wasm")->body, component);
  EXPECT_EQ(get("/components/c.wasm")->etag, tag_of("dev", {component}));
  for (const BuiltInScript& script : built_in_scripts()) {
    const std::string path = std::string(kOwnFolder) + std::string(script.name);
    const SharedResponse response = get(path);
    EXPECT_EQ(text_of(*response), script.text);
    EXPECT_EQ(response->content_type, "text/javascript; charset=utf-8");
    EXPECT_EQ(response->etag, tag_of("dev", {bytes_of(script.text)}));
    EXPECT_EQ(find(path), response);
  }
}

// --- Pages ---------------------------------------------------------------------------------------

TEST_F(Responses, PageWithElementsGetsOneScriptBeforeTheEndOfItsBody) {
  put("_forms/contact.wasm", prefixing("form"));
  put("contact.html", "<body><qip-form name=\"contact\"></qip-form></body>");
  put("all.md", "<qip-play src=x></qip-play><qip-edit></qip-edit><qip-form name=contact></body>");
  put_recipe("text/markdown/10-a", prefixing("A"));
  load();
  const std::string page = body("/contact");
  EXPECT_TRUE(
      page.starts_with("<body><qip-form name=\"contact\"></qip-form><script type=\"module\">"));
  EXPECT_TRUE(page.ends_with("</script>\n</body>"));
  EXPECT_TRUE(contains(page, "[\"contact\", \"/_qip/forms/contact.wasm\"]"));
  EXPECT_TRUE(contains(page, "customElements.define(\"qip-form\", QipForm)"));
  EXPECT_EQ(get("/contact")->elements, kFormElement);

  const std::string all = body("/all");
  EXPECT_EQ(all.find("<script"), all.rfind("<script"));
  EXPECT_LT(all.find("\"qip-form\""), all.find("\"qip-play\""));
  EXPECT_LT(all.find("\"qip-play\""), all.find("\"qip-edit\""));
  EXPECT_EQ(get("/all")->elements, kFormElement | kPlayElement | kEditElement);
}

TEST_F(Responses, FormsOfAPageMustBeThere) {
  put("missing.html", "<qip-form>");
  put("empty.html", "<qip-form name='  '>");
  put("unknown.html", "<qip-form name='no&#10;ne'>");
  put("text.txt", "<qip-form>");
  load();
  EXPECT_EQ(error("/missing"), "<qip-form> tag is missing required name attribute");
  EXPECT_EQ(error("/empty"), "<qip-form> name attribute must not be empty");
  EXPECT_EQ(error("/unknown"),
            "qip-form tags detected, but no form modules are loaded (pass --forms <forms_dir>)");
  EXPECT_EQ(body("/text.txt"), "<qip-form>");
  put("_forms/other.wasm", prefixing("form"));
  load();
  EXPECT_EQ(error("/unknown"), "qip-form name \"no\\0ane\" has no matching module in --forms");
}

TEST_F(Responses, ReloadScriptIsForPagesInDevelopment) {
  put("page.md", "<p>text</body>");
  put("plain.html", "plain");
  put("empty.html", "");
  put("note.txt", "<body></body>");
  put("picture.svg", "<svg/>");
  put_recipe("text/markdown/10-a", prefixing("A"));
  options_.mode = SiteMode::Dev;
  load();
  const std::string script(reload_script());
  EXPECT_EQ(body("/page"), "A<p>text" + script + "</body>");
  EXPECT_EQ(body("/plain"), "plain" + script);
  EXPECT_EQ(body("/empty"), "");
  EXPECT_EQ(body("/note.txt"), "<body></body>");
  EXPECT_EQ(body("/picture.svg"), "<svg/>");
  options_.mode = SiteMode::Prod;
  load();
  EXPECT_EQ(body("/page"), "A<p>text</body>");
  EXPECT_EQ(body("/plain"), "plain");
}

// --- Errors --------------------------------------------------------------------------------------

TEST_F(Responses, TrapIsAnErrorThatNamesTheComponent) {
  put("page.md", "!");
  put_recipe("text/markdown/10-careful", trapping());
  options_.mode = SiteMode::Dev;
  options_.limits.call_stack = true;
  load();
  EXPECT_TRUE(contains(error("/page"), "_recipes/text/markdown/10-careful.wasm"));
  EXPECT_TRUE(contains(error("/page"), "unreachable"));
  const std::string page = text_of(*get("/page"));
  EXPECT_TRUE(contains(page, "<title>qip dev error</title>"));
  EXPECT_TRUE(contains(page, "unreachable"));
  EXPECT_TRUE(contains(page, "careful&lt;b&gt;")) << "the call stack";
  EXPECT_EQ(page.find("careful<b>"), page.npos);
  EXPECT_TRUE(contains(page, std::string(reload_script()))) << "so that it goes when it is mended";
  EXPECT_EQ(get("/page")->content_type, "text/html; charset=utf-8");
}

TEST_F(Responses, ProductionSaysNothingAboutAnError) {
  put("page.md", "!");
  put_recipe("text/markdown/10-careful", trapping());
  load();
  const SharedResponse response = get("/page");
  EXPECT_EQ(response->status, 500);
  EXPECT_EQ(text_of(*response), "500 internal server error\n");
  EXPECT_EQ(response->content_type, "text/plain; charset=utf-8");
}

TEST_F(Responses, LimitsHold) {
  put("page.md", "text");
  put("data.csv", "text");
  put_recipe("text/markdown/10-endless", endless());
  put_recipe("text/csv/10-a", prefixing("A"));
  options_.limits.time = std::chrono::milliseconds(20);
  options_.limits.max_output_bytes = 4;
  load();
  EXPECT_TRUE(contains(error("/page"), "20ms"));
  EXPECT_TRUE(contains(error("/data.csv"), "output of 5 bytes exceeds"));
}

TEST_F(Responses, OutputIsBoundedByDefault) {
  put("page.md", "text");
  ModuleBuilder large;
  large.memory(1100).value("input_ptr", 0).value("input_utf8_cap", 100);
  large.value("output_ptr", 0).value("output_utf8_cap", 1100 * 65'536);
  put_recipe("text/markdown/10-large", entry_at(large, i32_const(kMostOutputBytes + 1)));
  load();
  EXPECT_TRUE(contains(error("/page"), "output of 67108865 bytes exceeds"));
}

TEST_F(Responses, FileThatIsGoneIsAnError) {
  put("page.md", "text");
  put("note.txt", "text");
  load();
  remove("page.md");
  remove("note.txt");
  EXPECT_EQ(error("/page"), "open page.md: no such file or directory");
  EXPECT_EQ(error("/note.txt"), "open note.txt: no such file or directory");
  put("page.md", "back");
  EXPECT_EQ(body("/page"), "back");
}

TEST_F(Responses, ErrorIsNeverRemembered) {
  put("page.md", "!");
  put_recipe("text/markdown/10-careful", trapping());
  load();
  settle();
  for (int i = 0; i < 3; i++) {
    error("/page");
    EXPECT_EQ(find("/page"), nullptr);
  }
  EXPECT_EQ(responder_.held_bytes(), 0u);
}

// --- What is remembered --------------------------------------------------------------------------

TEST_F(Responses, UnchangedFileIsNeitherReadNorRunAgain) {
  put("page.md", "text");
  put("note.txt", "text");
  put_recipe("text/markdown/10-a", prefixing("A"));
  load();
  settle();
  for (const char* path : {"/page", "/note.txt"}) {
    EXPECT_EQ(find(path), nullptr);
    const SharedResponse made = make(path);
    EXPECT_EQ(find(path), made);
    EXPECT_EQ(find(path), made);
  }
  EXPECT_EQ(find("/page.md"), find("/page"));
  EXPECT_EQ(responder_.held_bytes(), 5 + 4 + 2 * kResponseOverhead);
}

TEST_F(Responses, FreshFileIsReadAgainAndNotRunAgain) {
  put_recipe("text/markdown/10-a", prefixing("A"));
  put("page.md", "text");
  load();
  const SharedResponse first = make("/page");
  EXPECT_EQ(trace_.modules.size(), 1u);
  EXPECT_EQ(make("/page"), first);
  EXPECT_EQ(trace_.modules.size(), 0u) << "known by its content";
  settle();
  EXPECT_EQ(make("/page"), first);
  fs::last_write_time(options_.content + "/page.md", fs::file_time_type::clock::now());
  EXPECT_EQ(find("/page"), nullptr) << "its metadata says that it may have changed";
  EXPECT_EQ(make("/page"), first);
}

TEST_F(Responses, EveryEditIsSeenAtOnce) {
  put_recipe("text/markdown/10-a", prefixing("A"));
  put("page.md", "0000");
  put("note.txt", "0000");
  load();
  for (int i = 1; i <= 300; i++) {
    if (i % 100 == 0) {
      get("/page");
      settle();
      get("/page");
      get("/note.txt");
    }
    const std::string text = std::to_string(1000 + i);  // always of one size
    put("page.md", text);
    put("note.txt", text);
    ASSERT_EQ(body("/page"), "A" + text);
    ASSERT_EQ(body("/note.txt"), text);
    ASSERT_EQ(body("/page"), "A" + text);
  }
}

TEST_F(Responses, FileReplacedByAnOlderOneIsSeen) {
  put("page.txt", "new");
  put("other.txt", "old");
  fs::last_write_time(options_.content + "/other.txt",
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  load();
  settle();
  EXPECT_EQ(body("/page.txt"), "new");
  EXPECT_EQ(body("/page.txt"), "new");
  fs::rename(options_.content + "/other.txt", options_.content + "/page.txt");
  EXPECT_EQ(body("/page.txt"), "old");
}

TEST_F(Responses, NextGenerationKeepsWhatDidNotChange) {
  put("page.md", "text");
  put("data.csv", "text");
  put_recipe("text/markdown/10-a", prefixing("A"));
  put_recipe("text/csv/10-a", prefixing("A"));
  load();
  settle();
  const SharedResponse page = make("/page");
  const SharedResponse data = make("/data.csv");
  put_recipe("text/csv/10-a", prefixing("B"));
  put("new.txt", "new");
  load();
  EXPECT_EQ(find("/page"), page);
  EXPECT_EQ(find("/data.csv"), nullptr);
  EXPECT_EQ(body("/data.csv"), "Btext");
  EXPECT_NE(get("/data.csv")->etag, data->etag);
}

TEST_F(Responses, ChangedFormChangesItsPages) {
  put("_forms/a.wasm", prefixing("1"));
  put("page.html", "<qip-form name=a>");
  load();
  settle();
  const SharedResponse before = make("/page");
  put("_forms/a.wasm", prefixing("2"));
  load();
  EXPECT_EQ(find("/page"), nullptr);
  EXPECT_NE(make("/page")->etag, before->etag);
  remove("_forms/a.wasm");
  load();
  EXPECT_EQ(get("/page")->status, 500) << "also where it was remembered";
}

TEST_F(Responses, OneContentOfTwoTypesIsTwoResponses) {
  put("a.txt", "text");
  put("b.txt", "text");
  put("a.css", "text");
  load();
  EXPECT_EQ(make("/a.txt"), make("/b.txt"));
  EXPECT_NE(make("/a.txt"), make("/a.css"));
  EXPECT_EQ(make("/a.css")->content_type, "text/css; charset=utf-8");
}

TEST_F(Responses, WithoutACacheEverythingIsMadeAgain) {
  put("page.md", "text");
  put_recipe("text/markdown/10-a", prefixing("A"));
  load();
  settle();
  Responder responder(0);
  for (int i = 0; i < 3; i++) {
    ResponseTrace trace;
    EXPECT_EQ(responder.find(*site_, route("/page")), nullptr);
    EXPECT_EQ(text_of(*responder.make(*site_, route("/page"), trace)), "Atext");
    EXPECT_EQ(trace.modules.size(), 1u);
  }
  EXPECT_EQ(responder.held_bytes(), 0u);
}

TEST_F(Responses, ManyThreadsGetWholeResponsesWhileFilesChange) {
  put_recipe("text/markdown/10-a", prefixing("A"));
  for (int i = 0; i < 4; i++) put("p" + std::to_string(i) + ".md", std::string(2000, 'x'));
  load();
  Responder responder(3 * (2001 + kResponseOverhead));
  std::atomic<bool> is_over{false};
  std::atomic<int> wrong{0};
  const auto ask = [&](int seed) {
    for (int i = seed; !is_over; i++) {
      const Route& page = route("/p" + std::to_string(i % 4));
      SharedResponse response = responder.find(*site_, page);
      ResponseTrace trace;
      if (response == nullptr) response = responder.make(*site_, page, trace);
      const std::string text = text_of(*response);
      if (text.size() != 2001 || text != "A" + std::string(2000, text.back())) wrong++;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; i++) threads.emplace_back(ask, i);
  for (int i = 0; i < 200; i++) {
    put("new", std::string(2000, static_cast<char>('a' + i % 26)));
    fs::rename(options_.content + "/new", options_.content + "/p" + std::to_string(i % 4) + ".md");
  }
  is_over = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

// --- Large files ---------------------------------------------------------------------------------

class LargeFiles : public Responses {
 protected:
  static std::string sent(const SiteResponse& response) {
    std::string text(response.size(), '\0');
    EXPECT_TRUE(response.file);
    if (!response.file) return "";
    EXPECT_EQ(pread(response.file->number(), text.data(), text.size(), 0),
              static_cast<ssize_t>(text.size()));
    return text;
  }
  const std::string large_ = std::string(kMostHeldBytes, 'a') + "b";
};

TEST_F(LargeFiles, AreSentFromTheFile) {
  put("large.bin", large_);
  load();
  const SharedResponse response = get("/large.bin");
  EXPECT_EQ(response->status, 200);
  EXPECT_TRUE(response->body.empty());
  EXPECT_EQ(sent(*response), large_);
  EXPECT_EQ(response->etag, tag_of("prod", {bytes_of(large_)}));
  EXPECT_EQ(response->content_type, "application/octet-stream");
  EXPECT_EQ(responder_.held_bytes(), 0u);
}

TEST_F(LargeFiles, AreReadForTheirDigestOnce) {
  put("large.bin", large_);
  load();
  EXPECT_EQ(find("/large.bin"), nullptr);
  make("/large.bin");
  EXPECT_EQ(find("/large.bin"), nullptr) << "written a moment ago";
  settle();
  const SharedResponse made = make("/large.bin");
  const SharedResponse found = find("/large.bin");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(sent(*found), large_);
  EXPECT_EQ(found->etag, made->etag);
  EXPECT_EQ(found->content_type, made->content_type);
  std::string edited = large_;
  edited[5] = 'x';
  put("large.bin", edited);
  EXPECT_EQ(find("/large.bin"), nullptr);
  EXPECT_EQ(get("/large.bin")->etag, tag_of("prod", {bytes_of(edited)}));
}

TEST_F(LargeFiles, AreHeldWhereTheyMustBe) {
  put("just.bin", large_.substr(1));
  put("page.html", large_ + "<qip-play src=x>");
  load();
  EXPECT_EQ(body("/just.bin"), large_.substr(1));
  EXPECT_FALSE(get("/page")->file);
  EXPECT_EQ(get("/page")->elements, kPlayElement);
}

// --- Errors in words -----------------------------------------------------------------------------

TEST(ErrorResponse, HasTheTimeAndEscapesEverything) {
  const HostError error{HostErrorClass::Trap, "a<b>.wasm: \"x\" & 'y'", "\n  at <script>"};
  const SiteResponse response =
      error_response(error, SiteMode::Dev,
                     std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000)));
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.etag, "");
  const std::string page(response.body.begin(), response.body.end());
  EXPECT_TRUE(contains(page,
                       "<pre>2023-11-14T22:13:20Z\na&lt;b&gt;.wasm: &quot;x&quot; &amp; "
                       "&#39;y&#39;\n  at &lt;script&gt;</pre>"));
}

// --- If-None-Match -------------------------------------------------------------------------------

constexpr std::string_view kTag = "\"abc\"";

TEST(NoneMatch, NamesOneOfAList) {
  for (const char* header :
       {"\"abc\"", " \"abc\"\t", "W/\"abc\"", "\"x\", \"abc\"", "\"x\",\"abc\",\"y\"",
        "\"x\" , W/\"abc\"", ",\"abc\"", "\"x\",,\"abc\"", " , \"abc\" , ", "\"abc\", W/\"\"",
        "\"a,b\", \"abc\"", "\"\xC3\xA9\", \"abc\"", "\"\\\", \"abc\"", "*", " * "}) {
    EXPECT_TRUE(none_match_names(header, kTag)) << header;
  }
}

TEST(NoneMatch, NamesOthersOnly) {
  for (const char* header : {"\"x\"", "\"ABC\"", "\"abc \"", "\"ab\", \"c\"", "W/\"x\"", "\"\"",
                             "\"x, \\\"abc\\\"\"", "\"W/\""}) {
    EXPECT_FALSE(none_match_names(header, kTag)) << header;
  }
  EXPECT_FALSE(none_match_names("*", "")) << "nothing is there";
  EXPECT_FALSE(none_match_names("\"\"", ""));
}

TEST(NoneMatch, MalformedHeaderNamesNothing) {
  for (const char* header : {"",
                             " ",
                             ",",
                             ", ,",
                             "abc",
                             "\"abc",
                             "abc\"",
                             "'abc'",
                             "w/\"abc\"",
                             "W/ \"abc\"",
                             "W/abc",
                             "\"abc\" \"x\"",
                             "\"abc\"x",
                             "\"abc\", x",
                             "\"abc\", *",
                             "*, \"abc\"",
                             "**",
                             "\"x\" \"abc\"",
                             "\"abc\", \"x",
                             "\"abc\"; x",
                             "\"a bc\", \"abc\"",
                             "\"\x01\", \"abc\"",
                             "\"\x7F\", \"abc\"",
                             "W/*",
                             "/\"abc\""}) {
    EXPECT_FALSE(none_match_names(header, kTag)) << header;
  }
  EXPECT_FALSE(none_match_names(std::string_view("\"\0\", \"abc\"", 10), kTag));
}

TEST(NoneMatch, EveryPrefixEnds) {
  const std::string header = " , W/\"x\" ,,\t\"a,b\", \"abc\" ";
  for (size_t size = 0; size < header.size(); size++) {
    const std::string_view prefix = std::string_view(header).substr(0, size);
    EXPECT_EQ(none_match_names(prefix, kTag), size >= header.size() - 1) << prefix;
  }
}

}  // namespace
}  // namespace qip
