// The golden records of parity.txt, which parity_book.py explains, and how a result is held against one.
#pragma once

#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "common/devices.h"
#include "common/tensors.h"
#include "oracle/public_header.h"

namespace parity {

struct Array {
    std::string name, kind;
    test::Shape shape;
    std::vector<double> data;
    bool none() const { return kind == "none"; }
};

struct Record {
    std::string function, name;
    double room = 0, stores = 0, wide_stores = 0;
    std::map<std::string, std::vector<std::string>> settings;
    std::map<std::string, std::vector<Array>> arrays;  // by the first word of their lines
    const std::vector<Array> &list(const std::string &word) const {
        static const std::vector<Array> none;
        const auto found = arrays.find(word);
        return found == arrays.end() ? none : found->second;
    }
    const Array *find(const std::string &word, const std::string &array) const {
        for (const Array &a : list(word))
            if (a.name == array) return &a;
        return nullptr;
    }
};

// All records, in the file's order.
const std::vector<Record> &records();

// The element type of an array when a record is run in a format.
inline mpt_dtype type_of(const std::string &kind, mpt_dtype format) {
    if (kind == "t") return format;
    if (kind == "wide") return test::wide(format);
    for (mpt_dtype dtype : {MPT_F64, MPT_F32, MPT_F16, MPT_BF16, MPT_I32, MPT_I64, MPT_U8, MPT_BOOL})
        if (kind == mpt_dtype_name(dtype)) return dtype;
    throw std::runtime_error("parity.txt: unknown kind " + kind);
}

// One run of a record: what the call needs, by name.
class Args {
public:
    Args(const Record &record, mpt_context *ctx, mpt_dtype format) : ctx(ctx), format(format), record_(record) {}

    mpt_context *const ctx;
    const mpt_dtype format;
    std::vector<test::Tensor> inputs;  // NULL for none
    std::size_t outputs() const { return record_.list("out").size(); }
    mpt_tensor *operator[](std::size_t i) const { return inputs.at(i); }
    std::vector<mpt_tensor *> all() const { return {inputs.begin(), inputs.end()}; }

    double number(const std::string &name) const { return value(words(name).at(0)); }
    std::int32_t integer(const std::string &name) const { return static_cast<std::int32_t>(number(name)); }
    template <class T>
    T constant(const std::string &name) const {
        return static_cast<T>(integer(name));
    }
    template <class T = std::int64_t>
    std::vector<T> list(const std::string &name) const {
        std::vector<T> values;
        if (has(name))
            for (const std::string &word : words(name)) values.push_back(static_cast<T>(value(word)));
        return values;
    }
    bool has(const std::string &name) const { return record_.settings.count(name) > 0; }
    // Sets the fields of a descriptor that the record gives; the others keep their defaults.
    template <class... T>
    void take(const std::string &name, T &...fields) const {
        if (!has(name)) return;
        std::size_t i = 0;
        ((fields = static_cast<T>(value(words(name).at(i++)))), ...);
    }
    // Settings that nobody asked for: the run was not the record's.
    std::string unused() const {
        std::string names;
        for (const auto &[name, words] : record_.settings)
            if (!used_.count(name)) names += " " + name;
        return names;
    }

private:
    const std::vector<std::string> &words(const std::string &name) const {
        used_.insert(name);
        const auto found = record_.settings.find(name);
        if (found == record_.settings.end()) throw std::runtime_error("the record does not set " + name);
        return found->second;
    }
    static double value(const std::string &word) {
        if (word.rfind("MPT_", 0) == 0) return static_cast<double>(test::public_header().constants.at(word));
        return std::stod(word);
    }
    const Record &record_;
    mutable std::set<std::string> used_;
};

// Against the array of a record; relative to its largest element.
void expect_close(const std::vector<double> &got, const Array &exact, const Record &record, mpt_dtype format,
                  const std::string &what);
void expect_close(const mpt_tensor *got, const Array &exact, const Record &record, mpt_dtype format, const std::string &what);

// A call's leaves beside its inputs: parameters and buffers of a layer.
using Leaves = std::map<std::string, test::Tensor>;
// Runs the call and fills in args.outputs() tensors.
using Function = std::function<mpt_status(const Args &, mpt_tensor **)>;
using Table = std::map<std::string, Function>;  // by function of mpt.h
// Makes the inputs, runs, and compares outputs, gradients and what buffers are afterwards. make gives the function for these
// arguments and may add leaves.
void check(mpt_context *ctx, const Record &record, mpt_dtype format, const std::function<Function(Args &, Leaves &)> &make);

// A function of mpt.h on a device, with all its records: what a test is instantiated for.
struct Subject {
    std::string function;
    test::Device device;
};
inline std::ostream &operator<<(std::ostream &out, const Subject &subject) {
    return out << subject.function << " on " << subject.device;
}
// Of functions that a table tests; CoverTheHeader asks for them by tested().
std::vector<Subject> subjects(const std::vector<std::string> &functions);
const std::set<std::string> &tested();
std::string label(const testing::TestParamInfo<Subject> &info);

class ParityTest : public testing::TestWithParam<Subject> {
protected:
    // Runs body on every record of the function, in every format that the device computes in.
    void each_record(const std::function<void(mpt_context *, const Record &, mpt_dtype)> &body);
    void run(const Table &table);
};

template <class Table>
std::vector<std::string> keys(const Table &table) {
    std::vector<std::string> names;
    for (const auto &[name, entry] : table) names.push_back(name);
    return names;
}

}  // namespace parity
