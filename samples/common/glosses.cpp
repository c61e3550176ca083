// WordNet's glosses as sequences of numbers with the part of speech as their class. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

extern "C" {
#include "data.h"
#include "glosses.h"
#include "shuffle.h"
}

const char *const glosses_class_names[GLOSSES_CLASSES] = {"noun", "verb", "adj", "adv"};

namespace {

// The largest file has 15 MB.
constexpr int64_t kMaxFile = int64_t{1} << 28;
constexpr int64_t kMaxLength = 1 << 16;
// The split does not depend on a run's seed: results of several seeds are about the same test.
constexpr uint64_t kSplitSeed = 0;

// A message for the user, in full.
struct Failure : std::runtime_error {
    using runtime_error::runtime_error;
};

using Words = std::vector<std::string_view>;

struct File {
    uint8_t *bytes = nullptr;
    int64_t n = 0;
    File() = default;
    File(const File &) = delete;
    File &operator=(const File &) = delete;
    ~File() { std::free(bytes); }
    void lower() {
        for (int64_t i = 0; i < n; ++i) {
            if (bytes[i] >= 'A' && bytes[i] <= 'Z') bytes[i] = static_cast<uint8_t>(bytes[i] + 'a' - 'A');
        }
    }
    std::string_view text() const { return {reinterpret_cast<const char *>(bytes), static_cast<size_t>(n)}; }
};

void read_file(File &file, const char *folder, const char *part) {
    char path[FILE_PATH_MAX], message[2 * FILE_PATH_MAX];
    const std::string name = std::string("data.") + part;
    if (file_join(path, folder, name.c_str()) != 0) throw Failure("the path of the glosses is too long");
    if (file_read(path, kMaxFile, &file.bytes, &file.n) == 0) return;
    if (errno == ENOMEM) throw std::bad_alloc();
    if (errno == EFBIG) throw Failure(std::string("the glosses of WordNet cannot be used: ") + path + " is far too large");
    const std::string reason = std::string(path) + ": " + std::strerror(errno);
    data_missing(&data_glosses, reason.c_str(), message, sizeof message);
    throw Failure(message);
}

// The glosses of a file: each line that is not of the licence (two spaces) starts with eight digits and has its gloss behind a bar.
Words find_glosses(std::string_view text, const char *part) {
    Words found;
    int64_t line_number = 0;
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++line_number;
        if (line.substr(0, 2) == "  ") continue;
        const size_t bar = line.find(" | ");
        const bool numbered = line.size() > 8 && line[8] == ' ' && line.substr(0, 8).find_first_not_of("0123456789") == line.npos;
        if (!numbered || bar == line.npos)
            throw Failure("the glosses of WordNet cannot be used: data." + std::string(part) + ", line " +
                          std::to_string(line_number) + " is no entry with a gloss");
        line.remove_prefix(bar + 3);
        while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
        if (!line.empty()) found.push_back(line);
    }
    return found;
}

bool in_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80 || c == '\'' || c == '-';
}

// Calls body with each unit of a gloss, at most o.length of them. Returns their number.
template <typename Body>
int32_t for_each_unit(std::string_view gloss, const glosses_options &o, Body body) {
    int32_t n = 0;
    while (!gloss.empty() && n < o.length) {
        std::string_view unit = gloss.substr(0, 1);
        if (o.unit == GLOSSES_WORDS) {
            const size_t end = static_cast<size_t>(std::find_if_not(gloss.begin(), gloss.end(), in_word) - gloss.begin());
            unit = gloss.substr(0, end);
            // Quotes and dashes stand outside a word, apostrophes and hyphens inside.
            unit.remove_prefix(std::min(unit.find_first_not_of("'-"), unit.size()));
            unit = unit.substr(0, unit.find_last_not_of("'-") + 1);
            gloss.remove_prefix(std::min(end + 1, gloss.size()));
        } else {
            gloss.remove_prefix(1);
        }
        if (unit.empty()) continue;
        body(unit);
        ++n;
    }
    return n;
}

struct Part {
    Words glosses;  // until they are numbers
    std::vector<int32_t> ids, lengths;
    std::vector<uint8_t> labels;

    void number(const std::unordered_map<std::string_view, int32_t> &id_of, const glosses_options &o) {
        std::vector<int32_t> row;
        for (std::string_view gloss : glosses) {
            row.clear();
            lengths.push_back(for_each_unit(gloss, o, [&](std::string_view unit) {
                const auto found = id_of.find(unit);
                row.push_back(found == id_of.end() ? GLOSSES_UNKNOWN : found->second);
            }));
            ids.insert(ids.end(), static_cast<size_t>(o.length) - row.size(), GLOSSES_PADDING);
            ids.insert(ids.end(), row.begin(), row.end());
        }
        glosses = {};
    }

    glosses_part view() const { return {static_cast<int64_t>(labels.size()), ids.data(), lengths.data(), labels.data()}; }
};

struct Storage {
    Part train, test;
    std::vector<std::string> symbols;
    std::vector<const char *> symbol_texts;

    void add_class(std::string_view text, int label, const glosses_options &o) {
        Words glosses = find_glosses(text, glosses_class_names[label]);
        const auto empty = [&](std::string_view gloss) { return for_each_unit(gloss, o, [](std::string_view) {}) == 0; };
        glosses.erase(std::remove_if(glosses.begin(), glosses.end(), empty), glosses.end());
        std::vector<int32_t> order(glosses.size());
        shuffle(order.data(), static_cast<int64_t>(order.size()), kSplitSeed, label);
        if (o.per_class > 0 && static_cast<size_t>(o.per_class) < order.size()) order.resize(static_cast<size_t>(o.per_class));
        const size_t n_train = order.size() - order.size() / 10;
        for (size_t i = 0; i < order.size(); ++i) {
            Part &part = i < n_train ? train : test;
            part.glosses.push_back(glosses[static_cast<size_t>(order[i])]);
            part.labels.push_back(static_cast<uint8_t>(label));
        }
    }

    // The vocabulary comes from the training part alone; equally frequent units stand in the order of their bytes.
    void number(const glosses_options &o) {
        std::unordered_map<std::string_view, int64_t> count;
        for (std::string_view gloss : train.glosses) for_each_unit(gloss, o, [&](std::string_view unit) { ++count[unit]; });
        std::vector<std::pair<int64_t, std::string_view>> ranked;
        for (const auto &[unit, n] : count) ranked.emplace_back(-n, unit);
        std::sort(ranked.begin(), ranked.end());
        if (o.max_symbols > 0) ranked.resize(std::min(ranked.size(), static_cast<size_t>(o.max_symbols - GLOSSES_FIRST_SYMBOL)));
        symbols = {"<padding>", "<unknown>"};
        std::unordered_map<std::string_view, int32_t> id_of;
        for (const auto &entry : ranked) {
            id_of[entry.second] = static_cast<int32_t>(symbols.size());
            symbols.emplace_back(entry.second);
        }
        for (const std::string &symbol : symbols) symbol_texts.push_back(symbol.c_str());
        train.number(id_of, o);
        test.number(id_of, o);
    }
};

}  // namespace

int glosses_load(glosses *out, const char *folder, const glosses_options *options, char *message, size_t nbytes) {
    const glosses_options &o = *options;
    char place[FILE_PATH_MAX];
    if (o.length < 1 || o.length > kMaxLength || o.per_class < 0 || o.max_symbols < 0 ||
        (o.max_symbols > 0 && o.max_symbols <= GLOSSES_FIRST_SYMBOL)) {
        std::snprintf(message, nbytes,
                      "options of the glosses: length is 1 to %lld, max_symbols 0 or above %d, per_class not negative",
                      static_cast<long long>(kMaxLength), GLOSSES_FIRST_SYMBOL);
        return -1;
    }
    if (!folder) {
        data_find(&data_glosses, place);
        folder = place;
    }
    try {
        auto s = std::make_unique<Storage>();
        File files[GLOSSES_CLASSES];  // the glosses lie in them until they are numbers
        for (int label = 0; label < GLOSSES_CLASSES; ++label) {
            read_file(files[label], folder, glosses_class_names[label]);
            if (o.unit == GLOSSES_WORDS) files[label].lower();
            s->add_class(files[label].text(), label, o);
        }
        s->number(o);
        *out = {o.length, static_cast<int64_t>(s->symbols.size()), s->symbol_texts.data(), s->train.view(), s->test.view(),
                nullptr};
        out->storage = s.release();
        return 0;
    } catch (const Failure &e) {
        std::snprintf(message, nbytes, "%s", e.what());
    } catch (const std::exception &) {
        std::snprintf(message, nbytes, "no memory for the glosses");
    }
    return -1;
}

void glosses_free(glosses *g) {
    delete static_cast<Storage *>(g->storage);
    *g = {};
}
