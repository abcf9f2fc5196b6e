// Which tags count as elements of ours, and what is put into a page that has them.
#include "host/site/elements.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace qip {
namespace {

using Names = std::vector<std::string>;

// The names of all forms, or the error.
Names forms_of(std::string_view page) {
  const Result<PageElements, std::string> found = find_page_elements(page);
  if (!found.ok()) return {"error: " + found.error()};
  EXPECT_EQ((found.value().kinds & kFormElement) != 0, !found.value().form_names.empty());
  return found.value().form_names;
}

int kinds_of(std::string_view page) {
  const Result<PageElements, std::string> found = find_page_elements(page);
  return found.ok() ? found.value().kinds : -1;
}

const Names kMissing = {"error: <qip-form> tag is missing required name attribute"};
const Names kEmpty = {"error: <qip-form> name attribute must not be empty"};

// --- Tags ----------------------------------------------------------------------------------------

TEST(Elements, TagsAreFoundInAnyCase) {
  EXPECT_EQ(forms_of("<qip-form name=a></qip-form>"), Names{"a"});
  EXPECT_EQ(forms_of("<QIP-Form NAME=a>"), Names{"a"});
  EXPECT_EQ(kinds_of("<p><qip-PLAY src=x></p>"), kPlayElement);
  EXPECT_EQ(kinds_of("<Qip-Edit/>"), kEditElement);
  EXPECT_EQ(kinds_of("<qip-edit><qip-play><qip-form name=x>"),
            kEditElement | kPlayElement | kFormElement);
}

TEST(Elements, OtherTextIsNoTag) {
  for (const char* page : {"",
                           "qip-form",
                           "< qip-form name=a>",
                           "<qip-forms name=a>",
                           "<qip-form-x name=a>",
                           "<x-qip-form name=a>",
                           "</qip-form name=a>",
                           "&lt;qip-form name=a>",
                           "<<",
                           "<",
                           "</",
                           "<!",
                           "<p title='<qip-form>'>",
                           "<p title=\"<qip-form>\">",
                           "<p title=<qip-form>",
                           "<?qip-form>",
                           "<!doctype qip-form>",
                           "</ <qip-form>",
                           "<!qip-form>",
                           "</qip-form x='<qip-form>'>"}) {
    EXPECT_EQ(kinds_of(page), 0) << page;
  }
}

TEST(Elements, TagBeginsBehindWhatLooksLikeOne) {
  for (const char* page : {"<<qip-form name=a>", "< <qip-form name=a>", "1<2 <qip-form name=a>",
                           "</><qip-form name=a>", "<!><qip-form name=a>", "<p/><qip-form name=a>",
                           "<p title=''><qip-form name=a>", "<!doctype html><qip-form name=a>"}) {
    EXPECT_EQ(forms_of(page), Names{"a"}) << page;
  }
}

TEST(Elements, TagThatThePageEndsInIsNone) {
  const std::string page = "<qip-form class=\"x\" name='a' >";
  EXPECT_EQ(forms_of(page), Names{"a"});
  for (size_t size = 0; size < page.size(); size++) {
    EXPECT_EQ(kinds_of(page.substr(0, size)), 0) << size;
  }
}

TEST(Elements, CommentsHideTags) {
  for (const char* page :
       {"<!--<qip-form>-->", "<!-- > <qip-form> -->", "<!-- -- <qip-form> -->", "<!--<qip-form>",
        "<!-- <!-- <qip-form> -->", "<!---<qip-form>-->", "<!-- --!x <qip-form> -->"}) {
    EXPECT_EQ(kinds_of(page), 0) << page;
  }
  for (const char* page :
       {"<!----><qip-form name=a>", "<!--><qip-form name=a>", "<!---><qip-form name=a>",
        "<!-- --><qip-form name=a>", "<!-- ---><qip-form name=a>", "<!-- --!><qip-form name=a>"}) {
    EXPECT_EQ(forms_of(page), Names{"a"}) << page;
  }
}

TEST(Elements, ElementsOfTextHideTags) {
  for (const std::string name :
       {"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"}) {
    const std::string open = "<" + name + " type=x>";
    EXPECT_EQ(kinds_of(open + "<qip-form></" + name + ">"), 0) << name;
    EXPECT_EQ(kinds_of(open + "<qip-form>"), 0) << name;
    EXPECT_EQ(kinds_of(open + "</" + name + "s><qip-form></" + name), 0) << name;
    EXPECT_EQ(kinds_of(open + "</ " + name + "><qip-form></" + name + ">"), 0) << name;
    for (const char* end : {">", " >", "\n>", "/>", " x='>'>"}) {
      EXPECT_EQ(forms_of(open + "x</" + name + end + "<qip-form name=a>"), Names{"a"})
          << name << end;
    }
  }
  EXPECT_EQ(forms_of("<SCRIPT>x</Script><qip-form name=a>"), Names{"a"});
  EXPECT_EQ(forms_of("<scripts><qip-form name=a>"), Names{"a"});
  EXPECT_EQ(kinds_of("<plaintext></plaintext><qip-form>"), 0);
}

TEST(Elements, ScriptInAnEscapedScriptHidesItsEnd) {
  for (const char* page : {"<script><!-- <script> </script> <qip-form> --></script>",
                           "<script><!-- <script> <qip-form> </script></script >",
                           "<script><!-- <script/ </script> <script> </script> <qip-form>",
                           "<script><!--<!-- <script> </script> <qip-form>"}) {
    EXPECT_EQ(kinds_of(page), 0) << page;
  }
  for (const char* page :
       {"<script><!-- </script><qip-form name=a>", "<script><script></script><qip-form name=a>",
        "<script><!-- <scripts> </script><qip-form name=a>",
        "<script><!--> <script> </script><qip-form name=a>",
        "<script><!---> <script> </script><qip-form name=a>",
        "<script><!-- --> <script> </script><qip-form name=a>",
        "<script><!-- <script> --> </script><qip-form name=a>",
        "<script><!-- <script> </script> </script><qip-form name=a>"}) {
    EXPECT_EQ(forms_of(page), Names{"a"}) << page;
  }
}

// --- Attributes ----------------------------------------------------------------------------------

TEST(Elements, NamesComeInThreeNotations) {
  for (const char* tag :
       {"<qip-form name=contact>", "<qip-form name='contact'>", "<qip-form name=\"contact\">",
        "<qip-form name = contact>", "<qip-form\nname\n=\n'contact'\n>", "<qip-form/name=contact>",
        "<qip-form name=\"contact\"class=x>", "<qip-form class name=contact>",
        "<qip-form class=name name=contact>", "<qip-form a=\"name='x'\" name=contact>",
        "<qip-form =name=x name=contact>", "<qip-form name=contact name=other>",
        "<qip-form name='contact'/>", "<qip-form\tname=\" \n contact\t\">",
        "<qip-form data-name=x NaMe=contact>", "<qip-form names=x name=contact>"}) {
    EXPECT_EQ(forms_of(tag), Names{"contact"}) << tag;
  }
  EXPECT_EQ(forms_of("<qip-form name=a/b/>"), Names{"a/b/"});
  EXPECT_EQ(forms_of("<qip-form name='a>b\"c'>"), Names{"a>b\"c"});
  EXPECT_EQ(forms_of("<qip-form name=a'b\"c=d>"), Names{"a'b\"c=d"});
}

TEST(Elements, MissingAndEmptyNamesAreErrors) {
  for (const char* tag : {"<qip-form>", "<qip-form/>", "<qip-form id=x>", "<qip-form xname=x>",
                          "<qip-form name=a><qip-form>", "<qip-form title='name=x'>"}) {
    EXPECT_EQ(forms_of(tag), kMissing) << tag;
  }
  for (const char* tag :
       {"<qip-form name>", "<qip-form name=>", "<qip-form name=''>", "<qip-form name=\" \n \">",
        "<qip-form name class=x>", "<qip-form name='&#32;'>", "<qip-form name name=x>"}) {
    EXPECT_EQ(forms_of(tag), kEmpty) << tag;
  }
}

TEST(Elements, NamesAreSortedAndEachOnce) {
  EXPECT_EQ(forms_of("<qip-form name=b><qip-form name=a><qip-form name='b'><qip-form name=c>"),
            (Names{"a", "b", "c"}));
}

TEST(Elements, ReferencesInNamesAreDecoded) {
  const auto name = [](const std::string& text) {
    return forms_of("<qip-form name=\"" + text + "\">").front();
  };
  EXPECT_EQ(name("&amp;&lt;&gt;&quot;&apos;"), "&<>\"'");
  EXPECT_EQ(name("&#65;&#x42;&#X63;"), "ABc");
  EXPECT_EQ(name("&#xe9;&#8364;&#x1F600;"), "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(name("&#0;&#xD800;&#x110000;&#99999999999;"),
            "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  for (const char* text : {"a&b", "&", "&;", "&amp", "&#;", "&#x;", "&#xg;", "&#12a;", "&none;",
                           "&amp &lt", "& amp;", "&AMP;", "&#-1;"}) {
    EXPECT_EQ(name(text), text);
  }
  EXPECT_EQ(name("&amp;amp;"), "&amp;") << "decoded once";
}

TEST(Elements, EveryPrefixOfAHostilePageIsScanned) {
  const std::string page =
      "<!doctype html><script><!--<script></script>--></script><p a='b'c=\"d\" e=f g/><!-- -- --!>"
      "<title></titl></title><qip-form name='&#x41;&' / x><qip-play =><qip-edit a=></qip-form ";
  for (size_t size = 0; size <= page.size(); size++) {
    EXPECT_GE(kinds_of(page.substr(0, size)), 0);
    EXPECT_GE(kinds_of(page.substr(0, size) + std::string(3, '\0')), 0);
  }
}

TEST(Elements, LongPagesOfBeginningsEnd) {
  for (const char* piece : {"<", "<!--", "<a ", "<a x='", "<script><!--", "</script", "&",
                            "<qip-form", "<title>", "</", "<a x=y", "--", "<script><!--<script>"}) {
    std::string page;
    while (page.size() < 2'000'000) page += piece;
    EXPECT_EQ(kinds_of(page), 0) << piece;
  }
}

// --- Scripts -------------------------------------------------------------------------------------

std::string script_for(const std::string& page) {
  return element_script(find_page_elements(page).value());
}

TEST(Elements, ScriptMapsNamesToComponentsAndDefinesTheElement) {
  EXPECT_EQ(script_for("<qip-form name=contact><qip-form name='a/b c'>"),
            "<script type=\"module\">\n"
            "import { QipForm } from \"/_qip/qip-form.js\";\n"
            "for (const [name, source] of [[\"a/b c\", \"/_qip/forms/a/b%20c.wasm\"], "
            "[\"contact\", \"/_qip/forms/contact.wasm\"]]) QipForm.sources.set(name, source);\n"
            "customElements.define(\"qip-form\", QipForm);\n"
            "</script>\n");
  EXPECT_EQ(script_for("<qip-edit><qip-play>"),
            "<script type=\"module\">\n"
            "import { QipPlay } from \"/_qip/qip-play.js\";\n"
            "customElements.define(\"qip-play\", QipPlay);\n"
            "import { QipEdit } from \"/_qip/qip-edit.js\";\n"
            "customElements.define(\"qip-edit\", QipEdit);\n"
            "</script>\n");
  EXPECT_EQ(script_for("<p>"), "");
}

TEST(Elements, NamesCannotEndTheScript) {
  PageElements elements;
  elements.kinds = kFormElement;
  elements.form_names = {"</script><!--\"\\\n"};
  const std::string script = element_script(elements);
  EXPECT_NE(script.find(R"(["\x3c/script\x3e\x3c!--\"\\\x0a", "/_qip/forms/)"), script.npos)
      << script;
  EXPECT_EQ(script.find("</script>"), script.rfind("</script>"));
}

TEST(Elements, InjectedBeforeTheLastEndOfTheBody) {
  EXPECT_EQ(inject_script("<body>x</body></html>", "S"), "<body>xS</body></html>");
  EXPECT_EQ(inject_script("</body></BoDy>x", "S"), "</body>S</BoDy>x");
  EXPECT_EQ(inject_script("</body>", "S"), "S</body>");
  EXPECT_EQ(inject_script("<p>no end</bod", "S"), "<p>no end</bodS");
  EXPECT_EQ(inject_script("</body", "S"), "</bodyS");
  EXPECT_EQ(inject_script("", "S"), "S");
  EXPECT_EQ(inject_script("<", "S"), "<S");
}

TEST(Elements, ReloadScriptListensToTheServer) {
  const std::string_view script = reload_script();
  EXPECT_TRUE(script.starts_with("<script type=\"module\">\n"));
  EXPECT_TRUE(script.ends_with("</script>\n"));
  EXPECT_NE(script.find("new EventSource(\"" + std::string(kReloadPath) + "\")"), script.npos);
}

TEST(Elements, BuiltInScriptsAreTheFiles) {
  Names names;
  for (const BuiltInScript& script : built_in_scripts()) {
    names.emplace_back(script.name);
    std::ifstream file("host/web/" + std::string(script.name), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_TRUE(script.text == text) << script.name;
    EXPECT_FALSE(text.empty()) << script.name;
    EXPECT_NE(script.needed_by, 0);
  }
  EXPECT_EQ(names, (Names{"qip-component.js", "qip-edit.js", "qip-form.js", "qip-play.js",
                          "qip-worker.js"}));
}

}  // namespace
}  // namespace qip
