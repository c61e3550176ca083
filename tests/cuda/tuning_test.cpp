// The option "tune": other algorithms for the same results, and the file that keeps which.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "common/random.h"
#include "gpu.h"

using namespace cuda;
namespace fs = std::filesystem;

namespace {

struct Results {
    std::vector<float> product, convolution;
    bool operator==(const Results &) const = default;
};

Tensor random_tensor(mpt_context *ctx, mpt_dtype dtype, const std::vector<std::int64_t> &shape, std::uint64_t seed) {
    test::Random random(seed);
    std::int64_t n = 1;
    for (const std::int64_t extent : shape) n *= extent;
    std::vector<float> values(static_cast<std::size_t>(n));
    for (float &v : values) v = static_cast<float>(random.uniform(-1, 1));
    const Tensor wide = net::tensor(ctx, MPT_F32, shape, values);
    Tensor narrow;
    MUST(mpt_cast(wide, dtype, narrow.out()));
    return narrow;
}

Results compute(mpt_context *ctx, mpt_dtype dtype) {
    const Tensor a = random_tensor(ctx, dtype, {512, 768}, 1), b = random_tensor(ctx, dtype, {640, 768}, 2), bias = random_tensor(ctx, dtype, {640}, 3),
                 x = random_tensor(ctx, dtype, {8, 16, 14, 14}, 4), w = random_tensor(ctx, dtype, {32, 16, 3, 3}, 5);
    Tensor y, z;
    MUST(mpt_linear(a, b, bias, y.out()));
    mpt_conv2d_params params;
    MUST(mpt_conv2d_params_init(&params, sizeof params));
    params.padding_h = params.padding_w = 1;
    MUST(mpt_conv2d(x, w, nullptr, &params, z.out()));
    return {net::floats(y), net::floats(z)};
}

void expect_near(const std::vector<float> &exact, const std::vector<float> &got, double units, const char *what) {
    ASSERT_EQ(exact.size(), got.size());
    double largest = 0;
    for (const float v : exact) largest = std::max(largest, std::fabs(static_cast<double>(v)));
    double worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::fabs(static_cast<double>(exact[i]) - static_cast<double>(got[i])));
    EXPECT_GT(largest, 1) << what;
    EXPECT_LE(worst, units * largest) << what;
}

std::string text_of(const fs::path &path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}
std::size_t lines_of(const fs::path &path) {
    const std::string text = text_of(path);
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

class Tuning : public Gpu {
protected:
    void SetUp() override {
        Gpu::SetUp();
        folder = fs::temp_directory_path() / ("mpt-tuning-" + std::to_string(getpid()));
        fs::create_directories(folder);
        file = folder / "tuned";
    }
    void TearDown() override {
        std::error_code ignored;
        fs::remove_all(folder, ignored);
    }
    Context tuned() const {
        Context made = must_create(MPT_DEVICE_CUDA);
        MUST(mpt_context_set_option(made, "tune_cache", file.c_str()));
        MUST(mpt_context_set_option(made, "tune", "on"));
        return made;
    }
    fs::path folder, file;
};

}  // namespace

TEST_F(Tuning, GivesTheSameResultsByWhateverIsFastest_cuda) {
    MUST(mpt_context_set_option(ctx, "tune", "on"));
    Context plain = must_create(MPT_DEVICE_CUDA);
    for (const mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        SCOPED_TRACE(mpt_dtype_name(dtype));
        const double units = dtype == MPT_F32 ? 1e-5 : dtype == MPT_F16 ? 0x1p-10 : 0x1p-7;  // one unit in the last place where it is stored in 16 bits
        const Results exact = compute(plain, dtype), got = compute(ctx, dtype);
        expect_near(exact.product, got.product, units, "product");
        expect_near(exact.convolution, got.convolution, units, "convolution");
        MUST(mpt_context_set_option(ctx, "tune", "on"));  // forgets the kernels, but not the choice
        EXPECT_TRUE(compute(ctx, dtype) == got) << "what was chosen once stays";
    }
}

TEST_F(Tuning, TheFileKeepsTheChoice_cuda) {
    const Results first = compute(tuned(), MPT_BF16);
    const std::string text = text_of(file);
    ASSERT_GE(lines_of(file), 2u) << text;  // its head; cuDNN may be missing
    EXPECT_EQ(0u, text.find("mpt tuned 1\n"));
    EXPECT_NE(std::string::npos, text.find("\tproduct 640 512 768 ")) << text;
    const auto written = fs::last_write_time(file);
    EXPECT_TRUE(compute(tuned(), MPT_BF16) == first);
    EXPECT_EQ(text, text_of(file));
    EXPECT_EQ(written, fs::last_write_time(file)) << "nothing was tried again";
    compute(tuned(), MPT_F16);
    EXPECT_GT(lines_of(file), static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')));
    for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
        EXPECT_NE(std::string::npos, text_of(file).find(text.substr(at, end + 1 - at))) << "what was there stays";
}

TEST_F(Tuning, WhatIsDamagedIsTriedAgainAndWhatIsOfOthersStays_cuda) {
    const Results first = compute(tuned(), MPT_BF16);
    const std::string good = text_of(file);
    const std::size_t head = good.find('\n') + 1;
    std::string foreign = good, wild = good;
    foreign.replace(head, 4, "TPU,");
    for (std::size_t at = 0; (at = wild.find(", of ", at)) != std::string::npos; ++at) wild.replace(wild.find('\t', at), 2, "\t99999999999999999999");
    for (const std::string &text : {std::string(), good.substr(0, good.size() / 2), foreign, wild, good.substr(0, head) + std::string(5000, '\t')}) {
        std::ofstream(file, std::ios::trunc) << text;
        const Results got = compute(tuned(), MPT_BF16);
        expect_near(first.product, got.product, 0x1p-7, "product");
        const std::string now = text_of(file);
        EXPECT_NE(std::string::npos, now.find("\tproduct 640 512 768 ")) << "it was written anew";
        EXPECT_EQ(text == foreign, now.find("\nTPU,") != std::string::npos) << now;
    }
}

TEST_F(Tuning, AFileOfAnotherKindIsLeftAlone_cuda) {
    const std::string model = "{\"weights\": 1}\n";
    std::ofstream(file) << model;
    EXPECT_EQ(MPT_ERROR_IO, mpt_context_set_option(ctx, "tune_cache", file.c_str()));
    EXPECT_NE(std::string::npos, std::string(mpt_last_error()).find("another kind")) << mpt_last_error();
    // Nor is one that takes the file's place later.
    fs::remove(file);
    Context later = tuned();
    std::ofstream(file) << model;
    compute(later, MPT_BF16);
    EXPECT_EQ(model, text_of(file));
}

TEST_F(Tuning, ContextsOnTwoThreadsShareAFile_cuda) {
    std::vector<std::thread> threads;
    for (const mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) threads.emplace_back([&, dtype] { compute(tuned(), dtype); });
    for (std::thread &t : threads) t.join();
    const std::string text = text_of(file);
    EXPECT_EQ(0u, text.find("mpt tuned 1\n"));
    std::istringstream lines(text);
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) EXPECT_EQ(2, std::count(line.begin(), line.end(), '\t')) << line;
    EXPECT_EQ(1, std::distance(fs::directory_iterator(folder), fs::directory_iterator())) << "no temporary file stays";
}

TEST_F(Tuning, APathThatCannotBeWrittenIsRefused_cuda) {
    const std::string path = (folder / "missing" / "file").string();
    EXPECT_EQ(MPT_ERROR_IO, mpt_context_set_option(ctx, "tune_cache", path.c_str()));
    EXPECT_NE(std::string::npos, std::string(mpt_last_error()).find(path)) << mpt_last_error();
    MUST(mpt_context_set_option(ctx, "tune_cache", ""));
    EXPECT_EQ(MPT_ERROR_ARGUMENT, mpt_context_set_option(ctx, "tune", "maybe"));
}

TEST_F(Tuning, LeavesNoMemoryBehind_cuda) {
    MUST(mpt_context_set_option(ctx, "tune", "on"));
    compute(ctx, MPT_BF16);  // loads code
    MUST(mpt_context_set_option(ctx, "tune", "off"));
    MUST(mpt_context_trim(ctx));
    const std::size_t before = driver->free_bytes();
    {
        Context other = must_create(MPT_DEVICE_CUDA);
        MUST(mpt_context_set_option(other, "tune", "on"));
        compute(other, MPT_BF16);
    }
    EXPECT_LE(before, driver->free_bytes() + (std::size_t{2} << 20));
}
