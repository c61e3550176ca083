// fuzz_make_seeds FOLDER: writes well-formed files to FOLDER/idx and FOLDER/rdata, in the forms that the searches take.
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <fstream>
#include <string>

#include "rdata_writer.h"

namespace {

std::string folder;

void write(const std::string &name, const r::Bytes &bytes) {
    std::ofstream(folder + "/" + name, std::ios::binary)
        .write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

using r::operator+;

r::Bytes frame() {
    return r::list({r::integers({1, 2, 3}), r::reals({0.5, -1, 2}), r::factor({2, 1, 1}, {"a", "b"}), r::strings({"x", "y", "z"})},
                   {{"names", r::strings({"p", "q", "r", "s"})},
                    {"class", r::strings({"data.frame"})},
                    {"row.names", r::compact("compact_intseq", r::reals({3, 1, 1}))}});
}

r::Bytes oddities() {
    return r::list({r::word(6) + r::symbol("~") + r::word(2) + r::word(0x1ff) + r::null(),
                    r::word(4) + r::word(0) + r::word(253) + r::null() + r::null() + r::null(),
                    r::word(249) + r::word(0) + r::word(1) + r::chars("stats"), r::word(16) + r::word(2) + r::na() + r::chars("y"),
                    r::compact("compact_realseq", r::reals({3, 0, 0.5})),
                    r::compact("wrap_integer", r::list({r::integers({7}, {}, 10), r::integers({0, 0})}))});
}

}  // namespace

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    folder = argv[1];

    const r::Bytes image = r::Bytes{0, 0, 8, 2} + r::word(2) + r::word(3) + r::Bytes{1, 2, 3, 4, 5, 6};
    write("idx/plain", r::Bytes{2} + image);
    const std::string packed = folder + "/idx/packed";
    gzFile gz = gzopen((packed + ".gz").c_str(), "wb");
    if (!gz || gzwrite(gz, image.data(), static_cast<unsigned>(image.size())) <= 0 || gzclose(gz) != Z_OK) return 1;
    std::ifstream in(packed + ".gz", std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    write("idx/packed", r::Bytes{2} + r::raw(bytes));
    std::remove((packed + ".gz").c_str());

    const r::Database db = r::database({{"frame", frame()}});
    write("rdata/files", r::Bytes{0, static_cast<uint8_t>(db.rdx.size())} + db.rdx + db.rdb);
    write("rdata/index",
          r::Bytes{1, 0} + r::serialize(r::list({r::list({r::integers({0, 90})}, {{"names", r::strings({"x"})}}), r::integers({0})},
                                                {{"names", r::strings({"variables", "compressed"})}})));
    write("rdata/entry", r::Bytes{2, 1} + r::entry(r::serialize(frame())));
    const r::Bytes plain = r::serialize(r::strings({"a"}), 2);
    write("rdata/stored", r::Bytes{2, 3} + r::word(static_cast<uint32_t>(plain.size())) + r::raw("0") + plain);
    write("rdata/frame", r::Bytes{3, 0} + r::serialize(frame()));
    write("rdata/oddities", r::Bytes{3, 0} + r::serialize(oddities()));
    return 0;
}
