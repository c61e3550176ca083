#include "io/state.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>

#include "core/error.h"
#include "engine/shadow.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "ops/together.h"
#include "ops/transfer.h"

using namespace mpt;

namespace {

// The first few, for a message.
std::string some_names(const std::vector<safetensors::Entry> &entries) {
    constexpr std::size_t kShown = 4;
    std::string text;
    for (std::size_t i = 0; i < std::min(entries.size(), kShown); ++i) text.append(i ? ", '" : " '").append(entries[i].name).append("'");
    if (entries.size() > kShown) text += " and " + std::to_string(entries.size() - kShown) + " more";
    return text.empty() ? " no tensors" : text;
}

}  // namespace

void mpt_state::require_new(const char *argument, const std::string &name) const {
    const bool known = numbers.count(name) || std::any_of(items_.begin(), items_.end(), [&](const Item &i) { return i.name == name; });
    if (known) fail(MPT_ERROR_ARGUMENT, "argument '", argument, "': the state has '", name, "' already: choose another ", argument);
    if (name == "__metadata__") fail(MPT_ERROR_ARGUMENT, "argument '", argument, "': '__metadata__' is reserved by the file format: choose another ", argument);
}

void mpt_state::add(const char *argument, std::vector<Item> items) {
    for (const Item &item : items) {
        require_new(argument, item.name);
        item.tensor->storage->require_ready(item.name.c_str());
    }
    items_.insert(items_.end(), std::make_move_iterator(items.begin()), std::make_move_iterator(items.end()));
}

void mpt_state::require_ready() const {
    for (const Item &item : items_) item.tensor->storage->require_ready(item.name.c_str());
}

void mpt_state::set_number(const std::string &name, std::int64_t value) {
    if (!numbers.count(name)) require_new("name", name);
    numbers[name] = value;
}

void mpt_state::add_optimizer(const std::string &prefix, const Ref<mpt_optimizer> &optimizer) {
    optimizer->make_state();
    std::vector<Item> items{{prefix + "lr", optimizer->lr}, {prefix + "rate", optimizer->rate}};
    std::vector<std::function<void()>> before_save, after_load;
    for (const Group &group : optimizer->groups) {
        const std::string base = prefix + group.name + ".";
        items.push_back({base + "step", group.step});
        items.push_back({base + "counts", group.counts});
        for (std::size_t i = 0; i < group.slots.size(); ++i) {
            const Slot &slot = group.slots[i];
            const std::string own = base + std::to_string(i) + ".";
            for (std::size_t k = 0; k < slot.states.size(); ++k) items.push_back({own + optimizer->states[k].name, slot.states[k]});
            if (slot.compensation) items.push_back({own + "compensation", slot.compensation});
            if (!group.has_masters()) continue;
            items.push_back({own + "master", optimizer->master(group, slot)});
            const Ref<Tensor> &p = slot.parameter;
            before_save.push_back([p] { shadow::get(p, MPT_F32); });  // what the host has written since has another master
            after_load.push_back([p] { p->storage->find_shadow(MPT_F32)->of_version = p->storage->version; });
        }
    }
    // All room first: a state with the items but without their masters' care would load wrong.
    before_save_.reserve(before_save_.size() + before_save.size());
    after_load_.reserve(after_load_.size() + after_load.size());
    keep_.reserve(keep_.size() + 1);
    add("prefix", std::move(items));
    std::move(before_save.begin(), before_save.end(), std::back_inserter(before_save_));
    std::move(after_load.begin(), after_load.end(), std::back_inserter(after_load_));
    keep_.push_back(optimizer);
}

void mpt_state::add_average(const std::string &prefix, const Ref<mpt_average> &average) {
    std::vector<Item> items;
    for (std::size_t g = 0; g < average->parts.size(); ++g) {
        const mpt_average::Part &part = average->parts[g];
        const std::string base = prefix + average->optimizer->groups[g].name + ".";
        items.push_back({base + "step", part.last});
        for (std::size_t i = 0; i < part.averages.size(); ++i) items.push_back({base + std::to_string(i), part.averages[i]});
    }
    after_load_.reserve(after_load_.size() + 1);
    std::function<void()> after_load = [average] { average->loaded(); };
    add("prefix", std::move(items));
    after_load_.push_back(std::move(after_load));
}

void mpt_state::save(const Writer &write) const {
    for (const auto &refresh : before_save_) refresh();
    require_ready();
    std::vector<safetensors::Entry> entries;
    for (const Item &item : items_) entries.push_back({item.name, item.tensor->dtype, item.tensor->shape, 0, 0});
    for (const auto &[name, value] : numbers) entries.push_back({name, MPT_I64, {}, 0, 0});
    const std::string header = safetensors::header(entries);
    write(header.data(), header.size());
    std::vector<char> bytes;
    for (const Item &item : items_) {
        bytes.resize(item.tensor->nbytes());
        read(item.tensor, bytes.data());
        write(bytes.data(), bytes.size());
    }
    for (const auto &[name, value] : numbers) write(&value, sizeof value);
}

void mpt_state::save(const std::string &path) const {
    AtomicFile file(path);
    save([&](const void *data, std::size_t nbytes) { file.write(data, nbytes); });
    file.commit();
}

void mpt_state::load(const std::string &path) {
    InputFile file(path);
    load([&](void *data, std::size_t nbytes) { file.read(data, nbytes); });
}

void mpt_state::load(const Reader &read_bytes) {
    require_ready();
    unsigned char length_bytes[8];
    read_bytes(length_bytes, sizeof length_bytes);
    std::uint64_t length = 0;
    for (int i = 7; i >= 0; --i) length = length << 8 | length_bytes[i];
    if (length > safetensors::kMaxHeader) fail(MPT_ERROR_IO, "the file's header would have ", length, " bytes: this is no safetensors file");
    std::string json(static_cast<std::size_t>(length), '\0');
    read_bytes(json.data(), json.size());
    std::vector<safetensors::Entry> entries = safetensors::parse(json);
    std::sort(entries.begin(), entries.end(), [](const auto &a, const auto &b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });

    // Everything is checked and read before anything is changed.
    std::unordered_map<std::string, const safetensors::Entry *> by_name;
    for (const auto &e : entries) by_name[e.name] = &e;
    const auto find = [&](const std::string &name) {
        auto found = by_name.find(name);
        if (found == by_name.end()) fail(MPT_ERROR_NOT_FOUND, "the file has no '", name, "' but", some_names(entries), ": it was saved from another model or with other prefixes");
        return found->second;
    };
    std::unordered_map<const safetensors::Entry *, std::vector<char>> wanted;
    for (const Item &item : items_) {
        const auto *e = find(item.name);
        if (!(e->shape == item.tensor->shape))
            fail(MPT_ERROR_SHAPE, "the file's '", item.name, "' has shape ", e->shape, ", but here it is ", item.tensor->shape);
        if (e->dtype != item.tensor->dtype)
            fail(MPT_ERROR_DTYPE, "the file's '", item.name, "' is ", dtype_name(e->dtype), ", but here it is ", dtype_name(item.tensor->dtype));
        wanted[e];
    }
    for (const auto &[name, value] : numbers) {
        const auto *e = find(name);
        if (e->dtype != MPT_I64 || e->shape.n != 0) fail(MPT_ERROR_DTYPE, "the file's '", name, "' is no i64 scalar");
        wanted[e];
    }
    std::uint64_t at = 0;
    std::vector<char> skipped;
    for (const auto &e : entries) {
        if (e.begin != at) fail(MPT_ERROR_IO, "the checkpoint's header is damaged: the data of '", e.name, "' begin at ", e.begin, " instead of ", at);
        auto found = wanted.find(&e);
        // What nobody wants is passed over in small pieces, whatever length its entry claims.
        for (std::uint64_t left = e.end - e.begin; left > 0;) {
            const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(left, 1 << 20));
            std::vector<char> &to = found == wanted.end() ? skipped : found->second;
            const std::size_t start = found == wanted.end() ? 0 : to.size();
            to.resize(start + part);
            read_bytes(to.data() + start, part);
            left -= part;
        }
        at = e.end;
    }
    // What needs memory on its way waits for the rest, so that all arrive or none.
    Together together(*ctx);
    for (const bool whole : {false, true})
        for (const Item &item : items_)
            if (item.tensor->contiguous() == whole) write(item.tensor, wanted[by_name[item.name]].data());
    together.run();
    for (auto &[name, value] : numbers) std::copy_n(wanted[by_name[name]].data(), sizeof value, reinterpret_cast<char *>(&value));
    for (const auto &done : after_load_) done();
}
