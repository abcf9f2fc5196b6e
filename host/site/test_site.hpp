// What tests of sites are made of: a temporary folder, gone with everything in it at the end, and
// components to put there.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "host/test_modules.hpp"

namespace qip::test {

class TestFolder {
 public:
  TestFolder() {
    path_ = (std::filesystem::temp_directory_path() / "qip-site-XXXXXX").string();
    EXPECT_NE(mkdtemp(path_.data()), nullptr) << path_;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::string path(std::string_view name = "") const {
    return name.empty() ? path_ : path_ + "/" + std::string(name);
  }
  // Parents are made.
  void put(std::string_view name, std::string_view text) const {
    make_parents(name);
    std::ofstream file(path(name), std::ios::binary);
    file << text;
    EXPECT_TRUE(file.good()) << name;
  }
  void put(std::string_view name, const Bytes& bytes) const {
    put(name, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  void make_folder(std::string_view name) const { std::filesystem::create_directories(path(name)); }
  void link(std::string_view target, std::string_view name) const {
    make_parents(name);
    std::filesystem::create_symlink(target, path(name));
  }
  void remove(std::string_view name) const { std::filesystem::remove_all(path(name)); }

 private:
  void make_parents(std::string_view name) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
  }
  std::string path_;
};

// Gives back what it gets, and says of what types that is; null: nothing.
inline ModuleBuilder echo_builder(const char* input_type = nullptr,
                                  const char* output_type = nullptr) {
  constexpr uint32_t kInputType = 60'000;
  constexpr uint32_t kOutputType = 61'000;
  ModuleBuilder module;
  module.memory(1).value("input_ptr", 0).value("input_utf8_cap", 50'000);
  module.value("output_ptr", 0).value("output_utf8_cap", 50'000);
  module.function("render", {kI32}, {kI32}, local_get(0));
  const auto declare = [&module](const std::string& direction, const char* type, uint32_t at) {
    if (type == nullptr) return;
    const std::string_view text(type);
    module.data(at, text).value(direction + "_content_type_ptr", at);
    module.value(direction + "_content_type_size", static_cast<uint32_t>(text.size()));
  };
  declare("input", input_type, kInputType);
  declare("output", output_type, kOutputType);
  return module;
}
inline Bytes echo_component(const char* input_type = nullptr, const char* output_type = nullptr) {
  return echo_builder(input_type, output_type).bytes();
}

}  // namespace qip::test
