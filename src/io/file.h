// Files that are either whole or absent.
#pragma once

#include <cstdio>
#include <string>

namespace mpt {

// Writes beside the path and renames at commit; without a commit nothing is left behind.
class AtomicFile {
public:
    explicit AtomicFile(const std::string &path);
    ~AtomicFile();
    AtomicFile(const AtomicFile &) = delete;
    AtomicFile &operator=(const AtomicFile &) = delete;
    void write(const void *data, std::size_t nbytes);
    void commit();

private:
    [[noreturn]] void failed(const char *what) const;
    std::string path_, temporary_;
    std::FILE *file_ = nullptr;
};

class InputFile {
public:
    explicit InputFile(const std::string &path);
    ~InputFile() { std::fclose(file_); }
    InputFile(const InputFile &) = delete;
    InputFile &operator=(const InputFile &) = delete;
    void read(void *data, std::size_t nbytes);

private:
    std::FILE *file_;
};

}  // namespace mpt
