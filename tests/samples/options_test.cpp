// The command lines of the samples. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

extern "C" {
#include "options.h"
}

namespace {

options_result parse(std::vector<std::string> words, options *out, const option_set *set = &options_fashion_mnist) {
    std::vector<char *> argv = {const_cast<char *>("fashion_mnist")};
    // The options keep pointers into the words, as they do into main's.
    static std::vector<std::string> kept;
    kept = words;
    for (std::string &word : kept) argv.push_back(word.data());
    return options_parse(out, set, static_cast<int>(argv.size()), argv.data());
}

TEST(Options, defaults) {
    options o = {};
    ASSERT_EQ(parse({}, &o), OPTIONS_RUN);
    EXPECT_EQ(o.precision, MPT_F32);
    EXPECT_EQ(o.device, MPT_DEVICE_AUTO);
    EXPECT_EQ(o.epochs, 10);
    EXPECT_EQ(o.batch, 128);
    EXPECT_EQ(o.limit, 0);
    EXPECT_EQ(o.eager, 0);
    EXPECT_EQ(o.resume, nullptr);
    EXPECT_STREQ(o.data, "/usr/share/datasets/fashion-mnist");
}

TEST(Options, both_forms) {
    options o = {};
    ASSERT_EQ(parse({"--precision", "f16", "--epochs=3", "--batch", "64", "--seed=7", "--device", "cpu", "--threads=2", "--eager",
                     "--limit", "9", "--data=x", "--out", "y", "--resume=z"},
                    &o),
              OPTIONS_RUN);
    EXPECT_EQ(o.precision, MPT_F16);
    EXPECT_EQ(o.epochs, 3);
    EXPECT_EQ(o.batch, 64);
    EXPECT_EQ(o.seed, 7u);
    EXPECT_EQ(o.device, MPT_DEVICE_CPU);
    EXPECT_EQ(o.threads, 2);
    EXPECT_EQ(o.eager, 1);
    EXPECT_EQ(o.limit, 9);
    EXPECT_STREQ(o.data, "x");
    EXPECT_STREQ(o.out, "y");
    EXPECT_STREQ(o.resume, "z");
}

TEST(Options, failures_leave_the_output_alone) {
    options o = {};
    o.epochs = 42;
    for (const std::vector<std::string> &words : std::vector<std::vector<std::string>>{{"--epochs", "5", "--nonsense"},
                                                                                       {"--epochs"},
                                                                                       {"--epochs="},
                                                                                       {"--epochs", "1.5"},
                                                                                       {"--batch", "0"},
                                                                                       {"--eager=1"},
                                                                                       {"-e"},
                                                                                       {""}}) {
        EXPECT_EQ(parse(words, &o), OPTIONS_WRONG);
        EXPECT_EQ(o.epochs, 42);
    }
}

TEST(Options, precisions_and_recipes) {
    options o = {};
    ASSERT_EQ(parse({"--precision", "fp8", "--recipe", "delayed", "--stop", "3", "--keep", "a,b"}, &o), OPTIONS_RUN);
    EXPECT_EQ(o.precision, OPTIONS_FP8);
    EXPECT_EQ(o.recipe, MPT_FP8_DELAYED);
    EXPECT_EQ(o.stop, 3);
    EXPECT_STREQ(o.keep, "a,b");
    EXPECT_STREQ(options_precision(&o), "fp8");
    ASSERT_EQ(parse({"--precision", "bf16"}, &o), OPTIONS_RUN);
    EXPECT_EQ(o.recipe, MPT_FP8_CURRENT);
    EXPECT_STREQ(options_precision(&o), "bf16");
}

TEST(Options, of_one_sample) {
    int64_t width = 8;
    double rate = 0.5;
    int both = 0;
    const option_row rows[] = {{"width", &width, nullptr, nullptr, 1, 64}, {"rate", nullptr, &rate, nullptr, 0, 1}, {"both", nullptr, nullptr, &both, 0, 0}};
    const option_set set = {"help\n", 0, 0, nullptr, nullptr, rows, 3};
    options o = {};
    ASSERT_EQ(parse({"--width", "64", "--rate=0.25", "--both", "--limit", "3"}, &o, &set), OPTIONS_RUN);
    EXPECT_EQ(width, 64);
    EXPECT_EQ(rate, 0.25);
    EXPECT_EQ(both, 1);
    EXPECT_EQ(o.limit, 3);
    EXPECT_EQ(o.data, nullptr);
    for (const std::vector<std::string> &words : std::vector<std::vector<std::string>>{
             {"--width", "65"}, {"--width", "0"}, {"--rate", "1.5"}, {"--rate", "nan"}, {"--rate", "0.5x"}, {"--rate"}, {"--both=1"}, {"--epochs", "3"}, {"--batch", "3"}}) {
        EXPECT_EQ(parse(words, &o, &set), OPTIONS_WRONG) << words[0];
    }
    EXPECT_EQ(width, 64);
    EXPECT_EQ(rate, 0.25);
}

}  // namespace
