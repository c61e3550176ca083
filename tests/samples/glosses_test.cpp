// WordNet's glosses: words, vocabulary, split, and what is said about damaged files. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "scratch.h"

extern "C" {
#include "data.h"
#include "glosses.h"
}

namespace {

std::string entry(const std::string &gloss) {
    return "00001740 29 v 01 breathe 0 001 $ 00002325 v 0000 01 + 02 00 | " + gloss + "  \n";
}

const char kLicence[] = "  1 This software and database is provided to you | under a licence.  \n";

class Glosses : public Scratch {
protected:
    void TearDown() override {
        glosses_free(&g);
        Scratch::TearDown();
    }

    // Nouns as given; the other classes have one gloss each.
    void write(const std::vector<std::string> &nouns) {
        std::string text = kLicence;
        for (const std::string &gloss : nouns) text += entry(gloss);
        write_plain("data.noun", text);
        for (const char *part : {"verb", "adj", "adv"})
            write_plain(std::string("data.") + part, kLicence + entry(std::string("one ") + part));
    }

    // One class of distinct glosses, "<letter><i> same".
    static std::string numbered(char letter, int n) {
        std::string text;
        for (int i = 0; i < n; ++i) text += entry(letter + std::to_string(i) + " same");
        return text;
    }
    void write_numbered(int n) {
        for (const char *part : {"noun", "verb", "adj", "adv"})
            write_plain(std::string("data.") + part, numbered(part[2], n));  // letters u, r, j, v
    }

    void load(const glosses_options &o) {
        glosses_free(&g);
        ASSERT_EQ(glosses_load(&g, folder.c_str(), &o, message, sizeof message), 0) << message;
    }

    std::string row(const glosses_part &part, int64_t i) const {
        std::string s;
        for (int64_t j = 0; j < g.length; ++j) s += (j ? " " : "") + std::string(g.symbols[part.ids[i * g.length + j]]);
        return s;
    }

    void expect_load_failure(const char *part_of_message, const glosses_options &o = {GLOSSES_WORDS, 8, 0, 0}) {
        EXPECT_EQ(glosses_load(&g, folder.c_str(), &o, message, sizeof message), -1);
        EXPECT_EQ(g.storage, nullptr);
        EXPECT_TRUE(says(part_of_message)) << message;
    }

    glosses g = {};
};

TEST_F(Glosses, words_in_lower_case_with_padding_in_front) {
    write({"The act of (usually) `co-operating'; \"don't -- 2nd x\""});
    load({GLOSSES_WORDS, 10, 0, 0});
    EXPECT_EQ(g.length, 10);
    ASSERT_EQ(g.train.n, 4);
    EXPECT_EQ(g.test.n, 0);
    EXPECT_EQ(row(g.train, 0), "<padding> <padding> the act of usually co-operating don't 2nd x");
    EXPECT_EQ(row(g.train, 3), "<padding> <padding> <padding> <padding> <padding> <padding> <padding> <padding> one adv");
    EXPECT_EQ(std::vector<int32_t>(g.train.lengths, g.train.lengths + 4), (std::vector<int32_t>{8, 2, 2, 2}));
    EXPECT_EQ(std::vector<uint8_t>(g.train.labels, g.train.labels + 4), (std::vector<uint8_t>{0, 1, 2, 3}));
    EXPECT_EQ(g.train.ids[0], GLOSSES_PADDING);
}

TEST_F(Glosses, long_ones_are_cut_and_empty_ones_left_out) {
    write({"a b c d e", "", "-- '' --"});
    load({GLOSSES_WORDS, 3, 0, 0});
    EXPECT_EQ(g.train.n, 4);
    EXPECT_EQ(row(g.train, 0), "a b c");
    EXPECT_EQ(g.train.lengths[0], 3);
}

TEST_F(Glosses, characters_as_they_are) {
    write({"A b!"});
    load({GLOSSES_CHARACTERS, 6, 0, 0});
    EXPECT_EQ(row(g.train, 0), "<padding> <padding> A   b !");
    EXPECT_EQ(g.train.lengths[0], 4);
}

TEST_F(Glosses, frequent_words_come_first_and_rare_ones_are_unknown) {
    write({"z z z y y x w"});
    load({GLOSSES_WORDS, 7, 0, 0});
    // "one" occurs in three classes as often as z in its gloss; the order of the bytes decides.
    const std::vector<std::string> symbols(g.symbols, g.symbols + g.n_symbols);
    EXPECT_EQ(symbols, (std::vector<std::string>{"<padding>", "<unknown>", "one", "z", "y", "adj", "adv", "verb", "w", "x"}));
    load({GLOSSES_WORDS, 7, 5, 0});
    EXPECT_EQ(g.n_symbols, 5);
    EXPECT_EQ(row(g.train, 0), "z z z y y <unknown> <unknown>");
}

TEST_F(Glosses, a_tenth_of_each_class_is_for_the_test_and_adds_no_words) {
    write_numbered(50);
    load({GLOSSES_WORDS, 2, 0, 0});
    EXPECT_EQ(g.train.n, 4 * 45);
    EXPECT_EQ(g.test.n, 4 * 5);
    EXPECT_EQ(g.n_symbols, 2 + 4 * 45 + 1);
    std::set<std::string> seen;
    for (int64_t i = 0; i < g.train.n; ++i) {
        ASSERT_EQ(g.train.labels[i], i / 45);
        seen.insert(row(g.train, i));
    }
    EXPECT_EQ(seen.size(), 180u);
    for (int64_t i = 0; i < g.test.n; ++i) {
        ASSERT_EQ(g.test.labels[i], i / 5);
        EXPECT_EQ(row(g.test, i), "<unknown> same");
    }
    // The classes are not split in the order of the file.
    EXPECT_NE(row(g.train, 0), "u0 same");
}

TEST_F(Glosses, the_same_options_give_the_same_split) {
    write_numbered(40);
    load({GLOSSES_WORDS, 2, 0, 0});
    const std::vector<int32_t> first(g.train.ids, g.train.ids + g.train.n * 2);
    load({GLOSSES_WORDS, 2, 0, 0});
    EXPECT_EQ(std::vector<int32_t>(g.train.ids, g.train.ids + g.train.n * 2), first);
}

TEST_F(Glosses, classes_can_be_made_equal) {
    write_numbered(40);
    write_plain("data.noun", numbered('u', 500));
    load({GLOSSES_WORDS, 2, 0, 20});
    EXPECT_EQ(g.train.n, 4 * 18);
    EXPECT_EQ(g.test.n, 4 * 2);
    EXPECT_EQ(std::count(g.test.labels, g.test.labels + g.test.n, 0), 2);
}

TEST_F(Glosses, missing_files_name_the_command_that_gets_them) {
    expect_load_failure("scripts/data.sh wordnet-base");
    EXPECT_TRUE(says(path("data.noun"))) << message;
    write({"a"});
    std::filesystem::remove(path("data.adv"));
    expect_load_failure("data.adv");
}

TEST_F(Glosses, damaged_lines_are_named) {
    for (const char *line : {"0000174 29 v | too few digits\n", "00001740 29 v without a bar\n", "\n", "\xff\xfe", "00001740"}) {
        write({"a"});
        write_plain("data.verb", std::string(kLicence) + entry("fine") + line);
        expect_load_failure("data.verb, line 3");
        EXPECT_FALSE(says("scripts/data.sh")) << message;
    }
}

TEST_F(Glosses, a_last_line_without_its_end_and_foreign_line_ends) {
    write({"a"});
    write_plain("data.verb", "00001740 29 v | one\r\n00001741 29 v | two");
    load({GLOSSES_WORDS, 1, 0, 0});
    EXPECT_EQ(g.train.n, 5);
    std::set<std::string> rows = {row(g.train, 1), row(g.train, 2)};
    EXPECT_EQ(rows, (std::set<std::string>{"one", "two"}));
}

TEST_F(Glosses, a_class_may_be_empty) {
    write({"a"});
    write_plain("data.verb", "");
    load({GLOSSES_WORDS, 1, 0, 0});
    EXPECT_EQ(g.train.n, 3);
    EXPECT_EQ(std::count(g.train.labels, g.train.labels + 3, 1), 0);
}

TEST_F(Glosses, wrong_options) {
    write({"a"});
    for (const glosses_options &o : {glosses_options{GLOSSES_WORDS, 0, 0, 0}, glosses_options{GLOSSES_WORDS, 1 << 20, 0, 0},
                                     glosses_options{GLOSSES_WORDS, 8, 2, 0}, glosses_options{GLOSSES_WORDS, 8, -1, 0},
                                     glosses_options{GLOSSES_WORDS, 8, 0, -1}})
        expect_load_failure("options", o);
}

TEST_F(Glosses, wordnet) {
    char place[FILE_PATH_MAX];
    if (data_find(&data_glosses, place) != 0) GTEST_SKIP() << "the package wordnet-base is not there: scripts/data.sh wordnet-base";
    const glosses_options o = {GLOSSES_WORDS, 24, 8000, 3000};
    ASSERT_EQ(glosses_load(&g, nullptr, &o, message, sizeof message), 0) << message;
    EXPECT_EQ(g.train.n, 4 * 2700);
    EXPECT_EQ(g.test.n, 4 * 300);
    EXPECT_EQ(g.n_symbols, 8000);
    EXPECT_STREQ(g.symbols[GLOSSES_FIRST_SYMBOL], "the");
    const auto unknown = std::count(g.test.ids, g.test.ids + g.test.n * g.length, GLOSSES_UNKNOWN);
    EXPECT_LT(static_cast<double>(unknown) / static_cast<double>(g.test.n * g.length), 0.1);
}

}  // namespace
