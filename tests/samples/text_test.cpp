// Text as numbers: vocabulary, split, windows, and the novels. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "rdata_writer.h"
#include "scratch.h"

extern "C" {
#include "data.h"
#include "text.h"
}

namespace {

using r::operator+;

using Ids = std::vector<int32_t>;

class Text : public Scratch {
protected:
    void TearDown() override {
        text_free(&t);
        Scratch::TearDown();
    }

    void make(const std::string &s) {
        text_free(&t);
        ASSERT_EQ(text_from_bytes(&t, reinterpret_cast<const uint8_t *>(s.data()), static_cast<int64_t>(s.size())), 0);
    }

    std::string decode(const int32_t *ids, int64_t n) const {
        std::string s;
        for (int64_t i = 0; i < n; ++i) s += static_cast<char>(t.symbols[ids[i]]);
        return s;
    }
    std::string whole() const {
        std::string s;
        for (int64_t i = 0; i < t.n; ++i) s += static_cast<char>(t.symbols[t.ids[i]]);
        return s;
    }

    // A database of six short novels; one of them as given.
    void write_novels(const std::string &name, const Bytes &lines) {
        std::vector<std::pair<std::string, Bytes>> objects;
        for (const char *novel : {"emma", "mansfieldpark", "northangerabbey", "persuasion", "prideprejudice", "sensesensibility"})
            objects.emplace_back(novel, novel == name ? lines : r::strings({novel}));
        const r::Database files = r::database(objects);
        write_plain("Rdata.rdx", files.rdx);
        write_plain("Rdata.rdb", files.rdb);
    }

    void expect_load_failure(const char *part_of_message) {
        EXPECT_EQ(text_load_novels(&t, folder.c_str(), message, sizeof message), -1);
        EXPECT_EQ(t.ids, nullptr);
        EXPECT_TRUE(says(part_of_message)) << message;
    }

    text t = {};
};

TEST_F(Text, vocabulary_is_ascending) {
    make("hello, \xc3\xa9");
    EXPECT_EQ(std::string(t.symbols, t.symbols + t.n_symbols), " ,ehlo\xa9\xc3");
    EXPECT_EQ(whole(), "hello, \xc3\xa9");
    EXPECT_EQ(text_id(&t, ','), 1);
    EXPECT_EQ(text_id(&t, 0xc3), 7);
    EXPECT_EQ(text_id(&t, 'x'), -1);
}

TEST_F(Text, last_tenth_is_for_validation) {
    make(std::string(1005, 'a'));
    EXPECT_EQ(t.n, 1005);
    EXPECT_EQ(t.n_train, 905);
    make("");
    EXPECT_EQ(t.n_symbols, 0);
    EXPECT_EQ(t.n_train, 0);
}

TEST_F(Text, windows_are_of_the_training_part_and_y_is_one_ahead) {
    // Every place can be told by its character, and the validation part has characters of its own.
    std::string s;
    for (int i = 0; i < 90; ++i) s += static_cast<char>(i);
    for (int i = 0; i < 10; ++i) s += static_cast<char>(100 + i);
    make(s);
    std::vector<int> seen(100);
    for (int step = 0; step < 200; ++step) {
        Ids x(4 * 8), y(4 * 8);
        ASSERT_EQ(text_sample(&t, 1, step, 4, 8, x.data(), y.data()), 4);
        for (size_t i = 0; i < x.size(); ++i) {
            ASSERT_EQ(y[i], x[i] + 1);
            ASSERT_LT(y[i], 90);
            ++seen[static_cast<size_t>(x[i])];
        }
        for (size_t row = 0; row < 4; ++row) ASSERT_EQ(x[8 * row + 7], x[8 * row] + 7);
    }
    EXPECT_EQ(std::count(seen.begin(), seen.begin() + 89, 0), 0) << "every place is reached";
}

TEST_F(Text, seed_and_step_decide_alone) {
    std::string s;
    for (int i = 0; i < 1000; ++i) s += static_cast<char>(i * 7 % 251);
    make(s);
    const auto sample = [&](uint64_t seed, int64_t step) {
        Ids x(60), y(60);
        text_sample(&t, seed, step, 3, 20, x.data(), y.data());
        return x;
    };
    const Ids a = sample(1, 5);
    EXPECT_NE(a, sample(1, 6));
    EXPECT_NE(a, sample(2, 5));
    EXPECT_NE(a, sample(2, 4));
    EXPECT_EQ(a, sample(1, 5));
}

TEST_F(Text, too_short_for_a_window) {
    make("0123456789");
    Ids x(9, -7), y(9, -7);
    EXPECT_EQ(text_sample(&t, 0, 0, 1, 9, x.data(), y.data()), 0);
    EXPECT_EQ(text_sample(&t, 0, 0, 1, 0, x.data(), y.data()), 0);
    EXPECT_EQ(x, Ids(9, -7));
    EXPECT_EQ(text_sample(&t, 0, 0, 1, 8, x.data(), y.data()), 1);
    EXPECT_EQ(decode(x.data(), 8), "01234567");
    EXPECT_EQ(decode(y.data(), 8), "12345678");
    EXPECT_EQ(text_validation_windows(&t, 1), 0);
    make("");
    EXPECT_EQ(text_sample(&t, 0, 0, 1, 1, x.data(), y.data()), 0);
    EXPECT_EQ(text_validation_windows(&t, 1), 0);
}

TEST_F(Text, validation_goes_through_its_part_once) {
    std::string s(270, '.');
    s += "abcdefghijklmnopqrstuvwxyz0123";
    make(s);
    ASSERT_EQ(t.n - t.n_train, 30);
    ASSERT_EQ(text_validation_windows(&t, 4), 7);
    Ids x(3 * 4), y(3 * 4);
    EXPECT_EQ(text_validation(&t, 0, 3, 4, x.data(), y.data()), 3);
    EXPECT_EQ(decode(x.data(), 12), "abcdefghijkl");
    EXPECT_EQ(decode(y.data(), 12), "bcdefghijklm");
    EXPECT_EQ(text_validation(&t, 3, 3, 4, x.data(), y.data()), 3);
    EXPECT_EQ(text_validation(&t, 6, 3, 4, x.data(), y.data()), 1) << "the last batch is smaller";
    EXPECT_EQ(decode(x.data(), 4), "yz01");
    EXPECT_EQ(decode(y.data(), 4), "z012");
    EXPECT_EQ(text_validation(&t, 7, 3, 4, x.data(), y.data()), 0);
    EXPECT_EQ(text_validation(&t, 8, 3, 4, x.data(), y.data()), 0);
    EXPECT_EQ(text_validation(&t, -1, 3, 4, x.data(), y.data()), 0);
    // The last character of the text has none behind it, so it is a target only.
    EXPECT_EQ(text_validation_windows(&t, 29), 1);
    EXPECT_EQ(text_validation_windows(&t, 30), 0);
}

TEST_F(Text, novels_are_joined_line_by_line) {
    write_novels("sensesensibility", r::strings({"SENSE", "", "end"}));
    ASSERT_EQ(text_load_novels(&t, folder.c_str(), message, sizeof message), 0) << message;
    EXPECT_EQ(whole(), "SENSE\n\nend\nprideprejudice\nmansfieldpark\nemma\nnorthangerabbey\npersuasion\n");
}

TEST_F(Text, a_missing_line_is_empty) {
    write_novels("persuasion", r::vector(16, 3, r::chars("a") + r::na() + r::chars("b"), {}));
    ASSERT_EQ(text_load_novels(&t, folder.c_str(), message, sizeof message), 0) << message;
    EXPECT_NE(whole().find("a\n\nb\n"), std::string::npos);
}

TEST_F(Text, missing_novels_name_the_command_that_gets_them) {
    expect_load_failure("scripts/data.sh r-cran-janeaustenr");
    EXPECT_TRUE(says(folder.string())) << message;
}

TEST_F(Text, damaged_novels) {
    write_novels("emma", r::integers({1, 2}));
    expect_load_failure("emma has no lines");
    write_novels("emma", r::strings({}));
    expect_load_failure("emma has no lines");
    write_novels("emma", r::word(99));
    expect_load_failure("cannot be used: emma: ");
    write_plain("Rdata.rdx", "not an index");
    expect_load_failure("Rdata.rdx");
    EXPECT_FALSE(says("scripts/data.sh")) << message;
}

TEST_F(Text, a_folder_for_all_data_comes_first) {
    const char *before = std::getenv("MPT_DATA");
    const std::string kept = before ? before : "";
    folder /= "root";
    const std::string root = folder.string();
    folder += data_novels.folder;
    std::filesystem::create_directories(folder);
    write_novels("emma", r::strings({"only here"}));
    setenv("MPT_DATA", root.c_str(), 1);
    char found[FILE_PATH_MAX];
    EXPECT_EQ(data_find(&data_novels, found), 0);
    EXPECT_EQ(found, folder.string());
    EXPECT_EQ(text_load_novels(&t, nullptr, message, sizeof message), 0) << message;
    EXPECT_NE(whole().find("only here"), std::string::npos);
    if (before)
        setenv("MPT_DATA", kept.c_str(), 1);
    else
        unsetenv("MPT_DATA");
    std::filesystem::remove_all(root);
}

TEST_F(Text, six_novels) {
    char place[FILE_PATH_MAX];
    if (data_find(&data_novels, place) != 0)
        GTEST_SKIP() << "the package r-cran-janeaustenr is not there: scripts/data.sh r-cran-janeaustenr";
    ASSERT_EQ(text_load_novels(&t, nullptr, message, sizeof message), 0) << message;
    EXPECT_NEAR(static_cast<double>(t.n), 4.0e6, 0.1e6);
    EXPECT_NEAR(t.n_symbols, 80, 10);
    const std::string all = whole();
    EXPECT_EQ(all.find("SENSE AND SENSIBILITY\n\nby Jane Austen"), 0u);
    for (const char *phrase :
         {"It is a truth universally acknowledged", "Emma Woodhouse, handsome, clever, and rich",
          "No one who had ever seen Catherine Morland", "Sir Walter Elliot, of Kellynch Hall", "Miss Maria Ward, of Huntingdon"})
        EXPECT_NE(all.find(phrase), std::string::npos) << phrase;
}

}  // namespace
