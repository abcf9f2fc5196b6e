// What JsonText writes, read by another JSON reader.
#include "cli/json_text.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace qip {
namespace {

TEST(JsonText, KeepsTheOrderOfKeysAndNests) {
  JsonText json;
  json.begin_object();
  json.key("z").number(18446744073709551615u);
  json.key("a").begin_array();
  json.number(1);
  json.begin_object();
  json.end_object();
  json.boolean(false);
  json.null();
  json.end_array();
  json.key("b").text("x");
  json.end_object();
  EXPECT_EQ(json.take(), "{\"z\":18446744073709551615,\"a\":[1,{},false,null],\"b\":\"x\"}\n");
}

TEST(JsonText, EveryCharacterComesBack) {
  std::string all;
  for (int c = 0; c < 128; c++) all += static_cast<char>(c);
  all += "\xC3\xA9\xF0\x9F\x9A\x80";
  JsonText json;
  json.begin_array();
  json.text(all);
  json.end_array();
  const std::string document = json.take();
  EXPECT_EQ(nlohmann::json::parse(document)[0].get<std::string>(), all);
  for (const char c : document.substr(0, document.size() - 1)) {
    EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7F);
  }
}

}  // namespace
}  // namespace qip
