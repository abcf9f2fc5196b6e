// Names of exported files, and the head of a response. The rest is tried through the command.
#include "host/site/export.hpp"

#include <gtest/gtest.h>

namespace qip {
namespace {

constexpr const char* kHtml = "text/html; charset=utf-8";

std::string name_of(const std::string& path, const std::string& file, const char* type,
                    RouteKind kind = RouteKind::Content) {
  Route route;
  route.kind = kind;
  route.path = path;
  route.file = file;
  return export_name(route, type);
}

TEST(ExportName, OfTheRootIsIndex) {
  EXPECT_EQ(name_of("/", "index.md", kHtml), "index.html");
  EXPECT_EQ(name_of("/", "INDEX.Html", kHtml), "index.html");
}

TEST(ExportName, OfAFoldersIndexLiesInTheFolder) {
  EXPECT_EQ(name_of("/docs", "docs/index.html", kHtml), "docs/index.html");
  EXPECT_EQ(name_of("/a/b", "a/b/Index.Markdown", kHtml), "a/b/index.html");
}

TEST(ExportName, OfHtmlEndsInHtml) {
  EXPECT_EQ(name_of("/about", "about.html", kHtml), "about.html");
  EXPECT_EQ(name_of("/about", "about.md", "text/html"), "about.html");
  EXPECT_EQ(name_of("/v1.2", "v1.2.md", kHtml), "v1.2.html");
  EXPECT_EQ(name_of("/data.csv", "data.csv", kHtml), "data.csv.html");
}

TEST(ExportName, ThatSaysHtmlStays) {
  EXPECT_EQ(name_of("/old.htm", "old.htm", kHtml), "old.htm");
  EXPECT_EQ(name_of("/x.html", "x.html.md", kHtml), "x.html");
}

TEST(ExportName, OfAnythingElseIsThePath) {
  EXPECT_EQ(name_of("/img/a b.png", "img/a b.png", "image/png"), "img/a b.png");
  EXPECT_EQ(name_of("/notes", "notes.md", "text/markdown; charset=utf-8"), "notes");
  EXPECT_EQ(
      name_of("/_qip/forms/a/index.md", "a/index.md.wasm", "application/wasm", RouteKind::Form),
      "_qip/forms/a/index.md");
}

TEST(HttpHead, HasWhatTheServerSends) {
  SiteResponse response;
  response.content_type = kHtml;
  response.etag = "\"0123\"";
  response.body = {1, 2, 3};
  EXPECT_EQ(http_head(response),
            "HTTP/1.1 200 OK\r\n"
            "Content-Type: text/html; charset=utf-8\r\n"
            "ETag: \"0123\"\r\n"
            "Cache-Control: no-cache\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Content-Length: 3\r\n"
            "\r\n");
}

}  // namespace
}  // namespace qip
