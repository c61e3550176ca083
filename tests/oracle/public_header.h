// include/mpt.h as tests read it: which functions there are, by section, and the values of its constants.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

struct PublicHeader {
    struct Function {
        std::string name, section;  // the section's heading up to its first '.' or ':'
        std::string parameters;
    };
    std::vector<Function> functions;  // that return mpt_status
    std::map<std::string, std::int64_t> constants;
    std::map<std::string, std::vector<std::string>> enums;  // constants, without the one that only fixes the size
};

inline PublicHeader read_public_header() {
    std::ifstream file(MPT_TEST_SOURCE_DIR "/include/mpt.h");
    if (!file) throw std::runtime_error("include/mpt.h is not in " MPT_TEST_SOURCE_DIR);
    PublicHeader header;
    const std::string start = "MPT_API mpt_status MPT_CALL ", type = "typedef enum ";
    std::string section, name_of_enum;
    bool heading = false;
    for (std::string line; std::getline(file, line);) {
        if (heading) section = line.substr(3, line.find_first_of(".:") - 3);
        heading = line.rfind("/* ----", 0) == 0;
        if (line.rfind(type, 0) == 0) name_of_enum = line.substr(type.size(), line.find(' ', type.size()) - type.size());
        if (line[0] == '}') name_of_enum.clear();
        std::istringstream words(line);
        std::string name, equals;
        std::int64_t value;
        if (!name_of_enum.empty() && words >> name >> equals >> value && equals == "=") {
            header.constants[name] = value;
            if (name.find("FORCE_32") == std::string::npos) header.enums[name_of_enum].push_back(name);
        }
        if (line.rfind(start, 0) != 0) continue;
        while (line.find(';') == std::string::npos) {
            std::string more;
            std::getline(file, more);
            line += more;
        }
        const std::size_t open = line.find('(');
        header.functions.push_back({line.substr(start.size(), open - start.size()), section, line.substr(open)});
    }
    return header;
}

inline const PublicHeader &public_header() {
    static const PublicHeader header = read_public_header();
    return header;
}

}  // namespace test
