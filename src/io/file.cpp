#include "io/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace mpt {

AtomicFile::AtomicFile(const std::string &path) : path_(path) {
    static std::atomic<unsigned> number{0};
    temporary_ = path + ".tmp." + std::to_string(getpid()) + "." + std::to_string(number.fetch_add(1));
    file_ = std::fopen(temporary_.c_str(), "wbx");
    if (!file_) failed("cannot be created");
}

AtomicFile::~AtomicFile() {
    if (!file_) return;
    std::fclose(file_);
    std::remove(temporary_.c_str());
}

void AtomicFile::failed(const char *what) const {
    fail(MPT_ERROR_IO, "'", file_ ? path_ : temporary_, "' ", what, ": ", std::strerror(errno), "; check that the folder exists, is writable and has room");
}

void AtomicFile::write(const void *data, std::size_t nbytes) {
    if (nbytes != 0 && std::fwrite(data, 1, nbytes, file_) != nbytes) failed("cannot be written");
}

void AtomicFile::commit() {
    const std::size_t slash = path_.rfind('/');
    const std::string folder_path = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
    // On disk before the rename, or a crash could leave the new name with old or no contents.
    if (std::fflush(file_) != 0 || fsync(fileno(file_)) != 0) failed("cannot be written");
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) failed("cannot be replaced");
    std::fclose(file_);
    file_ = nullptr;
    const int folder = open(folder_path.c_str(), O_RDONLY | O_DIRECTORY);
    if (folder >= 0) {
        (void)!fsync(folder);  // best effort: some file systems have no folder sync
        close(folder);
    }
}

InputFile::InputFile(const std::string &path) : file_(std::fopen(path.c_str(), "rb")) {
    if (!file_) fail(MPT_ERROR_IO, "it cannot be opened: ", std::strerror(errno));
}

void InputFile::read(void *data, std::size_t nbytes) {
    if (nbytes != 0 && std::fread(data, 1, nbytes, file_) != nbytes)
        fail(MPT_ERROR_IO, "it ends too early or cannot be read: it is no whole safetensors file");
}

}  // namespace mpt
