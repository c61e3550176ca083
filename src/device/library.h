// dlopen behind one wrapper: the only place that knows the operating system's loader.
#pragma once

#include <string>

namespace mpt {

// The folder that holds libmpt itself, with a slash at its end.
std::string library_folder();
// A symbol of a library beside libmpt, opened once with local names and never closed; NULL with the loader's words in `why`.
void *open_symbol(const std::string &file, const char *symbol, std::string &why);

}  // namespace mpt
