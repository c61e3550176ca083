// The body of the parity tests, and the test that nothing in mpt.h lacks its record.
#include "oracle/parity.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace parity {

using test::Tensor;

namespace {

Array read_array(std::istringstream &words) {
    Array array;
    std::string shape, word;
    words >> array.name >> array.kind >> shape;
    if (shape != "-") {
        std::istringstream extents(shape);
        while (std::getline(extents, word, ',')) array.shape.push_back(std::stoll(word));
    }
    if (array.none()) return array;
    while (words >> word) array.data.push_back(std::strtod(word.c_str(), nullptr));
    if (test::count(array.shape) != static_cast<std::int64_t>(array.data.size()))
        throw std::runtime_error("parity.txt: array " + array.name + " has another number of elements than its shape");
    return array;
}

std::vector<Record> read_records() {
    std::ifstream file(MPT_TEST_SOURCE_DIR "/tests/oracle/parity.txt");
    if (!file) throw std::runtime_error("tests/oracle/parity.txt is not in " MPT_TEST_SOURCE_DIR);
    std::vector<Record> all;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string word, name;
        if (!(words >> word) || word == "#") continue;
        if (word == "case") {
            Record r;
            words >> r.function >> r.name >> r.room >> r.stores >> r.wide_stores;
            all.push_back(r);
        } else if (word == "set") {
            words >> name;
            for (std::string &value = word; words >> value;) all.back().settings[name].push_back(value);
        } else {
            all.back().arrays[word].push_back(read_array(words));
        }
    }
    return all;
}

bool floating(mpt_dtype dtype) {
    return dtype == MPT_F64 || dtype == MPT_F32 || dtype == MPT_F16 || dtype == MPT_BF16;
}

std::set<std::string> &tested_functions() {
    static std::set<std::string> names;
    return names;
}

constexpr double kDigits = 2e-8;  // what nine digits of the numbers in the file, inputs as well as results, leave open, relative

}  // namespace

const std::vector<Record> &records() {
    static const std::vector<Record> all = read_records();
    return all;
}

void expect_close(const std::vector<double> &got, const Array &exact, const Record &record, mpt_dtype format,
                  const std::string &what) {
    ASSERT_EQ(got.size(), exact.data.size()) << what;
    const mpt_dtype dtype = type_of(exact.kind, format);
    const bool is_floating = floating(dtype), narrow = test::wide(format) != format;
    double largest = 0;
    for (double x : exact.data)
        if (std::isfinite(x)) largest = std::max(largest, std::fabs(x));
    // A fixed type is a conversion: to the digits of the file.
    double room = kDigits;
    if (exact.kind == "t" || exact.kind == "wide") room += record.room * test::roundoff(test::wide(format));
    if (narrow)
        room += (exact.kind == "t" ? record.stores : exact.kind == "wide" ? record.wide_stores : 0) * test::roundoff(format);
    const double bound = is_floating ? room * largest + test::smallest(dtype) : 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double x = exact.data[i], error = std::fabs(got[i] - x);
        if (got[i] == x || (std::isnan(x) && std::isnan(got[i])) || error <= bound) continue;
        FAIL() << what << ": element " << i << " is " << got[i] << ", PyTorch's " << x << ", error " << error << ", bound "
               << bound;
    }
}

void expect_close(const mpt_tensor *got, const Array &exact, const Record &record, mpt_dtype format, const std::string &what) {
    ASSERT_TRUE(got) << what;
    EXPECT_EQ(test::shape_of(got), exact.shape) << what;
    EXPECT_STREQ(mpt_dtype_name(test::dtype_of(got)), mpt_dtype_name(type_of(exact.kind, format))) << what;
    expect_close(test::read(got), exact, record, format, what);
}

void check(mpt_context *ctx, const Record &record, mpt_dtype format, const std::function<Function(Args &, Leaves &)> &make) {
    Args args(record, ctx, format);
    Leaves leaves;
    for (const Array &in : record.list("in")) {
        args.inputs.push_back(in.none() ? Tensor() : test::make(ctx, type_of(in.kind, format), {in.shape, in.data}));
        if (record.find("grad", in.name)) MUST(mpt_tensor_set_requires_grad(args.inputs.back(), 1));
    }
    const Function call = make(args, leaves);
    std::vector<mpt_tensor *> raw(args.outputs());
    test::must(call(args, raw.data()), record.function.c_str());
    std::vector<Tensor> outputs;
    for (mpt_tensor *out : raw) outputs.emplace_back(out);
    EXPECT_EQ(args.unused(), "") << "settings of the record that the call did not get";

    std::vector<Tensor> cotangents;
    std::vector<mpt_tensor *> roots, seeds;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const Array &out = record.list("out")[i];
        expect_close(outputs[i], out, record, format, "output " + out.name);
        const Array *cot = record.find("cot", out.name);
        if (!cot) continue;
        cotangents.push_back(test::make(ctx, test::dtype_of(outputs[i]), {cot->shape, cot->data}));
        roots.push_back(outputs[i]);
        seeds.push_back(cotangents.back());
    }
    if (!roots.empty())
        MUST(mpt_backward_from(roots.data(), seeds.data(), static_cast<std::int32_t>(roots.size()), MPT_GRAD_WRITE));
    const std::vector<Array> &in = record.list("in");
    for (std::size_t i = 0; i < in.size(); ++i) {
        mpt_tensor_retain(args[i]);
        leaves[in[i].name] = Tensor(args[i]);
    }
    for (const Array &grad : record.list("grad")) {
        ASSERT_TRUE(leaves.count(grad.name)) << grad.name;
        expect_close(test::gradient(leaves[grad.name]), grad, record, format, "gradient of " + grad.name);
    }
    for (const Array &after : record.list("after")) {
        ASSERT_TRUE(leaves.count(after.name)) << after.name;
        expect_close(leaves[after.name], after, record, format, after.name + " afterwards");
    }
}

std::vector<Subject> subjects(const std::vector<std::string> &functions) {
    std::vector<Subject> all;
    for (const std::string &function : functions) {
        tested_functions().insert(function);
        for (test::Device device : test::kDevices) all.push_back({function, device});
    }
    return all;
}

const std::set<std::string> &tested() {
    return tested_functions();
}

std::string label(const testing::TestParamInfo<Subject> &info) {
    return info.param.function.substr(4) + "_" + test::name_of(info.param.device);
}

void ParityTest::each_record(const std::function<void(mpt_context *, const Record &, mpt_dtype)> &body) {
    const auto &[function, device] = GetParam();
    test::Context ctx;
    const mpt_status status = test::open(device, 2, ctx);
    if (status == MPT_ERROR_DEVICE && device == test::Device::Cuda) GTEST_SKIP() << mpt_last_error();
    test::must(status, "mpt_context_create");
    int count = 0;
    for (const Record &record : records()) {
        if (record.function != function) continue;
        ++count;
        for (mpt_dtype format : {MPT_F64, MPT_F32, MPT_F16, MPT_BF16}) {
            if (format == MPT_F64 && device == test::Device::Cuda) continue;  // the CPU's alone
            SCOPED_TRACE(record.name + " in " + mpt_dtype_name(format));
            body(ctx, record, format);
        }
    }
    EXPECT_GT(count, 0) << "parity.txt has no record of " << function;
}

void ParityTest::run(const Table &table) {
    const Function &call = table.at(GetParam().function);
    each_record([&](mpt_context *ctx, const Record &record, mpt_dtype format) {
        check(ctx, record, format, [&](Args &, Leaves &) { return call; });
    });
}

namespace {

// What PyTorch cannot be compared with.
const std::map<std::string, std::string> kExceptions = {
    {"mpt_dropout", "random numbers of mpt's own: tests/ops/dropout_test.cpp looks at their share, scale and gradient"},
    {"mpt_layer_custom", "the host's own rule: tests/training/custom_test.cpp"},
};

bool ends_with(const std::string &text, const std::string &end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool needs_record(const test::PublicHeader::Function &f) {
    if (f.section == "Ops") return !ends_with(f.name, "_params_init");  // of a descriptor: computes nothing
    if (f.section == "Layers") return ends_with(f.parameters, "mpt_layer **out);");
    if (f.section == "Optimizers")
        return ends_with(f.parameters, "mpt_optimizer **out);") || ends_with(f.parameters, "mpt_average **out);") ||
               (f.name.rfind("mpt_optimizer_set_", 0) == 0 && f.name != "mpt_optimizer_set_lr");
    return false;
}

}  // namespace

TEST(ParityTests, CoverTheHeader) {
    std::map<std::string, int> found, needed;
    for (const test::PublicHeader::Function &f : test::public_header().functions)
        if (needs_record(f)) ++needed[f.section], found[f.name] = 0;
    EXPECT_GE(needed["Ops"], 100) << "the section 'Ops' was not understood";
    EXPECT_GE(needed["Layers"], 25) << "the section 'Layers' was not understood";
    EXPECT_GE(needed["Optimizers"], 8) << "the section 'Optimizers' was not understood";
    for (const Record &r : records()) {
        EXPECT_TRUE(found.count(r.function)) << "record " << r.name << " is of " << r.function << ", which mpt.h does not have";
        ++found[r.function];
    }
    for (const auto &[name, count] : found) {
        if (kExceptions.count(name)) {
            EXPECT_EQ(count, 0) << name << " has records and is excepted";
            continue;
        }
        EXPECT_GT(count, 0) << name << " has no record: add one in tests/oracle/parity_*.py and run make_parity.py";
        EXPECT_TRUE(tested().count(name)) << name << " is in no table of tests/oracle/parity_*_test.cpp";
    }
    for (const auto &[name, why] : kExceptions) EXPECT_TRUE(found.count(name)) << name << " is excepted and not in mpt.h";
}

// Every kind that a function can be asked for is in a record.
TEST(ParityTests, CoverTheKinds) {
    std::set<std::string> used;
    for (const Record &r : records())
        for (const auto &[name, words] : r.settings) used.insert(words.begin(), words.end());
    for (const char *type : {"mpt_reduction", "mpt_schedule_kind", "mpt_activation", "mpt_gelu_kind", "mpt_upsample_mode",
                             "mpt_recurrent_kind", "mpt_join"}) {
        const auto constants = test::public_header().enums.find(type);
        ASSERT_TRUE(constants != test::public_header().enums.end()) << type;
        ASSERT_GE(constants->second.size(), 2u) << type;
        for (const std::string &constant : constants->second) EXPECT_TRUE(used.count(constant)) << "no record has " << constant;
    }
}

}  // namespace parity
