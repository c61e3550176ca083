// A folder of its own for each test. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using Bytes = std::vector<uint8_t>;

class Scratch : public testing::Test {
protected:
    void SetUp() override {
        const auto *info = testing::UnitTest::GetInstance()->current_test_info();
        folder = std::filesystem::temp_directory_path() / (std::string("mpt-") + info->name() + "-" + std::to_string(getpid()));
        std::filesystem::create_directories(folder);
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    std::string path(const std::string &name) const { return (folder / name).string(); }

    void write_plain(const std::string &name, const Bytes &bytes) const {
        std::ofstream(path(name), std::ios::binary)
            .write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
    void write_plain(const std::string &name, const std::string &text) const { write_plain(name, Bytes(text.begin(), text.end())); }

    bool says(const std::string &text) const { return std::string(message).find(text) != std::string::npos; }

    std::filesystem::path folder;
    char message[16384] = "";
};
