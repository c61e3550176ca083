// The log, the plot and the progress lines. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

extern "C" {
#include "file.h"
#include "history.h"
#include "plot.h"
#include "progress.h"
}

namespace {

std::string read_text(const std::string &path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

size_t count(const std::string &text, const std::string &word) {
    size_t n = 0;
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++n;
    return n;
}

class Files : public testing::Test {
protected:
    void SetUp() override {
        const auto *info = testing::UnitTest::GetInstance()->current_test_info();
        folder = (std::filesystem::temp_directory_path() / (std::string("mpt-") + info->name() + "-" + std::to_string(getpid())))
                     .string();
        ASSERT_EQ(file_make_folder((folder + "/a/b").c_str()), 0);
    }
    void TearDown() override { std::filesystem::remove_all(folder); }
    std::string folder;
};

TEST_F(Files, file_is_read_whole_up_to_a_limit) {
    const std::string path = folder + "/x", content(200000, 'x');
    std::ofstream(path) << content;
    uint8_t *bytes = nullptr;
    int64_t n = 0;
    ASSERT_EQ(file_read(path.c_str(), 200000, &bytes, &n), 0);
    EXPECT_EQ(std::string(bytes, bytes + n), content);
    free(bytes);
    bytes = nullptr;
    EXPECT_EQ(file_read(path.c_str(), 199999, &bytes, &n), -1);
    EXPECT_EQ(errno, EFBIG);
    EXPECT_EQ(file_read((folder + "/y").c_str(), 9, &bytes, &n), -1);
    EXPECT_EQ(errno, ENOENT);
    EXPECT_EQ(file_read(folder.c_str(), 9, &bytes, &n), -1);
    EXPECT_EQ(errno, EISDIR);
    EXPECT_EQ(bytes, nullptr);
    std::ofstream(path, std::ios::trunc).flush();
    ASSERT_EQ(file_read(path.c_str(), 0, &bytes, &n), 0);
    EXPECT_EQ(n, 0);
    free(bytes);
}

history three_epochs() {
    history h = {};
    for (int i = 1; i <= 3; ++i) {
        const history_row row = {i, 12.5, 1e-3 / i, 1.0 / i, 1 - 0.3 / i, 1.1 / i, 1 - 0.35 / i, 65536.0, 2};
        EXPECT_EQ(history_add(&h, &row), 0);
    }
    return h;
}

TEST_F(Files, folder_is_made_with_those_above_and_may_exist) {
    EXPECT_EQ(file_make_folder((folder + "/a/b").c_str()), 0);
    EXPECT_EQ(file_make_folder((folder + "/a/b/").c_str()), 0);
    std::ofstream(folder + "/file") << "x";
    EXPECT_EQ(file_make_folder((folder + "/file").c_str()), -1);
    EXPECT_EQ(file_make_folder((folder + "/file/c").c_str()), -1);
    EXPECT_EQ(file_make_folder(""), -1);
}

TEST_F(Files, draft_replaces_the_file_only_when_complete) {
    const std::string path = folder + "/x";
    std::ofstream(path) << "old";
    file_draft draft;
    ASSERT_EQ(file_draft_open(&draft, path.c_str()), 0);
    fputs("new", draft.stream);
    fflush(draft.stream);
    EXPECT_EQ(read_text(path), "old");
    EXPECT_EQ(file_draft_commit(&draft), 0);
    EXPECT_EQ(read_text(path), "new");
    EXPECT_EQ(file_draft_open(&draft, (folder + "/nowhere/x").c_str()), -1);
}

TEST_F(Files, csv_comes_back_as_written) {
    const history h = three_epochs();
    const std::string path = folder + "/log.csv";
    ASSERT_EQ(history_write_csv(&h, path.c_str()), 0);
    EXPECT_EQ(count(read_text(path), "\n"), 4u);
    history back = {};
    history_read_csv(&back, path.c_str(), 2);
    ASSERT_EQ(back.n, 2);
    EXPECT_EQ(back.rows[1].epoch, 2);
    EXPECT_NEAR(back.rows[1].test_loss, h.rows[1].test_loss, 1e-8);
    EXPECT_EQ(back.rows[1].scale, 65536.0);
    EXPECT_EQ(back.rows[1].skipped, 2);
    history_read_csv(&back, (folder + "/nowhere.csv").c_str(), 2);
    EXPECT_EQ(back.n, 0);
    std::ofstream(path) << "something else\n1,2,3\n";
    history_read_csv(&back, path.c_str(), 2);
    EXPECT_EQ(back.n, 0);
}

TEST_F(Files, plot_has_axes_ticks_legend_and_every_point) {
    const history h = three_epochs();
    const std::string path = folder + "/plot.svg";
    ASSERT_EQ(history_write_plot(&h, path.c_str(), "a < b & c"), 0);
    const std::string svg = read_text(path);
    EXPECT_EQ(count(svg, "<circle"), 12u);
    EXPECT_EQ(count(svg, ">train</text>"), 2u);
    EXPECT_EQ(count(svg, ">test</text>"), 2u);
    EXPECT_EQ(count(svg, ">epoch</text>"), 2u);
    EXPECT_EQ(count(svg, ">2</text>"), 2u) << "a tick at epoch 2 in each panel";
    EXPECT_EQ(count(svg, "a &lt; b &amp; c"), 1u);
    EXPECT_EQ(svg.substr(svg.size() - 7), "</svg>\n");
}

TEST_F(Files, plot_leaves_out_what_is_not_finite) {
    const double x[4] = {1, 2, 3, 4}, y[4] = {1, NAN, INFINITY, 2}, none[1] = {NAN};
    const plot_series series[2] = {{"y", "#000", x, y, 4}, {"none", "#111", x, none, 1}};
    const plot_panel panels[3] = {
        {"p", "x", "y", series, 2, 1}, {"single", "x", "y", series, 1, 0}, {"empty", "x", "y", series + 1, 1, 0}};
    const std::string path = folder + "/plot.svg";
    ASSERT_EQ(plot_write_svg(path.c_str(), "t", panels, 3), 0);
    const std::string svg = read_text(path);
    EXPECT_EQ(count(svg, "<circle"), 4u);
    EXPECT_EQ(count(svg, "nan") + count(svg, "inf"), 0u);
}

std::string progress_output(const std::string &path, int in_place, int colour) {
    FILE *file = fopen(path.c_str(), "w+");
    const terminal term = {file, in_place, colour, 0};
    const progress_values values = {0.5, 0.75, 1024, 3};
    progress bar;
    progress_begin(&bar, &term, "epoch 1/2", 95, 95);
    for (int64_t step = 1; step <= 95; ++step) progress_update(&bar, step, &values);
    progress_end(&bar);
    fclose(file);
    return read_text(path);
}

TEST_F(Files, progress_is_ten_plain_lines_where_there_is_no_terminal) {
    const std::string text = progress_output(folder + "/p", 0, 0);
    EXPECT_EQ(count(text, "\n"), 10u) << text;
    EXPECT_EQ(count(text, "loss 0.5000  acc 75.0 %  scale 1024  skipped 3"), 10u) << text;
    EXPECT_EQ(count(text, "\r") + count(text, "\033"), 0u);
    EXPECT_EQ(count(text, "epoch 1/2 100 %  95/95"), 1u) << text;
}

TEST_F(Files, progress_stays_in_its_line_on_a_terminal) {
    const std::string text = progress_output(folder + "/p", 1, 0);
    EXPECT_EQ(count(text, "\n"), 0u);
    EXPECT_GE(count(text, "\r"), 2u);
    EXPECT_EQ(count(text, "\033[3"), 0u) << "no colours";
    EXPECT_GT(count(progress_output(folder + "/p", 1, 1), "\033[3"), 0u);
}

}  // namespace
