// Equal requests at a time: one making for all of them, and never of a file that was edited since.
#include "cli/dev/response_maker.hpp"

#include <gtest/gtest.h>

#include <array>
#include <condition_variable>
#include <thread>

#include "cli/dev/test_folder.hpp"
#include "host/test_modules.hpp"

namespace qip {
namespace {

using namespace test;

constexpr std::chrono::seconds kGuard{30};  // against hanging only

// Waits for one response.
class Waiting : public ResponseWaiter {
 public:
  void on_response(std::shared_ptr<const MadeResponse> made) override {
    const std::lock_guard lock(mutex_);
    made_ = std::move(made);
    changed_.notify_all();
  }
  std::shared_ptr<const MadeResponse> made() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kGuard, [this] { return made_ != nullptr; });
    return made_;
  }
  std::string body() {
    const auto its = made();
    if (its == nullptr) return "(nothing)";
    return {its->response->body.begin(), its->response->body.end()};
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const MadeResponse> made_;
};

ModuleBuilder component() {
  ModuleBuilder module;
  module.memory(2).value("input_ptr", 0).value("input_utf8_cap", 65'536);
  return module.value("output_ptr", 0).value("output_utf8_cap", 65'536);
}

class ResponseMakerTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Site> load(std::chrono::milliseconds limit) {
    SiteOptions options;
    options.content = folder_.path("content");
    options.recipes = folder_.path("recipes");
    options.limits.time = limit;
    auto site = Site::load(options);
    if (site.ok()) return site.value();
    ADD_FAILURE() << site.error().message;
    return nullptr;
  }
  void add_recipe(const Bytes& body) {
    folder_.write("recipes/text/plain/10-x.wasm",
                  component().function("render", {kI32}, {kI32}, body).bytes());
  }
  // Old enough for its metadata to be relied on.
  void write_page(const std::string& text) {
    folder_.write("content/page.txt", text);
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
  }

  TestFolder folder_;
  Responder responder_;
  WorkerPool pool_{2, 8};
  ResponseMaker maker_{responder_, pool_};
};

TEST_F(ResponseMakerTest, EqualRequestsShareOneMaking) {
  write_page("text");
  add_recipe(loop_forever() + unreachable());
  const auto site = load(std::chrono::milliseconds(400));
  ASSERT_NE(site, nullptr);
  const Route* route = site->find("/page.txt");
  ASSERT_NE(route, nullptr);
  std::array<Waiting, 20> waiting;
  for (Waiting& each : waiting) {
    ASSERT_TRUE(maker_.request(site, *route, each));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // some come when it has begun
  }
  for (Waiting& each : waiting) {
    ASSERT_NE(each.made(), nullptr);
    EXPECT_EQ(each.made(), waiting[0].made());
  }
  EXPECT_EQ(waiting[0].made()->response->status, 500);
}

TEST_F(ResponseMakerTest, AnEditDuringAMakingIsSeenByTheNextRequest) {
  write_page("first");
  add_recipe(loop_forever() + unreachable());
  const auto site = load(std::chrono::milliseconds(600));
  ASSERT_NE(site, nullptr);
  const Route* route = site->find("/page.txt");
  Waiting before;
  ASSERT_TRUE(maker_.request(site, *route, before));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  folder_.write("content/page.txt", "other");
  Waiting after;
  ASSERT_TRUE(maker_.request(site, *route, after));
  ASSERT_NE(before.made(), nullptr);
  ASSERT_NE(after.made(), nullptr);
  EXPECT_NE(before.made(), after.made());
}

TEST_F(ResponseMakerTest, GenerationsDoNotShare) {
  write_page("text");
  add_recipe(loop_forever() + unreachable());
  const auto first = load(std::chrono::milliseconds(300));
  const auto second = load(std::chrono::milliseconds(300));
  ASSERT_TRUE(first != nullptr && second != nullptr);
  Waiting one;
  Waiting two;
  ASSERT_TRUE(maker_.request(first, *first->find("/page.txt"), one));
  ASSERT_TRUE(maker_.request(second, *second->find("/page.txt"), two));
  EXPECT_NE(one.made(), two.made());
}

TEST_F(ResponseMakerTest, EachEditIsInTheResponseThatIsAskedForNext) {
  write_page("start");
  add_recipe(local_get(0));
  const auto site = load(std::chrono::milliseconds(5'000));
  ASSERT_NE(site, nullptr);
  const Route* route = site->find("/page.txt");
  for (int i = 0; i < 200; i++) {
    const std::string text = "text " + std::to_string(i);
    folder_.write("content/page.txt", text);
    Waiting waiting;
    ASSERT_TRUE(maker_.request(site, *route, waiting));
    ASSERT_EQ(waiting.body(), text);
  }
}

}  // namespace
}  // namespace qip
