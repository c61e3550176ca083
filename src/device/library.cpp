#include "device/library.h"

#include <dlfcn.h>

namespace mpt {

namespace {
const char here = 0;  // an address inside this library
}

std::string library_folder() {
    Dl_info info;
    if (!dladdr(&here, &info) || !info.dli_fname) return "";
    const std::string path = info.dli_fname;
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}

void *open_symbol(const std::string &file, const char *symbol, std::string &why) {
    const std::string path = library_folder() + file;
    // The loader counts: opening an open library is cheap, and it is never closed.
    void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *text = dlerror();
        why = text ? text : path + ": cannot be opened";
        return nullptr;
    }
    void *address = dlsym(handle, symbol);
    if (!address) why = path + ": has no symbol " + symbol + " (a module of another version of mpt)";
    return address;
}

}  // namespace mpt
