// What is opened beneath a folder and what is not: links, loops, pipes, sockets, devices, names
// that lead out, things that change meanwhile, and a kernel that does not know openat2().
#include "host/site/folder.hpp"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <map>

#include "host/site/test_site.hpp"

namespace qip {
namespace {

using test::TestFolder;
using Names = std::vector<std::string>;

SiteFolder opened(const std::string& path, const char* role = "content") {
  Result<SiteFolder, std::string> folder = SiteFolder::open(path, role);
  EXPECT_TRUE(folder.ok()) << folder.error();
  return std::move(folder.value());
}

std::string list_error(const SiteFolder& folder) {
  const auto listing = folder.list();
  return listing.ok() ? "" : listing.error();
}

std::string text_of(const SiteFolder& folder, const std::string& name) {
  const auto file = folder.open_file(name);
  if (!file.ok()) return file.error();
  const auto bytes = read_whole(file.value().file.number(), name, 1 << 20);
  return bytes.ok() ? std::string(bytes.value().begin(), bytes.value().end()) : bytes.error();
}

std::string stamp_error(const SiteFolder& folder, const std::string& name) {
  const auto stamp = folder.stamp(name);
  return stamp.ok() ? "" : stamp.error();
}

int open_descriptors() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    (void)entry;
    count++;
  }
  return count;
}

// Content with what a site may hold, and a secret beside it.
class SiteFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    put("index.md", "root");
    put("docs/guide.md", "guide");
    root_.put("secret/key.txt", "secret");
  }
  void put(const std::string& name, std::string_view text) { root_.put("site/" + name, text); }
  void link(std::string_view target, const std::string& name) {
    root_.link(target, "site/" + name);
  }
  std::string path(const std::string& name) const { return root_.path("site/" + name); }
  SiteFolder folder() const { return opened(root_.path("site")); }
  Names files() const {
    const auto listing = folder().list();
    EXPECT_TRUE(listing.ok()) << listing.error();
    return listing.ok() ? listing.value().files : Names();
  }
  Names folders() const {
    const auto listing = folder().list();
    return listing.ok() ? listing.value().folders : Names();
  }

  TestFolder root_;
};

TEST_F(SiteFolderTest, MustBeAFolder) {
  const auto missing = SiteFolder::open(root_.path("none"), "content");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error(), "Invalid content directory: open " + root_.path("none") +
                                 ": no such file or directory");
  const auto file = SiteFolder::open(path("index.md"), "recipes");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error(),
            "Invalid recipes directory: \"" + path("index.md") + "\" is not a directory");
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_FALSE(SiteFolder::open(path("pipe"), "content").ok());
  EXPECT_FALSE(SiteFolder::open("", "content").ok());
}

TEST_F(SiteFolderTest, PathsOfEntriesHaveOneSlash) {
  const std::string root = root_.path("site");
  EXPECT_EQ(opened(root).path_of("a/b"), root + "/a/b");
  EXPECT_EQ(opened(root + "/").path_of("a"), root + "/a");
  EXPECT_EQ(opened(root + "/").path_of(""), root + "/");
}

TEST_F(SiteFolderTest, ListsEveryFileInTheOrderOfItsBytes) {
  put("docs.md", "");
  put("docs-2/a", "");
  put(".hidden/.x", "");
  put("Z", "");
  root_.make_folder("site/empty/inner");
  EXPECT_EQ(files(),
            (Names{".hidden/.x", "Z", "docs-2/a", "docs.md", "docs/guide.md", "index.md"}));
  EXPECT_EQ(folders(), (Names{"", ".hidden", "docs", "docs-2", "empty", "empty/inner"}));
}

TEST_F(SiteFolderTest, SkipsNamesAtTheTopOnly) {
  put("_forms/a.wasm", "");
  put("docs/_forms/b.wasm", "");
  ASSERT_EQ(mkfifo(path("_recipes").c_str(), 0600), 0);
  constexpr std::string_view kSkipped[] = {"_forms", "_recipes"};
  const auto listing = folder().list(kSkipped);
  ASSERT_TRUE(listing.ok()) << listing.error();
  EXPECT_EQ(listing.value().files, (Names{"docs/_forms/b.wasm", "docs/guide.md", "index.md"}));
  EXPECT_EQ(listing.value().folders, (Names{"", "docs", "docs/_forms"}));
}

TEST_F(SiteFolderTest, FollowsLinksThatStayInside) {
  link("docs/guide.md", "linked.md");
  link("../index.md", "docs/up.md");
  link("docs", "manual");
  link("linked.md", "twice.md");
  EXPECT_EQ(files(), (Names{"docs/guide.md", "docs/up.md", "index.md", "linked.md",
                            "manual/guide.md", "manual/up.md", "twice.md"}));
  EXPECT_EQ(folders(), (Names{"", "docs", "manual"}));
  EXPECT_EQ(text_of(folder(), "linked.md"), "guide");
  EXPECT_EQ(text_of(folder(), "twice.md"), "guide");
  EXPECT_EQ(text_of(folder(), "manual/up.md"), "root");
  EXPECT_EQ(stamp_error(folder(), "manual/guide.md"), "");
}

TEST_F(SiteFolderTest, LeavesOutFoldersThatAreInsideThemselves) {
  link(".", "self");
  link("..", "docs/parent");
  put("a/x", "");
  link("../b", "a/to-b");
  put("b/y", "");
  link("../a", "b/to-a");
  EXPECT_EQ(files(), (Names{"a/to-b/y", "a/x", "b/to-a/x", "b/y", "docs/guide.md", "index.md"}));
  EXPECT_EQ(folders(), (Names{"", "a", "a/to-b", "b", "b/to-a", "docs"}));
}

TEST_F(SiteFolderTest, RefusesLinksThatLeadOutside) {
  const std::string absolute = path("index.md");
  const char* const targets[] = {
      "../../secret/key.txt",         "../../secret",  "/etc/passwd", "/",
      "../docs/../../secret/key.txt", absolute.c_str()};
  for (const char* target : targets) {
    link(target, "docs/out");
    EXPECT_EQ(list_error(folder()),
              "content entry \"docs/out\" leads outside the content directory")
        << target;
    EXPECT_EQ(text_of(folder(), "docs/out"), "open docs/out: leads outside the folder") << target;
    EXPECT_EQ(stamp_error(folder(), "docs/out"), "open docs/out: leads outside the folder");
    root_.remove("site/docs/out");
  }
}

TEST_F(SiteFolderTest, RefusesNamesThatLeadOutside) {
  for (const char* name : {"../secret/key.txt", "docs/../../secret/key.txt", "/etc/passwd"}) {
    EXPECT_EQ(text_of(folder(), name), std::string("open ") + name + ": leads outside the folder");
    EXPECT_NE(stamp_error(folder(), name), "");
  }
}

TEST_F(SiteFolderTest, RefusesMagicLinks) {
  // A link of /proc leads where no path says.
  SiteFolder proc = opened("/proc/self");
  EXPECT_NE(text_of(proc, "cwd/index.md").find("open cwd/index.md: "), std::string::npos);
  EXPECT_FALSE(proc.open_file("exe").ok());
}

TEST_F(SiteFolderTest, EntriesThatAreNoFilesAreErrors) {
  const std::string place = path("docs/odd");
  const std::map<const char*, std::function<void()>> kinds = {
      {"pipe", [&] { ASSERT_EQ(mkfifo(place.c_str(), 0600), 0); }},
      {"socket",
       [&] {
         sockaddr_un address{};
         address.sun_family = AF_UNIX;
         ASSERT_LT(place.size(), sizeof address.sun_path);
         place.copy(address.sun_path, place.size());
         const FileDescriptor listener(socket(AF_UNIX, SOCK_STREAM, 0));
         ASSERT_EQ(bind(listener.number(), reinterpret_cast<sockaddr*>(&address), sizeof address),
                   0);
       }},
      {"dangling link", [&] { link("nowhere", "docs/odd"); }},
      {"link to itself", [&] { link("odd", "docs/odd"); }},
      {"link to a pipe",
       [&] {
         mkfifo(path(".pipe-target").c_str(), 0600);
         link("../.pipe-target", "docs/odd");
       }},
  };
  for (const auto& [kind, make] : kinds) {
    make();
    const std::string error = list_error(folder());
    EXPECT_TRUE(error == "content entry \"docs/odd\" must be a regular file" ||
                error == "content entry \".pipe-target\" must be a regular file")
        << kind << ": " << error;
    EXPECT_FALSE(folder().open_file("docs/odd").ok()) << kind;
    EXPECT_FALSE(folder().stamp("docs/odd").ok()) << kind;
    root_.remove("site/docs/odd");
  }
}

TEST_F(SiteFolderTest, AnEntryIsOneOfItsRole) {
  put("text/markdown/note.txt", "");
  ASSERT_EQ(mkfifo(path("text/markdown/10-a.wasm").c_str(), 0600), 0);
  EXPECT_EQ(list_error(opened(root_.path("site"), "recipes")),
            "recipe entry \"text/markdown/10-a.wasm\" must be a regular file");
}

TEST_F(SiteFolderTest, OnlyRegularFilesAreOpenedAndNothingIsWaitedFor) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(text_of(folder(), "pipe"), "open pipe: not a regular file");
  EXPECT_EQ(stamp_error(folder(), "pipe"), "open pipe: not a regular file");
  EXPECT_EQ(text_of(folder(), "docs"), "open docs: not a regular file");
  EXPECT_EQ(stamp_error(folder(), "docs"), "open docs: not a regular file");
  EXPECT_EQ(text_of(folder(), "none"), "open none: no such file or directory");
  EXPECT_EQ(stamp_error(folder(), "none"), "open none: no such file or directory");
  EXPECT_EQ(text_of(folder(), "index.md/x"), "open index.md/x: not a directory");
  EXPECT_EQ(text_of(folder(), "no\nne"), "open no\\x0ane: no such file or directory");
  const SiteFolder devices = opened("/dev");
  EXPECT_EQ(text_of(devices, "null"), "open null: not a regular file");
}

TEST_F(SiteFolderTest, AFileThatCannotBeReadIsListed) {
  put("private.md", "x");
  ASSERT_EQ(chmod(path("private.md").c_str(), 0), 0);
  EXPECT_EQ(files(), (Names{"docs/guide.md", "index.md", "private.md"}));
  EXPECT_EQ(stamp_error(folder(), "private.md"), "");
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  EXPECT_EQ(text_of(folder(), "private.md"), "open private.md: permission denied");
}

TEST_F(SiteFolderTest, WhatIsReplacedByALinkDoesNotLeadOutside) {
  const SiteFolder site = folder();
  ASSERT_TRUE(site.list().ok());
  root_.remove("site/index.md");
  link("../secret/key.txt", "index.md");
  EXPECT_EQ(text_of(site, "index.md"), "open index.md: leads outside the folder");
  root_.remove("site/docs");
  root_.put("secret/guide.md", "secret");
  link("../secret", "docs");
  EXPECT_EQ(text_of(site, "docs/guide.md"), "open docs/guide.md: leads outside the folder");
  EXPECT_EQ(stamp_error(site, "docs/guide.md"), "open docs/guide.md: leads outside the folder");
}

TEST_F(SiteFolderTest, StaysTheFolderThatItWas) {
  const SiteFolder site = folder();
  std::filesystem::rename(root_.path("site"), root_.path("moved"));
  root_.link("secret", "site");
  EXPECT_EQ(text_of(site, "index.md"), "root");
  EXPECT_EQ(text_of(site, "key.txt"), "open key.txt: no such file or directory");
}

TEST_F(SiteFolderTest, StampsTellStatesApart) {
  const SiteFolder site = folder();
  const auto opened_file = site.open_file("index.md");
  ASSERT_TRUE(opened_file.ok());
  const auto first = site.stamp("index.md");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first.value(), opened_file.value().stamp);
  EXPECT_EQ(first.value().size, 4u);
  EXPECT_GT(first.value().modified_nanoseconds, 0);
  EXPECT_EQ(site.stamp("index.md").value(), first.value());

  const timespec times[2] = {{1'000'000'000, 0}, {1'000'000'000, 7}};
  ASSERT_EQ(utimensat(AT_FDCWD, path("index.md").c_str(), times, 0), 0);
  const auto dated = site.stamp("index.md");
  EXPECT_EQ(dated.value().modified_nanoseconds, 1'000'000'000'000'000'007);
  EXPECT_FALSE(dated.value() == first.value());

  std::filesystem::rename(path("docs/guide.md"), path("index.md"));
  EXPECT_NE(site.stamp("index.md").value().inode, first.value().inode);
  EXPECT_NE(site.stamp("index.md").value().size, first.value().size);
}

TEST_F(SiteFolderTest, ImpossibleDatesHaveAStamp) {
  const timespec times[2] = {{0, 0}, {int64_t{1} << 34, 0}};  // 2514
  if (utimensat(AT_FDCWD, path("index.md").c_str(), times, 0) != 0) GTEST_SKIP();
  EXPECT_EQ(folder().stamp("index.md").value(), folder().stamp("index.md").value());
}

TEST_F(SiteFolderTest, TooDeepFoldersAreAnError) {
  std::string deep;
  for (size_t i = 0; i < kMostFolderDepth; i++) deep += "d/";
  put(deep + "file", "");
  EXPECT_EQ(files().size(), 3u);
  put(deep + "e/file", "");
  EXPECT_EQ(list_error(folder()), "content entry \"" + deep + "e\" is more than 100 folders deep");
}

TEST_F(SiteFolderTest, LeavesNoDescriptorOpen) {
  const SiteFolder site = folder();
  link("docs", "manual");
  link("nowhere", "docs/dangling");
  const int before = open_descriptors();
  for (int i = 0; i < 10; i++) {
    EXPECT_NE(list_error(site), "");
    EXPECT_NE(text_of(site, "docs"), "");
    EXPECT_EQ(stamp_error(site, "index.md"), "");
    EXPECT_EQ(text_of(site, "index.md"), "root");
    EXPECT_NE(stamp_error(site, "none"), "");
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(SiteFolderTest, AFolderInsideFollowsTheSameRules) {
  const SiteFolder site = folder();
  const auto missing = SiteFolder::open_inside(site, "_forms", "forms");
  ASSERT_TRUE(missing.ok());
  EXPECT_FALSE(missing.value().has_value());

  put("_forms/a", "form");
  const auto found = SiteFolder::open_inside(site, "_forms", "forms");
  ASSERT_TRUE(found.ok() && found.value());
  EXPECT_EQ(found.value()->path(), path("_forms"));
  EXPECT_EQ(text_of(*found.value(), "a"), "form");

  link("_forms", "_inside");
  EXPECT_TRUE(SiteFolder::open_inside(site, "_inside", "forms").ok());
  const std::pair<const char*, const char*> wrong[] = {{"../secret", ": leads outside the folder"},
                                                       {"nowhere", ": no such file or directory"}};
  for (const auto& [target, text] : wrong) {
    link(target, "_out");
    const auto refused = SiteFolder::open_inside(site, "_out", "forms");
    ASSERT_FALSE(refused.ok()) << target;
    EXPECT_EQ(refused.error(), "Invalid forms directory: open " + path("_out") + text);
    root_.remove("site/_out");
  }
  const auto file = SiteFolder::open_inside(site, "index.md", "forms");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error(),
            "Invalid forms directory: \"" + path("index.md") + "\" is not a directory");
}

// Makes openat2() fail with `error` in this process. False: the system does not allow it.
bool take_openat2_away(int error) {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {std::size(filter), filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// In a child: what holds with openat2() holds without it, but that no link is followed.
TEST_F(SiteFolderTest, WithoutOpenat2NoLinkIsFollowed) {
  put("a/b/c.md", "deep");
  const std::string plain = root_.path("site");
  root_.put("links/file", "x");
  root_.link("file", "links/link");
  root_.put("outside/x", "x");
  root_.link("../outside", "linked-folder/out");
  for (const int error : {ENOSYS, EPERM}) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      if (!take_openat2_away(error)) _exit(77);
      int failed = 0;
      const auto expect = [&failed](int number, bool holds) {
        if (!holds && failed == 0) failed = number;
      };
      const SiteFolder site = opened(plain);
      const auto listing = site.list();
      expect(1, listing.ok() &&
                    listing.value().files == Names{"a/b/c.md", "docs/guide.md", "index.md"});
      expect(2, text_of(site, "a/b/c.md") == "deep");
      expect(3, site.stamp("a/b/c.md").ok());
      expect(4, text_of(site, "../secret/key.txt").ends_with("leads outside the folder"));
      expect(5, !site.open_file("/etc/passwd").ok());
      expect(6, !site.open_file("a/../../secret/key.txt").ok());
      expect(7, list_error(opened(root_.path("links"))) ==
                    "content entry \"link\" must be a regular file");
      expect(8, !opened(root_.path("links")).open_file("link").ok());
      expect(9, !opened(root_.path("links")).stamp("link").ok());
      expect(10, !list_error(opened(root_.path("linked-folder"))).empty());
      expect(11, !opened(root_.path("linked-folder")).open_file("out/x").ok());
      expect(12, !opened(root_.path("linked-folder")).stamp("out/x").ok());
      expect(13,
             !SiteFolder::open_inside(opened(root_.path("linked-folder")), "out", "forms").ok());
      _exit(failed);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "system call filters are not allowed";
    EXPECT_EQ(WEXITSTATUS(status), 0) << "the number of what does not hold";
  }
}

}  // namespace
}  // namespace qip
