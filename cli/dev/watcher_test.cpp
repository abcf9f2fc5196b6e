// The watcher: what is news, what kind of news, and what happens without watches.
#include "cli/dev/watcher.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thread>

#include "cli/dev/test_folder.hpp"

namespace qip {
namespace {

using test::TestFolder;

// A site's folders, watched.
class WatcherTest : public ::testing::Test {
 protected:
  WatcherTest() {
    folder_.write("content/page.md", "one");
    folder_.make_folder("content/sub");
    folder_.make_folder("content/_forms");
    folder_.make_folder("recipes/text/markdown");
    folder_.make_folder("components");
    options_.content = folder_.path("content");
    options_.recipes = folder_.path("recipes");
    options_.components = folder_.path("components/");
  }

  std::vector<std::string> folders() const {
    std::vector<std::string> names;
    for (const char* name : {"content", "content/sub", "content/_forms", "recipes", "recipes/text",
                             "recipes/text/markdown", "components"}) {
      if (std::filesystem::exists(folder_.path(name))) names.push_back(folder_.path(name));
    }
    return names;
  }

  void watch(Watcher& watcher) { EXPECT_FALSE(watcher.watch(folders(), Watcher::now() + kLong)); }

  // Later than anything that a test does.
  static constexpr int64_t kLong = 3'600'000'000'000;

  TestFolder folder_;
  SiteOptions options_;
};

TEST_F(WatcherTest, AnEditIsNewsAsSoonAsItIsMade) {
  Watcher watcher(options_);
  watch(watcher);
  EXPECT_FALSE(watcher.has_news());
  for (int i = 0; i < 100; i++) {
    folder_.write("content/page.md", std::to_string(i));
    ASSERT_TRUE(watcher.has_news());
    const SiteChanges changes = watcher.take();
    EXPECT_TRUE(changes.pages);
    EXPECT_FALSE(changes.is_reload()) << "bytes of a page are read for every request";
    ASSERT_FALSE(watcher.has_news());
  }
}

TEST_F(WatcherTest, FilesThatComeGoOrAreRenamedChangeTheContent) {
  Watcher watcher(options_);
  watch(watcher);
  folder_.write("content/sub/new.md", "x");
  EXPECT_TRUE(watcher.take().content);
  folder_.rename("content/sub/new.md", "content/sub/other.md");
  EXPECT_TRUE(watcher.take().content);
  folder_.remove("content/sub/other.md");
  EXPECT_TRUE(watcher.take().content);
  folder_.make_folder("content/more");
  EXPECT_TRUE(watcher.take().content);
  folder_.remove("content/sub");
  EXPECT_TRUE(watcher.take().content);
}

TEST_F(WatcherTest, WhatHasChangedIsToldByItsFolder) {
  Watcher watcher(options_);
  watch(watcher);
  folder_.write("recipes/text/markdown/10-x.wasm", "x");
  SiteChanges changes = watcher.take();
  EXPECT_TRUE(changes.recipes && !changes.content && !changes.forms && !changes.components);
  EXPECT_STREQ(changes.reason(), "recipe_change");
  folder_.write("components/x.wasm", "x");
  changes = watcher.take();
  EXPECT_TRUE(changes.components && !changes.content && !changes.recipes);
  EXPECT_STREQ(changes.reason(), "component_change");
  folder_.write("content/_forms/x.wasm", "x");
  changes = watcher.take();
  EXPECT_TRUE(changes.forms && !changes.content) << "the default folder of forms";
  EXPECT_STREQ(changes.reason(), "form_change");
}

TEST_F(WatcherTest, TheFilesOfAnEditorDoNotReloadPages) {
  Watcher watcher(options_);
  watch(watcher);
  folder_.write("content/.page.md.swp", "x");
  EXPECT_FALSE(watcher.take().pages);
  folder_.write("content/page.md~", "x");
  EXPECT_FALSE(watcher.take().pages);
}

TEST_F(WatcherTest, OnlyTheFoldersOfTheLastCallAreWatched) {
  Watcher watcher(options_);
  watch(watcher);
  EXPECT_FALSE(watcher.watch({folder_.path("content")}, Watcher::now() + kLong));
  watcher.take();
  folder_.write("recipes/text/markdown/10-x.wasm", "x");
  EXPECT_FALSE(watcher.take().is_any());
  folder_.write("content/page.md", "two");
  EXPECT_TRUE(watcher.take().pages);
}

TEST_F(WatcherTest, AFolderInThePlaceOfAnotherIsWatchedToo) {
  Watcher watcher(options_);
  watch(watcher);
  folder_.rename("content", "old");
  folder_.write("content/page.md", "new");
  EXPECT_TRUE(watcher.take().content);
  EXPECT_FALSE(watcher.watch({folder_.path("content")}, Watcher::now() + kLong));
  watcher.take();
  folder_.write("content/page.md", "newer");
  EXPECT_TRUE(watcher.take().pages);
}

TEST_F(WatcherTest, ChangesBetweenLookingAndWatchingAreTold) {
  const int64_t before = Watcher::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const int64_t after = Watcher::now();
  folder_.write("content/sub/late.md", "x");
  EXPECT_TRUE(Watcher(options_).watch(folders(), after)) << "a file came after that";
  EXPECT_TRUE(Watcher(options_).watch(folders(), before));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const int64_t later = Watcher::now();
  EXPECT_FALSE(Watcher(options_).watch(folders(), later));
  folder_.write("recipes/text/markdown/10-x.wasm", "x");
  EXPECT_TRUE(Watcher(options_).watch(folders(), later));
}

TEST_F(WatcherTest, WithoutWatchesFoldersAreLookedThrough) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit none{0, limit.rlim_max};  // no descriptor for inotify
  setrlimit(RLIMIT_NOFILE, &none);
  Watcher watcher(options_);
  setrlimit(RLIMIT_NOFILE, &limit);
  ASSERT_FALSE(watcher.problem().empty());
  watcher.watch(folders(), Watcher::now());
  EXPECT_FALSE(watcher.watch(folders(), Watcher::now())) << "nothing has changed since";

  const auto wait_for_scan = [&watcher] {
    for (int i = 0; i < 1'000 && !watcher.has_news(); i++) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  };
  wait_for_scan();
  EXPECT_FALSE(watcher.take().is_any()) << "nothing has changed";
  folder_.write("content/page.md", "longer");
  wait_for_scan();
  EXPECT_TRUE(watcher.take().is_any());
  wait_for_scan();
  EXPECT_FALSE(watcher.take().is_any());
  folder_.write("recipes/text/markdown/10-x.wasm", "x");
  wait_for_scan();
  EXPECT_TRUE(watcher.take().recipes);
}

}  // namespace
}  // namespace qip
