// Every function of the header with wrong arguments: the rows of misuse_*_test.cpp, and a check that none is missing.
#include "api/misuse.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

namespace misuse {

namespace {

int blocks = 0;  // that contexts of these tests have and have not given back
constexpr std::size_t kMost = std::size_t(1) << 30;

void *give(std::size_t nbytes, void *, void *) {
    if (nbytes > kMost) return nullptr;
    ++blocks;
    return std::aligned_alloc(64, (nbytes + 63) / 64 * 64);
}
void take(void *ptr, std::size_t, void *, void *) {
    --blocks;
    std::free(ptr);
}
void heard(mpt_status status, const char *message, void *side) {
    auto &to = *static_cast<Side *>(side);
    ++to.failures;
    to.status = status;
    to.message = message;
}

}  // namespace

Side::Side() {
    mpt_context_desc desc;
    MUST(mpt_context_desc_init(&desc, sizeof desc));
    desc.threads = 1;
    desc.alloc = give;
    desc.free = take;
    desc.error = heard;
    desc.error_user_data = this;
    MUST(mpt_context_create(&desc, ctx.out()));
    x = net::tensor(ctx, MPT_F32, {2, 3});
    half = net::tensor(ctx, MPT_F16, {2, 3});
    ints = net::tensor(ctx, MPT_I32, {2, 3});
    bools = net::tensor(ctx, MPT_BOOL, {2, 3});
    row = net::tensor(ctx, MPT_F32, {4});
    scalar = net::tensor(ctx, MPT_F32, {});
    weight = net::tensor(ctx, MPT_F32, {4, 3});
    image = net::tensor(ctx, MPT_F32, {1, 2, 6, 6});
    filter = net::tensor(ctx, MPT_F32, {4, 2, 3, 3});
    labels = net::tensor(ctx, MPT_I64, {2});
    for (const net::Tensor *t : {&x, &half, &ints, &bools, &row, &scalar, &weight, &image, &filter, &labels}) MUST(mpt_tensor_fill(*t, 1));
    leaf = net::tensor(ctx, MPT_F32, {2, 3});
    MUST(mpt_tensor_fill(leaf, 0.5));
    MUST(mpt_tensor_set_requires_grad(leaf, 1));
    net::Tensor squares;
    MUST(mpt_mul(leaf, leaf, squares.out()));
    MUST(mpt_sum(squares, 0, nullptr, 0, loss.out()));

    mpt_linear_desc d;
    MUST(mpt_linear_desc_init(&d, sizeof d));
    d.in_features = 3;
    d.out_features = 4;
    MUST(mpt_layer_linear(ctx, &d, linear.out()));
    MUST(mpt_layer_sequential(ctx, chain.out()));
    MUST(mpt_layer_add(chain, "head", linear));
    MUST(mpt_policy_create(ctx, MPT_BF16, policy.out()));
    MUST(mpt_scaler_create(ctx, nullptr, scaler.out()));
    MUST(mpt_optimizer_sgd(ctx, nullptr, optimizer.out()));
    mpt_tensor *const params[] = {leaf};
    MUST(mpt_optimizer_add_group(optimizer, "own", params, 1, nullptr));
    MUST(mpt_capture_begin(ctx));
    MUST(mpt_add(x, x, output.out()));
    mpt_tensor *const outputs[] = {output};
    MUST(mpt_capture_end(ctx, outputs, 1, program.out()));
    MUST(mpt_state_create(ctx, state.out()));
    MUST(mpt_state_add_tensor(state, "x", x));
}

World::~World() {
    for (const auto &[slot, release] : made_) {
        void *handle = nullptr;
        std::memcpy(&handle, slot, sizeof handle);
        const std::vector<unsigned char> sentinels(sizeof handle, kSentinel);
        if (std::memcmp(&handle, sentinels.data(), sizeof handle) != 0) release(handle);
    }
}

bool World::untouched() const {
    for (const unsigned char c : room)
        if (c != kSentinel) return false;
    return true;
}

World &World::capture() {
    MUST(mpt_capture_begin(ctx));
    return *this;
}
World &World::backward() {
    MUST(mpt_backward(loss, scaler, MPT_GRAD_WRITE));
    return *this;
}
mpt_tensor *World::doubled() {
    MUST(mpt_add(x, x, born_.out()));
    return born_;
}
std::string World::saved() {
    std::string bytes;
    const auto append = [](const void *data, std::size_t n, void *to) {
        static_cast<std::string *>(to)->append(static_cast<const char *>(data), n);
        return 0;
    };
    MUST(mpt_state_save_to(state, append, &bytes));
    return bytes;
}
std::string World::path(const char *name) { return std::string(MPT_TEST_SCRATCH) + "/misuse-" + name; }

std::vector<Row> &all_rows() {
    static std::vector<Row> rows;
    return rows;
}

namespace {

// ---- the header ----

struct Parameter {
    std::string type, name;
    bool handle() const { return std::regex_search(type, std::regex("^(const )?mpt_(context|tensor|layer|policy|scaler|optimizer|average|program|state) \\*")); }
    bool given() const { return handle() && !std::regex_search(type, std::regex("\\* ?\\*$")); }  // not an output
    bool pointer() const { return type.find('*') != std::string::npos || std::regex_search(type, std::regex("_fn$")); }
    bool descriptor() const { return std::regex_search(type, std::regex("^const mpt_\\w+_(desc|params) \\*")); }
    bool enumeration() const { return std::regex_search(type, std::regex("^mpt_(dtype|init|reduction|grad_mode|role)$")); }
};

struct Function {
    std::string name, comment;
    std::vector<Parameter> parameters;
};

std::string text_of(const std::string &path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

const std::map<std::string, Function> &functions() {
    static const std::map<std::string, Function> all = [] {
        std::map<std::string, Function> found;
        const std::string header = text_of(MPT_TEST_SOURCE_DIR "/include/mpt.h");
        const std::regex declaration("MPT_API mpt_status MPT_CALL (mpt_\\w+)\\(([^;]*)\\);"), parameter("\\s*([^,]*[ *])(\\w+)\\s*(,|$)");
        for (std::sregex_iterator d(header.begin(), header.end(), declaration), end; d != end; ++d) {
            Function f{(*d)[1], {}, {}};
            const auto at = static_cast<std::size_t>(d->position());
            if (at >= 3 && header.compare(at - 3, 2, "*/") == 0) f.comment = header.substr(header.rfind("/**", at), at - header.rfind("/**", at));
            const std::string list = (*d)[2];
            for (std::sregex_iterator p(list.begin(), list.end(), parameter); p != end; ++p) {
                std::string type = (*p)[1];
                type.erase(type.find_last_not_of(' ') + 1);
                f.parameters.push_back({type, (*p)[2]});
            }
            found[f.name] = f;
        }
        return found;
    }();
    return all;
}

std::vector<std::string> names() {
    std::vector<std::string> list;
    for (const auto &[name, f] : functions()) list.push_back(name);
    return list;
}

// ---- the rows ----

mpt_status expected(const Row &row) {
    switch (row.kind) {
        case Null:
        case Range: return MPT_ERROR_ARGUMENT;
        case Taken: return MPT_OK;
        case Foreign: return MPT_ERROR_CONTEXT;
        case Shape: return MPT_ERROR_SHAPE;
        case Dtype: return MPT_ERROR_DTYPE;
        case Tail: return MPT_ERROR_UNSUPPORTED;
        case State:
        case Capture: return MPT_ERROR_STATE;
        case Other: break;
    }
    return row.status;
}

// "roots" is the subject of a row about "roots[1]" too.
bool about(const Row &row, const std::string &argument) {
    const std::string own = row.argument;
    return own == argument || own.rfind(argument + "[", 0) == 0;
}

bool names_argument(const std::string &message, const std::string &argument) {
    return argument.empty() || message.find("'" + argument + "'") != std::string::npos || message.find("'" + argument + "[") != std::string::npos;
}

void check_failure(const Row &row, World &w, const Function &f) {
    const std::string message = mpt_last_error();
    EXPECT_TRUE(w.untouched()) << "an output was written";
    EXPECT_EQ(message.rfind(f.name + ": ", 0), 0u);
    EXPECT_TRUE(names_argument(message, row.argument)) << "'" << row.argument << "' is not named";
    EXPECT_NE(message.find(row.value), std::string::npos) << row.value << " is not given";
    EXPECT_EQ(message.find('\n'), std::string::npos);

    // The context and its hook know of it, unless the call could not know the context.
    const bool anonymous = row.anonymous || !f.parameters[0].handle() || (row.kind == Null && f.parameters[0].name == row.argument);
    EXPECT_EQ(w.failures, anonymous ? 0 : 1);
    EXPECT_EQ(mpt_context_last_error(w.ctx), anonymous ? "" : message);
    if (!anonymous) {
        EXPECT_EQ(w.message, message);
        EXPECT_EQ(w.status, expected(row));
    }

    // Inside a capture it stays the error of every call until the abort.
    if (row.kind == Capture) {
        std::int32_t threads = -1;
        EXPECT_EQ(mpt_context_threads(w.ctx, &threads), expected(row));
        EXPECT_NE(std::string(mpt_last_error()).find(message), std::string::npos) << mpt_last_error();
        EXPECT_EQ(threads, -1);
    }
}

void check(const Row &row, const Function &f) {
    World w;
    if (row.kind == Capture) w.capture();
    const mpt_status status = row.call(w);
    SCOPED_TRACE(std::string(row.function) + ", '" + row.argument + "' " + row.value + ": " + mpt_status_name(status) +
                 (status == MPT_OK ? "" : std::string(": ") + mpt_last_error()));
    EXPECT_STREQ(mpt_status_name(status), mpt_status_name(expected(row)));
    if (status == MPT_OK)
        EXPECT_EQ(w.failures, 0);
    else if (status == expected(row))
        check_failure(row, w, f);
    EXPECT_EQ(w.other.failures, 0);
    EXPECT_STREQ(mpt_context_last_error(w.other.ctx), "");

    // The context still works.
    EXPECT_EQ(mpt_capture_abort(w.ctx), MPT_OK);
    net::Tensor sum;
    EXPECT_EQ(mpt_add(w.x, w.x, sum.out()), MPT_OK) << mpt_last_error();
}

class Misuse : public testing::TestWithParam<std::string> {};

TEST_P(Misuse, GivesAStatusAndNamesTheArgument) {
    const Function &f = functions().at(GetParam());
    int rows = 0;
    for (const Row &row : all_rows())
        if (f.name == row.function) {
            ++rows;
            check(row, f);
        }
    EXPECT_GT(rows, 0);
    EXPECT_EQ(blocks, 0) << "memory is left behind";
}

// What a function's declaration and comment promise has rows.
TEST_P(Misuse, HasARowForEveryParameter) {
    const Function &f = functions().at(GetParam());
    const auto has = [&](std::initializer_list<Kind> kinds, const std::string &argument) {
        for (const Row &row : all_rows())
            for (const Kind kind : kinds)
                if (f.name == row.function && kind == row.kind && (argument.empty() || about(row, argument))) return true;
        return false;
    };
    for (const Parameter &p : f.parameters) {
        if (p.name == "user_data") continue;  // handed to the callback as it is
        const bool first = &p == &f.parameters[0];
        const bool list = p.type.find("*const") != std::string::npos;
        EXPECT_TRUE(!p.pointer() || has({Null, Taken}, p.name)) << "no row with NULL for " << p.name;
        EXPECT_TRUE(!p.given() || (first && !list) || has({Foreign}, p.name)) << "no row with a foreign " << p.name;
        EXPECT_TRUE(!p.enumeration() || has({Range, Dtype}, p.name)) << "no row with an unknown " << p.name;
        EXPECT_TRUE(!p.descriptor() || (has({Tail}, p.name) && has({Range}, p.name))) << "no rows with wrong sizes of " << p.name;
        EXPECT_TRUE(has({Null, Taken, Foreign, Shape, Dtype, Range, State, Other}, p.name)) << "no row about " << p.name;
    }
    EXPECT_TRUE(has({Null}, "")) << "no row with NULL";
    EXPECT_TRUE(f.comment.find("Not inside a capture") == std::string::npos || has({Capture}, "")) << "no row inside a capture";
}

INSTANTIATE_TEST_SUITE_P(, Misuse, testing::ValuesIn(names()), [](const auto &info) { return info.param; });

TEST(MisuseTable, NamesOnlyFunctionsAndParametersOfTheHeader) {
    EXPECT_GT(functions().size(), 100u);
    for (const Row &row : all_rows()) {
        const auto f = functions().find(row.function);
        ASSERT_NE(f, functions().end()) << row.function;
        bool known = !*row.argument;
        for (const Parameter &p : f->second.parameters) known = known || about(row, p.name);
        EXPECT_TRUE(known) << row.function << " has no parameter " << row.argument;
    }
}

}  // namespace
}  // namespace misuse
