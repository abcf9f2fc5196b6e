// Which paths a file answers to, and which names and pairs of files are refused.
#include "host/site/content_index.hpp"

#include <gtest/gtest.h>

namespace qip {
namespace {

std::vector<std::string> paths_of(const std::string& file) {
  const auto index = index_content({file});
  if (!index.ok()) return {index.error()};
  EXPECT_EQ(index.value().size(), 1u);
  EXPECT_EQ(index.value()[0].file, file);
  EXPECT_EQ(index.value()[0].canonical, index.value()[0].paths.at(0));
  return index.value()[0].paths;
}

std::string error_of(const std::vector<std::string>& files) {
  const auto index = index_content(files);
  return index.ok() ? "" : index.error();
}

using Paths = std::vector<std::string>;

TEST(ContentIndex, AnyFileHasItsOwnPath) {
  EXPECT_EQ(paths_of("img.png"), Paths{"/img.png"});
  EXPECT_EQ(paths_of("a/b/style.css"), Paths{"/a/b/style.css"});
  EXPECT_EQ(paths_of(".well-known/x"), Paths{"/.well-known/x"});
  EXPECT_EQ(paths_of("README"), Paths{"/README"});
  EXPECT_EQ(paths_of("old.htm"), Paths{"/old.htm"});
  EXPECT_EQ(paths_of("a b?#%.txt"), Paths{"/a b?#%.txt"});
}

TEST(ContentIndex, TheRootIndexIsTheRoot) {
  EXPECT_EQ(paths_of("index.html"), (Paths{"/", "/index.html"}));
  EXPECT_EQ(paths_of("index.md"), (Paths{"/", "/index.md"}));
  EXPECT_EQ(paths_of("INDEX.Markdown"), (Paths{"/", "/INDEX.Markdown"}));
}

TEST(ContentIndex, AFoldersIndexIsTheFolderWithAndWithoutSlash) {
  EXPECT_EQ(paths_of("docs/index.html"), (Paths{"/docs", "/docs/", "/docs/index.html"}));
  EXPECT_EQ(paths_of("a/b/Index.MD"), (Paths{"/a/b", "/a/b/", "/a/b/Index.MD"}));
}

TEST(ContentIndex, AnIndexOfAnotherKindIsAPageOrAFile) {
  EXPECT_EQ(paths_of("docs/index.htm"), Paths{"/docs/index.htm"});
  EXPECT_EQ(paths_of("index.txt"), Paths{"/index.txt"});
  EXPECT_EQ(paths_of("myindex.html"), (Paths{"/myindex", "/myindex.html"}));
}

TEST(ContentIndex, APageHasAPathWithoutExtension) {
  EXPECT_EQ(paths_of("about.html"), (Paths{"/about", "/about.html"}));
  EXPECT_EQ(paths_of("docs/guide.md"), (Paths{"/docs/guide", "/docs/guide.md"}));
  EXPECT_EQ(paths_of("A.MARKDOWN"), (Paths{"/A", "/A.MARKDOWN"}));
  EXPECT_EQ(paths_of("v1.2.html"), (Paths{"/v1.2", "/v1.2.html"}));
}

TEST(ContentIndex, WhatIsLeftMustBeAName) {
  EXPECT_EQ(paths_of(".html"), Paths{"/.html"});
  EXPECT_EQ(paths_of("docs/.md"), Paths{"/docs/.md"});
  EXPECT_EQ(paths_of("..html"), Paths{"/..html"});
  EXPECT_EQ(paths_of("docs/...md"), Paths{"/docs/...md"});
  EXPECT_EQ(paths_of("....md"), (Paths{"/...", "/....md"}));
}

TEST(ContentIndex, MediaTypesAreOfTheSource) {
  const auto index = index_content({"a.md", "b.png", "c"});
  ASSERT_TRUE(index.ok());
  EXPECT_EQ(index.value()[0].media_type, "text/markdown");
  EXPECT_EQ(index.value()[1].media_type, "image/png");
  EXPECT_EQ(index.value()[2].media_type, "application/octet-stream");
}

TEST(ContentIndex, TwoFilesForOnePathAreAnError) {
  EXPECT_EQ(error_of({"about.html", "about.md"}),
            "duplicate route path \"/about\" for \"about.html\" and \"about.md\"");
  EXPECT_EQ(error_of({"index.html", "index.md"}),
            "duplicate route path \"/\" for \"index.html\" and \"index.md\"");
  EXPECT_EQ(error_of({"docs.md", "docs/index.md"}),
            "duplicate route path \"/docs\" for \"docs.md\" and \"docs/index.md\"");
  EXPECT_EQ(error_of({"about", "about.html"}),
            "duplicate route path \"/about\" for \"about\" and \"about.html\"");
  EXPECT_EQ(error_of({"docs/index.HTML", "docs/index.html"}),
            "duplicate route path \"/docs\" for \"docs/index.HTML\" and \"docs/index.html\"");
  EXPECT_EQ(error_of({"About.html", "about.md"}), "");
}

TEST(ContentIndex, NamesOfDuplicatesAreTold) {
  const std::string folder(300, 'x');
  EXPECT_EQ(error_of({folder + "/a", folder + "/a.md"}), "duplicate route path \"/" + folder +
                                                             "/a\" for \"" + folder +
                                                             "/a\" and \"" + folder + "/a.md\"");
}

TEST(ContentIndex, NamesThatAreNoPathsAreErrors) {
  EXPECT_EQ(error_of({"a\xff.txt"}), "content path \"a\\xff.txt\" must be valid UTF-8");
  EXPECT_EQ(error_of({"a\\b"}), "content path \"a\\b\" must not contain backslash");
  EXPECT_EQ(error_of({"a\nb"}), "content path \"a\\x0ab\" is not canonical");
  EXPECT_EQ(error_of({"a\x7f"}), "content path \"a\\x7f\" is not canonical");
  for (const std::string file : {"", "/a", "a//b", "a/", "./a", "a/..", "../a", "."}) {
    EXPECT_EQ(error_of({file}), "content path \"" + file + "\" is not canonical");
  }
}

TEST(ContentIndex, KeepsTheOrderOfTheFiles) {
  const auto index = index_content({"b.md", "a.md"});
  ASSERT_TRUE(index.ok());
  EXPECT_EQ(index.value()[0].file, "b.md");
  EXPECT_EQ(index.value()[1].file, "a.md");
}

}  // namespace
}  // namespace qip
