#include "program/passes/dependencies.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace mpt::passes {

namespace {

// Memory as the launches so far have left it, in pieces that each has used as a whole.
class Memory {
public:
    void use(const Access &access, std::int32_t launch, std::vector<std::int32_t> &before) {
        if (access.begin == access.end) return;
        cut(access.begin);
        cut(access.end);
        std::uintptr_t at = access.begin;
        for (auto piece = pieces_.lower_bound(at); at < access.end; ++piece) {
            if (piece == pieces_.end() || piece->first > at) {  // nobody has used what lies here
                const std::uintptr_t end = piece == pieces_.end() ? access.end : std::min(access.end, piece->first);
                piece = pieces_.emplace_hint(piece, at, Piece{end, kNobody, {}});
            }
            touch(piece->second, access.writes, launch, before);
            at = piece->second.end;
        }
    }

private:
    static constexpr std::int32_t kNobody = -1;
    struct Piece {
        std::uintptr_t end;
        std::int32_t writer;
        std::vector<std::int32_t> readers;  // since it was written
    };

    static void touch(Piece &piece, bool writes, std::int32_t launch, std::vector<std::int32_t> &before) {
        if (piece.writer != kNobody && piece.writer != launch) before.push_back(piece.writer);
        if (!writes) {
            if (piece.writer != launch && (piece.readers.empty() || piece.readers.back() != launch)) piece.readers.push_back(launch);
            return;
        }
        for (const std::int32_t reader : piece.readers)
            if (reader != launch) before.push_back(reader);
        piece.writer = launch;
        piece.readers.clear();
    }
    void cut(std::uintptr_t at) {
        auto behind = pieces_.upper_bound(at);
        if (behind == pieces_.begin()) return;
        const auto piece = std::prev(behind);
        if (piece->first == at || piece->second.end <= at) return;
        Piece rest = piece->second;
        piece->second.end = at;
        pieces_.emplace_hint(behind, at, std::move(rest));
    }

    std::map<std::uintptr_t, Piece> pieces_;
};

}  // namespace

std::vector<std::vector<std::int32_t>> dependencies(const std::vector<std::vector<Access>> &launches) {
    Memory memory;
    std::vector<std::vector<std::int32_t>> before(launches.size());
    for (std::size_t i = 0; i < launches.size(); ++i) {
        std::vector<std::int32_t> &list = before[i];
        for (const Access &access : launches[i]) memory.use(access, static_cast<std::int32_t>(i), list);
        std::sort(list.begin(), list.end());
        list.erase(std::unique(list.begin(), list.end()), list.end());
    }
    return before;
}

}  // namespace mpt::passes
