// The reader of the data set: what it accepts, and what it says about damaged files. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "scratch.h"

extern "C" {
#include "dataset.h"
#include "idx.h"
}

namespace {

Bytes header(std::vector<uint32_t> shape, uint8_t type = 8) {
    Bytes bytes = {0, 0, type, static_cast<uint8_t>(shape.size())};
    for (uint32_t extent : shape) {
        for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(extent >> shift));
    }
    return bytes;
}

Bytes idx(std::vector<uint32_t> shape, uint8_t value = 0) {
    Bytes bytes = header(shape);
    size_t n = 1;
    for (uint32_t extent : shape) n *= extent;
    bytes.insert(bytes.end(), n, value);
    return bytes;
}

class Dataset : public Scratch {
protected:
    void write(const std::string &name, const Bytes &bytes) const {
        gzFile file = gzopen(path(name).c_str(), "wb");
        ASSERT_NE(file, nullptr);
        ASSERT_EQ(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())), static_cast<int>(bytes.size()));
        ASSERT_EQ(gzclose(file), Z_OK);
    }

    void cut(const std::string &name, size_t bytes) const {
        std::filesystem::resize_file(path(name), std::filesystem::file_size(path(name)) - bytes);
    }

    // Reads and expects a failure; the message names the file.
    idx_status read_bad(const std::string &name, int ndim) {
        idx_array array = {};
        const idx_status status = idx_read(path(name).c_str(), ndim, &array, message, sizeof message);
        EXPECT_EQ(array.data, nullptr);
        EXPECT_NE(std::string(message).find(name), std::string::npos) << message;
        return status;
    }

    void write_set(const Bytes &images, const Bytes &labels) const {
        write("train-images-idx3-ubyte.gz", images);
        write("train-labels-idx1-ubyte.gz", labels);
    }

    void expect_load_failure(const std::string &part_of_message) {
        dataset set = {};
        EXPECT_EQ(dataset_load(&set, folder.c_str(), "train", 0, message, sizeof message), -1);
        EXPECT_EQ(set.images, nullptr);
        EXPECT_NE(std::string(message).find(part_of_message), std::string::npos) << message;
    }
};

TEST_F(Dataset, reads_gzip_and_plain_files) {
    Bytes bytes = header({2, 3});
    for (uint8_t v = 1; v <= 6; ++v) bytes.push_back(v);
    write("a.gz", bytes);
    write_plain("a", bytes);
    for (const char *name : {"a.gz", "a"}) {
        idx_array array = {};
        ASSERT_EQ(idx_read(path(name).c_str(), 2, &array, message, sizeof message), IDX_OK) << message;
        EXPECT_EQ(array.ndim, 2);
        EXPECT_EQ(array.shape[0], 2);
        EXPECT_EQ(array.shape[1], 3);
        EXPECT_EQ(Bytes(array.data, array.data + array.numel), Bytes({1, 2, 3, 4, 5, 6}));
        idx_free(&array);
        EXPECT_EQ(array.data, nullptr);
    }
}

TEST_F(Dataset, missing_file) {
    EXPECT_EQ(read_bad("nowhere.gz", 1), IDX_MISSING);
}

TEST_F(Dataset, empty_file) {
    write_plain("a", Bytes());
    EXPECT_EQ(read_bad("a", 1), IDX_DAMAGED);
    EXPECT_TRUE(says("header")) << message;
}

TEST_F(Dataset, ends_inside_the_header) {
    Bytes bytes = header({4, 4});
    bytes.pop_back();
    write("a.gz", bytes);
    EXPECT_EQ(read_bad("a.gz", 2), IDX_DAMAGED);
    EXPECT_TRUE(says("header")) << message;
}

TEST_F(Dataset, ends_inside_the_elements) {
    Bytes bytes = idx({10});
    bytes.resize(bytes.size() - 3);
    write("a.gz", bytes);
    EXPECT_EQ(read_bad("a.gz", 1), IDX_DAMAGED);
    EXPECT_TRUE(says("7 of 10")) << message;
}

TEST_F(Dataset, has_more_than_its_header_says) {
    Bytes bytes = idx({10});
    bytes.push_back(0);
    write("a.gz", bytes);
    EXPECT_EQ(read_bad("a.gz", 1), IDX_DAMAGED);
    EXPECT_TRUE(says("more data")) << message;
}

TEST_F(Dataset, gzip_stream_cut_anywhere) {
    // Noise, so that the compressed form is long enough to be cut in its middle.
    Bytes bytes = header({5000});
    uint32_t state = 1;
    for (int i = 0; i < 5000; ++i) bytes.push_back(static_cast<uint8_t>((state = state * 1664525u + 1013904223u) >> 24));
    for (size_t removed : {1u, 4u, 8u, 9u, 100u, 2500u}) {
        write("a.gz", bytes);
        cut("a.gz", removed);
        EXPECT_EQ(read_bad("a.gz", 1), IDX_DAMAGED) << removed << " bytes removed";
    }
}

TEST_F(Dataset, gzip_stream_with_a_wrong_checksum) {
    write("a.gz", idx({100}, 7));
    std::fstream file(path("a.gz"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-8, std::ios::end);
    file.put('\x55');
    file.close();
    EXPECT_EQ(read_bad("a.gz", 1), IDX_DAMAGED);
}

TEST_F(Dataset, wrong_magic) {
    write("text", Bytes(64, 'x'));
    write("floats", header({1}, 0x0d));
    write("labels", idx({3}));
    EXPECT_EQ(read_bad("text", 1), IDX_DAMAGED);
    EXPECT_TRUE(says("magic 78787878")) << message;
    EXPECT_EQ(read_bad("floats", 1), IDX_DAMAGED);
    EXPECT_TRUE(says("00000801")) << message;
    write("images", idx({3, 1, 1}));
    EXPECT_EQ(read_bad("images", 1), IDX_DAMAGED) << "three dimensions where one is expected";
    EXPECT_EQ(read_bad("labels", 3), IDX_DAMAGED) << "one dimension where three are expected";
}

TEST_F(Dataset, extents_that_are_not_plausible) {
    write("zero", header({0}));
    write("huge", header({0xffffffffu, 0xffffffffu, 0xffffffffu}));
    EXPECT_EQ(read_bad("zero", 1), IDX_DAMAGED);
    EXPECT_EQ(read_bad("huge", 3), IDX_DAMAGED);
    EXPECT_TRUE(says("not plausible")) << message;
}

TEST_F(Dataset, loads_normalised_images) {
    Bytes images = header({3, 28, 28}), labels = header({3});
    for (int i = 0; i < 3 * 784; ++i) images.push_back(i % 2 ? 255 : 0);
    for (uint8_t label : {9, 0, 4}) labels.push_back(label);
    write_set(images, labels);
    dataset set = {};
    ASSERT_EQ(dataset_load(&set, folder.c_str(), "train", 0, message, sizeof message), 0) << message;
    EXPECT_EQ(set.n, 3);
    EXPECT_NEAR(set.images[0], -0.2860 / 0.3530, 1e-6);
    EXPECT_NEAR(set.images[3 * 784 - 1], (1 - 0.2860) / 0.3530, 1e-6);
    EXPECT_EQ(Bytes(set.labels, set.labels + 3), Bytes({9, 0, 4}));

    const int32_t order[2] = {2, 0};
    std::vector<float> batch(2 * 784);
    uint8_t batch_labels[2];
    dataset_gather(&set, order, 2, batch.data(), batch_labels);
    EXPECT_EQ(batch_labels[0], 4);
    EXPECT_EQ(batch_labels[1], 9);
    EXPECT_TRUE(std::equal(batch.begin(), batch.begin() + 784, set.images + 2 * 784));
    EXPECT_TRUE(std::equal(batch.begin() + 784, batch.end(), set.images));
    dataset_free(&set);

    ASSERT_EQ(dataset_load(&set, folder.c_str(), "train", 2, message, sizeof message), 0) << message;
    EXPECT_EQ(set.n, 2);
    dataset_free(&set);
}

TEST_F(Dataset, missing_data_set_names_the_command_that_installs_it) {
    expect_load_failure("sudo apt-get install dataset-fashion-mnist");
    EXPECT_TRUE(says(folder.c_str())) << message;
}

TEST_F(Dataset, damaged_data_set_does_not_ask_for_an_installation) {
    write_set(Bytes(100, 'x'), idx({1}));
    expect_load_failure("cannot be used");
    EXPECT_FALSE(says("apt-get")) << message;
}

TEST_F(Dataset, counts_that_differ) {
    write_set(idx({3, 28, 28}), idx({2}));
    expect_load_failure("3 images but 2 labels");
}

TEST_F(Dataset, images_of_another_size) {
    write_set(idx({2, 32, 28}), idx({2}));
    expect_load_failure("32 x 28");
}

TEST_F(Dataset, label_out_of_range) {
    write_set(idx({2, 28, 28}), idx({2}, 10));
    expect_load_failure("label 0");
}

}  // namespace
