// Checkpoints: all or nothing, whole or absent, and damaged files of every kind refused with a message.
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "net.h"

using namespace net;

namespace {

std::string scratch(const char *file) { return std::string(MPT_TEST_SCRATCH) + "/" + file; }

std::string contents(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

struct Reader {
    const std::string *data;
    std::size_t at = 0;
};
int MPT_CALL read_string(void *to, size_t n, void *user) {
    auto *r = static_cast<Reader *>(user);
    if (r->data->size() - r->at < n) return 1;
    std::memcpy(to, r->data->data() + r->at, n);
    r->at += n;
    return 0;
}

std::string file_of(const std::string &json, const std::string &data = "") {
    std::string out;
    for (int i = 0; i < 8; ++i) out += static_cast<char>(json.size() >> (8 * i) & 0xFF);
    return out + json + data;
}

struct StateFiles : testing::Test {
    Context ctx = context();
    Tensor t = tensor<float>(ctx, MPT_F32, {2}, {1, 2});
    State state;
    void SetUp() override {
        MUST(mpt_state_create(ctx, state.out()));
        MUST(mpt_state_add_tensor(state, "t", t));
    }
    mpt_status load(const std::string &text) {
        Reader r{&text};
        return mpt_state_load_from(state, read_string, &r);
    }
};

}  // namespace

TEST_F(StateFiles, DamagedFilesAreRefusedAndChangeNothing) {
    const std::string eight(8, '\x01');
    const std::string good = R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
    const struct {
        std::string text;
        mpt_status status;
    } cases[] = {
        {"", MPT_ERROR_IO},
        {std::string(8, '\xff'), MPT_ERROR_IO},
        {file_of("{"), MPT_ERROR_IO},
        {file_of("[]"), MPT_ERROR_IO},
        {file_of("{}"), MPT_ERROR_NOT_FOUND},
        {file_of(good, "1234567"), MPT_ERROR_IO},
        {file_of(good + "x", eight), MPT_ERROR_IO},
        {file_of(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}})", eight), MPT_ERROR_IO},
        {file_of(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", eight), MPT_ERROR_IO},
        {file_of(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", eight + eight), MPT_ERROR_IO},
        {file_of(R"({"t":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", eight), MPT_ERROR_IO},
        {file_of(R"({"t":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8]}})", eight), MPT_ERROR_IO},
        {file_of(R"({"t":{"shape":[2],"data_offsets":[0,8]}})", eight), MPT_ERROR_IO},
        {file_of(R"({"t":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})", std::string(12, 0)), MPT_ERROR_SHAPE},
        {file_of(R"({"t":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})", std::string(4, 0)), MPT_ERROR_DTYPE},
        {file_of(R"({"t":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}})", eight), MPT_ERROR_SHAPE},
        {file_of(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", eight), MPT_ERROR_IO},
        {file_of("{\"a\":" + std::string(100, '[')), MPT_ERROR_IO},
        {file_of(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":)" + std::string(1000, '[') + "}}"), MPT_ERROR_IO},
        {file_of("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"u\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[8,18446744073709551615]}}", eight), MPT_ERROR_IO},
    };
    for (const auto &c : cases) {
        EXPECT_EQ(c.status, load(c.text)) << c.text;
        EXPECT_NE(std::string::npos, std::string(mpt_last_error()).find("mpt_state_load_from")) << mpt_last_error();
        EXPECT_EQ((std::vector<float>{1, 2}), floats(t));
    }
    OK(load(file_of(good, eight)));
}

TEST_F(StateFiles, EveryTruncationIsRefused) {
    std::string whole;
    OK(mpt_state_save_to(
        state,
        [](const void *data, std::size_t n, void *to) {
            static_cast<std::string *>(to)->append(static_cast<const char *>(data), n);
            return 0;
        },
        &whole));
    for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_EQ(MPT_ERROR_IO, load(whole.substr(0, n))) << n << " bytes";
    OK(load(whole));
}

TEST_F(StateFiles, MetadataEscapesAndForeignEntriesAreFine) {
    std::string eight(8, '\0');
    eight[3] = 0x40;  // 2.0f
    OK(load(file_of(R"( {"__metadata__":{"format":"pt","n":"[1,{}]"},"other":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                    R"("\u0074":{"data_offsets":[3,11],"shape":[2],"dtype":"F32"}}  )",
                    "abc" + eight)));
    EXPECT_EQ((std::vector<float>{2, 0}), floats(t));
}

TEST_F(StateFiles, NamesWithAnyCharactersComeBack) {
    State odd;
    OK(mpt_state_create(ctx, odd.out()));
    const char *name = "a\"b\\c\n\xc3\xa4/.";
    OK(mpt_state_add_tensor(odd, name, t));
    EXPECT_EQ(MPT_ERROR_ARGUMENT, mpt_state_add_tensor(odd, name, t));
    OK(mpt_state_set_number(odd, "epoch", -7));
    const std::string path = scratch("odd.safetensors");
    OK(mpt_state_save(odd, path.c_str()));
    OK(mpt_tensor_fill(t, 0));
    OK(mpt_state_set_number(odd, "epoch", 0));
    OK(mpt_state_load(odd, path.c_str()));
    EXPECT_EQ((std::vector<float>{1, 2}), floats(t));
    std::int64_t epoch = 0;
    OK(mpt_state_number(odd, "epoch", &epoch));
    EXPECT_EQ(-7, epoch);
}

TEST_F(StateFiles, StridedTensorsAreStoredInLogicalOrder) {
    Tensor m = tensor<float>(ctx, MPT_F32, {2, 3}, {1, 2, 3, 4, 5, 6}), turned, back = tensor(ctx, MPT_F32, {3, 2});
    OK(mpt_transpose(m, 0, nullptr, turned.out()));
    State a, b;
    OK(mpt_state_create(ctx, a.out()));
    OK(mpt_state_create(ctx, b.out()));
    OK(mpt_state_add_tensor(a, "m", turned));
    OK(mpt_state_add_tensor(b, "m", back));
    const std::string path = scratch("strided.safetensors");
    OK(mpt_state_save(a, path.c_str()));
    OK(mpt_state_load(b, path.c_str()));
    EXPECT_EQ((std::vector<float>{1, 4, 2, 5, 3, 6}), floats(back));
    OK(mpt_tensor_fill(m, 0));
    OK(mpt_state_load(a, path.c_str()));
    EXPECT_EQ((std::vector<float>{1, 2, 3, 4, 5, 6}), floats(m));
}

TEST_F(StateFiles, AFailedSaveLeavesTheOldFile) {
    const std::string path = scratch("kept.safetensors");
    OK(mpt_state_save(state, path.c_str()));
    const std::string before = contents(path);
    ASSERT_FALSE(before.empty());
    EXPECT_EQ(MPT_ERROR_IO, mpt_state_save(state, (scratch("no/such/folder") + "/x").c_str()));
    EXPECT_NE(std::string::npos, std::string(mpt_last_error()).find("no/such/folder")) << mpt_last_error();
    EXPECT_EQ(MPT_ERROR_IO, mpt_state_load(state, scratch("absent").c_str()));
    int calls = 0;
    EXPECT_EQ(MPT_ERROR_IO, mpt_state_save_to(
                                state, [](const void *, std::size_t, void *n) { return ++*static_cast<int *>(n) > 1 ? 1 : 0; }, &calls));
    EXPECT_EQ(before, contents(path));
}

TEST_F(StateFiles, LoadingAnotherModelNamesWhatIsMissing) {
    Layer mlp = model(ctx, Kind::Mlp), cnn = model(ctx, Kind::Cnn);
    State a, b;
    OK(mpt_state_create(ctx, a.out()));
    OK(mpt_state_create(ctx, b.out()));
    OK(mpt_state_add_layer(a, "model", mlp));
    OK(mpt_state_add_layer(b, "model", cnn));
    const std::string path = scratch("mlp.safetensors");
    OK(mpt_state_save(a, path.c_str()));
    EXPECT_EQ(MPT_ERROR_NOT_FOUND, mpt_state_load(b, path.c_str()));
    EXPECT_NE(std::string::npos, std::string(mpt_last_error()).find("model.conv1.weight")) << mpt_last_error();
}
